// What is kept of one loop: its last events, what is alive, its runs and its stalls, and the traces made from them. The
// observer's loop has one, and so has each known loop of another process.
import type { Ability, EventOf, Frame, LoopEvent, LoopState, Snapshot, StallFigures, StallKind, StallShare, Victim } from '../events/schema.ts'
import type { StallProfile } from './stall-profile.ts'
import type { Source } from '../events/fanout.ts'
import { Fanout } from '../events/fanout.ts'
import { History } from '../events/history.ts'
import { Model } from '../events/model.ts'
import { sizeOf } from '../events/texts.ts'
import { traceTexts } from '../events/render/trace.ts'
import { RunLog, type RunLogOptions } from '../events/run-log.ts'

/** The most stalls that are kept, and the seconds around a long one whose events are kept. */
const KEPT_STALLS = 50
const SECONDS_BEFORE = 2
const SECONDS_AFTER = 1
/** The most events on each side of a stall: copying those of a busy loop takes some ms. */
const KEPT_STALL_EVENTS = { most: 10_000, bytes: 4 * 1024 ** 2 }
/** The most bytes of the events around all stalls. Beyond it, those around the oldest are removed. */
const MOST_STALL_BYTES = 32 * 1024 ** 2
/** The last events of the traced time, at most these. */
const TRACED_EVENTS = { most: 50_000, bytes: 16 * 1024 ** 2 }

/** A stall that is over: from when to when on the loop's clock, what blocked the loop, and what was delayed. */
export interface PastStall {
  from: number
  to: number
  name: string
  task?: number
  request?: number
  seconds: number
  stack?: Frame[]
  victims: Victim[]
  lost: number
  kind?: StallKind
  figures?: StallFigures
  shares?: StallShare[]
}

export interface KeptStall extends PastStall {
  id: number
  /** When it began. */
  at: string
  /** The events around it, once they have arrived; only for long stalls. */
  events: LoopEvent[] | null
}

/** What blocks a loop now, and since when on its clock. */
export interface CurrentBlock {
  name: string
  since: number
  task?: number | undefined
  request?: number | undefined
  stack?: Frame[] | undefined
  kind?: StallKind | undefined
  figures?: StallFigures | undefined
}

export interface LoopRecordOptions {
  /** The loop's id in events. */
  loop: string
  history: History
  /** For stalls of this many seconds or more, the events around them are kept. */
  keepSeconds: number
  /** Milliseconds since 1970 at which the loop's clock showed zero. */
  origin: number
  runs?: RunLogOptions
}

export abstract class MonitoredLoop implements Source {
  loop: string
  history: History
  readonly model = new Model()
  readonly fanout: Fanout
  runs: RunLog
  stalls: KeptStall[] = []
  state: LoopState = 'live'
  /** Since when it is in this state, in ms since 1970. */
  since = Date.now()
  holding: CurrentBlock | null = null
  /** It has closed and not started again. */
  closed = false
  blockedSeconds = 0
  stallCount = 0
  readonly recorded: boolean = false
  /** Something must be sent at once: a blocked thread is of interest only while it is blocked. */
  protected urgent = false
  readonly #keepSeconds: number
  readonly #eventBytes = new WeakMap<KeptStall, number>()
  readonly #runs: RunLogOptions
  #origin: number
  #listeners: ((urgent: boolean) => void)[] = []
  #notified = 0

  constructor({ loop, history, keepSeconds, origin, runs = {} }: LoopRecordOptions) {
    this.loop = loop
    this.history = history
    this.#keepSeconds = keepSeconds
    this.#runs = runs
    this.#origin = origin
    this.#notified = history.last
    this.fanout = new Fanout(this)
    this.runs = new RunLog((task) => this.nameOf(task), origin, this.#runs)
  }

  /** The stall that lasts now, as far as it is known, with the number that it will have. */
  get currentStall(): KeptStall | null {
    if (this.holding === null) return null
    const { since, ...known } = this.holding
    const to = Math.max(since, this.now())
    return { ...plain(known), id: this.stallCount + 1, at: this.#timeOf(since), from: since, to, seconds: to - since, victims: [], lost: 0, events: null }
  }

  /** Seconds on the loop's clock. */
  abstract now(): number

  abstract nameOf(task: number): string

  get origin(): number {
    return this.#origin
  }

  /** What is alive now. */
  snapshot(): Snapshot {
    return this.model.snapshot()
  }

  /** What can be seen and done on it, as far as that is known. */
  can(): readonly Ability[] {
    return ['tasks', 'requests']
  }

  standing(): EventOf<'stream.loop'> {
    return { type: 'stream.loop', loop: this.loop, state: this.state, since: new Date(this.since).toISOString() }
  }

  /** The listener receives whether the new events should be sent at once. */
  listen(listener: (urgent: boolean) => void): () => void {
    this.#listeners = [...this.#listeners, listener]
    return () => {
      this.#listeners = this.#listeners.filter((other) => other !== listener)
    }
  }

  /** The last `seconds` as a trace in parts, as far as the history goes back. */
  trace(seconds: number): Iterable<string> {
    const now = this.now()
    return this.#traceOf(this.history.since(now - seconds, TRACED_EVENTS), `the last ${seconds} s`, now)
  }

  /** A trace of the events around a stall, in parts; `null` if they are not kept. */
  stallTrace(id: number): Iterable<string> | null {
    const stall = this.stalls.find((one) => one.id === id)
    return stall?.events == null ? null : this.#traceOf(stall.events, `stall ${id}: ${stall.name}`)
  }

  /** The profile of a stall; `null` if it is not kept, or the stall was in another process. */
  stallProfile(_id: number): StallProfile | null {
    return null
  }

  /** Applies the next event; its `seq` follows the last. `encoded` is its JSON, if it exists already. */
  protected apply(event: LoopEvent, encoded?: string): void {
    this.history.push(event, encoded)
    this.model.apply(event)
    this.runs.onEvent(event)
    switch (event.type) {
      case 'loop.blocked':
        this.urgent = true
        this.holding = { name: event.name, since: event.since, ...plain({ task: event.task, request: event.request, stack: event.stack, kind: event.kind, figures: event.figures }) }
        break
      case 'loop.unblocked':
        this.urgent = true
        this.#unblocked(event)
        break
      case 'loop.started':
        this.closed = false
        break
      case 'loop.closed':
        this.closed = true
        this.holding = null
        // Its process may end in a moment.
        this.urgent = true
        break
      default:
        break
    }
  }

  /** Keeps a stall that is over. */
  protected keep(stall: PastStall): KeptStall {
    this.blockedSeconds += stall.seconds
    const kept: KeptStall = { ...stall, id: ++this.stallCount, at: this.#timeOf(stall.from), events: null }
    this.stalls.push(kept)
    if (this.stalls.length > KEPT_STALLS) this.stalls.shift()
    if (stall.seconds < this.#keepSeconds) return kept
    const { history } = this
    const { last } = history
    const begin = stall.from - SECONDS_BEFORE
    const before = history.since(begin, KEPT_STALL_EVENTS)
    setTimeout(() => {
      const after = history.since(begin, { ...KEPT_STALL_EVENTS, after: last }).filter(({ t }) => t <= stall.to + SECONDS_AFTER)
      kept.events = [...before, ...after]
      this.#eventBytes.set(kept, sizeOf(kept.events))
      this.#forgetOldest()
    }, SECONDS_AFTER * 1000).unref()
    return kept
  }

  #timeOf(seconds: number): string {
    return new Date(this.#origin + seconds * 1000).toISOString()
  }

  /** Only the last stalls keep their events, as many as there is room for. */
  #forgetOldest(): void {
    let bytes = 0
    for (const stall of [...this.stalls].reverse()) {
      bytes += this.#eventBytes.get(stall) ?? 0
      if (bytes <= MOST_STALL_BYTES) continue
      stall.events = null
      this.#eventBytes.delete(stall)
    }
  }

  /** Starts again, because the loop's process has. */
  protected begin(history: History, origin: number): void {
    this.history = history
    this.#origin = origin
    this.#notified = history.last
    this.runs = new RunLog((task) => this.nameOf(task), origin, this.#runs)
    this.stalls = []
    this.stallCount = 0
    this.blockedSeconds = 0
    this.holding = null
  }

  /** Calls the listeners if there is something new. */
  protected notify(): void {
    if (this.#notified === this.history.last) return
    this.#notified = this.history.last
    const { urgent } = this
    this.urgent = false
    for (const listener of this.#listeners) listener(urgent)
    if (urgent) this.fanout.flush()
  }

  #unblocked(event: EventOf<'loop.unblocked'>): void {
    this.holding = null
    const { task, request, seconds, victims, lost, stack, since = event.t - event.seconds, name = '', kind, figures, shares } = event
    this.keep({ from: since, to: since + seconds, name, seconds, victims, lost, ...plain({ task, request, stack, kind, figures, shares }) })
  }

  #traceOf(events: readonly LoopEvent[], name: string, end?: number): Iterable<string> {
    return traceTexts(events, name, end, (task) => this.nameOf(task))
  }
}

/** The value without fields that are undefined. */
export function plain<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined)) as { [K in keyof T]: Exclude<T[K], undefined> }
}
