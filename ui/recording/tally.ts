// What a task did up to a moment, in figures: its steps, the longest of them, how long the others were, and where its time went.
import { lowerBound } from '../../src/events/lower-bound.ts'
import { RUNNING, splitOf, YIELDING, type Lane, type Split } from './track.ts'

/** A histogram has a bar for steps below each of these seconds, and one for those above. */
export const BOUNDS = [1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1] as const

export interface Tally extends Split {
  steps: number
  longest: number
  /** How many steps took how long, by `BOUNDS`. */
  histogram: number[]
}

export function tallyOf(lane: Lane, until: number): Tally {
  const end = Math.min(until, lane.endedAt ?? until)
  const tally: Tally = { ...splitOf(lane, -Infinity, end), steps: 0, longest: 0, histogram: Array.from({ length: BOUNDS.length + 1 }, () => 0) }
  const add = (seconds: number, times: number): void => {
    tally.steps += times
    tally.longest = Math.max(tally.longest, seconds)
    const bar = lowerBound(BOUNDS.length, (index) => (BOUNDS[index] as number) <= seconds)
    tally.histogram[bar] = (tally.histogram[bar] as number) + times
  }
  lane.eachState(-Infinity, end, end, (state, from, to, index) => {
    const seconds = Math.max(0, Math.min(end, to) - from)
    if (state === RUNNING) add(seconds, 1)
    else if (state === YIELDING) {
      const { own, all } = lane.counted(index)
      if (own > 0) add(seconds / Math.max(own, all), own)
    }
  })
  return tally
}

export type Column = 'tree' | 'state' | 'run' | 'steps' | 'longest' | 'ready' | 'wait'

/** Sorts by a column, the largest first; `tree` leaves the order as it is. */
export function sortBy<Row extends { tally: Tally; since: number }>(rows: Row[], column: Column, upwards: boolean): Row[] {
  if (column !== 'tree') {
    const valueOf = ({ tally, since }: Row): number => column === 'state' ? -since : tally[column]
    rows.sort((a, b) => valueOf(b) - valueOf(a))
  }
  return upwards ? rows.reverse() : rows
}
