// Where in its source a coroutine is suspended: the first line outside the runtime on the stack at that moment. This is
// recorded only for tasks of example runs, whose lines the page shows; no other task pays for it.
import type { Task } from '../runtime/task.ts'
import { isOwnCode } from '../own-code.ts'
import { findSourceMap } from 'node:module'
import { fileURLToPath } from 'node:url'

export interface SourceLocation {
  function: string
  file: string
  line: number
  column: number
}

/** The most positions (in the code that runs) whose location is remembered. */
const MOST_LOCATIONS = 4096
const DEPTH = 16

const locations = new Map<string, SourceLocation>()
const latest = new WeakMap<object, SourceLocation>()

/** Notes where `task` is being suspended: its coroutine is on the stack. */
export function noteLocation(task: Task<unknown>): void {
  const location = here()
  if (location === null) latest.delete(task)
  else latest.set(task, location)
}

/** Where the task was suspended last. */
export function locationOf(task: Task<unknown>): SourceLocation | null {
  return latest.get(task) ?? null
}

function here(): SourceLocation | null {
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
  return site === undefined ? null : locationAt(site)
}

function locationAt(site: NodeJS.CallSite): SourceLocation | null {
  const file = site.getFileName() as string
  const line = site.getLineNumber() ?? 0
  const column = site.getColumnNumber() ?? 0
  const key = `${file}:${line}:${column}`
  const known = locations.get(key)
  if (known !== undefined) return known
  const location = mapped(file, line, column)
  const found = { ...location, file: pathOf(location.file), function: site.getFunctionName() ?? '' }
  if (locations.size < MOST_LOCATIONS) locations.set(key, found)
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
