// The last events of one loop, in a ring: bounded by count, addressed by `seq`. Each is encoded at most once, whoever
// and however many want it.
import type { LoopEvent } from './events.ts'

/** Events that follow each other and are made once they are asked for. */
interface Later {
  first: number
  count: number
  make: (offset: number) => LoopEvent
}

export class History {
  /** Changes when a loop starts anew, so that an old cursor is not taken for one of this loop's. */
  readonly epoch: string
  readonly capacity: number
  /** The last `seq` given out. */
  last: number
  /** Nothing before this `seq` joins on to what came since: it was lost, or not heard of. */
  #from: number
  readonly #events: (LoopEvent | undefined)[]
  readonly #encoded: (string | undefined)[]
  /** Oldest first; those before `#laterAt` are forgotten. */
  #later: Later[] = []
  #laterAt = 0

  /** The history of a loop that begins now; or, with the epoch of another process' loop, of that one from after event `last` on. */
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
    return Math.max(this.#from, this.last - this.capacity + 1)
  }

  /** Keep an event; its `seq` must be `last + 1`. The oldest one goes if there is no room. Its JSON, where that is there already. */
  push(event: LoopEvent, encoded?: string): void {
    const at = event.seq % this.capacity
    this.#events[at] = event
    this.#encoded[at] = encoded
    this.last = event.seq
  }

  /** Keep `count` events that are made once somebody asks for them: `make(offset)` gives the one that many after the first. */
  pushLater(count: number, make: (offset: number) => LoopEvent): void {
    this.#later.push({ first: this.last + 1, count, make })
    this.last += count
    const oldest = this.last - this.capacity + 1
    for (let first = this.#later[this.#laterAt] as Later; first.first + first.count <= oldest; first = this.#later[this.#laterAt] as Later) this.#laterAt++
    if (this.#laterAt * 2 <= this.#later.length) return
    this.#later = this.#later.slice(this.#laterAt)
    this.#laterAt = 0
  }

  /** These many events were lost before they could be kept: their numbers are used up. */
  skip(count: number): void {
    this.last += count
    this.#from = this.last + 1
  }

  /** The event with this `seq`, `null` where it is held no more, or was lost. */
  find(seq: number): LoopEvent | null {
    const event = this.#events[seq % this.capacity]
    return event === undefined || event.seq !== seq ? this.#make(seq) : event
  }

  /** The event with this `seq`, which must still be held. */
  at(seq: number): LoopEvent {
    const event = this.find(seq)
    if (event === null) throw new RangeError(`history: event ${seq} is not held`)
    return event
  }

  /** The events since time `t`, in seconds on the loop's clock. */
  since(t: number): LoopEvent[] {
    const events: LoopEvent[] = []
    for (let seq = this.last; seq >= this.first; seq--) {
      const event = this.find(seq)
      if (event === null || event.t < t) break
      events.push(event)
    }
    return events.reverse()
  }

  /** The same event as JSON. */
  encoded(seq: number): string {
    const event = this.at(seq)
    return (this.#encoded[seq % this.capacity] ??= JSON.stringify(event))
  }

  cursor(seq: number): string {
    return `${this.epoch}:${seq}`
  }

  #make(seq: number): LoopEvent | null {
    if (this.#later.length === 0 || seq <= this.last - this.capacity) return null
    let low = this.#laterAt
    let high = this.#later.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if ((this.#later[middle] as Later).first <= seq) low = middle
      else high = middle - 1
    }
    const { first, count, make } = this.#later[low] as Later
    if (seq < first || seq >= first + count) return null
    const event = make(seq - first)
    event.seq = seq
    const at = seq % this.capacity
    this.#events[at] = event
    this.#encoded[at] = undefined
    return event
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
