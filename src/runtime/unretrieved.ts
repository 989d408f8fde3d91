// Failures whose exception was never retrieved. A failed future is noted here until its exception is retrieved. If it is
// garbage-collected before, or the loop closes, the loop's exception handler is called.
import type { Loop } from './running.ts'
import { describeWhole } from './describe.ts'
import { originOf, type Frame } from './origins.ts'

interface Failure {
  loop: Loop
  error: unknown
  /** The failed future as text: the note must not keep the future alive. */
  description: string
  isTask: boolean
  createdAt: Frame[]
}

const noted = new WeakMap<object, Failure>()
const collected = new FinalizationRegistry<Failure>((failure) => {
  if (failure.loop.failures.delete(failure)) report(failure)
})

function report(failure: Failure): void {
  failure.loop.callExceptionHandler({
    kind: 'never-retrieved',
    message: `${failure.isTask ? 'Task' : 'Future'} exception was never retrieved: ${failure.description}`,
    exception: failure.error,
    ...(failure.createdAt.length > 0 ? { createdAt: failure.createdAt } : {}),
  })
}

/** Note that `future` failed. */
export function noteFailure(future: object, loop: Loop, error: unknown, isTask: boolean): void {
  // Until its stack is formatted, an error keeps its frames alive, and with them the future.
  if (error instanceof Error) void error.stack
  const failure: Failure = { loop, error, description: describeWhole(future), isTask, createdAt: originOf(future) }
  noted.set(future, failure)
  loop.failures.add(failure)
  if (loop.debug) loop.host.collectSoon?.(loop.failures)
  collected.register(future, failure, failure)
}

/** Note that the exception of `future` was retrieved. */
export function noteRetrieved(future: object): void {
  const failure = noted.get(future)
  if (failure === undefined) return
  noted.delete(future)
  failure.loop.failures.delete(failure)
  collected.unregister(failure)
}

/** When a loop closes or the process ends: report the failures still noted. */
export function reportFailures(loop: Loop): void {
  const failures = [...loop.failures] as Failure[]
  loop.failures.clear()
  for (const failure of failures) {
    collected.unregister(failure)
    report(failure)
  }
}
