// run() and Runner: run a main coroutine, cancel the remaining tasks, close the loop.
import { Context, copyContext } from './context.ts'
import type { Host } from './host.ts'
import { advice } from './awaitable.ts'
import { isCoroutine, type Coroutine } from './coroutine.ts'
import { describe } from './describe.ts'
import { CancelledError, KeyboardInterrupt, RuntimeError } from './exceptions.ts'
import { gather } from './gather.ts'
import { EventLoop } from './loop.ts'
import { running } from './running.ts'
import type { Future } from './future.ts'
import type { Task } from './task.ts'

export interface RunOptions {
  /** The clock: with a `VirtualClock` delays take no time. Default: the real one. */
  clock?: Host | undefined
  /** Debug mode: see `EventLoop.debug`. */
  debug?: boolean | undefined
  /** Name of the main task. */
  name?: string | undefined
  /** Cancels the main task when it aborts. */
  signal?: AbortSignal | undefined
  /** Context of the main task. */
  context?: Context | undefined
  /** Makes the loop, instead of `new EventLoop(options)`. */
  loopFactory?: (() => EventLoop) | undefined
}

/** Keeps one loop for several calls of `run`, and closes it: `await using runner = new Runner()`. */
export class Runner {
  readonly #options: RunOptions
  #loop: EventLoop | null = null
  #context: Context | null = null
  #closed = false

  constructor(options: RunOptions = {}) {
    this.#options = options
  }

  /** The runner's loop, made at the first call. Throws a RuntimeError once the runner is closed. */
  getLoop(): EventLoop {
    if (this.#closed) throw new RuntimeError('this Runner is closed')
    this.#context ??= copyContext()
    return (this.#loop ??= this.#options.loopFactory?.() ?? new EventLoop(this.#options))
  }

  /**
   * Run `coro` to its end and return its result. A result that is itself awaitable is awaited too. SIGINT cancels `coro`;
   * then the promise rejects with a KeyboardInterrupt. Throws at once: a RuntimeError if a loop runs already, a TypeError for
   * anything but a coroutine.
   */
  run<T>(coro: Coroutine<T>, options?: { context?: Context | undefined; name?: string | undefined }): Promise<T> {
    if (running.loop !== null) {
      throw new RuntimeError('run() was called inside a running event loop: in a coroutine use `yield*`, or createTask()')
    }
    if (!isCoroutine(coro)) {
      throw new TypeError(`run: a coroutine is needed, got ${describe(coro)}${advice('run', coro)}`)
    }
    const loop = this.getLoop()
    const context = options?.context ?? this.#options.context ?? (this.#context as Context)
    const name = options?.name ?? this.#options.name
    const task = loop.createTask(coro, { context, ...(name === undefined ? {} : { name }) })
    return this.#drive(loop, task)
  }

  async #drive<T>(loop: EventLoop, task: Task<T>): Promise<T> {
    let interrupted = false
    // The main task; after it, the awaitable that it returned without `yield*`.
    let current = task as Future<unknown>
    const { signal } = this.#options
    const onAbort = (): void => {
      current.cancel(signal?.reason instanceof Error ? signal.reason.message : String(signal?.reason))
    }
    const stopListening = loop.host.onInterrupt(() => {
      interrupted = true
      current.cancel()
    })
    if (signal?.aborted === true) onAbort()
    signal?.addEventListener('abort', onAbort)
    try {
      return await loop.runToValue(task, (future) => { current = future }) as T
    } catch (error) {
      if (interrupted && error instanceof CancelledError && task.uncancel() === 0) {
        throw new KeyboardInterrupt('interrupted (SIGINT)', { cause: error })
      }
      throw error
    } finally {
      signal?.removeEventListener('abort', onAbort)
      stopListening()
    }
  }

  /** Cancel the remaining tasks in order of creation, wait for them, and close the loop. */
  async close(): Promise<void> {
    const loop = this.#loop
    if (this.#closed || loop === null) {
      this.#closed = true
      return
    }
    this.#closed = true
    try {
      await cancelAllTasks(loop)
      // Without one there is no task that does nothing at the end of each run.
      if (loop.closeGenerators !== null) await loop.runUntilComplete(loop.shutdownAsyncgens())
      await loop.runUntilComplete(loop.shutdownDefaultExecutor())
    } finally {
      if (!loop.isRunning()) loop.close()
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

async function cancelAllTasks(loop: EventLoop): Promise<void> {
  const tasks = [...loop.liveTasks()]
  if (tasks.length === 0) return
  for (const task of tasks) task.cancel()
  await loop.runUntilComplete(gather(tasks, { returnExceptions: true }))
  for (const task of tasks) {
    if (task.failed()) loop.callExceptionHandler({ message: `${task} failed while run() was shutting down`, exception: task.exception(), task })
  }
}

/**
 * Run a coroutine on a new event loop and return its result. A result that is itself awaitable is awaited too. At the end,
 * the remaining tasks are cancelled and awaited, and the loop is closed. Throws at once inside a running loop.
 */
export function run<T>(coro: Coroutine<T>, options?: RunOptions): Promise<T> {
  const runner = new Runner(options)
  return finish(runner, runner.run(coro))
}

async function finish<T>(runner: Runner, result: Promise<T>): Promise<T> {
  try {
    return await result
  } finally {
    await runner.close()
  }
}
