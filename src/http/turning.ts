// How a loop turns, as health routes report it, and the limits of being late.
import type { LoopInfo } from '../events/schema.ts'

/** The bounds of a limit, in ms. */
export const LEAST_LIMIT_MS = 50
export const MOST_LIMIT_MS = 3_600_000
/** Without another limit: a loop that is late for longer is wedged, or not ready. */
export const WEDGED_MS = 30_000
export const READY_MS = 1000

export interface Turning {
  state: 'turning' | 'late'
  /** 0 while it turns. */
  lateMs: number
  /** When it last turned, if it is late. */
  since: string | null
  /** What blocks it now, as in `GET /loops`. */
  blocked: LoopInfo['blocked']
}

/** What a loop reports that answers for itself. */
export const TURNS: Turning = { state: 'turning', lateMs: 0, since: null, blocked: null }
