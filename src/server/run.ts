// A run of a program: what it is, how it goes, the beginning of its output and of its events, and a way to cancel it.
import type { Coroutine } from '../runtime/coroutine.ts'
import type { Task } from '../runtime/task.ts'
import type { LoopEvent, Parameters } from '../events/schema.ts'
import { copyContext } from '../runtime/context.ts'
import { output } from '../runtime/print.ts'
import { stamp } from '../events/builder.ts'
import { begun, KEPT_BYTES, keepEvent, keepLine, type Line, type RunRecord } from '../events/run-log.ts'

export type RunOutcome = NonNullable<RunRecord['outcome']>

export interface Program {
  example: number
  parameters: Parameters
  virtual: boolean
  main: () => Coroutine<unknown>
}

/** Gets what a run does while it does it. It returns false where what it was given lies unread: it calls the run's `resume()` once it does not. */
export interface RunListener {
  line?(line: Line): boolean
  /** An event as JSON. */
  event?(json: string): boolean
}

/** How a run is made to wait for its reader, and to go on. */
export interface Pace {
  pause(): void
  resume(): void
}

export class Run {
  /** It as it is told. Its events are here where it ran in virtual time: another loop's events are not the observer's. */
  readonly record: RunRecord
  /** @internal */ task: Task<unknown> | null = null
  /** @internal */ readonly controller = new AbortController()
  /** @internal Set while it can wait for its reader: in virtual time, where it could print faster than anybody reads. */ pace: Pace | null = null
  /** What may still be kept of it, in bytes. */
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

  /** Cancel it, down to its last task; false if it has ended. */
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
  see(event: LoopEvent): void {
    keepEvent(this.record, event, this.#takes)
    if (this.#listener?.event?.(JSON.stringify(event)) === false) this.pace?.pause()
  }

  /** Its reader has room again. */
  resume(): void {
    this.pace?.resume()
  }

  /** @internal The listener, if it wants to hear of events. */
  get eventListener(): ((json: string) => void) | null {
    const listener = this.#listener
    return listener?.event === undefined ? null : (json) => listener.event?.(json)
  }

  /** Whether there is room for so many bytes; once there is not, nothing more is kept. */
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
