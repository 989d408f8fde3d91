// print(): writes a line to the output of the current task's run, and to its observers.
import { ContextVar, type Token } from './context.ts'
import { defaultHost } from './host.ts'
import { running } from './running.ts'

/** The output of a context; by default the host's console. */
const output = new ContextVar<((line: string) => void) | null>('output', { default: null })

/**
 * From now on, what the current task and the tasks that it creates print goes to `write`, line by line; `null` is the host's
 * console. The token ends that, with `using` at the end of a block.
 */
export function printTo(write: ((line: string) => void) | null): Token<((line: string) => void) | null> {
  return output.set(write)
}

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
