// Waits for promises and asynchronous iterables of the host. The loop counts these waits: a virtual clock does not advance
// while one is open, so host work takes no virtual time.
import type { CoroutineIterator } from './coroutine-iterator.ts'
import { isCoroutine, type Coroutine } from './coroutine.ts'
import { forEachItem } from './coroutine-iterator.ts'
import { describe } from './describe.ts'
import { CancelledError } from './exceptions.ts'
import { isFuture } from './future.ts'
import { HostFuture } from './host-future.ts'
import { trackUnawaited } from './unawaited.ts'

const ignore = (): void => {}

/**
 * Wait for a promise, or for the promise that a function returns. The function is called when the coroutine is awaited. It
 * gets an AbortSignal, which aborts if the task is cancelled. A cancelled task continues at once; the promise's outcome is
 * dropped.
 */
export function fromPromise<T>(source: PromiseLike<T> | ((signal: AbortSignal) => PromiseLike<T> | T)): Coroutine<T> {
  if (typeof source !== 'function') {
    if (typeof (source as PromiseLike<T> | null)?.then !== 'function') {
      throw new TypeError(`fromPromise: a promise, or a function that returns one, is needed, got ${describe(source)}${forCoroutine(source)}`)
    }
    // It may reject before it is awaited; the awaiter gets the error later.
    void source.then(undefined, ignore)
  }
  return trackUnawaited(promiseSteps(source), 'fromPromise')
}

function forCoroutine(value: unknown): string {
  return isCoroutine(value) || isFuture(value) ? ': it is awaited with `yield*` alone' : ''
}

function* promiseSteps<T>(source: PromiseLike<T> | ((signal: AbortSignal) => PromiseLike<T> | T)): Coroutine<T> {
  const controller = new AbortController()
  const promise = typeof source === 'function' ? source(controller.signal) : source
  if (isCoroutine(promise)) throw new TypeError(`fromPromise: a promise is needed, got ${describe(promise)}${forCoroutine(promise)}`)
  const future = new HostFuture<T>(typeof source === 'function' && source.name !== '' ? source.name : 'promise')
  Promise.resolve(promise).then(
    (value) => future.succeed(value),
    (error: unknown) => future.reject(error),
  )
  try {
    return yield* future
  } catch (error) {
    if (error instanceof CancelledError) controller.abort(error)
    throw error
  } finally {
    future.close()
  }
}

/** An asynchronous iterable of the host, item by item. */
export interface HostIterator<T> extends CoroutineIterator<T> {
  /** Wait for the next item, as `{ done, value }`. A cancelled call leaves its item to the next call. */
  next(): Coroutine<IteratorResult<T, undefined>>
  /** Run `body` for each item, one after another; closes the iterable if the body throws. */
  forEach(body: (item: T) => Coroutine<void>): Coroutine<void>
  /** Close the iterable. */
  close(): Coroutine<void>
}

/** An item requested from an iterable. */
class Item<T> {
  /** Its position, counted from 0. */
  readonly at: number
  readonly promise: Promise<IteratorResult<T>>
  #failure: { error: unknown } | null = null

  constructor(at: number, promise: PromiseLike<IteratorResult<T>>) {
    this.at = at
    this.promise = Promise.resolve(promise)
    this.promise.then(ignore, (error: unknown) => {
      this.#failure = { error }
    })
  }

  /** Whether the iterable itself threw this error instead of the item. */
  failedWith(error: unknown): boolean {
    return this.#failure !== null && this.#failure.error === error
  }
}

/** Wait for the items of an asynchronous iterable: `yield* fromAsyncIterable(stream).forEach(function* (chunk) { … })`. */
export function fromAsyncIterable<T>(iterable: AsyncIterable<T>): HostIterator<T> {
  const start = (iterable as Partial<AsyncIterable<T>> | null)?.[Symbol.asyncIterator]
  if (typeof start !== 'function') {
    throw new TypeError(`fromAsyncIterable: an asynchronous iterable is needed, got ${describe(iterable)}`)
  }
  const iterator = iterable[Symbol.asyncIterator]()

  // Requested items whose wait was cancelled, in the order of the requests: the iterable still delivers them.
  const unclaimed: Item<T>[] = []
  let asked = 0

  function* next(): Coroutine<IteratorResult<T, undefined>> {
    const item = unclaimed.shift() ?? new Item(asked++, iterator.next())
    try {
      const result = yield* fromPromise(item.promise)
      return result.done === true ? { done: true, value: undefined } : result
    } catch (error) {
      if (!item.failedWith(error)) {
        unclaimed.push(item)
        unclaimed.sort((a, b) => a.at - b.at)
      }
      throw error
    }
  }

  function* close(): Coroutine<void> {
    if (iterator.return !== undefined) yield* fromPromise<unknown>(() => iterator.return?.() ?? Promise.resolve())
  }

  const items: HostIterator<T> = {
    next,
    close,
    *forEach(body) {
      yield* forEachItem(items, 'fromAsyncIterable.forEach', body)
    },
    // Not awaited: the iterable itself may hang.
    abandon: () => void Promise.resolve(iterator.return?.()).then(ignore, ignore),
    aiter: () => items,
  }
  return items
}
