// RedisQueue: asyncio.Queue for tasks in many processes, and a queue of jobs. Its items are in Redis. An item belongs to the
// consumer that got it until it is reported done; if that process dies, it is delivered again.
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
import { Unacked, type Item } from './queue/unacked.ts'
import { Joins } from './queue/joins.ts'
import { RemoteWaiter } from './queue/remote-waiter.ts'
import { RedisUnavailable, Link, type Figures } from './queue/link.ts'
import { Puts, type NewItem } from './queue/puts.ts'
import { LEAVE, FIGURES, SHUTDOWN } from './queue/scripts.ts'
import { DeadLetters, type DeadLetter } from './queue/dead-letters.ts'
import type { Script } from './script.ts'

/** In milliseconds, how long it may take at most to notice a lost message, or a dead consumer after its lease. */
const LONGEST_POLL_MS = 1000
/** How long `close` may take, in milliseconds. */
const CLOSE_MS = 1000
/** The longest item, as JSON, in bytes. */
const LONGEST_ITEM = 1_000_000
/** The longest delay, in seconds: ten years. */
const LONGEST_DELAY = 315_360_000
/** The longest wait between two tries of an item, in seconds, if the program does not say otherwise. */
const LONGEST_BACKOFF = 3600
const MOST_PRIORITY = 1_000_000
/** How many characters of the reason of a failure are kept. */
const LONGEST_REASON = 1000

export type { DeadLetter, DeadLetters }

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
  /**
   * How many tries of an item may fail: after the last it becomes a dead letter. A try fails when `taskFailed()` reports it, or when
   * the consumer dies. 0, the default, means any number.
   */
  tries?: number
  /**
   * How many seconds a failed item waits for its next try: a function of the number of failures so far, or a number for the first
   * wait, and each further one is twice as long, up to an hour. By default 1. After the death of a consumer there is no wait.
   */
  backoff?: number | ((failures: number) => number)
  /** Whether a value from the queue is a valid item; by default any JSON is. Other values become dead letters, like invalid JSON: they reach no task. */
  isItem?: (value: unknown) => boolean
}

export interface PutOptions {
  /** In how many seconds the item can be got. By default 0. */
  delay?: number
  /** An integer from -1,000,000 to 1,000,000: the lowest is got first, and items of equal priority in the order in which they were put. By default 0. */
  priority?: number
  /** 1 to 256 characters: while an unfinished item has this name, no other one of that name is put. */
  name?: string
}

/** An item that a task here has. */
export interface Delivery {
  /** The same in each delivery of the item. */
  id: string
  /** How often it was delivered, including this time. */
  deliveries: number
  /** How many tries failed before. */
  failures: number
}

/** The queue, as Redis counts it. */
export interface RedisQueueStats {
  /** Items that were put, and that are neither done nor dead letters: `ready`, `delayed` and `taken` ones. */
  unfinished: number
  ready: number
  delayed: number
  /** Those that a consumer has. */
  taken: number
  /** The dead letters that are kept. */
  deadLetters: number
  /** Since the queue was made: items done, and tries that failed. */
  done: number
  failed: number
  isShutDown: boolean
}

/** What this process has done with a queue so far. */
export interface RedisQueueCounts {
  /** Items put, as Redis acknowledged. */
  put: number
  /** Items that were not put because an unfinished one has their name. */
  duplicates: number
  /** Items got, and how many of them had been delivered before. */
  got: number
  redelivered: number
  /** Items reported done, as Redis acknowledged. */
  done: number
  /** Tries that `taskFailed()` reported, as Redis acknowledged. */
  failed: number
  /** Items that, as far as this process knew, were unfinished when Redis lost the queue, and that no task here has. */
  lost: number
  /** Items that became dead letters here. Redis keeps the last 1000, and at most 64 MB, in `loopscope:queue:{name}:dead`. */
  deadLetters: number
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
  /** What is not delivered again. */
  readonly deadLetters: DeadLetters<T>
  readonly #maxsize: number
  readonly #backoff: (failures: number) => number
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
  constructor(name: string, { url = 'redis://127.0.0.1:6379', maxsize = 0, lease = 5, tries = 0, backoff = 1, isItem = () => true, ...others }: RedisQueueOptions = {}) {
    if (typeof name !== 'string' || !/^[\w.-]{1,64}$/.test(name)) throw new RangeError(`RedisQueue: a name is 1 to 64 letters, digits, '.', '_' or '-', got ${describe(name)}`)
    if (!Number.isInteger(maxsize) || maxsize < 0) throw new RangeError(`RedisQueue: maxsize must be an integer of at least 0 (0 means unbounded), got ${describe(maxsize)}`)
    if (!(lease >= 0.1 && lease <= 3600)) throw new RangeError(`RedisQueue: lease must be 0.1 to 3600 seconds, got ${describe(lease)}`)
    if (!Number.isInteger(tries) || tries < 0) throw new RangeError(`RedisQueue: tries must be an integer of at least 0 (0 means any number), got ${describe(tries)}`)
    if (typeof backoff !== 'function') checkSeconds('RedisQueue: backoff', backoff)
    refuseOthers('RedisQueue', others, ['url', 'maxsize', 'lease', 'tries', 'backoff', 'isItem'])
    this.name = name
    this.#backoff = typeof backoff === 'function' ? backoff : (failures) => Math.min(LONGEST_BACKOFF, backoff * 2 ** (failures - 1))
    this.#maxsize = maxsize
    this.#pollMs = Math.min(lease * 500, LONGEST_POLL_MS)
    this.#link = new Link({ owner: this, url, name, lease }, {
      onReady: () => this.#onReady(),
      onMessage: (what) => this.#onMessage(what),
      onWaiting: (reason) => this.#report(reason),
      onRefused: (error) => this.#failAll(error),
    }, (before) => this.#onLost(before))
    const report = (what: string, error?: unknown): void => this.#report(what, error)
    this.deadLetters = new DeadLetters<T>((script, ...args) => this.#ask(script, ...args))
    this.#unacked = new Unacked<T>({
      link: this.#link, lease, tries, report,
      onDone: () => this.#noteChange('done', null),
      onReturned: () => {
        // For watchers, an item is in the queue again.
        this.#noteChange('put', null)
        this.#gets.pump()
      },
    })
    this.#puts = new Puts(this, this.#link, maxsize, report)
    this.#gets = new Gets<T>({ owner: this, link: this.#link, unacked: this.#unacked, isItem, tries, poll: this.#pollMs })
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
    const { count: put, duplicates } = this.#puts
    const { redelivered, done, failed, buried } = this.#unacked
    return { put, duplicates, got: this.#got, redelivered, done, failed, lost: this.#lost, deadLetters: buried }
  }

  /**
   * Adds an item, waiting for room; returns when Redis has it. When cancelled, the item is not put, or is taken back unless
   * a consumer was quicker. Throws a TypeError for a value that JSON cannot represent, a RangeError for more than 1,000,000
   * bytes of JSON or a wrong option, and a QueueShutDown after `close()` or `shutdown()`. If the memory of Redis is full, throws an Error that says so, and
   * the item is not put. Consumers continue, so there will be room again.
   */
  put(item: T, options?: PutOptions): Coroutine<void> {
    return trackUnawaited(this.#put(item, false, options), 'RedisQueue.put')
  }

  /** Adds an item, or throws a QueueFull if there is no room. A coroutine, because it has to ask Redis. */
  putNowait(item: T, options?: PutOptions): Coroutine<void> {
    return trackUnawaited(this.#put(item, true, options), 'RedisQueue.putNowait')
  }

  *#put(item: T, now: boolean, options?: PutOptions): Coroutine<void> {
    const newItem = newItemOf(item, options)
    const loop = this.#open()
    const waiter = this.#puts.join(newItem, now)
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
   * had arrived is given back. Throws a QueueShutDown after `close()`, and after `shutdown()` once nothing is unfinished.
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

  /**
   * Gives an item back undone, in one step, for `after` seconds from when Redis receives it (0): it is delivered again, here or
   * elsewhere, and no try has failed. Without an item, or with `undefined`, it is the first that this task got. Throws like `taskDone`.
   */
  giveBack(item?: T, { after = 0 }: { after?: number } = {}): void {
    checkSeconds('RedisQueue.giveBack: after', after)
    this.#unacked.giveBack(this.#find('giveBack', item === undefined ? [] : [item]), after * 1000)
  }

  /**
   * Reports that a try has failed, and why, of which 1000 characters are kept: the item is delivered again after `after` seconds, by
   * default the queue's `backoff`; or it becomes a dead letter, if this was the last of the queue's `tries`. It chooses the item,
   * and throws, like `giveBack`.
   */
  taskFailed(reason: unknown, item?: T, { after }: { after?: number } = {}): void {
    const found = this.#find('taskFailed', item === undefined ? [] : [item])
    const seconds = after ?? this.#backoff(found.failures + 1)
    checkSeconds(after === undefined ? 'RedisQueue: what backoff() returns' : 'RedisQueue.taskFailed: after', seconds)
    this.#unacked.giveBack(found, seconds * 1000, (String(reason) || 'no reason was given').slice(0, LONGEST_REASON))
  }

  /** What is known of an item that a task here has. It chooses the item, and throws, like `giveBack`. */
  delivery(item?: T): Delivery {
    const { id, deliveries, failures } = this.#find('delivery', item === undefined ? [] : [item])
    return { id, deliveries, failures }
  }

  #find(what: string, item: [] | [T]): Item<T> {
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
   * How many items in the queue no consumer has, delayed ones included. A coroutine, because it has to ask Redis. An item of a
   * dead consumer counts as that consumer's until it is delivered again.
   */
  *qsize(): Coroutine<number> {
    return (yield* this.#ask(FIGURES))[1] as number
  }

  /** Items of any process that were put and are neither done nor dead letters. A coroutine, because it has to ask Redis. */
  *unfinished(): Coroutine<number> {
    return (yield* this.#ask(FIGURES))[0] as number
  }

  /** A coroutine, because it has to ask Redis. */
  *empty(): Coroutine<boolean> {
    return (yield* this.qsize()) === 0
  }

  /** By this process's own maxsize. A coroutine, because it has to ask Redis. */
  *full(): Coroutine<boolean> {
    return (yield* this.qsize()) >= this.#maxsize && this.#maxsize > 0
  }

  /** The queue as a whole, for all processes. A coroutine, because it has to ask Redis. */
  *stats(): Coroutine<RedisQueueStats> {
    const [unfinished, size, delayed, deadLetters, done, failed, closed] = (yield* this.#ask(FIGURES)) as [number, number, number, number, number, number, number]
    return { unfinished, ready: size - delayed, delayed, taken: unfinished - size, deadLetters, done, failed, isShutDown: closed === 1 }
  }

  /**
   * Shuts the queue down, for all processes: a put throws a QueueShutDown, and so does a get once nothing is unfinished, because what
   * other consumers have may still come back. With `immediate`, what no consumer has is dropped. It lasts until `reopen()`.
   */
  *shutdown(immediate = false): Coroutine<void> {
    while ((yield* this.#ask(SHUTDOWN, immediate ? 'immediate' : 'closed'))[0] === 1);
  }

  /** Ends a shutdown. */
  *reopen(): Coroutine<void> {
    yield* this.#ask(SHUTDOWN, 'open')
  }

  /** Runs a script that may be run again if its answer is lost; waits while Redis is away. */
  *#ask(script: Script, ...args: string[]): Coroutine<unknown[]> {
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
        const answer = yield* fromPromise(() => this.#link.ask(script, ...args))
        if (answer !== null) return answer
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

function newItemOf(item: unknown, { delay = 0, priority = 0, name = '', ...others }: PutOptions = {}): NewItem {
  const json = JSON.stringify(item) as string | undefined
  if (json === undefined) throw new TypeError(`RedisQueue.put: JSON cannot say ${describe(item)}`)
  const bytes = Buffer.byteLength(json)
  if (bytes > LONGEST_ITEM) throw new RangeError(`RedisQueue.put: an item may be ${LONGEST_ITEM} bytes of JSON, got ${bytes}`)
  checkSeconds('RedisQueue.put: delay', delay)
  if (!Number.isInteger(priority) || Math.abs(priority) > MOST_PRIORITY) throw new RangeError(`RedisQueue.put: priority must be an integer from -${MOST_PRIORITY} to ${MOST_PRIORITY}, got ${describe(priority)}`)
  if (typeof name !== 'string' || name.length > 256) throw new RangeError(`RedisQueue.put: a name is 1 to 256 characters, got ${describe(name)}`)
  refuseOthers('RedisQueue.put', others, ['delay', 'priority', 'name'])
  return { json, delay: Math.round(delay * 1000), priority, name }
}

function checkSeconds(what: string, seconds: number): void {
  if (!(typeof seconds === 'number' && seconds >= 0 && seconds <= LONGEST_DELAY)) throw new RangeError(`${what} must be 0 to ${LONGEST_DELAY} seconds, got ${describe(seconds)}`)
}

function refuseOthers(what: string, others: object, known: readonly string[]): void {
  const [other] = Object.keys(others)
  if (other !== undefined) throw new TypeError(`${what} has no option ${other}: it has ${known.join(', ')}`)
}

describable(RedisQueue)
