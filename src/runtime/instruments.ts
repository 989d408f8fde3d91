// The hooks that the loop calls for its observers. Without an instrument they cost nothing. An instrument that throws is
// removed and reported; no task is affected.
import type { AbstractEventLoop, ExceptionContext } from './abstract-loop.ts'
import type { Task } from './task.ts'
import type { WaitDescription } from './waitable.ts'
import { describable, describe } from './describe.ts'

export interface Wait extends WaitDescription {
  /** The tasks whose end would end the wait. */
  tasks?: Task<unknown>[]
}

/** @internal The wait of a task that yielded: one trip round the ready queue. */
export const YIELD: Wait = Object.freeze({ kind: 'yield' })

export type Outcome = 'returned' | 'raised' | 'cancelled'

/** The state of a queue, for observers. */
export interface QueueState {
  /** 1, 2, 3 … in the order in which queues were first observed. */
  readonly id: number
  qsize(): number
  readonly unfinished: number
  readonly maxsize: number
}

/** A call of a plain function on a worker thread. Times are seconds on the loop's clock. */
export interface ThreadCall {
  /** 1, 2, 3 … in this process. */
  readonly id: number
  readonly mode: 'sensitive' | 'pool'
  /** The function's name. */
  readonly function: string
  /** The task that made the call, `null` outside a task. */
  readonly task: Task<unknown> | null
  /** An `orphaned` call runs on a detached thread: its task was cancelled. */
  readonly status: 'queued' | 'running' | 'orphaned' | 'finished'
  /** When this status began. */
  readonly since: number
  readonly startedAt: number | null
  readonly finishedAt: number | null
  /** How it ended: `orphaned` after its task was cancelled, `cancelled` before it began. */
  readonly ending: 'returned' | 'raised' | 'orphaned' | 'cancelled' | null
}

/** Called by the loop, on the loop's thread, in the middle of the program: be quick. Every hook is optional. */
export interface Instrument {
  loopStarted?(loop: AbstractEventLoop): void
  loopClosed?(loop: AbstractEventLoop): void
  /** `parent` is the task that ran when this one was created. */
  taskCreated?(task: Task<unknown>, parent: Task<unknown> | null): void
  /** The task joined the ready queue; `by` is the task that woke it. */
  taskReady?(task: Task<unknown>, by: Task<unknown> | null): void
  /** A step begins. An `eager` step runs inside the code that made the task, which continues when the step has ended. */
  taskRunning?(task: Task<unknown>, eager: boolean): void
  /** Called once, after `taskCreated`: whether to call `taskSuspending` for this task, which has a cost. */
  wantsLocation?(task: Task<unknown>): boolean
  /** The step is about to end in a wait; its coroutine is still on the stack. Only after `wantsLocation` returned true. */
  taskSuspending?(task: Task<unknown>): void
  /** The step ended in a wait. `task.getStack()` shows where, in debug mode with the whole `yield*` chain. */
  taskSuspended?(task: Task<unknown>, on: Wait): void
  /** The step ended in `sleep(0)`. An instrument with this hook gets it instead of `taskSuspended` and `taskReady`. */
  taskYielded?(task: Task<unknown>): void
  taskCancelling?(task: Task<unknown>, by: Task<unknown> | null, message: string | undefined): void
  taskFinished?(task: Task<unknown>, outcome: Outcome, error: unknown): void
  /** A callback (`callSoon`, `addDoneCallback` …) begins and ends. It blocks the loop as a task's step does. */
  callbackRunning?(callback: object): void
  callbackFinished?(callback: object): void
  printed?(task: Task<unknown> | null, text: string): void
  /** A worker thread began a call. A call that was cancelled earlier never starts. */
  threadStarted?(call: ThreadCall): void
  /** The function or its thread ended; see `call.ending`. */
  threadFinished?(call: ThreadCall): void
  queueChanged?(queue: QueueState, op: 'put' | 'get' | 'done', by: Task<unknown> | null): void
  /** The loop's exception handler is about to be called. */
  reported?(context: ExceptionContext): void
}

type Hook = Exclude<keyof Instrument, 'wantsLocation'>
type Arguments<H extends Hook> = Parameters<NonNullable<Instrument[H]>>
type AnyTask = Task<unknown>

/** The instruments of one loop. Add and delete at any time. */
export class Instruments implements Iterable<Instrument> {
  readonly #loop: AbstractEventLoop
  #list: Instrument[] = []

  constructor(loop: AbstractEventLoop) {
    this.#loop = loop
  }

  get size(): number {
    return this.#list.length
  }

  add(instrument: Instrument): this {
    if (!this.#list.includes(instrument)) this.#replace([...this.#list, instrument])
    return this
  }

  /** Remove an instrument; returns whether it was registered. */
  delete(instrument: Instrument): boolean {
    if (!this.#list.includes(instrument)) return false
    this.#replace(this.#list.filter((other) => other !== instrument))
    return true
  }

  has(instrument: Instrument): boolean {
    return this.#list.includes(instrument)
  }

  [Symbol.iterator](): Iterator<Instrument> {
    return this.#list[Symbol.iterator]()
  }

  /**
   * @internal Call a hook of all instruments. The hooks are spelled out, because a lookup by name would cost more than most
   * hooks do. All are in one function, which is too long for V8 to inline into the loop, where more important code is inlined.
   * The list is replaced, never changed, so an instrument may add or delete during a hook.
   */
  tell<H extends Hook>(hook: H, ...args: Arguments<H>): void
  tell(hook: Hook, a: unknown, b?: unknown, c?: unknown): void {
    const list = this.#list
    for (let at = 0; at < list.length; at++) {
      const instrument = list[at] as Instrument
      try {
        switch (hook) {
          case 'taskReady':
            instrument.taskReady?.(a as AnyTask, b as AnyTask | null)
            break
          case 'taskRunning':
            instrument.taskRunning?.(a as AnyTask, b as boolean)
            break
          case 'taskSuspended':
            instrument.taskSuspended?.(a as AnyTask, b as Wait)
            break
          case 'taskYielded':
            if (instrument.taskYielded !== undefined) instrument.taskYielded(a as AnyTask)
            else {
              instrument.taskSuspended?.(a as AnyTask, YIELD)
              instrument.taskReady?.(a as AnyTask, a as AnyTask)
            }
            break
          case 'taskFinished':
            instrument.taskFinished?.(a as AnyTask, b as Outcome, c)
            break
          case 'taskCreated':
            instrument.taskCreated?.(a as AnyTask, b as AnyTask | null)
            if (instrument.wantsLocation?.(a as AnyTask) === true) (a as AnyTask).located = true
            break
          case 'callbackRunning':
            instrument.callbackRunning?.(a as object)
            break
          case 'callbackFinished':
            instrument.callbackFinished?.(a as object)
            break
          case 'queueChanged':
            instrument.queueChanged?.(a as QueueState, b as 'put' | 'get' | 'done', c as AnyTask | null)
            break
          case 'printed':
            instrument.printed?.(a as AnyTask | null, b as string)
            break
          case 'taskCancelling':
            instrument.taskCancelling?.(a as AnyTask, b as AnyTask | null, c as string | undefined)
            break
          case 'threadStarted':
            instrument.threadStarted?.(a as ThreadCall)
            break
          case 'threadFinished':
            instrument.threadFinished?.(a as ThreadCall)
            break
          case 'taskSuspending':
            instrument.taskSuspending?.(a as AnyTask)
            break
          case 'reported':
            instrument.reported?.(a as ExceptionContext)
            break
          case 'loopStarted':
            instrument.loopStarted?.(a as AbstractEventLoop)
            break
          case 'loopClosed':
            instrument.loopClosed?.(a as AbstractEventLoop)
            break
        }
      } catch (error) {
        this.#expel(instrument, hook, error)
      }
    }
  }

  #expel(instrument: Instrument, hook: Hook, error: unknown): void {
    this.delete(instrument)
    this.#loop.callExceptionHandler({
      message: `instrument ${describe(instrument)} threw in ${hook} and was removed`,
      exception: error,
    })
  }

  #replace(list: Instrument[]): void {
    this.#list = list
    this.#loop.probe = list.length === 0 ? null : this
  }

  toString(): string {
    return `<Instruments ${this.size}>`
  }
}

describable(Instruments)
