// Barrier: a fixed number of tasks wait for each other, then all continue.
import type { Coroutine } from './coroutine.ts'
import { requireInteger } from './checks.ts'
import { Condition } from './condition.ts'
import { describable } from './describe.ts'
import { BrokenBarrierError } from './exceptions.ts'
import type { Loop } from './running.ts'
import type { LoopBound } from './loop-bound.ts'
import { callBody } from './awaitable.ts'
import { trackUnawaited } from './unawaited.ts'

type State = 'filling' | 'draining' | 'resetting' | 'broken'

export class Barrier implements LoopBound {
  /** @internal */ boundLoop: Loop | null = null
  readonly #condition = new Condition()
  readonly #parties: number
  #state: State = 'filling'
  #count = 0

  /** `parties`: how many tasks it takes to open the barrier, an integer of at least 1. */
  constructor(parties: number) {
    requireInteger(parties, 'Barrier: parties', 1)
    this.#parties = parties
  }

  get parties(): number {
    return this.#parties
  }

  /** The number of tasks that wait while the barrier fills; otherwise 0. */
  get nWaiting(): number {
    return this.#state === 'filling' ? this.#count : 0
  }

  get broken(): boolean {
    return this.#state === 'broken'
  }

  /** Wait for the others. Returns this task's place, 0 to parties - 1. Throws a BrokenBarrierError after an abort or reset. */
  wait(): Coroutine<number> {
    return trackUnawaited(this.#wait(), 'Barrier.wait')
  }

  /** Wait for the others, then run `body` with this task's place. Returns its value. */
  with<T>(body: (index: number) => Coroutine<T>): Coroutine<T> {
    return trackUnawaited(this.#with(body), 'Barrier.with')
  }

  /** Make waiting tasks throw a BrokenBarrierError; then the barrier is usable again. */
  reset(): Coroutine<void> {
    return trackUnawaited(this.#change(() => {
      if (this.#count === 0) this.#state = 'filling'
      else if (this.#state !== 'resetting') this.#state = 'resetting'
    }), 'Barrier.reset')
  }

  /** Break the barrier for good: a task that waits, now or later, gets a BrokenBarrierError. */
  abort(): Coroutine<void> {
    return trackUnawaited(this.#change(() => {
      this.#state = 'broken'
    }), 'Barrier.abort')
  }

  *#with<T>(body: (index: number) => Coroutine<T>): Coroutine<T> {
    const index = yield* this.#wait()
    return yield* callBody('Barrier.with', body, index)
  }

  *#change(change: () => void): Coroutine<void> {
    yield* this.#condition.acquire()
    try {
      change()
      this.#condition.notifyAll()
    } finally {
      this.#condition.release()
    }
  }

  *#wait(): Coroutine<number> {
    yield* this.#condition.acquire()
    try {
      yield* this.#waitUntilFilling()
      try {
        const index = this.#count++
        if (index + 1 === this.#parties) {
          this.#state = 'draining'
          this.#condition.notifyAll()
        } else {
          yield* this.#waitUntilFull()
        }
        return index
      } finally {
        this.#count--
        this.#leave()
      }
    } finally {
      this.#condition.release()
    }
  }

  /** Wait until the tasks of the previous round have left. */
  *#waitUntilFilling(): Coroutine<void> {
    yield* this.#condition.waitForAs(() => this.#state !== 'draining' && this.#state !== 'resetting', 'barrier', this)
    if (this.#state === 'broken') throw new BrokenBarrierError(`${this} was aborted`)
  }

  *#waitUntilFull(): Coroutine<void> {
    yield* this.#condition.waitForAs(() => this.#state !== 'filling', 'barrier', this)
    if (this.#state === 'broken' || this.#state === 'resetting') {
      throw new BrokenBarrierError(`${this} was aborted or reset while this task waited`)
    }
  }

  #leave(): void {
    if (this.#count > 0) return
    if (this.#state === 'resetting' || this.#state === 'draining') this.#state = 'filling'
    this.#condition.notifyAll()
  }

  toString(): string {
    return `<Barrier ${this.#state}${this.broken ? '' : ` waiting=${this.nWaiting}/${this.#parties}`}>`
  }
}

describable(Barrier)
