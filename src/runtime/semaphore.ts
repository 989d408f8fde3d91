// Semaphore and BoundedSemaphore: limit how many tasks do something at once.
import type { Coroutine } from './coroutine.ts'
import { requireInteger } from './checks.ts'
import { describable } from './describe.ts'
import { CancelledError } from './exceptions.ts'
import { running, type Loop } from './running.ts'
import { Lockable, Waiters } from './lock.ts'
import { Owners } from './owners.ts'
import { bindLoop, type LoopBound } from './loop-bound.ts'
import { trackUnawaited } from './unawaited.ts'
import { Waiter } from './waiter.ts'

export class Semaphore extends Lockable implements LoopBound {
  /** @internal */ boundLoop: Loop | null = null
  /** @internal */ readonly owners = new Owners()
  readonly #waiters = new Waiters()
  #value: number

  /** `value`: how many tasks may acquire it at once, an integer of at least 0. */
  constructor(value = 1) {
    super()
    requireInteger(value, `${new.target.name}: the value`, 0)
    this.#value = value
  }

  /** Whether `acquire` would wait: the value is 0, or other tasks wait already. */
  locked(): boolean {
    return this.#value === 0 || !this.#waiters.allCancelled()
  }

  /** Wait until the value is above 0, then decrement it; returns true. */
  acquire(): Coroutine<true> {
    return trackUnawaited(this.#acquire(), `${this.constructor.name}.acquire`)
  }

  *#acquire(): Coroutine<true> {
    if (!this.locked()) {
      this.#value--
      this.owners.acquired(running.task)
      return true
    }
    bindLoop(this)
    const waiter = new Waiter('semaphore', this)
    this.#waiters.push(waiter)
    try {
      try {
        yield* waiter
      } finally {
        this.#waiters.remove(waiter)
      }
    } catch (error) {
      // Woken and cancelled at once: return what this task was given.
      if (error instanceof CancelledError && waiter.done() && !waiter.cancelled()) {
        this.#value++
        this.owners.released(running.task)
      }
      throw error
    } finally {
      // Later tasks had to wait behind this one even if there was enough for all.
      while (this.#value > 0 && this.#wakeNext());
    }
    return true
  }

  /** Increment the value and wake the first waiter. */
  release(): void {
    this.#value++
    this.owners.released(running.task)
    this.#wakeNext()
  }

  #wakeNext(): boolean {
    for (const waiter of this.#waiters) {
      if (waiter.done()) continue
      this.#value--
      this.owners.acquired(waiter.waiting)
      waiter.wake()
      return true
    }
    return false
  }

  /** @internal */
  get value(): number {
    return this.#value
  }

  override toString(): string {
    const state = this.locked() ? 'locked' : `unlocked value=${this.#value}`
    return `<${this.constructor.name} ${state}${this.#waiters.describe()}>`
  }
}

/** A semaphore that cannot be released more often than it was acquired. */
export class BoundedSemaphore extends Semaphore {
  readonly #bound: number

  constructor(value = 1) {
    super(value)
    this.#bound = value
  }

  /** As `Semaphore.release`. Throws a RangeError above the initial value. */
  override release(): void {
    if (this.value >= this.#bound) {
      throw new RangeError(`${this} was released more often than acquired: its bound is ${this.#bound}`)
    }
    super.release()
  }
}

describable(Semaphore)
