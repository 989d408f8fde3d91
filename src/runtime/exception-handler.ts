// Failures that nothing awaits all go to the loop's exception handler.
import type { AbstractEventLoop, ExceptionContext, ExceptionHandler } from './abstract-loop.ts'
import type { Host } from './host.ts'
import { describeWhole } from './describe.ts'
import { errorText } from './error-text.ts'
import { place } from './origins.ts'

/** Write a context to the host's log of errors. */
export function reportContext(host: Host, context: ExceptionContext): void {
  const lines = [context.message]
  for (const key of ['task', 'future', 'handle'] as const) {
    if (context[key] !== undefined) lines.push(`  ${key}: ${describeWhole(context[key])}`)
  }
  if (context.createdAt !== undefined) lines.push(`  created at ${context.createdAt.map(place).join(', from ')}`)
  if ('exception' in context) lines.push(errorText(context.exception))
  host.report(lines.join('\n'))
}

/** Call `handler` with `context`; if it throws, write both to the log. Never throws. */
export function handOver(loop: AbstractEventLoop, handler: ExceptionHandler, context: ExceptionContext): void {
  try {
    handler(loop, context)
  } catch (error) {
    try {
      reportContext(loop.host, { message: 'the exception handler itself threw', exception: error })
      reportContext(loop.host, context)
    } catch {
      // The log failed as well: nothing is left to report to.
    }
  }
}
