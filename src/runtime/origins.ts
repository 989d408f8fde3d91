// Where objects were made and where tasks are suspended, as stack traces. Only debug mode records them, so the runtime's
// objects have no field for it: they stand in weak maps, as errors whose stack is not written out until somebody reads it.

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
 * The frames of a trace without the runtime's own. Which those are its first line says: it stands in this very file, under
 * the name that the engine has for it just now, source maps or not.
 */
function framesOfTrace(error: Error | undefined): Frame[] {
  const all = framesOf(error?.stack ?? '')
  const folder = all[0]?.file.replace(/[^/\\]*$/, '') ?? ''
  const isOwn = ({ file }: Frame): boolean => file.startsWith(folder)
  // Beneath a task's step stand the loop and its host, and whatever happened to call them.
  const step = all.findIndex((frame) => isOwn(frame) && /(?:Task\.|^)resume$/.test(frame.function))
  return (step === -1 ? all : all.slice(0, step)).filter((frame) => !isOwn(frame) && !frame.file.startsWith('node:'))
}

/** Note where `object` is being made. */
export function recordOrigin(object: object): void {
  origins.set(object, trace())
}

/** Where `object` was made, newest frame first; empty outside of debug mode. */
export function originOf(object: object): Frame[] {
  return framesOfTrace(origins.get(object))
}

/** Note where `task` is being suspended: the stack holds its whole `yield*` chain at this moment. */
export function recordSuspension(task: object): void {
  suspensions.set(task, trace())
}

export function forgetSuspension(task: object): void {
  suspensions.delete(task)
}

/** Where `task` is suspended, innermost frame first; empty outside of debug mode. */
export function suspensionOf(task: object): Frame[] {
  return framesOfTrace(suspensions.get(task))
}

/** `file:line` of a frame, for messages. */
export function place(frame: Frame): string {
  return `${frame.file}:${frame.line}`
}
