// Waiting puts, first in, first out. One batch is under way at a time, and each put has a number: a put whose answer was lost
// is sent again and not made twice.
import { Deque } from '../../runtime/deque.ts'
import { QueueFull, QueueShutDown } from '../../runtime/exceptions.ts'
import { RedisUnavailable, type Link } from './link.ts'
import { RemoteWaiter } from './remote-waiter.ts'
import { PUT, WITHDRAW } from './scripts.ts'

/** The most items that go to Redis at once, and the bytes beyond which no further item is added. */
const MOST_ITEMS = 64
const MOST_BYTES = 1_000_000

/** An item on its way to Redis. */
export interface NewItem {
  readonly json: string
  /** Milliseconds. */
  readonly delay: number
  readonly priority: number
  /** '' for one without a name. */
  readonly name: string
}

export class PutWaiter extends RemoteWaiter {
  readonly number: number
  readonly item: NewItem
  /** It fails if there is no room. */
  readonly now: boolean
  /** Its task was interrupted: it must not be put. */
  left = false
  /** Its item's id in Redis, once it is there; '' if the id is not known. */
  id: string | null = null

  constructor(owner: object, number: number, item: NewItem, now: boolean) {
    super('queue.put', owner)
    this.number = number
    this.item = item
    this.now = now
  }
}

export class Puts {
  /** Items that Redis has acknowledged. */
  count = 0
  /** Items that were not put because an unfinished one has their name. */
  duplicates = 0
  readonly waiters = new Deque<PutWaiter>()
  readonly #owner: object
  readonly #link: Link
  readonly #maxsize: number
  readonly #report: (what: string, error: unknown) => void
  readonly #withdrawn: string[] = []
  #numbers = 0
  #asking = false
  #question: Promise<void> = Promise.resolve()
  #isFull = false
  /** Room was made after the open question was asked, or just before. */
  #isNews = false

  constructor(owner: object, link: Link, maxsize: number, report: (what: string, error: unknown) => void) {
    this.#owner = owner
    this.#link = link
    this.#maxsize = maxsize
    this.#report = report
  }

  join(item: NewItem, now: boolean): PutWaiter {
    const waiter = new PutWaiter(this.#owner, ++this.#numbers, item, now)
    this.waiters.push(waiter)
    if (now) this.#isFull = false
    this.pump()
    return waiter
  }

  /** Its task was interrupted: an item that is in the queue already is taken back, unless a consumer was quicker. */
  leave(waiter: PutWaiter): void {
    waiter.left = true
    this.waiters.remove(waiter)
    if (waiter.id !== null) this.#withdraw(waiter.id)
  }

  /** There may be room, or Redis may be back. */
  retry(): void {
    this.#isFull = false
    this.#isNews = true
    this.pump()
  }

  pump(): void {
    if (this.#withdrawn.length > 0) this.#withdraw('')
    if (this.#asking || this.#isFull || this.waiters.length === 0 || !this.#link.ready) return
    const batch: PutWaiter[] = []
    let bytes = 0
    for (const waiter of this.waiters) {
      if (batch.length === MOST_ITEMS || bytes > MOST_BYTES) break
      batch.push(waiter)
      bytes += Buffer.byteLength(waiter.item.json)
    }
    this.#asking = true
    this.#isNews = false
    const items = batch.flatMap(({ number, item: { json, delay, priority, name } }) => [String(number), json, String(delay), String(priority), name])
    this.#question = this.#link.ask(PUT, String(this.#maxsize), ...items).then(
      (answer) => this.#onAnswer(batch, answer),
      (error: unknown) => this.#onError(batch, error),
    )
  }

  #onAnswer(batch: readonly PutWaiter[], answer: unknown[] | null): void {
    this.#asking = false
    const [ids = [], duplicates = 0, closed = 0] = (answer ?? []) as [ids?: string[], duplicates?: number, closed?: number]
    this.duplicates += duplicates
    this.count -= duplicates
    for (const [at, id] of ids.entries()) {
      const waiter = batch[at] as PutWaiter
      waiter.id = id
      if (waiter.left) this.#withdraw(id)
      else {
        this.count++
        this.waiters.remove(waiter)
        waiter.wake()
      }
    }
    if (closed === 1) this.failAll(new QueueShutDown(`${String(this.#owner)} was shut down`))
    else if (answer !== null && ids.length < batch.length) {
      this.#isFull = !this.#isNews
      for (const waiter of batch.slice(ids.length)) {
        if (!waiter.now) continue
        this.waiters.remove(waiter)
        waiter.fail(new QueueFull(`${String(this.#owner)} is full`))
      }
    }
    this.pump()
  }

  #onError(batch: readonly PutWaiter[], error: unknown): void {
    this.#asking = false
    // They keep their places until Redis is back.
    if (error instanceof RedisUnavailable) return
    for (const waiter of batch) {
      this.waiters.remove(waiter)
      waiter.fail(error as Error)
    }
    this.pump()
  }

  failAll(error: Error): void {
    let waiter: PutWaiter | undefined
    while ((waiter = this.waiters.shift()) !== undefined) waiter.fail(error)
  }

  #withdraw(id: string): void {
    if (id !== '') this.#withdrawn.push(id)
    if (!this.#link.ready) return
    const ids = this.#withdrawn.splice(0, MOST_ITEMS)
    if (ids.length === 0) return
    this.#link.ask(WITHDRAW, ...ids).catch((error: unknown) => {
      if (error instanceof RedisUnavailable) this.#withdrawn.push(...ids)
      else this.#report('an item stays in the queue although its put was cancelled', error)
    })
  }

  /** Sends what is left before the connection is closed. */
  async settle(): Promise<void> {
    await this.#question
    while (this.#withdrawn.length > 0 && this.#link.ready) await this.#link.ask(WITHDRAW, ...this.#withdrawn.splice(0, MOST_ITEMS))
  }
}
