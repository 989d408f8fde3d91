// A run of a program: what it is, its state, the beginning of its output and of its events, and a way to cancel it.
import type { Coroutine } from '../runtime/coroutine.ts'
import type { Task } from '../runtime/task.ts'
import type { LoopEvent, Parameters } from '../events/schema.ts'
import { copyContext } from '../runtime/context.ts'
import { printTo } from '../runtime/print.ts'
import { stamp } from '../events/builder.ts'
import { begun, KEPT_BYTES, keepEvent, keepLine, type Line, type RunRecord } from '../events/run-log.ts'

export type RunOutcome = NonNullable<RunRecord['outcome']>

export interface Program {
  example: number
  parameters: Parameters
  virtual: boolean
  main: () => Coroutine<unknown>
  /** What it does once none of its tasks is left, before `follow` returns. */
  leave?: () => Coroutine<void>
}

/**
 * Receives the output and events of a run as they occur. A method returns false if there is too much unread; the listener
 * then calls the run's `resume()` when there is room.
 */
export interface RunListener {
  line?(line: Line): boolean
  /** An event as JSON. */
  event?(json: string): boolean
}

/** Makes a run wait for its reader, and continue. */
export interface Pace {
  pause(): void
  resume(): void
}

export class Run {
  /** Its public record. It contains events only in virtual time: the observer does not have the events of another loop. */
  readonly record: RunRecord
  /** @internal */ task: Task<unknown> | null = null
  /** @internal */ readonly controller = new AbortController()
  /** @internal Set while the run can wait for its reader: in virtual time, where it may print faster than its output is read. */ pace: Pace | null = null
  /** How many bytes may still be kept of it. */
  #room = KEPT_BYTES
  #listener: RunListener | null

  /** @internal */
  constructor(id: number, program: Program, listener: RunListener | null) {
    const { example, parameters, virtual } = program
    this.record = begun({ run: id, example, parameters, clock: virtual ? 'virtual' : 'real', startedAt: new Date().toISOString() })
    this.#listener = listener
  }

  get id(): number {
    return this.record.run
  }

  /** Cancels it, down to its last task; false if it has ended. */
  cancel(message: string): boolean {
    if (this.record.outcome !== null) return false
    if (this.task !== null) this.task.cancel(message)
    else this.controller.abort(new Error(message))
    return true
  }

  /** @internal */
  print(line: Line): void {
    keepLine(this.record, line, this.#takes)
    if (this.#listener?.line?.(line) === false) this.pace?.pause()
  }

  /** @internal An event of the run's own loop. */
  onEvent(event: LoopEvent): void {
    keepEvent(this.record, event, this.#takes)
    if (this.#listener?.event?.(JSON.stringify(event)) === false) this.pace?.pause()
  }

  /** Its reader has room again. */
  resume(): void {
    this.pace?.resume()
  }

  /** @internal The listener's function for events, if it wants them. */
  get eventListener(): ((json: string) => void) | null {
    const listener = this.#listener
    return listener?.event === undefined ? null : (json) => listener.event?.(json)
  }

  /** Whether there is room for this many bytes; once there is not, nothing more is kept. */
  readonly #takes = (size: number): boolean => {
    this.#room -= size
    return this.#room >= 0
  }

  /** @internal */
  end(outcome: RunOutcome, seconds: number, error: unknown): void {
    this.record.outcome = outcome
    this.record.seconds = stamp(seconds)
    if (outcome === 'raised') this.record.error = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  }

  /** @internal The listener receives nothing more. */
  leave(): void {
    this.#listener = null
  }
}

/** A context in which printed text goes to `print`. */
export function contextOf(print: (text: string) => void): ReturnType<typeof copyContext> {
  const context = copyContext()
  context.run(() => printTo(print))
  return context
}
