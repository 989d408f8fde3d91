// Sleeps like Python's time.sleep(): the thread is blocked, and everything else on it waits.
import { requireBetween } from './checks.ts'

const cell = new Int32Array(new SharedArrayBuffer(4))

/** Blocks this thread for `seconds` (0 to 60) without using the processor. Returns the seconds that it took. */
export function blockingSleep(seconds: number): number {
  requireBetween('blockingSleep', 'seconds', seconds, 0, 60)
  const began = performance.now()
  Atomics.wait(cell, 0, 0, seconds * 1000)
  return (performance.now() - began) / 1000
}
