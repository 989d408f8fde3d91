// A waiter of a shared queue: Redis ends the wait, with a result or an error. Until then the loop counts it as work of the
// host, so that a virtual clock does not jump over it.
import type { Loop } from '../../runtime/running.ts'
import type { Coroutine } from '../../runtime/coroutine.ts'
import { PENDING, Waiter } from '../../runtime/waiter.ts'

export class RemoteWaiter extends Waiter {
  #error: Error | null = null

  /** Ends the wait; the task throws `error`. */
  fail(error: Error): void {
    if (this.state !== PENDING) return
    this.#error = error
    this.wake()
  }

  *wait(loop: Loop): Coroutine<void> {
    loop.addHostWork(1)
    try {
      yield* this as unknown as Coroutine<void>
    } finally {
      loop.addHostWork(-1)
    }
    if (this.#error !== null) throw this.#error
  }
}
