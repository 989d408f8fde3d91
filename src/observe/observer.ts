// The observer itself, on any thread: it decodes the records in the ring, looks for stalls and warnings, numbers the events,
// and keeps them in the record of its loop. Everything that is served comes from here.
import type { Ability, EventOf, LoopEvent, Snapshot } from '../events/schema.ts'
import type { Taken } from './stacks.ts'
import type { SchedulingDelay } from './scheduling-delay.ts'
import type { Suspensions } from './suspensions.ts'
import type { ThreadWatch } from './thread-watch.ts'
import { History } from '../events/history.ts'
import { cutEvent } from '../events/texts.ts'
import type { Timed } from '../events/builder.ts'
import { Decoder, type Block, type Listener } from './decode.ts'
import { BEAT_SECONDS, NUMBER, taskOf, viewOf, WORD, type Shared, type View } from '../probe/layout.ts'
import { MonitoredLoop, type KeptStall, type PastStall } from './monitored-loop.ts'
import { RingReader } from '../probe/ring.ts'
import { StallDetector } from './stall-detector.ts'
import type { StallProfile } from './stall-profile.ts'
import { StreamStats } from './stream-stats.ts'
import { Liveness } from './liveness.ts'
import { Warnings } from './warnings.ts'

/** How many records are decoded before other work on this thread continues. */
const RECORDS_A_POLL = 8192
/** While records arrive, the ring is polled this often, in seconds. */
const BUSY_POLL = 0.004
/** Steps of this many seconds or more are checked for warnings while they run. */
const LONG_STEP = 0.01
const WARN_EVERY = 0.25
/** A stall of this many seconds is reported while it lasts. */
const LONG_STALL = 2
/** The most bytes of all profiles of stalls. */
const MOST_PROFILE_BYTES = 8 * 1024 ** 2

export interface ObserverOptions {
  shared: Shared
  /** The loop's id in events. */
  loop: string
  /** How many events are kept. */
  history: number
  /** From how many seconds on the thread counts as blocked. */
  blockedSeconds: number
  /** Stalls of this many seconds or more are kept with the events around them. */
  keepSeconds: number
  /** Seconds on the loop's clock. */
  now: () => number
  /** Milliseconds since 1970 at which that clock showed zero. */
  origin: number
  /** For how long the thread had no processor, what the kernel says about it, and when the whole process was stopped. */
  schedulingDelay: SchedulingDelay
  thread: ThreadWatch
  suspensions: Suspensions
  /** Whether the program reports its requests. */
  requests?: boolean
  /** How many blocks of unknown code were written to the header before. Default: all that are in it. */
  blocks?: number
  takeSnapshot: () => ArrayBuffer | null
  takeStack: () => Promise<Taken | null>
  /** A stall is over. */
  onStall?: (stall: KeptStall) => void
  /** A stall has lasted for `LONG_STALL` seconds, and goes on. */
  onLong?: (event: EventOf<'loop.blocked'>) => void
  /** The recording has failed: the record of the loop may be half changed, and must not be served any longer. */
  onBroken?: (error: unknown) => void
}

export class Observer extends MonitoredLoop implements Listener {
  readonly stats = new StreamStats()
  readonly view: View
  /** Events for which there was no room in the ring. */
  lostEvents = 0
  warningCount = 0
  /** Errors on this thread that no code has caught. */
  errorCount = 0
  /** A loop of loopscope has been seen; until then only the thread is watched. */
  #hasLoop = false
  readonly #options: ObserverOptions
  readonly #decoder: Decoder
  readonly #reader: RingReader
  readonly #stalls: StallDetector
  readonly #warnings: Warnings
  /** By the stalls' numbers, oldest first. */
  readonly #profiles = new Map<number, StallProfile>()
  readonly #liveness: Liveness
  #warnAt = 0
  /** When the last long stall began. */
  #longSince = -1

  constructor(options: ObserverOptions) {
    super({ loop: options.loop, history: new History(options.history), keepSeconds: options.keepSeconds, origin: options.origin })
    this.#options = options
    this.view = viewOf(options.shared)
    this.#reader = new RingReader(options.shared)
    this.#decoder = new Decoder(this.#reader, this, options.takeSnapshot)
    this.#liveness = new Liveness((from, now) => options.schedulingDelay.present(from, now))
    this.#warnings = new Warnings(this.model, (task) => this.#decoder.nameOf(task), (warning) => this.event(cutEvent(warning)))
    this.#stalls = new StallDetector({
      schedulingDelay: options.schedulingDelay, thread: options.thread, suspensions: options.suspensions, view: this.view, decoder: this.#decoder, model: this.model, threshold: options.blockedSeconds, now: options.now,
      emit: (event) => this.event(cutEvent(event)), takeStack: options.takeStack,
      catchUp: () => this.#decoder.readAll(), onProfile: (profile) => this.#keepProfile(profile), blocks: options.blocks ?? (this.view.words[WORD.blocks] as number),
    })
  }

  /** Seconds on the loop's clock. */
  now(): number {
    return this.#options.now()
  }

  override can(): readonly Ability[] {
    return [...this.#hasLoop ? ['tasks' as const] : [], ...this.#options.requests === true ? ['requests' as const] : []]
  }

  /** Whether the thread is blocked right now. */
  get blocked(): boolean {
    return this.#stalls.blocked
  }

  /** The profile of a stall, if it is kept. */
  override stallProfile(id: number): StallProfile | null {
    return this.#profiles.get(id) ?? null
  }

  /** For how many seconds the loop has not turned, and when it last did, in ms since 1970; 0 seconds if it is not late by the time of a stall. */
  get late(): { seconds: number; since: number } {
    const now = this.now()
    this.#liveness.poll(now, this.view.numbers[NUMBER.beat] as number)
    return { seconds: this.#liveness.late(now, BEAT_SECONDS + this.#options.blockedSeconds), since: this.#options.origin + this.#liveness.turned * 1000 }
  }

  nameOf(task: number): string {
    return this.#decoder.nameOf(task)
  }

  /** Decodes what has arrived and checks the thread; returns the seconds until the next poll. */
  poll(): number {
    const next = this.#whole(() => this.#pollAll())
    this.notify()
    return next
  }

  #pollAll(): number {
    const { words } = this.view
    words[WORD.tick] = ((words[WORD.tick] as number) + 1) | 0
    const count = this.#decoder.read(RECORDS_A_POLL)
    let next = this.#stalls.poll()
    const now = this.now()
    this.#liveness.poll(now, this.view.numbers[NUMBER.beat] as number)
    if (now >= this.#warnAt) {
      this.#warnAt = now + WARN_EVERY
      this.#checkWarnings(now)
    }
    if (this.#reader.behind && count >= RECORDS_A_POLL) return 0
    if (count > 0) next = Math.min(next, BUSY_POLL)
    return Math.min(next, BEAT_SECONDS, this.#options.blockedSeconds / 2)
  }

  /** The process ends: what is known of a stall is reported now, even if it goes on. */
  finish(): void {
    this.drain()
    this.poll()
    this.#stalls.finish()
    this.notify()
  }

  /** Decodes everything that has been published. */
  drain(): void {
    this.#whole(() => this.#decoder.read(Infinity))
    this.notify()
  }

  event(timed: Timed): void {
    const event = timed as unknown as LoopEvent
    event.seq = this.history.last + 1
    event.loop = this.loop
    this.apply(event)
    this.stats.onEvent(event)
    if (event.type === 'loop.started' || event.type === 'task.created') this.#hasLoop = true
    if (event.type === 'loop.closed') this.#stalls.settled()
    if (event.type === 'loop.blocked' && event.seconds >= LONG_STALL && event.since !== this.#longSince) {
      this.#longSince = event.since
      this.#options.onLong?.(event)
    }
    if (event.type === 'warning') this.warningCount++
    else this.#warnings.onEvent(event)
  }

  protected override keep(stall: PastStall): KeptStall {
    const kept = super.keep(stall)
    this.stats.stalled(stall)
    this.#options.onStall?.(kept)
    return kept
  }

  lost(count: number): void {
    this.lostEvents += count
    this.history.skip(count)
  }

  restored(alive: Omit<Snapshot, 'seq'>): void {
    this.#hasLoop ||= alive.tasks.length > 0
    this.model.restore({ ...alive, seq: this.history.last })
    this.stats.restored(alive)
    this.#stalls.forget()
    this.#warnings.restart(this.now())
    this.runs.forget(new Set(alive.runs.map(({ run }) => run)))
  }

  blockEnded(block: Block): void {
    this.#stalls.ended(block)
  }

  stepped(task: number, from: number, to: number): void {
    const { schedulingDelay } = this.#options
    const excused = to - from >= LONG_STEP && schedulingDelay.excuses(from, to, schedulingDelay.since(from, this.now()))
    this.#warnings.stepped(task, from, excused ? from : to)
    this.#stalls.stepped(task, from, to)
  }

  settled(): void {
    this.#stalls.settled()
  }

  waited(request: number, seconds: number, t: number): void {
    this.#stalls.waited(request, seconds, t)
  }

  /** The profile of the last stall. The oldest make room. */
  #keepProfile(profile: StallProfile): void {
    const profiles = this.#profiles
    profiles.set(this.stallCount, profile)
    let bytes = 0
    for (const [id, one] of [...profiles].reverse()) {
      bytes += one.bytes
      if (bytes > MOST_PROFILE_BYTES || !this.stalls.some((stall) => stall.id === id)) profiles.delete(id)
    }
  }

  /** Runs a change to the record. If it fails, the record is broken. */
  #whole<T>(change: () => T): T {
    try {
      return change()
    } catch (error) {
      this.#options.onBroken?.(error)
      throw error
    }
  }

  #checkWarnings(now: number): void {
    const { words, numbers } = this.view
    this.#warnings.poll(now, words[WORD.sensitiveQueued] as number)
    const task = taskOf(this.view)
    if (((words[WORD.step] as number) & 1) === 0 || task === 0) return
    const since = numbers[NUMBER.since] as number
    const { schedulingDelay } = this.#options
    if (now - since >= LONG_STEP && schedulingDelay.excuses(since, now, schedulingDelay.present(since, now))) return
    this.#warnings.running(task, since, now, this.#decoder.nameOf(task))
  }
}
