// The plan of a load test, from a command line. Times are in seconds here.

/** When the requests of a stream are sent: on a schedule, all at once, or each after another has been answered. */
export type Arrivals = 'constant' | 'poisson' | 'burst' | 'closed'

export interface StreamPlan {
  name: string
  /** An absolute http or https address. */
  url: string
  /** Paths to use in turn instead of the one of `url`. */
  paths?: readonly string[]
  method: string
  headers: Readonly<Record<string, string>>
  body: string | null
  arrivals: Arrivals
  /** Requests a second; not used for `burst` and `closed`. */
  rate: number
  /** Stops after this many; `null`: when the time is over. */
  requests: number | null
  /** Starts this many seconds after the measurement. */
  after: number
  /** The most connections at once; for `closed`, requests in flight. */
  connections: number
  /** Seconds after its scheduled time at which a request is given up. */
  timeout: number
  /** Sends `X-Request-Start` with the due time from the first request on; otherwise once the server is known to read it. */
  stamped: boolean
}

export interface Plan {
  streams: readonly StreamPlan[]
  /** Seconds that are measured. */
  duration: number
  /** Seconds before that, in which requests are sent and not counted. */
  warmup: number
  /** The seed for Poisson arrivals. */
  seed: number
}

/** The defaults of a stream. */
export const STREAM: Omit<StreamPlan, 'name' | 'url'> = {
  method: 'GET', headers: {}, body: null, arrivals: 'constant', rate: 50, requests: null, after: 0, connections: 100,
  timeout: 30, stamped: false,
}

/** The target cannot be measured: it does not answer, or is not what the command needs. */
export class TargetError extends Error {
  override name = 'TargetError'
}
