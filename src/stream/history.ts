// The last events of one loop: bounded by count, addressed by `seq`. Each is encoded at most once, whoever and however many
// want it. Events that come by the million and are all alike are kept without being made; they never push out the others.
import type { LoopEvent } from './events.ts'

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
  /** The last `seq` given out. */
  last: number
  /** Nothing before this `seq` joins on to what came since: it was lost, or not heard of, or is held no more. */
  #from: number
  readonly #events: (LoopEvent | undefined)[]
  readonly #encoded: (string | undefined)[]
  #kept = 0
  #stretches = new Fifo<Stretch>()
  #later = new Fifo<Later>()
  #laterCount = 0

  /**
   * The history of a loop that begins now; or, with the epoch of another process' loop, of that one from after event `last`
   * on. It holds the last `capacity` events that were pushed, and as many of those that are made when they are asked for.
   */
  constructor(capacity: number, epoch = newEpoch(), last = 0) {
    this.capacity = capacity
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
    const at = this.#kept % this.capacity
    const oldest = this.#events[at]
    if (oldest !== undefined && oldest.seq >= this.#from) this.#from = oldest.seq + 1
    this.#events[at] = event
    this.#encoded[at] = encoded
    this.#extend(event.seq, 1, this.#kept++)
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
    if (event === null) throw new RangeError(`history: event ${seq} is not held`)
    return event
  }

  /** Where the events with this `seq` and those that follow are made when they are asked for, the last of them, held or not; else `null`. */
  lastOfLater(seq: number): number | null {
    const stretch = this.#stretchOf(seq)
    return stretch === undefined || stretch.kept >= 0 ? null : stretch.first + stretch.count - 1
  }

  /** Those of the last `count` events that were pushed whose `seq` is at least this. */
  *pushedSince(seq: number, count: number): Generator<LoopEvent> {
    for (let index = Math.max(0, this.#kept - Math.min(count, this.capacity)); index < this.#kept; index++) {
      const event = this.#events[index % this.capacity] as LoopEvent
      if (event.seq >= seq) yield event
    }
  }

  /** The events since time `t`, in seconds on the loop's clock; of those after event `after`, and the last `most`. */
  since(t: number, most = Infinity, after = 0): LoopEvent[] {
    const events: LoopEvent[] = []
    for (let seq = this.last; seq >= this.first && seq > after && events.length < most; seq--) {
      const event = this.find(seq)
      if (event === null || event.t < t) break
      events.push(event)
    }
    return events.reverse()
  }

  /** An event that is held, as JSON: the same text for whoever asks, unless the event is made for each. */
  encoded(event: LoopEvent): string {
    const stretch = this.#stretchOf(event.seq)
    if (stretch === undefined || stretch.kept < 0) return JSON.stringify(event)
    return (this.#encoded[(stretch.kept + event.seq - stretch.first) % this.capacity] ??= JSON.stringify(event))
  }

  cursor(seq: number): string {
    return `${this.epoch}:${seq}`
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
    const oldestKept = this.#kept < this.capacity ? 0 : (this.#events[this.#kept % this.capacity]?.seq ?? 0)
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
