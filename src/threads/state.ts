// The state of the threads at one moment.
import type { ThreadCall } from '../runtime/instruments.ts'

export interface LaneState {
  readonly mode: 'sensitive' | 'pool'
  /** The most threads it may have. */
  readonly size: number
  /** The threads it has; they start when first needed. */
  readonly threads: number
  readonly idle: number
  /** The most calls that may wait for a thread. */
  readonly maxQueue: number
  readonly queued: number
  readonly running: number
  /** Calls whose task was cancelled and that still occupy their thread. */
  readonly orphaned: number
  /** Every call that is not over. */
  readonly calls: readonly ThreadCall[]
}

export interface ThreadsState {
  readonly pool: LaneState
  readonly sensitive: LaneState
  /** One for each open ThreadSensitiveContext that has made a call. */
  readonly contexts: readonly LaneState[]
}
