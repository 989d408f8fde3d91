// What is known of loops, whichever thread knows it: the observer's registry answers from what it keeps, and the app's client
// asks that registry over messages. The routes that both ports have are written against this alone.
import type { z } from 'zod'
import type { Sink, SubscribeOptions } from '../events/fanout.ts'
import type { Filter } from '../events/filter.ts'
import type { Cursor } from '../events/history.ts'
import type { RunResult, RunSummary } from '../events/run-log.ts'
import type { LoopList, LoopState } from '../events/schema.ts'
import type { stall, taskList } from './schemas.ts'

/** What a subscriber wants: of the own loop, of the one that he names, or of all, which is `*`. */
export interface StreamOptions extends Omit<SubscribeOptions, 'since'> {
  /** Where to go on: a cursor of each loop. */
  since?: readonly Cursor[] | undefined
}

/** A subscriber's place in the stream. */
export interface Place {
  /** The sink has room again. */
  resume(): void
  /** Go on from here with another filter. */
  change(filter: Filter): void
  close(): void
}

/** The own loop's or one other's; and, where nobody has asked for one and there are others, everybody's. */
export type TaskList = z.output<typeof taskList>

/** Where there are several loops, each says on which one it is. */
export type CoveredRun = RunSummary & { loop?: string | undefined }
export type CoveredStall = z.output<typeof stall>

/** What came of a wish to cancel; `null`: there is no such task or run. */
export type Cancelled = { name: string; cancelling: boolean; run?: RunSummary } | null

export type Target = 'task' | 'run'

/** What is told as text, and of what: the last so many seconds, or a run or a stall by its number. */
export type Text = 'trace' | 'run-trace' | 'run-events' | 'run-drawing' | 'stall-trace'

/** A text in parts, each made when it is read. Who stops reading before the end closes it. */
export type Texts = (Iterable<string> | AsyncIterable<string>) & { close?: () => void }

export interface Figures {
  /** As Prometheus reads them. */
  text: string
  /** By their names, OpenTelemetry's where there is one. */
  values: Record<string, number>
}

type Later<T> = T | Promise<T>

/** `loop` names one; without it the own one is meant, or all, where what is asked for is a list. Each throws what the client is to be told. */
export interface Monitor {
  /** The own loop's name. */
  readonly name: string
  /** How many are subscribed, and how many may be. */
  readonly size: number
  readonly most: number
  loops(): Later<LoopList>
  /** How the loop stands, which `*` always does. */
  loop(loop?: string): Later<LoopState>
  tasks(loop?: string): Later<TaskList>
  runs(loop?: string): Later<CoveredRun[]>
  run(id: number, loop?: string): Later<RunResult>
  stalls(loop?: string): Later<CoveredStall[]>
  text(what: Text, of: number, loop?: string): Later<Texts>
  metrics(): Later<Figures>
  cancel(what: Target, id: number, loop?: string): Later<Cancelled>
  /** Send events to `sink`. Whether there is such a loop, `loop()` tells. */
  subscribe(sink: Sink, options?: StreamOptions): Place
}
