// Where objects were made and where tasks are suspended, as stack traces. Only debug mode records them, so they are in weak
// maps, not in fields of the objects. Each is an error: its stack is formatted only when it is read.

/** One line of a stack. `line` and `column` count from 1. */
export interface Frame {
  function: string
  file: string
  line: number
  column: number
}

const DEPTH = 100
/** `at f (file:1:2)` and `at file:1:2`, as V8 writes it; `f@file:1:2` everywhere else. */
const V8 = /^\s*at (?:(.*?) \()?(?:file:\/\/)?(.+?):(\d+):(\d+)\)?$/
const OTHERS = /^(?:async\*)?([^@]*)@(?:file:\/\/)?(.+?):(\d+):(\d+)$/

const origins = new WeakMap<object, Error>()
const suspensions = new WeakMap<object, Error>()

function trace(): Error {
  const limit = Error.stackTraceLimit
  Error.stackTraceLimit = DEPTH
  const error = new Error('trace')
  Error.stackTraceLimit = limit
  return error
}

/** The frames of a stack as its engine wrote it, newest first. */
export function framesOf(stack: string): Frame[] {
  const frames: Frame[] = []
  for (const text of stack.split('\n')) {
    const match = V8.exec(text) ?? OTHERS.exec(text)
    if (match === null) continue
    const [, name, file, line, column] = match as unknown as [string, string | undefined, string, string, string]
    frames.push({ function: name ?? '', file, line: Number(line), column: Number(column) })
  }
  return frames
}

/**
 * The frames of a trace without the runtime's own. The first line of the trace is in this file, so it shows the path of the
 * runtime's files, with or without source maps.
 */
function framesOfTrace(error: Error | undefined): Frame[] {
  const all = framesOf(error?.stack ?? '')
  const folder = all[0]?.file.replace(/[^/\\]*$/, '') ?? ''
  const isOwn = ({ file }: Frame): boolean => file.startsWith(folder)
  // Below a task's step are only the loop, its host and their callers.
  const step = all.findIndex((frame) => isOwn(frame) && /(?:Task\.|^)resume$/.test(frame.function))
  return (step === -1 ? all : all.slice(0, step)).filter((frame) => !isOwn(frame) && !frame.file.startsWith('node:'))
}

/** Record where `object` is being made. */
export function recordOrigin(object: object): void {
  origins.set(object, trace())
}

/** Where `object` was made, newest frame first; empty outside debug mode. */
export function originOf(object: object): Frame[] {
  return framesOfTrace(origins.get(object))
}

/** Record where `task` is being suspended: its whole `yield*` chain is on the stack now. */
export function recordSuspension(task: object): void {
  suspensions.set(task, trace())
}

export function forgetSuspension(task: object): void {
  suspensions.delete(task)
}

/** Where `task` is suspended, innermost frame first; empty outside debug mode. */
export function suspensionOf(task: object): Frame[] {
  return framesOfTrace(suspensions.get(task))
}

/** `file:line` of a frame, for messages. */
export function place(frame: Frame): string {
  return `${frame.file}:${frame.line}`
}
