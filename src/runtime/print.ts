// print(): a line of the current task. It goes to the output of the run that the task belongs to, and to whoever watches.
import { ContextVar } from './context.ts'
import { defaultHost } from './host.ts'
import { running } from './running.ts'

/** Where the lines of a context go; without one, to the host's console. */
export const output = new ContextVar<((line: string) => void) | null>('output', { default: null })

/** Print values as one line, separated by spaces, as the host's console would. */
export function print(...values: unknown[]): void {
  const { loop } = running
  const host = loop?.host ?? defaultHost()
  const line = host.format(values)
  const probe = loop?.probe ?? null
  if (probe !== null) probe.tell('printed', running.task, line)
  const sink = output.get()
  if (sink !== null) sink(line)
  else host.write(line)
}
