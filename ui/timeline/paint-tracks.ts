// Draws figures over time on the lanes' own axis, above the lanes.
import { lowerBound } from '../../src/events/lower-bound.ts'
import { fit } from './paint.ts'
import type { Scene } from './scene.ts'
import { withAlpha } from './theme.ts'

export const TRACK = 24

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
