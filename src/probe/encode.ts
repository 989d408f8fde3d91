// Writes what both the ring and a snapshot contain. Texts go before the record that refers to them; the caller has checked
// that there is room.
import type { Wait } from '../runtime/instruments.ts'
import type { Task } from '../runtime/task.ts'
import type { Parameters } from '../events/schema.ts'
import type { SourceLocation } from './source-location.ts'
import type { RecordWriter } from './ring.ts'
import { nameOf } from '../runtime/names.ts'
import { running } from '../runtime/running.ts'
import { HEAD, type Reference, type Sender } from './record-schema.ts'
import { NO_TEXT } from './ring.ts'

export interface RunStart {
  run: number
  example: number
  parameters: Parameters
  request?: number | undefined
}

export function writeScope(to: RecordWriter, run = 0, request = 0): void {
  to.put(HEAD.scope, 0, 0, run, request)
}

/** The name that a task was given, or its number. */
export function writeName(to: RecordWriter, { ownName }: Task<unknown>, once: boolean): Reference {
  return typeof ownName === 'number' ? NO_TEXT : once ? to.putText(ownName) : to.keep(ownName)
}

export function numberOf({ ownName }: Task<unknown>): number {
  return typeof ownName === 'number' ? ownName : 0
}

/** How a record describes what is waited for. Nothing for a task, whose name the reader knows. */
export function labelOf(on: Wait): string {
  if (on.of !== undefined) return nameOf(on.of).text
  return on.kind === 'task' && on.tasks?.[0] !== undefined ? '' : (on.label ?? '')
}

/** The most records that `writeOwners` writes. */
export const MOST_OWNER_RECORDS = 4

/** Before the record of a wait: the tasks that own the permits of its semaphore. */
export function writeOwners(to: RecordWriter, { owners }: Wait): void {
  if (owners === undefined) return
  const ids = [...owners].map(({ id }) => id)
  for (let at = 0; at < ids.length; at += 4) to.put(HEAD.owners, 0, 0, ids[at] ?? 0, ids[at + 1] ?? 0, ids[at + 2] ?? 0, ids[at + 3] ?? 0)
}

/** `label` refers to the text from `labelOf`. */
export function writeSuspended(to: RecordWriter, task: Task<unknown>, on: Wait, label: Reference, t: number): void {
  const other = (on.of === undefined ? on.tasks?.[0]?.id : nameOf(on.of).queue ?? on.holder?.id) ?? 0
  const timeout = on.deadline === undefined ? task.timeout?.first() : undefined
  to.putNumber(HEAD.suspended[on.kind][timeout === undefined ? 'itself' : 'timeout'], task.id, t, label, other, timeout ?? on.deadline ?? NaN)
}

export function writeLocation(to: RecordWriter, { function: name, file, line, column }: SourceLocation): void {
  to.put(HEAD.location, 0, 0, to.keep(name), to.keep(file), line, column)
}

export function writeRequest(to: RecordWriter, request: number, method: string, url: string, t: number, waited: number, sender: Sender, again: boolean): void {
  // First the text that may be new: it may make the reader forget all others.
  const path = again ? to.keep(url) : to.putText(url)
  to.put(HEAD.requestStarted[sender], 0, t, request, to.keep(method), path, Math.min(2 ** 31 - 1, Math.round(waited * 1e6)))
}

export function writeRun(to: RecordWriter, { run, example, request }: RunStart, parameters: string, t: number): void {
  to.put(HEAD.runStarted, running.task?.id ?? 0, t, run, example, to.putJson(parameters), request ?? 0)
}
