// Two ways to call a worker thread by hand, without queue, cancellation or errors: the baseline for the price of a pool. Run
// as a worker, this file is their other end.
import { Worker, isMainThread, workerData } from 'node:worker_threads'

const TO_WORKER = 0
const TO_MAIN = 1

/** A number through shared memory: the worker blocks in Atomics.wait, this side waits in Atomics.waitAsync. */
export function bareMemory() {
  const words = new Int32Array(new SharedArrayBuffer(8))
  const worker = new Worker(new URL(import.meta.url), { workerData: { bareMemory: words } })
  let calls = 0
  return {
    async call() {
      Atomics.store(words, TO_WORKER, ++calls)
      Atomics.notify(words, TO_WORKER)
      const { async, value } = Atomics.waitAsync(words, TO_MAIN, calls - 1)
      if (async) await value
      return Atomics.load(words, TO_MAIN)
    },
    close: () => worker.terminate(),
  }
}

/** A value by postMessage there, and by postMessage back. */
export function bareMessages() {
  const worker = new Worker(new URL(import.meta.url), { workerData: { bareMessages: true } })
  const waiting = new Map()
  let calls = 0
  worker.on('message', ([id, value]) => {
    waiting.get(id)(value)
    waiting.delete(id)
  })
  return {
    call(value) {
      return new Promise((resolve) => {
        waiting.set(++calls, resolve)
        worker.postMessage([calls, value])
      })
    },
    close: () => worker.terminate(),
  }
}

if (!isMainThread && workerData?.bareMemory) {
  const words = workerData.bareMemory
  for (let calls = 0; ; ) {
    Atomics.wait(words, TO_WORKER, calls)
    Atomics.store(words, TO_MAIN, ++calls)
    Atomics.notify(words, TO_MAIN)
  }
} else if (!isMainThread && workerData?.bareMessages) {
  const { parentPort } = await import('node:worker_threads')
  parentPort?.on('message', (message) => parentPort.postMessage(message))
}
