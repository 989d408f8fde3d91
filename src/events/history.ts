// The last events of one loop: bounded by count and in bytes, addressed by `seq`. Each is encoded at most once, whoever and however many
// want it.
import type { LoopEvent } from './schema.ts'
import { sizeOfEvent } from './texts.ts'

/** Room for so many bytes for each event that is kept, on average: short events may be as many as the history holds. */
const BYTES_AN_EVENT = 1024

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

  /**
   * The history of a loop that begins now; or, with the epoch of another process' loop, of that one from after event `last`
   * on. It holds the last `capacity` events, or fewer where those are long.
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
    this.last = event.seq
    this.#grow(at, sizeOfEvent(event) + (encoded?.length ?? 0))
  }

  /** These many events were lost before they could be kept: their numbers are used up. */
  skip(count: number): void {
    this.last += count
    this.#from = this.last + 1
  }

  /** The event with this `seq`, `null` where it is held no more, or was lost. */
  find(seq: number): LoopEvent | null {
    return this.#events[this.#placeOf(seq)] ?? null
  }

  /** The event with this `seq`, which must still be held. */
  at(seq: number): LoopEvent {
    const event = this.find(seq)
    if (event === null) throw new RangeError(`history: event ${seq} is not kept`)
    return event
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

  /** An event that is held, as JSON: the same text for whoever asks. */
  encoded(event: LoopEvent): string {
    const at = this.#placeOf(event.seq)
    if (this.#events[at] !== event) return JSON.stringify(event)
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

  /** Where the event with this `seq` is kept; -1: nowhere. */
  #placeOf(seq: number): number {
    const { capacity } = this
    // Nothing was lost since, as a rule.
    const place = (this.#kept - 1 - (this.last - seq)) % capacity
    if (this.#events[place]?.seq === seq) return place
    let low = this.#gone
    let high = this.#kept
    while (low < high) {
      const middle = Math.floor((low + high) / 2)
      if ((this.#events[middle % capacity] as LoopEvent).seq < seq) low = middle + 1
      else high = middle
    }
    return this.#events[low % capacity]?.seq === seq ? low % capacity : -1
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
