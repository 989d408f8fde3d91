// What a coroutine is and what it yields. A coroutine is a generator. It may yield only the suspension that `yield*` gets
// from a future, a waiter or a sleep.

declare const _mark: unique symbol

/**
 * The mark of a suspended coroutine. Only the runtime makes it, so `yield x` of anything else is a type error. The
 * compiler's message names this property, so its name says what to write.
 */
export interface Suspension {
  readonly 'await with yield*, a promise with yield* fromPromise(promise)': typeof _mark
}

/** What a coroutine function (`function*`) returns. It is lazy, as in Python: nothing runs until it is awaited or made a task. */
export type Coroutine<T> = Generator<Suspension, T, unknown>

/**
 * What an asynchronous generator function returns: a `function*` that yields items of type `T` with `yield`, and awaits with
 * `yield*`, as Python's `async def` with a `yield` in it. Iterate over it with `asyncFor`.
 */
export type AsyncGen<T> = Generator<Suspension | T, void, unknown>

/** What `yield*` can await: a coroutine, a task, a future. */
export interface Awaitable<T> {
  [Symbol.iterator](): Generator<Suspension, T, unknown>
}

/** The result type of awaiting `A`. */
export type Result<A> = A extends Awaitable<infer T> ? T : never

/** The iterator result of every suspension. The task records what it waits for, so nothing is allocated here. */
export const SUSPENDED: IteratorYieldResult<Suspension> = Object.freeze({
  done: false as const,
  value: Object.freeze({ toString: () => '<Suspension>' }) as unknown as Suspension,
})

/** The iterator result of a coroutine that ends without a value. */
export const DONE: IteratorReturnResult<void> = Object.freeze({ done: true as const, value: undefined })

function isFunction(value: unknown): boolean {
  return typeof value === 'function'
}

/** Whether `value` is a coroutine object: returned by a generator function or by a coroutine function of the runtime. */
export function isCoroutine(value: unknown): value is Coroutine<unknown> {
  if (typeof value !== 'object' || value === null) return false
  const candidate = value as Partial<Coroutine<unknown>> & { addDoneCallback?: unknown }
  return (
    isFunction(candidate.next) &&
    isFunction(candidate.throw) &&
    isFunction(candidate[Symbol.iterator]) &&
    candidate.addDoneCallback === undefined
  )
}
