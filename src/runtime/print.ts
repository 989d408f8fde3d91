// print(): writes a line to the output of the current task's run, and to its observers.
import { ContextVar } from './context.ts'
import { defaultHost } from './host.ts'
import { running } from './running.ts'

/** The output of a context; by default the host's console. */
export const output = new ContextVar<((line: string) => void) | null>('output', { default: null })

/** Print values as one line, separated by spaces, as the host's console does. */
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
