// What ran, as the stream tells it: the runs under way and the last that ended, with their output and their events.
import type { EventOf, LoopEvent, Parameters } from './schema.ts'
import { stamp } from './builder.ts'
import { cutText, sizeOf, sizeOfEvent } from './texts.ts'

const KEPT_RUNS = 50
const KEPT_EVENTS = 5000
const KEPT_LINES = 5000
/** How many bytes the lines and the events of one run may take, and those of all runs together. */
export const KEPT_BYTES = 2 * 1024 ** 2
const MOST_BYTES = 64 * 1024 ** 2

export interface Line {
  /** Seconds since the run began, on its clock. */
  t: number
  task: string
  text: string
}

/** A run as it is told of. */
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
  /** Lines and events that were too many to keep. */
  forgotten: number
}

export type RunSummary = Pick<RunRecord, 'run' | 'example' | 'parameters' | 'clock' | 'startedAt' | 'seconds' | 'outcome'>
export type RunResult = RunSummary & Pick<RunRecord, 'output'> & { error?: string | undefined; forgotten?: number | undefined }

/** What a list tells of a run. */
export function summaryOf({ run, example, parameters, clock, startedAt, seconds, outcome }: RunSummary): RunSummary {
  return { run, example, parameters, clock, startedAt, seconds, outcome }
}

/** What came of a run, without its events. */
export function resultOf(record: RunRecord): RunResult {
  const { output, error, forgotten } = record
  return { ...summaryOf(record), output, ...(error === null ? {} : { error }), ...(forgotten === 0 ? {} : { forgotten }) }
}

/** A run that begins. */
export function begun(run: Pick<RunRecord, 'run' | 'example' | 'parameters' | 'clock' | 'startedAt'>): RunRecord {
  return { ...run, seconds: null, outcome: null, error: null, output: [], events: [], forgotten: 0 }
}

type Takes = (size: number) => boolean

/** Keep an event of a run where `takes` has room for so many bytes; else it is counted. */
export function keepEvent(run: RunRecord, event: LoopEvent, takes: Takes): void {
  if (run.events.length < KEPT_EVENTS && takes(sizeOfEvent(event))) run.events.push(event)
  else run.forgotten++
}

/** Keep a line of a run likewise. */
export function keepLine(run: RunRecord, line: Line, takes: Takes): void {
  if (run.output.length < KEPT_LINES && takes(sizeOf(line))) run.output.push(line)
  else run.forgotten++
}

export interface RunLogOptions {
  /** How many bytes the lines and the events of all runs may take; those of the runs that ended first go. Default 64 MB. */
  mostBytes?: number
}

export class RunLog {
  readonly #mostBytes: number
  /** What the lines and the events of each run take, and of all. */
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

  hear(event: LoopEvent): void {
    if (event.run === undefined) return
    if (event.type === 'run.started') this.#start(event)
    const run = this.#live.get(event.run)
    if (run === undefined) return
    const takes = this.#takes(run)
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

  /** A run that another loop has made, in virtual time. */
  add(run: RunRecord): void {
    const kept: RunRecord = { ...run, output: [], events: [] }
    const takes = this.#takes(kept)
    for (const { t, task, text } of run.output) keepLine(kept, { t, task: cutText(task), text: cutText(text) }, takes)
    for (const event of run.events) keepEvent(kept, event, takes)
    this.#end(kept)
  }

  #end(run: RunRecord): void {
    this.#drop(this.#ended, run.run)
    this.#ended.set(run.run, run)
    if (this.#ended.size > KEPT_RUNS) this.#drop(this.#ended, this.#ended.keys().next().value as number)
  }

  /** Whether there is room for so many bytes beside what is kept of the run; that of the runs that ended first may go for it. */
  readonly #takes = (run: RunRecord): Takes => (size) => {
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

  /** Forget what a run did, but not that it was. */
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

  /** What is running, then what ran last, newest first. */
  list(): RunRecord[] {
    return [...[...this.#live.values()].reverse(), ...[...this.#ended.values()].reverse()]
  }

  /** Take over what is known elsewhere, as `list()` gave it there: some of what happened here was missed. */
  restore(runs: readonly (RunRecord & { began?: number | undefined })[]): void {
    this.forget(new Set(runs.flatMap(({ run, outcome }) => (outcome === null ? [run] : []))))
    for (const { began, ...run } of [...runs].reverse()) {
      if (run.outcome !== null) {
        // What was seen of it here says more than what is told of it.
        if (this.#ended.get(run.run)?.startedAt !== run.startedAt) this.add(run)
      } else if (!this.#live.has(run.run)) {
        this.#live.set(run.run, { ...run, began: began ?? (Date.parse(run.startedAt) - this.#origin) / 1000 })
      }
    }
  }

  /** The loop has closed, or was lost from sight: nothing is known to run any more. */
  forget(alive: ReadonlySet<number>): void {
    for (const run of this.#live.keys()) if (!alive.has(run)) this.#drop(this.#live, run)
  }

  #start(event: EventOf<'run.started'>): void {
    const { run, example, parameters, t } = event
    this.#live.set(run, { ...begun({ run, example, parameters, clock: 'real', startedAt: new Date(this.#origin + t * 1000).toISOString() }), began: t })
  }
}
