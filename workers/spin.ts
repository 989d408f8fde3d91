// Keeps the processor busy: what a calculation in the wrong place does.
import { requireBetween } from './checks.ts'

/** Calculate for `ms` milliseconds (0 to 60,000) without a pause. Returns how many rounds that were. */
export function spin(ms: number): number {
  requireBetween('spin', 'ms', ms, 0, 60_000)
  const end = performance.now() + ms
  let rounds = 0
  while (performance.now() < end) rounds++
  return rounds
}
