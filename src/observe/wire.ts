// What processes write for each other, in Redis and to the leader of a group, as JSON. Everything that is read is checked,
// because another program, or another version of this one, may have written it.
import { z } from 'zod'
import type { LoopEvent } from '../events/schema.ts'
import type { RunRecord } from '../events/run-log.ts'
import type { MonitoredLoop } from './monitored-loop.ts'
import { frame, loopEvent, loopInfo, parameters, snapshot, stallFigures, stallKind, stallShare } from '../events/schema.ts'

/** The longest snapshot, in bytes. */
export const LONGEST_SNAPSHOT = 16 * 2 ** 20
/** The longest name of a loop, in characters. */
export const LONGEST_NAME = 64
/** Lines of each run in a snapshot. */
const LINES_A_RUN = 20

/** More seconds than any clock shows, and small enough to calculate with. */
const MOST_SECONDS = 1e11
const seconds = z.number().min(-MOST_SECONDS).max(MOST_SECONDS)
const count = z.int().min(0)
const epoch = z.string().regex(/^[0-9a-f]{1,32}$/)
const holding = z.object({ name: z.string(), since: seconds, task: count.optional(), request: count.optional(), stack: z.array(frame).optional(), kind: stallKind.optional(), figures: stallFigures.optional() }).nullable()

/** A loop's heartbeat. */
export const beat = z.object({
  /** The number of this beat: if it does not change, the process has died. */
  beats: count,
  epoch,
  /** What it has published, and the time on its clock. */
  seq: count,
  t: seconds,
  info: loopInfo,
  holding,
})

export const run = z.object({
  run: count, example: count, parameters, clock: z.enum(['real', 'virtual']), startedAt: z.iso.datetime(), seconds: seconds.nullable(),
  outcome: z.enum(['returned', 'raised', 'cancelled']).nullable(), error: z.string().nullable(),
  output: z.array(z.object({ t: seconds, task: z.string(), text: z.string() })),
  events: z.array(loopEvent),
  forgotten: count,
  /** When it began, on the loop's clock. */
  began: seconds.optional(),
})

const stall = z.object({
  id: count, at: z.iso.datetime(), from: seconds, to: seconds, name: z.string(), task: count.optional(), request: count.optional(), seconds,
  stack: z.array(frame).optional(), victims: z.array(z.object({ task: count.optional(), request: count.optional(), name: z.string(), seconds })), lost: seconds,
  kind: stallKind.optional(), figures: stallFigures.optional(), shares: z.array(stallShare).optional(),
})

/** All that is needed to follow a loop after event `seq`. */
export const loopSnapshot = z.object({
  epoch,
  /** Which life of the loop's name this is: a later life has a greater number. */
  life: count.default(0),
  /** When the process began, on its own clock. */
  startedAt: z.iso.datetime(),
  seq: count,
  /** Entries after this one contain what came after `seq`, and perhaps some of what came before. */
  id: z.string().regex(/^\d{1,20}-\d{1,20}$/),
  t: seconds,
  /** Milliseconds since 1970 at which the loop's clock showed zero. */
  origin: z.number().min(-MOST_SECONDS * 1000).max(MOST_SECONDS * 1000),
  closed: z.boolean(),
  snapshot,
  runs: z.array(run),
  stalls: z.array(stall),
  stallCount: count,
  blockedSeconds: seconds,
  holding,
  info: loopInfo,
})

export const cancelRequest = z.object({ id: count, from: z.string().max(LONGEST_NAME), what: z.enum(['task', 'run']), target: count })
export const granted = z.object({ id: count, found: z.union([z.object({ name: z.string(), cancelling: z.boolean() }), z.literal('late'), z.null()]) })

export type Beat = z.infer<typeof beat>
export type LoopSnapshot = z.infer<typeof loopSnapshot>
export type PublishedRun = z.infer<typeof run>

/** Reads JSON from Redis; `null` if there is nothing, or something else. */
export function read<T extends z.ZodType>(schema: T, text: string | null | undefined): z.output<T> | null {
  if (text == null) return null
  try {
    return schema.parse(JSON.parse(text))
  } catch {
    return null
  }
}

/** Between the events of a batch: no event's JSON contains this. */
const BETWEEN = ',\n'

/** A batch's events as a JSON array, which can be split again without parsing. */
export function joined(events: readonly string[]): string {
  return `[${events.join(BETWEEN)}]`
}

/** The events of a batch, and the JSON of each. Throws if one is invalid, or if they are not numbered in order from `from` on. */
export function apart(batch: string, from: number): [event: LoopEvent, text: string][] {
  return batch.slice(1, -1).split(BETWEEN).map((text, at) => {
    const event = loopEvent.parse(JSON.parse(text))
    if (event.seq !== from + at) throw new RangeError(`event ${event.seq} came as ${from + at}`)
    return [event, text]
  })
}

/** A run without its events, and with only its last lines. */
export function brief(run: RunRecord): RunRecord {
  const output = run.output.slice(-LINES_A_RUN)
  return { ...run, output, events: [], forgotten: run.forgotten + run.output.length - output.length + run.events.length }
}

/** What a process adds to its snapshot. */
export type OfProcess = Pick<LoopSnapshot, 'life' | 'startedAt' | 'id' | 'info'>

/** All that is needed to follow a loop from here. */
export function snapshotOf(record: MonitoredLoop, ofProcess: OfProcess): LoopSnapshot {
  const { history, stalls, stallCount, blockedSeconds, holding, closed, origin, runs } = record
  return {
    ...ofProcess, epoch: history.epoch, seq: history.last, t: record.now(), origin, closed, snapshot: record.snapshot(), runs: runs.list().map(brief),
    stalls: stalls.map(({ events: _, ...stall }) => stall), stallCount, blockedSeconds, holding,
  }
}

/** A snapshot as JSON, with as many live tasks as fit in this many bytes. */
export function snapshotText(snapshot: LoopSnapshot, most = LONGEST_SNAPSHOT): string {
  const text = JSON.stringify(snapshot)
  const bytes = Buffer.byteLength(text)
  if (bytes <= most) return text
  const { tasks } = snapshot.snapshot
  return JSON.stringify({ ...snapshot, runs: [], stalls: [], snapshot: { ...snapshot.snapshot, tasks: tasks.slice(0, tasks.length * most / bytes / 2) } })
}
