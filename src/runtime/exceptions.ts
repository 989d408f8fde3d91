// Every error class of the runtime, named as in asyncio. A wrong value is a RangeError, a wrong type a TypeError, a misuse
// of the runtime a RuntimeError.

/** Misuse of the runtime: the right object at the wrong time. */
export class RuntimeError extends Error {
  static {
    this.prototype.name = 'RuntimeError'
  }
}

/** Thrown into a coroutine whose task was cancelled. `message` is what `cancel(message)` was given. */
export class CancelledError extends Error {
  static {
    this.prototype.name = 'CancelledError'
  }
}

/**
 * Thrown into an asynchronous generator that is closed, at the `yield` where it is suspended. A CancelledError, so that code
 * which lets cancellations through lets it through.
 */
export class GeneratorExit extends CancelledError {
  static {
    this.prototype.name = 'GeneratorExit'
  }
}

/** A deadline passed. `cause` is the CancelledError that interrupted the work. */
export class TimeoutError extends Error {
  static {
    this.prototype.name = 'TimeoutError'
  }
}

/** An operation that the state of a future does not allow. */
export class InvalidStateError extends Error {
  static {
    this.prototype.name = 'InvalidStateError'
  }
}

/** `getNowait()` on an empty queue. */
export class QueueEmpty extends Error {
  static {
    this.prototype.name = 'QueueEmpty'
  }
}

/** `putNowait()` on a full queue. */
export class QueueFull extends Error {
  static {
    this.prototype.name = 'QueueFull'
  }
}

/** `put` or `get` on a queue that was shut down. */
export class QueueShutDown extends Error {
  static {
    this.prototype.name = 'QueueShutDown'
  }
}

/** A barrier was aborted or reset while a task waited at it. */
export class BrokenBarrierError extends RuntimeError {
  static {
    this.prototype.name = 'BrokenBarrierError'
  }
}

/** The rejection of `run` after SIGINT cancelled its main coroutine. */
export class KeyboardInterrupt extends Error {
  static {
    this.prototype.name = 'KeyboardInterrupt'
  }
}

type ErrorClass = abstract new (...args: never[]) => Error
type Condition = ErrorClass | ((error: unknown) => boolean)

function asPredicate(condition: Condition): (error: unknown) => boolean {
  // The prototype of an error class is an Error; a predicate has no such prototype.
  const prototype = condition.prototype as unknown
  if (prototype instanceof Error || (condition as unknown) === Error) {
    return (error) => error instanceof (condition as ErrorClass)
  }
  return condition as (error: unknown) => boolean
}

/**
 * Several errors that happened together; `exceptions` has them in the order in which they happened. A group may contain
 * groups. Follows Python's ExceptionGroup (PEP 654).
 */
export class ExceptionGroup extends AggregateError {
  static {
    this.prototype.name = 'ExceptionGroup'
  }

  constructor(message: string, errors: Iterable<unknown>) {
    super(errors, message)
    if (this.errors.length === 0) throw new RangeError('ExceptionGroup: needs at least one error, got none')
  }

  /** The errors of the group, in order. */
  get exceptions(): readonly unknown[] {
    return this.errors as unknown[]
  }

  /** Split the group, nested groups included: what `condition` (a class or a predicate) matches, and the rest; `null` for an empty part. */
  split(condition: Condition): [ExceptionGroup | null, ExceptionGroup | null] {
    const matches = asPredicate(condition)
    if (matches(this)) return [this, null]
    const matched: unknown[] = []
    const rest: unknown[] = []
    for (const error of this.exceptions) {
      if (error instanceof ExceptionGroup) {
        const [inside, outside] = error.split(condition)
        if (inside !== null) matched.push(inside)
        if (outside !== null) rest.push(outside)
      } else {
        ;(matches(error) ? matched : rest).push(error)
      }
    }
    return [this.#derive(matched), this.#derive(rest)]
  }

  /** The part of the group that `condition` matches, or `null`. */
  subgroup(condition: Condition): ExceptionGroup | null {
    return this.split(condition)[0]
  }

  #derive(errors: unknown[]): ExceptionGroup | null {
    if (errors.length === 0) return null
    if (errors.length === this.exceptions.length && errors.every((error, index) => error === this.exceptions[index])) {
      return this
    }
    return new ExceptionGroup(this.message, errors)
  }
}

/** Throw `error` again if it is a cancellation: the first line of a `catch` that is meant for failures only. */
export function rethrowCancelled(error: unknown): void {
  if (error instanceof CancelledError) throw error
}

/**
 * Make a CancelledError. Capturing its stack costs ten times the error itself and only shows where the loop was, so the
 * stack is left out unless `withStack` (debug mode) is set.
 */
export function cancelledError(message: string | undefined, withStack: boolean): CancelledError {
  if (withStack) return new CancelledError(message)
  const limit = Error.stackTraceLimit
  Error.stackTraceLimit = 0
  const error = new CancelledError(message)
  Error.stackTraceLimit = limit
  return error
}
