// Asynchronous iteration: asyncFor is `async for`. What can be iterated: asynchronous generators, iterables of the host, the
// events of fromEvents, the tasks of asCompleted.
import type { AsyncGen, Coroutine } from './coroutine.ts'
import type { CoroutineIterable, CoroutineIterator } from './coroutine-iterator.ts'
import { iteratorOfGenerator, type AsyncGenIterator } from './async-generator.ts'
import { isCoroutine } from './coroutine.ts'
import { forEachItem } from './coroutine-iterator.ts'
import { describe } from './describe.ts'
import { fromAsyncIterable } from './from-host.ts'
import { trackUnawaited } from './unawaited.ts'

/** What `asyncFor` iterates over. An `AsyncIterable` is the host's: a stream, an `async function*`. */
export type AsyncSource<T> = AsyncGen<T> | CoroutineIterable<T> | AsyncIterable<T>

/** The iterator of an asynchronous generator; its `next`, `throw` and `close` are Python's `asend`, `athrow` and `aclose`. */
export function aiter<T>(source: AsyncGen<T>): AsyncGenIterator<T>
/** The iterator of `source`, to ask for items by hand: Python's `aiter`. Throws a TypeError for anything else. */
export function aiter<T>(source: AsyncSource<T>): CoroutineIterator<T>
export function aiter<T>(source: AsyncSource<T>): CoroutineIterator<T> {
  if (typeof (source as Partial<CoroutineIterable<T>> | null)?.aiter === 'function') return (source as CoroutineIterable<T>).aiter()
  if (isCoroutine(source)) return iteratorOfGenerator(source as AsyncGen<T>)
  if (typeof (source as Partial<AsyncIterable<T>> | null)?.[Symbol.asyncIterator] === 'function') return fromAsyncIterable(source as AsyncIterable<T>)
  const instead = typeof source === 'function' ? ': call it' : typeof (source as Partial<Iterable<T>> | null)?.[Symbol.iterator] === 'function' ? ': iterate over it with `for`' : ''
  throw new TypeError(`asyncFor: an asynchronous generator, or another asynchronous iterable, is needed, got ${describe(source)}${instead}`)
}

function* forSteps<T, R>(source: AsyncSource<T>, body: (item: T) => Coroutine<R>): Coroutine<R | undefined> {
  return yield* forEachItem(aiter(source), 'asyncFor', body)
}

/**
 * Run `body` for each item of `source`, one after another: `async for`. A value that `body` returns, other than `undefined`,
 * ends the loop and is its result. However the loop ends, `source` is closed: an asynchronous generator runs its `finally`
 * blocks, and is waited for.
 */
export function asyncFor<T, R = void>(source: AsyncSource<T>, body: (item: T) => Coroutine<R>): Coroutine<Exclude<R, void> | undefined> {
  return trackUnawaited(forSteps(source, body), 'asyncFor') as Coroutine<Exclude<R, void> | undefined>
}
