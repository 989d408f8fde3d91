// What can be awaited, and what to write in place of what cannot: promises, async functions, functions that were not called.
import type { Awaitable } from './coroutine.ts'
import { describe } from './describe.ts'

export function isAwaitable(value: unknown): value is Awaitable<unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const candidate = value as { [Symbol.iterator]?: unknown; size?: unknown }
  // Maps and sets are iterable too, and nothing to await.
  return typeof candidate[Symbol.iterator] === 'function' && candidate.size === undefined
}

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | null | undefined)?.then === 'function'
}

/** What to write in place of `value`, which `caller` was given for a coroutine: `: …`, or nothing where it cannot be told. */
export function advice(caller: string, value: unknown): string {
  if (typeof value === 'function') {
    if (Object.prototype.toString.call(value) === '[object AsyncFunction]') {
      return ': an async function is no coroutine function, write `function*` for `async`, and `yield*` for `await`'
    }
    return `: call it, ${caller}(${value.name === '' ? 'fn' : value.name}(…))`
  }
  if (isAwaitable(value) && isThenable(value)) return ': a future runs by itself, await it with `yield*`'
  if (isThenable(value)) return ': wrap a promise with fromPromise(promise); a coroutine function is `function*`, not `async`'
  if (value === undefined) return ': a coroutine function is written `function*`'
  return ''
}

/** Call the body that `caller` was given, and give its coroutine. Throws a TypeError where it is no coroutine function. */
export function callBody<A extends unknown[], T>(caller: string, body: (...args: A) => Awaitable<T>, ...args: A): Awaitable<T> {
  if (typeof body !== 'function') throw new TypeError(`${caller}: a coroutine function is needed, got ${describe(body)}`)
  const made: unknown = body(...args)
  if (isAwaitable(made)) return made as Awaitable<T>
  // It has begun, and nobody will hear of its end.
  if (isThenable(made)) made.then(undefined, () => {})
  throw new TypeError(
    `${caller}: a coroutine function is needed, got ${describe(body)}, which returned ${describe(made)}: write \`function*\`, and \`yield*\` for \`await\``,
  )
}

const NOT_ITERABLE = / is not iterable(?: \(cannot read property Symbol\(Symbol\.iterator\)\))?$/

/** Add to what V8 says of a `yield*` what to write in its place. Of other iterations it says the same, but for the first words. */
export function explainNotIterable(error: TypeError): void {
  const { message, stack } = error
  if (!NOT_ITERABLE.test(message) || (!message.startsWith('yield* ') && !message.endsWith(')'))) return
  const whole = `${message}: \`yield*\` awaits coroutines, tasks and futures; for a promise write \`yield* fromPromise(promise)\`, and call a coroutine function`
  error.message = whole
  if (typeof stack === 'string') error.stack = stack.replace(message, () => whole)
}
