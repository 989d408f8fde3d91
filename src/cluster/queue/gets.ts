// Who gets: a line of tasks. One question is under way at a time, for as many items as there are tasks; an item that comes
// for a task that is gone goes to the next one, and where there is none, back to the queue.
import { Deque } from '../../runtime/deque.ts'
import { QueueEmpty } from '../../runtime/exceptions.ts'
import { PENDING } from '../../runtime/waiter.ts'
import { describe } from '../../runtime/describe.ts'
import type { Hand, Item } from './hand.ts'
import { Away, type Link } from './link.ts'
import { Place } from './line.ts'
import { GET } from './scripts.ts'

/** Items asked for at once. */
const MOST_ITEMS = 64

export class GetPlace<T> extends Place {
  /** It fails where there is no item. */
  readonly now: boolean
  /** A question was sent while it stood in the line. */
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
  #asking = false
  #question: Promise<void> = Promise.resolve()
  #isEmpty = false
  /** Something was put after the question that is under way was asked, or just before. */
  #isNews = false

  constructor(owner: object, link: Link, hand: Hand<T>) {
    this.#owner = owner
    this.#link = link
    this.#hand = hand
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

  /** There may be items, or Redis again. */
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
    this.#question = this.#link.ask(GET, String(wanted)).then((answer) => this.#onAnswer(wanted, answer), (error: unknown) => {
      this.#asking = false
      // They keep their places, until Redis is back.
      if (!(error instanceof Away)) this.failAll(error as Error)
    })
  }

  #onAnswer(wanted: number, answer: unknown[] | null): void {
    this.#asking = false
    const entries = (answer?.[0] ?? []) as [id: string, json: string, deliveries: number][]
    for (const [id, json, deliveries] of entries) {
      try {
        this.#pass(this.#hand.add(id, JSON.parse(json) as T, deliveries))
      } catch {
        // Whoever put it, it would only come again.
        this.#hand.finishId(id)
        this.#next()?.fail(new TypeError(`${String(this.#owner)}: item ${id} is not JSON and was dropped: ${describe(json)}`))
      }
    }
    const isShort = answer !== null && entries.length < wanted
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

  /** Resolves when nothing more will come. */
  settle(): Promise<void> {
    return this.#question
  }

  failAll(error: Error): void {
    let place: GetPlace<T> | undefined
    while ((place = this.#next()) !== undefined) place.fail(error)
  }
}
