// What a coroutine is and what it yields. A coroutine is a generator; the only thing it may ever yield is the
// suspension that a future, a waiter or a sleep hands to `yield*` on its behalf.

declare const _mark: unique symbol

/**
 * The mark of a suspended coroutine. Only the runtime makes it, so `yield x` of anything else is a type error; what the
 * compiler names then is this property, so its name says what to write.
 */
export interface Suspension {
  readonly 'await with yield*, a promise with yield* fromPromise(promise)': typeof _mark
}

/** What a coroutine function (`function*`) returns: lazy, as in Python; nothing runs until it is awaited or made a task. */
export type Coroutine<T> = Generator<Suspension, T, unknown>

/** Whatever `yield*` can await: a coroutine, a task, a future. */
export interface Awaitable<T> {
  [Symbol.iterator](): Generator<Suspension, T, unknown>
}

/** The type that awaiting `A` gives. */
export type Result<A> = A extends Awaitable<infer T> ? T : never

/** The one iterator result of every suspension. What is waited for stands in the task, not here: nothing is allocated. */
export const SUSPENDED: IteratorYieldResult<Suspension> = Object.freeze({
  done: false as const,
  value: Object.freeze({ toString: () => '<Suspension>' }) as unknown as Suspension,
})

/** The iterator result of whatever ends with nothing to give. */
export const DONE: IteratorReturnResult<void> = Object.freeze({ done: true as const, value: undefined })

function isFunction(value: unknown): boolean {
  return typeof value === 'function'
}

/** Tell whether `value` is a coroutine object: what a generator function, or one of the runtime's own coroutines, returned. */
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
