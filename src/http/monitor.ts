// What is known of loops, independent of the thread: the observer's registry answers from its records, and the app's client
// asks that registry over messages. The routes of both ports use only this interface.
import type { z } from 'zod'
import type { Sink, SubscribeOptions } from '../events/fanout.ts'
import type { Filter } from '../events/filter.ts'
import type { Cursor } from '../events/history.ts'
import type { RunResult, RunSummary } from '../events/run-log.ts'
import type { LoopList, LoopState } from '../events/schema.ts'
import type { stall, taskList } from './schemas.ts'

/** A subscription: to this process' loop, to the one that it names, or to all, which is `*`. */
export interface StreamOptions extends Omit<SubscribeOptions, 'since'> {
  /** Where to resume: a cursor for each loop; or at the first event that is kept. */
  since?: readonly Cursor[] | 'first' | undefined
}

/** A subscriber's position in the stream. */
export interface StreamSubscription {
  /** The sink has room again. */
  resume(): void
  /** Continues from here with another filter. */
  change(filter: Filter): void
  close(): void
}

/** Those of one loop; if no loop was named and there are several, those of all. */
export type TaskList = z.output<typeof taskList>

/** If there are several loops, each run has the name of its loop. */
export type CoveredRun = RunSummary & { loop?: string | undefined }
export type CoveredStall = z.output<typeof stall>

/** The result of a cancellation; `null` if there is no such task or run. */
export type Cancelled = { name: string; cancelling: boolean; run?: RunSummary } | null

export type Target = 'task' | 'run'

/** What a text contains: a trace of the last seconds, or something about the run or stall with this number. */
export type Text = 'trace' | 'run-trace' | 'run-events' | 'run-drawing' | 'stall-trace' | 'stall-speedscope' | 'stall-cpuprofile'

/** A text in parts, each made when it is read. A reader that stops early closes it. */
export type Texts = (Iterable<string> | AsyncIterable<string>) & { close?: () => void }

export interface Figures {
  /** In Prometheus' format. */
  text: string
  /** By name, OpenTelemetry's if there is one. */
  values: Record<string, number>
}

type Later<T> = T | Promise<T>

/** `loop` names a loop. Without it, lists are of all loops, and anything else is of this process' loop. Errors are meant for the client. */
export interface Monitor {
  /** The name of this process' loop. */
  readonly name: string
  /** The number of subscribers, and the limit. */
  readonly size: number
  readonly most: number
  loops(): Later<LoopList>
  /** The state of the loop; `*` is always live. */
  loop(loop?: string): Later<LoopState>
  /** With `lines`, with the line where each task of this process waits. */
  tasks(loop?: string, lines?: boolean): Later<TaskList>
  runs(loop?: string): Later<CoveredRun[]>
  run(id: number, loop?: string): Later<RunResult>
  stalls(loop?: string): Later<CoveredStall[]>
  text(what: Text, of: number, loop?: string): Later<Texts>
  metrics(): Later<Figures>
  cancel(what: Target, id: number, loop?: string): Later<Cancelled>
  /** Sends events to `sink`. Check first with `loop()` that the loop exists. */
  subscribe(sink: Sink, options?: StreamOptions): StreamSubscription
}
