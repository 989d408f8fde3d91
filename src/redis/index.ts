// RedisQueue: asyncio.Queue for tasks in many processes. Its items are in Redis, in a stream with a consumer group. An item
// belongs to the consumer that got it until it is reported done; if that process dies, it is delivered again.
import type { QueueState } from '../runtime/instruments.ts'
import type { Coroutine } from '../runtime/coroutine.ts'
import { describable, describe } from '../runtime/describe.ts'
import { QueueShutDown } from '../runtime/exceptions.ts'
import { fromPromise } from '../runtime/from-host.ts'
import { bindLoop, type LoopBound } from '../runtime/loop-bound.ts'
import type { Name, Named } from '../runtime/names.ts'
import { nextQueueId } from '../runtime/queue.ts'
import { running, type Loop, type RunningTask } from '../runtime/running.ts'
import { currentTask } from '../runtime/tasks.ts'
import type { Task } from '../runtime/task.ts'
import { trackUnawaited } from '../runtime/unawaited.ts'
import { Gets } from './queue/gets.ts'
import { Unacked } from './queue/unacked.ts'
import { Joins } from './queue/joins.ts'
import { RemoteWaiter } from './queue/remote-waiter.ts'
import { RedisUnavailable, Link, type Figures } from './queue/link.ts'
import { Puts } from './queue/puts.ts'
import { LEAVE, FIGURES } from './queue/scripts.ts'

/** In milliseconds, how long it may take at most to notice a lost message, or a dead consumer after its lease. */
const LONGEST_POLL_MS = 1000
/** How long `close` may take, in milliseconds. */
const CLOSE_MS = 1000
/** The longest item, as JSON, in bytes. */
const LONGEST_ITEM = 1_000_000

export interface RedisQueueOptions {
  /** `redis://` or `rediss://`. Default `redis://127.0.0.1:6379`. */
  url?: string
  /** How many items fit that no consumer has: beyond that, puts from here wait for room. 0, the default, means any number. */
  maxsize?: number
  /**
   * How many seconds after its last renewal a consumer counts as alive (5). After that its items are delivered again. A
   * process renews its lease by itself, but not while its thread is blocked: if it is blocked for longer, its items are also
   * delivered to another consumer.
   */
  lease?: number
  /** Whether a value from the queue is a valid item; by default any JSON is. Other values are set aside, like invalid JSON: they reach no task. */
  isItem?: (value: unknown) => boolean
}

/** What this process has done with a queue so far. */
export interface RedisQueueCounts {
  /** Items put, as Redis acknowledged. */
  put: number
  /** Items got, and how many of them had been delivered before. */
  got: number
  redelivered: number
  /** Items reported done, as Redis acknowledged. */
  done: number
  /** Items that, as far as this process knew, were unfinished when Redis lost the queue, and that no task here has. */
  lost: number
  /** Items that could not be read, and were set aside by this process. Redis keeps the last 100 in `loopscope:queue:{name}:aside`. */
  aside: number
}

/**
 * First in, first out, between tasks of all processes that use the same `name`. At least once: an item is removed when it is
 * reported done, and is delivered again if its consumer dies before. Items are sent as JSON. What has to ask Redis is a
 * coroutine; while Redis is away it waits, without a limit, and then continues. If Redis answers with a refusal, it throws
 * an Error with the reason.
 *
 *     const queue = new RedisQueue<string>('letters', { url: 'redis://127.0.0.1:6379', maxsize: 10 })
 *     yield* queue.put('a')
 *     const item = yield* queue.get()
 *     queue.taskDone()
 *     yield* queue.close()
 */
export class RedisQueue<T> implements LoopBound, Named {
  /** @internal */ boundLoop: Loop | null = null
  readonly name: string
  readonly #maxsize: number
  readonly #link: Link
  readonly #unacked: Unacked<T>
  readonly #puts: Puts
  readonly #gets: Gets<T>
  readonly #joins: Joins
  /** Waits for Redis itself. */
  readonly #waiters = new Set<RemoteWaiter>()
  readonly #state: QueueState
  readonly #pollMs: number
  #poll: NodeJS.Timeout | null = null
  #got = 0
  #lost = 0
  #closing: Promise<void> | null = null

  /** Connects when the first coroutine is awaited. `name`: 1 to 64 letters, digits, `.`, `_` or `-`. */
  constructor(name: string, { url = 'redis://127.0.0.1:6379', maxsize = 0, lease = 5, isItem = () => true }: RedisQueueOptions = {}) {
    if (typeof name !== 'string' || !/^[\w.-]{1,64}$/.test(name)) throw new RangeError(`RedisQueue: a name is 1 to 64 letters, digits, '.', '_' or '-', got ${describe(name)}`)
    if (!Number.isInteger(maxsize) || maxsize < 0) throw new RangeError(`RedisQueue: maxsize must be an integer of at least 0 (0 means unbounded), got ${describe(maxsize)}`)
    if (!(lease >= 0.1 && lease <= 3600)) throw new RangeError(`RedisQueue: lease must be 0.1 to 3600 seconds, got ${describe(lease)}`)
    this.name = name
    this.#maxsize = maxsize
    this.#pollMs = Math.min(lease * 500, LONGEST_POLL_MS)
    this.#link = new Link({ owner: this, url, name, lease }, {
      onReady: () => this.#onReady(),
      onMessage: (what) => this.#onMessage(what),
      onWaiting: (reason) => this.#report(reason),
      onRefused: (error) => this.#failAll(error),
    }, (before) => this.#onLost(before))
    const report = (what: string, error?: unknown): void => this.#report(what, error)
    this.#unacked = new Unacked<T>(this.#link, lease, () => this.#noteChange('done', null), () => this.#gets.pump(), report)
    this.#puts = new Puts(this, this.#link, maxsize, report)
    this.#gets = new Gets<T>(this, this.#link, this.#unacked, isItem)
    this.#joins = new Joins(this, this.#link)
    const link = this.#link
    this.#state = {
      id: nextQueueId(), maxsize,
      qsize: () => link.figures.size,
      get unfinished() {
        return link.figures.unfinished
      },
    }
  }

  get maxsize(): number {
    return this.#maxsize
  }

  get counts(): RedisQueueCounts {
    return { put: this.#puts.count, got: this.#got, redelivered: this.#unacked.redelivered, done: this.#unacked.done, lost: this.#lost, aside: this.#unacked.aside }
  }

  /**
   * Adds an item, waiting for room; returns when Redis has it. When cancelled, the item is not put, or is taken back unless
   * a consumer was quicker. Throws a TypeError for a value that JSON cannot represent, a RangeError for more than 1,000,000
   * bytes of JSON, and a QueueShutDown after `close()`. If the memory of Redis is full, throws an Error that says so, and
   * the item is not put. Consumers continue, so there will be room again.
   */
  put(item: T): Coroutine<void> {
    return trackUnawaited(this.#put(item, false), 'RedisQueue.put')
  }

  /** Adds an item, or throws a QueueFull if there is no room. A coroutine, because it has to ask Redis. */
  putNowait(item: T): Coroutine<void> {
    return trackUnawaited(this.#put(item, true), 'RedisQueue.putNowait')
  }

  *#put(item: T, now: boolean): Coroutine<void> {
    const json = jsonOf(item)
    const loop = this.#open()
    const waiter = this.#puts.join(json, now)
    try {
      yield* waiter.wait(loop)
    } catch (error) {
      this.#puts.leave(waiter)
      throw error
    }
    this.#noteChange('put', running.task)
  }

  /**
   * Removes and returns an item, waiting for one. It belongs to this task until `taskDone()`. When cancelled, an item that
   * had arrived is given back. Throws a QueueShutDown after `close()`.
   */
  get(): Coroutine<T> {
    return trackUnawaited(this.#get(false), 'RedisQueue.get')
  }

  /** Removes and returns an item, or throws a QueueEmpty without one. A coroutine, because it has to ask Redis. */
  getNowait(): Coroutine<T> {
    return trackUnawaited(this.#get(true), 'RedisQueue.getNowait')
  }

  *#get(now: boolean): Coroutine<T> {
    const loop = this.#open()
    const waiter = this.#gets.join(now)
    try {
      yield* waiter.wait(loop)
    } catch (error) {
      this.#gets.leave(waiter)
      throw error
    }
    const item = this.#unacked.give(waiter.item as NonNullable<typeof waiter.item>, currentTask() as Task<unknown>)
    this.#got++
    this.#noteChange('get', running.task)
    return item
  }

  /**
   * Reports that the work on an item is done: without an argument, on the one that this task got first; with one, on that
   * item, no matter which task got it. Redis is informed at once, or when it is back; `close()` waits for that. What Redis
   * has not received when the process ends is delivered again. Throws a RangeError if there is no such item.
   */
  taskDone(...item: [] | [T]): void {
    this.#unacked.finish(this.#find('taskDone', item))
  }

  /** Gives an item back undone: it is delivered again, here or elsewhere. It chooses the item, and throws, like `taskDone`. */
  giveBack(...item: [] | [T]): void {
    this.#unacked.giveBack(this.#find('giveBack', item))
  }

  #find(what: string, item: [] | [T]): NonNullable<ReturnType<Unacked<T>['find']>> {
    const found = this.#unacked.find(currentTask(), item.length === 0 ? null : { is: item[0] as T })
    if (found !== undefined) return found
    throw new RangeError(item.length === 0
      ? `${this}: ${what}() was called more often than this task got items; for one that another task got, say which: ${what}(item)`
      : `${this}: ${what}() was called for ${describe(item[0])}, which no task here has got, or which is done`)
  }

  /** Waits until every item that any process has put was reported done. */
  join(): Coroutine<void> {
    return trackUnawaited(this.#join(), 'RedisQueue.join')
  }

  *#join(): Coroutine<void> {
    const loop = this.#open()
    const waiter = this.#joins.join()
    try {
      yield* waiter.wait(loop)
    } finally {
      this.#joins.leave(waiter)
    }
  }

  /**
   * How many items in the queue no consumer has. A coroutine, because it has to ask Redis. An item of a dead consumer counts
   * as that consumer's until it is delivered again.
   */
  *qsize(): Coroutine<number> {
    return (yield* this.#figures()).size
  }

  /** Items of any process that were put and not yet reported done. A coroutine, because it has to ask Redis. */
  *unfinished(): Coroutine<number> {
    return (yield* this.#figures()).unfinished
  }

  /** A coroutine, because it has to ask Redis. */
  *empty(): Coroutine<boolean> {
    return (yield* this.qsize()) === 0
  }

  /** By this process's own maxsize. A coroutine, because it has to ask Redis. */
  *full(): Coroutine<boolean> {
    return (yield* this.qsize()) >= this.#maxsize && this.#maxsize > 0
  }

  *#figures(): Coroutine<{ unfinished: number; size: number }> {
    for (;;) {
      const loop = this.#open()
      if (!this.#link.ready) {
        const waiter = new RemoteWaiter('promise', this)
        this.#waiters.add(waiter)
        try {
          yield* waiter.wait(loop)
        } finally {
          this.#waiters.delete(waiter)
        }
      }
      try {
        const answer = yield* fromPromise(() => this.#link.ask(FIGURES))
        if (answer !== null) return { unfinished: answer[0] as number, size: answer[1] as number }
      } catch (error) {
        if (!(error instanceof RedisUnavailable)) throw error
      }
    }
  }

  /**
   * Leaves the queue, within a second: items that were got here and are not done are given back, and tasks that still wait
   * here get a QueueShutDown. The queue itself stays, for others.
   */
  *close(): Coroutine<void> {
    yield* fromPromise(this[Symbol.asyncDispose]())
  }

  [Symbol.asyncDispose](): Promise<void> {
    return (this.#closing ??= this.#close())
  }

  async #close(): Promise<void> {
    if (this.#poll !== null) clearInterval(this.#poll)
    this.#failAll(new QueueShutDown(`${this} was closed`))
    let timer: NodeJS.Timeout | undefined
    const deadline = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, CLOSE_MS)
    })
    await Promise.race([this.#part(), deadline])
    clearTimeout(timer)
    this.#link.close()
  }

  async #part(): Promise<void> {
    try {
      // A task that is interrupted by this gives up its wait first.
      await new Promise((resolve) => setImmediate(resolve))
      await this.#gets.settle()
      await this.#unacked.settle()
      await this.#puts.settle()
      if (this.#link.ready) await this.#link.ask(LEAVE)
    } catch {
      // Redis is away: the others notice when the lease ends.
    }
  }

  /** Before each wait. */
  #open(): Loop {
    if (this.#closing !== null) throw new QueueShutDown(`${this} was closed`)
    const loop = bindLoop(this)
    this.#link.open()
    this.#poll ??= setInterval(() => this.#retry(), this.#pollMs).unref()
    return loop
  }

  #retry(): void {
    this.#puts.retry()
    this.#gets.retry()
    this.#joins.retry()
  }

  #onReady(): void {
    this.#unacked.onReady()
    this.#retry()
    for (const waiter of this.#waiters) waiter.wake()
  }

  #onMessage(what: string): void {
    if (what === 'put') this.#puts.retry()
    else if (what === 'get') this.#gets.retry()
    else if (what === 'join') this.#joins.onNothingLeft()
  }

  #onLost({ unfinished }: Figures): void {
    const here = this.#unacked.size
    const lost = Math.max(0, unfinished - here)
    this.#unacked.forget()
    this.#lost += lost
    if (lost + here === 0) return
    this.#report(`Redis has lost the queue, and a new one was made: of the last known ${unfinished} unfinished items, ${lost} are lost, and ${here} are with tasks here, which go on with them`)
  }

  #failAll(error: Error): void {
    this.#puts.failAll(error)
    this.#gets.failAll(error)
    this.#joins.failAll(error)
    for (const waiter of this.#waiters) waiter.fail(error)
  }

  #report(what: string, exception?: unknown): void {
    this.boundLoop?.callExceptionHandler({ message: `${this}: ${what}`, ...(exception === undefined ? {} : { exception }) })
  }

  /** Watchers see the queue as Redis last described it. */
  #noteChange(op: 'put' | 'get' | 'done', by: RunningTask | null): void {
    const probe = this.boundLoop?.probe ?? null
    if (probe !== null) probe.tell('queueChanged', this.#state, op, by)
  }

  /** @internal */
  nameForWatchers(): Name {
    return { text: `<RedisQueue ${this.name} maxsize=${this.#maxsize}>`, queue: this.#state.id }
  }

  toString(): string {
    const state = this.#closing !== null ? ' closed' : this.#link.away ? ' away' : ''
    return `<RedisQueue ${this.name} maxsize=${this.#maxsize}${state}>`
  }
}

function jsonOf(item: unknown): string {
  const json = JSON.stringify(item) as string | undefined
  if (json === undefined) throw new TypeError(`RedisQueue.put: JSON cannot say ${describe(item)}`)
  const bytes = Buffer.byteLength(json)
  if (bytes > LONGEST_ITEM) throw new RangeError(`RedisQueue.put: an item may be ${LONGEST_ITEM} bytes of JSON, got ${bytes}`)
  return json
}

describable(RedisQueue)
