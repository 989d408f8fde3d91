// The items of a shared queue in this process: on their way to a task, or with one. While there are any, this consumer's lease
// is renewed. What is done or given back is sent to Redis until Redis acknowledges it.
import type { Task } from '../../runtime/task.ts'
import { RedisUnavailable, type Link } from './link.ts'
import { BURY, DONE, MINE, RENEW, RETURN } from './scripts.ts'

const MOST_AT_ONCE = 256

export interface Item<T> {
  readonly id: string
  readonly value: T
  /** How often it was delivered, including this time. */
  readonly deliveries: number
  /** How many tries failed: with a consumer that said so, or that died. */
  readonly failures: number
  /** The task that got it; `null` until then. */
  task: Task<unknown> | null
}

/** An item on its way back to the queue. */
interface Returned {
  readonly deliveries: number
  /** Milliseconds. */
  readonly delay: number
  /** Why the try has failed; '' if none has. */
  readonly why: string
}

export interface UnackedOptions {
  link: Link
  /** Seconds. */
  lease: number
  /** How often an item may fail; 0: any number of times. */
  tries: number
  onDone: () => void
  onReturned: () => void
  report: (what: string, error?: unknown) => void
}

export class Unacked<T> {
  /** Items that arrived for the second time or more. */
  redelivered = 0
  /** Items that were reported done, as Redis acknowledged. */
  done = 0
  /** Tries that failed here, as Redis acknowledged. */
  failed = 0
  /** Items that became dead letters here. */
  buried = 0
  readonly #link: Link
  readonly #tries: string
  readonly #onDone: () => void
  readonly #onReturned: () => void
  readonly #report: (what: string, error?: unknown) => void
  readonly #items = new Map<string, Item<T>>()
  readonly #byTask = new Map<Task<unknown>, Item<T>[]>()
  /** Ids that are done, and not yet acknowledged. */
  readonly #finished = new Set<string>()
  readonly #returned = new Map<string, Returned>()
  /** Ids of items that cannot be read, and why. */
  readonly #unreadable = new Map<string, string>()
  /** The lease is `lease` seconds. */
  readonly #renewMs: number
  #timer: NodeJS.Timeout | null = null
  #sending: Promise<void> | null = null
  #comparing = false
  #soon = false

  constructor({ link, lease, tries, onDone, onReturned, report }: UnackedOptions) {
    this.#link = link
    this.#tries = String(tries)
    this.#renewMs = lease * 1000 / 3
    this.#onDone = onDone
    this.#onReturned = onReturned
    this.#report = report
  }

  /** How many items tasks here have and have not reported done. */
  get size(): number {
    return this.#items.size
  }

  /** Whether something is on its way back. */
  get isReturning(): boolean {
    return this.#returned.size > 0
  }

  /** An item that arrived. */
  add(item: Item<T>): Item<T> {
    this.#items.set(item.id, item)
    this.#timer ??= setInterval(() => this.#renew(), this.#renewMs).unref()
    return item
  }

  /** `task` gets it. */
  give(item: Item<T>, task: Task<unknown>): T {
    item.task = task
    if (item.deliveries > 1) this.redelivered++
    const items = this.#byTask.get(task)
    if (items === undefined) this.#byTask.set(task, [item])
    else items.push(item)
    return item.value
  }

  /** The first item that `task` got and still has; or, with a value, the item with that value, of this task or else of any. */
  find(task: Task<unknown> | null, value: { is: T } | null): Item<T> | undefined {
    const own = (task === null ? undefined : this.#byTask.get(task)) ?? []
    if (value === null) return own[0]
    const isIt = (item: Item<T>): boolean => Object.is(item.value, value.is)
    return own.find(isIt) ?? [...this.#byTask.values()].flat().find(isIt)
  }

  finish(item: Item<T>): void {
    // For a queue that Redis lost, there is nothing to report.
    if (this.#remove(item)) this.finishId(item.id)
  }

  finishId(id: string): void {
    this.#finished.add(id)
    this.#sendSoon()
  }

  /** The content of this id is not a valid item: it becomes a dead letter. */
  bury(id: string, why: string): void {
    this.#unreadable.set(id, why)
    this.#sendSoon()
  }

  /** This many items became dead letters. */
  onBuried(count: number, why: string): void {
    this.buried += count
    this.#report(`${count === 1 ? 'an item became a dead letter' : `${count} items became dead letters`} in ${this.#link.dead}: ${why}`)
  }

  /** Gives it back to be delivered again, after `delay` ms. If no task had it, this delivery does not count. `why`: a try has failed. */
  giveBack(item: Item<T>, delay = 0, why = ''): void {
    if (this.#remove(item)) this.#giveBackId(item.id, { deliveries: item.task === null ? item.deliveries - 1 : item.deliveries, delay, why })
  }

  #giveBackId(id: string, returned: Returned): void {
    this.#returned.set(id, returned)
    this.#sendSoon()
  }

  #remove(item: Item<T>): boolean {
    const left = item.task === null ? [] : this.#byTask.get(item.task) ?? []
    if (left.includes(item)) left.splice(left.indexOf(item), 1)
    if (left.length === 0 && item.task !== null) this.#byTask.delete(item.task)
    return this.#items.delete(item.id)
  }

  /** Redis lost the queue: tasks here keep their items, but nothing has to be reported. */
  forget(): void {
    this.#items.clear()
    this.#finished.clear()
    this.#returned.clear()
    this.#unreadable.clear()
  }

  /** Redis is back: an answer may have been lost, and items with it. */
  onReady(): void {
    this.#compareNow()
    void this.#send()
  }

  #renew(): void {
    if (this.#known === 0) {
      if (this.#timer !== null) clearInterval(this.#timer)
      this.#timer = null
    } else if (this.#link.ready) {
      this.#link.ask(RENEW).then(() => this.compare(), (error: unknown) => this.#complain('cannot renew its lease', error))
    }
  }

  /** Checks whether Redis counts more items for this consumer than it has: those of an answer that was lost. */
  compare(): void {
    if (this.#link.figures.mine > this.#known) this.#compareNow()
  }

  #compareNow(): void {
    if (this.#comparing || !this.#link.ready) return
    this.#comparing = true
    this.#link.ask(MINE, String(MOST_AT_ONCE + this.#known)).then((answer) => {
      this.#comparing = false
      for (const [id, deliveries] of (answer?.[0] ?? []) as [string, number][]) {
        if (!this.#items.has(id) && !this.#finished.has(id) && !this.#returned.has(id) && !this.#unreadable.has(id)) this.#giveBackId(id, { deliveries: deliveries - 1, delay: 0, why: '' })
      }
    }, (error: unknown) => {
      this.#comparing = false
      this.#complain('cannot see what it has', error)
    })
  }

  /** How many items Redis should count for this consumer, if nothing was lost. */
  get #known(): number {
    return this.#items.size + this.#unsent
  }

  /** What has still to be sent to Redis. */
  get #unsent(): number {
    return this.#finished.size + this.#returned.size + this.#unreadable.size
  }

  #complain(what: string, error: unknown): void {
    if (!(error instanceof RedisUnavailable)) this.#report(what, error)
  }

  /** What several tasks finish in one turn is sent together. */
  #sendSoon(): void {
    if (this.#soon) return
    this.#soon = true
    queueMicrotask(() => {
      this.#soon = false
      void this.#send()
    })
  }

  #send(): Promise<void> {
    if (!this.#link.ready || this.#unsent === 0) return this.#sending ?? Promise.resolve()
    return (this.#sending ??= this.#sendAll())
  }

  async #sendAll(): Promise<void> {
    while (this.#link.ready && this.#unsent > 0) {
      const finished = [...this.#finished].slice(0, MOST_AT_ONCE)
      const returned = [...this.#returned].slice(0, MOST_AT_ONCE)
      const unreadable = [...this.#unreadable].slice(0, MOST_AT_ONCE)
      try {
        if (finished.length > 0) {
          await this.#link.ask(DONE, ...finished)
          this.done += finished.length
          this.#onDone()
        }
        if (unreadable.length > 0) {
          await this.#link.ask(BURY, ...unreadable.flat())
          const buried = unreadable.filter(([id]) => this.#unreadable.delete(id))
          if (buried.length > 0) this.onBuried(buried.length, (buried[0] as [string, string])[1])
        }
        if (returned.length > 0) {
          const answer = await this.#link.ask(RETURN, this.#tries, ...returned.flatMap(([id, { deliveries, delay, why }]) => [id, String(deliveries), String(delay), why]))
          this.failed += returned.filter(([, { why }]) => why !== '').length
          const [buried = 0, why = ''] = (answer ?? []) as [buried?: number, why?: string]
          if (buried > 0) this.onBuried(buried, why)
        }
      } catch (error) {
        if (error instanceof RedisUnavailable) break
        this.#report('cannot say what is done: it will be delivered again', error)
      }
      for (const id of finished) this.#finished.delete(id)
      for (const [id] of returned) this.#returned.delete(id)
      for (const [id] of unreadable) this.#unreadable.delete(id)
      if (returned.length > 0) this.#onReturned()
    }
    this.#sending = null
  }

  /** Gives everything back, and sends what is left, before the connection is closed. */
  async settle(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer)
    for (const item of [...this.#items.values()]) this.giveBack(item)
    await this.#send()
  }
}
