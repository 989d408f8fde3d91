// Which lanes are shown, and in which row: those with something to show in or near the window, each under its parent. The
// layout is kept while the window stays near, so that rows do not jump during a drag.
import type { Lane, Recording } from '../recording.ts'

export interface Layout {
  readonly lanes: readonly Lane[]
  /** The row of each lane that is shown. */
  readonly rows: ReadonlyMap<number, number>
  /** Lanes that do not pass the filter or have nothing to show near the window. */
  readonly hidden: number
}

export type LaneFilter = (lane: Lane) => boolean

const EMPTY: Layout = { lanes: [], rows: new Map(), hidden: 0 }

export class Layouter {
  #layout = EMPTY
  #structure = -1
  #from = 0
  #to = 0
  #filter: LaneFilter | null = null
  #all: Recording['lanes'] | null = null
  #span = 0
  #near = 0

  /** The rows for a window; `near` is the margin on each side, in widths of the window. */
  update({ lanes: all }: Recording, from: number, to: number, filter: LaneFilter | null, near = 0.5): Layout {
    const span = to - from
    const inside = from >= this.#from && to <= this.#to && span > this.#span / 3 && near === this.#near
    if (all === this.#all && all.structure === this.#structure && filter === this.#filter && inside) return this.#layout
    this.#all = all
    this.#structure = all.structure
    this.#filter = filter
    this.#span = span
    this.#near = near
    this.#from = from - span * near
    this.#to = to + span * near
    const lanes: Lane[] = []
    const rows = new Map<number, number>()
    for (const lane of all.ordered()) {
      if (lane.begunAt > this.#to || (lane.endedAt !== null && lane.endedAt < this.#from)) continue
      if (filter !== null && !filter(lane)) continue
      rows.set(lane.id, lanes.length)
      lanes.push(lane)
    }
    this.#layout = { lanes, rows, hidden: all.size - lanes.length }
    return this.#layout
  }
}
