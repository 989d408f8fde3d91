// Event: a flag that tasks wait for.
import type { Coroutine } from './coroutine.ts'
import { describable } from './describe.ts'
import type { Loop } from './running.ts'
import { Waiters } from './lock.ts'
import type { LoopBound } from './loop-bound.ts'
import type { WaitKind } from './waitable.ts'
import { trackUnawaited } from './unawaited.ts'

export class Event implements LoopBound {
  /** @internal */ boundLoop: Loop | null = null
  readonly #waiters = new Waiters()
  #value = false

  isSet(): boolean {
    return this.#value
  }

  /** Set the flag and wake every waiting task. */
  set(): void {
    if (this.#value) return
    this.#value = true
    for (const waiter of this.#waiters) waiter.wake()
  }

  /** Unset the flag: later calls of `wait` block. */
  clear(): void {
    this.#value = false
  }

  /** Wait until the flag is set; returns true, at once if it is set already. */
  wait(): Coroutine<true> {
    return trackUnawaited(this.waitAs('event', this), 'Event.wait')
  }

  /** @internal Wait on behalf of `owner`, which observers are shown instead of the event. */
  *waitAs(kind: WaitKind, owner: LoopBound & object): Coroutine<true> {
    if (!this.#value) yield* this.#waiters.wait(kind, owner)
    return true
  }

  toString(): string {
    return `<Event ${this.#value ? 'set' : 'unset'}${this.#waiters.describe()}>`
  }
}

describable(Event)
