// The one door for failures that nobody awaits: the loop's exception handler.
import type { EventLoop } from './loop.ts'
import type { Future } from './future.ts'
import type { Handle } from './handle.ts'
import type { Host } from './host.ts'
import type { Task } from './task.ts'
import { describeWhole } from './describe.ts'
import { errorText } from './error-text.ts'
import { place, type Frame } from './origins.ts'

/** What an exception handler is told. */
export interface ExceptionContext {
  message: string
  /** What it is about, where that is nothing but a failure: never match the message. */
  kind?: 'never-awaited' | 'never-retrieved'
  exception?: unknown
  task?: Task<unknown>
  future?: Future<unknown>
  handle?: Handle
  /** Where the object in question was made, newest frame first; in debug mode. */
  createdAt?: Frame[]
}

export type ExceptionHandler = (loop: EventLoop, context: ExceptionContext) => void

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

/** Hand `context` to `handler`; if that throws, write both to the log. Never throws. */
export function handOver(loop: EventLoop, handler: ExceptionHandler, context: ExceptionContext): void {
  try {
    handler(loop, context)
  } catch (error) {
    try {
      reportContext(loop.host, { message: 'the exception handler itself threw', exception: error })
      reportContext(loop.host, context)
    } catch {
      // There is nowhere left to say it.
    }
  }
}
