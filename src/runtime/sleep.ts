// sleep(): the most common coroutine, so one object is coroutine, timer and wait at once.
import type { Runnable } from './ready.ts'
import type { Timer } from './timers.ts'
import type { WaitDescription, Waitable } from './waitable.ts'
import { requireFinite } from './checks.ts'
import { DONE, SUSPENDED, type Coroutine, type Suspension } from './coroutine.ts'
import { describable } from './describe.ts'
import { cancelledError, RuntimeError } from './exceptions.ts'
import { running, type RunningTask } from './running.ts'
import { ROUND_TRIP } from './task.ts'
import { suspendCurrent } from './waiter.ts'
import { trackUnawaited } from './unawaited.ts'

const CREATED = 0
/** The timer is in the heap. */
const WAITING = 1
/** The timer is in the ready queue: it can still be cancelled. */
const FIRING = 2
/** The task is in the ready queue. */
const DUE = 3
const CANCELLED = 4
const ENDED = 5

class Sleep<T> implements Waitable, Timer, Runnable {
  private state = CREATED
  /** The seconds, until it is awaited; then the sleeping task; then the message if it was cancelled. One field, as a program may have a million. */
  private content: unknown

  constructor(seconds: number) {
    this.content = seconds
  }

  /** The value that awaiting it returns. */
  protected result(): T {
    return undefined as T
  }

  next(): IteratorResult<Suspension, T> {
    switch (this.state) {
      case CREATED:
        return this.start()
      case DUE: {
        this.state = ENDED
        return { done: true, value: this.result() }
      }
      case CANCELLED:
        this.state = ENDED
        throw cancelledError(this.content as string | undefined, running.loop?.debug ?? false)
      case WAITING:
      case FIRING:
        throw new RuntimeError(
          `${running.task} awaits a coroutine that ${this.task()} awaits already: a coroutine runs once, call its function again for a new one`,
        )
      default:
        throw awaitedTwice(this)
    }
  }

  throw(error: unknown): never {
    this.end()
    throw error
  }

  /** Closes a coroutine that will not be resumed. */
  return(value: T): IteratorResult<Suspension, T> {
    this.end()
    return { done: true, value }
  }

  private end(): void {
    if (this.state === WAITING) this.task().loop.timers.noteCancelled()
    this.state = ENDED
  }

  private start(): IteratorResult<Suspension, T> {
    const seconds = this.content
    requireFinite(seconds, 'sleep: the delay', 'seconds')
    if (seconds > 0) {
      const task = suspendCurrent(this)
      this.content = task
      this.state = WAITING
      task.loop.scheduleTimer(task.loop.time() + seconds, this)
    } else {
      this.state = DUE
      suspendCurrent(ROUND_TRIP)
    }
    return SUSPENDED
  }

  /** The timer fired: the task joins the end of the ready queue, as a future's waiter does. */
  run(): void {
    if (this.state !== FIRING) return
    this.state = DUE
    const task = this.task()
    task.loop.wake(task)
  }

  private task(): RunningTask {
    return this.content as RunningTask
  }

  isDead(): boolean {
    return this.state !== WAITING
  }

  leaveHeap(): void {
    this.state = FIRING
  }

  cancel(message?: string): boolean {
    if (this.state !== WAITING && this.state !== FIRING) return false
    const task = this.task()
    if (this.state === WAITING) task.loop.timers.noteCancelled()
    this.state = CANCELLED
    this.content = message
    task.loop.wake(task)
    return true
  }

  absorb(): boolean {
    return this.state === CANCELLED
  }

  describeWait(): WaitDescription {
    const deadline = this.state === WAITING ? this.task().loop.timers.whenOf(this) : undefined
    return { kind: 'sleep', ...(deadline === undefined ? {} : { deadline }) }
  }

  get coroutineName(): string {
    return 'sleep'
  }

  [Symbol.iterator](): this {
    return this
  }

  toString(): string {
    return this.state === CREATED ? `<coroutine sleep(${String(this.content)})>` : '<coroutine sleep>'
  }
}

/** `sleep(seconds, value)`. */
class SleepWithValue<T> extends Sleep<T> {
  private readonly value: T

  constructor(seconds: number, value: T) {
    super(seconds)
    this.value = value
  }

  protected override result(): T {
    return this.value
  }
}

function awaitedTwice(coroutine: object): RuntimeError {
  return new RuntimeError(`${String(coroutine)} was awaited already: a coroutine runs once, call sleep() again for a new one`)
}

/** `sleep(0)`: one trip round the ready queue, the cheapest way to let others run. */
class RoundTrip {
  private state = CREATED

  next(): IteratorResult<Suspension, void> {
    if (this.state === DUE) {
      this.state = ENDED
      return DONE
    }
    if (this.state !== CREATED) throw awaitedTwice(this)
    this.state = DUE
    suspendCurrent(ROUND_TRIP)
    return SUSPENDED
  }

  throw(error: unknown): never {
    this.state = ENDED
    throw error
  }

  /** Closes a coroutine that will not be resumed. */
  return(value: void): IteratorResult<Suspension, void> {
    this.state = ENDED
    return { done: true, value }
  }

  get coroutineName(): string {
    return 'sleep'
  }

  [Symbol.iterator](): this {
    return this
  }

  toString(): string {
    return '<coroutine sleep(0)>'
  }
}

/**
 * Wait `seconds`, then return `value`. Zero or less is one trip round the ready queue. A delay that is not a finite number
 * is a RangeError when awaited. Cancelling throws a CancelledError at once and drops the timer.
 */
export function sleep(seconds: number): Coroutine<void>
export function sleep<T>(seconds: number, value: T): Coroutine<T>
export function sleep<T>(seconds: number, value?: T): Coroutine<T | undefined> {
  const coroutine = value !== undefined ? new SleepWithValue(seconds, value) : seconds === 0 ? new RoundTrip() : new Sleep(seconds)
  return trackUnawaited(coroutine as unknown as Coroutine<T | undefined>, 'sleep')
}

describable(Sleep)
describable(RoundTrip)
