// The rows of the lanes: their height, their scroll position, and which lane is where.
import type { Lane } from '../recording.ts'
import type { Layout } from './layout.ts'

const ROW = 32
const SMALLEST_ROW = 0.02
const HIGHEST_ROW = 60
/** The width of the scrollbar. */
export const BAR = 10

export class Rows {
  #layout: Layout | null = null
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

  get lanes(): readonly Lane[] {
    return this.#layout?.lanes ?? []
  }

  get height(): number {
    return this.#height
  }

  set height(height: number) {
    this.#height = Math.max(SMALLEST_ROW, Math.min(HIGHEST_ROW, height))
    this.scroll = this.#scroll
  }

  /** Pixels of rows above the first that is shown. */
  get scroll(): number {
    return this.#scroll
  }

  set scroll(scroll: number) {
    this.#scroll = Math.max(0, Math.min(Math.max(0, this.#total - this.room), scroll))
  }

  get room(): number {
    const { top, bottom } = this.#area()
    return bottom - top
  }

  get overflow(): boolean {
    return this.#total > this.room
  }

  at(y: number): Lane | null {
    const { top } = this.#area()
    return y < top ? null : this.lanes[Math.floor((y - top + this.#scroll) / this.#height)] ?? null
  }

  /** Scrolls so that a lane is visible. */
  reveal(lane: number): void {
    const row = this.#layout?.rows.get(lane)
    if (row === undefined) return
    const y = row * this.#height
    if (y < this.#scroll || y + this.#height > this.#scroll + this.room) this.scroll = y - this.room / 2
  }

  /** Scrolls to a place on the scrollbar. */
  drag(y: number): void {
    this.scroll = (y - this.#area().top) / this.room * this.#total - this.room / 2
  }

  paintBar(context: CanvasRenderingContext2D, right: number, colour: string): void {
    const { room } = this
    if (!this.overflow) return
    const size = Math.max(24, room * room / this.#total)
    const y = this.#area().top + (room - size) * this.#scroll / Math.max(1, this.#total - room)
    context.fillStyle = colour
    context.beginPath()
    context.roundRect(right - BAR + 2, y, BAR - 4, size, 3)
    context.fill()
  }

  get #total(): number {
    return this.lanes.length * this.#height
  }
}
