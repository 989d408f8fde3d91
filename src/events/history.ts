// The last events of one loop: bounded in number and in bytes, addressed by `seq`. Each event is encoded once for all readers, as
// long as there is room for its JSON.
import { lowerBound } from './lower-bound.ts'
import { PackedEvents } from './packed-events.ts'
import type { LoopEvent } from './schema.ts'
import { sizeOfEvent } from './texts.ts'

/** Average room in bytes for each event. Short events fill the history up to its capacity. */
const BYTES_AN_EVENT = 1024

export class History {
  /** Changes when a loop starts again, so that its events are not mixed up with those of an old cursor. */
  readonly epoch: string
  readonly capacity: number
  /** The most bytes of all kept events, including their JSON. */
  readonly mostBytes: number
  /** The `seq` of the last event. */
  last: number
  /** From this `seq` on, no event is missing. */
  #from: number
  readonly #events = new PackedEvents()
  readonly #encoded: (string | undefined)[]
  /** The `seq` of each event; 0 where none is kept. */
  readonly #seqs: Float64Array
  /** The size of each event in bytes. */
  readonly #sizes: Uint32Array
  #bytes = 0
  /** How many events were pushed, and how many of those were removed. */
  #kept = 0
  #gone = 0

  /**
   * The history of a loop that starts now; or, with the epoch of another process' loop, of that one after event `last`. It
   * keeps the last `capacity` events, fewer if they are long.
   */
  constructor(capacity: number, epoch = newEpoch(), last = 0) {
    this.capacity = capacity
    this.mostBytes = capacity * BYTES_AN_EVENT
    this.#sizes = new Uint32Array(capacity)
    this.#seqs = new Float64Array(capacity)
    this.epoch = epoch
    this.last = last
    this.#from = last + 1
    this.#encoded = new Array<string | undefined>(capacity).fill(undefined)
  }

  /** The oldest `seq` from which on no event is missing; `last + 1` if no event is kept. */
  get first(): number {
    return this.#from
  }

  /** Keeps an event; its `seq` must be `last + 1`. If there is no room, the oldest one is removed. `encoded` is its JSON, if it exists already. */
  push(event: LoopEvent, encoded?: string): void {
    const kept = this.#kept++
    if (kept - this.#gone === this.capacity) this.#dropOldest()
    const at = kept % this.capacity
    this.#events.set(at, event)
    this.#encoded[at] = encoded
    this.last = this.#seqs[at] = event.seq
    this.#grow(at, sizeOfEvent(event) + (encoded?.length ?? 0))
  }

  /** This many events were lost before they could be kept. Their numbers are used up. */
  skip(count: number): void {
    this.last += count
    this.#from = this.last + 1
  }

  /** The event with this `seq`; `null` if it was removed or lost. */
  find(seq: number): LoopEvent | null {
    const at = this.#indexOf(seq)
    return at === -1 ? null : this.#events.get(at, seq)
  }

  /** The event with this `seq`, which must still be kept. */
  at(seq: number): LoopEvent {
    const event = this.find(seq)
    if (event === null) throw new RangeError(`history: event ${seq} is not kept`)
    return event
  }

  /** The events with at least this `seq` among the last `count` that were pushed. */
  *pushedSince(seq: number, count: number): Generator<LoopEvent> {
    for (let index = Math.max(this.#gone, this.#kept - count); index < this.#kept; index++) {
      const at = index % this.capacity
      const its = this.#seqs[at] as number
      // The caller may encode an event, and its JSON may push out an older one, whose `seq` is then 0.
      if (its > 0 && its >= seq) yield this.#events.get(at, its)
    }
  }

  /** The last events since time `t` (seconds on the loop's clock) and after event `after`: at most `most` events and `bytes` bytes. */
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

  /** The event as JSON. Readers of a kept event share the text. */
  encoded(event: LoopEvent): string {
    const at = this.#indexOf(event.seq)
    if (at === -1) return JSON.stringify(event)
    const known = this.#encoded[at]
    if (known !== undefined) return known
    const json = JSON.stringify(event)
    // It must not push out the events that come next to a reader of the past.
    const old = event.seq - this.first < this.last - event.seq
    if (old && this.#bytes + json.length > this.mostBytes) return json
    this.#encoded[at] = json
    this.#grow(at, json.length)
    return json
  }

  cursor(seq: number): string {
    return `${this.epoch}:${seq}`
  }

  /** The event at this index takes `bytes` more. Removes the oldest events over the limit, but never the last one. */
  #grow(at: number, bytes: number): void {
    this.#sizes[at] = (this.#sizes[at] as number) + bytes
    this.#bytes += bytes
    while (this.#bytes > this.mostBytes && this.#gone < this.#kept - 1) this.#dropOldest()
  }

  #dropOldest(): void {
    const at = this.#gone++ % this.capacity
    const seq = this.#seqs[at] as number
    if (seq >= this.#from) this.#from = seq + 1
    this.#seqs[at] = 0
    this.#events.clear(at)
    this.#encoded[at] = undefined
    this.#bytes -= this.#sizes[at] as number
    this.#sizes[at] = 0
  }

  /** The index of the event with this `seq`; -1 if it is not kept. */
  #indexOf(seq: number): number {
    const { capacity } = this
    if (seq < 1) return -1
    // Usually no event was lost since, and the index can be calculated.
    const place = (this.#kept - 1 - (this.last - seq)) % capacity
    if (this.#seqs[place] === seq) return place
    const gone = this.#gone
    const at = (gone + lowerBound(this.#kept - gone, (index) => (this.#seqs[(gone + index) % capacity] as number) < seq)) % capacity
    return this.#seqs[at] === seq ? at : -1
  }
}

function newEpoch(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(6)), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

export interface Cursor {
  epoch: string
  seq: number
}

/** Reads `epoch:seq`; `null` for anything else. */
export function parseCursor(text: string): Cursor | null {
  const match = /^([0-9a-f]{1,32}):(0|[1-9]\d{0,14})$/.exec(text)
  return match === null ? null : { epoch: match[1] as string, seq: Number(match[2]) }
}
