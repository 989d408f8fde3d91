// syncToAsync() and asyncToSync(): bridges between plain functions and coroutines, after Django's asgiref.
import type { Task } from './task.ts'
import { isCoroutine, type Coroutine } from './coroutine.ts'
import { callBody } from './awaitable.ts'
import { describe } from './describe.ts'
import { RuntimeError } from './exceptions.ts'
import { isFuture } from './future.ts'
import { EventLoop } from './loop.ts'
import { awaiting } from './returned.ts'
import { running, type Loop } from './running.ts'
import { callThread, registeredThreads, type ThreadMode } from './threads.ts'
import { trackUnawaited } from './unawaited.ts'

export interface SyncToAsyncOptions {
  /** Where the function runs: `'inline'` (default) on the loop's thread, `'sensitive'` on one thread for all such calls, `'pool'` on a pool of threads. */
  thread?: ThreadMode
}

/**
 * Make a coroutine function of a plain one. `'inline'`: the function runs on the loop's thread and blocks it. `'sensitive'`
 * and `'pool'` do not block the loop; they need a function exported by a module under `workers/`, or named by `workerFunction`.
 */
export function syncToAsync<A extends unknown[], R>(
  fn: (...args: A) => R,
  options?: SyncToAsyncOptions,
): (...args: A) => Coroutine<R> {
  if (typeof fn !== 'function') throw new TypeError(`syncToAsync: a function is needed, got ${describe(fn)}`)
  const mode = options?.thread ?? 'inline'
  switch (mode) {
    case 'inline':
      return (...args) => trackUnawaited(callInline(fn, args), fn.name === '' ? 'syncToAsync' : fn.name)
    case 'sensitive':
    case 'pool':
      return (...args) => callThread(mode, fn, args, 'syncToAsync') as Coroutine<R>
    default:
      throw new RangeError(`syncToAsync: thread must be 'inline', 'sensitive' or 'pool', got ${describe(mode)}`)
  }
}

function* callInline<A extends unknown[], R>(fn: (...args: A) => R, args: A): Coroutine<R> {
  return fn(...args)
}

export interface AsyncToSyncOptions {
  /** Throw when called on the thread of a running loop, as asgiref does. */
  strict?: boolean
}

/**
 * Make a plain function of a coroutine function. It runs the coroutine to its end on a new loop and blocks the thread,
 * timers included: nothing else on the calling loop runs. A wait that only the outer loop or the host could end is a
 * RuntimeError. With `strict` a call where a loop runs is a RuntimeError too. In a worker thread the coroutine runs on the
 * main loop and the worker waits; then `fn` must be exported by a module under `workers/`.
 */
export function asyncToSync<A extends unknown[], R>(
  fn: (...args: A) => Coroutine<R>,
  options?: AsyncToSyncOptions,
): (...args: A) => R {
  if (typeof fn !== 'function') throw new TypeError(`asyncToSync: a coroutine function is needed, got ${describe(fn)}`)
  return (...args) => {
    const outer = running.loop
    if (outer !== null && options?.strict === true) {
      throw new RuntimeError(
        `asyncToSync: ${describe(fn)} was called on the thread of a running event loop, which it would block: await the coroutine with \`yield*\``,
      )
    }
    const threads = outer === null ? registeredThreads() : null
    if (threads?.asyncToSync !== undefined) return threads.asyncToSync(fn, args)
    return runToEnd(callBody('asyncToSync', fn, ...args) as Coroutine<R>, outer)
  }
}

function runToEnd<R>(coro: Coroutine<R>, outer: Loop | null): R {
  // The same clock, so that a virtual one continues from its current time.
  const loop = new EventLoop(outer === null ? {} : { clock: outer.host, debug: outer.debug })
  const { context } = running
  try {
    const options = context === null ? {} : { context }
    let task: Task<unknown> = loop.createTask(coro, options)
    loop.runNested(task)
    // The caller can await a promise, but not an awaitable of this loop, which is about to close.
    for (let value = task.result(); isCoroutine(value) || isFuture(value); value = task.result()) {
      task = loop.createTask(awaiting(value), options)
      loop.runNested(task)
    }
    return task.result() as R
  } finally {
    endNested(loop)
  }
}

/** Cancel the remaining tasks and close the loop. */
function endNested(loop: EventLoop): void {
  const left = [...loop.liveTasks()]
  for (const task of left) task.cancel()
  for (const task of left) {
    if (!task.done()) loop.runNested(task)
  }
  loop.close()
}
