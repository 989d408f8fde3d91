// wait() and asCompleted(): wait for some or all of several futures without cancelling them.
import type { Wait } from './instruments.ts'
import type { CoroutineIterable, CoroutineIterator } from './coroutine-iterator.ts'
import type { Task } from './task.ts'
import { requireFiniteOrNull } from './checks.ts'
import { isCoroutine, type Awaitable, type Coroutine, type Result } from './coroutine.ts'
import { describe } from './describe.ts'
import { futureOf } from './ensure.ts'
import { cancelledError, TimeoutError } from './exceptions.ts'
import { Future, isFuture } from './future.ts'
import { tasksOf } from './gather.ts'
import { Queue } from './queue.ts'
import { getRunningLoop } from './abstract-loop.ts'
import { trackUnawaited } from './unawaited.ts'

export const FIRST_COMPLETED = 'FIRST_COMPLETED'
export const FIRST_EXCEPTION = 'FIRST_EXCEPTION'
export const ALL_COMPLETED = 'ALL_COMPLETED'
export type ReturnWhen = typeof FIRST_COMPLETED | typeof FIRST_EXCEPTION | typeof ALL_COMPLETED

export interface WaitOptions {
  /** Seconds; `null` waits indefinitely. */
  timeout?: number | null
  /** FIRST_COMPLETED, FIRST_EXCEPTION or ALL_COMPLETED (default). */
  returnWhen?: ReturnWhen
}

/** The future that a `wait` is suspended on. It has the futures waited for. */
class WaitFuture extends Future<void> {
  readonly #futures: ReadonlySet<Future<unknown>>
  /** Whether the first that is done may end the wait. */
  readonly #any: boolean
  readonly #deadline: number | null

  constructor(futures: ReadonlySet<Future<unknown>>, any: boolean, timeout: number | null) {
    super()
    this.#futures = futures
    this.#any = any
    this.#deadline = timeout === null ? null : this.loop.time() + timeout
  }

  release(): void {
    if (!this.done()) this.setResult()
  }

  override describeWait(): Wait {
    const tasks = tasksOf(this.#futures).filter((task) => !task.done())
    // If any of several may end the wait, it does not depend on one.
    const needed = this.#any && tasks.length > 1 ? {} : { tasks }
    return { kind: 'gather', label: `wait for ${tasks.length} of ${this.#futures.size}`, ...needed, ...(this.#deadline === null ? {} : { deadline: this.#deadline }) }
  }

  awaits(): Iterable<Future<unknown>> {
    return [...this.#futures].filter((future) => !future.done())
  }
}

/**
 * Wait for tasks and futures until the condition of `returnWhen` is true or `timeout` (seconds) has passed, and return
 * `{ done, pending }`. Nothing is cancelled, no TimeoutError is thrown. Coroutines are refused: make tasks of them first.
 */
export function wait<F extends Future<unknown>>(
  futures: Iterable<F>,
  options?: WaitOptions,
): Coroutine<{ done: Set<F>; pending: Set<F> }> {
  return trackUnawaited(waitSteps(futures, options?.timeout ?? null, options?.returnWhen ?? ALL_COMPLETED), 'wait')
}

function* waitSteps<F extends Future<unknown>>(
  given: Iterable<F>,
  timeout: number | null,
  returnWhen: ReturnWhen,
): Coroutine<{ done: Set<F>; pending: Set<F> }> {
  if (isFuture(given) || isCoroutine(given)) {
    throw new TypeError(`wait: a list of tasks or futures is needed, got ${describe(given)} alone: put it in brackets`)
  }
  const futures = new Set(given)
  if (futures.size === 0) throw new RangeError('wait: at least one task or future is needed, got none')
  if (![FIRST_COMPLETED, FIRST_EXCEPTION, ALL_COMPLETED].includes(returnWhen)) {
    throw new RangeError(`wait: returnWhen must be FIRST_COMPLETED, FIRST_EXCEPTION or ALL_COMPLETED, got ${describe(returnWhen)}`)
  }
  requireFiniteOrNull(timeout, 'wait: timeout', 'seconds')
  for (const future of futures) {
    if (!isFuture(future)) {
      throw new TypeError(`wait: tasks or futures are needed, got ${describe(future)}: make a task of a coroutine with createTask`)
    }
  }
  const waiter = new WaitFuture(futures, returnWhen !== ALL_COMPLETED, timeout)
  const timer = timeout === null ? null : waiter.loop.callLater(timeout, () => waiter.release())
  let counter = futures.size
  const onDone = (future: Future<unknown>): void => {
    counter--
    if (counter > 0 && returnWhen !== FIRST_COMPLETED && !(returnWhen === FIRST_EXCEPTION && hasFailed(future))) return
    timer?.cancel()
    waiter.release()
  }
  for (const future of futures) future.addDoneCallback(onDone)
  try {
    yield* waiter
  } finally {
    timer?.cancel()
    for (const future of futures) future.removeDoneCallback(onDone)
  }
  const done = new Set<F>()
  const pending = new Set<F>()
  for (const future of futures) (future.done() ? done : pending).add(future)
  return { done, pending }
}

function hasFailed(future: Future<unknown>): boolean {
  if (!future.failed()) return false
  // The exception counts as retrieved, as in CPython.
  future.retrieved()
  return true
}

/**
 * Cancel `future` and wait until it is done. Waits on another future, so that this wait can itself be cancelled.
 * @internal
 */
export function* cancelAndWait(future: Future<unknown>): Coroutine<void> {
  const waiter = new WaitFuture(new Set([future]), false, null)
  const release = (): void => waiter.release()
  future.addDoneCallback(release)
  try {
    future.cancel()
    yield* waiter
  } finally {
    future.removeDoneCallback(release)
  }
}

/** The queue of `asCompleted`: finished futures, and null for each that is late. */
class FinishedQueue<T> extends Queue<Future<T> | null> {
  readonly #todo: ReadonlySet<Future<T>>

  constructor(todo: ReadonlySet<Future<T>>) {
    super()
    this.#todo = todo
  }

  override feeds(): Iterable<Future<unknown>> {
    return this.#todo
  }
}

/** What `asCompleted` gives when iterated asynchronously: the future that it was given, or the task that it made of a coroutine. */
export type Completed<A> = A extends Future<unknown> ? A : Task<Result<A>>

/**
 * Run awaitables concurrently. Each item of the returned iterable is a coroutine that returns the result, or throws the
 * exception, of the next one to finish. With `asyncFor`, the items are the finished tasks and futures themselves, as since
 * Python 3.13. Acts when called. After `timeout` (seconds) the remaining items, or the loop, throw a TimeoutError.
 */
export function asCompleted<A extends Awaitable<unknown>>(
  awaitables: Iterable<A>,
  options?: { timeout?: number | null },
): Iterable<Coroutine<Result<A>>> & CoroutineIterable<Completed<A>> {
  type T = Result<A>
  if (isFuture(awaitables) || isCoroutine(awaitables)) {
    throw new TypeError(`asCompleted: a list of awaitables is needed, got ${describe(awaitables)} alone: put it in brackets`)
  }
  const timeout = options?.timeout ?? null
  requireFiniteOrNull(timeout, 'asCompleted: timeout', 'seconds')
  const loop = getRunningLoop()
  const todo = new Set<Future<T>>()
  for (const awaitable of new Set(awaitables)) todo.add(futureOf(awaitable as unknown as Awaitable<T>, loop, 'asCompleted'))
  let left = todo.size
  const finished = new FinishedQueue<T>(todo)
  const onDone = (future: Future<T>): void => {
    if (!todo.delete(future)) return
    finished.putNowait(future)
    if (todo.size === 0) timer?.cancel()
  }
  const onTimeout = (): void => {
    for (const future of todo) {
      future.removeDoneCallback(onDone)
      finished.putNowait(null)
    }
    todo.clear()
  }
  for (const future of todo) future.addDoneCallback(onDone)
  const timer = todo.size > 0 && timeout !== null ? loop.callLater(timeout, onTimeout) : null

  function* nextOne(): Coroutine<Future<T>> {
    const future = yield* finished.get()
    if (future === null) {
      throw new TimeoutError(`asCompleted: not all were done after ${timeout} s`, { cause: cancelledError(undefined, loop.debug) })
    }
    return future
  }

  function* resultOfNext(): Coroutine<T> {
    return (yield* nextOne()).result()
  }
  const iterator: IterableIterator<Coroutine<T>> & CoroutineIterable<Completed<A>> = {
    next: () => (left === 0 ? { done: true, value: undefined } : (left--, { done: false, value: trackUnawaited(resultOfNext(), 'asCompleted') })),
    [Symbol.iterator]: () => iterator,
    aiter: () => tasks,
  }
  const tasks: CoroutineIterator<Completed<A>> = {
    *next() {
      if (left === 0) return { done: true, value: undefined }
      left--
      return { done: false, value: (yield* nextOne()) as Completed<A> }
    },
    *close() {}, // the awaitables run on, as if the loop had not been
    aiter: () => tasks,
  }
  return iterator
}
