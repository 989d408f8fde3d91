// Which parts of a report are right, and which are known to be missed.
import type { Verdict } from './run.ts'

export const PARTS = ['whileItLasted', 'function', 'line', 'kind', 'request', 'noInnocent'] as const
export type Part = (typeof PARTS)[number]

/** A native function gives no stack while it runs: if it is the last that its function does, even that has returned by then. */
const NATIVE: Part[] = ['whileItLasted', 'function', 'line']

export const KNOWN_MISSES: Readonly<Record<string, readonly Part[]>> = {
  'json-parse': NATIVE, 'json-stringify': NATIVE, 'pbkdf2': NATIVE, 'pipe': NATIVE, 'exec-sync': ['whileItLasted'], 'atomics': NATIVE, 'regex': NATIVE, 'zod': ['whileItLasted'],
  // How much of its time goes into collecting depends on the Node.
  'collections': ['kind'],
}

/** On a busy machine a stall may be the machine's as well, or that of the collections that it slows down: then its kind says so. */
const OF_THE_MACHINE: readonly (string | undefined)[] = ['starved', 'garbage-collection']

export function isRight(verdict: Verdict, part: Part): boolean {
  return verdict[part] !== false || (part === 'kind' && OF_THE_MACHINE.includes(verdict.stall?.kind))
}
