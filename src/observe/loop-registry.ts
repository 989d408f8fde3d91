// The loops that an observer shows: that of its process, and those of others with the same Redis or of the same program. Everything that is served or
// asked for goes through here, by the loop's name; without a name it is that of this process.
import { hostname } from 'node:os'
import type { Histogram } from 'node:perf_hooks'
import type { Ability, Frame, LiveTask, LoopInfo, LoopList, LoopState } from '../events/schema.ts'
import { resultOf, summaryOf, type RunRecord, type RunResult } from '../events/run-log.ts'
import type { Sink } from '../events/fanout.ts'
import { plain, type KeptStall, type MonitoredLoop } from './monitored-loop.ts'
import type { Observer } from './observer.ts'
import type { RemoteLoop } from './remote-loop.ts'
import type { Cancelled, CoveredRun, CoveredStall, Figures, Monitor, StreamSubscription, StreamOptions, Target, TaskList, Text, Texts } from '../http/monitor.ts'
import { loopDoesNotAnswer, noSuchLoop, noSuchProfile, noSuchRun, noSuchStall } from '../http/refusals.ts'
import { TURNS, type Turning } from '../http/turning.ts'
import { textOf } from '../events/render/run-texts.ts'
import type { CancelHere, Cluster, ShownLoops } from './other-loops.ts'
import { MergedSubscription } from './merged-subscription.ts'
import { metricsOf } from './metrics.ts'
import { NUMBER } from '../probe/layout.ts'
import type { Webhook } from './webhook.ts'

type LoopTasks = NonNullable<TaskList['loops']>[number]

/** The time over which utilization is measured, in seconds. */
const UTILIZATION_SECONDS = 0.5

/** What this process reports about itself. */
interface LoopsOptions {
  name: string
  startedAt: string
  /** Where the app and the observer listen, as seen by others. */
  app: () => string | null
  observer: () => string | null
  /** Asks the app's thread to cancel something on this process' loop. */
  cancel: CancelHere
  /** Where the tasks of this process wait, by their numbers. */
  locate: () => Promise<ReadonlyMap<number, Frame>>
  /** The most subscribers. */
  most: number
  /** What this process can do for a subscriber. */
  offers?: readonly Ability[]
  /** Delays of the app's event loop. */
  delays: Histogram
  /** What has become of the stalls that are sent somewhere. */
  webhook?: Pick<Webhook, 'sent' | 'failed'> | null
}

export class LoopRegistry implements Monitor, ShownLoops {
  readonly own: Observer
  readonly most: number
  cluster: Cluster | null = null
  /** The app has said that it takes no further requests. */
  closing = false
  readonly #options: LoopsOptions
  readonly #subscriptions = new Set<StreamSubscription>()
  #metrics: (() => Promise<Figures>) | null = null
  #busy = { at: 0, active: 0, idle: 0, share: 0 }

  constructor(own: Observer, options: LoopsOptions) {
    this.own = own
    this.most = options.most
    this.#options = options
  }

  get name(): string {
    return this.own.loop
  }

  get #several(): boolean {
    return this.cluster?.several === true
  }

  get size(): number {
    return this.#subscriptions.size
  }

  /** This process' loop, then the others. */
  all(): MonitoredLoop[] {
    return [this.own, ...(this.cluster?.records() ?? [])]
  }

  /** The loop with this name. Throws a 404 that lists the loops. */
  find(loop?: string): MonitoredLoop {
    const found = loop === undefined || loop === this.own.loop ? this.own : this.cluster?.find(loop)
    if (found === undefined) throw noSuchLoop(loop as string, this.all().map((record) => record.loop))
    return found
  }

  loops(): LoopList {
    return { self: this.own.loop, redis: this.cluster?.redis ?? null, group: this.cluster !== null && this.cluster.redis === null, loops: [this.ownInfo(), ...(this.cluster?.infos() ?? [])] }
  }

  /** How this process' loop turns. */
  turning(): Turning {
    const { seconds, since } = this.own.late
    if (seconds === 0) return TURNS
    return { state: 'late', lateMs: Math.round(seconds * 1000), since: new Date(since).toISOString(), blocked: figuresOf(this.own).blocked }
  }

  loop(loop?: string): LoopState {
    return this.find(loop === '*' ? undefined : loop).state
  }

  /** The part about this process is the same with and without other processes, whose part is separate. */
  async tasks(loop?: string, lines = false, reader?: number): Promise<TaskList> {
    const found = lines ? await this.#options.locate() : null
    if (found !== null) this.own.drain()
    const asked = this.#tasksOf(this.find(loop), reader, found)
    if (loop !== undefined) return asked
    const { t, tasks, locks } = asked
    return !this.#several ? { t, tasks, locks } : { t, tasks, locks, loops: this.all().map((record) => this.#tasksOf(record, reader, found)) }
  }

  /** Newest first. If there are several loops, each has the name of its loop. */
  runs(loop?: string): CoveredRun[] {
    const listed = this.#listed(loop, ({ runs }) => runs.list().map(summaryOf))
    return this.#several ? newestFirst(listed) : listed
  }

  run(id: number, loop?: string): RunResult {
    return resultOf(this.#run(id, loop))
  }

  /** Newest first, those that last included. If there are several loops, each has the name of its loop. */
  stalls(loop?: string): CoveredStall[] {
    const query = ({ loop }: MonitoredLoop): string => (this.#several ? `?loop=${loop}` : '')
    return this.#listed(loop, (record) => [...record.stalls, record.currentStall ?? []].flat().map((stall) => (
      {
        ...shown(stall), trace: stall.events === null ? null : `/stalls/${stall.id}/trace${query(record)}`,
        profile: record.stallProfile(stall.id) === null ? null : `/stalls/${stall.id}/profile${query(record)}`, ended: stall.id <= record.stallCount,
      }
    )).reverse()).sort((a, b) => Date.parse(b.at) - Date.parse(a.at))
  }

  text(what: Text, of: number, loop?: string): Texts {
    if (what === 'trace') return this.find(loop).trace(of)
    if (what === 'stall-speedscope' || what === 'stall-cpuprofile') {
      const profile = this.find(loop).stallProfile(of)
      if (profile === null) throw noSuchProfile(of)
      return [what === 'stall-speedscope' ? profile.speedscope() : profile.cpuprofile()]
    }
    if (what !== 'stall-trace') return textOf(this.#run(of, loop), what)
    const trace = this.find(loop).stallTrace(of)
    if (trace === null) throw noSuchStall(of)
    return trace
  }

  metrics(): Promise<Figures> {
    this.#metrics ??= metricsOf(this, this.#options.delays, this.#options.webhook)
    return this.#metrics()
  }

  subscribe(sink: Sink, asked: StreamOptions = {}): StreamSubscription {
    const options = { ...asked, offers: this.#options.offers }
    const subscription = options.loop === '*' ? new MergedSubscription(this, sink, options) : subscribeTo(this.find(options.loop), sink, options)
    this.#subscriptions.add(subscription)
    return {
      resume: () => subscription.resume(),
      change: (filter) => subscription.change(filter),
      close: () => {
        this.#subscriptions.delete(subscription)
        subscription.close()
      },
    }
  }

  async cancel(what: Target, target: number, loop?: string): Promise<Cancelled> {
    const record = this.find(loop)
    if (what === 'run' && record.runs.get(target) === null) return null
    const elsewhere = record === this.own ? null : this.cluster
    const found = await (elsewhere === null ? this.#options.cancel(what, target) : elsewhere.cancel(record.loop, what, target))
    if (found === 'late') throw loopDoesNotAnswer(elsewhere === null ? null : record.loop)
    return found
  }

  #tasksOf(record: MonitoredLoop, reader: number | undefined, lines: ReadonlyMap<number, Frame> | null): LoopTasks {
    const t = record.now()
    const { tasks, locks = [] } = record.snapshot()
    // The task that serves this request waits for its answer, but for the reader it is running.
    const asks = (task: LiveTask): boolean => record === this.own && task.task === reader
    return { loop: record.loop, state: record.state, t, locks, tasks: tasks.map((task) => {
      if (asks(task)) return { ...task, on: undefined, state: 'running', since: t }
      const location = record === this.own && task.state === 'suspended' ? lines?.get(task.task) : undefined
      return location === undefined ? task : { ...task, location }
    }) }
  }

  #run(id: number, loop: string | undefined): RunRecord {
    const run = this.find(loop).runs.get(id)
    if (run === null) throw noSuchRun(id)
    return run
  }

  #listed<T extends object>(loop: string | undefined, list: (record: MonitoredLoop) => T[]): (T & { loop?: string })[] {
    if (!this.#several) return list(this.find(loop))
    return (loop === undefined ? this.all() : [this.find(loop)]).flatMap((record) => list(record).map((one) => ({ loop: record.loop, ...one })))
  }

  ownInfo(): LoopInfo {
    const { own } = this
    const { name, startedAt, app, observer } = this.#options
    return {
      loop: own.loop, epoch: own.history.epoch, name, pid: process.pid, host: hostname(), state: own.state, since: startedAt,
      seenAt: new Date().toISOString(), self: true, ...figuresOf(own), utilization: this.#utilization(), app: app(), observer: observer(),
    }
  }

  #utilization(): number {
    const { own } = this
    const now = own.now()
    const { at, active, idle } = this.#busy
    if (now - at >= UTILIZATION_SECONDS) {
      const { numbers } = own.view
      const total = { active: numbers[NUMBER.active] as number, idle: numbers[NUMBER.idle] as number }
      const spent = total.active - active
      this.#busy = { at: now, ...total, share: Math.max(0, Math.min(1, spent / (spent + total.idle - idle || 1))) }
    }
    // A blocked thread does not measure it.
    return own.blocked ? 1 : Math.round(this.#busy.share * 1000) / 1000
  }
}

/** A stall as it is shown, without what only the list has. */
export function shown({ events: _, from, to: __, ...stall }: KeptStall): Omit<CoveredStall, 'trace' | 'profile' | 'ended'> {
  return { ...stall, since: from }
}

/** What runs, then what ended last. */
function newestFirst(runs: CoveredRun[]): CoveredRun[] {
  return runs.sort((a, b) => Number(a.seconds !== null) - Number(b.seconds !== null) || endOf(b) - endOf(a))
}

/** When it ended, in ms since 1970; if it has not, when it began. */
function endOf({ startedAt, seconds }: CoveredRun): number {
  return Date.parse(startedAt) + (seconds ?? 0) * 1000
}

/** Where to resume in this loop: at the cursor with its epoch, or else at the first one, which is then lost. */
function subscribeTo(record: MonitoredLoop, sink: Sink, { since, ...options }: StreamOptions): StreamSubscription {
  const cursor = since === 'first' ? since : since?.find(({ epoch }) => epoch === record.history.epoch) ?? since?.[0]
  return record.fanout.subscribe(sink, { ...options, since: cursor })
}

/** What is known of another process' loop. */
export function infoOf(record: RemoteLoop): LoopInfo {
  const { loop, state, since, seenAt, info, history } = record
  return {
    ...info, loop, epoch: history.epoch, self: false, state, since: new Date(since).toISOString(), seenAt: new Date(seenAt).toISOString(), ...figuresOf(record),
    ...(state === 'live' ? {} : { utilization: 0 }),
  }
}

/** Figures of a loop, of this process or another. */
export function figuresOf(record: MonitoredLoop): Pick<LoopInfo, 'tasks' | 'runs' | 'requests' | 'blocked' | 'stalls'> {
  const { model, holding, stallCount } = record
  return {
    tasks: model.tasks.size, runs: model.runs.size, requests: model.requests.size, stalls: stallCount,
    blocked: holding === null ? null : {
      name: holding.name, seconds: Math.round(Math.max(0, record.now() - holding.since) * 1e6) / 1e6,
      ...plain({ stack: holding.stack, kind: holding.kind, figures: holding.figures }),
    },
  }
}
