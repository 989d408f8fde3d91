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
  readonly #waiters = new Deque<Waiter>()

  /** Wakes all that wait. */
  wake(): void {
    for (const waiter of this.#waiters) waiter.wake()
  }

  /** Waits for the next `wake`; `what` is shown to observers. */
  *wait(kind: 'receive' | 'send', what: string): Coroutine<void> {
    const waiter = new MessageWaiter(kind, what)
    this.#waiters.push(waiter)
    try {
      yield* waiter
    } finally {
      this.#waiters.remove(waiter)
    }
  }
}
