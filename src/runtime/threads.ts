// The functions and types that need threads. The host's side registers the implementation; without one, the functions throw.
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
  /** Request cancellation of the coroutine; false if it is done. */
  cancel(): boolean
  /**
   * Block this thread until there is a result and return it, or throw its exception. Throws a TimeoutError after `timeout`
   * seconds (`null`: never), a RuntimeError on the loop's own thread, which it would block indefinitely.
   */
  result(timeout?: number | null): T
}

/** The implementation that a host with threads provides. */
export interface Threads {
  /** Call a function that a module under `workers/` exports, off the loop's thread; `caller` is named in errors. */
  call<A extends unknown[], R>(mode: 'sensitive' | 'pool', fn: (...args: A) => R, args: A, caller: string): Coroutine<Awaited<R>>
  /** The same on the pool, for an executor: begins at once, without context variables. */
  submit<A extends unknown[], R>(loop: AbstractEventLoop, fn: (...args: A) => R, args: A): Future<Awaited<R>>
  /** Wait until every call that `loop` made on the pool has ended, detached ones too. */
  drain(loop: AbstractEventLoop): Coroutine<void>
  /** From any thread: run a coroutine on a loop, or (from a worker) a coroutine function on the main one. */
  runCoroutineThreadsafe(what: unknown, where: unknown): ConcurrentFuture<unknown>
  /** Run the sensitive calls inside `body` on a separate thread. */
  inContext<T>(body: () => Coroutine<T>): Coroutine<T>
  /** In a worker thread: run a coroutine function on the main loop and block this thread until it is done. */
  asyncToSync?<A extends unknown[], R>(fn: (...args: A) => Coroutine<R>, args: A): R
}

let registered: Threads | null = null

/** Register the implementation of threads; `null` removes it. */
export function setThreads(threads: Threads | null): void {
  registered = threads
}

/** The registered threads, if there are any. */
export function registeredThreads(): Threads | null {
  return registered
}

/** The registered threads. Throws a RuntimeError in the name of `caller` if there are none. */
export function threads(caller: string): Threads {
  if (registered === null) throw new RuntimeError(`${caller}: there are no worker threads in this program`)
  return registered
}

/**
 * Call `fn(...args)` on the pool of threads and wait for its result. `fn` must be exported by a module under `workers/`, or
 * be named by `workerFunction`. The context variables that this module exports are copied to the thread and back. Cancelling returns at once; the detached
 * thread runs to its end.
 */
export function toThread<A extends unknown[], R>(fn: (...args: A) => R, ...args: A): Coroutine<Awaited<R>> {
  return callThread('pool', fn, args, 'toThread')
}

/** @internal The common part of `toThread` and the threaded modes of `syncToAsync`. */
export function callThread<A extends unknown[], R>(
  mode: 'sensitive' | 'pool', fn: (...args: A) => R, args: A, caller: string,
): Coroutine<Awaited<R>> {
  if (typeof fn !== 'function') throw new TypeError(`${caller}: a function is needed, got ${describe(fn)}`)
  return trackUnawaited(threads(caller).call(mode, fn, args, caller), fn.name === '' ? caller : fn.name)
}

/** Run a coroutine on `loop` from outside the loop. */
export function runCoroutineThreadsafe<T>(coro: Coroutine<T>, loop: AbstractEventLoop): ConcurrentFuture<T>
/** In a worker thread: run `fn(...args)` on the main loop. `fn` must be exported by a module under `workers/`. */
export function runCoroutineThreadsafe<A extends unknown[], T>(fn: (...args: A) => Coroutine<T>, args?: A): ConcurrentFuture<T>
export function runCoroutineThreadsafe(what: unknown, where: unknown): ConcurrentFuture<unknown> {
  return threads('runCoroutineThreadsafe').runCoroutineThreadsafe(what, where)
}

/** A scope, for example one request, whose sensitive calls share a separate thread. */
export class ThreadSensitiveContext {
  /** Run `body` in this context and return its value. */
  with<T>(body: () => Coroutine<T>): Coroutine<T> {
    return trackUnawaited(threads('ThreadSensitiveContext').inContext(body), 'ThreadSensitiveContext.with')
  }
}
