// What can be awaited. For what cannot (a promise, an async function, a function that was not called): what to write instead.
import type { Awaitable } from './coroutine.ts'
import { describe } from './describe.ts'

export function isAwaitable(value: unknown): value is Awaitable<unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const candidate = value as { [Symbol.iterator]?: unknown; size?: unknown }
  // Maps and sets are iterable, but not awaitable.
  return typeof candidate[Symbol.iterator] === 'function' && candidate.size === undefined
}

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | null | undefined)?.then === 'function'
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof (value as Partial<AsyncIterable<unknown>> | null)?.[Symbol.asyncIterator] === 'function'
}

/** They take several awaitables. */
const LISTS = new Set(['gather', 'asCompleted'])

/** What to write instead of `value`, which `caller` got in place of a coroutine: `: …`, or '' if unknown. */
export function advice(caller: string, value: unknown): string {
  if (typeof value === 'function') {
    if (Object.prototype.toString.call(value) === '[object AsyncFunction]') {
      return ': an async function is no coroutine function, write `function*` for `async`, and `yield*` for `await`'
    }
    const call = `${value.name === '' ? 'fn' : value.name}(…)`
    return `: call it, ${LISTS.has(caller) ? `${caller}([${call}])` : `${caller}(${call})`}`
  }
  if (isAwaitable(value) && isThenable(value)) return ': a future runs by itself, await it with `yield*`'
  if (isThenable(value)) return ': wrap a promise with fromPromise(promise); a coroutine function is `function*`, not `async`'
  if (Array.isArray(value)) return ': await several with gather([…])'
  if (isAsyncIterable(value)) return ': iterate over it with fromAsyncIterable; a coroutine function is `function*`, not `async function*`'
  if (value === undefined) return ': a coroutine function is written `function*`'
  return ''
}

/** Call the body that `caller` was given and return its coroutine. Throws a TypeError if it is not a coroutine function. */
export function callBody<A extends unknown[], T>(caller: string, body: (...args: A) => Awaitable<T>, ...args: A): Awaitable<T> {
  if (typeof body !== 'function') {
    const instead = isAwaitable(body) ? ': give it the function itself, `function* () { … }`; for one coroutine with a timeout there is waitFor(coroutine, seconds)' : ''
    throw new TypeError(`${caller}: a coroutine function is needed, got ${describe(body)}${instead}`)
  }
  const made: unknown = body(...args)
  if (isAwaitable(made)) return made as Awaitable<T>
  // The promise already runs and is dropped: ignore its rejection.
  if (isThenable(made)) made.then(undefined, () => {})
  throw new TypeError(
    `${caller}: a coroutine function is needed, got ${describe(body)}, which returned ${describe(made)}: write \`function*\`, and \`yield*\` for \`await\``,
  )
}

const NOT_ITERABLE = / is not iterable(?: \(cannot read property Symbol\(Symbol\.iterator\)\))?$/

/** Add to V8's message about a `yield*` what to write instead. For other iterations the message differs in its first words. */
export function explainNotIterable(error: TypeError): void {
  const { message, stack } = error
  if (!NOT_ITERABLE.test(message) || (!message.startsWith('yield* ') && !message.endsWith(')'))) return
  const whole = `${message}: \`yield*\` awaits coroutines, tasks and futures; for a promise write \`yield* fromPromise(promise)\`, and call a coroutine function`
  error.message = whole
  if (typeof stack === 'string') error.stack = stack.replace(message, () => whole)
}
