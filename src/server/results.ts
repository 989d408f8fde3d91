// What is told of a run when it is asked for.
import { z } from 'zod'
import type { Run } from './runs.ts'
import { outcome, parameters } from '../stream/events.ts'

export const runSummary = z.object({
  run: z.int(), example: z.int(), parameters, clock: z.enum(['real', 'virtual']), startedAt: z.iso.datetime(),
  seconds: z.number().nullable(), outcome: outcome.nullable().describe('null while it runs'),
})

export const runResult = runSummary.extend({
  output: z.array(z.object({ t: z.number().describe('seconds since the run began'), task: z.string(), text: z.string() })),
  error: z.string().optional(),
  forgotten: z.int().optional().describe('lines and events that were too many to keep'),
})

export function summaryOf(run: Run): z.output<typeof runSummary> {
  const { id, example, parameters, clock, startedAt, seconds, outcome } = run
  return { run: id, example, parameters, clock, startedAt: startedAt.toISOString(), seconds, outcome }
}

export function resultOf(run: Run): z.output<typeof runResult> {
  return {
    ...summaryOf(run), output: run.output,
    ...(run.error === null ? {} : { error: run.error }), ...(run.forgotten === 0 ? {} : { forgotten: run.forgotten }),
  }
}
