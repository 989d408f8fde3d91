// The recorded events, in order: the newest ones, bounded in number and in characters.
import { lowerBound } from '../../src/events/lower-bound.ts'
import type { LoopEvent } from '../../src/events/schema.ts'
import type { Position } from './track.ts'

/** The most characters of messages whose events are kept. */
const MOST_CHARACTERS = 64_000_000
/** Events of the observer. Their times lie between those of the loop's events. */
const BESIDE = new Set(['loop.blocked', 'loop.unblocked', 'warning', 'lab.started', 'lab.entered', 'lab.probed', 'lab.measured', 'lab.finished'])

export class EventLog {
  readonly events: LoopEvent[] = []
  /** Events that were dropped by the bounds or lost by the stream. */
  forgotten = 0
  /** Messages that were no valid events. */
  malformed = 0
  readonly #limit: number
  /** The characters of each event's message. */
  readonly #sizes: number[] = []
  #size = 0
  #first: number | null = null
  #last = 0
  /** The time of the last event from the loop itself. */
  #clock = -Infinity
  #lastSeq = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  /** The time of the first recorded event, in seconds on the loop's clock. */
  get from(): number {
    return this.#first ?? this.#last
  }

  /** The time of the last one. */
  get to(): number {
    return this.#last
  }

  get lastSeq(): number {
    return this.#lastSeq
  }

  /** The position of the last event at or before a time. */
  positionAt(t: number): Position {
    const index = this.indexAt(t)
    return { t, seq: index < 0 ? 0 : (this.events[index] as LoopEvent).seq }
  }

  /** The index of the last event at or before a time; -1 before the first event. */
  indexAt(t: number): number {
    return lowerBound(this.events.length, (index) => (this.events[index] as LoopEvent).t <= t) - 1
  }

  /** The position of the event that is `count` events after this position, or before it if negative. */
  step({ seq }: Position, count: number): Position {
    const { events } = this
    const at = lowerBound(events.length, (index) => (events[index] as LoopEvent).seq <= seq) - 1
    const event = events[Math.max(0, Math.min(events.length - 1, at + count))]
    return event === undefined ? { t: this.#last, seq: this.#lastSeq } : { t: event.t, seq: event.seq }
  }

  /**
   * Adds an event, whose message had `size` characters; null if it is invalid or a duplicate. The times of the loop's events
   * are corrected so that they never decrease; drawing relies on that.
   */
  protected add(came: LoopEvent, size: number): LoopEvent | null {
    const event = came?.t < this.#clock && !BESIDE.has(came.type) ? { ...came, t: this.#clock } : came
    if (typeof event?.type !== 'string' || typeof event.t !== 'number' || typeof event.seq !== 'number' || !Number.isFinite(event.t)) {
      this.malformed++
      return null
    }
    if (event.seq <= this.#lastSeq) return null
    this.#lastSeq = event.seq
    if (this.#first === null || event.t > this.#last) this.#last = event.t
    this.#first ??= event.t
    if (!BESIDE.has(event.type)) this.#clock = event.t
    this.events.push(event)
    this.#sizes.push(size)
    this.#size += size
    return event
  }

  /** Moves the end of the recording, without an event. */
  protected goOn(t: number, seq: number): void {
    this.#first ??= t
    this.#last = t
    this.#lastSeq = seq
  }

  /** Past the bounds, drops the oldest tenth and returns the time of the first event that is left; otherwise null. */
  protected shrink(): number | null {
    if (this.events.length <= this.#limit && this.#size <= MOST_CHARACTERS) return null
    const count = Math.ceil(Math.min(this.#limit, this.events.length) / 10)
    this.events.splice(0, count)
    for (const size of this.#sizes.splice(0, count)) this.#size -= size
    this.forgotten += count
    return this.#first = this.events[0]?.t ?? this.#last
  }

  clear(): void {
    this.events.length = 0
    this.#sizes.length = 0
    this.#size = 0
    this.#first = null
    this.#last = 0
    this.#clock = -Infinity
    this.#lastSeq = 0
  }
}
