// What tasks of one connection wait for: something that the host does. Several may wait at the same time, for example one that
// polls for the disconnect; each looks again when it is woken.
import type { Coroutine } from '../runtime/coroutine.ts'
import { describable } from '../runtime/describe.ts'
import { Waiters } from '../runtime/lock.ts'
import type { LoopBound } from '../runtime/loop-bound.ts'
import type { Loop } from '../runtime/running.ts'

/** The label of a wait. */
class Label implements LoopBound {
  boundLoop: Loop | null = null
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  toString(): string {
    return this.#text
  }
}

describable(Label)

export class Waits {
  readonly #waiters = new Waiters()

  /** Wakes all that wait. */
  wake(): void {
    for (const waiter of this.#waiters) waiter.wake()
  }

  /** Waits for the next `wake`; `what` is shown to observers. */
  *wait(kind: 'receive' | 'send', what: string): Coroutine<void> {
    yield* this.#waiters.wait(kind, new Label(what))
  }
}
