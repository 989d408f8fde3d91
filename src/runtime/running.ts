// What is running on this thread at this moment: the loop, its task, its context. And as much of a loop and of a task as
// futures, waits, locks and queues need. Low in the layers, so that everything can ask without knowing the concrete loop.
import type { Context } from './context.ts'
import type { Host } from './host.ts'
import type { Frame } from './origins.ts'
import type { Runnable } from './ready.ts'
import type { Timer, TimerHeap } from './timers.ts'
import type { Waitable } from './waitable.ts'

/** What an exception handler is told of a failure. */
export interface FailureReport {
  message: string
  /** What it is about, where that is nothing but a failure: never match the message. */
  kind?: 'never-awaited' | 'never-retrieved'
  exception?: unknown
  task?: object
  /** Where the object in question was made, newest frame first; in debug mode. */
  createdAt?: Frame[]
}

/** The instruments of a loop, for those who have something to say to them. */
interface Probe {
  tell(hook: 'taskSuspending', task: RunningTask): void
  tell(hook: 'queueChanged', queue: object, op: 'put' | 'get' | 'done', by: RunningTask | null): void
  tell(hook: 'printed', task: RunningTask | null, text: string): void
}

/** A loop as futures, waits, locks and queues know it: who makes tasks or callbacks needs an `AbstractEventLoop`. */
export interface Loop {
  /** Debug mode records where things were made and where tasks wait, and reports steps longer than `slowCallbackDuration`. */
  debug: boolean
  /** The machine beneath: clock, output, sleep. */
  readonly host: Host

  /** @internal The instruments while there are any, else `null`: the one check that unwatched code pays for. */
  readonly probe: Probe | null
  /** @internal */ readonly timers: TimerHeap
  /** @internal Failures not yet retrieved. */
  readonly failures: Set<object>
  /** @internal In debug mode, the coroutines made and not yet awaited. */
  readonly unawaited: Set<object>

  /** Seconds on the loop's monotonic clock. */
  time(): number
  isClosed(): boolean
  /** Hand a context to the exception handler. Never throws. */
  callExceptionHandler(context: FailureReport): void

  /** @internal Put something at the end of the ready queue. */
  schedule(what: Runnable, argument: object): void
  /** @internal Put a task at the end of the ready queue: its next step will run. */
  wake(task: RunningTask): void
  /** @internal */
  scheduleTimer(when: number, timer: Timer & Runnable): void
  /** @internal One more thing of the host's that a task waits for, or one less. */
  addHostWork(difference: 1 | -1): void
}

/** A task as what it waits for knows it. */
export interface RunningTask {
  readonly id: number
  readonly loop: Loop
  context: Context | null
  /** What the task is suspended on. */
  waiter: Waitable | null
  /** Some instrument wants to know where it is each time that it suspends. */
  readonly located: boolean
  label(): string
  cancelling(): number
  failNextStep(error: Error): void
  settled(): void
}

interface Running {
  loop: Loop | null
  task: RunningTask | null
  /** `null` stands for a context in which nothing was ever set: most programs never make one. */
  context: Context | null
  /** How many loops the host drives on this thread. */
  driven: number
}

export const running: Running = { loop: null, task: null, context: null, driven: 0 }
