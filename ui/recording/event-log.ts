// The events that are held, in their order: the newest of them, bounded in number and in characters.
import { lowerBound } from '../../src/events/lower-bound.ts'
import type { LoopEvent } from '../../src/events/schema.ts'
import type { Position } from './track.ts'

/** Characters of messages whose events are held. */
const MOST_CHARACTERS = 64_000_000
/** What comes from those that watch the loop, with times between those of the loop's own events. */
const BESIDE = new Set(['loop.blocked', 'loop.unblocked', 'warning', 'lab.started', 'lab.entered', 'lab.probed', 'lab.measured', 'lab.finished'])

export class EventLog {
  readonly events: LoopEvent[] = []
  /** Events that were too many to hold or lost on the way. */
  forgotten = 0
  /** Messages that made no sense. */
  malformed = 0
  readonly #limit: number
  /** The characters of each one's message. */
  readonly #sizes: number[] = []
  #size = 0
  #first: number | null = null
  #last = 0
  /** The time of the last event of the loop's own. */
  #clock = -Infinity
  #lastSeq = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  /** The time of the first event that is held, in seconds on the loop's clock. */
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

  /** The index of the last event at or before a time; -1 before all. */
  indexAt(t: number): number {
    return lowerBound(this.events.length, (index) => (this.events[index] as LoopEvent).t <= t) - 1
  }

  /** The position of the event that is `count` before or after this position. */
  step({ seq }: Position, count: number): Position {
    const { events } = this
    const at = lowerBound(events.length, (index) => (events[index] as LoopEvent).seq <= seq) - 1
    const event = events[Math.max(0, Math.min(events.length - 1, at + count))]
    return event === undefined ? { t: this.#last, seq: this.#lastSeq } : { t: event.t, seq: event.seq }
  }

  /**
   * Add an event, whose message had `size` characters; null where it makes no sense, or was there already. The loop's own
   * events are given times that never go back: what is drawn relies on that.
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

  /** The recording goes on from here, though no event says so. */
  protected goOn(t: number, seq: number): void {
    this.#first ??= t
    this.#last = t
    this.#lastSeq = seq
  }

  /** Where there are too many, forget the oldest tenth; gives the time of the first that is left, or null. */
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
