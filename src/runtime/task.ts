// A task drives one coroutine: only this file calls a coroutine's next() and throw(). A task is running, or suspended on its
// `waiter`, or in the ready queue: exactly one of these until it is done.
import type { AbstractEventLoop } from './abstract-loop.ts'
import type { Context } from './context.ts'
import type { HostContext } from './host.ts'
import type { Outcome, Wait } from './instruments.ts'
import type { ReadyQueue } from './ready.ts'
import type { LiveMap } from './live-map.ts'
import type { Waitable } from './waitable.ts'
import { getRunningLoop } from './abstract-loop.ts'
import { advice, explainNotIterable } from './awaitable.ts'
import { Context as ContextClass, snapshot } from './context.ts'
import { isCoroutine, SUSPENDED, type Coroutine, type Suspension } from './coroutine.ts'
import { describable, describe } from './describe.ts'
import { CancelledError, cancelledError, RuntimeError } from './exceptions.ts'
import { CANCELLED, FAILED_UNSEEN, FINISHED, Future, PENDING, type Listener } from './future.ts'
import { YIELD } from './instruments.ts'
import { forgetSuspension, originOf, place, suspensionOf, type Frame } from './origins.ts'
import { running, type Deadline } from './running.ts'
import { noteDelivered, noteReturned, noteWaitsAgain } from './swallowed.ts'

export interface TaskOptions {
  /** Defaults to Task-1, Task-2 … per loop. */
  name?: unknown
  /** The context to run in; by default a copy of the current one. */
  context?: Context
  /** Run the first step at once, inside `createTask`, instead of through the ready queue. */
  eagerStart?: boolean
}

/** The parts of a loop that only its tasks use. */
export interface TaskLoop extends AbstractEventLoop {
  readonly ready: ReadyQueue
  readonly tasks: LiveMap<Task<unknown>>
  takeTaskId(): number
  takeTaskNumber(): number
}

/** A task suspended on this goes directly to the end of the ready queue. */
export const ROUND_TRIP: Waitable = {
  cancel: () => false,
  absorb: () => false,
  describeWait: () => YIELD,
  toString: () => 'sleep(0)',
} as Waitable

// A task's `requests`: two flags, and in the bits above them the count of cancellation requests.
/** The next step throws a CancelledError; its message is in `messages`. */
const CANCEL = 1
/** The next step throws the error in `raised`. */
const RAISE = 2
const INTERRUPTED = CANCEL | RAISE
const ONE_REQUEST = 4

// The message of the last cancellation request to a task that was not waiting. As in asyncio it is kept after delivery: a
// cancelled gather whose children all survived uses the message of the last child.
const messages = new WeakMap<object, string>()
const raised = new WeakMap<object, Error>()
/** Names of the coroutines of failed tasks, for reports. */
const failedNames = new WeakMap<object, string>()

/** @internal */
export function refusedMessage(child: Future<unknown>): string | undefined {
  return messages.get(child)
}

const controllers = new WeakMap<Task<unknown>, AbortController>()

export class Task<T> extends Future<T> implements Listener {
  /** @internal */ declare readonly loop: TaskLoop
  /** @internal 1, 2, 3 … per loop. */
  readonly id: number
  /** @internal */ context: Context | null
  /** @internal The host's context at its creation, in which its steps run. A task without one inherits `null` from the prototype. */
  declare readonly hostContext: HostContext | null
  /** @internal Whether an instrument needs its location each time it suspends. */
  declare located: boolean
  /** @internal The innermost `timeout()` that it is in, for observers. A task in none inherits `null` from the prototype. */
  declare timeout: Deadline | null
  /** @internal What the task is suspended on. */
  waiter: Waitable | null = null
  /** @internal Flags and count, see above. */
  requests = 0
  /** @internal The name given, or the number in `Task-1`. A task with a given name uses no number, as in asyncio. */
  ownName: string | number

  /** Prefer `createTask`. Schedules the first step of `coro` on `loop`, or on the running loop. */
  constructor(coro: Coroutine<T>, options?: TaskOptions & { loop?: AbstractEventLoop | undefined }, on?: AbstractEventLoop) {
    super(options, on)
    const loop = this.loop
    if (!isCoroutine(coro)) throw new TypeError(`createTask: a coroutine is needed, got ${describe(coro)}${advice('createTask', coro)}`)
    takeCoroutine(coro)
    this.id = loop.takeTaskId()
    this.ownName = options?.name === undefined ? loop.takeTaskNumber() : String(options.name)
    this.value = coro
    this.context = options?.context ?? (running.context === null ? null : snapshot())
    const hostContext = loop.host.hostContext()
    if (hostContext !== null) this.hostContext = hostContext
    loop.tasks.set(this.id, this)
    if (loop.probe !== null) loop.probe.tell('taskCreated', this, running.task as Task<unknown> | null)
    if (running.task !== null) (running.task as Task<unknown>).created(this)
    if (options?.eagerStart === true && running.loop === loop) this.startEagerly()
    else loop.wake(this)
  }

  getName(): string {
    return typeof this.ownName === 'number' ? `Task-${this.ownName}` : this.ownName
  }

  /** Set the name to `String(name)`. */
  setName(name: unknown): void {
    this.ownName = String(name)
  }

  /** The coroutine; `null` once it has ended. */
  getCoro(): Coroutine<T> | null {
    // A pending task has no result yet, so its coroutine is in that field.
    return this.state === PENDING ? (this.value as Coroutine<T>) : null
  }

  getContext(): Context {
    return (this.context ??= new ContextClass())
  }

  /** Not for tasks: a task's result is what its coroutine returns. Throws a RuntimeError. */
  override setResult(_value: T): never {
    throw new RuntimeError(`${this}: setResult is not for tasks, the result is what the coroutine returns`)
  }

  /** Not for tasks. Throws a RuntimeError. */
  override setException(_error: unknown): never {
    throw new RuntimeError(`${this}: setException is not for tasks, the exception is what the coroutine throws`)
  }

  /** An AbortSignal that aborts when `cancel` is called. After `uncancel` to zero it is replaced by a new one. */
  get signal(): AbortSignal {
    let controller = controllers.get(this)
    if (controller === undefined) {
      controller = new AbortController()
      controllers.set(this, controller)
      if (this.cancelling() > 0) controller.abort(new CancelledError())
    }
    return controller.signal
  }

  /**
   * Request cancellation: the next step throws a CancelledError where the task waits. What it awaits is cancelled too. The
   * task may clean up, continue, or end with another outcome. Returns false if the task is done already.
   */
  override cancel(message?: string): boolean {
    if (this.state === FAILED_UNSEEN) this.retrieved()
    if (this.state !== PENDING) return false
    this.requests += ONE_REQUEST
    if (this.loop.probe !== null) this.loop.probe.tell('taskCancelling', this, running.task as Task<unknown> | null, message)
    if (!(this.waiter?.cancel(message) ?? false)) {
      // Not suspended on anything cancellable: it is running, or its step is in the ready queue.
      this.requests = (this.requests & ~RAISE) | CANCEL
      if (message === undefined) messages.delete(this)
      else messages.set(this, message)
    }
    controllers.get(this)?.abort(new CancelledError(message))
    return true
  }

  /** The number of calls of `cancel`, minus the calls of `uncancel`. */
  cancelling(): number {
    return Math.floor(this.requests / ONE_REQUEST)
  }

  /** Withdraw one cancellation request, as the code that made and handled it must; returns how many are left. */
  uncancel(): number {
    if (this.requests >= ONE_REQUEST) {
      this.requests -= ONE_REQUEST
      if (this.requests < ONE_REQUEST) {
        this.requests &= ~CANCEL
        controllers.delete(this)
      }
    }
    return this.cancelling()
  }

  /**
   * Where the task is suspended, oldest frame first. In debug mode the whole `yield*` chain, otherwise the frame of its
   * coroutine if available; empty once the task is done.
   */
  getStack(): Frame[] {
    const coro = this.getCoro()
    if (coro === null) return []
    const chain = suspensionOf(this).reverse()
    if (chain.length > 0) return chain
    const info = this.loop.host.inspect(coro)
    const match = /^(.*):(\d+):(\d+)$/.exec(info?.location ?? '')
    if (info === null || match === null) return []
    return [{ function: info.name, file: match[1] as string, line: Number(match[2]), column: Number(match[3]) }]
  }

  /** Write the stack to the error log, or to `write`. */
  printStack(write: (text: string) => void = (text) => this.loop.host.report(text)): void {
    const frames = this.getStack()
    const lines = frames.map((frame) => `  ${place(frame)}:${frame.column}, in ${frame.function}`)
    write([frames.length === 0 ? `No stack for ${this}` : `Stack for ${this} (oldest frame first):`, ...lines].join('\n'))
  }

  /** @internal Name of the coroutine's function, '' if unknown. */
  coroutineName(): string {
    const coro = this.getCoro()
    if (coro === null) return failedNames.get(this) ?? ''
    const own = (coro as { coroutineName?: string }).coroutineName
    return own ?? this.loop.host.inspect(coro)?.name ?? ''
  }

  /** @internal */
  override isTask(): boolean {
    return true
  }

  /** @internal */
  override label(): string {
    return this.getName()
  }

  /** @internal */
  override describeWait(): Wait {
    return { kind: 'task', label: this.getName(), tasks: [this as Task<unknown>] }
  }

  /** @internal A future that this task awaits is done. */
  settled(): void {
    this.loop.wake(this as Task<unknown>)
  }

  /** @internal The task was woken and joined the ready queue. A task whose time is measured overrides it. */
  woken(): void {}

  /** @internal A task was created while this one runs. A task whose time is measured overrides it. */
  created(_child: Task<unknown>): void {}

  private onBadYield(value: unknown): void {
    this.failNextStep(badYield(this as Task<unknown>, value))
  }

  /** @internal Make the next step throw `error`, after one trip round the ready queue. */
  failNextStep(error: Error): void {
    this.waiter = ROUND_TRIP
    // A cancellation requested earlier comes first, as in asyncio.
    if ((this.requests & CANCEL) === 0) {
      this.requests |= RAISE
      raised.set(this, error)
    }
  }

  /** @internal Run the coroutine to its next suspension or its end. The loop calls it for a ready task. */
  step(): void {
    if (this.state !== PENDING) return
    const waiter = this.waiter
    this.waiter = null
    running.task = this as Task<unknown>
    running.context = this.context
    const { debug, probe } = this.loop
    if (probe !== null) probe.tell('taskRunning', this as Task<unknown>, false)
    if (debug) this.noteDelivery(waiter)
    if (this.hostContext === null) this.resume(waiter)
    else this.hostContext.runInAsyncScope(resume, this as Task<unknown>, waiter)
    running.task = null
  }

  private noteDelivery(waiter: Waitable | null): void {
    if ((this.requests & CANCEL) !== 0 || waiter?.absorb() === true) noteDelivered(this as Task<unknown>)
  }

  /** @internal Run the first step at once. */
  startEagerly(): void {
    const { task, context } = running
    running.task = this as Task<unknown>
    running.context = this.context
    const { probe } = this.loop
    if (probe !== null) probe.tell('taskRunning', this as Task<unknown>, true)
    try {
      this.resume(null)
    } finally {
      running.task = task
      running.context = context
    }
  }

  /** @internal */
  resume(waiter: Waitable | null): void {
    let result: IteratorResult<Suspension, T>
    try {
      const coro = this.value as Coroutine<T>
      result = (this.requests & INTERRUPTED) === 0 ? coro.next() : this.resumeInterrupted(coro, waiter)
    } catch (error) {
      this.onThrown(error)
      return
    }
    if (result.done === true) this.onReturned(result.value)
    else {
      if (result.value !== SUSPENDED.value || this.waiter === null) this.onBadYield(result.value)
      this.onSuspended(this.waiter as Waitable)
    }
  }

  private onSuspended(waiter: Waitable): void {
    const { debug, probe } = this.loop
    if (debug) noteWaitsAgain(this as Task<unknown>)
    if (waiter === ROUND_TRIP) {
      if (probe !== null) probe.tell('taskYielded', this as Task<unknown>)
      this.loop.ready.push(this, null)
      return
    }
    this.onWaiting(waiter)
  }

  private onWaiting(waiter: Waitable): void {
    const { probe } = this.loop
    if (probe !== null) probe.tell('taskSuspended', this as Task<unknown>, waiter.describeWait())
    if ((this.requests & CANCEL) !== 0 && waiter.cancel(messages.get(this))) this.requests &= ~CANCEL
  }

  /** Throw the interruption into the coroutine. A wait that was itself cancelled throws its own error. */
  private resumeInterrupted(coro: Coroutine<T>, waiter: Waitable | null): IteratorResult<Suspension, T> {
    const { requests } = this
    this.requests &= ~INTERRUPTED
    const wasCancelled = waiter?.absorb() ?? false
    if ((requests & CANCEL) === 0) return coro.throw(raised.get(this))
    if (wasCancelled) return coro.next()
    return coro.throw(cancelledError(messages.get(this), this.loop.debug))
  }

  private onReturned(value: T): void {
    if ((this.requests & CANCEL) !== 0) {
      // Cancelled in its last step: as in asyncio, the request takes precedence over the result.
      this.end('cancelled', CANCELLED, messages.get(this))
    } else {
      this.end('returned', FINISHED, value)
    }
  }

  private onThrown(error: unknown): void {
    if (error instanceof CancelledError) this.end('cancelled', CANCELLED, error)
    else this.end('raised', FAILED_UNSEEN, translate(error, this as Task<unknown>))
  }

  private end(outcome: Outcome, state: typeof FINISHED | typeof CANCELLED | typeof FAILED_UNSEEN, value: unknown): void {
    const { loop } = this
    this.requests &= ~INTERRUPTED
    if (loop.debug) {
      if (outcome === 'returned') noteReturned(this as Task<unknown>)
      forgetSuspension(this)
    }
    loop.tasks.delete(this.id)
    if (loop.probe !== null) loop.probe.tell('taskFinished', this as Task<unknown>, outcome, state === FAILED_UNSEEN ? value : null)
    if (state === FAILED_UNSEEN) {
      failedNames.set(this, this.coroutineName())
      this.fail(value)
    } else this.settle(state, value)
    this.waiter = null
  }

  override toString(): string {
    const coroutine = this.coroutineName()
    const state = this.state === PENDING && this.cancelling() > 0 ? 'cancelling' : this.outcome()
    const [word, rest] = state.split(/ (.*)/s) as [string, string | undefined]
    const parts = ['Task', word, `name=${describe(this.getName())}`]
    if (coroutine !== '') parts.push(`coro=${coroutine}`)
    if (rest !== undefined) parts.push(rest)
    const { waiter } = this
    if (this.state === PENDING && waiter !== null && waiter !== ROUND_TRIP) parts.push(`waiting for ${waiter.describeWait().kind}`)
    const frame = originOf(this)[0]
    if (frame !== undefined) parts.push(`created at ${place(frame)}`)
    return `<${parts.join(' ')}>`
  }
}

// Most programs need neither and may have a million tasks: a field would make each larger.
Object.defineProperty(Task.prototype, 'hostContext', { value: null, writable: true })
Object.defineProperty(Task.prototype, 'timeout', { value: null, writable: true })
Object.defineProperty(Task.prototype, 'located', { value: false, writable: true })

function resume(this: Task<unknown>, waiter: Waitable | null): void {
  this.resume(waiter)
}

/**
 * Mark a coroutine as taken by a task: a second task would resume it in the middle. The mark is that the object is not
 * extensible. It costs no memory, and there is no reason to extend a coroutine.
 */
function takeCoroutine(coro: object): void {
  if (!Object.isExtensible(coro)) {
    throw new RuntimeError(`${describe(coro)} was awaited already: a coroutine runs once, call its function again for a new one`)
  }
  Object.preventExtensions(coro)
}

/** Replace the engine's messages about a generator resumed while it runs, and about a `yield*` of a value that is not iterable. */
function translate(error: unknown, task: Task<unknown>): unknown {
  if (!(error instanceof TypeError)) return error
  if (/already (running|executing)/.test(error.message)) {
    return new RuntimeError(`${task}: a coroutine was awaited a second time while it runs: call its function again for a new one`)
  }
  // Thrown in place of the error of a bad yield, where `yield*` delegates to an iterator that only yields.
  if (/'?throw'? method/.test(error.message) && raised.has(task)) {
    return new RuntimeError(`${task} got a \`yield*\` of an array, a set or a text: that yields the items, and awaits none. For several awaitables write \`yield* gather([…])\``)
  }
  explainNotIterable(error)
  return error
}

function badYield(task: Task<unknown>, value: unknown): RuntimeError {
  const got = describe(value)
  if (value === undefined) {
    return new RuntimeError(`${task} got a bare \`yield\`: to let others run, use \`yield* sleep(0)\``)
  }
  if (value instanceof Future || isCoroutine(value)) {
    return new RuntimeError(`${task} got \`yield\` without a star with ${got}: use \`yield*\` to await it`)
  }
  if (typeof (value as PromiseLike<unknown> | null)?.then === 'function') {
    return new RuntimeError(`${task} got a bad yield, a promise: use \`yield* fromPromise(promise)\``)
  }
  return new RuntimeError(`${task} got a bad yield: ${got}. Only \`yield*\` of a coroutine, a task or a future can be awaited; the items of an asynchronous generator come from asyncFor`)
}

/** Make a task of `coro` on the running loop. Its first step is scheduled for the next iteration. */
export function createTask<T>(coro: Coroutine<T>, options?: TaskOptions): Task<T> {
  return getRunningLoop().createTask(coro, options)
}

describable(Task)
