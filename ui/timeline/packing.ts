// Puts lanes that do not overlap into shared rows. A lane keeps its row for as long as it is shown, and adding one costs the
// logarithm of the number of rows: thousands come in a second.
import { lowerBound } from '../../src/events/lower-bound.ts'
import type { Lane } from '../recording.ts'

/** One line of the drawing: a lane, several lanes one after the other, or the title of a group. */
export interface Row {
  readonly kind: 'lane' | 'packed' | 'title' | 'culprit' | 'victim'
  /** In order of time; they do not overlap. */
  readonly lanes: Lane[]
  /** Its place from the top. */
  at: number
  depth: number
  /** The text beside a title or a packed row. */
  title: string
}

export function rowOf(lanes: Lane[], kind: Row['kind'] = 'lane', title = ''): Row {
  return { kind, lanes, at: -1, depth: kind === 'lane' ? lanes[0]?.depth ?? 0 : 0, title }
}

interface Placed {
  row: number
  begin: number
}

export class Packing {
  readonly rows: Row[] = []
  readonly #title: string
  readonly #placed = new Map<Lane, Placed>()
  /** Rows whose last lane was alive at the last look. */
  readonly #open = new Set<number>()
  /** A tree of minima: when the last lane of each row ends. Its leaves begin at `#leaves`; a row without lanes is free from the start. */
  #ends = new Float64Array([-Infinity, -Infinity])
  #leaves = 1

  constructor(title: string) {
    this.#title = title
  }

  get size(): number {
    return this.#placed.size
  }

  /** Puts a lane into the first row that is free when it begins; returns its row. */
  place(lane: Lane): Row {
    const known = this.#placed.get(lane)
    if (known !== undefined && known.begin === lane.begunAt) return this.rows[known.row] as Row
    // A request turned out to have arrived earlier, during a stall.
    if (known !== undefined) this.#take(lane, known.row)
    const begin = lane.begunAt
    let at = this.#free(begin)
    if (at < 0) {
      this.#grow()
      at = this.#free(begin)
    }
    const row = (this.rows[at] ??= rowOf([], 'packed', this.#title))
    row.lanes.push(lane)
    this.#placed.set(lane, { row: at, begin })
    this.#note(at)
    return row
  }

  /** Rows whose last lane has ended since the last look are free again. */
  look(): void {
    for (const at of this.#open) this.#note(at)
  }

  rowOf(lane: Lane): Row | undefined {
    const placed = this.#placed.get(lane)
    return placed === undefined ? undefined : this.rows[placed.row]
  }

  /** Removes from `lanes` those that have their place already. */
  leaveOut(lanes: Set<Lane>): void {
    for (const [lane, { begin }] of this.#placed) if (begin === lane.begunAt) lanes.delete(lane)
  }

  /** Keeps these lanes only. The others stay in their rows; rows at the end that are empty are removed. */
  keep(wanted: ReadonlySet<Lane>): void {
    const shrunk = new Set<number>()
    for (const [lane, { row }] of this.#placed) {
      if (wanted.has(lane)) continue
      this.#placed.delete(lane)
      shrunk.add(row)
    }
    for (const at of shrunk) {
      const row = this.rows[at] as Row
      const kept = row.lanes.filter((lane) => wanted.has(lane))
      row.lanes.length = 0
      for (const lane of kept) row.lanes.push(lane)
      this.#note(at)
    }
    while (this.rows.at(-1)?.lanes.length === 0) {
      this.rows.pop()
      this.#open.delete(this.rows.length)
    }
  }

  #take(lane: Lane, at: number): void {
    const { lanes } = this.rows[at] as Row
    lanes.splice(lanes.indexOf(lane), 1)
    this.#placed.delete(lane)
    this.#note(at)
  }

  /** Notes until when a row is taken. */
  #note(at: number): void {
    const last = this.rows[at]?.lanes.at(-1)
    const end = last === undefined ? -Infinity : last.endedAt ?? Infinity
    if (end === Infinity) this.#open.add(at)
    else this.#open.delete(at)
    const ends = this.#ends
    let node = this.#leaves + at
    ends[node] = end
    for (node >>= 1; node >= 1; node >>= 1) ends[node] = Math.min(ends[2 * node] as number, ends[2 * node + 1] as number)
  }

  /** The first row that is free at `t`; -1: none. */
  #free(t: number): number {
    const ends = this.#ends
    if ((ends[1] as number) > t) return -1
    let node = 1
    while (node < this.#leaves) node = (ends[2 * node] as number) <= t ? 2 * node : 2 * node + 1
    return node - this.#leaves
  }

  #grow(): void {
    const before = this.#leaves
    this.#leaves *= 2
    this.#ends = new Float64Array(2 * this.#leaves).fill(-Infinity)
    for (let at = 0; at < Math.min(before, this.rows.length); at++) this.#note(at)
  }
}

/** The lane at a time, of lanes one after the other. */
export function nearest(lanes: readonly Lane[], t: number, slack: number): Lane | null {
  const next = lowerBound(lanes.length, (index) => (lanes[index] as Lane).begunAt <= t)
  const before = lanes[next - 1]
  const after = lanes[next]
  const past = before === undefined ? Infinity : Math.max(0, t - (before.endedAt ?? Infinity))
  const ahead = after === undefined ? Infinity : after.begunAt - t
  if (Math.min(past, ahead) > slack) return null
  return (past <= ahead ? before : after) ?? null
}

/** The lanes of a shared row that a window shows. */
export function within(lanes: readonly Lane[], from: number, to: number): { first: number; end: number } {
  return {
    first: lowerBound(lanes.length, (index) => ((lanes[index] as Lane).endedAt ?? Infinity) < from),
    end: lowerBound(lanes.length, (index) => (lanes[index] as Lane).begunAt <= to),
  }
}
