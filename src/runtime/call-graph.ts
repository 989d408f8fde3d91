// captureCallGraph() and printCallGraph(), as in asyncio 3.14: where a task is suspended and which tasks await it.
import type { Frame } from './origins.ts'
import type { AbstractEventLoop } from './abstract-loop.ts'
import { Future } from './future.ts'
import { place } from './origins.ts'
import { running } from './running.ts'
import { Task } from './task.ts'
import { currentTask } from './tasks.ts'
import type { Waitable } from './waitable.ts'

export interface FutureCallGraph {
  future: Future<unknown>
  /** Where the task is suspended, innermost frame first; in debug mode the whole `yield*` chain. */
  callStack: readonly Frame[]
  /** The tasks that wait for it, with their own graphs. */
  awaitedBy: readonly FutureCallGraph[]
  /** Whether the future is in the graph already (depth first). Its stack and awaiters are only at the first place. */
  repeated: boolean
}

/** The tasks that wait for each future of a loop, directly or through futures made of it, in order of creation. */
function awaitersOf(loop: AbstractEventLoop): Map<Waitable, Set<Task<unknown>>> {
  const awaiters = new Map<Waitable, Set<Task<unknown>>>()
  for (const task of loop.liveTasks()) {
    const left = task.waiter === null ? [] : [task.waiter]
    for (let waitable = left.pop(); waitable !== undefined; waitable = left.pop()) {
      const tasks = awaiters.get(waitable)
      if (tasks?.has(task) === true) continue
      if (tasks === undefined) awaiters.set(waitable, new Set([task]))
      else tasks.add(task)
      if (!(waitable instanceof Task) && waitable.awaits !== undefined) left.push(...waitable.awaits())
    }
  }
  return awaiters
}

/** The call graph of `future`, by default of the current task; `null` outside a task. The stack and awaiters of a task appear once. */
export function captureCallGraph(future: Future<unknown> | null = currentTask()): FutureCallGraph | null {
  if (future === null) return null
  const awaiters = awaitersOf(future.getLoop())
  const seen = new Set<Future<unknown>>()
  const build = (future: Future<unknown>): FutureCallGraph => {
    if (seen.has(future)) return { future, callStack: [], awaitedBy: [], repeated: true }
    seen.add(future)
    return {
      future,
      callStack: future instanceof Task ? future.getStack().reverse() : [],
      awaitedBy: [...awaiters.get(future) ?? []].map(build),
      repeated: false,
    }
  }
  return build(future)
}

function write(graph: FutureCallGraph, indent: string, lines: string[]): void {
  const { future } = graph
  const title = future instanceof Task ? `Task(name=${JSON.stringify(future.getName())})` : String(future)
  lines.push(`${indent}* ${title}${graph.repeated ? ' (see above)' : ''}`)
  if (graph.callStack.length > 0) lines.push(`${indent}  + Call stack:`)
  for (const frame of graph.callStack) lines.push(`${indent}  |   ${frame.function}, at ${place(frame)}`)
  if (graph.awaitedBy.length > 0) lines.push(`${indent}  + Awaited by:`)
  for (const awaiter of graph.awaitedBy) write(awaiter, `${indent}     `, lines)
}

/** Write the call graph of `future`, by default of the current task, to the error log or to `to`. */
export function printCallGraph(future: Future<unknown> | null = currentTask(), to?: (text: string) => void): void {
  const graph = captureCallGraph(future)
  if (graph === null) return
  const lines: string[] = []
  write(graph, '', lines)
  const text = lines.join('\n')
  if (to !== undefined) to(text)
  else (running.loop ?? graph.future.getLoop()).host.report(text)
}
