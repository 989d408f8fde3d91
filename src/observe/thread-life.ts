// One life of the observer's thread: from its start until it ends, because it was asked to, or failed, or ran out of memory,
// or hung. Its end is never the app's: what goes wrong there arrives here as an event.
//
// What belongs to one life, and what outlasts it:
//
//     the process, until close()                        one life of the thread
//     ObserverClient                                    ObserverLife, loopscope-observer.ts
//     ├─ loop, writer: the live tasks, requests, runs ──► described to each life at its start
//     ├─ shared memory: its header and ring ────────────► emptied between two lives, while no thread reads
//     ├─ port, loop's name, the app's address ──────────► given to each life
//     ├─ pulse, delays, cost: figures of the app          ├─ history and its epoch, model, stalls, kept runs
//     └─ the wait before the next life                    ├─ texts that it was sent, and their numbers
//                                                         ├─ channel for descriptions, word for inspector sessions
//                                                         └─ subscribers and questions: they end with it
//
// Between two lives the writer goes on into a ring that is not read: when it is full, records are dropped. So the writer
// knows at every time what is alive, which the app's runs rely on as well, and describes it to the next life.
import { Worker } from 'node:worker_threads'
import type { ObserverData, ToApp, ToObserver } from './protocol.ts'
import { ownFile, ownThread } from '../launch.ts'
import { Refusal } from '../http/refusals.ts'
import { WORD } from '../probe/layout.ts'

/** How long the thread has to close by itself, in ms. */
const CLOSE_MS = 2000
/** A thread that has not looked at the ring, while the app's thread has looked so often at whether it does, hangs. */
const LOOK_MS = 1000
const MOST_LOOKS = 10

/** Taken here, so that a program's fake timers are not asked. */
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

/** Only the observer knows what was asked for, and it does not run. */
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
  /** The process goes on until the thread is ready. */
  hold: boolean
  /** Everything that the thread says, from its `ready` on. */
  onMessage: (message: ToApp) => void
  /** It has ended, with the error that ended it. Called once. */
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
      workerData: data, transferList: [data.descriptions], name: 'loopscope observer', resourceLimits: { maxOldGenerationSizeMb: memoryMb },
      // Its output would go to the program's: to touch that makes a pipe non-blocking, and whoever writes to it synchronously gets EAGAIN.
      stdout: true, stderr: true, ...ownThread(),
    })
    this.#worker = worker
    if (!hold) worker.unref()
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
  }

  /** The word through which inspector sessions are ended. */
  get sessions(): Int32Array {
    return this.#data.sessions
  }

  send(message: ToObserver): void {
    this.#worker.postMessage(message)
  }

  /** Have it tell subscribers why, and end it; one that does not answer is ended all the same. */
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

  /** End the thread if it hangs. Looks are counted, not seconds: while the whole process stands still, it has none either. */
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

/** An error of the thread: where this one is made says nothing. */
function plain(message: string, stack = message): Error {
  return Object.assign(new Error(message), { stack })
}
