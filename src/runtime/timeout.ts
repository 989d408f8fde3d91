// timeout(), timeoutAt() and waitFor(): a deadline for a piece of work. Only the scope's own cancellation becomes a
// TimeoutError; a cancellation from outside passes through.
import type { TimerHandle, Handle } from './handle.ts'
import type { Task } from './task.ts'
import { requireFiniteOrNull } from './checks.ts'
import type { Awaitable, Coroutine } from './coroutine.ts'
import { describable } from './describe.ts'
import { ensureFuture, requireAwaitable } from './ensure.ts'
import { callBody } from './awaitable.ts'
import { CancelledError, RuntimeError, TimeoutError } from './exceptions.ts'
import { getRunningLoop } from './abstract-loop.ts'
import type { Deadline } from './running.ts'
import { currentTask } from './tasks.ts'
import { trackUnawaited } from './unawaited.ts'
import { cancelAndWait } from './wait.ts'

type State = 'created' | 'active' | 'expiring' | 'expired' | 'finished'

/** The deadline of a scope. The body gets it, and can read and move it. */
export class Timeout {
  #state: State = 'created'
  #when: number | null
  #task: Task<unknown> | null = null
  #cancelling = 0
  #handle: Handle | TimerHandle | null = null
  /** The scope around this one. */
  #outer: Deadline | null = null

  /** @internal */
  constructor(when: number | null) {
    this.#when = when
  }

  /** The deadline in seconds on the loop's clock, `null` for none. */
  when(): number | null {
    return this.#when
  }

  /** Whether the deadline passed while the scope was active. */
  expired(): boolean {
    return this.#state === 'expiring' || this.#state === 'expired'
  }

  /** Move the deadline; `null` for none. A deadline in the past expires in the next iteration. Throws a RuntimeError outside the scope. */
  reschedule(when: number | null): void {
    requireFiniteOrNull(when, 'reschedule: when', 'seconds on the clock of loop.time()')
    if (this.#state !== 'active') throw new RuntimeError(`${this} cannot be rescheduled: it is ${this.#state}`)
    this.#when = when
    this.#handle?.cancel()
    this.#handle = null
    if (when === null) return
    const loop = getRunningLoop()
    const onTimeout = (): void => this.#onTimeout()
    this.#handle = when <= loop.time() ? loop.callSoon(onTimeout) : loop.callAt(when, onTimeout)
  }

  /** @internal */
  enter(): void {
    const task = currentTask()
    if (task === null) throw new RuntimeError('timeout: only a task can be interrupted, and none is running here')
    this.#state = 'active'
    this.#task = task
    this.#cancelling = task.cancelling()
    this.#outer = task.timeout
    task.timeout = this
    this.reschedule(this.#when)
  }

  /** @internal Leave the scope. `error` is what its body threw, if `failed`. Throws the TimeoutError if one is due. */
  exit(failed: boolean, error: unknown): void {
    this.#handle?.cancel()
    this.#handle = null
    ;(this.#task as Task<unknown>).timeout = this.#outer
    if (this.#state === 'expiring') {
      this.#state = 'expired'
      const left = (this.#task as Task<unknown>).uncancel()
      if (left <= this.#cancelling && failed && error instanceof CancelledError) {
        throw new TimeoutError('the deadline passed', { cause: error })
      }
    } else if (this.#state === 'active') {
      this.#state = 'finished'
    }
  }

  /** @internal */
  first(): number | undefined {
    const outer = this.#outer?.first()
    const own = this.#state === 'active' ? this.#when : null
    if (own === null) return outer
    return outer === undefined ? own : Math.min(own, outer)
  }

  #onTimeout(): void {
    ;(this.#task as Task<unknown>).cancel()
    this.#state = 'expiring'
    this.#handle = null
  }

  toString(): string {
    return `<Timeout ${this.#state}${this.#when === null ? '' : ` when=${this.#when.toFixed(3)}`}>`
  }
}

function* scope<T>(when: number | null, body: (timeout: Timeout) => Awaitable<T>): Coroutine<T> {
  const timeout = new Timeout(when)
  timeout.enter()
  let failed = false
  let error: unknown
  try {
    return yield* callBody('timeout', body, timeout)
  } catch (thrown) {
    failed = true
    error = thrown
    throw thrown
  } finally {
    timeout.exit(failed, error)
  }
}

function* timeoutSteps<T>(seconds: number | null, body: (timeout: Timeout) => Awaitable<T>): Coroutine<T> {
  requireFiniteOrNull(seconds, 'timeout: the delay', 'seconds')
  return yield* scope(seconds === null ? null : getRunningLoop().time() + seconds, body)
}

function* timeoutAtSteps<T>(when: number | null, body: (timeout: Timeout) => Awaitable<T>): Coroutine<T> {
  requireFiniteOrNull(when, 'timeoutAt: when', 'seconds on the clock of loop.time()')
  return yield* scope(when, body)
}

/**
 * Run `body` and return its value; if it is not done after `seconds`, cancel it and throw a TimeoutError. `null` sets no
 * deadline; with zero the body runs to its first wait. A body that swallows the cancellation ends without an error.
 */
export function timeout<T>(seconds: number | null, body: (timeout: Timeout) => Coroutine<T>): Coroutine<T> {
  return trackUnawaited(timeoutSteps(seconds, body), 'timeout')
}

/** As `timeout`, with a deadline in seconds on the clock of `loop.time()`. */
export function timeoutAt<T>(when: number | null, body: (timeout: Timeout) => Coroutine<T>): Coroutine<T> {
  return trackUnawaited(timeoutAtSteps(when, body), 'timeoutAt')
}

function* waitForSteps<T>(awaitable: Awaitable<T>, seconds: number | null): Coroutine<T> {
  requireFiniteOrNull(seconds, 'waitFor: the timeout', 'seconds')
  requireAwaitable(awaitable, 'waitFor')
  if (seconds !== null && seconds <= 0) {
    const future = ensureFuture(awaitable)
    if (future.done()) return future.result()
    yield* cancelAndWait(future)
    try {
      return future.result()
    } catch (error) {
      if (error instanceof CancelledError) throw new TimeoutError('the deadline had passed', { cause: error })
      throw error
    }
  }
  return yield* timeoutSteps(seconds, () => awaitable)
}

/**
 * Wait for `awaitable` for at most `seconds`, then cancel it and throw a TimeoutError; `null` waits indefinitely. A coroutine
 * runs in the current task; with zero or less it is never started. A value returned despite the cancellation is the result.
 */
export function waitFor<T>(awaitable: Awaitable<T>, seconds: number | null): Coroutine<T> {
  return trackUnawaited(waitForSteps(awaitable, seconds), 'waitFor')
}

describable(Timeout)
