// The observer itself, whatever thread it runs on: it decodes what the ring holds, keeps history, model and runs, looks
// for stalls and warnings, and gives every event its number. It is the one source of everything that is served.
import type { Frame, LoopEvent, Snapshot } from '../stream/events.ts'
import type { Source } from '../stream/fanout.ts'
import { Fanout } from '../stream/fanout.ts'
import { History } from '../stream/history.ts'
import { Model } from '../stream/model.ts'
import { toTrace, type Trace } from '../stream/trace.ts'
import { Decoder, type Hold, type Listener, type Timed } from './decoder.ts'
import { HOLDER, NUMBER, viewOf, WORD, type Shared, type View } from './layout.ts'
import { RingReader } from './ring.ts'
import { RunLog } from './runlog.ts'
import { BEAT_SECONDS, StallWatch, type Stall } from './stall.ts'
import { Tally } from './tally.ts'
import { Warnings } from './warnings.ts'

/** How many records are decoded before others get a turn on this thread. */
const RECORDS_A_POLL = 8192
/** While records come, the ring is looked at this often, in seconds. */
const BUSY_POLL = 0.004
const WARN_EVERY = 0.25
/** Stalls that are remembered, and of how many seconds around a long one the events are kept. */
const KEPT_STALLS = 50
const SECONDS_BEFORE = 2
const SECONDS_AFTER = 1
const KEPT_STALL_EVENTS = 20_000

export interface KeptStall extends Stall {
  id: number
  /** When it began. */
  at: string
  /** The events around it, once they have come; only of long ones. */
  events: LoopEvent[] | null
}

export interface ObserverOptions {
  shared: Shared
  /** The loop's id in events. */
  loop: string
  /** How many events are kept. */
  history: number
  /** From how many seconds on the thread is called blocked. */
  blockedSeconds: number
  /** Stalls of so many seconds are kept with what happened around them. */
  keepSeconds: number
  /** Seconds on the clock of the loop. */
  now: () => number
  /** Milliseconds since 1970 at which that clock showed zero. */
  origin: number
  takeDescription: () => ArrayBuffer | null
  takeStack: () => Promise<{ at: number; frames: Frame[] } | null>
}

export class Observer implements Source, Listener {
  readonly history: History
  readonly model = new Model()
  readonly tally = new Tally()
  readonly fanout: Fanout
  readonly runs: RunLog
  readonly stalls: KeptStall[] = []
  readonly view: View
  /** Events that found no room in the ring. */
  lostEvents = 0
  blockedSeconds = 0
  stallCount = 0
  warningCount = 0
  readonly #options: ObserverOptions
  readonly #decoder: Decoder
  readonly #reader: RingReader
  readonly #watch: StallWatch
  readonly #warnings: Warnings
  #listeners: (() => void)[] = []
  #told = 0
  /** Something is worth a write of its own: that a thread is blocked is news only while it is. */
  #urgent = false
  #warnAt = 0

  constructor(options: ObserverOptions) {
    this.#options = options
    this.view = viewOf(options.shared)
    this.history = new History(options.history)
    this.fanout = new Fanout(this)
    this.#reader = new RingReader(options.shared)
    this.#decoder = new Decoder(this.#reader, this, options.takeDescription)
    this.runs = new RunLog((task) => this.#decoder.nameOf(task), options.origin)
    this.#warnings = new Warnings(this.model, (task) => this.#decoder.nameOf(task), (warning) => this.event(warning))
    this.#watch = new StallWatch({
      view: this.view, decoder: this.#decoder, model: this.model, threshold: options.blockedSeconds, now: options.now,
      emit: (event) => this.event(event), takeStack: options.takeStack, onStall: (stall) => this.#keep(stall),
      catchUp: () => {
        this.#decoder.read(Infinity, true)
      },
    })
  }

  /** Seconds on the clock of the loop. */
  now(): number {
    return this.#options.now()
  }

  /** Whether the thread is blocked right now. */
  get blocked(): boolean {
    return this.#watch.blocked
  }

  nameOf(task: number): string {
    return this.#decoder.nameOf(task)
  }

  /** Take in what there is and look how the thread is; gives in how many seconds to come again. */
  poll(): number {
    const { words } = this.view
    words[WORD.tick] = ((words[WORD.tick] as number) + 1) | 0
    const count = this.#decoder.read(RECORDS_A_POLL)
    let next = this.#watch.look()
    const now = this.now()
    if (now >= this.#warnAt) {
      this.#warnAt = now + WARN_EVERY
      this.#lookLonger(now)
    }
    this.#notify()
    if (this.#reader.behind && count >= RECORDS_A_POLL) return 0
    if (count > 0) next = Math.min(next, BUSY_POLL)
    return Math.min(next, BEAT_SECONDS, this.#options.blockedSeconds / 2)
  }

  /** Take in everything that has been published. */
  drain(): void {
    this.#decoder.read(Infinity)
    this.#notify()
  }

  /** What is alive now. */
  snapshot(): Snapshot {
    return this.model.snapshot()
  }

  listen(listener: () => void): () => void {
    this.#listeners = [...this.#listeners, listener]
    return () => {
      this.#listeners = this.#listeners.filter((other) => other !== listener)
    }
  }

  runTrace(run: number): Trace | null {
    const record = this.runs.get(run)
    return record === null ? null : toTrace(record.events, `example ${record.example}, run ${run}`)
  }

  /** The last `seconds`, as far as the history goes. */
  trace(seconds: number): Trace {
    const now = this.now()
    return this.#traceOf(this.history.since(now - seconds), `the last ${seconds} s`, now)
  }

  stallTrace(id: number): Trace | null {
    const stall = this.stalls.find((one) => one.id === id)
    return stall?.events == null ? null : this.#traceOf(stall.events, `stall ${id}: ${stall.name}`)
  }

  event(timed: Timed): void {
    const { history } = this
    const event = timed as unknown as LoopEvent
    event.seq = history.last + 1
    event.loop = this.#options.loop
    history.push(event)
    this.model.apply(event)
    this.tally.hear(event)
    this.runs.hear(event)
    if (event.type === 'loop.blocked') this.#urgent = true
    else if (event.type === 'loop.closed') this.#watch.settled()
    if (event.type === 'warning') this.warningCount++
    else this.#warnings.hear(event)
  }

  lost(count: number): void {
    this.lostEvents += count
    this.history.skip(count)
  }

  restored(alive: Omit<Snapshot, 'seq'>): void {
    this.model.restore({ ...alive, seq: this.history.last })
    this.tally.restored(alive)
    this.#watch.forget()
    this.#warnings.restart(this.now())
    this.runs.forget(new Set(alive.runs.map(({ run }) => run)))
  }

  held(hold: Hold): void {
    this.#watch.ended(hold)
  }

  stepped(task: number, from: number, to: number): void {
    this.#warnings.stepped(task, from, to)
    this.#watch.stepped(task, from, to)
  }

  settled(): void {
    this.#watch.settled()
  }

  waited(request: number, seconds: number): void {
    this.#watch.waited(request, seconds)
  }

  #lookLonger(now: number): void {
    const { words, numbers } = this.view
    this.#warnings.look(now, words[WORD.sensitiveQueued] as number)
    if (((words[WORD.step] as number) & 1) === 0 || words[WORD.holder] !== HOLDER.task) return
    const task = (words[WORD.task] as number) >>> 0
    this.#warnings.running(task, numbers[NUMBER.since] as number, now, this.#decoder.nameOf(task))
  }

  #traceOf(events: readonly LoopEvent[], name: string, end?: number): Trace {
    return toTrace(events, name, end, (task) => this.#decoder.nameOf(task))
  }

  #keep(stall: Stall): void {
    this.blockedSeconds += stall.seconds
    const kept: KeptStall = { ...stall, id: ++this.stallCount, at: new Date(this.#options.origin + stall.from * 1000).toISOString(), events: null }
    this.stalls.push(kept)
    if (this.stalls.length > KEPT_STALLS) this.stalls.shift()
    if (stall.seconds < this.#options.keepSeconds) return
    const before = this.history.since(stall.from - SECONDS_BEFORE)
    setTimeout(() => {
      const last = before.at(-1)?.seq ?? 0
      const after = this.history.since(stall.from - SECONDS_BEFORE).filter(({ seq, t }) => seq > last && t <= stall.to + SECONDS_AFTER)
      kept.events = [...before, ...after].slice(-KEPT_STALL_EVENTS)
    }, SECONDS_AFTER * 1000).unref()
  }

  #notify(): void {
    if (this.#told === this.history.last) return
    this.#told = this.history.last
    for (const listener of this.#listeners) listener()
    if (!this.#urgent) return
    this.#urgent = false
    this.fanout.flush()
  }
}
