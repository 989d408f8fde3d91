// The rows of the lanes: their height, their scroll position, and which row and lane is where. The pinned rows, on top, are
// not scrolled.
import type { Lane } from '../recording.ts'
import { onTop } from './bars.ts'
import type { Layout } from './layout.ts'
import { nearest, type Row } from './packing.ts'

const ROW = 34
const SMALLEST_ROW = 0.02
const HIGHEST_ROW = 60
/** Pinned rows, and rows from this height on, can be read. */
export const READABLE = 14
const LOWEST_PINNED = 24
/** Rows that are lower than this are drawn together, as many as it takes, in cells as wide. */
export const THINNEST = 4
/** The width of the scrollbar. */
export const BAR = 10

const NONE: Layout = { rows: [], pinned: 0, count: 0, rowOf: () => undefined }

/** What is drawn together: one row, or several that cannot be seen apart. */
export interface Strip {
  rows: readonly Row[]
  y: number
  height: number
}

export class Rows {
  #layout = NONE
  readonly #area: () => { top: number; bottom: number }
  #height = ROW
  #scroll = 0

  /** `area` returns the part of the canvas for rows. */
  constructor(area: () => { top: number; bottom: number }) {
    this.#area = area
  }

  show(layout: Layout): void {
    this.#layout = layout
    this.scroll = this.#scroll
  }

  get layout(): Layout {
    return this.#layout
  }

  get height(): number {
    return this.#height
  }

  set height(height: number) {
    this.#height = Math.max(SMALLEST_ROW, Math.min(HIGHEST_ROW, height))
    this.scroll = this.#scroll
  }

  get pinnedHeight(): number {
    return Math.max(this.#height, LOWEST_PINNED)
  }

  /** Pixels of rows above the first that is shown. */
  get scroll(): number {
    return this.#scroll
  }

  set scroll(scroll: number) {
    this.#scroll = Math.max(0, Math.min(Math.max(0, this.#total - this.room), scroll))
  }

  /** Where the scrolled rows begin. */
  get top(): number {
    return this.#area().top + this.#layout.pinned * this.pinnedHeight
  }

  get room(): number {
    return Math.max(0, this.#area().bottom - this.top)
  }

  /** How many rows fit so that they can be read. */
  get readable(): number {
    const { top, bottom } = this.#area()
    return this.#height < READABLE ? 0 : Math.floor((bottom - top) / this.#height)
  }

  get overflow(): boolean {
    return this.#total > this.room
  }

  /** The scrolled rows that are in view. */
  get strips(): Strip[] {
    const { rows, pinned } = this.#layout
    const size = this.#together
    const height = size * this.#height
    const { top, room } = this
    const strips: Strip[] = []
    for (let at = Math.floor(this.#scroll / height); at * height < this.#scroll + room && pinned + at * size < rows.length; at++) {
      strips.push({ rows: rows.slice(pinned + at * size, pinned + (at + 1) * size), y: top + at * height - this.#scroll, height })
    }
    return strips
  }

  get pinnedStrips(): Strip[] {
    return this.#layout.rows.slice(0, this.#layout.pinned).map((row) => ({ rows: [row], y: this.y(row), height: this.pinnedHeight }))
  }

  y({ at }: Row): number {
    const { pinned } = this.#layout
    return at < pinned ? this.#area().top + at * this.pinnedHeight : this.top + (at - pinned) * this.#height - this.#scroll
  }

  heightOf({ at }: Row): number {
    return at < this.#layout.pinned ? this.pinnedHeight : this.#height
  }

  /** The lane at a place: in a shared row, the one at this time or within `slack` seconds of it; of rows that are drawn together, the one that shows. */
  laneAt(y: number, t: number, slack: number): Lane | null {
    const strip = [...this.pinnedStrips, ...this.strips].find((strip) => y >= strip.y && y < strip.y + strip.height)
    return onTop((strip?.rows ?? []).flatMap(({ lanes }) => lanes.length === 1 ? lanes : nearest(lanes, t, slack) ?? []), t - slack, t + slack)
  }

  /** Scrolls so that a lane is visible. */
  reveal(lane: number): void {
    const row = this.#layout.rowOf(lane)
    if (row === undefined || row.at < this.#layout.pinned) return
    const y = (row.at - this.#layout.pinned) * this.#height
    if (y < this.#scroll || y + this.#height > this.#scroll + this.room) this.scroll = y - this.room / 2
  }

  /** Scrolls to a place on the scrollbar. */
  drag(y: number): void {
    this.scroll = (y - this.top) / this.room * this.#total - this.room / 2
  }

  paintBar(context: CanvasRenderingContext2D, right: number, colour: string): void {
    const { room } = this
    if (!this.overflow) return
    const size = Math.max(24, room * room / this.#total)
    const y = this.top + (room - size) * this.#scroll / Math.max(1, this.#total - room)
    context.fillStyle = colour
    context.beginPath()
    context.roundRect(right - BAR + 2, y, BAR - 4, size, 3)
    context.fill()
  }

  /** The number of rows in a strip. */
  get #together(): number {
    return Math.max(1, Math.ceil(THINNEST / this.#height))
  }

  get #total(): number {
    return (this.#layout.rows.length - this.#layout.pinned) * this.#height
  }
}
