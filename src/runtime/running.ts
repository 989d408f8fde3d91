// What runs on this thread now: the loop, its task, its context. The interfaces have only the parts of a loop and a task
// that futures, waits, locks and queues need, so that these do not depend on the classes.
import type { Context } from './context.ts'
import type { Host } from './host.ts'
import type { Frame } from './origins.ts'
import type { Runnable } from './ready.ts'
import type { Timer, TimerHeap } from './timers.ts'
import type { Waitable } from './waitable.ts'

/** The report of a failure to an exception handler. */
export interface FailureReport {
  message: string
  /** The kind of the report; absent for an ordinary failure. Use it instead of matching the message. */
  kind?: 'never-awaited' | 'never-retrieved'
  exception?: unknown
  task?: object
  /** Where the object in question was made, newest frame first; in debug mode. */
  createdAt?: Frame[]
}

/** The part of `Instruments` that code below the loop calls. */
interface Probe {
  tell(hook: 'taskSuspending', task: RunningTask): void
  tell(hook: 'queueChanged', queue: object, op: 'put' | 'get' | 'done', by: RunningTask | null): void
  tell(hook: 'printed', task: RunningTask | null, text: string): void
}

/** The part of a loop that futures, waits, locks and queues use. Code that makes tasks or callbacks needs an `AbstractEventLoop`. */
export interface Loop {
  /** Debug mode: records where objects are made and where tasks wait, and reports steps of `slowCallbackDuration` or more. */
  debug: boolean
  /** The environment: clock, output, sleep. */
  readonly host: Host

  /** @internal The instruments if there are any, else `null`: the only cost for an unobserved loop. */
  readonly probe: Probe | null
  /** @internal */ readonly timers: TimerHeap
  /** @internal Failures not yet retrieved. */
  readonly failures: Set<object>
  /** @internal In debug mode: the coroutines made and not yet awaited. */
  readonly unawaited: Set<object>

  /** Seconds on the loop's monotonic clock. */
  time(): number
  isClosed(): boolean
  /** Pass a context to the exception handler. Never throws. */
  callExceptionHandler(context: FailureReport): void

  /** @internal Put an entry at the end of the ready queue. */
  schedule(what: Runnable, argument: object): void
  /** @internal Put a task at the end of the ready queue: its next step will run. */
  wake(task: RunningTask): void
  /** @internal */
  scheduleTimer(when: number, timer: Timer & Runnable): void
  /** @internal Change the number of promises, threads and events that tasks wait for. */
  addHostWork(difference: 1 | -1): void
}

/** A `timeout()` that a task is in. */
export interface Deadline {
  /** When the first of this scope and those around it cancels the task; `undefined` if none does. */
  first(): number | undefined
}

/** The part of a task that futures and waiters use. */
export interface RunningTask {
  readonly id: number
  readonly loop: Loop
  context: Context | null
  /** What the task is suspended on. */
  waiter: Waitable | null
  /** Whether an instrument needs its location each time it suspends. */
  readonly located: boolean
  label(): string
  cancelling(): number
  failNextStep(error: Error): void
  settled(): void
}

interface Running {
  loop: Loop | null
  task: RunningTask | null
  /** `null` means a context in which nothing was ever set: most programs never make one. */
  context: Context | null
  /** The number of loops that the host drives on this thread. */
  driven: number
}

export const running: Running = { loop: null, task: null, context: null, driven: 0 }
