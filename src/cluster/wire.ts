// What processes write for each other in Redis, as JSON. Whatever is read from there is checked: another program, or
// another version of this one, may have written it.
import { z } from 'zod'
import type { LoopEvent } from '../stream/events.ts'
import { frame, loopInfo, parameters, snapshot } from '../stream/events.ts'

const seconds = z.number()
const count = z.int().min(0)
const holding = z.object({ name: z.string(), since: seconds, stack: z.array(frame).optional() }).nullable()

/** A loop's sign of life. */
export const beat = z.object({
  /** Which of its beats this is: a beat that does not change is that of a process which has died. */
  beats: count,
  epoch: z.string(),
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
  /** Those of the process' own kind are not checked one by one. */
  events: z.array(z.custom<LoopEvent>((event) => typeof event === 'object' && event !== null)),
  forgotten: count,
  /** When it began, on the loop's clock. */
  began: seconds.optional(),
})

const stall = z.object({
  id: count, at: z.iso.datetime(), from: seconds, to: seconds, name: z.string(), task: count.optional(), request: count.optional(), seconds,
  stack: z.array(frame).optional(), victims: z.array(z.object({ task: count.optional(), request: count.optional(), name: z.string(), seconds })), lost: seconds,
})

/** All that is needed of a loop to go on after event `seq`. */
export const picture = z.object({
  epoch: z.string(),
  /** When the process began: which of two lives is the later one. */
  startedAt: z.iso.datetime(),
  seq: count,
  /** Entries after this one hold what came after `seq`, and perhaps some of what came before. */
  id: z.string(),
  t: seconds,
  /** Milliseconds since 1970 at which the loop's clock showed zero. */
  origin: z.number(),
  closed: z.boolean(),
  snapshot,
  runs: z.array(run),
  stalls: z.array(stall),
  stallCount: count,
  blockedSeconds: seconds,
  holding,
  info: loopInfo,
})

export const wish = z.object({ id: count, from: z.string(), what: z.enum(['task', 'run']), target: count })
export const granted = z.object({ id: count, found: z.union([z.object({ name: z.string(), cancelling: z.boolean() }), z.literal('late'), z.null()]) })

export type Beat = z.infer<typeof beat>
export type Picture = z.infer<typeof picture>
export type ToldRun = z.infer<typeof run>

/** Read what somebody has written; `null` where there is nothing, or something else. */
export function read<T extends z.ZodType>(schema: T, text: string | null | undefined): z.output<T> | null {
  if (text == null) return null
  try {
    return schema.parse(JSON.parse(text))
  } catch {
    return null
  }
}

/** Between the events of a batch: what no event's JSON has in it. */
const BETWEEN = ',\n'

/** A batch's events as a JSON array, which can be taken apart again without parsing. */
export function joined(events: readonly string[]): string {
  return `[${events.join(BETWEEN)}]`
}

/** The JSON of each event in a batch. */
export function apart(batch: string): string[] {
  return batch.slice(1, -1).split(BETWEEN)
}
