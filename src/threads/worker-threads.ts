// The runtime's thread functions inside a worker thread: coroutines run on the main loop.
import type { Coroutine } from '../runtime/coroutine.ts'
import type { ConcurrentFuture, Threads } from '../runtime/threads.ts'
import type { Reply } from './protocol.ts'
import type { WorkerLoop } from './worker-loop.ts'
import { requireFiniteOrNull } from '../runtime/checks.ts'
import { isCoroutine } from '../runtime/coroutine.ts'
import { describable, describe } from '../runtime/describe.ts'
import { RuntimeError, TimeoutError } from '../runtime/exceptions.ts'
import { running } from '../runtime/running.ts'
import { unpack, type Packed } from './errors.ts'
import { addressOf, cannotCross, knownTarget, type Plain } from './exports.ts'
import { putDown, takeAlong } from './context-transfer.ts'

export class WorkerThreads implements Threads {
  readonly #loop: WorkerLoop

  constructor(loop: WorkerLoop) {
    this.#loop = loop
  }

  asyncToSync<A extends unknown[], R>(fn: (...args: A) => Coroutine<R>, args: A): R {
    return new RemoteFuture<R>(this.#loop, 'asyncToSync', fn as unknown as Plain, args, true).result()
  }

  runCoroutineThreadsafe<T>(fn: unknown, args: unknown): ConcurrentFuture<T> {
    if (isCoroutine(fn)) {
      throw new TypeError('runCoroutineThreadsafe: a coroutine cannot leave its thread: in a worker, pass its function and the arguments, runCoroutineThreadsafe(fn, [...args])')
    }
    if (typeof fn !== 'function') throw new TypeError(`runCoroutineThreadsafe: a coroutine function is needed, got ${describe(fn)}`)
    if (args !== undefined && !Array.isArray(args)) throw new TypeError(`runCoroutineThreadsafe: an array of arguments is needed, got ${describe(args)}`)
    return new RemoteFuture<T>(this.#loop, 'runCoroutineThreadsafe', fn as Plain, (args as unknown[] | undefined) ?? [], false)
  }

  call(): never {
    throw mainOnly()
  }

  submit(): never {
    throw mainOnly()
  }

  drain(): never {
    throw mainOnly()
  }

  inContext(): never {
    throw mainOnly()
  }
}

function mainOnly(): RuntimeError {
  return new RuntimeError('this is a worker thread: threads are called from the main loop, so do it in a coroutine there, through asyncToSync')
}

/** A coroutine on the main loop, as seen by the worker thread that asked for it. */
class RemoteFuture<T> implements ConcurrentFuture<T> {
  readonly #loop: WorkerLoop
  readonly #name: string
  readonly #id: number
  #outcome: { ok: true; value: T } | { ok: false; error: unknown } | null = null
  #onDone: (() => void)[] = []

  constructor(loop: WorkerLoop, caller: string, fn: Plain, args: unknown[], blocks: boolean) {
    const target = knownTarget(fn)
    if (target === undefined) throw cannotCross(fn, caller, 'no module that this thread has loaded from there exports it')
    const { module, name } = target
    const onReply = ([, , ok, value, values]: Reply): void => {
      // The variables that the coroutine set: only a caller that waits here is still in its own context.
      if (blocks) putDown(module, values)
      this.#outcome = ok ? { ok, value: value as T } : { ok, error: unpack(value as Packed, module, `${name}() on the main loop`) }
      for (const fn of this.#onDone) fn()
      this.#onDone = []
    }
    this.#loop = loop
    this.#name = name
    try {
      this.#id = loop.request(caller, blocks, [addressOf(target), args, takeAlong(module, running.context)], onReply)
    } catch (error) {
      if (error instanceof RuntimeError) throw error
      throw new TypeError(`${caller}: an argument of ${name}(), or a context variable, cannot be copied to the main thread: ${String(error)}`, { cause: error })
    }
  }

  done(): boolean {
    return this.#outcome !== null
  }

  cancel(): boolean {
    if (this.#outcome !== null) return false
    this.#loop.cancel(this.#id)
    return true
  }

  result(timeout: number | null = null): T {
    requireFiniteOrNull(timeout, 'result: timeout', 'seconds')
    this.#loop.blockUntil(() => this.#outcome !== null, timeout === null ? Infinity : timeout * 1000)
    if (this.#outcome === null) throw new TimeoutError(`${this.#name}() on the main loop took longer than ${timeout} s; it goes on, cancel() ends it`)
    if (this.#outcome.ok) return this.#outcome.value
    throw this.#outcome.error
  }

  then<A = T, B = never>(
    onFulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    const promise = new Promise<T>((resolve, reject) => {
      const settle = (): void => {
        const outcome = this.#outcome!
        if (outcome.ok) resolve(outcome.value)
        else reject(outcome.error as Error)
      }
      if (this.#outcome !== null) settle()
      else this.#onDone.push(settle)
    })
    return promise.then(onFulfilled, onRejected)
  }

  toString(): string {
    return `<ConcurrentFuture ${this.#name} ${this.#outcome === null ? 'pending' : 'done'}>`
  }
}

describable(RemoteFuture)
