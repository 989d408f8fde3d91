// The app's side of its observer: starts the thread, and starts it again when it has ended; gives it a loop to watch, and
// receives its messages. Nothing here keeps the process alive. thread-life.ts shows what outlasts one life of the thread.
import cluster from 'node:cluster'
import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import { parse } from 'node:path'
import { createHistogram } from 'node:perf_hooks'
import type { IncomingHttpHeaders } from 'node:http'
import { MessageChannel, receiveMessageOnPort, type MessagePort } from 'node:worker_threads'
import type { EventLoop } from '../runtime/loop.ts'
import type { Sink } from '../events/fanout.ts'
import type { Filter } from '../events/filter.ts'
import type { Bare } from '../events/builder.ts'
import type { Ability, LoopList, LoopState } from '../events/schema.ts'
import type { Cancelled, CoveredRun, CoveredStall, Figures, Monitor, StreamSubscription, StreamOptions, Target, TaskList, Text, Texts } from '../http/monitor.ts'
import type { Answer, LogLevel, ObserverData, Question, Questions, ToApp, ToObserver } from './protocol.ts'
import { threadsState } from '../index.ts'
import { resultOf, summaryOf, type RunRecord, type RunResult } from '../events/run-log.ts'
import { textOf } from '../events/render/run-texts.ts'
import { AMBER } from '../events/stalls.ts'
import { CLIENT_HEADER, clientOf } from '../http/origin.ts'
import { Refusal } from '../http/refusals.ts'
import { LEAST_LIMIT_MS, MOST_LIMIT_MS, WEDGED_MS } from '../http/turning.ts'
import { Slots } from '../http/slots.ts'
import { currentTask } from '../runtime/tasks.ts'
import { Backoff } from './backoff.ts'
import type { Names } from './options.ts'
import { refusal, stacksMissing } from './restrictions.ts'
import { NUMBER, share, viewOf, WORD, type View } from '../probe/layout.ts'
import { ObserverDownError, ObserverLife, ObserverListenError } from './thread-life.ts'
import { COROUTINES_OF } from './stack-probe.ts'
import { SchedulingDelay, thisThread } from './scheduling-delay.ts'
import { Heartbeat } from '../probe/heartbeat.ts'
import { RingWriter } from '../probe/ring.ts'
import { endSessions } from './inspector-lock.ts'
import { Probe } from '../probe/probe.ts'
import { isObservedFromStart } from './observed.ts'
import type { LiveRequest } from '../probe/snapshot.ts'
import { LiveMap } from '../runtime/live-map.ts'
import { HttpRequests } from './http-requests.ts'
import { StallReports, type StallReportOptions } from './stall-reports.ts'
import { Telemetry } from './telemetry.ts'

export interface ObserverOptions extends StallReportOptions {
  /**
   * The observer's port, 0 for any free one; `null` for none. Default 8001. In a worker of `node:cluster`, the next free
   * port if another worker uses it.
   */
  port?: number | null | undefined
  /** Default 127.0.0.1. */
  host?: string | undefined
  /** From how many milliseconds on the loop counts as blocked. Default 50. */
  blockedMs?: number | undefined
  /** Stalls of this many milliseconds are kept with the seconds around them. Default 500. */
  keepMs?: number | undefined
  /** From how many milliseconds without a turn on `/livez` reports the loop as wedged, with a 503. Default 30,000. */
  wedgedMs?: number | undefined
  /** Whether to take the stack of a blocked thread through Node's inspector. Default true. */
  stacks?: boolean | undefined
  /** How many events are kept. Default 20,000. */
  history?: number | undefined
  /** How many records fit between the loop and the observer, a power of two; each takes 32 bytes. Default 131,072. */
  records?: number | undefined
  /** The most subscribers of the stream. Default 1,000. */
  maxSubscribers?: number | undefined
  /** The most MB of heap of the observer's thread; beyond it the thread ends and is started again. Default 512. */
  memoryMb?: number | undefined
  /** The loop's name in events, 1 to 64 of A-Z a-z 0-9 . _ -. Default `main`; with a Redis, the host's name and the process' number. */
  name?: string | undefined
  /** The Redis through which this observer and those of other processes see each other's loops. */
  redisUrl?: string | undefined
  /** The address for browsers, if it differs from where the observer listens. */
  url?: string | undefined
  /**
   * Allowed names of the observer besides addresses, localhost, this machine's name, `host` and the one in `url`;
   * `.example.org` is that name and all below it, `*` any. Default none.
   */
  allowedHosts?: readonly string[] | undefined
  /** The proxies in front of it (addresses, networks, or names of networks): their `X-Forwarded-For` gives the client's address. Default none. */
  proxies?: readonly string[] | undefined
}

/** @internal */
export const OBSERVER_OPTIONS: Names<Required<ObserverOptions>> = {
  port: true, host: true, blockedMs: true, keepMs: true, wedgedMs: true, stacks: true, history: true, records: true, maxSubscribers: true, memoryMb: true,
  name: true, redisUrl: true, url: true, allowedHosts: true, proxies: true, logStalls: true, onStall: true, webhook: true,
}

/** An observer that the program's code does not ask for: `loopscope/register` starts it before the program. */
export interface FromStart {
  /** The file that the events are written to; `null` for none. */
  output: string | null
  /** What only the processes know that belong to the same program, and whether none of them has started this one; `null` if it has nothing to do with others. */
  group: { secret: string; first: boolean } | null
}

/** The live runs that the app knows. */
export interface LiveRuns {
  cancel(id: number): Cancelled
  /** Those in virtual time, which are not in the loop's events, newest first. */
  virtual(): RunRecord[]
}

/** Kept here, because a program may replace them with fake timers. */
const { setTimeout, clearTimeout, setInterval, clearInterval, setImmediate } = globalThis

const LONGEST_MS = 2 ** 31 - 1
/** The most questions at a time: an answer can be long, and takes memory until it is used. */
const MOST_UNDER_WAY = 16
/** Of this many tasks the lines are read. */
const MOST_LOCATED = 500

/** How long the end of the process waits for its recording, in ms: more than the thread takes to start. */
const SAVE_MS = 2000
/** How long it waits for what is known of a stall, in ms, if the observer's thread gets no processor. */
const EXIT_MS = 50

/** A subscriber on the app's side. */
class RemoteSubscription implements StreamSubscription {
  readonly id: number
  readonly sink: Sink
  readonly #client: ObserverClient
  #untaken = 0
  #full = false

  constructor(client: ObserverClient, id: number, sink: Sink) {
    this.#client = client
    this.id = id
    this.sink = sink
  }

  /** @internal */
  deliver(messages: Extract<ToApp, { type: 'batch' }>['messages']): void {
    if (!this.sink.write(messages)) this.#full = true
    if (this.#full) this.#untaken++
    else this.#client.send({ type: 'taken', id: this.id })
  }

  resume(): void {
    this.#full = false
    for (; this.#untaken > 0; this.#untaken--) this.#client.send({ type: 'taken', id: this.id })
  }

  change(filter: Filter): void {
    this.#client.send({ type: 'change', id: this.id, filter })
  }

  close(): void {
    this.#client.leave(this)
  }
}

export class ObserverClient implements Monitor {
  /** The stream's epoch, known once the observer is ready. */
  epoch = ''
  /** The observer's port; `null` if it does not listen. */
  port: number | null = null
  readonly host: string
  /** Known only to this process: it marks the requests that the observer passes on to the app. */
  readonly #secret = randomBytes(16).toString('hex')
  /** The most subscribers. */
  readonly most: number
  /** Resolves once the observer listens; rejects with an ObserverListenError if it cannot. */
  readonly ready: Promise<void>
  readonly #reports: StallReports
  readonly #telemetry: Telemetry
  /** @internal */
  readonly requests = new HttpRequests(this)
  live: LiveRuns = { cancel: () => null, virtual: () => [] }
  /** Something on the loop has blocked the thread for 5 ms or more, until now. Times are seconds on the loop's clock. */
  onBlock: (from: number, to: number, name: string) => void = () => {}
  /** Messages of the observer to the operator. They do not go to standard output, which another program may read. */
  log: (level: LogLevel, message: string) => void = (level, message) => console[level === 'info' ? 'warn' : level](message)
  /** What each life of the thread is given. */
  readonly #data: Omit<ObserverData, 'direct' | 'sessions' | 'listen' | 'loop' | 'clock' | 'blocks' | 'scheduled'>
  readonly #memoryMb: number
  /** Where to listen. Once it has listened, each life uses the same port. */
  #listen: ObserverData['listen']
  readonly #view: View
  readonly #ring: RingWriter
  readonly #heartbeat: Heartbeat
  readonly #fromStart: FromStart | null
  #name: string
  /** The app's address, if it listens. */
  #address: string | null = null
  #drains = false
  /** Lines of a log then say which process they are about. */
  #member = false
  readonly #subscriptions = new Map<number, RemoteSubscription>()
  readonly #asked = new Map<number, (answer: unknown) => void>()
  readonly #slots = new Slots(MOST_UNDER_WAY)
  readonly #liveRequests = new LiveMap<LiveRequest>()
  #ids = 0
  #loops = 0
  #probe: Probe | null = null
  #closed: Promise<void> | null = null
  /** The thread, from its start to its end. */
  #life: ObserverLife | null = null
  /** Snapshots go to the thread here, and stalls come from it. */
  #direct: MessagePort | null = null
  /** Since when it serves, by `performance.now()`; `null` if it does not. */
  #upSince: number | null = null
  /** Why there is no observer, and when it is started again; `null` before its first end, and while it serves. */
  #down: { reason: string; until: number } | null = null
  #restarts = 0
  readonly #backoff = new Backoff()
  #timer: NodeJS.Timeout | undefined
  #onUp: () => void = () => {}
  #onFailed: (error: Error) => void = () => {}
  readonly #onExit = (): void => {
    if (this.#life === null) return
    this.#finish()
    endSessions(this.#life.sessions)
  }

  /**
   * `offers`: what the program can do for the page. With `fromStart` the program must not notice: it may end before the
   * observer is ready, and a port that is taken is no error.
   */
  constructor(options: ObserverOptions = {}, offers: readonly Ability[] = [], fromStart: FromStart | null = null) {
    const blockedMs = options.blockedMs ?? AMBER * 1000
    this.#telemetry = new Telemetry(blockedMs / 1000, () => this.#view.numbers[NUMBER.beat] as number)
    this.#reports = new StallReports(options, this.#telemetry, (level, message) => this.log(level, message))
    this.host = options.host ?? '127.0.0.1'
    this.most = options.maxSubscribers ?? 1000
    this.#name = nameOf(options)
    this.#memoryMb = options.memoryMb ?? 512
    const shared = share(options.records ?? 2 ** 17)
    this.#view = viewOf(shared)
    this.#ring = new RingWriter(shared)
    const delays = createHistogram()
    this.#heartbeat = new Heartbeat(this.#view, delays, blockedMs / 1000, () => this.#probe, threadsState)
    this.#fromStart = fromStart
    this.#listen = options.port === null ? null : { port: options.port ?? 8001, host: this.host, next: cluster.isWorker || fromStart !== null || isObservedFromStart() }
    this.#data = {
      shared, redisUrl: options.redisUrl ?? null, url: options.url ?? null, history: options.history ?? 20_000, blockedMs,
      webhook: options.webhook ?? null, keepMs: options.keepMs ?? 500, wedgedMs: wedgedMsOf(options), stacks: (options.stacks ?? true) && stacksMissing() === null, thread: thisThread(), maxSubscribers: this.most,
      allowedHosts: options.allowedHosts ?? [], proxies: options.proxies ?? [], offers, secret: this.#secret, delays,
      stderr: fromStart !== null, output: fromStart?.output ?? null, group: fromStart?.group == null ? null : { ...fromStart.group, script: scriptOf(process.argv[1]) },
    }
    this.ready = new Promise((resolve, reject) => {
      this.#onUp = resolve
      this.#onFailed = reject
    })
    this.ready.catch(() => {})
    process.on('exit', this.#onExit)
    this.#begin()
    if (options.stacks !== false) this.ready.then(() => this.#reportMissing(), () => {})
  }

  /** The number of subscribers through the app. */
  get size(): number {
    return this.#subscriptions.size
  }

  /** Seconds that recording has cost the watched thread, estimated from a sample. */
  get cost(): number {
    return this.#view.numbers[NUMBER.cost] as number
  }

  /** The loop's name in events. If another process uses it already, the observer has changed it. */
  get name(): string {
    return this.#name
  }

  /** Whether it serves: it has started, and listens if it should. */
  get up(): boolean {
    return this.#upSince !== null
  }

  /** How often its thread has been started again. */
  get restarts(): number {
    return this.#restarts
  }

  /** Why it cannot be asked now, as the error to answer with; `null` while it serves or starts for the first time. */
  get down(): ObserverDownError | null {
    if (this.#closed !== null) return new ObserverDownError('the observer is closed')
    if (this.#down === null) return null
    const { reason, until } = this.#down
    const seconds = Math.max(0, until - performance.now()) / 1000
    return new ObserverDownError(`the observer ${reason}; it ${this.#life === null ? `is started again in ${seconds.toFixed(1)} s` : 'is being started again'}`, seconds)
  }

  /** Another process of the same program serves the view. */
  get isMember(): boolean {
    return this.#member
  }

  /** The probe of the watched loop, if there is one. */
  get probe(): Probe | null {
    return this.#probe
  }

  /** The address of the observer's page and stream; `null` if it does not listen. */
  get url(): string | null {
    if (this.port === null) return null
    return `http://${this.host.includes(':') ? `[${this.host}]` : this.host}:${this.port}`
  }

  /** Records this loop from now on. One is watched at a time: returns false while another one is. */
  watch(loop: EventLoop): boolean {
    const watched = this.#probe?.loop ?? null
    if (watched !== null && !watched.isClosed()) return watched === loop
    ;(globalThis as Record<symbol, unknown>)[Symbol.for(COROUTINES_OF)] = () => this.#coroutines()
    const name = ++this.#loops === 1 ? this.#name : `${this.#name}-${this.#loops}`
    this.#record(loop, name)
    return true
  }

  /** Records from now on the requests of every HTTP server on this thread. */
  watchRequests(): void {
    if (this.#probe === null) this.#record(null, this.#name)
    this.requests.start()
  }

  #record(loop: EventLoop | null, name: string): void {
    this.#probe?.detach()
    this.#probe = new Probe({
      view: this.#view, ring: this.#ring, loop, name, requests: this.#liveRequests, pid: process.pid, requestOf: () => this.requests.current,
      sendSnapshot: (content) => this.#direct?.postMessage(content, [content]),
      onBlock: (from, to, name) => {
        this.#heartbeat.noteBlock(from)
        this.onBlock(from, to, name())
      },
    })
  }

  /** The coroutines of the loop's tasks: the observer's thread asks where they wait. */
  #coroutines(): Record<string, object> {
    const found: Record<string, object> = {}
    let left = MOST_LOCATED
    for (const task of this.#probe?.loop?.liveTasks() ?? []) {
      const coroutine = task.getCoro()
      if (coroutine !== null) found[`${task.id} ${task.coroutineName()}`] = coroutine
      if (--left === 0) break
    }
    return found
  }

  /** Watches from now on whether the thread is blocked. Not earlier: a program blocks its thread while it starts, and delays nothing by that. */
  watchThread(): void {
    if (this.#closed !== null) return
    this.#heartbeat.start()
    this.#telemetry.start()
  }

  /**
   * For how many seconds a block may have delayed a request that is read now: as many as its own timing knows, or else as many
   * as the thread was blocked, but only `within` the time in which it can have arrived.
   */
  readyFor(known: number, within: number): number {
    return known > 0 ? known : Math.min(this.#heartbeat.waited(), within)
  }

  /** Sends events to `sink`, starting now or after a cursor. Without an observer the subscription ends at once. */
  subscribe(sink: Sink, options: StreamOptions = {}): RemoteSubscription {
    const subscription = new RemoteSubscription(this, ++this.#ids, sink)
    const { down } = this
    if (down !== null) {
      sink.end(down.message)
      return subscription
    }
    this.#subscriptions.set(subscription.id, subscription)
    this.#probe?.flush()
    this.send({ type: 'subscribe', id: subscription.id, options })
    return subscription
  }

  readonly loops = (): Promise<LoopList> => this.#ask('loops')
  readonly loop = (loop?: string): Promise<LoopState> => this.#ask('loop', loop)
  readonly tasks = (loop?: string, lines?: boolean): Promise<TaskList> => this.#ask('tasks', loop, lines, currentTask()?.id)
  readonly stalls = (loop?: string): Promise<CoveredStall[]> => this.#ask('stalls', loop)

  async runs(loop?: string): Promise<CoveredRun[]> {
    const virtual = this.#isOwn(loop) ? this.live.virtual().map(summaryOf) : []
    const told = await this.#ask('runs', loop)
    // The observer reports those that have ended in the meantime.
    const own = told.filter((run) => run.clock === 'virtual' && (run.loop ?? this.#name) === this.#name).map(({ run }) => run)
    const label = told.some((run) => run.loop !== undefined) ? { loop: this.#name } : {}
    return [...virtual.filter(({ run }) => !own.includes(run)).map((run) => ({ ...label, ...run })), ...told]
  }

  run(id: number, loop?: string): RunResult | Promise<RunResult> {
    const virtual = this.#virtual(id, loop)
    return virtual === null ? this.#ask('run', id, loop) : resultOf(virtual)
  }

  metrics(): Promise<Figures> {
    this.#heartbeat.countThreads()
    return this.#ask('metrics')
  }

  async text(what: Text, of: number, loop?: string): Promise<Texts> {
    const virtual = what === 'run-trace' || what === 'run-events' || what === 'run-drawing' ? this.#virtual(of, loop) : null
    if (virtual !== null) return textOf(virtual, what as 'run-trace')
    const text = await this.#ask('text', what, of, loop)
    const life = this.#life
    const next = async (): Promise<IteratorResult<string>> => {
      if (life !== this.#life) throw this.down ?? new ObserverDownError('the observer has ended')
      // Keeps the process alive: the reader waits for the text, even if no task or connection of the program does.
      const stay = setInterval(() => {}, LONGEST_MS)
      const value = await this.#ask('read', text).finally(() => clearInterval(stay))
      return value === null ? { done: true, value } : { done: false, value }
    }
    return { [Symbol.asyncIterator]: () => ({ next }), close: () => life === this.#life && this.send({ type: 'leave', text }) }
  }

  cancel(what: Target, id: number, loop?: string): Cancelled | Promise<Cancelled> {
    // A loop of another process may take longer to answer, so this does not use one of the slots.
    return this.#isOwn(loop) ? this.#cancelHere(what, id) : this.#send('cancel', what, id, loop)
  }

  #isOwn(loop: string | undefined): boolean {
    return loop === undefined || loop === this.#name
  }

  #virtual(id: number, loop: string | undefined): RunRecord | null {
    if (this.down !== null || !this.#isOwn(loop)) return null
    return this.live.virtual().find(({ run }) => run === id) ?? null
  }

  /**
   * Asks for the present state, once fewer questions are open. Rejects with an ObserverDownError if there is no observer, or
   * it ends before it answers.
   */
  async #ask<Q extends Question>(question: Q, ...args: Parameters<Questions[Q]>): Promise<Answer<Q>> {
    await this.#slots.take()
    try {
      return await this.#send(question, ...args)
    } finally {
      // The caller uses the answer before the next one arrives.
      setImmediate(() => this.#slots.give())
    }
  }

  #send<Q extends Question>(question: Q, ...args: Parameters<Questions[Q]>): Promise<Answer<Q>> {
    const { down } = this
    if (down !== null) return Promise.reject(down)
    const id = ++this.#ids
    this.#probe?.flush()
    return new Promise((resolve, reject) => {
      this.#asked.set(id, (answer) => {
        if (answer instanceof Error) reject(answer)
        else resolve(answer as Answer<Q>)
      })
      this.send({ type: 'ask', id, question, args })
    })
  }

  #answered(id: number, answer: unknown): void {
    this.#asked.get(id)?.(answer)
    this.#asked.delete(id)
  }

  /** Records an event that the loop has no hook for. */
  record(event: Bare): void {
    this.#probe?.record(event)
  }

  /** Adds a run that another loop made, in virtual time, to the known runs. */
  addRun(record: RunRecord): void {
    this.send({ type: 'run', record })
  }

  /** The client whose request the observer has passed on; `null` if the request came directly. */
  clientOf({ headers }: { headers: IncomingHttpHeaders }): string | null {
    return clientOf(headers[CLIENT_HEADER], this.#secret)
  }

  /** Runs a command on the observer's thread, so that starting a process does not block this one. Its output goes to standard error. */
  shell(command: string, env: Readonly<Record<string, string>> = {}): void {
    this.send({ type: 'shell', command, env })
  }

  /** The app listens at this address: what only it can do is passed on to it. */
  serves(address: string): void {
    this.#address = address
    this.send({ type: 'app', address })
  }

  /** The app takes no further requests: the observer's `/readyz` says so. */
  drains(): void {
    this.#drains = true
    this.send({ type: 'closing' })
  }

  /** Stops watching, sends subscribers the reason, and ends the thread. */
  close(reason = 'the observer is closing'): Promise<void> {
    return (this.#closed ??= this.#close(reason))
  }

  /** @internal */
  send(message: ToObserver): void {
    this.#life?.send(message)
  }

  /** @internal */
  leave(subscription: RemoteSubscription): void {
    if (this.#subscriptions.delete(subscription.id)) this.send({ type: 'unsubscribe', id: subscription.id })
  }

  async #close(reason: string): Promise<void> {
    clearTimeout(this.#timer)
    this.requests.stop()
    this.#telemetry.stop()
    this.#probe?.finish()
    this.#heartbeat.stop()
    await this.#life?.close(reason)
    process.off('exit', this.#onExit)
  }

  /** When the process exits: waits until the recording is whole, and until what has just happened is reported. */
  #finish(): void {
    this.#heartbeat.finish()
    this.#probe?.flush()
    const { words } = this.#view
    const records = this.#data.output !== null
    // A thread that is still starting knows nothing, and could not answer soon.
    if (!records && words[WORD.tick] === 0) return
    Atomics.store(words, WORD.ended, 1)
    this.send({ type: 'exit' })
    Atomics.wait(words, WORD.saved, 0, records ? SAVE_MS : EXIT_MS)
    for (let left = this.#unread(); left !== null; left = this.#unread()) this.#onMessage(left)
  }

  #unread(): ToApp | null {
    return this.#direct === null ? null : (receiveMessageOnPort(this.#direct) as { message: ToApp } | undefined)?.message ?? null
  }

  #reportMissing(): void {
    const why = stacksMissing()
    if (why !== null) this.log('warn', `stalls are reported without stacks: ${why}`)
  }

  /** Starts the thread. The ring is empty, and the first thing in it will be a snapshot. */
  #begin(): void {
    const { port1, port2 } = new MessageChannel()
    port1.on('message', (message: ToApp) => this.#onMessage(message))
    port1.unref()
    this.#direct = port1
    const probe = this.#probe
    probe?.flush()
    this.#ring.restart()
    probe?.begin()
    const data: ObserverData = {
      ...this.#data, direct: port2, listen: this.#listen, loop: this.#name, sessions: new Int32Array(new SharedArrayBuffer(4)),
      blocks: this.#view.words[WORD.blocks] as number,
      scheduled: this.#restarts === 0 ? SchedulingDelay.noteOf(this.#data.thread, performance.now() / 1000) : null,
      clock: { now: performance.now(), hrtime: process.hrtime.bigint(), epoch: Date.now() },
    }
    try {
      const refused = refusal(this.#listen !== null)
      if (refused !== null) throw Object.assign(new Error(`observe: ${refused.message}`), { code: refused.code })
      this.#life = new ObserverLife({
        data, memoryMb: this.#memoryMb, hold: this.#down === null && this.#fromStart === null,
        onMessage: (message) => this.#onMessage(message),
        onEnd: (error) => this.#onEnd(error),
      })
    } catch (error) {
      // No thread can be made: this counts as a life that ended at once.
      this.#onEnd(error as Error)
      return
    }
    if (this.#address !== null) this.send({ type: 'app', address: this.#address })
    if (this.#drains) this.send({ type: 'closing' })
  }

  #onReady({ epoch, port, member }: Extract<ToApp, { type: 'ready' }>): void {
    this.port = port
    this.#member = member
    if (this.#listen !== null && port !== null && !member) {
      const asked = this.#listen.port
      this.#listen = { ...this.#listen, port }
      const taken = asked !== 0 && asked !== port
      const first = this.#fromStart !== null && this.epoch === ''
      if (taken || first) this.log('info', `process ${process.pid} is observed at ${this.url}${taken ? `: port ${asked} is taken` : ''}`)
    }
    this.epoch = epoch
    this.#upSince = performance.now()
    if (this.#down !== null) this.log('info', 'the observer is back')
    this.#down = null
    this.#onUp()
  }

  /** The thread has ended, and with it its open questions and subscriptions. It is started again, unless it was closed. */
  #onEnd(error: Error): void {
    const served = this.#upSince === null ? 0 : performance.now() - this.#upSince
    this.#life = null
    this.#upSince = null
    this.#direct?.close()
    this.#direct = null
    const wait = this.#backoff.next(served)
    const first = this.epoch === ''
    if (this.#closed === null) {
      this.#down = { reason: reasonOf(error), until: performance.now() + wait }
      this.#timer = setTimeout(() => {
        this.#restarts++
        this.#begin()
      }, wait).unref()
      // `ready` reports the first failure.
      const details = error instanceof ObserverListenError ? error.message : error.stack
      if (!first) this.log('error', `the observer ${reasonOf(error)}; it is started again in ${wait / 1000} s, and nothing is recorded until then: ${details}`)
    }
    const down = this.down as ObserverDownError
    for (const subscription of this.#subscriptions.values()) subscription.sink.end(down.message)
    this.#subscriptions.clear()
    for (const answer of this.#asked.values()) answer(down)
    this.#asked.clear()
    this.#onFailed(error)
  }

  #onMessage(message: ToApp): void {
    switch (message.type) {
      case 'ready':
        this.#onReady(message)
        break
      case 'batch':
        this.#subscriptions.get(message.id)?.deliver(message.messages)
        break
      case 'end': {
        const subscription = this.#subscriptions.get(message.id)
        this.#subscriptions.delete(message.id)
        subscription?.sink.end(message.reason)
        break
      }
      case 'answer':
        this.#answered(message.id, message.answer)
        break
      case 'refused':
        this.#answered(message.id, new Refusal(message.code, message.message))
        break
      case 'named':
        this.#name = message.name
        break
      case 'log':
        this.log(message.level, message.message)
        break
      case 'stall':
        this.#reports.report(message.stall, this.#member ? `${this.#name}: ${message.line}` : message.line)
        break
      case 'cancel':
        this.send({ type: 'cancelled', id: message.id, found: this.#cancelHere(message.what, message.target) })
        break
      default:
        break
    }
  }

  #cancelHere(what: Target, id: number): Cancelled {
    if (what === 'run') return this.live.cancel(id)
    const loop = this.#probe?.loop
    const task = loop == null ? undefined : [...loop.liveTasks()].find((one) => one.id === id)
    if (task === undefined) return null
    task.cancel('DELETE /tasks')
    return { name: task.getName(), cancelling: true }
  }
}

const NAME = /^[A-Za-z0-9._-]{1,64}$/

/** The name of a program, from the path of its first file. */
function scriptOf(path: string | undefined): string {
  return plainName(parse(path ?? '').name) || 'process'
}

/** A part of a loop's name. */
function plainName(text: string): string {
  return text.replace(/[^A-Za-z0-9._-]/g, '-').slice(0, 50)
}

/** The loop's name. Throws a RangeError if it is not a valid one. */
function nameOf({ name, redisUrl }: ObserverOptions): string {
  if (name !== undefined) {
    if (!NAME.test(name)) throw new RangeError(`name: ${JSON.stringify(name)} must be 1 to 64 of A-Z a-z 0-9 . _ -`)
    return name
  }
  if (redisUrl === undefined) return 'main'
  return `${plainName(hostname()) || 'host'}-${process.pid}`
}

/** The limit of `/livez`. Throws a RangeError if it is out of bounds. */
function wedgedMsOf({ wedgedMs = WEDGED_MS }: ObserverOptions): number {
  if (Number.isInteger(wedgedMs) && wedgedMs >= LEAST_LIMIT_MS && wedgedMs <= MOST_LIMIT_MS) return wedgedMs
  throw new RangeError(`wedgedMs: ${String(wedgedMs)} must be a whole number from ${LEAST_LIMIT_MS} to ${MOST_LIMIT_MS}`)
}

/** What happened to the observer, for clients and the log. */
function reasonOf(error: Error & { code?: string }): string {
  if (error instanceof ObserverListenError) return `cannot listen on port ${error.port} (${error.code})`
  return error.code === 'ERR_WORKER_OUT_OF_MEMORY' ? 'ran out of memory' : 'has ended'
}
