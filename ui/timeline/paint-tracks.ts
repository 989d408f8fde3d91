// Figures over time on the lanes' own axis, above the lanes: how full the queues are, and how many tasks wait for each lock.
import { lowerBound } from '../../src/events/lower-bound.ts'
import type { Recording } from '../recording.ts'
import type { Scene } from './scene.ts'
import { fit } from './paint.ts'
import { withAlpha } from './theme.ts'

/** The most tracks of each kind. There is more room in the panel Queues. */
const MOST = 2
export const TRACK = 24

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

export function paintTracks({ context, theme, view, tracks, tracksTop, gutter, now, cursor }: Scene): void {
  const { colours } = theme
  tracks.forEach(({ label, points, valueOf, bound, unit }, row) => {
    const y = tracksTop + row * TRACK
    const first = Math.max(0, lowerBound(points.length, (index) => (points[index] as { t: number }).t < view.from) - 1)
    const last = lowerBound(points.length, (index) => (points[index] as { t: number }).t <= view.to)
    let most = bound
    if (bound === 0) for (let at = first; at < last; at++) most = Math.max(most, valueOf(at))
    const tall = TRACK - 6
    const base = y + TRACK - 2
    const heightOf = (value: number): number => value <= 0 ? 0 : Math.max(1.5, Math.min(1, value / Math.max(1, most)) * tall)
    context.save()
    context.beginPath()
    context.rect(view.left, y, view.width, TRACK)
    context.clip()
    // A pixel shows the most that there was in it.
    let x = -1
    let high = 0
    const draw = (from: number, to: number, value: number): void => {
      const full = bound > 0 && value >= bound
      context.fillStyle = full ? colours.amber : withAlpha(colours.thread, 0.55)
      context.fillRect(from, base - heightOf(value), Math.max(1, to - from), heightOf(value))
    }
    for (let at = first; at < last; at++) {
      const value = valueOf(at)
      const begin = Math.floor(Math.max(view.left, view.x((points[at] as { t: number }).t)))
      const end = Math.min(view.left + view.width, at + 1 < points.length ? view.x((points[at + 1] as { t: number }).t) : view.x(Math.max(now, (points[at] as { t: number }).t)))
      high = begin === x ? Math.max(high, value) : value
      x = begin
      if (end - begin > 1 || high > 0) draw(begin, Math.max(begin + 1, end), end - begin > 1 ? value : high)
    }
    context.restore()
    context.fillStyle = colours.ground
    context.fillRect(0, y, gutter - 1, TRACK)
    const at = lowerBound(points.length, (index) => (points[index] as { t: number }).t <= (cursor ?? now)) - 1
    const value = at < 0 ? 0 : valueOf(at)
    context.fillStyle = colours['ink-soft']
    context.font = `12px ${theme.font}`
    context.textBaseline = 'middle'
    context.fillText(fit(context, `${label} · ${value}${bound > 0 ? ` of ${bound}` : ''} ${unit}`, gutter - 16), 12, y + TRACK / 2 + 1)
    context.fillStyle = colours['line-soft']
    context.fillRect(0, y + TRACK - 1, view.left + view.width, 1)
  })
}
