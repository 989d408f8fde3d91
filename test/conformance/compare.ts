// Runs programs on both sides and finds where the traces differ.
import type { Oracle, Trace } from './oracle.ts'
import { Coverage } from './coverage.ts'
import { generate } from './generate.ts'
import { toPython } from './python.ts'
import type { RuntimeModule } from './runtime.ts'
import { runOurs } from './subject.ts'
import type { Program } from './tree.ts'
import { toTypeScript } from './typescript.ts'

export interface Mismatch {
  index: number
  program: Program
  ours: Trace
  theirs: Trace
}

export interface Outcome {
  compared: number
  givenUp: number
  lines: number
  mismatches: Mismatch[]
  coverage: Coverage
}

const namesOf = (program: Program): string[] => program.variables.map(({ name }) => name)

export function runTheirs(oracle: Oracle, programs: Program[]): Trace[] {
  return oracle.run(programs.map((program) => ({ source: toPython(program), left: namesOf(program) })))
}

export function runOne(runtime: RuntimeModule, program: Program): Promise<Trace> {
  return runOurs(runtime, { source: toTypeScript(program), left: namesOf(program) })
}

/**
 * The first line in which two traces differ, or null. If both were given up they are compared as far as CPython's goes: its
 * loop stops within the iteration, ours at the end of it.
 */
export function difference(ours: Trace, theirs: Trace): number | null {
  const until = !ours.ended && !theirs.ended ? theirs.lines.length : Math.max(ours.lines.length, theirs.lines.length)
  for (let i = 0; i < until; i++) if (ours.lines[i] !== theirs.lines[i]) return i
  return ours.ended === theirs.ended ? null : until
}

export interface Settings {
  oracle: Oracle
  runtime: RuntimeModule
  seed: number
  start: number
  programs: number
  /** Stops at this many mismatches. */
  most?: number
  progress?: (done: number, outcome: Outcome) => void
}

const BATCH = 50

/** Compares `programs` programs of a seed, from number `start` on. */
export async function compare({ oracle, runtime, seed, start, programs, most = 1, progress }: Settings): Promise<Outcome> {
  const outcome: Outcome = { compared: 0, givenUp: 0, lines: 0, mismatches: [], coverage: new Coverage() }
  for (let from = 0; from < programs; from += BATCH) {
    const batch = Array.from({ length: Math.min(BATCH, programs - from) }, (_, i) => generate(seed, start + from + i))
    const traces = runTheirs(oracle, batch)
    for (const [i, program] of batch.entries()) {
      const theirs = traces[i] as Trace
      const ours = await runOne(runtime, program)
      outcome.compared++
      outcome.lines += theirs.lines.length
      if (!theirs.ended) outcome.givenUp++
      outcome.coverage.add(program, theirs.lines)
      if (difference(ours, theirs) === null) continue
      outcome.mismatches.push({ index: start + from + i, program, ours, theirs })
      if (outcome.mismatches.length >= most) return outcome
    }
    progress?.(from + batch.length, outcome)
  }
  return outcome
}

/** Whether a program's two traces differ: what shrinking keeps. */
export function differs(oracle: Oracle, runtime: RuntimeModule): (program: Program) => Promise<boolean> {
  return async (program) => {
    const [theirs] = runTheirs(oracle, [program])
    return theirs !== undefined && difference(await runOne(runtime, program), theirs) !== null
  }
}
