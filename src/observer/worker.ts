// The observer's thread: reads the ring, serves the stream, and answers the app's thread. The app may be blocked for as
// long as it likes; nothing here waits for it.
import { parentPort, receiveMessageOnPort, workerData, type MessagePort } from 'node:worker_threads'
import type { AddressInfo } from 'node:net'
import type { Histogram } from 'node:perf_hooks'
import type { Subscription } from '../stream/fanout.ts'
import type { CancelAnswer, ObserverData, Question, ToApp, ToObserver } from './protocol.ts'
import { Observer } from './observer.ts'
import { buildObserverApp, figuresOf } from './http.ts'
import { Stacks } from './stacks.ts'

/** How many batches may be on their way to a subscriber of the app's before he has to wait. */
const MOST_ON_THE_WAY = 4
/** How long the app's thread has for an answer, in ms: it may be blocked. */
const CANCEL_MS = 5000

const data = workerData as ObserverData
const port = parentPort as MessagePort
const say = (message: ToApp): void => port.postMessage(message)

const { clock } = data
/** The app's clock, on this thread: all threads share the machine's. */
const now = (): number => (clock.now + Number(process.hrtime.bigint() - clock.hrtime) / 1e6) / 1000

const stacks = new Stacks({ enabled: data.stacks, sessions: data.sessions })
const observer = new Observer({
  shared: data.shared, loop: data.loop, history: data.history, blockedSeconds: data.blockedMs / 1000, keepSeconds: data.keepMs / 1000,
  now, origin: clock.epoch - clock.now,
  takeDescription: () => (receiveMessageOnPort(data.descriptions) as { message: ArrayBuffer } | undefined)?.message ?? null,
  takeStack: async () => {
    const taken = await stacks.take()
    return taken === null ? null : { at: taken.at / 1000, frames: taken.frames }
  },
})

const subscriptions = new Map<number, { subscription: Subscription | null; onTheWay: number }>()
const cancels = new Map<number, (answer: CancelAnswer | 'late') => void>()
let cancelIds = 0
let closing = false
/** Where the app listens, once it does. */
let appAddress: string | null = null

function cancel(what: 'task' | 'run', target: number): Promise<CancelAnswer | 'late'> {
  const id = ++cancelIds
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      cancels.delete(id)
      resolve('late')
    }, CANCEL_MS)
    cancels.set(id, (answer) => {
      clearTimeout(timer)
      resolve(answer)
    })
    say({ type: 'cancel', id, what, target })
  })
}

function answer(question: Question, args: unknown[]): unknown {
  observer.drain()
  switch (question) {
    case 'snapshot':
      return { t: observer.now(), snapshot: observer.snapshot() }
    case 'runs':
      return observer.runs.list().map((run) => ({ ...run, events: [], output: [] }))
    case 'run':
      return observer.runs.get(args[0] as number)
    case 'figures':
      return figuresOf(observer)
  }
}

function subscribe(id: number, options: Extract<ToObserver, { type: 'subscribe' }>['options']): void {
  const entry: { subscription: Subscription | null; onTheWay: number } = { subscription: null, onTheWay: 0 }
  subscriptions.set(id, entry)
  observer.drain()
  entry.subscription = observer.fanout.subscribe({
    write: (messages) => {
      say({ type: 'batch', id, messages })
      return ++entry.onTheWay < MOST_ON_THE_WAY
    },
    end: (reason) => say({ type: 'end', id, reason }),
  }, options)
}

port.on('message', (message: ToObserver) => {
  switch (message.type) {
    case 'subscribe':
      subscribe(message.id, message.options)
      break
    case 'change':
      subscriptions.get(message.id)?.subscription?.change(message.filter)
      break
    case 'taken': {
      const entry = subscriptions.get(message.id)
      if (entry === undefined) break
      if (entry.onTheWay-- === MOST_ON_THE_WAY) entry.subscription?.resume()
      break
    }
    case 'unsubscribe':
      subscriptions.get(message.id)?.subscription?.close()
      subscriptions.delete(message.id)
      break
    case 'ask':
      say({ type: 'answer', id: message.id, answer: answer(message.question, message.args) })
      break
    case 'run':
      observer.runs.add(message.record)
      break
    case 'app':
      appAddress = message.address
      break
    case 'cancelled':
      cancels.get(message.id)?.(message.found)
      cancels.delete(message.id)
      break
    case 'close':
      void close(message.reason)
      break
  }
})

const app = data.listen === null ? null : await buildObserverApp(observer, {
  host: data.listen.host, maxSubscribers: data.maxSubscribers, rateLimit: data.rateLimit, cancel, delays: data.delays as Histogram,
  appAddress: () => appAddress,
})

async function close(reason: string): Promise<void> {
  if (closing) return
  closing = true
  observer.drain()
  observer.fanout.end(reason)
  await app?.close()
  await stacks.close()
  say({ type: 'closed' })
  port.close()
}

function poll(): void {
  if (closing) return
  const seconds = observer.poll()
  if (seconds === 0) setImmediate(poll)
  else setTimeout(poll, Math.max(1, Math.ceil(seconds * 1000)))
}

poll()
try {
  if (app !== null && data.listen !== null) await app.listen(data.listen)
  say({ type: 'ready', epoch: observer.history.epoch, port: (app?.server.address() as AddressInfo | null)?.port ?? null })
} catch (error) {
  const { code = '', message } = error as NodeJS.ErrnoException
  say({ type: 'failed', code, message })
  await close('the observer could not listen')
}
