// Lock, and the `with` and `guard` of every lock. A lock is fair: tasks acquire it in the order in which they began to wait.
import type { Coroutine } from './coroutine.ts'
import { Deque } from './deque.ts'
import { describable } from './describe.ts'
import { CancelledError, RuntimeError } from './exceptions.ts'
import type { WaitKind } from './waitable.ts'
import { bindLoop, type LoopBound } from './loop-bound.ts'
import { running, type Loop, type RunningTask } from './running.ts'
import { callBody } from './awaitable.ts'
import { trackUnawaited } from './unawaited.ts'
import { Waiter } from './waiter.ts'

/** What `guard()` returns: releases the lock at the end of a `using` block. */
export interface Guard {
  [Symbol.dispose](): void
}

interface Acquirable {
  acquire(): Coroutine<boolean>
  release(): void
}

function* withSteps<T>(lock: Acquirable, body: () => Coroutine<T>): Coroutine<T> {
  yield* lock.acquire()
  try {
    return yield* callBody(`${lock.constructor.name}.with`, body)
  } finally {
    lock.release()
  }
}

function* guardSteps(lock: Acquirable): Coroutine<Guard> {
  yield* lock.acquire()
  let held = true
  return {
    [Symbol.dispose](): void {
      if (held) lock.release()
      held = false
    },
  }
}

/** The scopes of everything that can be acquired and released. */
export abstract class Lockable implements Acquirable {
  abstract acquire(): Coroutine<boolean>
  abstract release(): void
  abstract toString(): string

  /** Acquire, run `body`, release however it ends. Returns the body's value. */
  with<T>(body: () => Coroutine<T>): Coroutine<T> {
    return trackUnawaited(withSteps(this, body), `${this.constructor.name}.with`)
  }

  /** Acquire, and release at the end of the block: `using held = yield* lock.guard()`. */
  guard(): Coroutine<Guard> {
    return trackUnawaited(guardSteps(this), `${this.constructor.name}.guard`)
  }
}

/** The waiters of a lock, in order of arrival. */
export class Waiters extends Deque<Waiter> {
  /** Join the waiters, wait, and leave them however the wait ends. */
  *wait(kind: WaitKind, owner: LoopBound & object): Coroutine<Waiter> {
    bindLoop(owner)
    const waiter = new Waiter(kind, owner)
    this.push(waiter)
    try {
      yield* waiter
      return waiter
    } finally {
      this.remove(waiter)
    }
  }

  /** Whether there is no waiter, or only cancelled ones. */
  allCancelled(): boolean {
    for (const waiter of this) if (!waiter.cancelled()) return false
    return true
  }

  describe(): string {
    return this.length === 0 ? '' : ` waiters=${this.length}`
  }
}

/** Mutual exclusion between tasks. No task owns it: any task may release it. */
export class Lock extends Lockable implements LoopBound {
  /** @internal */ boundLoop: Loop | null = null
  /** @internal The task that acquired it, for observers: any task may release it. */ heldBy: RunningTask | null = null
  readonly #waiters = new Waiters()
  #locked = false

  locked(): boolean {
    return this.#locked
  }

  /** Wait until the lock is free, then acquire it; returns true. */
  acquire(): Coroutine<true> {
    return trackUnawaited(this.#acquire(), 'Lock.acquire')
  }

  *#acquire(): Coroutine<true> {
    if (this.#locked || !this.#waiters.allCancelled()) {
      try {
        yield* this.#waiters.wait('lock', this)
      } catch (error) {
        // Woken and cancelled at once: pass the wake-up on to the next waiter.
        if (error instanceof CancelledError && !this.#locked) this.#wakeFirst()
        throw error
      }
    }
    this.#locked = true
    this.heldBy = running.task
    return true
  }

  /** Release the lock and wake the first waiter. Throws a RuntimeError if it is not locked. */
  release(): void {
    if (!this.#locked) throw new RuntimeError(`${this} cannot be released: it is not locked`)
    this.#locked = false
    this.heldBy = null
    this.#wakeFirst()
  }

  #wakeFirst(): void {
    this.#waiters.peek()?.wake()
  }

  override toString(): string {
    return `<Lock ${this.#locked ? 'locked' : 'unlocked'}${this.#waiters.describe()}>`
  }
}

describable(Lock)
