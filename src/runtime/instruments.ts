// The hooks that the loop calls for whoever watches it. Nothing registered: nothing called, nothing paid. An instrument
// that throws is removed and reported, and no task feels it.
import type { EventLoop } from './loop.ts'
import type { Tape } from './tape.ts'
import type { Task } from './task.ts'
import { describable, describe } from './describe.ts'

/** What a suspended task waits for. */
export type WaitKind =
  | 'sleep' | 'future' | 'task' | 'gather' | 'queue.get' | 'queue.put' | 'queue.join'
  | 'lock' | 'event' | 'condition' | 'semaphore' | 'barrier' | 'thread' | 'promise' | 'yield'

export interface Wait {
  kind: WaitKind
  /** What in particular: a lock, a queue, a function, in one line. */
  readonly label?: string
  /** The lock or the queue itself. */
  of?: object
  /** The tasks whose end would end the wait. */
  tasks?: Task<unknown>[]
  /** When the wait ends by itself, in seconds on the loop's clock. */
  deadline?: number
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
  /**
   * Where the loop writes whose step begins, as long as there is room: `taskRunning` is called where there is none, and for
   * eager steps. The first instrument that has a tape gets it written; it must have it when it is added.
   */
  readonly tape?: Tape
  loopStarted?(loop: EventLoop): void
  loopClosed?(loop: EventLoop): void
  /** `parent` is the task that ran when this one was created. */
  taskCreated?(task: Task<unknown>, parent: Task<unknown> | null): void
  /** The task joined the ready queue; `by` is the task that woke it. */
  taskReady?(task: Task<unknown>, by: Task<unknown> | null): void
  /** A step begins; an `eager` one inside of what made the task, which goes on when it has ended. */
  taskRunning?(task: Task<unknown>, eager: boolean): void
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
}

type RareHook = Exclude<keyof Instrument, keyof Instruments | 'tape'>

/** The instruments of one loop: add and delete at any time. */
export class Instruments implements Iterable<Instrument> {
  readonly #loop: EventLoop
  #list: Instrument[] = []
  #tape: Tape | null = null
  /** Those whose the tape is not. */
  #others: Instrument[] = []

  constructor(loop: EventLoop) {
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

  // The hooks of each step and switch are spelled out, and go by index: looked up by name, or through an iterator, a call
  // would cost more than most hooks do. The list is replaced, never changed, so an instrument may add or delete during a hook.

  /** @internal */
  taskCreated(task: Task<unknown>, parent: Task<unknown> | null): void {
    const list = this.#list
    for (let at = 0; at < list.length; at++) {
      const instrument = list[at] as Instrument
      try {
        instrument.taskCreated?.(task, parent)
      } catch (error) {
        this.#expel(instrument, 'taskCreated', error)
      }
    }
  }

  /** @internal */
  taskReady(task: Task<unknown>, by: Task<unknown> | null): void {
    const list = this.#list
    for (let at = 0; at < list.length; at++) {
      const instrument = list[at] as Instrument
      try {
        instrument.taskReady?.(task, by)
      } catch (error) {
        this.#expel(instrument, 'taskReady', error)
      }
    }
  }

  /** @internal */
  taskRunning(task: Task<unknown>, eager: boolean): void {
    const tape = this.#tape
    const list = tape !== null && !eager && tape.write(task.id) ? this.#others : this.#list
    if (list.length > 0) this.#tellRunning(list, task, eager)
  }

  /** @internal */
  taskSuspended(task: Task<unknown>, on: Wait): void {
    const list = this.#list
    for (let at = 0; at < list.length; at++) {
      const instrument = list[at] as Instrument
      try {
        instrument.taskSuspended?.(task, on)
      } catch (error) {
        this.#expel(instrument, 'taskSuspended', error)
      }
    }
  }

  /** @internal */
  taskYielded(task: Task<unknown>): void {
    const list = this.#tape?.implied === true ? this.#others : this.#list
    if (list.length > 0) this.#tellYielded(list, task)
  }

  /** @internal */
  taskFinished(task: Task<unknown>, outcome: Outcome, failure: unknown): void {
    const list = this.#list
    for (let at = 0; at < list.length; at++) {
      const instrument = list[at] as Instrument
      try {
        instrument.taskFinished?.(task, outcome, failure)
      } catch (error) {
        this.#expel(instrument, 'taskFinished', error)
      }
    }
  }

  /** @internal */
  callbackRunning(callback: object): void {
    const list = this.#list
    for (let at = 0; at < list.length; at++) {
      const instrument = list[at] as Instrument
      try {
        instrument.callbackRunning?.(callback)
      } catch (error) {
        this.#expel(instrument, 'callbackRunning', error)
      }
    }
  }

  /** @internal */
  callbackFinished(callback: object): void {
    const list = this.#list
    for (let at = 0; at < list.length; at++) {
      const instrument = list[at] as Instrument
      try {
        instrument.callbackFinished?.(callback)
      } catch (error) {
        this.#expel(instrument, 'callbackFinished', error)
      }
    }
  }

  /** @internal Any other hook. */
  call<H extends RareHook>(hook: H, ...args: Parameters<NonNullable<Instrument[H]>>): void {
    for (const instrument of this.#list) {
      try {
        ;(instrument[hook] as ((...args: unknown[]) => void) | undefined)?.apply(instrument, args)
      } catch (error) {
        this.#expel(instrument, hook, error)
      }
    }
  }

  // These two are apart from their callers, which V8 makes part of the loop as long as they are short.

  #tellRunning(list: Instrument[], task: Task<unknown>, eager: boolean): void {
    for (let at = 0; at < list.length; at++) {
      const instrument = list[at] as Instrument
      try {
        instrument.taskRunning?.(task, eager)
      } catch (error) {
        this.#expel(instrument, 'taskRunning', error)
      }
    }
  }

  #tellYielded(list: Instrument[], task: Task<unknown>): void {
    for (let at = 0; at < list.length; at++) {
      const instrument = list[at] as Instrument
      try {
        if (instrument.taskYielded !== undefined) instrument.taskYielded(task)
        else {
          instrument.taskSuspended?.(task, YIELD)
          instrument.taskReady?.(task, task)
        }
      } catch (error) {
        this.#expel(instrument, 'taskYielded', error)
      }
    }
  }

  #expel(instrument: Instrument, hook: keyof Instrument, error: unknown): void {
    this.delete(instrument)
    this.#loop.callExceptionHandler({
      message: `instrument ${describe(instrument)} threw in ${hook} and was removed`,
      exception: error,
    })
  }

  #replace(list: Instrument[]): void {
    const owner = list.find(({ tape }) => tape !== undefined)
    this.#list = list
    this.#tape = owner?.tape ?? null
    this.#others = list.filter((instrument) => instrument !== owner)
    this.#loop.probe = list.length === 0 ? null : this
  }

  toString(): string {
    return `<Instruments ${this.size}>`
  }
}

describable(Instruments)
