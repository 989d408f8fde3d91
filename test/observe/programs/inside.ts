// Loaded with --import into a program, which then loads it into its observer's thread as well: the test can then make that
// thread fail from within, end it, or prevent it from living at all. The program is another process, which gets its orders
// over its IPC channel.
import { subscribe } from 'node:diagnostics_channel'
import { syncBuiltinESMExports } from 'node:module'
import threads, { BroadcastChannel, isMainThread, workerData, type Worker, type WorkerOptions } from 'node:worker_threads'

export type Order = 'throw' | 'reject' | 'break' | 'exhaust' | 'hang' | 'kill' | 'keep dead' | 'let live'

const TYPESCRIPT = new URL('../../../tools/ts.mjs', import.meta.url).href
const channel = new BroadcastChannel('inside the observer')
channel.unref()

if (isMainThread) {
  loadInObserver()
  orderFromParent()
} else if (typeof workerData === 'object' && workerData !== null && 'keepMs' in workerData) channel.onmessage = (event) => { obey((event as { data: Order }).data) }

/** The observer's thread inherits no preload. */
function loadInObserver(): void {
  threads.Worker = class extends threads.Worker {
    constructor(file: string | URL, options: WorkerOptions = {}) {
      const observer = options.name === 'loopscope observer'
      super(file, observer ? { ...options, execArgv: [...(options.execArgv ?? []), '--import', TYPESCRIPT, '--import', import.meta.url] } : options)
    }
  }
  syncBuiltinESMExports()
}

function orderFromParent(): void {
  let alive: Worker | null = null
  let dead = false
  const startedAt: number[] = []
  subscribe('worker_threads', (message) => {
    const { worker } = message as { worker: Worker }
    // A Worker does not report its name everywhere; the code that makes it does.
    if (new Error().stack?.includes('ObserverLife') !== true) return
    startedAt.push(performance.now())
    process.send?.({ startedAt })
    alive = worker
    if (dead) void worker.terminate()
  })
  process.on('message', (order: Order) => {
    dead = order === 'keep dead' || (dead && order !== 'let live')
    if (order === 'kill' || order === 'keep dead') void alive?.terminate()
    else channel.postMessage(order)
  })
  process.channel?.unref()
}

function obey(order: Order): void {
  switch (order) {
    case 'throw':
      setTimeout(() => {
        throw new TypeError('thrown by a callback')
      })
      break
    case 'reject':
      void Promise.reject(new TypeError('rejected, and nothing waits for it'))
      break
    case 'break':
      void import('../../../src/observe/decode.ts').then(({ Decoder }) => {
        Decoder.prototype.read = () => {
          throw new TypeError('the decoder is broken')
        }
      })
      break
    case 'exhaust': {
      const kept: unknown[] = []
      for (;;) kept.push(Array.from({ length: 1000 }, (_, at) => ({ at })))
    }
    case 'hang':
      for (;;);
    default:
      break
  }
}
