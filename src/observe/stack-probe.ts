// The code that the main thread evaluates on top of whatever it runs: it reads its own stack, with positions in the source. It
// is text, not a function, since it runs on another thread. It calls no code of the program: no formatter, no promise job, no
// hook. If the program uses OpenTelemetry, an event is added to its active span.

/** The most frames of one stack, and how many of them are kept for the program's own frames if packages call deeper than that. */
const DEPTH = 16
const OWN_DEPTH = 8
/** How many frames are searched for the program's own: the default depth of calls. */
const LOOKED_THROUGH = 12_000

/** Function, URL or path, line and column from 1; then, if Node has a source map, the source's URL, line and column from 1. */
export type Site = [name: string, url: string, line: number, column: number, source?: string, sourceLine?: number, sourceColumn?: number]

/** The result. V8 does not format a stack while it formats another: a thread that is blocked there returns text in V8's format. */
export interface Captured {
  /** `performance.now()` of the main thread, in ms. */
  at: number
  sites: Site[] | string
  /** How many ms this took the thread. */
  took?: number
  /** Where the function of the first site begins; `null` if that is not a frame of a file. */
  begin?: Site | null
  /** What the interrupted code belongs to: current-request.ts. */
  origin?: { id: number; name: string } | undefined
  /** A debugger can be attached. */
  inspected?: boolean
  /** The callback that runs, as Node's async id: a different one runs when it has changed. */
  turn?: number
  /** Microtasks or `nextTick` run: the loop continues only when none is left. */
  micro?: boolean
  /** How many of the probe's own microtasks have run. If it grows, one microtask ran after the other. */
  jobs?: number
}

/** The name of the global AsyncLocalStorage of current-request.ts. */
export const REQUEST_STORE = 'loopscope.request'
/** The name of a global function that is called in the blocked thread: telemetry.ts. */
export const BLOCKED_HOOK = 'loopscope.blocked'

/** The name of the global object that counts the probe's own microtasks. */
const JOBS = 'loopscope.jobs'

export const CAPTURE = `(() => {
  const at = performance.now()
  const limit = Error.stackTraceLimit
  const prepare = Object.getOwnPropertyDescriptor(Error, 'prepareStackTrace')
  let stack
  try {
    Error.stackTraceLimit = ${LOOKED_THROUGH}
    Object.defineProperty(Error, 'prepareStackTrace', { value: (_, sites) => sites, configurable: true })
    stack = new Error('').stack
  } finally {
    Error.stackTraceLimit = limit
    if (prepare === undefined) delete Error.prepareStackTrace
    else Object.defineProperty(Error, 'prepareStackTrace', prepare)
  }
  const of = globalThis[Symbol.for('${REQUEST_STORE}')]?.getStore()
  const belongs = of === undefined ? undefined : { id: of.id, name: of.name }
  try {
    globalThis[Symbol.for('${BLOCKED_HOOK}')]?.()
  } catch {}
  const builtin = (name) => globalThis.process?.getBuiltinModule?.(name)
  const inspected = builtin('node:inspector')?.url() !== undefined
  const hooks = builtin('node:async_hooks')
  const turn = hooks?.executionAsyncId()
  if (!Array.isArray(stack)) return { at, origin: belongs, inspected, turn, sites: String(stack), took: performance.now() - at }
  const own = stack.filter((site) => site.getFileName())
  const users = own.filter((site) => !site.getFileName().startsWith('node:'))
  // Node calls microtasks and ticks here. If it did not call the outermost function, V8 runs a microtask.
  const caller = own.find((site) => site.getFileName().startsWith('node:internal/') && /^(processTicksAndRejections|processImmediate|listOnTimeout)$/.test(site.getFunctionName()))
  const outermost = own.findLast((site) => !site.isAsync())
  const micro = caller === undefined ? outermost?.getFileName().startsWith('node:') !== true : caller.getFunctionName() === 'processTicksAndRejections'
  // One microtask at a time, and none where Node follows promises: then it would be seen, and the async id changes anyway.
  const key = Symbol.for('${JOBS}')
  const count = globalThis[key] ?? Object.defineProperty(globalThis, key, { value: { ran: 0, waits: false } })[key]
  const jobs = count.ran
  if (micro && !count.waits && !builtin('node:util')?.types.isPromise(hooks?.executionAsyncResource())) {
    count.waits = true
    void (async () => {
      await undefined
      count.ran++
      count.waits = false
    })()
  }
  const maps = builtin('node:module')
  const name = (site) => {
    const name = site.getFunctionName() ?? '<anonymous>'
    if (site.isAsync()) return 'async ' + name
    if (site.isConstructor()) return 'new ' + name
    const type = site.isToplevel() ? null : site.getTypeName()
    return type === null || name.includes('.') ? name : type + '.' + name
  }
  const origin = (url, line, column) => {
    try {
      const entry = url.includes('/node_modules/') ? undefined : maps?.findSourceMap(url)?.findEntry(line - 1, column - 1)
      return entry?.originalSource === undefined ? [] : [entry.originalSource, entry.originalLine + 1, entry.originalColumn + 1]
    } catch {
      return []
    }
  }
  const chosen = users.length > 0 ? users : own
  const isProgram = (site) => !/[\\\\/]node_modules[\\\\/]/.test(site.getFileName())
  let programs = Math.min(${OWN_DEPTH}, chosen.slice(${DEPTH - OWN_DEPTH}).filter(isProgram).length)
  let others = ${OWN_DEPTH} - programs
  const kept = chosen.filter((site, at) => at < ${DEPTH - OWN_DEPTH} || (isProgram(site) ? programs-- > 0 : others-- > 0))
  const place = (site, line, column) => [name(site), site.getFileName(), line ?? 0, column ?? 0, ...origin(site.getFileName(), line ?? 0, column ?? 0)]
  const sites = kept.map((site) => place(site, site.getLineNumber(), site.getColumnNumber()))
  // Only the innermost function of all may just have been entered.
  const [top] = own
  const begin = top === undefined || top !== kept[0] ? null : place(top, top.getEnclosingLineNumber(), top.getEnclosingColumnNumber())
  return { at, origin: belongs, inspected, sites, begin, turn, micro, jobs, took: performance.now() - at }
})()`

/** The name of the global function that returns the coroutines of live tasks, by the task's number and the function's name. */
export const COROUTINES_OF = 'loopscope.coroutines'

export const COROUTINES = `globalThis[Symbol.for('${COROUTINES_OF}')]?.()`

const LINE = /^\s*at (async )?(?:(.*?) \()?(.+?):(\d+):(\d+)\)?$/

/** Reads the lines of a stack in V8's format. */
export function sitesOf(text: string): Site[] {
  const sites: Site[] = []
  for (const line of text.split('\n')) {
    const [, async = '', name = '<anonymous>', url, row, column] = LINE.exec(line) ?? []
    if (url === undefined || url === '<anonymous>') continue // the evaluated text itself
    sites.push([async + name, url, Number(row), Number(column)])
  }
  const users = sites.filter(([, url]) => !url.startsWith('node:'))
  return (users.length > 0 ? users : sites).slice(0, DEPTH)
}
