// How a task is suspended, and the lightest object it can wait for: a waiter, which one `wake()` ends. Queues and locks use
// waiters; futures are for results that many tasks may wait for.
import type { Waitable, WaitDescription, WaitKind } from './waitable.ts'
import { SUSPENDED, type Coroutine, type Suspension } from './coroutine.ts'
import { describable } from './describe.ts'
import { cancelledError, RuntimeError } from './exceptions.ts'
import { recordSuspension } from './origins.ts'
import { running, type RunningTask } from './running.ts'

/** A wait for a lock or a queue. Its label is made when it is read: for most waits it never is. */
export class WaitFor implements WaitDescription {
  readonly kind: WaitKind
  readonly of: object

  constructor(kind: WaitKind, of: object) {
    this.kind = kind
    this.of = of
  }

  get label(): string {
    return String(this.of)
  }

  get holder(): RunningTask | null {
    return (this.of as { heldBy?: RunningTask | null }).heldBy ?? null
  }

  get owners(): Iterable<RunningTask> | undefined {
    return (this.of as { owners?: Iterable<RunningTask> }).owners
  }
}

/** The task that an await suspends. Throws outside a task, or if the task is suspended already. */
export function suspendCurrent(on: Waitable): RunningTask {
  const task = running.task
  if (task === null || task.waiter !== null) throw cannotSuspend(on, task)
  task.waiter = on
  noteSuspending(task)
  return task
}

/** Record where `task` waits, if debug mode or an instrument needs it: its coroutine is still on the stack. */
export function noteSuspending(task: RunningTask): void {
  const { debug, probe } = task.loop
  if (debug) recordSuspension(task)
  if (probe !== null && task.located) probe.tell('taskSuspending', task)
}

function cannotSuspend(on: Waitable, task: RunningTask | null): RuntimeError {
  return task === null
    ? new RuntimeError(`${String(on)} was awaited outside of a task: give the coroutine to run() or createTask()`)
    : new RuntimeError(`${task} waits already: a coroutine was driven by hand, use \`yield*\` to await it`)
}

export const PENDING = 0
export const WOKEN = 1
export const CANCELLED = 2

/** One wait of one task: pending, then woken or cancelled. */
export abstract class SingleWait implements Waitable {
  /** PENDING, WOKEN or CANCELLED; a subclass may have more. */
  state = PENDING
  protected task: RunningTask | null = null
  /** The message given to `cancel`. */
  protected message: unknown = undefined

  done(): boolean {
    return this.state !== PENDING
  }

  cancelled(): boolean {
    return this.state === CANCELLED
  }

  /** End the wait: the task joins the end of the ready queue. */
  wake(): void {
    if (this.state !== PENDING) return
    this.state = WOKEN
    const task = this.task
    if (task !== null) task.loop.wake(task)
  }

  cancel(message?: string): boolean {
    if (this.state !== PENDING) return false
    this.state = CANCELLED
    this.message = message
    const task = this.task
    if (task !== null) task.loop.wake(task)
    return true
  }

  absorb(): boolean {
    return this.state === CANCELLED
  }

  abstract describeWait(): WaitDescription

  protected cancelledError(): Error {
    return cancelledError(this.message as string | undefined, this.task !== null && this.task.loop.debug)
  }
}

/** One waiter of a lock: awaited directly, woken by `release`. */
export class Waiter extends SingleWait {
  readonly #owner: object
  readonly #kind: WaitKind

  /** `owner` is the lock waited for. Its description is the label of the wait. */
  constructor(kind: WaitKind, owner: object) {
    super()
    this.#kind = kind
    this.#owner = owner
  }

  describeWait(): WaitDescription {
    return new WaitFor(this.#kind, this.#owner)
  }

  /** The task that waits. */
  get waiting(): RunningTask | null {
    return this.task
  }

  next(): IteratorResult<Suspension, void> {
    if (this.state === PENDING) {
      this.task = suspendCurrent(this)
      return SUSPENDED
    }
    if (this.state === CANCELLED) throw this.cancelledError()
    return { done: true, value: undefined }
  }

  throw(error: unknown): never {
    throw error
  }

  [Symbol.iterator](): Coroutine<void> {
    return this as unknown as Coroutine<void>
  }

  override toString(): string {
    return `<Waiter of ${String(this.#owner)}>`
  }
}

describable(SingleWait)
