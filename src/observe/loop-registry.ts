// The loops that an observer shows: its own, and where processes share a Redis those of the others. Whatever is served or
// asked for goes through here, by the loop's name or by none, which means the own one.
import { hostname } from 'node:os'
import type { LoopInfo, LoopList, RedisInfo } from '../events/schema.ts'
import type { Sink, SubscribeOptions } from '../events/fanout.ts'
import type { Cursor } from '../events/history.ts'
import type { LoopRecord } from './monitored-loop.ts'
import type { Observer } from './observer.ts'
import type { CancelAnswer } from './protocol.ts'
import type { RunRecord } from './run-log.ts'
import { noSuchLoop } from '../http/refusals.ts'
import type { Place } from '../http/event-stream.ts'
import { AllLoops } from './merged-subscription.ts'
import { NUMBER } from '../probe/layout.ts'

/** How long a share of time is looked at, in seconds. */
const UTILIZATION_SECONDS = 0.5

/** What a subscriber wants: of the own loop, of the one that he names, or of all, which is `*`. */
export interface StreamOptions extends Omit<SubscribeOptions, 'since'> {
  /** Where to go on: a cursor of each loop. */
  since?: readonly Cursor[] | undefined
}

/** What the own process tells of itself. */
export interface Identity {
  name: string
  startedAt: string
  /** Where the app and the observer listen, as others reach them. */
  app: () => string | null
  observer: () => string | null
}

/** `late`: nobody has answered in time. */
export type CancelOutcome = CancelAnswer | 'late'
export type CancelHere = (what: 'task' | 'run', target: number) => Promise<CancelOutcome>

/** How it goes with the loops of other processes, in figures. */
export interface ClusterFigures {
  connected: boolean
  /** How often Redis was away, and for how many seconds in all. */
  away: number
  awaySeconds: number
  published: number
  lost: number
  received: number
  missed: number
  /** How old the oldest event is that waits to be published, in seconds. */
  lag: number
  /** Commands that are not answered yet. */
  inFlight: number
  /** Other processes' loops, by their state. */
  loops: Record<LoopInfo['state'], number>
}

/** The loops of other processes. */
export interface Cluster {
  readonly redis: RedisInfo
  figures(): ClusterFigures
  records(): Iterable<LoopRecord>
  find(loop: string): LoopRecord | undefined
  infos(): LoopInfo[]
  /** Call `listener` with each loop that appears. */
  onLoop(listener: (record: LoopRecord) => void): () => void
  cancel(loop: string, what: 'task' | 'run', target: number): Promise<CancelOutcome>
  /** Tell the others of a run that the own loop's events do not tell of. */
  tellRun(run: RunRecord): void
  /** Say that this process has closed, and leave. */
  close(): Promise<void>
}

export class Loops {
  readonly own: Observer
  cluster: Cluster | null = null
  readonly #identity: Identity
  readonly #cancel: CancelHere
  readonly #places = new Set<Place>()
  #busy = { at: 0, active: 0, idle: 0, share: 0 }

  constructor(own: Observer, identity: Identity, cancel: CancelHere) {
    this.own = own
    this.#identity = identity
    this.#cancel = cancel
  }

  /** How many are subscribed. */
  get size(): number {
    return this.#places.size
  }

  /** The own loop, then the others. */
  all(): LoopRecord[] {
    return [this.own, ...(this.cluster?.records() ?? [])]
  }

  /** The loop of this name. Throws a 404 that says which there are. */
  find(loop?: string): LoopRecord {
    const found = loop === undefined || loop === this.own.loop ? this.own : this.cluster?.find(loop)
    if (found === undefined) throw noSuchLoop(loop as string, this.all().map((record) => record.loop))
    return found
  }

  list(): LoopList {
    return { self: this.own.loop, redis: this.cluster?.redis ?? null, loops: [this.ownInfo(), ...(this.cluster?.infos() ?? [])] }
  }

  /** Subscribe to the loops that `options` name. Throws a 404 where there is none of that name. */
  subscribe(sink: Sink, options: StreamOptions): Place {
    const place = options.loop === '*' ? new AllLoops(this, sink, options) : subscribeTo(this.find(options.loop), sink, options)
    this.#places.add(place)
    return {
      resume: () => place.resume(),
      change: (filter) => place.change(filter),
      close: () => {
        this.#places.delete(place)
        place.close()
      },
    }
  }

  cancel(loop: string | undefined, what: 'task' | 'run', target: number): Promise<CancelOutcome> {
    const { loop: name } = this.find(loop)
    return name === this.own.loop || this.cluster === null ? this.#cancel(what, target) : this.cluster.cancel(name, what, target)
  }

  ownInfo(): LoopInfo {
    const { own } = this
    const { name, startedAt, app, observer } = this.#identity
    return {
      loop: own.loop, epoch: own.history.epoch, name, pid: process.pid, host: hostname(), state: 'live', since: startedAt,
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
    // A blocked thread keeps no account of it.
    return own.blocked ? 1 : Math.round(this.#busy.share * 1000) / 1000
  }
}

/** Where to go on in this loop: at the cursor that is of its present life, or else at the first, which then is a lost one. */
export function subscribeTo(record: LoopRecord, sink: Sink, { since, ...options }: StreamOptions): Place {
  const cursor = since?.find(({ epoch }) => epoch === record.history.epoch) ?? since?.[0]
  return record.fanout.subscribe(sink, { ...options, since: cursor })
}

/** What is counted of a loop, whosever it is. */
export function figuresOf(record: LoopRecord): Pick<LoopInfo, 'tasks' | 'runs' | 'requests' | 'blocked' | 'stalls'> {
  const { model, holding, stallCount } = record
  return {
    tasks: model.tasks.size, runs: model.runs.size, requests: model.requests.size, stalls: stallCount,
    blocked: holding === null ? null : {
      name: holding.name, seconds: Math.round(Math.max(0, record.now() - holding.since) * 1e6) / 1e6,
      ...(holding.stack === undefined ? {} : { stack: holding.stack }),
    },
  }
}
