// What is alive on a loop, as records: where a reader starts, and continues after lost events.
import type { Task } from '../runtime/task.ts'
import { cutTexts } from '../events/texts.ts'
import { labelOf, MOST_OWNER_RECORDS, numberOf, writeName, writeOwners, writeRequest, writeRun, writeScope, writeSuspended, type RunStart } from './encode.ts'
import { HEAD, type Sender } from './record-schema.ts'
import { NO_TEXT, SnapshotWriter, type Texts } from './ring.ts'

export interface LiveRequest {
  readonly id: number
  sender: Sender
  method: string
  url: string
  /** The task that serves it, 0 without one. */
  task: number
}

export interface Live {
  runs: Iterable<RunStart>
  requests: Iterable<LiveRequest>
  tasks: Iterable<Task<unknown>>
  runOf: (task: Task<unknown>) => number | undefined
  /** Whether the task's step runs. */
  running: (task: Task<unknown>) => boolean
}

/** Writes what is alive at time `t`. `kept` are the texts that the reader knows, and gets from this. */
export function writeSnapshot(kept: Texts, t: number, { runs, requests, tasks, runOf, running }: Live): ArrayBuffer {
  const writer = new SnapshotWriter(kept)
  for (const start of runs) {
    const parameters = JSON.stringify(cutTexts(start.parameters))
    writer.fits(2 + writer.roomForJson(parameters))
    writeRun(writer, start, parameters, t)
  }
  const requestOf = new Map<number, number>()
  for (const { id, method, url, task, sender } of requests) {
    writer.fits(4 + writer.roomFor(method) + writer.roomFor(url))
    writeRequest(writer, id, method, url, t, 0, sender, false)
    if (task !== 0) requestOf.set(task, id)
  }
  for (const task of tasks) {
    const run = runOf(task)
    const request = requestOf.get(task.id)
    if (run !== undefined || request !== undefined) {
      writer.fits(1)
      writeScope(writer, run, request)
    }
    writeTask(writer, task, t, running(task))
  }
  return writer.content
}

function writeTask(writer: SnapshotWriter, task: Task<unknown>, t: number, running: boolean): void {
  const coroutine = task.coroutineName()
  const name = task.ownName
  const on = task.waiter?.describeWait() ?? null
  const label = on === null ? '' : labelOf(on)
  writer.fits(5 + MOST_OWNER_RECORDS + writer.roomFor(coroutine) + (typeof name === 'string' ? writer.roomFor(name) : 0) + writer.roomFor(label))
  const state = running ? 'running' : on === null || on.kind === 'yield' ? 'ready' : 'suspended'
  writer.put(HEAD.alive[state], task.id, t, writeName(writer, task, false), writer.keep(coroutine), numberOf(task), task.cancelling() > 0 ? 1 : 0)
  if (state !== 'suspended' || on === null) return
  writeOwners(writer, on)
  writeSuspended(writer, task, on, label === '' ? NO_TEXT : writer.keep(label), t)
}
