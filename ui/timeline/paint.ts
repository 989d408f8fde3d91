// Draws the lanes: bars, labels, caps, marks, wake-ups, and the names beside them.
import { lowerBound } from '../../src/events/lower-bound.ts'
import { CAP_GLYPH } from './words.ts'
import { waitLabel, duration } from '../recording/explain.ts'
import { GHOST, READY, RUNNING, THREAD, WAITING, YIELDING, type Lane, type Mark } from '../recording/track.ts'
import { addLane, addMerged, barOf, KINDS, newBars, type Bars } from './bars.ts'
import type { Scene } from './scene.ts'
import { withAlpha } from './theme.ts'

/** The number of lanes in one row of pixels where rows are thinner than this. */
const THINNEST = 3

export function paintLanes(scene: Scene): Bars {
  const { context, theme, layout, view, top, height, rowHeight, scroll, now } = scene
  const bars = newBars()
  const { lanes } = layout
  context.save()
  context.beginPath()
  context.rect(0, top, view.left + view.width, height - top)
  context.clip()
  const first = Math.max(0, Math.floor(scroll / rowHeight))
  const last = Math.min(lanes.length - 1, Math.ceil((scroll + height - top) / rowHeight))
  if (rowHeight >= THINNEST) {
    paintRows(scene, first, last)
    for (let row = first; row <= last; row++) addLane(bars, lanes[row] as Lane, view, top + row * rowHeight - scroll, rowHeight, now)
  } else {
    const together = Math.ceil(THINNEST / rowHeight)
    for (let row = first - first % together; row <= last; row += together) {
      addMerged(bars, lanes.slice(row, row + together), view, top + row * rowHeight - scroll, together * rowHeight, now)
    }
  }
  for (const state of KINDS) {
    const list = bars.rects[state]
    if (list.length === 0) continue
    context.fillStyle = theme.fills[state]
    for (let at = 0; at < list.length; at += 4) context.fillRect(list[at] as number, list[at + 1] as number, list[at + 2] as number, list[at + 3] as number)
  }
  if (rowHeight >= 12) {
    outline(scene, bars)
    paintWords(scene, bars)
    for (let row = first; row <= last; row++) paintEnds(scene, lanes[row] as Lane, top + row * rowHeight - scroll)
  }
  paintWakes(scene)
  context.restore()
  return bars
}

/** Faint lines between rows, and the background of the selected one. */
function paintRows({ context, theme, layout, view, top, rowHeight, scroll, selected, hovered }: Scene, first: number, last: number): void {
  const { colours } = theme
  const right = view.left + view.width
  for (let row = first; row <= last; row++) {
    const lane = layout.lanes[row] as Lane
    const y = top + row * rowHeight - scroll
    if (lane.id === selected || lane.id === hovered) {
      context.fillStyle = withAlpha(lane.id === selected ? colours.focus : colours.ink, lane.id === selected ? 0.14 : 0.05)
      context.fillRect(0, y, right, rowHeight)
    }
    if (rowHeight >= 12) {
      context.fillStyle = colours['line-soft']
      context.fillRect(view.left, Math.round(y + rowHeight) - 1, view.width, 1)
    }
  }
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

function paintWords({ context, theme, recording, rowHeight, view }: Scene, bars: Bars): void {
  const { colours } = theme
  context.textBaseline = 'middle'
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
    else if (state === YIELDING) text = `yields ${(info?.steps?.own ?? 0).toLocaleString('en')} times`
    if (text === '') continue
    context.font = `${state === WAITING ? 10.5 : 11}px ${theme.font}`
    const room = width - 12
    const shown = fit(context, text, room)
    if (shown === '') continue
    const left = Math.max(x, view.left) + 6
    const bar = barOf(y, rowHeight)
    const middle = bar.top + bar.tall / 2
    const measured = context.measureText(shown).width
    if (state === WAITING) {
      // A label on a thin line gets a gap in the line.
      context.fillStyle = colours.ground
      context.fillRect(left - 3, middle - 6, measured + 6, 12)
      context.fillStyle = colours['ink-soft']
    } else if (state === RUNNING) context.fillStyle = colours['on-running']
    else {
      context.fillStyle = colours.ground
      context.fillRect(left - 3, middle - 6.5, measured + 6, 13)
      context.fillStyle = state === READY || state === YIELDING ? colours.ready : colours.thread
    }
    context.fillText(shown, left, middle + 0.5)
  }
  context.font = `10px ${theme.font}`
  for (const { x, width, y, count } of bars.crowds) {
    const text = `×${count}`
    const measured = context.measureText(text).width
    const left = x + width / 2 - measured / 2
    context.fillStyle = withAlpha(colours.ground, 0.86)
    const bar = barOf(y, rowHeight)
    const middle = bar.top + bar.tall / 2
    context.fillRect(left - 3, middle - 6, measured + 6, 12)
    context.fillStyle = colours['ink-soft']
    context.fillText(text, left, middle + 0.5)
  }
}

/** The beginning and end of a lane, its printed lines and its cancellations. */
function paintEnds({ context, theme, view, rowHeight }: Scene, lane: Lane, y: number): void {
  const { colours } = theme
  const bar = barOf(y, rowHeight)
  const middle = bar.top + bar.tall / 2
  if (!lane.partial && lane.createdAt >= view.from && lane.createdAt <= view.to) {
    context.fillStyle = colours['ink-faint']
    context.fillRect(view.x(lane.createdAt) - 0.5, bar.top, 1, bar.tall)
  }
  let free = -Infinity
  /** A pixel shows at most one mark of a kind. */
  const drawn = { 'task.printed': -Infinity, 'task.cancelling': -Infinity }
  for (let at = firstMark(lane.marks, view.from); at < lane.marks.length; at++) {
    const mark = lane.marks[at] as Mark
    if (mark.t > view.to) break
    const x = view.x(mark.t)
    if (x - drawn[mark.type] < 1) continue
    drawn[mark.type] = x
    const next = lane.marks[at + 1]
    const room = (next === undefined ? view.left + view.width : view.x(next.t)) - x - 14
    context.fillStyle = mark.type === 'task.printed' ? colours.ink : colours.red
    context.beginPath()
    if (mark.type === 'task.printed') {
      context.moveTo(x - 3.5, y + 1)
      context.lineTo(x + 3.5, y + 1)
      context.lineTo(x, y + 6)
    } else {
      context.moveTo(x, y + rowHeight - 7)
      context.lineTo(x + 4, y + rowHeight - 1)
      context.lineTo(x - 4, y + rowHeight - 1)
    }
    context.fill()
    if (mark.type === 'task.printed' && rowHeight >= 22 && x > free) {
      context.font = `10.5px ${theme.mono}`
      const whole = mark.text.slice(0, 48)
      let text = fit(context, whole, room)
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
      context.fillRect(left, y + 1, width + 6, 12)
      context.fillStyle = colours.ink
      context.textBaseline = 'middle'
      context.fillText(text, left + 3, y + 7.5)
      free = x + width + 14
    }
  }
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
    context.fillStyle = colour
    context.font = `bold ${Math.round(radius * 1.5)}px ${theme.font}`
    context.textAlign = 'center'
    context.textBaseline = 'middle'
    context.fillText(CAP_GLYPH[lane.outcome], x, middle + 0.5)
    context.textAlign = 'left'
  }
}

function firstMark(marks: readonly Mark[], t: number): number {
  return lowerBound(marks.length, (index) => (marks[index] as Mark).t < t)
}

const MOST_WAKES = 400

/** Wake-ups as arrows between rows: for the selected task, and for all tasks if there are few enough. */
function paintWakes({ context, theme, recording, view, layout, top, rowHeight, scroll, selected, hovered }: Scene): void {
  if (rowHeight < 12) return
  const { t, by, task } = recording.lanes.wakes
  const bar = barOf(0, rowHeight)
  const middle = bar.top + bar.tall / 2
  const first = lowerBound(t.length, (index) => (t[index] as number) < view.from)
  let last = first
  while (last < t.length && (t[last] as number) <= view.to && last - first < 20_000) last++
  const all = last - first <= MOST_WAKES
  const chosen = selected ?? hovered
  if (!all && chosen === null) return
  const drawn = { faint: [] as number[], bright: [] as number[] }
  for (let at = first; at < last; at++) {
    const mine = by[at] === chosen || task[at] === chosen
    if (!mine && !all) continue
    const from = layout.rows.get(by[at] as number)
    const to = layout.rows.get(task[at] as number)
    if (from === undefined || to === undefined || from === to) continue
    const list = mine ? drawn.bright : drawn.faint
    if (list.length > MOST_WAKES * 3) break
    list.push(view.x(t[at] as number), top + from * rowHeight + middle - scroll, top + to * rowHeight + middle - scroll)
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
export function paintGutter({ context, theme, layout, top, height, rowHeight, scroll, gutter, selected, now, hueOf }: Scene): void {
  const { colours } = theme
  context.save()
  context.beginPath()
  context.rect(0, top, gutter, height - top)
  context.clip()
  if (rowHeight >= 10) {
    const first = Math.max(0, Math.floor(scroll / rowHeight))
    const last = Math.min(layout.lanes.length - 1, Math.ceil((scroll + height - top) / rowHeight))
    context.textBaseline = 'middle'
    const size = rowHeight >= 18 ? 12 : 10
    for (let row = first; row <= last; row++) {
      const lane = layout.lanes[row] as Lane
      const y = top + row * rowHeight - scroll
      const bar = barOf(y, rowHeight)
      const middle = bar.top + bar.tall / 2
      const indent = 12 + Math.min(lane.depth, 6) * 12
      const hue = hueOf(lane)
      if (hue !== null) {
        context.fillStyle = hue
        context.fillRect(0, y + 2, 3, rowHeight - 4)
      }
      if (lane.depth > 0) {
        context.strokeStyle = colours.line
        context.lineWidth = 1
        context.beginPath()
        context.moveTo(indent - 8.5, y)
        context.lineTo(indent - 8.5, Math.round(middle) + 0.5)
        context.lineTo(indent - 3, Math.round(middle) + 0.5)
        context.stroke()
      }
      const ended = lane.endedAt !== null && lane.endedAt <= now
      context.font = `${lane.id === selected ? '600 ' : ''}${size}px ${lane.kind === 'thread' ? theme.mono : theme.font}`
      context.fillStyle = lane.kind === 'thread' ? colours.thread : ended ? colours['ink-soft'] : colours.ink
      context.fillText(fit(context, lane.kind === 'thread' ? `◫ ${lane.name}` : lane.name, gutter - indent - 8), indent + 2, middle + 0.5)
    }
  }
  context.restore()
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
