// Makes a future of any awaitable.
import type { Awaitable, Coroutine } from './coroutine.ts'
import { advice, isAwaitable } from './awaitable.ts'
import { describe } from './describe.ts'
import { Future, isFuture } from './future.ts'
import { getRunningLoop, type AbstractEventLoop } from './abstract-loop.ts'

function* wrapAwaitable<T>(awaitable: Awaitable<T>): Coroutine<T> {
  return yield* awaitable
}

function notAwaitable(value: unknown, caller: string): TypeError {
  return new TypeError(`${caller}: a coroutine, a task or a future is needed, got ${describe(value)}${advice(caller, value)}`)
}

/** Throw a TypeError in the name of `caller` if `value` cannot be awaited. */
export function requireAwaitable(value: unknown, caller: string): void {
  if (!isAwaitable(value)) throw notAwaitable(value, caller)
}

/** Return a future unchanged; make a task of a coroutine or another awaitable. Throws a TypeError for anything else. */
export function ensureFuture<T>(awaitable: Awaitable<T>, options?: { loop?: AbstractEventLoop }): Future<T> {
  return futureOf(awaitable, options?.loop, 'ensureFuture')
}

/** The same, with errors in the name of `caller`. */
export function futureOf<T>(awaitable: Awaitable<T>, on: AbstractEventLoop | undefined, caller: string): Future<T> {
  if (isFuture(awaitable)) {
    if (on !== undefined && awaitable.getLoop() !== on) throw new RangeError(`${awaitable} belongs to a different loop than ${on}`)
    return awaitable as Future<T>
  }
  const loop = on ?? getRunningLoop()
  // A quick check: the task checks the rest.
  if (typeof (awaitable as Partial<Coroutine<T>> | null)?.next === 'function' && Symbol.iterator in awaitable) return loop.createTask(awaitable as Coroutine<T>)
  if (isAwaitable(awaitable)) return loop.createTask(wrapAwaitable(awaitable as Awaitable<T>))
  throw notAwaitable(awaitable, caller)
}
