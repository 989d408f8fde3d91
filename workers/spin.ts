// Keeps the processor busy, like a calculation in the wrong place.
import { requireBetween } from './checks.ts'

/** Calculates for `ms` milliseconds (0 to 60,000) without a pause. Returns the number of rounds. */
export function spin(ms: number): number {
  requireBetween('spin', 'ms', ms, 0, 60_000)
  const end = performance.now() + ms
  let rounds = 0
  while (performance.now() < end) rounds++
  return rounds
}
