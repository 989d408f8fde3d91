// Awaitables that a coroutine returns without `yield*`, as one returns a promise in JavaScript: `return gather(…)`. Inside
// the loop they are ordinary values. A result that leaves the loop is awaited first: outside, nothing could end the wait.
import { isCoroutine, type Coroutine } from './coroutine.ts'
import { fromPromise } from './from-host.ts'
import { isFuture } from './future.ts'
import { getRunningLoop } from './abstract-loop.ts'

/** Whether a value is a coroutine, a task, a future or a promise: code outside the loop must not get it. */
export function mustBeAwaited(value: unknown): value is Coroutine<unknown> | PromiseLike<unknown> {
  return isCoroutine(value) || typeof (value as PromiseLike<unknown> | null | undefined)?.then === 'function'
}

/** Await a value, and its result in turn, until the result is not awaitable. */
export function* awaiting(value: Coroutine<unknown> | PromiseLike<unknown>): Coroutine<unknown> {
  const loop = getRunningLoop()
  let result: unknown = value
  while (mustBeAwaited(result)) {
    const isOurs = isCoroutine(result) || (isFuture(result) && result.getLoop() === loop)
    result = isOurs ? yield* result as Coroutine<unknown> : yield* fromPromise(result as PromiseLike<unknown>)
  }
  return result
}
