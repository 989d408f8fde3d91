// How long the host has been idle: between two equal answers it had no idle moment.
import { performance } from 'node:perf_hooks'

/** If its idle time has grown by more than this many ms, the host was idle: all earlier input has been read. */
export const IDLE_MS = 1

/** Milliseconds that this thread's host has been idle since it began. */
export function idleTime(): number {
  return (performance.nodeTiming as unknown as { idleTime: number }).idleTime
}
