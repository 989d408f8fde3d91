// The names and shapes of everything that needs threads. What runs them is registered by the host's side; where nothing
// is registered, each says so.
import type { Coroutine } from './coroutine.ts'
import type { AbstractEventLoop } from './abstract-loop.ts'
import type { Future } from './future.ts'
import { describe } from './describe.ts'
import { RuntimeError } from './exceptions.ts'
import { trackUnawaited } from './unawaited.ts'

/** Where a plain function runs. */
export type ThreadMode = 'inline' | 'sensitive' | 'pool'

/** The result of a coroutine that another thread's loop runs. */
export interface ConcurrentFuture<T> extends PromiseLike<T> {
  done(): boolean
  /** Ask the coroutine to cancel; false if it is done. */
  cancel(): boolean
  /**
   * Hold this thread until there is a result and give it, or throw its exception. Throws a TimeoutError after `timeout`
   * seconds (`null`: never), a RuntimeError on the loop's own thread, which it would hold for ever.
   */
  result(timeout?: number | null): T
}

/** What a host with threads provides. */
export interface Threads {
  /** Call a function that a module under `workers/` exports, off the loop's thread; `caller` is named in errors. */
  call<A extends unknown[], R>(mode: 'sensitive' | 'pool', fn: (...args: A) => R, args: A, caller: string): Coroutine<Awaited<R>>
  /** The same on the pool, for an executor: at once, and without context variables. */
  submit<A extends unknown[], R>(loop: AbstractEventLoop, fn: (...args: A) => R, args: A): Future<Awaited<R>>
  /** Wait until every call that `loop` has made on the pool has ended, orphaned ones too. */
  drain(loop: AbstractEventLoop): Coroutine<void>
  /** From any thread: run a coroutine on a loop, or (from a worker) a coroutine function on the main one. */
  runCoroutineThreadsafe(what: unknown, where: unknown): ConcurrentFuture<unknown>
  /** Give the sensitive calls inside of `body` a thread of their own. */
  inContext<T>(body: () => Coroutine<T>): Coroutine<T>
  /** In a worker thread: run a coroutine function on the main loop and hold this thread until it is done. */
  asyncToSync?<A extends unknown[], R>(fn: (...args: A) => Coroutine<R>, args: A): R
}

let registered: Threads | null = null

/** Register what runs threads; `null` takes it back. */
export function setThreads(threads: Threads | null): void {
  registered = threads
}

/** The registered threads, if there are any. */
export function registeredThreads(): Threads | null {
  return registered
}

/** The registered threads. Throws a RuntimeError on behalf of `caller` where there are none. */
export function threads(caller: string): Threads {
  if (registered === null) throw new RuntimeError(`${caller}: there are no worker threads in this program`)
  return registered
}

/**
 * Call `fn(...args)` on the pool of threads and wait for its result. `fn` must be exported by a module under `workers/`.
 * The context variables that this module exports go along, and back. Cancelling returns at once; the thread finishes unheard.
 */
export function toThread<A extends unknown[], R>(fn: (...args: A) => R, ...args: A): Coroutine<Awaited<R>> {
  return callThread('pool', fn, args, 'toThread')
}

/** @internal What `toThread` and the threaded modes of `syncToAsync` have in common. */
export function callThread<A extends unknown[], R>(
  mode: 'sensitive' | 'pool', fn: (...args: A) => R, args: A, caller: string,
): Coroutine<Awaited<R>> {
  if (typeof fn !== 'function') throw new TypeError(`${caller}: a function is needed, got ${describe(fn)}`)
  return trackUnawaited(threads(caller).call(mode, fn, args, caller), fn.name === '' ? caller : fn.name)
}

/** Run a coroutine on `loop` from outside of it. */
export function runCoroutineThreadsafe<T>(coro: Coroutine<T>, loop: AbstractEventLoop): ConcurrentFuture<T>
/** In a worker thread: run `fn(...args)` on the main loop. `fn` must be exported by a module under `workers/`. */
export function runCoroutineThreadsafe<A extends unknown[], T>(fn: (...args: A) => Coroutine<T>, args?: A): ConcurrentFuture<T>
export function runCoroutineThreadsafe(what: unknown, where: unknown): ConcurrentFuture<unknown> {
  return threads('runCoroutineThreadsafe').runCoroutineThreadsafe(what, where)
}

/** A scope, one request for instance, whose sensitive calls share a thread of their own. */
export class ThreadSensitiveContext {
  /** Run `body` in this context and give its value. */
  with<T>(body: () => Coroutine<T>): Coroutine<T> {
    return trackUnawaited(threads('ThreadSensitiveContext').inContext(body), 'ThreadSensitiveContext.with')
  }
}
