// What is told of a run when it is asked for.
import { z } from 'zod'
import type { RunRecord } from '../observe/run-log.ts'
import type { LoopEvent } from '../events/schema.ts'
import { outcome, parameters } from '../events/schema.ts'
import { traceTexts } from '../events/render/trace.ts'

export const runSummary = z.object({
  run: z.int(), example: z.int(), parameters, clock: z.enum(['real', 'virtual']), startedAt: z.iso.datetime(),
  seconds: z.number().nullable(), outcome: outcome.nullable().describe('null while it runs'),
})

/** A run in a list that covers several loops: of which loop it is. */
export const coveredRun = runSummary.extend({ loop: z.string().optional().describe('where there are several loops, the one that it is on') })

export const runResult = runSummary.extend({
  output: z.array(z.object({ t: z.number().describe('seconds since the run began'), task: z.string(), text: z.string() })),
  error: z.string().optional(),
  forgotten: z.int().optional().describe('lines and events that were too many to keep'),
})

export function summaryOf({ run, example, parameters, clock, startedAt, seconds, outcome }: RunRecord): z.output<typeof runSummary> {
  return { run, example, parameters, clock, startedAt, seconds, outcome }
}

export function resultOf(record: RunRecord): z.output<typeof runResult> {
  const { output, error, forgotten } = record
  return { ...summaryOf(record), output, ...(error === null ? {} : { error }), ...(forgotten === 0 ? {} : { forgotten }) }
}

/** Headers of a response that is a trace. */
export function traceHeaders(name: string): Record<string, string> {
  return { 'content-type': 'application/json; charset=utf-8', 'content-disposition': `attachment; filename="${name}.trace.json"` }
}

/** The trace of a run as it is now, in parts. */
export function traceOf({ run, example, events }: RunRecord): Iterable<string> {
  return traceTexts([...events], `example ${example}, run ${run}`)
}

/** The events of a run as they are now, one JSON object a line. */
export function linesOf({ events }: RunRecord): Iterable<string> {
  return lines([...events])
}

function* lines(events: readonly LoopEvent[]): Generator<string> {
  for (const event of events) yield `${JSON.stringify(event)}\n`
}
