// Waiting gets. One question is under way at a time, for as many items as there are tasks. An item for a task that has gone is
// given to the next task, or back to the queue without one.
import { Deque } from '../../runtime/deque.ts'
import { QueueEmpty, QueueShutDown } from '../../runtime/exceptions.ts'
import { PENDING } from '../../runtime/waiter.ts'
import { describe } from '../../runtime/describe.ts'
import type { Unacked, Item } from './unacked.ts'
import { RedisUnavailable, type Link } from './link.ts'
import { RemoteWaiter } from './remote-waiter.ts'
import { GET } from './scripts.ts'

/** The most items asked for at once. */
const MOST_ITEMS = 64

export interface GetsOptions<T> {
  /** The object that errors name. */
  owner: object
  link: Link
  unacked: Unacked<T>
  /** Whether a value is a valid item; others become dead letters. */
  isItem: (value: unknown) => boolean
  /** How often an item may fail; 0: any number of times. */
  tries: number
  /** In milliseconds, after which `retry` is called in any case. */
  poll: number
}

type Answer = [entries: [id: string, json: string, deliveries: number, failures: number][], buried: number, why: string, drained: number, due: number, over: number]

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
  readonly #tries: string
  readonly #poll: number
  /** The next delayed item is due. */
  #due: NodeJS.Timeout | undefined
  #asking = false
  #question: Promise<void> = Promise.resolve()
  #isEmpty = false
  /** Something was put after the open question was asked, or just before. */
  #isNews = false

  constructor({ owner, link, unacked, isItem, tries, poll }: GetsOptions<T>) {
    this.#owner = owner
    this.#link = link
    this.#unacked = unacked
    this.#isItem = isItem
    this.#tries = String(tries)
    this.#poll = poll
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
    this.#question = this.#link.ask(GET, String(wanted), this.#tries).then((answer) => this.#onAnswer(answer), (error: unknown) => {
      this.#asking = false
      // They keep their places until Redis is back.
      if (!(error instanceof RedisUnavailable)) this.failAll(error as Error)
    })
  }

  #onAnswer(answer: unknown[] | null): void {
    this.#asking = false
    const [entries = [], buried = 0, why = '', drained = 0, due = -1, over = 0] = (answer ?? []) as Partial<Answer>
    if (buried > 0) this.#unacked.onBuried(buried, why)
    for (const [id, json, deliveries, failures] of entries) {
      const [value, why] = this.#read(json)
      // Left in the queue, it would be delivered again and again.
      if (why !== null) this.#unacked.bury(id, why)
      else this.#pass(this.#unacked.add({ id, value, deliveries, failures, task: null }))
    }
    const isShort = drained === 1
    this.#isEmpty = isShort && !this.#isNews
    this.#unacked.compare()
    if (over === 1) this.failAll(new QueueShutDown(`${String(this.#owner)} was shut down, and is empty`))
    if (this.waiters.length > 0 && due >= 0 && due < this.#poll) {
      clearTimeout(this.#due)
      this.#due = setTimeout(() => this.retry(), due + 1).unref()
    }
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
    clearTimeout(this.#due)
    return this.#question
  }

  failAll(error: Error): void {
    let waiter: GetWaiter<T> | undefined
    while ((waiter = this.#next()) !== undefined) waiter.fail(error)
  }
}
