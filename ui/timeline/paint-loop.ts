// Draws the loop itself: the axis, its steps, its utilisation, stalls over the full height, and the overview strip of the
// whole recording.
import { AMBER, blameOf, blockedFor, delayedBy, RED, type Stall } from '../recording/stalls.ts'
import { duration, place } from '../recording/explain.ts'
import { COUNTED } from '../recording/steps.ts'
import { milliseconds, moment } from '../recording/time.ts'
import type { Recording } from '../recording.ts'
import { fit } from './paint.ts'
import type { Scene } from './scene.ts'
import { withAlpha } from './theme.ts'

/** The width of a column of the utilisation, and the height of one that was busy all the time. */
const COLUMN = 3
const TALL = 20

/** The baselines of the loop's time and of the wall clock. */
const TIME_LINE = 11
const WALL_LINE = 27

export function paintAxis({ context, theme, view, axis, height, recording, wall, gutter }: Scene): void {
  const { colours } = theme
  context.font = `12px ${theme.font}`
  context.textBaseline = 'middle'
  const ticks = view.ticks(104, recording.zero)
  const fine = ticks.length > 1 && (ticks[1] as { t: number }).t - (ticks[0] as { t: number }).t < 0.999
  let clocked = false
  for (const { t, label } of ticks) {
    const x = Math.round(view.x(t))
    context.fillStyle = colours['line-soft']
    context.fillRect(x, axis.y + axis.height - 6, 1, height - axis.y)
    context.fillStyle = colours['ink-soft']
    context.fillText(label, x + 4, axis.y + TIME_LINE)
    const ms = wall?.(t) ?? null
    if (ms === null) continue
    clocked = true
    context.fillText(wallClock(ms, fine), x + 4, axis.y + WALL_LINE)
  }
  context.fillStyle = colours['ink-soft']
  if (wall !== null) context.fillText(fit(context, 'loop time', gutter - 16), 12, axis.y + TIME_LINE)
  if (clocked) context.fillText(fit(context, 'wall clock', gutter - 16), 12, axis.y + WALL_LINE)
  context.fillStyle = colours.line
  context.fillRect(0, axis.y + axis.height - 1, view.left + view.width, 1)
}

/** The steps as blocks, and below them the utilisation: for every few pixels, the part of the time in which a step ran. */
export function paintLoop(scene: Scene): void {
  const { context, theme, recording, view, loop, now, gutter } = scene
  const { colours } = theme
  const { lanes: { steps }, holder } = recording
  const blockTop = loop.y + 6
  const blockHeight = 18
  const right = view.left + view.width
  context.save()
  context.beginPath()
  context.rect(view.left, loop.y, view.width, loop.height)
  context.clip()
  const wide: { x: number; width: number; task: number }[] = []
  context.fillStyle = colours.running
  /** Returns until when the steps that follow would share its pixel. */
  const addStep = (from: number, to: number, task: number): number => {
    const x0 = view.x(from)
    const x1 = Math.max(view.x(to), x0)
    const width = x1 - x0
    if (width < 1.5) {
      const x = Math.floor(x0)
      context.fillRect(x, blockTop, 1.4, blockHeight)
      return view.t(x + 1)
    }
    context.fillRect(x0, blockTop, width, blockHeight)
    context.fillStyle = scene.hueOf(recording.lanes.get(task)) ?? colours.running
    context.fillRect(x0, blockTop + blockHeight - 3, width, 3)
    context.fillStyle = colours.running
    if (width > 40) wide.push({ x: Math.max(x0, view.left), width: Math.min(x1, right) - Math.max(x0, view.left), task })
    return to
  }
  for (let at = steps.endedBy(view.from); at < steps.from.length && (steps.from[at] as number) <= view.to;) {
    const next = addStep(steps.from[at] as number, steps.to[at] as number, steps.task[at] as number)
    at = Math.max(at + 1, steps.endedBy(next))
  }
  if (holder !== null && holder.since <= view.to) addStep(holder.since, Math.max(holder.since, Math.min(now, view.to)), holder.lane.id)
  context.font = `12px ${theme.font}`
  context.textBaseline = 'middle'
  for (const { x, width, task } of wide) {
    context.fillStyle = colours['on-running']
    const name = task === COUNTED ? 'many steps that only yield' : recording.lanes.get(task)?.name ?? `task ${task}`
    context.fillText(fit(context, name, width - 10), x + 6, blockTop + blockHeight / 2 + 0.5)
  }
  paintUtilisation(scene)
  context.restore()
  context.fillStyle = colours.ground
  context.fillRect(0, loop.y, gutter, loop.height)
  context.fillStyle = colours.ink
  context.font = `600 12px ${theme.font}`
  context.fillText('event loop', 12, blockTop + blockHeight / 2 + 0.5)
  context.fillStyle = colours['ink-soft']
  context.font = `12px ${theme.font}`
  const busyNow = steps.utilisation(Math.max(recording.from, view.from), Math.min(now, view.to))
  context.fillText(fit(context, `${percent(busyNow)} busy`, gutter - 16), 12, loop.y + loop.height - 14)
  context.fillStyle = colours.line
  context.fillRect(0, loop.y + loop.height - 1, right, 1)
}

/** For each column of `wide` seconds: the part of it in which a step ran, and the number of steps that ended in it. */
function busyColumns({ lanes: { steps } }: Recording, from: number, to: number, wide: number, visit: (column: number, busy: number, count: number) => void): void {
  let ended = steps.endedBy(from)
  let busy = steps.busyUntil(from, ended)
  for (let column = 0; from + column * wide < to; column++) {
    const end = Math.min(to, from + (column + 1) * wide)
    const endedNext = steps.endedBy(end)
    const busyNext = steps.busyUntil(end, endedNext)
    visit(column, Math.min(1, (busyNext - busy) / wide), endedNext - ended)
    ended = endedNext
    busy = busyNext
  }
}

export function percent(part: number): string {
  if (part === 0) return '0 %'
  return part < 0.0095 ? '<1 %' : `${Math.round(part * 100)} %`
}

function paintUtilisation({ context, theme, recording, view, loop, now }: Scene): void {
  const { colours } = theme
  const end = Math.min(view.left + view.width, view.x(now))
  const begin = Math.max(view.left, view.x(recording.from))
  if (end <= begin) return
  const base = loop.y + loop.height - 5
  context.fillStyle = colours.line
  context.fillRect(begin, base, end - begin, 1)
  context.fillStyle = withAlpha(colours.running, 0.55)
  busyColumns(recording, view.from, Math.min(now, view.to), COLUMN / view.scale, (column, part) => {
    // The least that shows is one pixel; a moment without length, as in virtual time, is no part of the time.
    if (part > 0) context.fillRect(view.left + column * COLUMN, base, COLUMN, -Math.max(1, part * TALL))
  })
  context.fillStyle = colours.red
  for (const stall of recording.stalls.all) {
    const from = Math.max(begin, view.x(stall.from))
    const to = Math.min(end, view.x(stall.to ?? now))
    if (to - from > COLUMN) context.fillRect(from, base, to - from, 2)
  }
}

/** Stalls and gaps over the full height, under the lanes. */
export function paintBands({ context, theme, recording, view, now, axis, height }: Scene): void {
  const top = axis.y + axis.height
  for (const gap of recording.gaps) {
    if (gap.to < view.from || gap.from > view.to) continue
    const x = Math.max(view.left, view.x(gap.from))
    context.fillStyle = theme.stripes.gap
    context.fillRect(x, top, Math.max(3, view.x(gap.to) - x), height - top)
  }
  for (const stall of recording.stalls.all) {
    const to = stall.to ?? now
    if (to < view.from || stall.from > view.to || to - stall.from < AMBER) continue
    const x0 = Math.max(view.left, view.x(stall.from))
    const x1 = Math.min(view.left + view.width, view.x(to))
    const red = to - stall.from >= RED
    context.fillStyle = red ? theme.stripes.red : theme.stripes.amber
    context.fillRect(x0, top, Math.max(1.5, x1 - x0), height - top)
    context.fillStyle = withAlpha(red ? theme.colours.red : theme.colours.amber, 0.75)
    context.fillRect(x0, top, Math.min(1.5, x1 - x0), height - top)
    if (stall.to !== null) context.fillRect(x1 - 1, top, 1, height - top)
    context.fillRect(x0, top, Math.max(1.5, x1 - x0), 3)
  }
}

/** A label of a stall, and where it was drawn. */
export interface BandLabel {
  stall: Stall
  x: number
  y: number
  width: number
}

/** The most stalls that may get a label, the longest first. There is no room for more. */
const MOST_LABELS = 60

/** What blocked the loop, where, for how long, and what it delayed. The current stall comes first, then the longest. */
export function paintBandLabels(scene: Scene): BandLabel[] {
  const { recording, view, now, loop } = scene
  const until = ({ to }: Stall): number => to ?? now
  const shown = recording.stalls.all.filter((stall) => until(stall) >= view.from && stall.from <= view.to && until(stall) - stall.from >= AMBER)
  shown.sort((a, b) => Number(b.to === null) - Number(a.to === null) || until(b) - b.from - (until(a) - a.from))
  const placed: BandLabel[] = []
  const y = loop.y + loop.height + 4
  for (const stall of shown.slice(0, MOST_LABELS)) {
    const seconds = until(stall) - stall.from
    const frame = blameOf(stall)
    const what = `${stall.to === null ? '■ ' : ''}${blockedFor(stall, seconds)}`
    const more = [frame === null ? '' : place(frame), stall.to === null ? '' : delayedBy(stall)].filter((part) => part !== '').join(' · ')
    for (const [first, second] of [[what, more], [`${stall.name} ${milliseconds(seconds)}`, ''], [milliseconds(seconds), '']] as const) {
      const label = room(scene, stall, first, second, placed)
      if (label === null) continue
      drawLabel(scene, { ...label, y }, first, second, seconds)
      placed.push({ ...label, y })
      break
    }
  }
  return placed
}

/** The place of a label: at the beginning of its band, or further left if it would be cut off. null: no room. */
function room({ context, theme, view, now }: Scene, stall: Stall, first: string, second: string, placed: readonly BandLabel[]): { stall: Stall; x: number; width: number } | null {
  context.font = `600 12px ${theme.font}`
  let width = context.measureText(first).width
  if (second !== '') {
    context.font = `12px ${theme.font}`
    width = Math.max(width, Math.min(width + 160, context.measureText(second).width))
  }
  width += 16
  if (width > view.width - 8) return null
  const begin = Math.max(view.left + 2, view.x(stall.from) + 2)
  const x = Math.min(begin, view.left + view.width - width - 4)
  // The label has to touch its band.
  if (x + width < view.x(stall.from) || x > view.x(stall.to ?? now)) return null
  return placed.some((other) => x < other.x + other.width + 5 && other.x < x + width + 5) ? null : { stall, x, width }
}

function drawLabel({ context, theme }: Scene, { x, y, width }: BandLabel, first: string, second: string, seconds: number): void {
  const { colours } = theme
  const colour = seconds >= RED ? colours.red : colours.amber
  const height = second === '' ? 20 : 34
  context.fillStyle = withAlpha(colours.raised, 0.95)
  context.strokeStyle = colour
  context.lineWidth = 1
  context.beginPath()
  context.roundRect(x, y, width, height, 4)
  context.fill()
  context.stroke()
  context.fillStyle = colour
  context.fillRect(x, y + 3, 3, height - 6)
  context.fillStyle = colours.ink
  context.textBaseline = 'middle'
  context.font = `600 12px ${theme.font}`
  context.fillText(first, x + 9, y + 10.5)
  if (second === '') return
  context.font = `12px ${theme.font}`
  context.fillStyle = colours['ink-soft']
  context.fillText(fit(context, second, width - 16), x + 9, y + 25)
}

/** The whole recording: its utilisation, its stalls, and the window as a frame. */
export function paintOverview({ context, theme, recording, view, overview, now, width }: Scene, from: number, to: number): void {
  const { colours } = theme
  const { y, height } = overview
  context.fillStyle = colours.raised
  context.fillRect(0, y, width, height)
  const scale = width / Math.max(1e-9, to - from)
  for (const stall of recording.stalls.all) {
    const x = (stall.from - from) * scale
    const end = ((stall.to ?? now) - from) * scale
    const red = (stall.to ?? now) - stall.from >= RED
    context.fillStyle = withAlpha(red ? colours.red : colours.amber, 0.55)
    context.fillRect(x, y, Math.max(2, end - x), height)
  }
  context.fillStyle = withAlpha(colours.running, 0.65)
  busyColumns(recording, from, to, 2 / scale, (column, busy, count) => {
    // Steps without length show, too.
    const part = Math.min(1, Math.max(busy, count * 0.015))
    if (part === 0) return
    const tall = Math.max(1.5, Math.sqrt(part) * (height - 6))
    context.fillRect(column * 2, y + height - tall, 2, tall)
  })
  const x0 = Math.max(0, (view.from - from) * scale)
  const x1 = Math.min(width, (view.to - from) * scale)
  context.fillStyle = withAlpha(colours.ground, 0.62)
  context.fillRect(0, y, x0, height)
  context.fillRect(x1, y, width - x1, height)
  context.strokeStyle = colours['ink-soft']
  context.lineWidth = 1
  context.strokeRect(x0 + 0.5, y + 0.5, Math.max(3, x1 - x0 - 1), height - 1)
  context.fillStyle = colours.line
  context.fillRect(0, y + height - 1, width, 1)
}

/** A time of day: `14:03:07`, with ms if they matter. */
export function wallClock(ms: number, fine: boolean): string {
  const date = new Date(ms)
  const two = (value: number): string => String(value).padStart(2, '0')
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}${fine ? `.${String(date.getMilliseconds()).padStart(3, '0')}` : ''}`
}

/** The measured stretch: its edges, and its length at the axis. */
export function paintRange({ context, theme, view, range, axis, height }: Scene): void {
  if (range === null || range.to < view.from || range.from > view.to) return
  const { colours } = theme
  const x0 = Math.max(view.left, view.x(range.from))
  const x1 = Math.min(view.left + view.width, view.x(range.to))
  context.fillStyle = withAlpha(colours.focus, 0.12)
  context.fillRect(x0, axis.y, Math.max(1, x1 - x0), height)
  context.fillStyle = colours.focus
  for (const [t, x] of [[range.from, x0], [range.to, x1]] as const) if (t >= view.from && t <= view.to) context.fillRect(x - 0.75, axis.y, 1.5, height)
  const text = duration(range.to - range.from)
  context.font = `600 12px ${theme.font}`
  const width = context.measureText(text).width + 12
  const left = Math.max(view.left, Math.min((x0 + x1 - width) / 2, view.left + view.width - width))
  context.beginPath()
  context.roundRect(left, axis.y + axis.height - 19, width, 17, 4)
  context.fill()
  context.fillStyle = colours.ground
  context.textBaseline = 'middle'
  context.fillText(text, left + 6, axis.y + axis.height - 10)
}

/** The lines at the present and at the cursor. */
export function paintCursors({ context, theme, recording, view, now, follow, cursor, axis, height }: Scene): void {
  const { colours } = theme
  if (follow && now >= view.from && now <= view.to) {
    const x = view.x(now)
    context.fillStyle = withAlpha(colours.accent, 0.55)
    context.fillRect(x, axis.y + axis.height, 1, height)
  }
  if (cursor === null || cursor < view.from || cursor > view.to) return
  const x = view.x(cursor)
  context.fillStyle = colours.focus
  context.fillRect(x - 0.75, axis.y + 4, 1.5, height)
  const text = moment(cursor - recording.zero, 6)
  context.font = `600 12px ${theme.font}`
  const width = context.measureText(text).width + 12
  const left = Math.max(view.left, Math.min(x - width / 2, view.left + view.width - width))
  context.beginPath()
  context.roundRect(left, axis.y + 2, width, 17, 4)
  context.fill()
  context.fillStyle = colours.ground
  context.textBaseline = 'middle'
  context.fillText(text, left + 6, axis.y + 11)
}
