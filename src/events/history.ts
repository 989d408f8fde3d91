// The last events of one loop: bounded by count and in bytes, addressed by `seq`. Each is encoded at most once, whoever and however many
// want it. Events that come by the million and are all alike are kept without being made; they never push out the others.
import type { LoopEvent } from './schema.ts'
import { sizeOfEvent } from './texts.ts'

/** Room for so many bytes for each event that is kept, on average: short events may be as many as the history holds. */
const BYTES_AN_EVENT = 1024

/** Events one after the other that are of one sort: kept as they are, or made when they are asked for. */
interface Stretch {
  readonly first: number
  count: number
  /** Which of the kept events the first is; -1 where they are made. */
  readonly kept: number
}

/** Events that follow each other and are made when they are asked for. */
interface Later {
  readonly first: number
  readonly count: number
  readonly make: (offset: number) => LoopEvent
}

export class History {
  /** Changes when a loop starts anew, so that an old cursor is not taken for one of this loop's. */
  readonly epoch: string
  readonly capacity: number
  /** How many bytes the events that were pushed may take, with their JSON. */
  readonly mostBytes: number
  /** The last `seq` given out. */
  last: number
  /** Nothing before this `seq` joins on to what came since: it was lost, or not heard of, or is held no more. */
  #from: number
  readonly #events: (LoopEvent | undefined)[]
  readonly #encoded: (string | undefined)[]
  /** How many bytes each of them takes. */
  readonly #sizes: Uint32Array
  #bytes = 0
  /** How many were pushed, and how many of those have gone. */
  #kept = 0
  #gone = 0
  #stretches = new Fifo<Stretch>()
  #later = new Fifo<Later>()
  #laterCount = 0

  /**
   * The history of a loop that begins now; or, with the epoch of another process' loop, of that one from after event `last`
   * on. It holds the last `capacity` events that were pushed, or fewer where those are long, and as many of those that are made
   * when they are asked for.
   */
  constructor(capacity: number, epoch = newEpoch(), last = 0) {
    this.capacity = capacity
    this.mostBytes = capacity * BYTES_AN_EVENT
    this.#sizes = new Uint32Array(capacity)
    this.epoch = epoch
    this.last = last
    this.#from = last + 1
    this.#events = new Array<LoopEvent | undefined>(capacity).fill(undefined)
    this.#encoded = new Array<string | undefined>(capacity).fill(undefined)
  }

  /** The oldest `seq` from which on all are held; `last + 1` while there is none. */
  get first(): number {
    return this.#from
  }

  /** Keep an event; its `seq` must be `last + 1`. The oldest one goes if there is no room. Its JSON, where that is there already. */
  push(event: LoopEvent, encoded?: string): void {
    const kept = this.#kept++
    if (kept - this.#gone === this.capacity) this.#dropOldest()
    const at = kept % this.capacity
    this.#events[at] = event
    this.#encoded[at] = encoded
    this.#grow(at, sizeOfEvent(event) + (encoded?.length ?? 0))
    this.#extend(event.seq, 1, kept)
  }

  /** Keep `count` events that are made when somebody asks for them: `make(offset)` gives the one that many after the first. */
  pushLater(count: number, make: (offset: number) => LoopEvent): void {
    this.#later.push({ first: this.last + 1, count, make })
    this.#laterCount += count
    this.#extend(this.last + 1, count, -1)
    for (let oldest = this.#later.first; oldest !== undefined && this.#laterCount - oldest.count >= this.capacity; oldest = this.#later.first) {
      this.#later.shift()
      this.#laterCount -= oldest.count
      this.#from = Math.max(this.#from, oldest.first + oldest.count)
    }
  }

  /** These many events were lost before they could be kept: their numbers are used up. */
  skip(count: number): void {
    this.last += count
    this.#from = this.last + 1
  }

  /** The event with this `seq`, `null` where it is held no more, or was lost. */
  find(seq: number): LoopEvent | null {
    const stretch = this.#stretchOf(seq)
    if (stretch === undefined) return null
    if (stretch.kept < 0) return this.#make(seq)
    const event = this.#events[(stretch.kept + seq - stretch.first) % this.capacity]
    return event === undefined || event.seq !== seq ? null : event
  }

  /** The event with this `seq`, which must still be held. */
  at(seq: number): LoopEvent {
    const event = this.find(seq)
    if (event === null) throw new RangeError(`history: event ${seq} is not kept`)
    return event
  }

  /** Where the events with this `seq` and those that follow are made when they are asked for, the last of them, held or not; else `null`. */
  lastOfLater(seq: number): number | null {
    const stretch = this.#stretchOf(seq)
    return stretch === undefined || stretch.kept >= 0 ? null : stretch.first + stretch.count - 1
  }

  /** Those of the last `count` events that were pushed whose `seq` is at least this. */
  *pushedSince(seq: number, count: number): Generator<LoopEvent> {
    for (let index = Math.max(this.#gone, this.#kept - count); index < this.#kept; index++) {
      const event = this.#events[index % this.capacity]
      // To make the JSON of one takes room, for which an old one may have gone.
      if (event !== undefined && event.seq >= seq) yield event
    }
  }

  /** The events since time `t`, in seconds on the loop's clock: the last of them, `most` and `bytes` at most, and after event `after`. */
  since(t: number, { most, bytes, after = 0 }: { most: number; bytes: number; after?: number }): LoopEvent[] {
    const events: LoopEvent[] = []
    let size = 0
    for (let seq = this.last; seq >= this.first && seq > after && events.length < most; seq--) {
      const event = this.find(seq)
      if (event === null || event.t < t) break
      size += sizeOfEvent(event)
      if (size > bytes) break
      events.push(event)
    }
    return events.reverse()
  }

  /** An event that is held, as JSON: the same text for whoever asks, unless the event is made for each. */
  encoded(event: LoopEvent): string {
    const stretch = this.#stretchOf(event.seq)
    const at = stretch === undefined || stretch.kept < 0 ? -1 : (stretch.kept + event.seq - stretch.first) % this.capacity
    if (at < 0 || this.#events[at] !== event) return JSON.stringify(event)
    const known = this.#encoded[at]
    if (known !== undefined) return known
    const json = JSON.stringify(event)
    this.#encoded[at] = json
    this.#grow(at, json.length)
    return json
  }

  cursor(seq: number): string {
    return `${this.epoch}:${seq}`
  }

  /** The event at this place takes so many bytes more; the oldest ones go where that is too many, but never the last. */
  #grow(at: number, bytes: number): void {
    this.#sizes[at] = (this.#sizes[at] as number) + bytes
    this.#bytes += bytes
    while (this.#bytes > this.mostBytes && this.#gone < this.#kept - 1) this.#dropOldest()
  }

  #dropOldest(): void {
    const at = this.#gone++ % this.capacity
    const { seq } = this.#events[at] as LoopEvent
    if (seq >= this.#from) this.#from = seq + 1
    this.#events[at] = undefined
    this.#encoded[at] = undefined
    this.#bytes -= this.#sizes[at] as number
    this.#sizes[at] = 0
  }

  #extend(first: number, count: number, kept: number): void {
    const stretches = this.#stretches
    const { last } = stretches
    this.last = first + count - 1
    if (last !== undefined && last.kept < 0 === kept < 0 && last.first + last.count === first) {
      last.count += count
      return
    }
    stretches.push({ first, count, kept })
    // What is not held in front of all that is tells nothing.
    const oldestKept = this.#gone === 0 ? 0 : (this.#events[this.#gone % this.capacity]?.seq ?? 0)
    const oldest = Math.min(oldestKept, this.#later.first?.first ?? oldestKept)
    for (let front = stretches.first as Stretch; front.first + front.count <= oldest; front = stretches.first as Stretch) stretches.shift()
  }

  #stretchOf(seq: number): Stretch | undefined {
    const stretch = this.#stretches.lastWhere(({ first }) => first <= seq)
    return stretch !== undefined && seq < stretch.first + stretch.count ? stretch : undefined
  }

  #make(seq: number): LoopEvent | null {
    const later = this.#later.lastWhere(({ first }) => first <= seq)
    if (later === undefined || seq >= later.first + later.count) return null
    const event = later.make(seq - later.first)
    event.seq = seq
    return event
  }
}

/** In the order in which they came; the oldest go first. */
class Fifo<T> {
  #items: T[] = []
  #at = 0

  get first(): T | undefined {
    return this.#items[this.#at]
  }

  get last(): T | undefined {
    return this.#at < this.#items.length ? this.#items.at(-1) : undefined
  }

  push(item: T): void {
    this.#items.push(item)
  }

  shift(): void {
    this.#at++
    if (this.#at * 2 <= this.#items.length) return
    this.#items = this.#items.slice(this.#at)
    this.#at = 0
  }

  /** The last item for which `holds`, which must hold for all before it. */
  lastWhere(holds: (item: T) => boolean): T | undefined {
    let low = this.#at
    let high = this.#items.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (holds(this.#items[middle] as T)) low = middle + 1
      else high = middle
    }
    return low > this.#at ? this.#items[low - 1] : undefined
  }
}

function newEpoch(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(6)), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

export interface Cursor {
  epoch: string
  seq: number
}

/** Read `epoch:seq`; `null` for anything else. */
export function parseCursor(text: string): Cursor | null {
  const match = /^([0-9a-f]{1,32}):(0|[1-9]\d{0,14})$/.exec(text)
  return match === null ? null : { epoch: match[1] as string, seq: Number(match[2]) }
}
