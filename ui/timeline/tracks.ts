// Figures over time that belong to no task: how full the queues are, and how many tasks wait for each lock.
import { lowerBound } from '../../src/events/lower-bound.ts'
import type { Recording } from '../recording.ts'

/** The most tracks of each kind. There is more room in the panel Queues. */
const MOST = 2

export interface Track {
  readonly label: string
  readonly points: readonly { readonly t: number }[]
  readonly valueOf: (index: number) => number
  /** The bound of a queue; 0: none. */
  readonly bound: number
  readonly unit: string
}

/** The queues and locks with something to show in a window, the ones that changed last first. */
export function tracksOf({ queues, locks }: Recording, from: number, to: number): Track[] {
  const tracks: Track[] = []
  for (const track of [...queues.all.values()].reverse()) {
    if (tracks.length === MOST) break
    const valueOf = (index: number): number => track.points[index]?.size ?? 0
    if (isActive(track.points, valueOf, from, to)) tracks.push({ label: `queue ${track.id}`, points: track.points, valueOf, bound: track.maxsize, unit: 'in it' })
  }
  const found = tracks.length
  for (const track of [...locks.all.values()].reverse()) {
    if (tracks.length === found + MOST) break
    const valueOf = (index: number): number => track.points[index]?.waiting ?? 0
    if (isActive(track.points, valueOf, from, to)) tracks.push({ label: track.label.replace(/^<|>$/g, ''), points: track.points, valueOf, bound: 0, unit: 'wait' })
  }
  return tracks
}

/** Whether it is not empty all the time. */
function isActive(points: Track['points'], valueOf: Track['valueOf'], from: number, to: number): boolean {
  const first = lowerBound(points.length, (index) => (points[index] as { t: number }).t < from)
  if (first > 0 && valueOf(first - 1) > 0) return true
  const next = points[first]
  return next !== undefined && next.t <= to
}
