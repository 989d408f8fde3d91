// What tasks of one connection wait for: something that the host does. Several may wait at the same time, for example one that
// polls for the disconnect; each looks again when it is woken.
import type { Coroutine } from '../runtime/coroutine.ts'
import { Deque } from '../runtime/deque.ts'
import type { WaitDescription } from '../runtime/waitable.ts'
import { Waiter } from '../runtime/waiter.ts'

class MessageWaiter extends Waiter {
  readonly #description: WaitDescription

  constructor(kind: 'receive' | 'send', label: string) {
    super(kind, {})
    this.#description = { kind, label }
  }

  override describeWait(): WaitDescription {
    return this.#description
  }
}

export class Waits {
  /** Null before the first: most requests wait for nothing. */
  #waiters: Deque<Waiter> | null = null

  /** Wakes all that wait. */
  wake(): void {
    if (this.#waiters === null) return
    for (const waiter of this.#waiters) waiter.wake()
  }

  /** Waits for the next `wake`; `what` is shown to observers. */
  *wait(kind: 'receive' | 'send', what: string): Coroutine<void> {
    const waiter = new MessageWaiter(kind, what)
    const waiters = (this.#waiters ??= new Deque())
    waiters.push(waiter)
    try {
      yield* waiter
    } finally {
      waiters.remove(waiter)
    }
  }
}
