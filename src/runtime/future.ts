// Future: a result that is not there yet. A future is its own iterator, so awaiting it allocates nothing. The iterator has
// no state of its own, so any number of tasks may await the same future.
import type { AbstractEventLoop } from './abstract-loop.ts'
import type { Context } from './context.ts'
import type { HostContext } from './host.ts'
import type { Runnable } from './ready.ts'
import type { WaitDescription, Waitable } from './waitable.ts'
import { getRunningLoop } from './abstract-loop.ts'
import { snapshot } from './context.ts'
import { SUSPENDED, type Coroutine, type Suspension } from './coroutine.ts'
import { describable, describe } from './describe.ts'
import { CancelledError, cancelledError, InvalidStateError, RuntimeError } from './exceptions.ts'
import { originOf, place, recordOrigin } from './origins.ts'
import { running, type RunningTask } from './running.ts'
import { noteFailure, noteRetrieved } from './unretrieved.ts'
import { noteSuspending, suspendCurrent } from './waiter.ts'

/** Called when a future is done: the tasks that await it, and its callbacks, in the order in which they were added. */
export interface Listener {
  /** @internal */
  settled(future: Future<unknown>): void
}

class DoneCallback implements Listener, Runnable {
  readonly fn: (future: never) => unknown
  readonly context: Context | null
  readonly hostContext: HostContext | null

  constructor(fn: (future: never) => unknown, context: Context | null, hostContext: HostContext | null) {
    this.fn = fn
    this.context = context
    this.hostContext = hostContext
  }

  settled(future: Future<unknown>): void {
    future.loop.schedule(this, future)
  }

  run(future: object): void {
    running.context = this.context
    if (this.hostContext === null) this.fn(future as never)
    else this.hostContext.runInAsyncScope(this.fn, undefined, future as never)
  }

  toString(): string {
    return `<done callback ${describe(this.fn)}>`
  }
}

export const PENDING = 0
export const FINISHED = 1
export const CANCELLED = 2
export const FAILED = 3
/** Failed, and the exception is not retrieved yet. */
export const FAILED_UNSEEN = 4
type State = typeof PENDING | typeof FINISHED | typeof CANCELLED | typeof FAILED | typeof FAILED_UNSEEN

export class Future<T> implements Waitable, PromiseLike<T> {
  /** @internal */ readonly loop: AbstractEventLoop
  /** @internal */ state: State = PENDING
  /** @internal The result or the exception. If cancelled: the message, or the error object that its task ended with. */
  value: unknown = undefined
  /** @internal */ listeners: Listener | Listener[] | null = null

  /** A future of `loop`, or of the running loop. The loop itself passes `on`, which saves an options object. */
  constructor(options?: { loop?: AbstractEventLoop | undefined }, on?: AbstractEventLoop) {
    this.loop = on ?? options?.loop ?? getRunningLoop()
    if (this.loop.debug) recordOrigin(this)
  }

  getLoop(): AbstractEventLoop {
    return this.loop
  }

  done(): boolean {
    return this.state !== PENDING
  }

  cancelled(): boolean {
    return this.state === CANCELLED
  }

  /** @internal Whether it ended in an exception. Only the state shows it: null and undefined can be thrown too. */
  failed(): boolean {
    return this.state === FAILED || this.state === FAILED_UNSEEN
  }

  /** The result. Throws the exception if there is one, a CancelledError if cancelled, an InvalidStateError if not done. */
  result(): T {
    switch (this.state) {
      case FINISHED:
        return this.value as T
      case CANCELLED:
        throw this.takeCancelledError()
      case PENDING:
        throw new InvalidStateError(`${this} has no result yet: await it with \`yield*\``)
      default:
        this.retrieved()
        throw this.value
    }
  }

  /** The exception, `null` if it succeeded. Throws a CancelledError if cancelled, an InvalidStateError if not done. */
  exception(): unknown {
    switch (this.state) {
      case FINISHED:
        return null
      case CANCELLED:
        throw this.takeCancelledError()
      case PENDING:
        throw new InvalidStateError(`${this} has no exception yet: await it with \`yield*\``)
      default:
        this.retrieved()
        return this.value
    }
  }

  /** Finish with a result. Throws an InvalidStateError if the future is done already. */
  setResult(value: T): void {
    this.requirePending('setResult', value)
    this.settle(FINISHED, value)
  }

  /** Finish with an exception (an error class means a new instance of it). Throws an InvalidStateError if done already. */
  setException(error: unknown): void {
    this.requirePending('setException', error)
    const isClass = typeof error === 'function' && error.prototype instanceof Error
    this.fail(isClass ? new (error as new () => Error)() : error)
  }

  /** Cancel the future and wake its awaiters; false if it is done already. */
  cancel(message?: string): boolean {
    if (this.state === FAILED_UNSEEN) this.retrieved()
    if (this.state !== PENDING) return false
    this.settle(CANCELLED, message)
    return true
  }

  /** Call `fn(future)` once the future is done: through the ready queue, in the current context or in `context`. */
  addDoneCallback(fn: (future: this) => unknown, options?: { context?: Context }): void {
    this.addListener(new DoneCallback(fn, options?.context ?? snapshot(), this.loop.host.hostContext()))
  }

  /** Remove every callback that is `fn`; returns their number. */
  removeDoneCallback(fn: (future: this) => unknown): number {
    return this.removeListeners((listener) => listener instanceof DoneCallback && listener.fn === fn)
  }

  /** Lets host code `await` the future. */
  then<A = T, B = never>(
    onFulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    const promise = new Promise<T>((resolve, reject) => {
      const settle = (): void => {
        try {
          resolve(this.result())
        } catch (error) {
          reject(error as Error)
        }
      }
      // A closed loop calls no callbacks, and a pending future of it will never be done.
      if (!this.loop.isClosed()) this.addDoneCallback(settle)
      else if (this.state !== PENDING) settle()
      else reject(new RuntimeError(`${this} was awaited after its loop was closed: nothing will ever finish it`))
    })
    return promise.then(onFulfilled, onRejected)
  }

  /** @internal */
  addListener(listener: Listener): void {
    if (this.state !== PENDING) listener.settled(this)
    else if (this.listeners === null) this.listeners = listener
    else if (Array.isArray(this.listeners)) this.listeners.push(listener)
    else this.listeners = [this.listeners, listener]
  }

  /** @internal */
  removeListeners(matches: (listener: Listener) => boolean): number {
    const all = this.allListeners()
    const kept = all.filter((listener) => !matches(listener))
    this.listeners = kept.length === 0 ? null : kept
    return all.length - kept.length
  }

  /** @internal */
  allListeners(): Listener[] {
    if (this.listeners === null) return []
    return Array.isArray(this.listeners) ? this.listeners : [this.listeners]
  }

  /** @internal */
  settle(state: State, value: unknown): void {
    this.state = state
    this.value = value
    const listeners = this.listeners
    if (listeners === null) return
    this.listeners = null
    if (Array.isArray(listeners)) for (const listener of listeners) listener.settled(this)
    else listeners.settled(this)
  }

  /** @internal */
  fail(error: unknown): void {
    this.settle(FAILED_UNSEEN, error)
    noteFailure(this, this.loop, error, this.isTask())
  }

  /** @internal */
  isTask(): boolean {
    return false
  }

  /** @internal The name of this future in messages to its owner. */
  label(): string {
    return String(this)
  }

  /** @internal Note that the exception was retrieved. */
  retrieved(): void {
    if (this.state !== FAILED_UNSEEN) return
    this.state = FAILED
    noteRetrieved(this)
  }

  /** @internal The error of a cancelled future. The error object that its task ended with is returned once, as in CPython. */
  takeCancelledError(): CancelledError {
    const value = this.value
    if (value instanceof CancelledError) {
      this.value = undefined
      return value
    }
    return cancelledError(value as string | undefined, this.loop.debug)
  }

  /** @internal */
  absorb(): boolean {
    if (this.state === CANCELLED) return true
    if (this.state === FAILED_UNSEEN) this.retrieved()
    return this.failed() && this.value instanceof CancelledError
  }

  /** @internal */
  describeWait(): WaitDescription {
    return { kind: 'future', label: String(this) }
  }

  /** @internal */
  next(): IteratorResult<Suspension, T> {
    if (this.state === FINISHED) return { done: true, value: this.value as T }
    if (this.state === PENDING) {
      this.suspend()
      return SUSPENDED
    }
    const task = running.task
    if (task !== null && this.state !== CANCELLED) noteAwaited(this.value, this, task)
    return { done: true, value: this.result() }
  }

  /** @internal */
  throw(error: unknown): never {
    throw error
  }

  /** Suspend the current task until this future is done. */
  private suspend(): void {
    const task = running.task
    if (task === null || task.waiter !== null || task.loop !== this.loop || (task as unknown) === this) {
      this.suspendInvalid()
      return
    }
    task.waiter = this
    noteSuspending(task)
    if (this.listeners === null) this.listeners = task
    else this.addListener(task)
  }

  private suspendInvalid(): void {
    const task = suspendCurrent(this)
    task.failNextStep(
      (task as unknown) === this
        ? new RuntimeError(`${task} awaits itself and would never end`)
        : new RuntimeError(
            `${task} awaits ${this}, which belongs to a different loop: only ${this.loop} could end that wait`,
          ),
    )
  }

  private requirePending(method: string, value: unknown): void {
    if (this.state !== PENDING) {
      throw new InvalidStateError(`${method}(${describe(value)}): ${this} is done already, and a future finishes once`)
    }
  }

  /** The state in one word and the outcome, for descriptions. */
  protected outcome(): string {
    switch (this.state) {
      case PENDING:
        return 'pending'
      case FINISHED:
        return `finished result=${describe(this.value)}`
      case CANCELLED:
        return 'cancelled'
      default:
        return `finished exception=${describe(this.value)}`
    }
  }

  protected origin(): string {
    const frame = originOf(this)[0]
    return frame === undefined ? '' : ` created at ${place(frame)}`
  }

  toString(): string {
    return `<Future ${this.outcome()}${this.origin()}>`
  }

  [Symbol.iterator](): Coroutine<T> {
    return this as unknown as Coroutine<T>
  }
}

// A failure that passes through a chain of tasks adds a line for each; this is the most.
const MOST_AWAIT_LINES = 20

/** Add a line to the stack of an error that passes from `future` to the awaiting `task`. */
function noteAwaited(error: unknown, future: Future<unknown>, task: RunningTask): void {
  if (!(error instanceof Error) || error instanceof CancelledError || typeof error.stack !== 'string') return
  const line = `    at await of ${future.label()} in ${task.label()}`
  const lines = error.stack.split('\n')
  if (lines.includes(line) || lines.filter((text) => text.startsWith('    at await of ')).length >= MOST_AWAIT_LINES) return
  try {
    error.stack = `${error.stack}\n${line}`
  } catch {
    // A frozen error keeps its stack.
  }
}

/** Whether `value` is a Future or a Task. */
export function isFuture(value: unknown): value is Future<unknown> {
  return value instanceof Future
}

describable(Future)
describable(DoneCallback)
