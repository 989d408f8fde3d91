// What the observer wants of the loops of other processes, whatever brings them: Redis does, where there is one.
import type { LoopInfo, RedisInfo } from '../events/schema.ts'
import type { RunRecord } from '../events/run-log.ts'
import type { Cancelled, Target } from '../http/monitor.ts'
import type { LoopRecord } from './monitored-loop.ts'
import type { Observer } from './observer.ts'

/** `late`: there was no answer in time. */
export type CancelOutcome = Cancelled | 'late'
export type CancelHere = (what: Target, target: number) => Promise<CancelOutcome>

/** How it goes with the loops of other processes, in figures. */
export interface ClusterFigures {
  connected: boolean
  /** How often Redis was away, and for how many seconds in all. */
  away: number
  awaySeconds: number
  published: number
  lost: number
  received: number
  missed: number
  /** How old the oldest event is that waits to be published, in seconds. */
  lag: number
  /** Commands that are not answered yet. */
  inFlight: number
  /** Other processes' loops, by their state. */
  loops: Record<LoopInfo['state'], number>
}

/** The loops of other processes. */
export interface Cluster {
  readonly redis: RedisInfo
  figures(): ClusterFigures
  records(): Iterable<LoopRecord>
  find(loop: string): LoopRecord | undefined
  infos(): LoopInfo[]
  /** Call `listener` with each loop that appears. */
  onLoop(listener: (record: LoopRecord) => void): () => void
  cancel(loop: string, what: Target, target: number): Promise<CancelOutcome>
  /** Tell the others of a run that the own loop's events do not tell of. */
  tellRun(run: RunRecord): void
  /** Say that this process has closed, and leave. */
  close(): Promise<void>
}

/** The loops that an observer shows. */
export interface ShownLoops {
  readonly own: Observer
  readonly cluster: Cluster | null
  /** How many are subscribed. */
  readonly size: number
  all(): LoopRecord[]
}
