// runCoroutineThreadsafe() on the loop's own thread: the same as from elsewhere, except that waiting for the result would
// block the loop that has to produce it.
import type { ConcurrentFuture } from '../runtime/threads.ts'
import type { EventLoop } from '../runtime/loop.ts'
import type { Task } from '../runtime/task.ts'
import { advice } from '../runtime/awaitable.ts'
import { isCoroutine, type Coroutine } from '../runtime/coroutine.ts'
import { describable, describe } from '../runtime/describe.ts'
import { RuntimeError } from '../runtime/exceptions.ts'
import { Future } from '../runtime/future.ts'

export class LocalFuture<T> implements ConcurrentFuture<T> {
  readonly #future: Future<T>
  #task: Task<T> | null = null
  #cancelling = false

  constructor(coro: Coroutine<T>, loop: EventLoop) {
    if (!isCoroutine(coro)) throw new TypeError(`runCoroutineThreadsafe: a coroutine is needed, got ${describe(coro)}${advice('runCoroutineThreadsafe', coro)}`)
    this.#future = new Future<T>({ loop })
    loop.callSoonThreadsafe(() => {
      this.#task = loop.createTask(coro)
      if (this.#cancelling) this.#task.cancel()
      this.#task.addDoneCallback((task) => this.#onDone(task))
    })
  }

  #onDone(task: Task<T>): void {
    if (task.cancelled()) this.#future.cancel()
    else if (task.failed()) this.#future.fail(task.exception())
    else this.#future.setResult(task.result())
  }

  done(): boolean {
    return this.#future.done()
  }

  cancel(): boolean {
    if (this.#future.done()) return false
    this.#cancelling = true
    this.#task?.cancel()
    return true
  }

  result(): T {
    if (!this.#future.done()) {
      throw new RuntimeError(`${this}: result() would block the thread of the loop that has to produce it: await the future instead`)
    }
    return this.#future.result()
  }

  then<A = T, B = never>(
    onFulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#future.then(onFulfilled, onRejected)
  }

  toString(): string {
    return `<ConcurrentFuture ${this.#future.done() ? 'done' : 'pending'}>`
  }
}

describable(LocalFuture)
