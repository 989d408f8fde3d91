// What is told of one loop, or of all of them where there are more: their tasks, runs and stalls. What a process alone
// tells is the same with and without the others, and theirs is beside it.
import type { z } from 'zod'
import type { LiveTask, LoopState } from '../events/schema.ts'
import { summaryOf, type coveredRun } from '../http/run-schemas.ts'
import { taskTree } from '../events/render/ascii-tree.ts'
import type { KeptStall, LoopRecord } from './monitored-loop.ts'
import type { Loops } from './loop-registry.ts'

/** The live tasks of one loop, at `t` on its clock. */
export interface LoopTasks {
  loop: string
  state: LoopState
  t: number
  tasks: LiveTask[]
}

/** The own loop's or one other's; and, where nobody has asked for one and there are others, everybody's. */
export interface CoveredTasks {
  loop?: string
  state?: LoopState
  t: number
  tasks: LiveTask[]
  loops?: LoopTasks[]
}

export type CoveredRun = z.output<typeof coveredRun>

function tasksIn(record: LoopRecord): LoopTasks {
  const { tasks } = record.snapshot()
  return { loop: record.loop, state: record.state, t: record.now(), tasks }
}

export function tasksOf(loops: Loops, loop: string | undefined): CoveredTasks {
  const asked = tasksIn(loops.find(loop))
  if (loop !== undefined) return asked
  const { t, tasks } = asked
  return loops.cluster === null ? { t, tasks } : { t, tasks, loops: loops.all().map(tasksIn) }
}

/** The tasks as trees, each loop's under its name where there is more than one; `self` is the loop that answers. */
export function taskTrees({ loop, state, t, tasks, loops }: CoveredTasks, self: string): string {
  if (loop !== undefined && state !== undefined) return loop === self ? taskTree(tasks, t) : headed({ loop, state, t, tasks }, self)
  return loops === undefined || loops.length < 2 ? taskTree(tasks, t) : loops.map((one) => headed(one, self)).join('\n')
}

function headed({ loop, state, t, tasks }: LoopTasks, self: string): string {
  return `${loop}${loop === self ? ', this one' : state === 'live' ? '' : `, ${state}, as it was last seen`}\n${taskTree(tasks, t)}`
}

/** Which loops are meant by a name, or by none. */
function meant(loops: Loops, loop: string | undefined): LoopRecord[] {
  return loop === undefined ? loops.all() : [loops.find(loop)]
}

/** Runs, newest first. With a Redis, each says of which loop it is. */
export function runsOf(loops: Loops, loop: string | undefined): CoveredRun[] {
  if (loops.cluster === null) return loops.find(loop).runs.list().map(summaryOf)
  return newestFirst(meant(loops, loop).flatMap((record) => record.runs.list().map((run) => ({ loop: record.loop, ...summaryOf(run) }))))
}

/** What runs, then what ran last. */
export function newestFirst(runs: CoveredRun[]): CoveredRun[] {
  return runs.sort((a, b) => Number(a.seconds !== null) - Number(b.seconds !== null) || endOf(b) - endOf(a))
}

/** When it ended, in ms since 1970; one that has not, when it began. */
function endOf({ startedAt, seconds }: { startedAt: string; seconds: number | null }): number {
  return Date.parse(startedAt) + (seconds ?? 0) * 1000
}

/** Stalls, newest first. With a Redis, each says of which loop it is. */
export function stallsOf(loops: Loops, loop: string | undefined) {
  if (loops.cluster === null) return [...loops.find(loop).stalls].reverse().map((stall) => stallOf(stall))
  return meant(loops, loop).flatMap((record) => [...record.stalls].reverse().map((stall) => ({ loop: record.loop, ...stallOf(stall, record.loop) })))
    .sort((a, b) => Date.parse(b.at) - Date.parse(a.at))
}

function stallOf({ events, from, to: _, ...stall }: KeptStall, loop?: string) {
  return { ...stall, since: from, trace: events === null ? null : `/stalls/${stall.id}/trace${loop === undefined ? '' : `?loop=${loop}`}` }
}
