// Queue and LifoQueue. A `get` or `put` is one object, coroutine and waiter at once, so an exchange through a queue
// allocates little more than the item.
import type { QueueState, Wait } from './instruments.ts'
import { DONE, SUSPENDED, type Coroutine, type Suspension } from './coroutine.ts'
import { Deque } from './deque.ts'
import { describable, describe } from './describe.ts'
import { Event } from './event.ts'
import { QueueEmpty, QueueFull, QueueShutDown, RuntimeError } from './exceptions.ts'
import { bindLoop, type LoopBound } from './loop-bound.ts'
import type { Name, Named } from './names.ts'
import type { Waitable } from './waitable.ts'
import { running, type Loop } from './running.ts'
import { trackUnawaited } from './unawaited.ts'
import { CANCELLED, PENDING, SingleWait, suspendCurrent, WaitFor, WOKEN } from './waiter.ts'

const CREATED = 3
const ENDED = 4

/** A `get()` or `put()` in progress: tries, waits while it cannot, and tries again. */
abstract class Exchange<T, R> extends SingleWait {
  protected readonly queue: Queue<T>

  constructor(queue: Queue<T>) {
    super()
    this.state = CREATED
    this.queue = queue
  }

  /** The waiters that it joins. */
  protected abstract line(): Deque<SingleWait>
  /** Whether the queue is empty (for a get) or full (for a put). */
  protected abstract blocked(): boolean
  protected abstract name(): string

  /** Join the waiters, at the end. */
  protected wait(): typeof SUSPENDED {
    this.queue.throwIfShutDown()
    bindLoop(this.queue)
    this.task = suspendCurrent(this)
    this.state = PENDING
    this.line().push(this)
    return SUSPENDED
  }

  /** Called instead of an impossible step: the wait was cancelled, or the coroutine was awaited twice. */
  protected refuse(): never {
    if (this.state !== CANCELLED) {
      throw new RuntimeError(`${this} was awaited already: a coroutine runs once, call its method again for a new one`)
    }
    this.leave()
    throw this.cancelledError()
  }

  throw(error: unknown): never {
    this.leave()
    throw error
  }

  /** Closes a coroutine that will not be resumed. */
  return(value: R): IteratorResult<Suspension, R> {
    this.leave()
    return { done: true, value }
  }

  /** Interrupted: pass a wake-up that this waiter cannot use on to the next one. */
  private leave(): void {
    const { state } = this
    this.state = ENDED
    if (state === CREATED || state === ENDED) return
    this.line().remove(this)
    if (state === WOKEN && !this.blocked()) wakeNext(this.line())
  }

  get coroutineName(): string {
    return this.name()
  }

  [Symbol.iterator](): this {
    return this
  }

  override toString(): string {
    return `<coroutine ${this.name()}>`
  }
}

class Get<T> extends Exchange<T, T> {
  next(): IteratorResult<Suspension, T> {
    if (this.state !== CREATED && this.state !== WOKEN) this.refuse()
    if (this.queue.empty()) return this.wait()
    this.state = ENDED
    return { done: true, value: this.queue.take() }
  }

  protected line(): Deque<SingleWait> {
    return this.queue.getters
  }

  protected blocked(): boolean {
    return this.queue.empty()
  }

  protected name(): string {
    return 'Queue.get'
  }

  describeWait(): Wait {
    return new WaitFor('queue.get', this.queue)
  }

  awaits(): Iterable<Waitable> {
    return this.queue.feeds()
  }
}

class Put<T> extends Exchange<T, void> {
  private readonly item: T

  constructor(queue: Queue<T>, item: T) {
    super(queue)
    this.item = item
  }

  next(): IteratorResult<Suspension, void> {
    if (this.state !== CREATED && this.state !== WOKEN) this.refuse()
    if (this.queue.full()) return this.wait()
    this.state = ENDED
    this.queue.throwIfShutDown()
    this.queue.add(this.item)
    return DONE
  }

  protected line(): Deque<SingleWait> {
    return this.queue.putters
  }

  protected blocked(): boolean {
    return this.queue.full()
  }

  protected name(): string {
    return 'Queue.put'
  }

  describeWait(): Wait {
    return new WaitFor('queue.put', this.queue)
  }
}

/** Wake the first waiter that is still pending. */
function wakeNext(line: Deque<SingleWait>): void {
  let waiter: SingleWait | undefined
  while ((waiter = line.shift()) !== undefined) {
    if (waiter.state !== PENDING) continue
    waiter.wake()
    return
  }
}

let watchedQueues = 0

/** @internal The number by which observers identify a queue of any kind. */
export function nextQueueId(): number {
  return ++watchedQueues
}

/** A queue between tasks: first in, first out. */
export class Queue<T> implements LoopBound, Named, QueueState {
  /** @internal */ boundLoop: Loop | null = null
  /** @internal The waiters for an item. */
  readonly getters = new Deque<SingleWait>()
  /** @internal The waiters for room. */
  readonly putters = new Deque<SingleWait>()
  readonly #maxsize: number
  readonly #items: Deque<T>
  #finished: Event | null = null
  #unfinished = 0
  #isShutDown = false
  #id = 0

  /** `maxsize`: the most items, an integer; 0 means no limit. */
  constructor(maxsize = 0) {
    if (!Number.isInteger(maxsize) || maxsize < 0) {
      const what = `${new.target.name}: maxsize must be an integer of at least 0 (0 means unbounded), got ${describe(maxsize)}`
      throw typeof maxsize === 'number' ? new RangeError(what) : new TypeError(what)
    }
    this.#maxsize = maxsize
    this.#items = new Deque<T>()
  }

  get maxsize(): number {
    return this.#maxsize
  }

  /** The number of items put and not yet reported done by `taskDone()`. */
  get unfinished(): number {
    return this.#unfinished
  }

  /** The number by which observers identify it. */
  get id(): number {
    return (this.#id ||= nextQueueId())
  }

  /** @internal */
  nameForWatchers(): Name {
    return { text: `<${this.constructor.name} ${this.id} maxsize=${this.#maxsize}>`, queue: this.id }
  }

  /** @internal The futures that put an item when they end, where that is known. */
  feeds(): Iterable<Waitable> {
    return []
  }

  /** The number of items in the queue. */
  qsize(): number {
    return this.#items.length
  }

  empty(): boolean {
    return this.qsize() === 0
  }

  full(): boolean {
    return this.#maxsize > 0 && this.qsize() >= this.#maxsize
  }

  /** Wait for room, then add an item. Throws a QueueShutDown after `shutdown()`. */
  put(item: T): Coroutine<void> {
    return trackUnawaited(new Put(this, item) as unknown as Coroutine<void>, 'Queue.put')
  }

  /** Wait for an item, then remove and return it. Throws a QueueShutDown once the queue is shut down and empty. */
  get(): Coroutine<T> {
    return trackUnawaited(new Get(this) as unknown as Coroutine<T>, 'Queue.get')
  }

  /** Add an item at once, or throw a QueueFull or a QueueShutDown. */
  putNowait(item: T): void {
    this.throwIfShutDown()
    if (this.full()) throw new QueueFull(`${this} is full`)
    this.add(item)
  }

  /** @internal Add an item. Only if there is room. */
  add(item: T): void {
    this.putItem(item)
    this.#unfinished++
    if (this.#finished !== null) this.#finished.clear()
    this.#noteChange('put')
    if (this.getters.length > 0) wakeNext(this.getters)
  }

  /** Remove and return an item at once, or throw a QueueEmpty or a QueueShutDown. */
  getNowait(): T {
    if (this.empty()) {
      this.throwIfShutDown()
      throw new QueueEmpty(`${this} is empty`)
    }
    return this.take()
  }

  /** @internal Remove and return an item. Only if there is one. */
  take(): T {
    const item = this.getItem()
    this.#noteChange('get')
    if (this.putters.length > 0) wakeNext(this.putters)
    return item
  }

  /** Report that the work on one item is done. Throws a RangeError if more are reported than were put. */
  taskDone(): void {
    if (this.#unfinished <= 0) throw new RangeError(`${this}: taskDone() was called more often than items were put`)
    this.#unfinished--
    this.#noteChange('done')
    if (this.#unfinished === 0) this.#finished?.set()
  }

  /** Wait until every item put is reported done. */
  join(): Coroutine<void> {
    return trackUnawaited(this.#join(), 'Queue.join')
  }

  *#join(): Coroutine<void> {
    if (this.#unfinished === 0) return
    this.#finished ??= new Event()
    yield* this.#finished.waitAs('queue.join', this)
  }

  /**
   * Accept no further items: `put` throws a QueueShutDown, and `get` once the queue is empty. Waiting tasks are woken.
   * With `immediate` the items are dropped and count as done.
   */
  shutdown(immediate = false): void {
    this.#isShutDown = true
    if (immediate) {
      while (!this.empty()) {
        this.getItem()
        if (this.#unfinished > 0) this.#unfinished--
        this.#noteChange('get')
      }
      if (this.#unfinished === 0) this.#finished?.set()
    }
    for (const line of [this.getters, this.putters]) {
      let waiter: SingleWait | undefined
      while ((waiter = line.shift()) !== undefined) waiter.wake()
    }
  }

  /** @internal */
  throwIfShutDown(): void {
    if (this.#isShutDown) throw new QueueShutDown(`${this} was shut down`)
  }

  #noteChange(op: 'put' | 'get' | 'done'): void {
    const probe = (running.loop ?? this.boundLoop)?.probe ?? null
    if (probe !== null) probe.tell('queueChanged', this, op, running.task)
  }

  /** Store an item. A queue with another order overrides this, `getItem` and `qsize`. */
  protected putItem(item: T): void {
    this.#items.push(item)
  }

  /** Remove the next item. Only if there is one. */
  protected getItem(): T {
    return this.#items.shift() as T
  }

  /** @internal Remove the last item put. */
  protected getLastItem(): T {
    return this.#items.pop() as T
  }

  toString(): string {
    const parts = [`<${this.constructor.name} maxsize=${this.#maxsize} size=${this.qsize()}`]
    if (this.getters.length > 0) parts.push(`getters=${this.getters.length}`)
    if (this.putters.length > 0) parts.push(`putters=${this.putters.length}`)
    if (this.#unfinished > 0) parts.push(`unfinished=${this.#unfinished}`)
    if (this.#isShutDown) parts.push('shut down')
    return `${parts.join(' ')}>`
  }
}

/** A queue between tasks: last in, first out. */
export class LifoQueue<T> extends Queue<T> {
  protected override getItem(): T {
    return this.getLastItem()
  }
}

describable(Queue)
