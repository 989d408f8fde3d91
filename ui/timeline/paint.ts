// Draws the lanes: bars, labels, caps, marks, wake-ups, and the names beside them.
import { lowerBound } from '../../src/events/lower-bound.ts'
import { duration, waitLabel } from '../recording/explain.ts'
import { GHOST, READY, RUNNING, THREAD, WAITING, YIELDING, type Lane, type Mark, type Outcome } from '../recording/track.ts'
import { addLane, addMerged, barOf, KINDS, newBars, ROOMY, type Bars } from './bars.ts'
import { within, type Row } from './packing.ts'
import { READABLE, THINNEST, type Strip } from './rows.ts'
import type { Scene } from './scene.ts'
import { withAlpha } from './theme.ts'
import type { Viewport } from './viewport.ts'

/** Paints the rows. */
export function paintLanes(scene: Scene): void {
  const { context, theme, rows, view, top, height } = scene
  paintPart(scene, rows.strips, rows.top, height)
  if (rows.layout.pinned > 0) {
    paintPart(scene, rows.pinnedStrips, top, rows.top)
    context.fillStyle = theme.colours.line
    context.fillRect(0, rows.top - 2, view.left + view.width, 2)
  }
  context.save()
  context.beginPath()
  context.rect(0, top, view.left + view.width, height - top)
  context.clip()
  paintWakes(scene)
  context.restore()
}

/** Strips in a part of the canvas. */
function paintPart(scene: Scene, strips: readonly Strip[], top: number, bottom: number): void {
  const { context, theme, view, now } = scene
  const bars = newBars()
  context.save()
  context.beginPath()
  context.rect(0, top, view.left + view.width, bottom - top)
  context.clip()
  paintRows(scene, strips)
  const ends: [lane: Lane, strip: Strip][] = []
  for (const strip of strips) {
    const { y, height } = strip
    const lanes = lanesOf(strip, view)
    if (strip.rows.length > 1) addMerged(bars, lanes, view, y, height, THINNEST, now)
    else if (lanes.length > view.width / 8) addMerged(bars, lanes, view, barOf(y, height).top, barOf(y, height).tall, 2, now)
    else {
      for (const lane of lanes) {
        addLane(bars, lane, view, y, height, now)
        if (height >= READABLE && (strip.rows[0]?.lanes.length === 1 || lane.outcome === 'raised' || ((lane.endedAt ?? now) - lane.begunAt) * view.scale > 24)) ends.push([lane, strip])
      }
    }
  }
  for (const state of KINDS) {
    const list = bars.rects[state]
    if (list.length === 0) continue
    context.fillStyle = theme.fills[state]
    for (let at = 0; at < list.length; at += 4) context.fillRect(list[at] as number, list[at + 1] as number, list[at + 2] as number, list[at + 3] as number)
  }
  paintSelected(scene, strips)
  const height = strips[0]?.height ?? 0
  if (height >= READABLE) {
    outline(scene, bars)
    paintWords(scene, bars, height)
    for (const [lane, { y }] of ends) paintEnds(scene, lane, y, height)
  }
  context.restore()
}

/** The lanes of a strip that a window shows. */
function lanesOf({ rows }: Strip, { from, to }: Viewport): Lane[] {
  const shown: Lane[] = []
  for (const { lanes } of rows) {
    if (lanes.length === 1) shown.push(lanes[0] as Lane)
    else {
      const { first, end } = within(lanes, from, to)
      for (let at = first; at < end; at++) shown.push(lanes[at] as Lane)
    }
  }
  return shown
}

/** Faint lines between rows, and the background of the selected lane and of the one under the pointer. */
function paintRows(scene: Scene, strips: readonly Strip[]): void {
  const { context, theme: { colours }, view, selected, hovered } = scene
  const right = view.left + view.width
  for (const id of new Set([hovered, selected])) {
    const strip = stripOf(scene, strips, id)
    if (strip === undefined) continue
    context.fillStyle = withAlpha(id === selected ? colours.focus : colours.ink, id === selected ? 0.14 : 0.05)
    context.fillRect(0, strip.y, right, strip.height)
  }
  for (const { rows: [row], y, height } of strips) {
    if (row?.kind === 'title') {
      context.fillStyle = colours.raised
      context.fillRect(0, y, right, height - 1)
    }
    if (height >= READABLE) {
      context.fillStyle = colours['line-soft']
      context.fillRect(view.left, Math.round(y + height) - 1, view.width, 1)
    }
  }
}

/** A frame around the selected lane, where it shares its strip with others. */
function paintSelected(scene: Scene, strips: readonly Strip[]): void {
  const { context, theme, view, recording, selected } = scene
  const strip = stripOf(scene, strips, selected)
  const lane = recording.lanes.get(selected as number)
  if (strip === undefined || lane === undefined || (strip.rows.length === 1 && strip.rows[0]?.lanes.length === 1)) return
  const x = Math.max(view.left, view.x(lane.begunAt) - 2)
  context.strokeStyle = theme.colours.focus
  context.lineWidth = 1.5
  context.strokeRect(x, strip.y + 1, Math.max(4, Math.min(view.left + view.width, view.x(lane.endedAt ?? view.to) + 2) - x), Math.max(3, strip.height - 3))
}

function stripOf({ rows }: Scene, strips: readonly Strip[], lane: number | null): Strip | undefined {
  const row = lane === null ? undefined : rows.layout.rowOf(lane)
  return row && strips.find((strip) => strip.rows.includes(row))
}

/** Borders of patterned bars, so that they are visible on any background. */
function outline({ context, theme }: Scene, bars: Bars): void {
  context.lineWidth = 1
  for (const [state, colour, dashes] of [[READY, theme.colours.ready, []], [THREAD, theme.colours.thread, []], [GHOST, theme.colours.ghost, [3, 3]]] as const) {
    const list = bars.rects[state]
    context.strokeStyle = withAlpha(colour, 0.75)
    context.setLineDash([...dashes])
    context.beginPath()
    for (let at = 0; at < list.length; at += 4) {
      if ((list[at + 2] as number) < 3) continue
      context.rect((list[at] as number) + 0.5, (list[at + 1] as number) + 0.5, (list[at + 2] as number) - 1, (list[at + 3] as number) - 1)
    }
    context.stroke()
  }
  context.setLineDash([])
}

function paintWords({ context, theme, recording, view }: Scene, bars: Bars, rowHeight: number): void {
  const { colours } = theme
  context.textBaseline = 'middle'
  context.font = `12px ${theme.font}`
  for (const { lane, index, state, x, width, y } of bars.wide) {
    const info = lane.infos[index]
    let text = ''
    if (state === WAITING) {
      const span = lane.span(index)
      const end = span.to ?? span.info?.on?.deadline
      text = waitLabel(info?.on, recording)
      if (info?.on?.kind === 'sleep' && end !== undefined) text = `sleep ${duration((info.on.deadline ?? end) - span.from)}`
    } else if (state === READY) text = info?.inLine === true ? 'in line, unread' : 'ready'
    else if (state === RUNNING) text = 'running'
    else if (state === THREAD) text = lane.kind === 'thread' ? lane.coroutine : 'in a thread'
    else if (state === GHOST) text = 'detached'
    else if (state === YIELDING) text = `yields ${lane.counted(index).own.toLocaleString('en')} times`
    if (text === '') continue
    // Its right end is left to the mark of an outcome.
    const room = width - 16
    const shown = fit(context, text, room)
    if (shown === '') continue
    const left = Math.max(x, view.left) + 6
    const bar = barOf(y, rowHeight)
    const middle = bar.top + bar.tall / 2
    const measured = context.measureText(shown).width
    if (state === RUNNING) context.fillStyle = colours['on-running']
    else {
      // A label on a pattern or on a thin line gets a gap in it.
      context.fillStyle = colours.ground
      context.fillRect(left - 3, middle - 6.5, measured + 6, 13)
      context.fillStyle = state === WAITING ? colours['ink-soft'] : state === READY || state === YIELDING ? colours.ready : colours.thread
    }
    context.fillText(shown, left, middle + 0.5)
  }
  for (const { x, width, y, count } of bars.crowds) {
    const text = `×${count}`
    const measured = context.measureText(text).width
    const left = x + width / 2 - measured / 2
    context.fillStyle = withAlpha(colours.ground, 0.86)
    const bar = barOf(y, rowHeight)
    const middle = bar.top + bar.tall / 2
    context.fillRect(left - 3, middle - 6.5, measured + 6, 13)
    context.fillStyle = colours['ink-soft']
    context.fillText(text, left, middle + 0.5)
  }
}

/** The beginning and end of a lane, its printed lines and its cancellations. */
function paintEnds(scene: Scene, lane: Lane, y: number, rowHeight: number): void {
  const { context, theme, view } = scene
  const { colours } = theme
  const bar = barOf(y, rowHeight)
  const middle = bar.top + bar.tall / 2
  if (!lane.partial && lane.createdAt >= view.from && lane.createdAt <= view.to) {
    context.fillStyle = colours['ink-faint']
    context.fillRect(view.x(lane.createdAt) - 0.5, bar.top, 1, bar.tall)
  }
  paintMarks(scene, lane, y, rowHeight)
  if (lane.endedAt !== null && lane.endedAt >= view.from && lane.endedAt <= view.to && lane.outcome !== null) {
    const x = view.x(lane.endedAt)
    const colour = lane.outcome === 'raised' ? colours.red : lane.outcome === 'cancelled' ? colours['ink-soft'] : colours.good
    const radius = Math.min(6.5, bar.tall / 2)
    context.fillStyle = colours.ground
    context.strokeStyle = colour
    context.lineWidth = 1.4
    context.beginPath()
    context.arc(x, middle, radius, 0, 7)
    context.fill()
    context.stroke()
    context.beginPath()
    for (const [dx, dy, ex, ey] of CAPS[lane.outcome]) {
      context.moveTo(x + dx * radius, middle + dy * radius)
      context.lineTo(x + ex * radius, middle + ey * radius)
    }
    context.stroke()
  }
}

/** Where a mark is and points: what is printed comes out at the top, messages come in and go out at the bottom, as a cancellation comes in. */
function styleOf(mark: Mark): { colour: 'ink' | 'red' | 'focus' | 'accent'; above: boolean; down: boolean } {
  switch (mark.type) {
    case 'task.printed': return { colour: 'ink', above: true, down: true }
    case 'task.cancelling': return { colour: 'red', above: false, down: false }
    case 'request.message': return mark.direction === 'receive' ? { colour: 'focus', above: false, down: false } : { colour: 'accent', above: false, down: true }
  }
}

function paintMarks({ context, theme, view }: Scene, lane: Lane, y: number, rowHeight: number): void {
  const { colours } = theme
  const { marks } = lane
  let free = -Infinity
  /** The last mark of each kind: a pixel shows at most one. */
  const drawn = new Map<string, number>()
  for (let at = lane.firstMark(view.from); at < marks.length; at++) {
    const mark = marks[at] as Mark
    if (mark.t > view.to) break
    const x = view.x(mark.t)
    const { colour, above, down } = styleOf(mark)
    if (x - (drawn.get(colour) ?? -Infinity) < 1) continue
    drawn.set(colour, x)
    context.fillStyle = colours[colour]
    triangle(context, x, above ? y + 1 : y + rowHeight - 7, down)
    // Messages have their texts in the tooltip and beside the lanes.
    if (mark.type !== 'task.printed' || rowHeight < ROOMY || x <= free) continue
    context.font = `12px ${theme.mono}`
    const next = marks[at + 1]
    const whole = mark.text.slice(0, 48)
    let text = fit(context, whole, (next === undefined ? view.left + view.width : view.x(next.t)) - x - 14)
    let left = x + 4
    if (text !== whole && next === undefined) {
      // At the window's edge, the text is left of its mark if there is room.
      const wide = context.measureText(whole).width + 6
      if (x - 4 - wide > Math.max(free, view.left)) {
        text = whole
        left = x - 4 - wide
      }
    }
    if (text === '') continue
    const width = context.measureText(text).width
    context.fillStyle = withAlpha(colours.ground, 0.88)
    context.fillRect(left, y + 1, width + 6, 14)
    context.fillStyle = colours.ink
    context.textBaseline = 'middle'
    context.fillText(text, left + 3, y + 8.5)
    free = x + width + 14
  }
}

function triangle(context: CanvasRenderingContext2D, x: number, top: number, down: boolean): void {
  const [base, tip] = down ? [top, top + 5.5] : [top + 5.5, top]
  context.beginPath()
  context.moveTo(x - 3.5, base)
  context.lineTo(x + 3.5, base)
  context.lineTo(x, tip)
  context.fill()
}

/** ✓, ✕ and the stroke of ⊘ as lines, within a radius of 1. */
const CAPS: Record<Outcome, readonly (readonly [x0: number, y0: number, x1: number, y1: number])[]> = {
  returned: [[-0.45, 0.05, -0.1, 0.4], [-0.1, 0.4, 0.5, -0.35]],
  raised: [[-0.4, -0.4, 0.4, 0.4], [-0.4, 0.4, 0.4, -0.4]],
  cancelled: [[-0.7, 0.7, 0.7, -0.7]],
}

const MOST_WAKES = 400

/** Wake-ups as arrows between rows: for the selected task, and for all tasks if there are few enough. */
function paintWakes({ context, theme, recording, view, rows, selected, hovered }: Scene): void {
  if (rows.height < READABLE) return
  const { t, by, task } = recording.lanes.wakes
  const middleOf = (row: Row): number => {
    const bar = barOf(rows.y(row), rows.heightOf(row))
    return bar.top + bar.tall / 2
  }
  const first = lowerBound(t.length, (index) => (t[index] as number) < view.from)
  const last = Math.min(first + 20_000, lowerBound(t.length, (index) => (t[index] as number) <= view.to))
  const all = last - first <= MOST_WAKES
  const chosen = selected ?? hovered
  if (!all && chosen === null) return
  const drawn = { faint: [] as number[], bright: [] as number[] }
  for (let at = first; at < last; at++) {
    const mine = by[at] === chosen || task[at] === chosen
    if (!mine && !all) continue
    const from = rows.layout.rowOf(by[at] as number)
    const to = rows.layout.rowOf(task[at] as number)
    if (from === undefined || to === undefined || from === to) continue
    const list = mine ? drawn.bright : drawn.faint
    if (list.length > MOST_WAKES * 3) break
    list.push(view.x(t[at] as number), middleOf(from), middleOf(to))
  }
  for (const [list, colour, width] of [[drawn.faint, withAlpha(theme.colours.ink, 0.28), 1], [drawn.bright, theme.colours.focus, 1.6]] as const) {
    if (list.length === 0) continue
    context.strokeStyle = colour
    context.fillStyle = colour
    context.lineWidth = width
    context.beginPath()
    for (let at = 0; at < list.length; at += 3) {
      const x = list[at] as number
      const y0 = list[at + 1] as number
      const y1 = list[at + 2] as number
      const bow = Math.min(14, 4 + Math.abs(y1 - y0) / 12)
      context.moveTo(x, y0)
      context.bezierCurveTo(x + bow, y0, x + bow, y1, x + 2, y1)
    }
    context.stroke()
    context.beginPath()
    for (let at = 0; at < list.length; at += 3) {
      const x = list[at] as number
      const y1 = list[at + 2] as number
      context.moveTo(x, y1)
      context.lineTo(x + 5.5, y1 - 3)
      context.lineTo(x + 5.5, y1 + 3)
    }
    context.fill()
  }
}

/** The names, each indented under its parent. */
export function paintGutter(scene: Scene): void {
  const { context, rows, top, height, gutter } = scene
  for (const [strips, from, to] of [[rows.strips, rows.top, height], [rows.pinnedStrips, top, rows.top]] as const) {
    context.save()
    context.beginPath()
    context.rect(0, from, gutter, to - from)
    context.clip()
    for (const strip of strips) if (strip.height >= READABLE) paintName(scene, strip)
    context.restore()
  }
}

/** What a row of several lanes is called. */
function nameOf({ lanes, title, kind }: Row): string {
  const [lane] = lanes
  if (kind === 'title') return title
  if (lanes.length > 1) return `${title} ×${lanes.length.toLocaleString('en-US')}`
  const name = lane?.name ?? ''
  return kind === 'culprit' ? `■ ${name}` : kind === 'victim' ? `▨ ${name} ${title}` : lane?.kind === 'thread' ? `◫ ${name}` : name
}

function paintName({ context, theme, gutter, selected, now, hueOf }: Scene, { rows: [row], y, height: rowHeight }: Strip): void {
  if (row === undefined) return
  const { colours } = theme
  const bar = barOf(y, rowHeight)
  const middle = row.kind === 'title' ? y + rowHeight / 2 : bar.top + bar.tall / 2
  const lane = row.lanes.length === 1 ? row.lanes[0] as Lane : undefined
  const indent = 12 + Math.min(row.depth, 6) * 12
  const hue = hueOf(lane)
  if (hue !== null) {
    context.fillStyle = hue
    context.fillRect(0, y + 2, 3, rowHeight - 4)
  }
  if (row.depth > 0) {
    context.strokeStyle = colours.line
    context.lineWidth = 1
    context.beginPath()
    context.moveTo(indent - 8.5, y)
    context.lineTo(indent - 8.5, Math.round(middle) + 0.5)
    context.lineTo(indent - 3, Math.round(middle) + 0.5)
    context.stroke()
  }
  const bold = row.kind === 'title' || row.kind === 'culprit' || lane?.id === selected
  const thread = lane?.kind === 'thread'
  const ended = lane === undefined ? row.kind !== 'title' : lane.endedAt !== null && lane.endedAt <= now
  context.textBaseline = 'middle'
  context.font = `${bold ? '600 ' : ''}12px ${thread ? theme.mono : theme.font}`
  context.fillStyle = row.kind === 'culprit' ? colours.red : row.kind === 'victim' ? colours.ready : thread ? colours.thread : ended ? colours['ink-soft'] : colours.ink
  context.fillText(fit(context, nameOf(row), gutter - indent - 8), indent + 2, middle + 0.5)
}

/** As much of a text as fits, with an ellipsis; nothing if fewer than three characters fit. */
export function fit(context: CanvasRenderingContext2D, text: string, room: number): string {
  if (room < 12) return ''
  if (text.length > 200) text = text.slice(0, 200)
  const full = context.measureText(text).width
  if (full <= room) return text
  const keep = Math.floor(text.length * room / full) - 1
  return keep < 3 ? '' : `${text.slice(0, keep)}…`
}
