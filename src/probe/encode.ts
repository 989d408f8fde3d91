// How a record of each larger kind is written, into the ring or into a description of what is alive: which word holds what.
// Texts go before the record that names them; the caller has seen to it that there is room.
import type { Wait } from '../runtime/instruments.ts'
import type { Task } from '../runtime/task.ts'
import type { Parameters } from '../events/schema.ts'
import type { Place } from './source-location.ts'
import type { RecordWriter } from './ring.ts'
import { nameOf } from '../runtime/names.ts'
import { running } from '../runtime/running.ts'
import { FLAG, KIND, MODES, OPS, OUTCOMES, REPORTS, SMALL, STATES, WAIT_KINDS } from './layout.ts'

/** Numbers that stand for words in records. */
const numbersOf = <T extends string>(words: readonly T[]): Record<T, number> => Object.fromEntries(words.map((word, at) => [word, at])) as Record<T, number>
export const WAIT = numbersOf(WAIT_KINDS)
export const OUTCOME = numbersOf(OUTCOMES)
export const OP = numbersOf(OPS)
export const MODE = numbersOf(MODES)
export const STATE = numbersOf(STATES)
export const REPORT = numbersOf(REPORTS)

export interface RunStart {
  run: number
  example: number
  parameters: Parameters
  request?: number | undefined
}

export function writeScope(to: RecordWriter, run: number | undefined, request: number | undefined): void {
  const at = to.next()
  to.words[at] = KIND.scope
  to.words[at + 4] = run ?? 0
  to.words[at + 5] = request ?? 0
}

export function writeCreated(to: RecordWriter, kind: number, task: Task<unknown>, t: number, parent: number, coroutine: string, once: boolean): number {
  const { ownName } = task
  const numbered = typeof ownName === 'number'
  const name = numbered ? ownName : once ? to.put(ownName) : to.keep(ownName)
  const coroutineName = to.keep(coroutine)
  const at = to.next()
  to.words[at] = kind | (numbered ? FLAG.numbered : 0)
  to.words[at + 1] = task.id
  to.numbers[(at >> 1) + 1] = t
  to.words[at + 4] = parent
  to.words[at + 5] = name
  to.words[at + 6] = coroutineName
  to.words[at + 7] = 0
  return at
}

/** What a record says of what is waited for: nothing of a task, whose name the reader knows. */
export function labelOf(on: Wait): string {
  if (on.of !== undefined) return nameOf(on.of).text
  return on.kind === 'task' && on.tasks?.[0] !== undefined ? '' : (on.label ?? '')
}

/** `label` refers to the text that `labelOf` gives. */
export function writeSuspended(to: RecordWriter, task: number, on: Wait, label: number, t: number): void {
  const at = to.next()
  to.words[at] = KIND.suspended | (on.deadline === undefined ? 0 : FLAG.deadline) | (WAIT[on.kind] << SMALL)
  to.words[at + 1] = task
  to.numbers[(at >> 1) + 1] = t
  to.words[at + 4] = label
  to.words[at + 5] = (on.of === undefined ? on.tasks?.[0]?.id : nameOf(on.of).queue) ?? 0
  if (on.deadline !== undefined) to.numbers[(at >> 1) + 3] = on.deadline
}

export function writePlace(to: RecordWriter, { function: name, file, line, column }: Place): void {
  const functionName = to.keep(name)
  const fileName = to.keep(file)
  const at = to.next()
  to.words[at] = KIND.location
  to.words[at + 4] = functionName
  to.words[at + 5] = fileName
  to.words[at + 6] = line
  to.words[at + 7] = column
}

export function writeRequest(to: RecordWriter, request: number, method: string, url: string, t: number, waited: number): void {
  const methodName = to.keep(method)
  const path = to.put(url)
  const at = to.next()
  to.words[at] = KIND.requestStarted
  to.words[at + 1] = 0
  to.numbers[(at >> 1) + 1] = t
  to.words[at + 4] = request
  to.words[at + 5] = methodName
  to.words[at + 6] = path
  to.words[at + 7] = Math.min(2 ** 31 - 1, Math.round(waited * 1e6))
}

export function writeRun(to: RecordWriter, { run, example, request }: RunStart, parameters: string, t: number): void {
  const text = to.putJson(parameters)
  const at = to.next()
  to.words[at] = KIND.runStarted
  to.words[at + 1] = running.task?.id ?? 0
  to.numbers[(at >> 1) + 1] = t
  to.words[at + 4] = run
  to.words[at + 5] = example
  to.words[at + 6] = text
  to.words[at + 7] = request ?? 0
}
