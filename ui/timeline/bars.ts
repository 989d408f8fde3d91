// Turns the states of lanes into rectangles, grouped by fill. Spans narrower than a pixel are merged: the pixel shows the
// state with the largest share, and a step in it stays visible as a tick.
import { GHOST, READY, RUNNING, THREAD, UNKNOWN, WAITING, YIELDING, type Lane, type State } from '../recording/track.ts'
import type { Viewport } from './viewport.ts'

export const KINDS = [WAITING, UNKNOWN, THREAD, GHOST, READY, YIELDING, RUNNING] as const

/** Rectangles by state: x, y, width, height, four numbers each. */
export type Rects = Record<State, number[]>

/** A span that is wide enough for a label. */
export interface Wide {
  lane: Lane
  index: number
  state: State
  x: number
  width: number
  y: number
}

/** Many steps in shared pixels. */
export interface Crowd {
  x: number
  width: number
  y: number
  count: number
}

export interface Bars {
  rects: Rects
  wide: Wide[]
  crowds: Crowd[]
  /** The number of spans that were read, for the figure in the corner. */
  spans: number
}

const WIDE = 34
const STEP_WIDTH = 1.6

export function newBars(): Bars {
  return { rects: { [READY]: [], [RUNNING]: [], [WAITING]: [], [THREAD]: [], [GHOST]: [], [UNKNOWN]: [], [YIELDING]: [] }, wide: [], crowds: [], spans: 0 }
}

/** From this height on, a row has room above its bars for printed text. */
export const ROOMY = 31
/** A bar of this height has room for text. */
const TEXT = 12

/** The position of a row's bars. */
export function barOf(y: number, height: number): { top: number; tall: number } {
  if (height >= ROOMY) return { top: y + 15, tall: height - 19 }
  const pad = height >= 12 ? Math.round(height * 0.15) : height > 4 ? 1 : 0
  return { top: y + pad, tall: Math.max(1, height - 2 * pad) }
}

const weights = new Float64Array(KINDS.length)

/** Adds one lane's part of the window. `height` is its row's; an open state ends at `now`. */
export function addLane(bars: Bars, lane: Lane, view: Viewport, y: number, height: number, now: number): void {
  const { starts, states } = lane
  const { from, to, scale, left } = view
  const count = starts.length
  const { top, tall } = barOf(y, height)
  const middle = top + tall / 2
  const wideEnough = tall >= TEXT
  /** The pixel in which short spans are being merged, and their shares. */
  let pixel = -1
  let merged = 0
  let steps = 0
  let crowdFrom = -1
  let crowdTo = -1
  let crowd = 0

  const flush = (): void => {
    if (merged === 0) return
    let most = -1
    let weight = 0
    for (let state = 0; state < KINDS.length; state++) {
      const own = weights[state] as number
      if (own > weight) {
        weight = own
        most = state
      }
    }
    const x = left + pixel
    if (most >= 0) push(most as State, x, 1)
    if (steps > 0 && most !== RUNNING) bars.rects[RUNNING].push(x, top, STEP_WIDTH, tall)
    if (steps > 0) {
      if (crowdTo >= pixel - 6) {
        crowd += steps
        crowdTo = pixel
      } else {
        endCrowd()
        crowdFrom = pixel
        crowdTo = pixel
        crowd = steps
      }
    }
    weights.fill(0)
    merged = 0
    steps = 0
  }
  const endCrowd = (): void => {
    if (crowd >= 4 && crowdTo - crowdFrom >= 44 && wideEnough) bars.crowds.push({ x: left + crowdFrom, width: crowdTo - crowdFrom, y, count: crowd })
    crowd = 0
    crowdFrom = crowdTo = -1
  }
  const push = (state: State, x: number, width: number): void => {
    const list = bars.rects[state]
    if (state === WAITING) {
      if (height >= 6) list.push(x, middle - 0.75, width, 1.5)
      else list.push(x, y, width, Math.max(0.6, height * 0.3))
    } else if (state === THREAD || state === GHOST) list.push(x, top + (tall > 8 ? 2 : 0), width, tall - (tall > 8 ? 4 : 0))
    else list.push(x, top, width, tall)
  }
  const add = (state: State, begin: number, end: number, index: number): void => {
    const x0 = Math.max(0, (begin - from) * scale)
    const x1 = Math.min(view.width, (end - from) * scale)
    if (x1 < 0 || x0 > view.width) return
    const width = x1 - x0
    if (width < 1) {
      const at = Math.floor(x0)
      if (at !== pixel) {
        flush()
        pixel = at
      }
      weights[state] = (weights[state] as number) + Math.max(width, 1e-9)
      merged++
      if (state === RUNNING) steps++
      return
    }
    flush()
    push(state, left + x0, width)
    if (state === RUNNING && width < STEP_WIDTH) bars.rects[RUNNING].push(left + x0, top, STEP_WIDTH, tall)
    if (width >= WIDE && wideEnough) bars.wide.push({ lane, index, state, x: left + x0, width, y })
  }

  for (let index = lane.firstAfter(from); index < count; index++) {
    const begin = starts[index] as number
    if (begin > to) break
    bars.spans++
    const state = states[index] as State
    const next = index + 1 < count ? starts[index + 1] as number : lane.endedAt ?? now
    const due = lane.overdue(index, next)
    if (due !== null && due >= begin) {
      add(WAITING, begin, due, index)
      add(READY, due, next, index)
    } else add(state, begin, next, index)
  }
  flush()
  endCrowd()
}

/** Many lanes in one row of pixels: each cell shows the state with the largest share; steps and delays have more weight. */
export function addMerged(bars: Bars, lanes: readonly Lane[], view: Viewport, y: number, height: number, now: number, cell = 2): void {
  const columns = Math.ceil(view.width / cell)
  const cells = zeroed(0, columns * 6)
  // A long span is recorded at its two ends and summed up once, so ten thousand sleeping lanes cost only their ends.
  const edges = zeroed(1, (columns + 1) * 6)
  const { from, to } = view
  const perSecond = view.scale / cell
  for (const lane of lanes) {
    const { starts, states } = lane
    const count = starts.length
    for (let index = lane.firstAfter(from); index < count; index++) {
      const begin = starts[index] as number
      if (begin > to) break
      bars.spans++
      const end = index + 1 < count ? starts[index + 1] as number : lane.endedAt ?? now
      if (end <= from) continue
      const due = lane.overdue(index, end)
      const state = due !== null && due - begin < (end - begin) / 2 ? READY : states[index] as State
      const weight = state === RUNNING ? 40 : state === READY ? 8 : 1
      const x0 = Math.max(0, (begin - from) * perSecond)
      const x1 = Math.min(columns, (end - from) * perSecond)
      const c0 = Math.min(columns - 1, Math.floor(x0))
      const c1 = Math.min(columns - 1, Math.floor(x1))
      const first = c0 * 6 + state
      if (c0 === c1) {
        cells[first] = (cells[first] as number) + Math.max(1e-6, x1 - x0) * weight
        continue
      }
      const last = c1 * 6 + state
      cells[first] = (cells[first] as number) + (c0 + 1 - x0) * weight
      cells[last] = (cells[last] as number) + (x1 - c1) * weight
      edges[first + 6] = (edges[first + 6] as number) + weight
      edges[last] = (edges[last] as number) - weight
    }
  }
  for (let at = 0; at < columns * 6; at++) {
    if (at >= 6) edges[at] = (edges[at] as number) + (edges[at - 6] as number)
    cells[at] = (cells[at] as number) + (edges[at] as number)
  }
  let openState = -1
  let openAt = 0
  const close = (column: number): void => {
    if (openState < 0) return
    const list = bars.rects[openState as State]
    const thin = openState === WAITING
    list.push(view.left + openAt * cell, y + (thin ? height * 0.3 : 0), (column - openAt) * cell, thin ? Math.max(0.6, height * 0.4) : height)
  }
  for (let column = 0; column < columns; column++) {
    let most = -1
    let weight = 0
    for (let state = 0; state < KINDS.length; state++) {
      const own = cells[column * 6 + state] as number
      if (own > weight + 1e-4) {
        weight = own
        most = state
      }
    }
    if (most !== openState) {
      close(column)
      openState = most
      openAt = column
    }
  }
  close(columns)
}

const buffers = [new Float32Array(0), new Float32Array(0)]

function zeroed(which: 0 | 1, size: number): Float32Array {
  let buffer = buffers[which] as Float32Array
  if (buffer.length < size) buffers[which] = buffer = new Float32Array(size)
  else buffer.fill(0, 0, size)
  return buffer
}
