// Lock, and the `with` and `guard` that every lock has. A lock is fair: who waits first gets it first, and a newcomer
// may not overtake.
import type { Coroutine } from './coroutine.ts'
import { Deque } from './deque.ts'
import { describable } from './describe.ts'
import { CancelledError, RuntimeError } from './exceptions.ts'
import type { WaitKind } from './waitable.ts'
import { bindLoop, type LoopBound } from './loop-bound.ts'
import type { Loop } from './running.ts'
import { callBody } from './awaitable.ts'
import { trackUnawaited } from './unawaited.ts'
import { Waiter } from './waiter.ts'

/** What `guard()` gives: releases the lock at the end of a `using` block. */
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

/** The scopes of everything that is acquired and released. */
export abstract class Lockable implements Acquirable {
  abstract acquire(): Coroutine<boolean>
  abstract release(): void
  abstract toString(): string

  /** Acquire, run `body`, release however it ends; gives the body's value. */
  with<T>(body: () => Coroutine<T>): Coroutine<T> {
    return trackUnawaited(withSteps(this, body), `${this.constructor.name}.with`)
  }

  /** Acquire, and release at the end of the block: `using held = yield* lock.guard()`. */
  guard(): Coroutine<Guard> {
    return trackUnawaited(guardSteps(this), `${this.constructor.name}.guard`)
  }
}

/** The waiters of a lock, in the order in which they came; `count` for descriptions. */
export class Waiters extends Deque<Waiter> {
  /** Wait in line, and leave it however the wait ends. */
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

  /** Whether nobody stands in line, or only who has been cancelled. */
  allCancelled(): boolean {
    for (const waiter of this) if (!waiter.cancelled()) return false
    return true
  }

  describe(): string {
    return this.length === 0 ? '' : ` waiters=${this.length}`
  }
}

/** Mutual exclusion between tasks. Not owned by a task: any may release it. */
export class Lock extends Lockable implements LoopBound {
  /** @internal */ boundLoop: Loop | null = null
  readonly #waiters = new Waiters()
  #locked = false

  locked(): boolean {
    return this.#locked
  }

  /** Wait until the lock is free, then take it; gives true. */
  acquire(): Coroutine<true> {
    return trackUnawaited(this.#acquire(), 'Lock.acquire')
  }

  *#acquire(): Coroutine<true> {
    if (this.#locked || !this.#waiters.allCancelled()) {
      try {
        yield* this.#waiters.wait('lock', this)
      } catch (error) {
        // A wake-up that came with the cancellation goes on to the next in line.
        if (error instanceof CancelledError && !this.#locked) this.#wakeFirst()
        throw error
      }
    }
    this.#locked = true
    return true
  }

  /** Free the lock and wake who waits first. Throws a RuntimeError if it is not locked. */
  release(): void {
    if (!this.#locked) throw new RuntimeError(`${this} cannot be released: it is not locked`)
    this.#locked = false
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
