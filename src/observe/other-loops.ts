// What the observer needs from the loops of other processes: src/redis implements it with Redis, src/group for the processes of
// one program.
import type { LoopInfo, RedisInfo } from '../events/schema.ts'
import type { RunRecord } from '../events/run-log.ts'
import type { Cancelled, Target } from '../http/monitor.ts'
import type { MonitoredLoop } from './monitored-loop.ts'
import type { Observer } from './observer.ts'

/** `late`: there was no answer in time. */
export type CancelOutcome = Cancelled | 'late'
export type CancelHere = (what: Target, target: number) => Promise<CancelOutcome>

/** Figures about the loops of other processes. */
export interface ClusterFigures {
  connected: boolean
  /** How often Redis was away, and for how many seconds in all. */
  away: number
  awaySeconds: number
  published: number
  lost: number
  received: number
  missed: number
  /** The age of the oldest event that waits to be published, in seconds. */
  lag: number
  /** Commands without an answer yet. */
  inFlight: number
  /** Other processes' loops, by their state. */
  loops: Record<LoopInfo['state'], number>
}

/** The loops of other processes. */
export interface Cluster {
  /** `null` without Redis. */
  readonly redis: RedisInfo | null
  /** Whether answers give the names of loops: there are others, or they come and go. */
  readonly several: boolean
  figures(): ClusterFigures | null
  records(): Iterable<MonitoredLoop>
  find(loop: string): MonitoredLoop | undefined
  infos(): LoopInfo[]
  /** Calls `listener` with each loop that appears. */
  onLoop(listener: (record: MonitoredLoop) => void): () => void
  cancel(loop: string, what: Target, target: number): Promise<CancelOutcome>
  /** Sends the others a run that is not in the events of this process' loop. */
  addRun(run: RunRecord): void
  /** Reports that this process has closed, and leaves. */
  close(): Promise<void>
}

/** The loops that an observer shows. */
export interface ShownLoops {
  readonly own: Observer
  readonly cluster: Cluster | null
  /** The number of subscribers. */
  readonly size: number
  all(): MonitoredLoop[]
}
