// One life of the observer's thread: from its start until it is closed, fails, runs out of memory or hangs. It never ends the
// app: an error there arrives here as an event.
//
// What belongs to one life, and what outlasts it:
//
//     the process, until close()                        one life of the thread
//     ObserverClient                                    ObserverLife, loopscope-observer.ts
//     ├─ loop, probe: live tasks, requests, runs ───────► sent to each life at its start, as a snapshot
//     ├─ shared memory: its header and ring ────────────► emptied between two lives, while no thread reads
//     ├─ port, loop's name, the app's address ──────────► given to each life
//     ├─ heartbeat, delays, cost: figures of the app      ├─ history and its epoch, model, stalls, kept runs
//     └─ the wait before the next life                    ├─ texts that it was sent, and their numbers
//                                                         ├─ channel for snapshots and stalls, word for inspector sessions
//                                                         └─ subscribers and questions: they end with it
//
// Between two lives the probe writes into a ring that is not read; when it is full, records are dropped. So the probe always
// knows what is alive (the app's runs need this too) and sends it to the next life.
import { Worker } from 'node:worker_threads'
import type { ObserverData, ToApp, ToObserver } from './protocol.ts'
import { ownFile, ownThread } from '../launch.ts'
import { Refusal } from '../http/refusals.ts'
import { WORD } from '../probe/layout.ts'

/** How long the thread has to close by itself, in ms. */
const CLOSE_MS = 2000
/** The thread hangs if it has not polled the ring while the app's thread has checked this often. */
const LOOK_MS = 1000
const MOST_LOOKS = 10

/** Kept here, because a program may replace them with fake timers. */
const { setInterval, clearInterval, setTimeout, clearTimeout } = globalThis

/** The observer could not listen. */
export class ObserverListenError extends Error {
  override name = 'ObserverListenError'
  readonly code: string
  readonly port: number

  constructor(code: string, port: number, message: string) {
    super(message)
    this.code = code
    this.port = port
  }
}

/** A question that only the observer can answer, while it does not run. */
export class ObserverDownError extends Refusal {
  override name = 'ObserverDownError'

  constructor(message: string, retryAfterSeconds = 1) {
    super('observer-down', message, { headers: { 'retry-after': String(Math.max(1, Math.ceil(retryAfterSeconds))) } })
  }
}

export interface LifeOptions {
  data: ObserverData
  /** The most MB of heap. */
  memoryMb: number
  /** Keeps the process alive until the thread is ready. */
  hold: boolean
  /** Receives all messages of the thread, starting with `ready`. */
  onMessage: (message: ToApp) => void
  /** The thread has ended, with the error that ended it. Called once. */
  onEnd: (error: Error) => void
}

export class ObserverLife {
  readonly #data: ObserverData
  readonly #worker: Worker
  readonly #ended: Promise<void>
  #error: Error | null = null
  #watch: NodeJS.Timeout | null = null

  constructor({ data, memoryMb, hold, onMessage, onEnd }: LifeOptions) {
    this.#data = data
    const worker = new Worker(ownFile('./loopscope-observer', import.meta.url), {
      workerData: data, transferList: [data.direct], name: 'loopscope observer', resourceLimits: { maxOldGenerationSizeMb: memoryMb },
      // Its output would go to the program's. Using that makes a pipe non-blocking, and a synchronous write of the program
      // then gets EAGAIN.
      stdout: true, stderr: true, ...ownThread(),
    })
    this.#worker = worker
    // Node's warnings about flags arrive there. A stream with something in it keeps the process alive until it is read.
    worker.stdout.destroy()
    worker.stderr.destroy()
    worker.on('message', (message: ToApp) => {
      switch (message.type) {
        case 'ready':
          worker.unref()
          this.#watchOver()
          break
        case 'failed':
          this.#error = listenError(message.code, message.message, data.listen)
          break
        case 'broken':
          this.#error = plain(message.message, message.stack)
          break
        case 'closed':
          void worker.terminate()
          break
        default:
          break
      }
      onMessage(message)
    })
    worker.on('error', (error: unknown) => {
      this.#error ??= error instanceof Error ? error : new Error(String(error))
    })
    this.#ended = new Promise((resolve) => {
      worker.on('exit', (code) => {
        if (this.#watch !== null) clearInterval(this.#watch)
        resolve()
        onEnd(this.#error ?? plain(`its thread ended with code ${code}`))
      })
    })
    // A listener for messages keeps the process alive again.
    if (!hold) worker.unref()
  }

  /** The word that ends inspector sessions. */
  get sessions(): Int32Array {
    return this.#data.sessions
  }

  send(message: ToObserver): void {
    this.#worker.postMessage(message)
  }

  /** Lets the thread send subscribers the reason, and ends it, even if it does not answer. */
  async close(reason: string): Promise<void> {
    this.#worker.ref()
    this.send({ type: 'close', reason })
    let timer: NodeJS.Timeout | undefined
    await Promise.race([this.#ended, new Promise((resolve) => {
      timer = setTimeout(resolve, CLOSE_MS)
    })])
    clearTimeout(timer)
    await this.#worker.terminate()
  }

  /** Ends the thread if it hangs. Checks are counted, not seconds: while the whole process is stopped, there are no checks either. */
  #watchOver(): void {
    const words = new Int32Array(this.#data.shared.header)
    let last = words[WORD.tick]
    let looks = 0
    this.#watch = setInterval(() => {
      const tick = words[WORD.tick]
      looks = tick === last ? looks + 1 : 0
      last = tick
      if (looks < MOST_LOOKS) return
      this.#error ??= plain(`its thread hung: it did nothing for ${(MOST_LOOKS * LOOK_MS) / 1000} s`)
      void this.#worker.terminate()
    }, LOOK_MS).unref()
  }
}

function listenError(code: string, message: string, listen: ObserverData['listen']): ObserverListenError {
  const { host, port } = listen ?? { host: '', port: 0 }
  const taken = `the observer cannot listen: something else listens on ${host}:${port} already; choose another port, or 0 for any that is free`
  return new ObserverListenError(code, port, code === 'EADDRINUSE' ? taken : `the observer cannot listen on ${host}:${port}: ${message}`)
}

/** An error of the thread. The stack of this line would say nothing. */
function plain(message: string, stack = message): Error {
  return Object.assign(new Error(message), { stack })
}
