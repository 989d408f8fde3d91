// Counts the results of one stream. Requests of the warm-up, which were due before the measurement, do not count.
import type { LoadRequest } from './request.ts'
import { Latencies } from './latencies.ts'
import { TimeSeries } from './time-series.ts'
import { Timings } from './timing.ts'

/** A request that is sent later than this, in ms, counts as late. */
export const LATE_MS = 5

export class RequestStats {
  /** Of good answers (status below 400), and of requests that were given up, with the time until then. */
  readonly latencies = new Latencies()
  /** How late requests were sent: the tester's own fault. */
  readonly lateness = new Latencies()
  readonly timings = new Timings()
  readonly slices: TimeSeries
  readonly errors = new Map<string, number>()
  readonly statuses = new Map<number, number>()
  sent = 0
  /** How many of them have had a connection to be sent on. */
  wentOut = 0
  late = 0
  /** Answers with a status below 400. */
  good = 0
  timeouts = 0
  /** Requests in the schedule that were never sent. */
  unsent = 0
  /** Requests for which no connection was free. */
  crowded = 0
  /** In ms of `performance.now()`. */
  firstDueAt = Infinity
  lastLeftAt = 0
  lastEndAt = 0
  readonly #from: number

  /** Counts what is due from `from` on, in ms of `performance.now()`. */
  constructor(from: number, durationMs: number) {
    this.#from = from
    this.slices = new TimeSeries(durationMs)
  }

  leaves(dueAt: number, now: number, crowded: boolean): void {
    if (dueAt < this.#from) return
    const late = now - dueAt
    this.sent++
    this.lateness.record(late)
    if (late > LATE_MS) this.late++
    if (crowded) this.crowded++
    if (dueAt < this.firstDueAt) this.firstDueAt = dueAt
    this.lastLeftAt = now
    this.slices.sent(dueAt - this.#from)
  }

  goesOut(dueAt: number): void {
    if (dueAt >= this.#from) this.wentOut++
  }

  answer({ dueAt, status, timing }: LoadRequest, now: number): void {
    if (dueAt < this.#from) return
    this.lastEndAt = now
    this.statuses.set(status, (this.statuses.get(status) ?? 0) + 1)
    // Error responses are left out of the percentiles: a fast error is not a fast answer.
    if (status >= 400) {
      this.#error(`HTTP ${status}`, dueAt)
      return
    }
    this.good++
    this.latencies.record(now - dueAt)
    this.slices.answered(dueAt - this.#from)
    this.slices.took(dueAt - this.#from, now - dueAt)
    if (timing !== null) this.timings.add(timing)
  }

  failure({ dueAt }: LoadRequest, now: number, kind: string): void {
    if (dueAt < this.#from) return
    this.lastEndAt = now
    this.#error(kind, dueAt)
  }

  timeout({ dueAt }: LoadRequest, now: number): void {
    if (dueAt < this.#from) return
    this.lastEndAt = now
    this.timeouts++
    this.#error('timeout', dueAt)
    // It took at least that long. Without it the slowest would be missing.
    this.latencies.record(now - dueAt)
    this.slices.took(dueAt - this.#from, now - dueAt)
  }

  neverLeft(dueAt: number): void {
    if (dueAt >= this.#from) this.unsent++
  }

  refused(dueAt: number, kind: string): void {
    if (dueAt >= this.#from) this.#error(kind, dueAt)
  }

  #error(kind: string, dueAt: number): void {
    this.errors.set(kind, (this.errors.get(kind) ?? 0) + 1)
    this.slices.failed(dueAt - this.#from)
  }

  /** Frees its memory, after everything has been read. */
  destroy(): void {
    this.latencies.destroy()
    this.lateness.destroy()
  }
}
