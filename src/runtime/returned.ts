// What a coroutine returned without `yield*`, as one returns a promise in JavaScript: `return gather(…)`. Inside of the loop
// it is a value like any other; where a result leaves the loop it is awaited, for outside nothing could end the wait.
import { isCoroutine, type Coroutine } from './coroutine.ts'
import { fromPromise } from './from-host.ts'
import { isFuture } from './future.ts'
import { getRunningLoop } from './abstract-loop.ts'

/** Whether a value is a coroutine, a task or future, or a promise: never what code outside of the loop is to get. */
export function mustBeAwaited(value: unknown): value is Coroutine<unknown> | PromiseLike<unknown> {
  return isCoroutine(value) || typeof (value as PromiseLike<unknown> | null | undefined)?.then === 'function'
}

/** Await a value until it is one that need not be. */
export function* awaiting(value: Coroutine<unknown> | PromiseLike<unknown>): Coroutine<unknown> {
  const loop = getRunningLoop()
  let result: unknown = value
  while (mustBeAwaited(result)) {
    const isOurs = isCoroutine(result) || (isFuture(result) && result.getLoop() === loop)
    result = isOurs ? yield* result as Coroutine<unknown> : yield* fromPromise(result as PromiseLike<unknown>)
  }
  return result
}
