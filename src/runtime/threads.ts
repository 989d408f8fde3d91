// The names and shapes of everything that needs threads. What runs them is registered by the host's side; where nothing
// is registered, each says so.
import type { Coroutine } from './coroutine.ts'
import type { EventLoop } from './loop.ts'
import { RuntimeError } from './exceptions.ts'
import { trackUnawaited } from './unawaited.ts'

/** Where a plain function runs. */
export type ThreadMode = 'inline' | 'sensitive' | 'pool'

/** What a host with threads provides. */
export interface Threads {
  /** Call a function that a module under `workers/` exports, off the loop's thread. */
  call<A extends unknown[], R>(mode: 'sensitive' | 'pool', fn: (...args: A) => R, args: A): Coroutine<Awaited<R>>
  /** From another thread: run a coroutine on the main loop. */
  runCoroutineThreadsafe<T>(coro: Coroutine<T>, loop: EventLoop): PromiseLike<T>
  /** Give the sensitive calls inside of `body` a thread of their own. */
  inContext<T>(body: () => Coroutine<T>): Coroutine<T>
}

let registered: Threads | null = null

/** Register what runs threads; `null` takes it back. */
export function setThreads(threads: Threads | null): void {
  registered = threads
}

/** The registered threads. Throws a RuntimeError on behalf of `caller` where there are none. */
export function threads(caller: string): Threads {
  if (registered === null) throw new RuntimeError(`${caller}: there are no worker threads in this program`)
  return registered
}

/** Call `fn(...args)` on the pool of threads and wait for its result. Cancelling returns at once; the thread finishes unheard. */
export function toThread<A extends unknown[], R>(fn: (...args: A) => R, ...args: A): Coroutine<Awaited<R>> {
  return threads('toThread').call('pool', fn, args)
}

/** Run a coroutine on `loop` from another thread. */
export function runCoroutineThreadsafe<T>(coro: Coroutine<T>, loop: EventLoop): PromiseLike<T> {
  return threads('runCoroutineThreadsafe').runCoroutineThreadsafe(coro, loop)
}

/** A scope, one request for instance, whose sensitive calls share a thread of their own. */
export class ThreadSensitiveContext {
  /** Run `body` in this context and give its value. */
  with<T>(body: () => Coroutine<T>): Coroutine<T> {
    return trackUnawaited(threads('ThreadSensitiveContext').inContext(body), 'ThreadSensitiveContext.with')
  }
}
