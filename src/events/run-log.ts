// The runs that are under way and the last that ended, with their output and events, from the stream.
import type { EventOf, LoopEvent, Parameters } from './schema.ts'
import { stamp } from './builder.ts'
import { cutText, sizeOf, sizeOfEvent } from './texts.ts'

const KEPT_RUNS = 50
const KEPT_EVENTS = 5000
const KEPT_LINES = 5000
/** The most bytes of lines and events, of one run and of all runs. */
export const KEPT_BYTES = 2 * 1024 ** 2
const MOST_BYTES = 64 * 1024 ** 2

export interface Line {
  /** Seconds since the run began, on its clock. */
  t: number
  task: string
  text: string
}

export interface RunRecord {
  run: number
  example: number
  parameters: Parameters
  clock: 'real' | 'virtual'
  startedAt: string
  seconds: number | null
  outcome: 'returned' | 'raised' | 'cancelled' | null
  error: string | null
  output: Line[]
  events: LoopEvent[]
  /** Lines and events that there was no room for. */
  forgotten: number
}

export type RunSummary = Pick<RunRecord, 'run' | 'example' | 'parameters' | 'clock' | 'startedAt' | 'seconds' | 'outcome'>
export type RunResult = RunSummary & Pick<RunRecord, 'output'> & { error?: string | undefined; forgotten?: number | undefined }

/** A run in a list. */
export function summaryOf({ run, example, parameters, clock, startedAt, seconds, outcome }: RunSummary): RunSummary {
  return { run, example, parameters, clock, startedAt, seconds, outcome }
}

/** The result of a run, without its events. */
export function resultOf(record: RunRecord): RunResult {
  const { output, error, forgotten } = record
  return { ...summaryOf(record), output, ...(error === null ? {} : { error }), ...(forgotten === 0 ? {} : { forgotten }) }
}

/** A run that begins. */
export function begun(run: Pick<RunRecord, 'run' | 'example' | 'parameters' | 'clock' | 'startedAt'>): RunRecord {
  return { ...run, seconds: null, outcome: null, error: null, output: [], events: [], forgotten: 0 }
}

type Takes = (size: number) => boolean

/** Keeps an event of a run if `takes` has room for it; otherwise counts it. */
export function keepEvent(run: RunRecord, event: LoopEvent, takes: Takes): void {
  if (run.events.length < KEPT_EVENTS && takes(sizeOfEvent(event))) run.events.push(event)
  else run.forgotten++
}

/** Keeps a line of a run if `takes` has room for it; otherwise counts it. */
export function keepLine(run: RunRecord, line: Line, takes: Takes): void {
  if (run.output.length < KEPT_LINES && takes(sizeOf(line))) run.output.push(line)
  else run.forgotten++
}

export interface RunLogOptions {
  /** The most bytes of the lines and events of all runs. Beyond it, those of the runs that ended first are removed. Default 64 MB. */
  mostBytes?: number
}

export class RunLog {
  readonly #mostBytes: number
  /** The bytes of each run, and of all. */
  readonly #sizes = new Map<RunRecord, number>()
  #bytes = 0
  readonly #live = new Map<number, RunRecord & { began: number }>()
  readonly #ended = new Map<number, RunRecord>()
  readonly #nameOf: (task: number) => string
  /** Milliseconds since 1970 at which the loop's clock showed zero. */
  readonly #origin: number

  constructor(nameOf: (task: number) => string, origin: number, { mostBytes = MOST_BYTES }: RunLogOptions = {}) {
    this.#mostBytes = mostBytes
    this.#nameOf = nameOf
    this.#origin = origin
  }

  onEvent(event: LoopEvent): void {
    if (event.run === undefined) return
    if (event.type === 'run.started') this.#start(event)
    const run = this.#live.get(event.run)
    if (run === undefined) return
    const takes = this.#makeRoom(run)
    keepEvent(run, event, takes)
    if (event.type === 'task.printed') {
      keepLine(run, { t: stamp(event.t - run.began), task: event.task === undefined ? '' : this.#nameOf(event.task), text: event.text }, takes)
    } else if (event.type === 'run.finished') {
      run.seconds = stamp(event.t - run.began)
      run.outcome = event.outcome ?? 'returned'
      run.error = event.error ?? null
      this.#live.delete(event.run)
      this.#end(run)
    }
  }

  /** Adds a run in virtual time, which ran on another loop. */
  add(run: RunRecord): void {
    const kept: RunRecord = { ...run, output: [], events: [] }
    const takes = this.#makeRoom(kept)
    for (const { t, task, text } of run.output) keepLine(kept, { t, task: cutText(task), text: cutText(text) }, takes)
    for (const event of run.events) keepEvent(kept, event, takes)
    this.#end(kept)
  }

  #end(run: RunRecord): void {
    this.#drop(this.#ended, run.run)
    this.#ended.set(run.run, run)
    if (this.#ended.size > KEPT_RUNS) this.#drop(this.#ended, this.#ended.keys().next().value as number)
  }

  /** Whether a run may keep this many bytes more. What the oldest ended runs keep may be removed for it. */
  readonly #makeRoom = (run: RunRecord): Takes => (size) => {
    const sum = (this.#sizes.get(run) ?? 0) + size
    if (sum > KEPT_BYTES) return false
    for (const old of this.#ended.values()) {
      if (this.#bytes + size <= this.#mostBytes) break
      this.#empty(old)
    }
    if (this.#bytes + size > this.#mostBytes) return false
    this.#bytes += size
    this.#sizes.set(run, sum)
    return true
  }

  /** Removes the lines and events of a run, but keeps its summary. */
  #empty(run: RunRecord): void {
    run.forgotten += run.output.length + run.events.length
    run.output = []
    run.events = []
    this.#release(run)
  }

  #release(run: RunRecord): void {
    this.#bytes -= this.#sizes.get(run) ?? 0
    this.#sizes.delete(run)
  }

  #drop(runs: Map<number, RunRecord>, id: number): void {
    const run = runs.get(id)
    if (run === undefined) return
    this.#release(run)
    runs.delete(id)
  }

  get(run: number): RunRecord | null {
    return this.#live.get(run) ?? this.#ended.get(run) ?? null
  }

  /** What is running, then what ended, newest first. */
  list(): RunRecord[] {
    return [...[...this.#live.values()].reverse(), ...[...this.#ended.values()].reverse()]
  }

  /** Takes over the runs that `list()` gave elsewhere, because some events were missed here. */
  restore(runs: readonly (RunRecord & { began?: number | undefined })[]): void {
    this.forget(new Set(runs.flatMap(({ run, outcome }) => (outcome === null ? [run] : []))))
    for (const { began, ...run } of [...runs].reverse()) {
      if (run.outcome !== null) {
        // A run that was recorded here has more detail.
        if (this.#ended.get(run.run)?.startedAt !== run.startedAt) this.add(run)
      } else if (!this.#live.has(run.run)) {
        this.#live.set(run.run, { ...run, began: began ?? (Date.parse(run.startedAt) - this.#origin) / 1000 })
      }
    }
  }

  /** The loop has closed or was lost: no run outside `alive` is known to run any longer. */
  forget(alive: ReadonlySet<number>): void {
    for (const run of this.#live.keys()) if (!alive.has(run)) this.#drop(this.#live, run)
  }

  #start(event: EventOf<'run.started'>): void {
    const { run, example, parameters, t } = event
    this.#live.set(run, { ...begun({ run, example, parameters, clock: 'real', startedAt: new Date(this.#origin + t * 1000).toISOString() }), began: t })
  }
}
