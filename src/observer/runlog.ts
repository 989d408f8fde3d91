// What ran, as the stream tells it: the runs under way and the last that ended, with their output and their events.
import type { EventOf, LoopEvent, Parameters } from '../stream/events.ts'
import { stamp } from '../stream/recorder.ts'

const KEPT_RUNS = 50
const KEPT_EVENTS = 5000
const KEPT_LINES = 5000

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

export interface RunLogOptions {
  /** Events that are kept of all runs that have ended, the last ones'. */
  mostEvents?: number
}

export class RunLog {
  readonly #mostEvents: number
  #keptEvents = 0
  readonly #live = new Map<number, RunRecord & { began: number }>()
  readonly #ended = new Map<number, RunRecord>()
  readonly #nameOf: (task: number) => string
  /** Milliseconds since 1970 at which the loop's clock showed zero. */
  readonly #origin: number

  constructor(nameOf: (task: number) => string, origin: number, { mostEvents = KEPT_RUNS * KEPT_EVENTS }: RunLogOptions = {}) {
    this.#mostEvents = mostEvents
    this.#nameOf = nameOf
    this.#origin = origin
  }

  hear(event: LoopEvent): void {
    if (event.run === undefined) return
    if (event.type === 'run.started') this.#start(event)
    const run = this.#live.get(event.run)
    if (run === undefined) return
    if (run.events.length < KEPT_EVENTS) run.events.push(event)
    else run.forgotten++
    if (event.type === 'task.printed') {
      const line = { t: stamp(event.t - run.began), task: event.task === undefined ? '' : this.#nameOf(event.task), text: event.text }
      if (run.output.length < KEPT_LINES) run.output.push(line)
      else run.forgotten++
    } else if (event.type === 'run.finished') {
      run.seconds = stamp(event.t - run.began)
      run.outcome = event.outcome ?? 'returned'
      run.error = event.error ?? null
      this.#live.delete(event.run)
      this.add(run)
    }
  }

  /** A run that another loop has made, in virtual time. */
  add(run: RunRecord): void {
    this.#drop(run.run)
    this.#ended.set(run.run, run)
    this.#keptEvents += run.events.length
    if (this.#ended.size > KEPT_RUNS) this.#drop(this.#ended.keys().next().value as number)
    for (const old of this.#ended.values()) {
      if (this.#keptEvents <= this.#mostEvents) break
      this.#keptEvents -= old.events.length
      old.forgotten += old.events.length
      old.events = []
    }
  }

  #drop(run: number): void {
    this.#keptEvents -= this.#ended.get(run)?.events.length ?? 0
    this.#ended.delete(run)
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
    for (const run of this.#live.keys()) if (!alive.has(run)) this.#live.delete(run)
  }

  #start(event: EventOf<'run.started'>): void {
    const { run, example, parameters, t } = event
    this.#live.set(run, {
      run, example, parameters, clock: 'real', startedAt: new Date(this.#origin + t * 1000).toISOString(), began: t,
      seconds: null, outcome: null, error: null, output: [], events: [], forgotten: 0,
    })
  }
}
