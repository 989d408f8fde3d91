// What is alive on a loop, as records: where a reader starts, and continues after lost events.
import type { Task } from '../runtime/task.ts'
import { cutTexts } from '../events/texts.ts'
import { labelOf, numberOf, writeName, writeRequest, writeRun, writeScope, writeSuspended, type RunStart } from './encode.ts'
import { HEAD } from './record-schema.ts'
import { NO_TEXT, ScrollWriter, type Texts } from './ring.ts'

export interface LiveRequest {
  method: string
  url: string
  /** The task that serves it, 0 if there is none. */
  task: number
}

export interface Live {
  runs: Iterable<RunStart>
  requests: ReadonlyMap<number, LiveRequest>
  tasks: Iterable<Task<unknown>>
  runOf: (task: Task<unknown>) => number | undefined
  /** Whether the task's step runs. */
  running: (task: Task<unknown>) => boolean
}

/** Writes what is alive at time `t`. `kept` are the texts that the reader knows, and gets from this. */
export function describeLive(kept: Texts, t: number, { runs, requests, tasks, runOf, running }: Live): ArrayBuffer {
  const scroll = new ScrollWriter(kept)
  for (const start of runs) {
    const parameters = JSON.stringify(cutTexts(start.parameters))
    scroll.fits(2 + scroll.roomForJson(parameters))
    writeRun(scroll, start, parameters, t)
  }
  const requestOf = new Map<number, number>()
  for (const [id, { method, url, task }] of requests) {
    scroll.fits(4 + scroll.roomFor(method) + scroll.roomFor(url))
    writeRequest(scroll, id, method, url, t, 0)
    if (task !== 0) requestOf.set(task, id)
  }
  for (const task of tasks) {
    const run = runOf(task)
    const request = requestOf.get(task.id)
    if (run !== undefined || request !== undefined) {
      scroll.fits(1)
      writeScope(scroll, run, request)
    }
    writeTask(scroll, task, t, running(task))
  }
  return scroll.content
}

function writeTask(scroll: ScrollWriter, task: Task<unknown>, t: number, running: boolean): void {
  const coroutine = task.coroutineName()
  const name = task.ownName
  const on = task.waiter?.describeWait() ?? null
  const label = on === null ? '' : labelOf(on)
  scroll.fits(5 + scroll.roomFor(coroutine) + (typeof name === 'string' ? scroll.roomFor(name) : 0) + scroll.roomFor(label))
  const state = running ? 'running' : on === null || on.kind === 'yield' ? 'ready' : 'suspended'
  scroll.put(HEAD.alive[state], task.id, t, writeName(scroll, task, false), scroll.keep(coroutine), numberOf(task), task.cancelling() > 0 ? 1 : 0)
  if (state === 'suspended' && on !== null) writeSuspended(scroll, task.id, on, label === '' ? NO_TEXT : scroll.keep(label), t)
}
