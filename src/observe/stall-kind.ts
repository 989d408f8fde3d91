// Judges what kind of freeze a stall is, from the figures of the kernel and what the stacks show. The kind is what took most of
// the stall's time; if no cause outside of the program took half of it, most of the rest. Where nothing is known, nothing is guessed.
import type { StallFigures, StallKind } from '../events/schema.ts'
import type { Turns } from './stack-samples.ts'

export interface Evidence {
  seconds: number
  figures: StallFigures
  /** A debugger has paused the thread. */
  paused: boolean
  /** The thread spends its processor time in the kernel. */
  inKernel: boolean
  turns: Turns
  /** Known steps, each too short to be a stall, that together are one. */
  together: boolean
  /** A stack was taken, or a step is known: the program's own code runs. */
  code: boolean
  /** Most of the time native code gave no stack. */
  native: boolean
}

/** Another one has begun at least this many times: a microtask between two answers is a sign that they go on and on. */
const MANY_CALLBACKS = 3
const MANY_MICROTASKS = 2

export function kindOf({ seconds, figures, paused, inKernel, turns, together, code, native }: Evidence): StallKind {
  const { ran, slept = 0, starved = 0, stopped = 0, collected = 0 } = figures
  if (paused) return 'debugger'
  if (stopped >= seconds / 2) return 'suspended'
  if (starved >= seconds / 2) return 'starved'
  // While it collects garbage, the thread also waits for the threads that help.
  if (collected >= (seconds - stopped - starved) / 2) return 'garbage-collection'
  if (inKernel || slept > (ran ?? slept)) return 'system-call'
  if (together) return 'callbacks'
  const micro = turns.micro >= turns.seconds / 2
  if (turns.changes >= (micro ? MANY_MICROTASKS : MANY_CALLBACKS) && turns.longest < turns.seconds / 2) return micro ? 'microtasks' : 'callbacks'
  // Without the kernel, a thread that gives no stack may as well sleep.
  if (native) return ran === undefined ? 'unknown' : 'native'
  return code ? 'javascript' : 'unknown'
}
