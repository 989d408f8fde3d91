// captureCallGraph() and printCallGraph(), as in asyncio 3.14: where a task is, and who awaits it.
import type { Frame } from './origins.ts'
import { Future } from './future.ts'
import { place } from './origins.ts'
import { currentTask, running } from './running.ts'
import { Task } from './task.ts'

export interface FutureCallGraph {
  future: Future<unknown>
  /** Where the task is suspended, innermost frame first; in debug mode the whole `yield*` chain. */
  callStack: readonly Frame[]
  /** The tasks that wait for it, with their own graphs. */
  awaitedBy: readonly FutureCallGraph[]
}

/** Whether `task` waits for `future`, directly or through a gather, a wait or a group. */
function awaits(task: Task<unknown>, future: Future<unknown>): boolean {
  const { waiter } = task
  if (waiter === null) return false
  return (waiter as unknown) === future || (future instanceof Task && (waiter.describeWait().tasks ?? []).includes(future))
}

function build(future: Future<unknown>, above: ReadonlySet<Future<unknown>>): FutureCallGraph {
  const seen = new Set(above).add(future)
  const awaiters = [...future.getLoop().liveTasks()].filter((task) => awaits(task, future) && !seen.has(task))
  return {
    future,
    callStack: future instanceof Task ? future.getStack().reverse() : [],
    awaitedBy: awaiters.map((task) => build(task, seen)),
  }
}

/** The call graph of `future`, by default of the current task; `null` outside of a task. */
export function captureCallGraph(future: Future<unknown> | null = currentTask()): FutureCallGraph | null {
  return future === null ? null : build(future, new Set())
}

function* lines(graph: FutureCallGraph, indent: string): Generator<string> {
  const { future } = graph
  yield `${indent}* ${future instanceof Task ? `Task(name=${JSON.stringify(future.getName())})` : String(future)}`
  if (graph.callStack.length > 0) yield `${indent}  + Call stack:`
  for (const frame of graph.callStack) yield `${indent}  |   ${frame.function}, at ${place(frame)}`
  if (graph.awaitedBy.length > 0) yield `${indent}  + Awaited by:`
  for (const awaiter of graph.awaitedBy) yield* lines(awaiter, `${indent}     `)
}

/** Write the call graph of `future`, by default of the current task, to the error log or to `write`. */
export function printCallGraph(future: Future<unknown> | null = currentTask(), write?: (text: string) => void): void {
  const graph = captureCallGraph(future)
  if (graph === null) return
  const text = [...lines(graph, '')].join('\n')
  if (write !== undefined) write(text)
  else (running.loop ?? graph.future.getLoop()).host.report(text)
}
