// The interface of a loop: everything that a program can do with one. The one class that implements it is in loop.ts
// (asyncio's AbstractEventLoop and BaseEventLoop).
import type { Context } from './context.ts'
import type { Awaitable, Coroutine } from './coroutine.ts'
import type { Future } from './future.ts'
import type { Callback, Handle, TimerHandle } from './handle.ts'
import type { Instruments } from './instruments.ts'
import type { Task, TaskOptions } from './task.ts'
import { RuntimeError } from './exceptions.ts'
import { running, type FailureReport, type Loop } from './running.ts'

export type TaskFactory = <T>(loop: AbstractEventLoop, coro: Coroutine<T>, options?: TaskOptions) => Task<T>

/** The argument of an exception handler. */
export interface ExceptionContext extends FailureReport {
  task?: Task<unknown>
  future?: Future<unknown>
  handle?: Handle
}

/** How a callback is called. */
export interface CallOptions {
  /** The context to call it in; by default a copy of the current one. */
  context: Context
}

export type ExceptionHandler = (loop: AbstractEventLoop, context: ExceptionContext) => void

/** Runs functions for `loop.runInExecutor`. */
export interface Executor {
  submit<A extends unknown[], R>(loop: AbstractEventLoop, fn: (...args: A) => R, args: A): Future<Awaited<R>>
  /** Wait until everything that was submitted has finished. No further call is accepted. */
  shutdown(): Coroutine<void>
}

/** An event loop, as `getRunningLoop` returns it. The type is the same as that of an `EventLoop`. */
export interface AbstractEventLoop extends Loop {
  /** Hooks for observers of this loop. */
  readonly instruments: Instruments
  /** In debug mode, a step or callback that takes at least this many seconds is reported. */
  slowCallbackDuration: number
  /** @internal */ probe: Instruments | null

  /** Call `fn(...args)` in the next iteration, in a copy of the current context, or in `context`. */
  callSoon<A extends unknown[]>(fn: Callback<A>, ...args: A): Handle
  callSoon<A extends unknown[]>(options: CallOptions, fn: Callback<A>, ...args: A): Handle
  /** The same as `callSoon`, under asyncio's name for calls from other threads. A worker's messages arrive on this thread. */
  callSoonThreadsafe<A extends unknown[]>(fn: Callback<A>, ...args: A): Handle
  callSoonThreadsafe<A extends unknown[]>(options: CallOptions, fn: Callback<A>, ...args: A): Handle
  /** Call `fn(...args)` after `delay` seconds. */
  callLater<A extends unknown[]>(delay: number, fn: Callback<A>, ...args: A): TimerHandle
  callLater<A extends unknown[]>(delay: number, options: CallOptions, fn: Callback<A>, ...args: A): TimerHandle
  /** Call `fn(...args)` when the loop's clock shows `when` (seconds). */
  callAt<A extends unknown[]>(when: number, fn: Callback<A>, ...args: A): TimerHandle
  callAt<A extends unknown[]>(when: number, options: CallOptions, fn: Callback<A>, ...args: A): TimerHandle

  createFuture<T>(): Future<T>
  /** Make a task of `coro`, through the task factory if one is set. */
  createTask<T>(coro: Coroutine<T>, options?: TaskOptions): Task<T>
  setTaskFactory(factory: TaskFactory | null): void
  getTaskFactory(): TaskFactory | null
  /** @internal The tasks that are not done, in order of creation. */
  liveTasks(): Set<Task<unknown>>

  /** Set the handler of errors that nothing awaits, `(loop, context)`; `null` restores the default, which writes to the log. */
  setExceptionHandler(handler: ExceptionHandler | null): void
  getExceptionHandler(): ExceptionHandler | null
  /** Write the context to the host's log of errors. */
  defaultExceptionHandler(context: ExceptionContext): void
  /** Pass a context to the exception handler. Never throws. */
  callExceptionHandler(context: ExceptionContext): void

  /** Run `fn(...args)` in `executor`, or in the default executor. Returns a future of its result. */
  runInExecutor<A extends unknown[], R>(executor: Executor | null, fn: (...args: A) => R, ...args: A): Future<Awaited<R>>
  setDefaultExecutor(executor: Executor): void
  /** Close the asynchronous generators that were started and have not ended; `run` does it at its end. */
  shutdownAsyncgens(): Coroutine<void>
  /** Wait until the default executor has finished its calls. It accepts no further call. */
  shutdownDefaultExecutor(): Coroutine<void>

  /**
   * Call `fn(...args)` as a callback of the loop when the process gets a signal, such as `SIGTERM`; replaces the signal's handler. With
   * one for `SIGINT`, Ctrl-C does not cancel the main task. Throws a RangeError for what is no signal, a RuntimeError for one that
   * cannot be handled, in a worker thread, and in browsers.
   */
  addSignalHandler<A extends unknown[]>(signal: string, fn: Callback<A>, ...args: A): void
  /** Restore what a signal does without a handler; false if there was no handler. */
  removeSignalHandler(signal: string): boolean
  /** @internal Closes the asynchronous generators that were started and have not ended; the first of them sets it. */
  closeGenerators: (() => Coroutine<void>) | null
  /** @internal Call `fn` when the loop closes, to close what the program left open. Returns a function that takes it back. */
  onClose(fn: () => void): () => void

  isRunning(): boolean
  /** Run until `stop()`. */
  runForever(): Promise<void>
  /** Run until `awaitable` is done and return its result. A result that is itself awaitable is awaited too. What was ready at that moment still runs, as in asyncio. */
  runUntilComplete<T>(awaitable: Awaitable<T>): Promise<T>
  /**
   * @internal Run until `future` is done; await its result too if it is awaitable. A promise resolved with a future of this
   * loop would never settle, because the loop stops. `onWait` is called with each future that is waited for.
   */
  runToValue(future: Future<unknown>, onWait?: (future: Future<unknown>) => void): Promise<unknown>
  /** @internal Run until `future` is done, without yielding to the host: the thread is blocked. */
  runNested(future: Future<unknown>): void
  /** Stop after the current iteration. */
  stop(): void
  /** Close a loop that is not running. Pending tasks are reported and dropped. */
  close(): void
  toString(): string
}

/** The loop that runs on this thread. Throws a RuntimeError outside a coroutine or callback. */
export function getRunningLoop(): AbstractEventLoop {
  if (running.loop === null) {
    throw new RuntimeError(
      'no running event loop: call this from a coroutine that `run` drives, or from a callback of its loop. In code that the host calls ' +
      '(a listener, a timer, a promise\'s callback) use the loop: `const loop = getRunningLoop()` in the coroutine, and loop.createTask(…) there',
    )
  }
  return running.loop as AbstractEventLoop
}
