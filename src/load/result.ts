// The results of a load test, as `--json` prints them. Times are in ms unless their name says seconds.
import type { Arrivals } from './plan.ts'
import type { Slice } from './time-series.ts'
import type { Stall } from './stalls.ts'
import type { Stream } from './stream.ts'
import type { Summary } from './latencies.ts'
import type { TimingTotals } from './timing.ts'

/** `gone`: the target stopped answering for good; `interrupted`: Ctrl-C. */
export type Ending = 'finished' | 'gone' | 'interrupted'

export interface StreamResult {
  name: string
  method: string
  url: string
  arrivals: Arrivals
  /** The requested requests a second; `null` if there is no rate. */
  rate: number | null
  connections: number
  /** From the first scheduled time to the last answer, or to the end of the schedule. */
  seconds: number
  sent: number
  /** Answers with a status below 400. */
  good: number
  /** Good answers a second. */
  throughput: number
  /** Of good answers, from the scheduled time on; requests that were given up count with the time until then. */
  latency: Summary | null
  errors: Record<string, number>
  statuses: Record<string, number>
  /** Requests still under way when the results were made, and how long the oldest of them had waited. */
  unanswered: number
  oldest: number
  schedule: Schedule
  /** Requests for which no connection was free. */
  crowded: number
  /** Where the time went according to the server, if it is a loopscope server. */
  serverTiming: TimingTotals | null
  slices: Slice[]
}

/** How well the tester kept its own schedule. */
export interface Schedule {
  kept: boolean
  /** Requests that were sent more than 5 ms late. */
  late: number
  /** Requests that were never sent. */
  unsent: number
  p99: number
  max: number
  /** Requests a second that got a connection while the schedule ran. */
  held: number
}

export interface LoadResult {
  ended: Ending
  /** Why it did not end as planned, as text. */
  reason: string | null
  startedAt: string
  /** When the measurement began, in ms since 1970 with fractions. This is time 0 of slices and stalls. */
  epoch: number
  seconds: number
  warmup: number
  streams: StreamResult[]
  /** From 0 to 1: the share of its time in which the tester had something to do. At 1 the tester itself is the limit. */
  busy: number
  stalls: Stall[]
  /** Where stalls were read: the observer's stream, the answers' Server-Timing, or nowhere. */
  stallsFrom: 'observer' | 'answers' | null
}

/** A tester that is busier than this is at its limit. */
export const BUSY = 0.9
/** At least this share of the rate must be sent. */
const ENOUGH = 0.95

/** If requests are sent later than this, in ms, the latencies are not only the server's. */
const LATE_P99_MS = 5

/** A stream's result at `now`; `to` is when it stopped sending, both in ms of `performance.now()`. */
export function streamResult(stream: Stream, measureFrom: number, to: number, now: number, busy: number): StreamResult {
  const { plan, stats, inFlight } = stream
  const from = Math.min(stats.firstDueAt, Math.max(measureFrom, to))
  const lateness = stats.lateness.summary()
  // A stream with a number of requests is finished when it has sent the last one.
  const sendingMs = Math.max(1, (plan.requests === null ? Math.max(to, stats.lastLeftAt) : stats.lastLeftAt) - from)
  const ms = Math.max(1, (plan.requests === null ? Math.max(to, stats.lastEndAt) : stats.lastEndAt) - from)
  const scheduled = plan.arrivals === 'constant' || plan.arrivals === 'poisson'
  const held = ((plan.requests === null ? stream.wentOutInTime : stats.wentOut) * 1000) / sendingMs
  const slow = scheduled && plan.requests === null && held < plan.rate * ENOUGH && held < (stats.sent * 1000 * ENOUGH) / sendingMs && busy > BUSY
  return {
    name: plan.name, method: plan.method, url: plan.url, arrivals: plan.arrivals, connections: plan.connections,
    rate: scheduled ? plan.rate : null,
    seconds: stats.sent === 0 ? 0 : round(ms / 1000), sent: stats.sent, good: stats.good, throughput: round((stats.good * 1000) / ms),
    latency: stats.latencies.summary(), errors: Object.fromEntries(stats.errors), statuses: Object.fromEntries(stats.statuses),
    unanswered: inFlight, oldest: round(stream.oldest(now)),
    schedule: {
      kept: stats.unsent === 0 && !slow && (lateness === null || lateness.p99 <= LATE_P99_MS), late: stats.late, unsent: stats.unsent,
      p99: lateness?.p99 ?? 0, max: lateness?.max ?? 0, held: round(held),
    },
    crowded: stats.crowded, serverTiming: stats.timings.totals(), slices: stats.slices.list(),
  }
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000
}
