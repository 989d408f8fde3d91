// Waiting gets. One question is under way at a time, for as many items as there are tasks. An item for a task that has gone is
// given to the next task, or back to the queue without one.
import { Deque } from '../../runtime/deque.ts'
import { QueueEmpty } from '../../runtime/exceptions.ts'
import { PENDING } from '../../runtime/waiter.ts'
import { describe } from '../../runtime/describe.ts'
import type { Unacked, Item } from './unacked.ts'
import { RedisUnavailable, type Link } from './link.ts'
import { RemoteWaiter } from './remote-waiter.ts'
import { GET } from './scripts.ts'

/** The most items asked for at once. */
const MOST_ITEMS = 64

export class GetWaiter<T> extends RemoteWaiter {
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
  readonly waiters = new Deque<GetWaiter<T>>()
  readonly #owner: object
  readonly #link: Link
  readonly #unacked: Unacked<T>
  readonly #isItem: (value: unknown) => boolean
  #asking = false
  #question: Promise<void> = Promise.resolve()
  #isEmpty = false
  /** Something was put after the open question was asked, or just before. */
  #isNews = false

  /** `isItem`: whether a value is a valid item; others are set aside. */
  constructor(owner: object, link: Link, hand: Unacked<T>, isItem: (value: unknown) => boolean) {
    this.#owner = owner
    this.#link = link
    this.#unacked = hand
    this.#isItem = isItem
  }

  join(now: boolean): GetWaiter<T> {
    const waiter = new GetWaiter<T>(this.#owner, now)
    this.waiters.push(waiter)
    if (now) this.#isEmpty = false
    this.pump()
    return waiter
  }

  /** Its task was interrupted. */
  leave(waiter: GetWaiter<T>): void {
    this.waiters.remove(waiter)
    if (waiter.item !== null) this.#pass(waiter.item)
  }

  /** There may be items, or Redis may be back. */
  retry(): void {
    this.#isEmpty = false
    this.#isNews = true
    this.pump()
  }

  pump(): void {
    const wanted = Math.min(this.waiters.length, MOST_ITEMS)
    // An item that may be back already could be got, and then given back a second time.
    if (this.#asking || this.#isEmpty || wanted === 0 || !this.#link.ready || this.#unacked.isReturning) return
    this.#isNews = false
    for (const waiter of this.waiters) waiter.asked = true
    this.#asking = true
    this.#question = this.#link.ask(GET, String(wanted)).then((answer) => this.#onAnswer(answer), (error: unknown) => {
      this.#asking = false
      // They keep their places until Redis is back.
      if (!(error instanceof RedisUnavailable)) this.failAll(error as Error)
    })
  }

  #onAnswer(answer: unknown[] | null): void {
    this.#asking = false
    const [entries = [], aside = 0, drained = 0] = (answer ?? []) as [entries?: [id: string, json: string, deliveries: number][], aside?: number, drained?: number]
    if (aside > 0) this.#unacked.onSetAside(aside, 'too long, or not an item of a queue')
    for (const [id, json, deliveries] of entries) {
      const [value, why] = this.#read(json)
      // Left in the queue, it would be delivered again and again.
      if (why !== null) this.#unacked.setAside(id, why)
      else this.#pass(this.#unacked.add(id, value, deliveries))
    }
    const isShort = drained === 1
    this.#isEmpty = isShort && !this.#isNews
    this.#unacked.compare()
    if (isShort) {
      for (const waiter of [...this.waiters]) {
        if (!waiter.now || !waiter.asked) continue
        this.waiters.remove(waiter)
        waiter.fail(new QueueEmpty(`${String(this.#owner)} is empty`))
      }
    }
    this.pump()
  }

  /** The item in this JSON, or why it is not one. */
  #read(json: string): [value: T, why: null] | [value: null, why: string] {
    try {
      const value = JSON.parse(json) as T
      return this.#isItem(value) ? [value, null] : [null, `it is not what is expected here: ${describe(value)}`]
    } catch (error) {
      return [null, error instanceof SyntaxError ? `it is not JSON: ${describe(json)}` : `it could not be looked at: ${describe(error)}`]
    }
  }

  #next(): GetWaiter<T> | undefined {
    let waiter: GetWaiter<T> | undefined
    while ((waiter = this.waiters.shift()) !== undefined && waiter.state !== PENDING);
    return waiter
  }

  #pass(item: Item<T>): void {
    const waiter = this.#next()
    if (waiter === undefined) this.#unacked.giveBack(item)
    else {
      waiter.item = item
      waiter.wake()
    }
  }

  /** Resolves when nothing more will arrive. */
  settle(): Promise<void> {
    return this.#question
  }

  failAll(error: Error): void {
    let waiter: GetWaiter<T> | undefined
    while ((waiter = this.#next()) !== undefined) waiter.fail(error)
  }
}
