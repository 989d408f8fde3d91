// The schemas of tasks, runs and stalls in answers.
import { z } from 'zod'
import { frame, liveLock, liveTask, loopState, outcome, parameters, stallFigures, stallKind, stallShare, victim } from '../events/schema.ts'

const tasksOfOne = z.object({ t: z.number().describe('seconds on the clock of the loop'), tasks: z.array(liveTask),
  locks: z.array(liveLock).describe('what tasks wait for and other tasks own, such as locks and semaphores'),
})

export const taskList = tasksOfOne.extend({
  loop: z.string().optional(), state: loopState.optional(),
  loops: z.array(tasksOfOne.extend({ loop: z.string(), state: loopState })).optional().describe('where several loops are watched: each, this one first'),
})

export const runSummary = z.object({
  run: z.int(), example: z.int(), parameters, clock: z.enum(['real', 'virtual']), startedAt: z.iso.datetime(),
  seconds: z.number().nullable(), outcome: outcome.nullable().describe('null while it runs'),
})

/** A run in a list of several loops, with the name of its loop. */
export const coveredRun = runSummary.extend({ loop: z.string().optional().describe('where there are several loops, the one that it is on') })

export const runResult = runSummary.extend({
  output: z.array(z.object({ t: z.number().describe('seconds since the run began'), task: z.string(), text: z.string() })),
  error: z.string().optional(),
  forgotten: z.int().optional().describe('lines and events that were too many to keep'),
})

/** A stall that is over, or the one that lasts now, as far as it is known. */
export const stall = z.object({
  loop: z.string().optional().describe('where there are several loops, the one that it was on'), id: z.int(), at: z.iso.datetime(),
  since: z.number().describe('seconds on the clock of the loop'), seconds: z.number(), name: z.string().describe('what blocked the loop'),
  task: z.int().optional(), request: z.int().optional(), stack: z.array(frame).optional(), victims: z.array(victim), lost: z.number(),
  kind: stallKind.optional().describe('what kind of freeze it was'),
  figures: stallFigures.optional().describe('by what the kind was judged: seconds of the stall in which the thread did what'),
  shares: z.array(stallShare).optional().describe('the lines that were the innermost of the stack for longest'),
  trace: z.string().nullable().describe('where the trace of what happened around it is'),
  profile: z.string().nullable().describe('where its profile is'),
  ended: z.boolean().describe('false: it lasts, and seconds are those until now; what it delays is known when it is over'),
})
