// What a load test is told to do, once every word of the command line has been understood. Times are seconds here.

/** How the requests of a stream leave: on a schedule, all at once, or each when another has been answered. */
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
  /** Requests a second; of no meaning for `burst` and `closed`. */
  rate: number
  /** Stop after so many; `null`: when the time is up. */
  requests: number | null
  /** Begin so many seconds after measuring did. */
  after: number
  /** The most connections at once; for `closed`, requests in flight. */
  connections: number
  /** Seconds after its scheduled moment at which a request is given up. */
  timeout: number
  /** Say in `X-Request-Start` when a request should have left from the first one on; else once the server is known to read it. */
  stamped: boolean
}

export interface Plan {
  streams: readonly StreamPlan[]
  /** Seconds that are measured. */
  duration: number
  /** Seconds before that, in which requests leave and are not counted. */
  warmup: number
  /** What Poisson arrivals are drawn from. */
  seed: number
}

/** A stream as it is where nothing else is said. */
export const STREAM: Omit<StreamPlan, 'name' | 'url'> = {
  method: 'GET', headers: {}, body: null, arrivals: 'constant', rate: 50, requests: null, after: 0, connections: 100,
  timeout: 30, stamped: false,
}

/** The command cannot be carried out as it was given. */
export class UsageError extends Error {
  override name = 'UsageError'
}

/** The target cannot be measured: it is not there, or it is not what the command needs. */
export class TargetError extends Error {
  override name = 'TargetError'
}
