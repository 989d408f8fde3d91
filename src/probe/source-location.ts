// Where in its source a coroutine is suspended: the first line outside the runtime on the stack at that moment. This is
// recorded only for tasks of example runs, whose lines the page shows; no other task pays for it.
import type { Task } from '../runtime/task.ts'
import { isOwnCode } from '../own-code.ts'
import { findSourceMap } from 'node:module'
import { fileURLToPath } from 'node:url'

export interface Place {
  function: string
  file: string
  line: number
  column: number
}

/** The most positions (in the code that runs) whose location is remembered. */
const MOST_PLACES = 4096
const DEPTH = 16

const places = new Map<string, Place>()
const latest = new WeakMap<object, Place>()

/** Notes where `task` is being suspended: its coroutine is on the stack. */
export function notePlace(task: Task<unknown>): void {
  const place = here()
  if (place === null) latest.delete(task)
  else latest.set(task, place)
}

/** Where the task was suspended last. */
export function takePlace(task: Task<unknown>): Place | null {
  return latest.get(task) ?? null
}

function here(): Place | null {
  const { stackTraceLimit } = Error
  const prepare = Object.getOwnPropertyDescriptor(Error, 'prepareStackTrace')
  Error.stackTraceLimit = DEPTH
  Error.prepareStackTrace = (_error, sites) => sites
  const sites = new Error('here').stack as unknown as NodeJS.CallSite[]
  Error.stackTraceLimit = stackTraceLimit
  if (prepare === undefined) delete (Error as { prepareStackTrace?: unknown }).prepareStackTrace
  else Object.defineProperty(Error, 'prepareStackTrace', prepare)
  const site = sites.find((one) => {
    const file = one.getFileName() ?? ''
    return file !== '' && !file.startsWith('node:') && !isOwnCode(file)
  })
  return site === undefined ? null : placeOf(site)
}

function placeOf(site: NodeJS.CallSite): Place | null {
  const file = site.getFileName() as string
  const line = site.getLineNumber() ?? 0
  const column = site.getColumnNumber() ?? 0
  const key = `${file}:${line}:${column}`
  const known = places.get(key)
  if (known !== undefined) return known
  const place = mapped(file, line, column)
  const found = { ...place, file: pathOf(place.file), function: site.getFunctionName() ?? '' }
  if (places.size < MOST_PLACES) places.set(key, found)
  return found
}

/** The position in the source, if there is a source map. */
function mapped(file: string, line: number, column: number): { file: string; line: number; column: number } {
  const entry = findSourceMap(file)?.findEntry(line - 1, column - 1)
  if (entry === undefined || !('originalSource' in entry)) return { file, line, column }
  return { file: entry.originalSource, line: entry.originalLine + 1, column: entry.originalColumn + 1 }
}

function pathOf(file: string): string {
  return file.startsWith('file:') ? fileURLToPath(file) : file
}
