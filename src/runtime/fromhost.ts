// Waiting for what the host brings: promises, asynchronous iterables, events. The loop counts such waits, so that a
// virtual clock stands still while one is open: host work takes no virtual time.
import type { Wait } from './instruments.ts'
import type { Coroutine } from './coroutine.ts'
import { describe } from './describe.ts'
import { CancelledError } from './exceptions.ts'
import { Future } from './future.ts'
import { getRunningLoop } from './running.ts'
import { trackUnawaited } from './unawaited.ts'

/** A future that the host finishes. */
class HostFuture<T> extends Future<T> {
  readonly #what: string
  #open = true

  constructor(what: string) {
    super()
    this.#what = what
    this.loop.addHostWork(1)
  }

  /** The host is through with it, or nobody waits any more. */
  close(): boolean {
    if (!this.#open) return false
    this.#open = false
    this.loop.addHostWork(-1)
    return !this.done() && !this.loop.isClosed()
  }

  succeed(value: T): void {
    if (this.close()) this.setResult(value)
  }

  reject(error: unknown): void {
    if (this.close()) this.fail(error)
  }

  override describeWait(): Wait {
    return { kind: 'promise', label: this.#what }
  }
}

const ignore = (): void => {}

/**
 * Wait for a promise, or for the one that `start` returns. `start` is called when the coroutine is awaited and gets an
 * AbortSignal, which aborts if the task is cancelled meanwhile. The cancelled task goes on at once; the promise's outcome
 * is dropped.
 */
export function fromPromise<T>(source: PromiseLike<T> | ((signal: AbortSignal) => PromiseLike<T> | T)): Coroutine<T> {
  if (typeof source !== 'function') {
    if (typeof (source as PromiseLike<T> | null)?.then !== 'function') {
      throw new TypeError(`fromPromise: a promise, or a function that returns one, is needed, got ${describe(source)}`)
    }
    // It may reject before anyone awaits it; whoever awaits it hears of that then.
    void source.then(undefined, ignore)
  }
  return trackUnawaited(promiseSteps(source), 'fromPromise')
}

function* promiseSteps<T>(source: PromiseLike<T> | ((signal: AbortSignal) => PromiseLike<T> | T)): Coroutine<T> {
  const controller = new AbortController()
  const promise = typeof source === 'function' ? source(controller.signal) : source
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

/** An asynchronous iterable, item by item. */
export interface HostIterator<T> {
  /** Wait for the next item, as `{ done, value }`. */
  next(): Coroutine<IteratorResult<T, undefined>>
  /** Run `body` for each item, one after another; closes the iterable if the body throws. */
  forEach(body: (item: T) => Coroutine<void>): Coroutine<void>
  /** Tell the iterable that no more is wanted. */
  close(): Coroutine<void>
}

/** Wait for the items of an asynchronous iterable: `yield* fromAsyncIterable(stream).forEach(function* (chunk) { … })`. */
export function fromAsyncIterable<T>(iterable: AsyncIterable<T>): HostIterator<T> {
  const start = (iterable as Partial<AsyncIterable<T>> | null)?.[Symbol.asyncIterator]
  if (typeof start !== 'function') {
    throw new TypeError(`fromAsyncIterable: an asynchronous iterable is needed, got ${describe(iterable)}`)
  }
  const iterator = iterable[Symbol.asyncIterator]()

  function* next(): Coroutine<IteratorResult<T, undefined>> {
    const result = yield* fromPromise(() => iterator.next())
    return result.done === true ? { done: true, value: undefined } : result
  }

  function* close(): Coroutine<void> {
    if (iterator.return !== undefined) yield* fromPromise<unknown>(() => iterator.return?.() ?? Promise.resolve())
  }

  function* forEach(body: (item: T) => Coroutine<void>): Coroutine<void> {
    let finished = false
    try {
      for (;;) {
        const result = yield* next()
        if (result.done === true) {
          finished = true
          return
        }
        yield* body(result.value)
      }
    } finally {
      // Not awaited: the iterable may itself be what hangs.
      if (!finished) void Promise.resolve(iterator.return?.()).then(ignore, ignore)
    }
  }
  return { next, forEach, close }
}

interface Emitter {
  on(name: string, listener: (...args: unknown[]) => void): unknown
  off(name: string, listener: (...args: unknown[]) => void): unknown
}

interface Target {
  addEventListener(name: string, listener: (event: unknown) => void): void
  removeEventListener(name: string, listener: (event: unknown) => void): void
}

function isTarget(source: Emitter | Target): source is Target {
  return typeof (source as Target).addEventListener === 'function'
}

/**
 * Wait for the next event `name` of an EventEmitter or EventTarget; gives the listener's arguments. Listens from the
 * moment it is awaited. An emitter's 'error' meanwhile is thrown.
 */
export function fromEvent(source: Emitter | Target, name: string): Coroutine<unknown[]> {
  return trackUnawaited(eventSteps(source, name), 'fromEvent')
}

function* eventSteps(source: Emitter | Target, name: string): Coroutine<unknown[]> {
  getRunningLoop()
  const future = new HostFuture<unknown[]>(`event ${describe(name)}`)
  const onEvent = (...args: unknown[]): void => future.succeed(args)
  const onError = (error: unknown): void => future.reject(error)
  if (isTarget(source)) source.addEventListener(name, onEvent)
  else {
    source.on(name, onEvent)
    if (name !== 'error') source.on('error', onError)
  }
  try {
    return yield* future
  } finally {
    future.close()
    if (isTarget(source)) source.removeEventListener(name, onEvent)
    else {
      source.off(name, onEvent)
      source.off('error', onError)
    }
  }
}
