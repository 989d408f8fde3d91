// A run of a program: what it is, how it goes, the beginning of its output and of its events, and a way to cancel it.
import type { Coroutine } from '../runtime/coroutine.ts'
import type { Task } from '../runtime/task.ts'
import type { Line, RunRecord } from '../observe/run-log.ts'
import type { LoopEvent, Parameters } from '../events/schema.ts'
import { copyContext } from '../runtime/context.ts'
import { output } from '../runtime/print.ts'
import { KEPT_BYTES, KEPT_EVENTS, KEPT_LINES } from '../observe/run-log.ts'
import { stamp } from '../events/builder.ts'
import { sizeOf, sizeOfEvent } from '../events/texts.ts'

export type RunOutcome = 'returned' | 'raised' | 'cancelled'

export interface Program {
  example: number
  parameters: Parameters
  virtual: boolean
  main: () => Coroutine<unknown>
}

/** Gets what a run does while it does it. It returns false where what it was given lies unread: it calls the run's `resume()` once it does not. */
export interface RunListener {
  line?(line: Line): boolean
  event?(event: LoopEvent): boolean
}

/** How a run is made to wait for its reader, and to go on. */
export interface Pace {
  pause(): void
  resume(): void
}

export class Run {
  readonly id: number
  readonly example: number
  readonly parameters: Parameters
  readonly clock: 'real' | 'virtual'
  readonly startedAt = new Date()
  /** Lines and events that were not kept. */
  forgotten = 0
  seconds: number | null = null
  outcome: RunOutcome | null = null
  error: string | null = null
  /** @internal */ task: Task<unknown> | null = null
  /** @internal */ readonly controller = new AbortController()
  /** @internal Set while it can wait for its reader: in virtual time, where it could print faster than anybody reads. */ pace: Pace | null = null
  readonly #output: Line[] = []
  /** What it did, where it ran in virtual time: another loop's events are not the observer's. */
  readonly #events: LoopEvent[] = []
  /** What may still be kept of it, in bytes. */
  #room = KEPT_BYTES
  #listener: RunListener | null

  /** @internal */
  constructor(id: number, program: Program, listener: RunListener | null) {
    this.id = id
    this.example = program.example
    this.parameters = program.parameters
    this.clock = program.virtual ? 'virtual' : 'real'
    this.#listener = listener
  }

  /** Cancel it, down to its last task; false if it has ended. */
  cancel(message: string): boolean {
    if (this.outcome !== null) return false
    if (this.task !== null) this.task.cancel(message)
    else this.controller.abort(new Error(message))
    return true
  }

  /** @internal */
  print(line: Line): void {
    if (this.#output.length < KEPT_LINES && this.#takes(sizeOf(line))) this.#output.push(line)
    else this.forgotten++
    if (this.#listener?.line?.(line) === false) this.pace?.pause()
  }

  /** @internal An event of the run's own loop. */
  see(event: LoopEvent): void {
    if (this.#events.length < KEPT_EVENTS && this.#takes(sizeOfEvent(event))) this.#events.push(event)
    else this.forgotten++
    if (this.#listener?.event?.(event) === false) this.pace?.pause()
  }

  /** Its reader has room again. */
  resume(): void {
    this.pace?.resume()
  }

  /** @internal The listener, if it wants to hear of events. */
  get eventListener(): ((event: LoopEvent) => void) | null {
    const listener = this.#listener
    return listener?.event === undefined ? null : (event) => listener.event?.(event)
  }

  /** It as the observer keeps it. */
  record(): RunRecord {
    const { id, example, parameters, clock, startedAt, seconds, outcome, error, forgotten } = this
    return {
      run: id, example, parameters, clock, startedAt: startedAt.toISOString(), seconds, outcome, error, output: this.#output, events: this.#events, forgotten,
    }
  }

  /** Whether there is room for so many bytes; once there is not, nothing more is kept. */
  #takes(size: number): boolean {
    this.#room -= size
    return this.#room >= 0
  }

  /** @internal */
  end(outcome: RunOutcome, seconds: number, error: unknown): void {
    this.outcome = outcome
    this.seconds = stamp(seconds)
    if (outcome === 'raised') this.error = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  }

  /** @internal The listener hears no more. */
  leave(): void {
    this.#listener = null
  }
}

/** Where what is printed goes to `print`. */
export function contextOf(print: (text: string) => void): ReturnType<typeof copyContext> {
  const context = copyContext()
  context.run(() => output.set(print))
  return context
}
