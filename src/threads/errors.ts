// Errors of threads, and how any error is sent from one thread to another: with its class, message, stack, cause and own
// properties. Its class is looked up by name among JavaScript's, the runtime's, and those that modules under `workers/`
// export.
import { knownModules, type LoadedModule } from './exports.ts'
import { describe } from '../runtime/describe.ts'
import {
  BrokenBarrierError, CancelledError, ExceptionGroup, InvalidStateError, KeyboardInterrupt, QueueEmpty, QueueFull, QueueShutDown, RuntimeError, TimeoutError,
} from '../runtime/exceptions.ts'

/** A worker thread ended under a call: it crashed, it called `process.exit()`, or the threads were closed. */
export class BrokenThread extends RuntimeError {
  static {
    this.prototype.name = 'BrokenThread'
  }
}

/** A worker thread could not be started: the system refused (EAGAIN, EMFILE, ENOMEM), or it failed before it was ready. */
export class NoThread extends BrokenThread {
  static {
    this.prototype.name = 'NoThread'
  }
}

/** An error as it is sent. */
export type Packed =
  | { readonly value: unknown }
  | {
      readonly className: string
      readonly name: string
      readonly message: string
      readonly stack: string
      readonly own: Record<string, unknown>
      readonly cause?: Packed
      readonly errors?: Packed[]
    }

/** The longest chain of causes that is sent. */
const DEEPEST = 8

export function pack(error: unknown, depth = 0): Packed {
  if (!(error instanceof Error)) return { value: cloneable(error) ? error : describe(error) }
  const own: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(error)) {
    if (key !== 'name' && key !== 'cause' && cloneable(value)) own[key] = value
  }
  const deeper = depth < DEEPEST
  return {
    className: error.constructor.name,
    name: String(error.name),
    message: String(error.message),
    stack: String(error.stack),
    own,
    ...('cause' in error && error.cause !== undefined && deeper ? { cause: pack(error.cause, depth + 1) } : {}),
    ...(error instanceof AggregateError && deeper ? { errors: error.errors.map((one) => pack(one, depth + 1)) } : {}),
  }
}

function cloneable(value: unknown): boolean {
  if (typeof value === 'function' || typeof value === 'symbol') return false
  if (typeof value !== 'object' || value === null) return true
  try {
    structuredClone(value)
    return true
  } catch {
    return false
  }
}

/** Makes the error again, of the class with that name if there is one; `where` is added to its stack. */
export function unpack(packed: Packed, module: LoadedModule | null, where: string): unknown {
  if ('value' in packed) return packed.value
  const { className, name, message, stack, own } = packed
  const Class = findClass(className, module)
  const error = packed.errors === undefined ? new Error(message) : new AggregateError([], message)
  // The constructor is not called: its arguments are not known here.
  if (Class !== null) Object.setPrototypeOf(error, Class.prototype as object)
  const hidden = { configurable: true, writable: true, enumerable: false }
  if (error.name !== name || Class === null) Object.defineProperty(error, 'name', { ...hidden, value: name === 'Error' ? className : name })
  Object.defineProperty(error, 'stack', { ...hidden, value: `${stack}\n    at ${where}` })
  if (packed.cause !== undefined) Object.defineProperty(error, 'cause', { ...hidden, value: unpack(packed.cause, module, where) })
  if (packed.errors !== undefined) {
    Object.defineProperty(error, 'errors', { ...hidden, value: packed.errors.map((one) => unpack(one, module, where)) })
  }
  return Object.assign(error, own)
}

type ErrorClass = new (...args: never[]) => Error

const known = new Map<string, ErrorClass>()
for (const Class of [
  Error, AggregateError, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError,
  BrokenBarrierError, CancelledError, ExceptionGroup, InvalidStateError, KeyboardInterrupt, QueueEmpty, QueueFull, QueueShutDown, RuntimeError, TimeoutError, BrokenThread, NoThread,
]) {
  known.set(Class.name, Class as ErrorClass)
}

function isErrorClass(value: unknown): value is ErrorClass {
  return typeof value === 'function' && value.prototype instanceof Error
}

/** A class with that name: `module`'s before that of any other module under `workers/` that this thread has loaded. */
function findClass(name: string, module: LoadedModule | null): ErrorClass | null {
  for (const { exports } of module === null ? knownModules() : [module, ...knownModules()]) {
    const found = Object.hasOwn(exports, name) ? exports[name] : null
    if (isErrorClass(found)) return found
  }
  return known.get(name) ?? null
}
