// Labs that were started over HTTP: one at a time, each in its own process, recorded as events on the loop's time axis, and
// kept for a while.
import type { EventLoop } from '../runtime/loop.ts'
import type { LabMessage, LabProcess } from '../load/lab-process.ts'
import type { LabOptions, LaneResult } from '../load/lab.ts'
import type { LabResult, EventOf, LoopEvent } from '../events/schema.ts'
import { caveatsOf } from '../load/lab-report.ts'
import { startLab } from '../load/lab-process.ts'
import { Refusal } from '../http/refusals.ts'

const KEPT = 20

type LabEvent = Extract<LoopEvent, { lab: number }>
type Distributive<T> = T extends LabEvent ? Omit<T, 'seq' | 't' | 'loop'> : never
/** An event to record; the recorder adds its number and time. */
export type BareLabEvent = Distributive<LabEvent>

export type LabOutcome = EventOf<'lab.finished'>['outcome']

export class Lab {
  readonly id: number
  readonly options: LabOptions
  readonly startedAt = new Date()
  readonly lanes: LaneResult[] = []
  /** `null` while it runs. */
  outcome: LabOutcome | null = null
  error: string | null = null
  /** @internal */ process: LabProcess | null = null
  /** @internal */ cancelled = false

  /** @internal */
  constructor(id: number, options: LabOptions) {
    this.id = id
    this.options = options
  }

  /** Stops it; false if it has ended. The finished lanes are kept. */
  cancel(): boolean {
    if (this.outcome !== null) return false
    this.cancelled = true
    this.process?.cancel()
    return true
  }
}

export class Labs {
  readonly #loop: EventLoop
  readonly #record: (event: BareLabEvent) => void
  readonly #labs = new Map<number, Lab>()
  #ids = 0

  /** `record` receives events as they occur, on the loop's thread. */
  constructor(loop: EventLoop, record: (event: BareLabEvent) => void) {
    this.#loop = loop
    this.#record = record
  }

  get(id: number): Lab | null {
    return this.#labs.get(id) ?? null
  }

  /** Newest first. */
  list(): Lab[] {
    return [...this.#labs.values()].reverse()
  }

  /** Starts one. Throws a 409 while another runs: they would distort each other's measurements. */
  start(options: LabOptions): Lab {
    const running = this.list().find(({ outcome }) => outcome === null)
    if (running !== undefined) throw new Refusal('lab-is-running', `lab ${running.id} is under way, and two would disturb each other: wait for it, or DELETE /lab/${running.id}`)
    const lab = new Lab(++this.#ids, options)
    this.#labs.set(lab.id, lab)
    if (this.#labs.size > KEPT) this.#labs.delete(this.#labs.keys().next().value as number)
    const { requests, ms, rate, lanes } = options
    this.#record({ type: 'lab.started', lab: lab.id, requests, ms, rate, lanes: [...lanes] })
    lab.process = startLab(options, (message) => this.#onMessage(lab, message))
    void lab.process.ended.then((error) => this.#end(lab, error))
    return lab
  }

  /** Stops the running one, and waits until it has ended. */
  async close(): Promise<void> {
    for (const lab of this.#labs.values()) {
      if (lab.cancel()) await lab.process?.ended
    }
  }

  #onMessage(lab: Lab, message: LabMessage): void {
    if (message.kind === 'entered') this.#record({ type: 'lab.entered', lab: lab.id, lane: message.lane })
    else if (message.kind === 'probed') {
      const samples = message.samples.map(([due, ms]) => ({ t: this.#onLoop(due), seconds: round(ms / 1000) }))
      this.#record({ type: 'lab.probed', lab: lab.id, lane: message.lane, samples })
    } else if (message.kind === 'measured') {
      lab.lanes.push(message.result)
      this.#record({ type: 'lab.measured', lab: lab.id, result: labResultOf(message.result) })
    }
  }

  #end(lab: Lab, error: string | null): void {
    lab.error = error
    lab.outcome = lab.cancelled ? 'cancelled' : error !== null ? 'failed' : 'finished'
    this.#record({ type: 'lab.finished', lab: lab.id, outcome: lab.outcome, ...(error === null ? {} : { error }) })
  }

  /** A time in ms since 1970, on the loop's clock. */
  #onLoop(epoch: number): number {
    return round(this.#loop.time() - (performance.timeOrigin + performance.now() - epoch) / 1000)
  }
}

/** A lane's figures as in events: in seconds. */
export function labResultOf(result: LaneResult): LabResult {
  const { lane, probes, sent, load, stall, lost } = result
  const caveats = caveatsOf(result)
  const seconds = (ms: number): number => round(ms / 1000)
  return {
    lane, sent, lost, took: round(load.seconds), failed: load.requests - load.good,
    ...(probes === null ? {} : { probes: { p50: seconds(probes.p50), p99: seconds(probes.p99), max: seconds(probes.max) } }),
    ...(load.latency === null ? {} : { mean: seconds(load.latency.mean) }),
    ...(load.timing === null ? {} : { timing: { run: seconds(load.timing.run), ready: seconds(load.timing.ready), wait: seconds(load.timing.wait), thread: seconds(load.timing.thread) } }),
    stall: stall.kind, held: stall.loopSeconds, queued: stall.threadSeconds,
    ...(caveats.length === 0 ? {} : { caveats }),
  }
}

function round(seconds: number): number {
  return Math.round(seconds * 1e6) / 1e6
}
