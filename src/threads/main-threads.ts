// The threads of this program, as the runtime asks for them: a pool, one sensitive thread, and a limited number of others that
// ThreadSensitiveContexts share. Nothing is started before the first call.
import { availableParallelism } from 'node:os'
import type { Coroutine } from '../runtime/coroutine.ts'
import type { ConcurrentFuture, Threads } from '../runtime/threads.ts'
import type { Future } from '../runtime/future.ts'
import type { ThreadsState } from './state.ts'
import { callBody } from '../runtime/awaitable.ts'
import { ContextVar } from '../runtime/context.ts'
import { describe } from '../runtime/describe.ts'
import { EventLoop } from '../runtime/loop.ts'
import { requireInteger } from '../runtime/checks.ts'
import { QueueFull } from '../runtime/exceptions.ts'
import { getRunningLoop } from '../runtime/abstract-loop.ts'
import { Call } from './call.ts'
import { Wakeup } from './wakeup.ts'
import { findTarget, type Plain } from './exports.ts'
import { WorkerQueue, type ThreadSource } from './worker-queue.ts'
import { LocalFuture } from './local-future.ts'
import { Stock } from './stock.ts'
import { Thread } from './thread.ts'
import { putDown } from './context-transfer.ts'

export interface ThreadOptions {
  /** How many threads the pool has; default: as many as the machine runs at once, at least 2. */
  poolSize?: number
  /**
   * How many calls may wait for a thread: for the pool, for the sensitive thread, in one ThreadSensitiveContext, and in all
   * contexts that have no thread yet; default 1000.
   */
  maxQueue?: number
  /** How many ThreadSensitiveContexts may have a thread at once, besides the pool and the sensitive thread; default 16. Others wait. */
  maxContexts?: number
  /** How many seconds a thread that no ThreadSensitiveContext has is kept for the next one; default 10. */
  idleSeconds?: number
}

/** The thread-sensitive context that the current code is in, and its queue once it has made a call. */
const sensitiveContext = new ContextVar<{ queue: WorkerQueue | null } | null>('loopscope.sensitiveContext', { default: null })

export class MainThreads implements Threads {
  #options: Required<ThreadOptions> = { poolSize: Math.max(2, availableParallelism()), maxQueue: 1000, maxContexts: 16, idleSeconds: 10 }
  readonly #bell = new Wakeup()
  /** Threads that belong to one queue and end with it. */
  readonly #own: ThreadSource = { take: (queue) => new Thread(queue, this.#bell), giveBack: (thread) => thread.terminate(), onGone: () => {}, leave: () => {} }
  #pool: WorkerQueue | null = null
  #sensitive: WorkerQueue | null = null
  #stock: Stock | null = null
  readonly #contexts = new Set<WorkerQueue>()

  /** Sets sizes and limits, for queues that have not been used yet, or were closed. */
  configure(options: ThreadOptions): void {
    for (const [name, value] of Object.entries(options)) requireInteger(value, `threads: ${name}`, name === 'maxQueue' || name === 'idleSeconds' ? 0 : 1)
    this.#options = { ...this.#options, ...options }
  }

  *call<A extends unknown[], R>(mode: 'sensitive' | 'pool', fn: (...args: A) => R, args: A, caller: string): Coroutine<Awaited<R>> {
    const call = this.#submit(getRunningLoop(), mode, fn as unknown as Plain, args, true, caller)
    try {
      return (yield* call) as Awaited<R>
    } finally {
      if (call.target !== null) putDown(call.target.module, call.values)
    }
  }

  submit<A extends unknown[], R>(loop: EventLoop, fn: (...args: A) => R, args: A): Future<Awaited<R>> {
    return this.#submit(loop, 'pool', fn as unknown as Plain, args, false, 'runInExecutor') as Future<unknown> as Future<Awaited<R>>
  }

  #submit(loop: EventLoop, mode: 'sensitive' | 'pool', fn: Plain, args: unknown[], withContext: boolean, caller: string): Call {
    const queue = mode === 'pool' ? this.#poolQueue() : this.#sensitiveQueue()
    queue.requireRoom(caller, fn.name)
    if (this.#contexts.has(queue) && !queue.hasThread) this.#requireStock(caller, fn.name)
    const call = new Call(loop, mode, fn, args, withContext)
    queue.submit(call, caller)
    return call
  }

  #poolQueue(): WorkerQueue {
    return (this.#pool ??= new WorkerQueue('pool', this.#options.poolSize, this.#options.maxQueue, this.#own))
  }

  #sensitiveQueue(): WorkerQueue {
    const context = sensitiveContext.get()
    if (context === null) return (this.#sensitive ??= this.#makeSensitive(this.#own))
    if (context.queue === null) {
      this.#stock ??= new Stock(this.#options.maxContexts, this.#options.idleSeconds, this.#bell)
      context.queue = this.#makeSensitive(this.#stock)
      this.#contexts.add(context.queue)
    }
    return context.queue
  }

  /** Throws a QueueFull if too many calls already wait in contexts without a thread. */
  #requireStock(caller: string, name: string): void {
    const { maxQueue, maxContexts } = this.#options
    let waiting = 0
    for (const queue of this.#contexts) if (!queue.hasThread) waiting += queue.queued
    if (waiting < maxQueue + (this.#stock?.free ?? 0)) return
    throw new QueueFull(
      `${caller}: ${maxQueue} calls wait for one of the ${maxContexts} threads of ThreadSensitiveContexts already, ${name}() finds no room: try again later`,
    )
  }

  #makeSensitive(source: ThreadSource): WorkerQueue {
    return new WorkerQueue('sensitive', 1, this.#options.maxQueue, source)
  }

  *inContext<T>(body: () => Coroutine<T>): Coroutine<T> {
    // As in asgiref, an inner context shares the outer one's thread.
    if (sensitiveContext.get() !== null) return yield* callBody('ThreadSensitiveContext.with', body)
    const context: { queue: WorkerQueue | null } = { queue: null }
    const token = sensitiveContext.set(context)
    try {
      return yield* callBody('ThreadSensitiveContext.with', body)
    } finally {
      sensitiveContext.reset(token)
      const { queue } = context
      if (queue !== null) void queue.close().then(() => this.#contexts.delete(queue))
    }
  }

  runCoroutineThreadsafe(coro: unknown, loop: unknown): ConcurrentFuture<unknown> {
    if (typeof coro === 'function') {
      throw new TypeError(`runCoroutineThreadsafe: on this thread it takes a coroutine and its loop, runCoroutineThreadsafe(${coro.name}(…), loop)`)
    }
    if (!(loop instanceof EventLoop)) throw new TypeError(`runCoroutineThreadsafe: an EventLoop is needed, got ${describe(loop)}`)
    return new LocalFuture(coro as Coroutine<unknown>, loop)
  }

  *drain(loop: EventLoop): Coroutine<void> {
    for (const call of this.#pool?.calls ?? []) if (call.loop === loop) yield* call.ended()
  }

  /** Loads functions and starts all threads of the pool and the sensitive one, so that the first call is as fast as any. */
  async prepare(fns: readonly Plain[]): Promise<void> {
    this.#poolQueue().fill()
    ;(this.#sensitive ??= this.#makeSensitive(this.#own)).fill()
    for (const fn of fns) await findTarget(fn, 'prepareThreads')
  }

  /** Waits at most `seconds` for calls to end, then ends all threads; open calls fail with a BrokenThread. */
  async close(seconds = 0): Promise<void> {
    const queues = [this.#pool, this.#sensitive, ...this.#contexts].filter((queue) => queue !== null)
    this.#pool = null
    this.#sensitive = null
    const stock = this.#stock
    this.#stock = null
    await Promise.all(queues.map((queue) => queue.close(seconds)))
    await stock?.close()
    this.#contexts.clear()
  }

  state(): ThreadsState {
    return {
      pool: this.#poolQueue().state(),
      sensitive: (this.#sensitive ??= this.#makeSensitive(this.#own)).state(),
      contexts: [...this.#contexts].map((queue) => queue.state()),
    }
  }
}
