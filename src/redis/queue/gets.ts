// Waiting gets. One question is under way at a time, for as many items as there are tasks. An item for a task that has gone is
// given to the next task, or back to the queue if there is none.
import { Deque } from '../../runtime/deque.ts'
import { QueueEmpty } from '../../runtime/exceptions.ts'
import { PENDING } from '../../runtime/waiter.ts'
import { describe } from '../../runtime/describe.ts'
import type { Hand, Item } from './unacked.ts'
import { Away, type Link } from './link.ts'
import { Place } from './line.ts'
import { GET } from './scripts.ts'

/** The most items asked for at once. */
const MOST_ITEMS = 64

export class GetPlace<T> extends Place {
  /** It fails if there is no item. */
  readonly now: boolean
  /** A question was sent while it waited. */
  asked = false
  item: Item<T> | null = null

  constructor(owner: object, now: boolean) {
    super('queue.get', owner)
    this.now = now
  }
}

export class Gets<T> {
  readonly line = new Deque<GetPlace<T>>()
  readonly #owner: object
  readonly #link: Link
  readonly #hand: Hand<T>
  readonly #isItem: (value: unknown) => boolean
  #asking = false
  #question: Promise<void> = Promise.resolve()
  #isEmpty = false
  /** Something was put after the open question was asked, or just before. */
  #isNews = false

  /** `isItem`: whether a value is a valid item; others are set aside. */
  constructor(owner: object, link: Link, hand: Hand<T>, isItem: (value: unknown) => boolean) {
    this.#owner = owner
    this.#link = link
    this.#hand = hand
    this.#isItem = isItem
  }

  join(now: boolean): GetPlace<T> {
    const place = new GetPlace<T>(this.#owner, now)
    this.line.push(place)
    if (now) this.#isEmpty = false
    this.pump()
    return place
  }

  /** Its task was interrupted. */
  leave(place: GetPlace<T>): void {
    this.line.remove(place)
    if (place.item !== null) this.#pass(place.item)
  }

  /** There may be items, or Redis may be back. */
  retry(): void {
    this.#isEmpty = false
    this.#isNews = true
    this.pump()
  }

  pump(): void {
    const wanted = Math.min(this.line.length, MOST_ITEMS)
    // An item that may be back already could be got, and then given back a second time.
    if (this.#asking || this.#isEmpty || wanted === 0 || !this.#link.ready || this.#hand.isReturning) return
    this.#isNews = false
    for (const place of this.line) place.asked = true
    this.#asking = true
    this.#question = this.#link.ask(GET, String(wanted)).then((answer) => this.#onAnswer(answer), (error: unknown) => {
      this.#asking = false
      // They keep their places until Redis is back.
      if (!(error instanceof Away)) this.failAll(error as Error)
    })
  }

  #onAnswer(answer: unknown[] | null): void {
    this.#asking = false
    const [entries = [], aside = 0, drained = 0] = (answer ?? []) as [entries?: [id: string, json: string, deliveries: number][], aside?: number, drained?: number]
    if (aside > 0) this.#hand.onSetAside(aside, 'too long, or not an item of a queue')
    for (const [id, json, deliveries] of entries) {
      const [value, why] = this.#read(json)
      // Left in the queue, it would be delivered again and again.
      if (why !== null) this.#hand.setAside(id, why)
      else this.#pass(this.#hand.add(id, value, deliveries))
    }
    const isShort = drained === 1
    this.#isEmpty = isShort && !this.#isNews
    this.#hand.compare()
    if (isShort) {
      for (const place of [...this.line]) {
        if (!place.now || !place.asked) continue
        this.line.remove(place)
        place.fail(new QueueEmpty(`${String(this.#owner)} is empty`))
      }
    }
    this.pump()
  }

  /** The item in this JSON, or why there is none. */
  #read(json: string): [value: T, why: null] | [value: null, why: string] {
    try {
      const value = JSON.parse(json) as T
      return this.#isItem(value) ? [value, null] : [null, `it is not what is expected here: ${describe(value)}`]
    } catch (error) {
      return [null, error instanceof SyntaxError ? `it is not JSON: ${describe(json)}` : `it could not be looked at: ${describe(error)}`]
    }
  }

  #next(): GetPlace<T> | undefined {
    let place: GetPlace<T> | undefined
    while ((place = this.line.shift()) !== undefined && place.state !== PENDING);
    return place
  }

  #pass(item: Item<T>): void {
    const place = this.#next()
    if (place === undefined) this.#hand.giveBack(item)
    else {
      place.item = item
      place.wake()
    }
  }

  /** Resolves when nothing more will arrive. */
  settle(): Promise<void> {
    return this.#question
  }

  failAll(error: Error): void {
    let place: GetPlace<T> | undefined
    while ((place = this.#next()) !== undefined) place.fail(error)
  }
}
