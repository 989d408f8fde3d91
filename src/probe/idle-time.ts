// How long the host has waited for something to happen: between two equal answers it has had no idle moment.
import { performance } from 'node:perf_hooks'

/** The host was idle if its idle time has grown by more than so many milliseconds: whatever came before has been read. */
export const IDLE_MS = 1

/** Milliseconds that this thread's host has been idle since it began. */
export function idleTime(): number {
  return (performance.nodeTiming as unknown as { idleTime: number }).idleTime
}
