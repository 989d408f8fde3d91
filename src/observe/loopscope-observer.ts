// The observer's thread: reads the ring, serves the stream, and answers the app's thread. It never waits for the app, which
// may be blocked for any time.
import { parentPort, receiveMessageOnPort, workerData, type MessagePort } from 'node:worker_threads'
import { spawn } from 'node:child_process'
import { createServer, type AddressInfo, type Server } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import type { Histogram } from 'node:perf_hooks'
import type { CancelOutcome } from './other-loops.ts'
import type { ObserverData, Questions, ToApp, ToObserver } from './protocol.ts'
import type { StreamSubscription, Target } from '../http/monitor.ts'
import { writeSync } from 'node:fs'
import { hostname } from 'node:os'
import type { EventOf } from '../events/schema.ts'
import { Observer } from './observer.ts'
import { EventFile } from './event-file.ts'
import { LoopRegistry, shown } from './loop-registry.ts'
import type { KeptStall } from './monitored-loop.ts'
import { LIBRARIES, lineOf } from './stall-reports.ts'
import { Webhook } from './webhook.ts'
import { isCode } from '../http/refusals.ts'
import { asError } from '../http/thrown.ts'
import { Group } from '../group/group.ts'
import type { HttpServer } from '../http/server.ts'
import { ownNames } from '../http/origin.ts'
import { pieces } from '../http/readers.ts'
import { buildObserverApp } from './http.ts'
import { culpritOf, Stacks, type Frame } from './stacks.ts'
import { BEAT_SECONDS, WORD } from '../probe/layout.ts'
import { SchedulingDelay } from './scheduling-delay.ts'
import { Suspensions } from './suspensions.ts'
import { ThreadWatch } from './thread-watch.ts'

/** The most batches on their way to a subscriber on the app's thread. */
const MOST_ON_THE_WAY = 4
/** The name of a loop that no option names. A member of a group takes another one. */
const FIRST_NAME = 'main'
/** How long the app's thread, which may be blocked, has to answer, in ms. */
const CANCEL_MS = 5000

const data = workerData as ObserverData
const port = parentPort as MessagePort
const say = (message: ToApp): void => port.postMessage(message)

const { clock } = data
/** The app's clock, on this thread: threads share the machine's clock. */
const now = (): number => (clock.now + Number(process.hrtime.bigint() - clock.hrtime) / 1e6) / 1000

const webhook = data.webhook === null ? null : new Webhook(data.webhook, (message) => say({ type: 'log', level: 'warn', message }))
const stacks = new Stacks({ enabled: data.stacks, sessions: data.sessions })
const schedulingDelay = new SchedulingDelay(data.thread, data.scheduled)
const thread = new ThreadWatch(data.thread)
const suspensions = new Suspensions(data.thread)
const observer = new Observer({
  shared: data.shared, loop: data.loop, history: data.history, blockedSeconds: data.blockedMs / 1000, keepSeconds: data.keepMs / 1000,
  now, schedulingDelay, thread, suspensions, blocks: data.blocks, requests: data.offers.includes('requests'), origin: clock.epoch - clock.now,
  takeSnapshot: () => (receiveMessageOnPort(data.direct) as { message: ArrayBuffer } | undefined)?.message ?? null,
  takeStack: () => stacks.take(),
  onStall: report,
  onLong: data.stderr ? sayBlocked : () => {},
  onBroken: end,
})

function report(kept: KeptStall): void {
  const stall = shown(kept)
  const line = lineOf(kept, placesOf(kept.stack ?? []))
  data.direct.postMessage({ type: 'stall', stall, line } satisfies ToApp)
  webhook?.send({ text: `${observer.loop}: ${line}`, host: hostname(), pid: process.pid, loop: observer.loop, stall })
}

/**
 * A stall has lasted for long and goes on. The program may be ended before it does, by a signal for instance, and its thread
 * cannot write this line.
 */
function sayBlocked({ name, seconds, kind, stack = [] }: EventOf<'loop.blocked'>): void {
  try {
    writeSync(2, `loopscope: ${lineOf({ seconds, name, kind, victims: [] }, placesOf(stack))}; it goes on\n`)
  } catch { /* it is closed, or full */ }
}

/** Where a stall happened, for its line: the innermost frame, and that of the program itself, if the first is a library's. */
function placesOf(stack: readonly Frame[]): Frame[] {
  const culprit = culpritOf(stack)
  if (culprit === null || !LIBRARIES.test(culprit.file)) return culprit === null ? [] : [culprit]
  const own = culpritOf(stack.filter(({ file }) => !LIBRARIES.test(file)))
  return own === null ? [culprit] : [culprit, own]
}

/** Contained errors are logged with their stack, but at most one in this many ms. */
const LOG_EVERY_MS = 1000
let loggedAt = -Infinity
let unlogged = 0

// Errors that no code has caught end here. There are two kinds.
//   In the recording, or while this thread starts: the record may be half changed, and everything is served from it. The
//   thread ends, and the app starts another one, which begins with a snapshot.
//   Anywhere else (in the callback of a socket, a timer, a question, a promise that nothing waits for): it concerns one
//   connection, the record is whole, and the thread continues. Otherwise any client that finds such an error could end the
//   observer, its history and all streams. The connection may be left as it was; its timeouts close it.
function contain(thrown: unknown): void {
  observer.errorCount++
  const now = performance.now()
  if (now - loggedAt < LOG_EVERY_MS) {
    unlogged++
    return
  }
  const others = unlogged === 0 ? '' : ` (${unlogged} more since the last one were not logged)`
  loggedAt = now
  unlogged = 0
  const { message, stack = message } = asError(thrown)
  say({ type: 'log', level: 'error', message: `an error on the observer's thread, which goes on${others}: ${stack}` })
}

function end(thrown: unknown): never {
  const { message, stack = message } = asError(thrown)
  say({ type: 'broken', message, stack })
  process.exit(1) // ends this thread, not the process
}

process.on('uncaughtException', contain)
process.on('unhandledRejection', contain)

const subscriptions = new Map<number, { subscription: StreamSubscription | null; onTheWay: number }>()
const cancels = new Map<number, (answer: CancelOutcome) => void>()
let cancelIds = 0
let closing = false
/** The app's address, once it listens. */
let appAddress: string | null = null
/** The observer's port, once it listens. */
let listening: number | null = null

function cancel(what: Target, target: number): Promise<CancelOutcome> {
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

const WILDCARD = /^(0\.0\.0\.0|::|)$/

/** The address of this host and port for others. */
function addressOf(host: string, port: number): string {
  const name = WILDCARD.test(host) ? hostname() : host
  return `http://${name.includes(':') ? `[${name}]` : name}:${port}`
}

/** The app's address for others: it reports the address that it uses itself. */
function advertised(address: string): string {
  return data.listen !== null && WILDCARD.test(data.listen.host) ? addressOf('', Number(new URL(address).port)) : address
}

/** What only the app can do, and does. */
const offers = data.offers.filter((one) => one !== 'requests')

const startedAt = new Date().toISOString()
const loops = new LoopRegistry(observer, {
  name: data.loop, startedAt,
  app: () => (appAddress === null ? null : advertised(appAddress)),
  observer: () => data.url ?? (listening === null || data.listen === null ? null : addressOf(data.listen.host, listening)),
  cancel, locate: () => stacks.locate(), most: data.maxSubscribers, offers, delays: data.delays as Histogram, webhook,
})

/** Texts that the app reads piece by piece. */
const reading = new Map<number, AsyncGenerator<string>>()
let texts = 0

function text(...of: Parameters<Questions['text']>): number {
  reading.set(++texts, pieces(loops.text(...of)))
  return texts
}

async function read(text: number): Promise<string | null> {
  const next = await reading.get(text)?.next()
  if (next?.done === false) return next.value
  reading.delete(text)
  return null
}

async function ask({ id, question, args }: Extract<ToObserver, { type: 'ask' }>): Promise<void> {
  try {
    observer.drain()
    const from = (question === 'text' || question === 'read' ? { text, read } : loops) as unknown as Record<string, (...args: unknown[]) => unknown>
    say({ type: 'answer', id, answer: await from[question]?.(...args) })
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    say({ type: 'refused', id, code: isCode(code) ? code : 'internal-error', message })
  }
}

function subscribe(id: number, options: Extract<ToObserver, { type: 'subscribe' }>['options']): void {
  const entry: { subscription: StreamSubscription | null; onTheWay: number } = { subscription: null, onTheWay: 0 }
  subscriptions.set(id, entry)
  observer.drain()
  const over = (reason: string): void => {
    subscriptions.delete(id)
    entry.subscription?.close()
    say({ type: 'end', id, reason })
  }
  try {
    entry.subscription = loops.subscribe({
      write: (messages) => {
        say({ type: 'batch', id, messages })
        return ++entry.onTheWay < MOST_ON_THE_WAY
      },
      cursors: true,
      end: over,
    }, options)
  } catch (error) {
    over((error as Error).message)
  }
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
      void ask(message)
      break
    case 'leave':
      reading.delete(message.text)
      break
    case 'run':
      observer.runs.add(message.record)
      loops.cluster?.addRun(message.record)
      break
    case 'app':
      appAddress = message.address
      break
    case 'shell':
      shell(message.command, message.env)
      break
    case 'closing':
      loops.closing = true
      break
    case 'cancelled':
      cancels.get(message.id)?.(message.found)
      cancels.delete(message.id)
      break
    case 'exit':
      if (started) finish()
      break
    case 'close':
      void close(message.reason)
      break
  }
})

/** Runs a command. It may outlive the program, and writes where that writes its errors: standard output is the program's. */
function shell(command: string, env: Readonly<Record<string, string>>): void {
  const child = spawn(command, { shell: true, stdio: ['ignore', 2, 2], env: { ...process.env, ...env } })
  child.on('error', ({ message }) => say({ type: 'log', level: 'error', message: `${command}: ${message}` }))
}

/** Connects to other processes' loops, if there is a Redis, and builds the server. */
async function build(): Promise<HttpServer | null> {
  if (data.redisUrl !== null) {
    const { RedisCluster } = await import('../redis/cluster.ts')
    loops.cluster = new RedisCluster({
      url: data.redisUrl, loops, keepSeconds: data.keepMs / 1000, cancel, log: (level, message) => say({ type: 'log', level, message }),
      onName: (name) => say({ type: 'named', name }),
    })
  }
  if (group !== null) {
    loops.cluster = group
    await group.join()
  }
  return data.listen === null ? null : buildObserverApp(loops, {
    names: ownNames(data.listen.host, data.url),
    allowedHosts: data.allowedHosts, proxies: data.proxies, wedgedMs: data.wedgedMs, upstream: offers.length === 0 ? null : { address: () => appAddress, secret: data.secret },
  })
}

/** The processes that the program consists of. */
const group = data.group === null ? null : new Group({
  secret: data.group.secret, first: data.group.first, own: observer, keepSeconds: data.keepMs / 1000, cancel,
  name: () => (data.loop === FIRST_NAME ? `${data.group?.script}-${process.pid}` : observer.loop),
  ofProcess: () => ({ life: 0, id: '0-0', startedAt, info: loops.ownInfo() }),
  onLead: (port) => void lead(port),
  onName: (name) => say({ type: 'named', name }),
})

let recording: EventFile | null = null
/** It reads the ring. */
let started = false

const app = await build().catch(end)

async function close(reason: string): Promise<void> {
  if (closing) return
  closing = true
  try {
    observer.drain()
    const left = loops.cluster?.close()
    observer.fanout.end(reason)
    await left
    view?.close()
    await app?.close()
    await stacks.close()
    for (const files of [schedulingDelay, thread, suspensions]) files.close()
  } finally {
    say({ type: 'closed' })
    port.close()
  }
}

if (data.output !== null) recording = new EventFile(data.output, observer.fanout, ({ message }) => {
  say({ type: 'log', level: 'error', message: `the recording has ended: ${message}` })
})

/** The process waits for this in order to end: completes what is recorded and reported. */
function finish(): void {
  const { words } = observer.view
  if (Atomics.load(words, WORD.saved) === 1) return
  try {
    observer.finish()
    recording?.flush()
    group?.end()
  } finally {
    Atomics.store(words, WORD.saved, 1)
    Atomics.notify(words, WORD.saved)
  }
}

/** While there is much to decode, other work on this thread waits for at most this many ms. */
const POLL_MS = 4

function poll(): void {
  if (closing) return
  recording?.poll()
  if (Atomics.load(observer.view.words, WORD.ended) === 1) finish()
  const until = performance.now() + POLL_MS
  let seconds = BEAT_SECONDS
  try {
    seconds = observer.poll()
    while (seconds === 0 && performance.now() < until) seconds = observer.poll()
  } catch (error) {
    contain(error) // an error of those that are notified
  }
  if (seconds === 0) setImmediate(poll)
  else setTimeout(poll, Math.max(1, Math.ceil(seconds * 1000)))
}

type Listen = NonNullable<ObserverData['listen']>

/** The most ports that a sibling tries; a cluster does not have more processes. */
const MOST_PORTS = 1000

/** Listens at this port, or at the next free one; returns the port. */
async function listen(attempt: (port: number) => Promise<number>, { port: first, next }: Listen): Promise<number> {
  for (let port = first; ; port++) {
    try {
      return await attempt(port)
    } catch (error) {
      const taken = (error as NodeJS.ErrnoException).code === 'EADDRINUSE'
      if (!taken || !next || port >= Math.min(first + MOST_PORTS, 65_535)) throw error
    }
  }
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port
}

/** How often the port of the process that led is tried, and the ms between two times: the system may not have freed it yet. */
const MOST_PORT_TRIES = 20
const PORT_TRY_MS = 50

/** Listens where the process that led did, once this one leads. */
let view: Server | null = null

/** Serves the view of the group, in place of the process that did so at this port. */
async function lead(port: number | null): Promise<void> {
  // Before it listens at all, it can still do so at that port.
  if (app === null || data.listen === null || group === null || listening === null) return
  const { host } = data.listen
  const serve = (port: number): Promise<number> => new Promise((resolve, reject) => {
    const server = createServer((socket) => app.server.emit('connection', socket))
    server.once('error', reject)
    server.listen({ port, host }, () => resolve(portOf(server)))
    view = server
  })
  const wanted = port ?? data.listen.port
  for (let tries = 1; tries <= MOST_PORT_TRIES; tries++) {
    try {
      listening = await listen(serve, { port: wanted, host, next: tries === MOST_PORT_TRIES })
      break
    } catch {
      await wait(PORT_TRY_MS)
    }
  }
  if (listening !== wanted) say({ type: 'log', level: 'info', message: `process ${process.pid} shows the processes of this program at ${addressOf(host, listening)} now: the one at port ${wanted} has ended` })
  group.view = listening
}

started = true
poll()
try {
  if (app !== null && data.listen !== null) {
    const { host } = data.listen
    const serve = (port: number): Promise<number> => app.listen({ port, host }).then(() => portOf(app.server))
    listening = await listen(serve, group?.role === 'member' ? { ...data.listen, port: 0 } : data.listen)
    if (group !== null && group.role !== 'member') group.view = listening
  }
  say({ type: 'ready', epoch: observer.history.epoch, port: listening, member: group?.role === 'member' })
} catch (error) {
  const { code = '', message } = error as NodeJS.ErrnoException
  say({ type: 'failed', code, message })
  await close('the observer could not listen')
}
