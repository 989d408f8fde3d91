// The hooks that the loop calls for whoever watches it. Nothing registered: nothing called, nothing paid. An instrument
// that throws is removed and reported, and no task feels it.
import type { AbstractEventLoop, ExceptionContext } from './abstract-loop.ts'
import type { Task } from './task.ts'
import type { WaitDescription } from './waitable.ts'
import { describable, describe } from './describe.ts'

export interface Wait extends WaitDescription {
  /** The tasks whose end would end the wait. */
  tasks?: Task<unknown>[]
}

/** @internal What a task waits for on its trip round the ready queue. */
export const YIELD: Wait = Object.freeze({ kind: 'yield' })

export type Outcome = 'returned' | 'raised' | 'cancelled'

/** A queue as its watchers see it. */
export interface QueueState {
  /** 1, 2, 3 … in the order in which queues were first watched. */
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
  /** The task that made the call, `null` outside of one. */
  readonly task: Task<unknown> | null
  /** An `orphaned` call runs on though nobody waits for it any more: its task was cancelled. */
  readonly status: 'queued' | 'running' | 'orphaned' | 'finished'
  /** When it took on this status. */
  readonly since: number
  readonly startedAt: number | null
  readonly finishedAt: number | null
  /** How it ended: `orphaned` ended unheard, `cancelled` never began. */
  readonly ending: 'returned' | 'raised' | 'orphaned' | 'cancelled' | null
}

/** Called by the loop, on the loop's thread, between two lines of somebody's program: be quick. Every hook is optional. */
export interface Instrument {
  loopStarted?(loop: AbstractEventLoop): void
  loopClosed?(loop: AbstractEventLoop): void
  /** `parent` is the task that ran when this one was created. */
  taskCreated?(task: Task<unknown>, parent: Task<unknown> | null): void
  /** The task joined the ready queue; `by` is the task that woke it. */
  taskReady?(task: Task<unknown>, by: Task<unknown> | null): void
  /** A step begins; an `eager` one inside of what made the task, which goes on when it has ended. */
  taskRunning?(task: Task<unknown>, eager: boolean): void
  /** Asked once, after `taskCreated`: whether `taskSuspending` is to be called for this task, as it costs something. */
  wantsLocation?(task: Task<unknown>): boolean
  /** The step is about to end in a wait, and its coroutine still on the stack. For tasks whose location some instrument wants. */
  taskSuspending?(task: Task<unknown>): void
  /** The step ended in a wait. `task.getStack()` tells where, in debug mode with the whole `yield*` chain. */
  taskSuspended?(task: Task<unknown>, on: Wait): void
  /** The step ended in `sleep(0)`. Whoever has this hook gets it in place of the `taskSuspended` and the `taskReady` of it. */
  taskYielded?(task: Task<unknown>): void
  taskCancelling?(task: Task<unknown>, by: Task<unknown> | null, message: string | undefined): void
  taskFinished?(task: Task<unknown>, outcome: Outcome, error: unknown): void
  /** A callback (`callSoon`, `addDoneCallback` …) begins and ends: it holds the loop as a task's step does. */
  callbackRunning?(callback: object): void
  callbackFinished?(callback: object): void
  printed?(task: Task<unknown> | null, text: string): void
  /** A worker thread took up a call; one that is cancelled before is never started. */
  threadStarted?(call: ThreadCall): void
  /** The function ended, or its thread did; `call.ending` tells whether anybody heard. */
  threadFinished?(call: ThreadCall): void
  queueChanged?(queue: QueueState, op: 'put' | 'get' | 'done', by: Task<unknown> | null): void
  /** Something is about to be handed to the loop's exception handler, whichever that is. */
  reported?(context: ExceptionContext): void
}

type Hook = Exclude<keyof Instrument, 'wantsLocation'>
type Arguments<H extends Hook> = Parameters<NonNullable<Instrument[H]>>
type AnyTask = Task<unknown>

/** The instruments of one loop: add and delete at any time. */
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

  /** Remove an instrument; tells whether it was registered. */
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
   * @internal Call a hook of all instruments. The hooks are spelled out and their arguments handed on one by one: looked up by name, a call would cost more than most
   * hooks do. All are in one place, which V8 finds too long to make it part of the loop, where it would crowd out what matters
   * more. The list is replaced, never changed, so an instrument may add or delete during a hook.
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
