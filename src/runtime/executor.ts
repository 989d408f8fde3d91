// Runs plain functions outside the coroutine's step: on the host's threads if it has any, otherwise on this thread in a
// later turn of the host.
import type { AbstractEventLoop, Executor } from './abstract-loop.ts'
import type { Coroutine } from './coroutine.ts'
import { Future } from './future.ts'
import { describe } from './describe.ts'
import { registeredThreads } from './threads.ts'
import { wait } from './wait.ts'

/**
 * The default executor. With threads, it accepts functions exported by a module under `workers/`. Without threads, or with
 * a virtual clock, each call blocks the loop; debug mode reports that.
 */
export class HostExecutor implements Executor {
  readonly #open = new Set<Future<unknown>>()
  #loop: AbstractEventLoop | null = null

  submit<A extends unknown[], R>(loop: AbstractEventLoop, fn: (...args: A) => R, args: A): Future<Awaited<R>> {
    const threads = loop.host.virtual ? null : registeredThreads()
    if (threads === null) return this.#callHere(loop, fn, args)
    this.#loop = loop
    return threads.submit(loop, fn, args)
  }

  #callHere<A extends unknown[], R>(loop: AbstractEventLoop, fn: (...args: A) => R, args: A): Future<Awaited<R>> {
    const future = new Future<Awaited<R>>({ loop })
    if (loop.debug) {
      loop.host.report(`runInExecutor: there are no threads here, ${describe(fn)} will run on the loop's own thread and block it`)
    }
    loop.addHostWork(1)
    this.#open.add(future as Future<unknown>)
    loop.host.giveWay(() => {
      loop.addHostWork(-1)
      this.#open.delete(future as Future<unknown>)
      if (loop.isClosed()) return
      loop.callSoonThreadsafe(() => {
        if (future.done()) return
        try {
          future.setResult(fn(...args) as Awaited<R>)
        } catch (error) {
          future.fail(error)
        }
      })
    })
    return future
  }

  *shutdown(): Coroutine<void> {
    // The futures belong to their callers: a cancellation of this wait is not for them, and errors are theirs.
    if (this.#open.size > 0) yield* wait(this.#open)
    const loop = this.#loop
    if (loop !== null) yield* registeredThreads()?.drain(loop) ?? []
  }
}
