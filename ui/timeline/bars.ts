// Turns the states of lanes into rectangles, grouped by fill. What shares a pixel is merged, so that there are as many
// rectangles as pixels at most, and not as tasks: it shows the state with the largest share, and a step in it stays visible.
import { GHOST, READY, RUNNING, THREAD, UNKNOWN, WAITING, YIELDING, type Lane, type State } from '../recording/track.ts'
import type { Viewport } from './viewport.ts'

/** In the order in which they are drawn, one over the other. */
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
}

const WIDE = 34
const STEP_WIDTH = 1.6

export function newBars(): Bars {
  return { rects: { [READY]: [], [RUNNING]: [], [WAITING]: [], [THREAD]: [], [GHOST]: [], [UNKNOWN]: [], [YIELDING]: [] }, wide: [], crowds: [] }
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
  const { from, to, scale, left } = view
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

  lane.eachState(from, to, now, add)
  flush()
  endCrowd()
}

/** Of several lanes over each other, the one whose state is drawn above the others between two times. */
export function onTop(lanes: readonly Lane[], from: number, to: number): Lane | null {
  let best = lanes[0] ?? null
  if (lanes.length < 2) return best
  let rank = -1
  for (const lane of lanes) {
    lane.eachState(from, to, to, (state, begin, end) => {
      const own = KINDS.indexOf(state)
      if (begin > to || end < from || own <= rank) return
      rank = own
      best = lane
    })
  }
  return best
}

/** In a part of a cell's height: the steps above, what is ready below. */
const PART = 1 / 3

/**
 * Many lanes over each other, in cells that are `cell` pixels wide: a cell shows what most of them do. A step in it, and a delay as long as half of it, stay visible in a part of
 * its height.
 */
export function addMerged(bars: Bars, lanes: Iterable<Lane>, view: Viewport, y: number, height: number, cell: number, now: number): void {
  const { from, to, left } = view
  const perSecond = view.scale / cell
  const columns = Math.ceil(view.width / cell)
  const { shares, edges, most, tops } = buffersOf(columns)
  let found = 0
  const add = (state: State, begin: number, end: number): void => {
    if (end < from) return
    if ((found & 1 << state) === 0) {
      found |= 1 << state
      shares.fill(0, state * columns, (state + 1) * columns)
      edges.fill(0, state * columns, (state + 1) * columns)
    }
    const x0 = Math.max(0, (begin - from) * perSecond)
    const x1 = Math.min(columns, (end - from) * perSecond)
    const c0 = Math.min(columns - 1, Math.floor(x0))
    const c1 = Math.min(columns - 1, Math.floor(x1))
    const first = state * columns + c0
    const last = state * columns + c1
    if (c0 === c1) {
      shares[first] = (shares[first] as number) + Math.max(1e-6, x1 - x0)
      return
    }
    shares[first] = (shares[first] as number) + (c0 + 1 - x0)
    shares[last] = (shares[last] as number) + (x1 - c1)
    edges[first + 1] = (edges[first + 1] as number) + 1
    edges[last] = (edges[last] as number) - 1
  }
  for (const lane of lanes) lane.eachState(from, to, now, add)
  const states = KINDS.filter((state) => (found & 1 << state) !== 0)
  for (const state of states) {
    let passing = 0
    for (let column = 0; column < columns; column++) {
      const at = state * columns + column
      passing += edges[at] as number
      const share = shares[at] = (shares[at] as number) + passing
      if (share === 0 || share < (most[column] as number)) continue
      most[column] = share
      tops[column] = state
    }
  }
  for (const state of states) {
    const least = state === RUNNING ? 0 : state === READY ? 0.5 : Infinity
    const list = bars.rects[state]
    let shown = 0
    let since = 0
    for (let column = 0; column <= columns; column++) {
      const next = column === columns ? 0 : tops[column] === state ? 1 : (shares[state * columns + column] as number) > least ? PART : 0
      if (next === shown) continue
      const thin = shown === 1 && state === WAITING
      const tall = thin ? Math.max(0.6, height * 0.4) : height * shown
      if (shown > 0) list.push(left + since * cell, thin ? y + height * 0.3 : state === RUNNING ? y : y + height - tall, (column - since) * cell, tall)
      shown = next
      since = column
    }
  }
}

let buffers = { columns: 0, shares: new Float32Array(0), edges: new Float32Array(0), most: new Float32Array(0), tops: new Int8Array(0) }

/** For each state a row of cells: the time in it, as a share of the cell's; long spans only at their two ends. For each cell the largest share, and its state. */
function buffersOf(columns: number): typeof buffers {
  if (buffers.columns !== columns) {
    const size = columns * KINDS.length
    buffers = { columns, shares: new Float32Array(size), edges: new Float32Array(size), most: new Float32Array(columns), tops: new Int8Array(columns) }
  }
  buffers.most.fill(0)
  buffers.tops.fill(-1)
  return buffers
}
