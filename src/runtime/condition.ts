// Condition: tasks wait for a change of the state that a lock protects.
import type { Coroutine } from './coroutine.ts'
import { requireInteger } from './checks.ts'
import { describable, describe } from './describe.ts'
import { CancelledError, RuntimeError } from './exceptions.ts'
import { Lock, Lockable, Waiters } from './lock.ts'
import type { Loop } from './running.ts'
import type { LoopBound } from './loop-bound.ts'
import type { WaitKind } from './waitable.ts'
import { notePassedOn, noteTaken } from './swallowed.ts'
import { trackUnawaited } from './unawaited.ts'

export class Condition extends Lockable implements LoopBound {
  /** @internal */ boundLoop: Loop | null = null
  readonly #lock: Lock
  readonly #waiters = new Waiters()

  /** Uses `lock`, or makes a new one. */
  constructor(lock: Lock = new Lock()) {
    super()
    if (!(lock instanceof Lock)) throw new TypeError(`Condition: a Lock is needed, got ${describe(lock)}`)
    this.#lock = lock
  }

  locked(): boolean {
    return this.#lock.locked()
  }

  acquire(): Coroutine<true> {
    return this.#lock.acquire()
  }

  release(): void {
    this.#lock.release()
  }

  /**
   * Release the lock, wait for a notification, acquire the lock again; returns true. It is acquired before anything is thrown.
   * May wake without cause: check the state again, or use `waitFor`. Throws a RuntimeError if the lock is not acquired.
   */
  wait(): Coroutine<true> {
    return trackUnawaited(this.waitAs('condition', this), 'Condition.wait')
  }

  /** @internal Wait on behalf of `owner`. */
  *waitAs(kind: WaitKind, owner: LoopBound & object): Coroutine<true> {
    if (!this.locked()) throw new RuntimeError(`${this}: wait needs its lock, acquire it first`)
    this.release()
    try {
      try {
        yield* this.#waiters.wait(kind, owner)
        return true
      } catch (error) {
        noteTaken()
        throw error
      } finally {
        yield* this.#reacquire()
      }
    } catch (error) {
      // This task may have been notified: pass the notification on.
      this.#notify(1)
      notePassedOn()
      throw error
    }
  }

  /** Acquire the lock again in any case. A cancellation meanwhile is thrown afterwards; of several, the last. */
  *#reacquire(): Coroutine<void> {
    let cancellation: CancelledError | null = null
    for (;;) {
      try {
        yield* this.#lock.acquire()
        break
      } catch (error) {
        if (!(error instanceof CancelledError)) throw error
        noteTaken()
        cancellation = error
      }
    }
    if (cancellation !== null) throw cancellation
  }

  /** Wait until `predicate()` is true, and return its value. */
  waitFor<T>(predicate: () => T): Coroutine<T> {
    return trackUnawaited(this.waitForAs(predicate, 'condition', this), 'Condition.waitFor')
  }

  /** @internal */
  *waitForAs<T>(predicate: () => T, kind: WaitKind, owner: LoopBound & object): Coroutine<T> {
    let value = predicate()
    while (!value) {
      yield* this.waitAs(kind, owner)
      value = predicate()
    }
    return value
  }

  /** Wake `n` of the waiting tasks. Each continues once it has the lock. Throws a RuntimeError if the lock is not acquired. */
  notify(n = 1): void {
    requireInteger(n, 'Condition.notify: n', 0)
    if (!this.locked()) throw new RuntimeError(`${this}: notify needs its lock, acquire it first`)
    this.#notify(n)
  }

  /** Wake every waiting task. */
  notifyAll(): void {
    this.notify(this.#waiters.length)
  }

  #notify(n: number): void {
    let left = n
    for (const waiter of this.#waiters) {
      if (left <= 0) return
      if (waiter.done()) continue
      waiter.wake()
      left--
    }
  }

  override toString(): string {
    return `<Condition ${this.locked() ? 'locked' : 'unlocked'}${this.#waiters.describe()}>`
  }
}

describable(Condition)
