// Which lanes are shown, and in which row. What is alive comes first, each task under the one that created it. Where there
// are many lanes, those that have ended share rows, by their route. In a stall, its culprit and the tasks that it delayed
// most are on top. The layout is kept while the window stays near, so that rows do not jump during a drag.
import { duration } from '../recording/explain.ts'
import { AMBER, victimsAt, type Stall } from '../recording/stalls.ts'
import { isInnocent } from '../recording/stall-kind.ts'
import type { Lane, Recording } from '../recording.ts'
import { Packing, rowOf, type Row } from './packing.ts'

export type LaneFilter = (lane: Lane) => boolean
export type Grouping = 'alive' | 'route' | 'parent'

export interface Layout {
  readonly rows: readonly Row[]
  /** The first rows stay in view when the others are scrolled. */
  readonly pinned: number
  /** The number of lanes in all rows. */
  readonly count: number
  /** The row of a lane; undefined if it is not shown. */
  readonly rowOf: (lane: number) => Row | undefined
}

/** What a layout depends on. */
export interface Looked {
  recording: Recording
  from: number
  to: number
  filter?: LaneFilter | null
  grouping?: Grouping
  /** The margin on each side, in widths of the window. */
  near?: number
  /** The loop's time. */
  now: number
  /** The number of readable rows that fit; if there are at most that many lanes, nothing is pinned. */
  room?: number
}

/** What was arranged last, and when. */
interface Arranged {
  readonly looked: Looked
  /** The window with its margin. */
  readonly from: number
  readonly to: number
  structure: number
  readonly version: number
  readonly at: number
  added: number
}

/** From this many lanes on, the ended ones share rows; below the second, each has a row again. */
const MANY = 40
const FEW = 24
/** A task that has lived this many seconds has a row of its own while it is alive; shorter ones would only flicker. With many such tasks, it is the second. */
const SETTLED = 0.3
const SETTLED_IN_TRAFFIC = 5
const MANY_SETTLED = 60
/** Up to this many lanes, each change is arranged at once; with more, at most once in this many ms. */
const AT_ONCE = 2000
const EVERY = 250
const MOST_PINNED = 5
const LEAST_PINNED = 2
/** The most groups; the lanes of further routes are together in one. */
const MOST_GROUPS = 200
const OTHERS = 'others'

const NONE: ReadonlySet<Lane> = new Set()
const EMPTY: Layout = { rows: [], pinned: 0, count: 0, rowOf: () => undefined }

export class Layouter {
  #layout = EMPTY
  #rows: Row[] = []
  /** The rows of lanes that do not share theirs. */
  #own = new Map<number, Row>()
  #packings = new Map<string, Packing>()
  #many = false
  #last: Arranged | null = null

  /** The rows for a window. `time` is in ms, on the clock of the screen. */
  update(looked: Looked, time = performance.now()): Layout {
    const last = this.#last
    const { recording, from, to, filter = null, grouping = 'alive', near = 0.5, room = Infinity } = looked
    const { lanes } = recording
    const span = to - from
    const kept = last !== null && lanes === last.looked.recording.lanes && filter === (last.looked.filter ?? null) && grouping === (last.looked.grouping ?? 'alive')
    if (!kept) this.#packings.clear()
    const inside = kept && from >= last.from && to <= last.to && span > (last.looked.to - last.looked.from) / 3 && near === (last.looked.near ?? 0.5)
      && room === (last.looked.room ?? Infinity)
    const same = inside && lanes.structure === last.structure
    if (same && (recording.version === last.version || time - last.at < EVERY)) return this.#layout
    if (inside && time - last.at < EVERY && lanes.size > AT_ONCE) {
      this.#add(looked, last)
      return this.#layout
    }
    const margin = span * near
    this.#last = { looked, from: from - margin, to: to + margin, structure: lanes.structure, version: recording.version, at: time, added: lanes.addedUntil }
    return this.#layout = this.#arrange({ ...looked, from: from - margin, to: to + margin }, { from, to })
  }

  /** Lanes that are new since the last look are added to what is there. */
  #add(looked: Looked, last: Arranged): void {
    const { recording: { lanes }, filter = null } = looked
    const added = lanes.addedSince(last.added)
    last.structure = lanes.structure
    last.added = lanes.addedUntil
    for (const packing of this.#packings.values()) packing.look()
    let count = 0
    for (const lane of added) {
      if (lane.begunAt > last.to || (filter !== null && !filter(lane)) || lanes.get(lane.id) !== lane) continue
      count++
      const row = this.#many ? this.#packing(lane).place(lane) : rowOf([lane])
      if (!this.#many) this.#own.set(lane.id, row)
      if (row.at < 0 || this.#rows[row.at] !== row) {
        row.at = this.#rows.length
        this.#rows.push(row)
      }
    }
    this.#layout = { ...this.#layout, count: this.#layout.count + count }
  }

  #arrange({ recording, from, to, filter = null, grouping = 'alive', now, room = Infinity }: Looked, window: { from: number; to: number }): Layout {
    const shown: Lane[] = []
    for (const lane of recording.lanes.ordered()) {
      if (lane.begunAt > to || (lane.endedAt !== null && lane.endedAt < from)) continue
      if (filter !== null && !filter(lane)) continue
      shown.push(lane)
    }
    this.#many = grouping !== 'parent' && (grouping === 'route' || shown.length > (this.#many ? FEW : MANY))
    const pins = shown.length > room ? pinsOf(recording, window, now, filter, room) : new Map<Lane, Row>()
    const rows = [...pins.values(), ...this.#rest(pins.size === 0 ? shown : shown.filter((lane) => !pins.has(lane)), grouping, now)]
    const own = new Map<number, Row>()
    rows.forEach((row, at) => {
      row.at = at
      if (row.kind !== 'packed') for (const { id } of row.lanes) own.set(id, row)
    })
    this.#rows = rows
    this.#own = own
    const inPacking = (lane: Lane | undefined): Row | undefined => lane === undefined ? undefined : this.#packings.get(routeOf(lane))?.rowOf(lane) ?? this.#packings.get(OTHERS)?.rowOf(lane)
    return { rows, pinned: pins.size, count: shown.length, rowOf: (id) => own.get(id) ?? inPacking(recording.lanes.get(id)) }
  }

  /** The rows of lanes that are in the order of their tree. */
  #rest(shown: readonly Lane[], grouping: Grouping, now: number): Row[] {
    const packed = grouping === 'route' ? new Set(shown) : this.#many ? passing(shown, now) : NONE
    const rows = this.#many ? shown.filter((lane) => !packed.has(lane)).map((lane) => rowOf([lane])) : aliveFirst(shown)
    const fresh = new Set(packed)
    for (const [title, packing] of this.#packings) {
      packing.keep(packed)
      packing.look()
      packing.leaveOut(fresh)
      if (packing.size === 0) this.#packings.delete(title)
    }
    for (const lane of [...fresh].sort((a, b) => a.begunAt - b.begunAt)) this.#packing(lane).place(lane)
    for (const [title, packing] of this.#packings) {
      if (grouping === 'route') rows.push(rowOf([], 'title', `${title} · ${packing.size.toLocaleString('en-US')}`))
      for (const row of packing.rows) if (row.lanes.length > 0) rows.push(row)
    }
    return rows
  }

  #packing(lane: Lane): Packing {
    let title = routeOf(lane)
    if (!this.#packings.has(title) && this.#packings.size >= MOST_GROUPS) title = OTHERS
    let packing = this.#packings.get(title)
    if (packing === undefined) this.#packings.set(title, packing = new Packing(title))
    return packing
  }
}

/** Each task with all that it created is together; those in which something is alive come first. */
function aliveFirst(shown: readonly Lane[]): Row[] {
  const alive: Row[] = []
  const ended: Row[] = []
  for (let at = 0; at < shown.length;) {
    const root = shown[at] as Lane
    const from = at
    let lives = false
    do lives = (shown[at++] as Lane).endedAt === null || lives
    while (at < shown.length && (shown[at] as Lane).depth > root.depth)
    for (const lane of shown.slice(from, at)) (lives ? alive : ended).push(rowOf([lane]))
  }
  return alive.concat(ended)
}

/** The lanes that have ended or will soon: all but those that are alive for a while, and the tasks above these. */
function passing(shown: readonly Lane[], now: number): Set<Lane> {
  const settled = (seconds: number): Lane[] => shown.filter((lane) => lane.endedAt === null && now - lane.begunAt >= seconds)
  const some = settled(SETTLED)
  const found = new Set(shown)
  for (const lane of some.length > MANY_SETTLED ? settled(SETTLED_IN_TRAFFIC) : some) {
    for (let above: Lane | null = lane; above !== null && found.delete(above);) above = above.parent
  }
  return found
}

/** The culprit of the stall that is shown, and the tasks that it delayed most. */
function pinsOf(recording: Recording, window: { from: number; to: number }, now: number, filter: LaneFilter | null, room: number): Map<Lane, Row> {
  // On a small screen, half of the rows are left for the others.
  const most = room === 0 ? MOST_PINNED : Math.max(LEAST_PINNED, Math.min(MOST_PINNED, Math.floor(room / 2)))
  const pins = new Map<Lane, Row>()
  const stall = shownStall(recording, window.from, window.to, now)
  if (stall === null) return pins
  const { lanes, requests, stalls } = recording
  const pin = (id: number | null | undefined, kind: 'culprit' | 'victim', delay = 0): void => {
    const lane = id == null ? undefined : lanes.get(id)
    if (lane !== undefined && !pins.has(lane) && (kind === 'culprit' || filter === null || filter(lane))) pins.set(lane, rowOf([lane], kind, kind === 'victim' ? `+${duration(delay)}` : ''))
  }
  if (!isInnocent(stall)) pin(stall.task, 'culprit')
  const victims = stall.to === null && stall === stalls.open ? victimsAt(stall, now, recording) : stall.victims
  const worst = victims.slice(0, 2 * MOST_PINNED)
  const unknown = new Set(worst.flatMap(({ task, request }) => task === undefined && request !== undefined && requests.get(request) === undefined ? [request] : []))
  const byRequest = new Map<number, number>()
  // Many requests ago, only the lane still says whose it is.
  if (unknown.size > 0) for (const { id, request, parent } of lanes.values()) if (request !== null && parent === null && unknown.has(request)) byRequest.set(request, id)
  for (const { task, request, seconds } of worst) {
    if (pins.size >= most) break
    pin(task ?? (request === undefined ? null : requests.get(request)?.task ?? byRequest.get(request)), 'victim', seconds)
  }
  return pins
}

/** The stall that a window shows: the one that lasts, or else its longest. */
export function shownStall({ stalls }: Recording, from: number, to: number, now: number): Stall | null {
  let longest: Stall | null = null
  for (const stall of stalls.all) {
    const end = stall.to ?? now
    if (end < from || stall.from > to || end - stall.from < AMBER) continue
    if (stall.to === null) return stall
    if (longest === null || stall.seconds > longest.seconds) longest = stall
  }
  return longest
}

const routes = new WeakMap<Lane, string>()

function routeOf(lane: Lane): string {
  let route = routes.get(lane)
  if (route === undefined) routes.set(lane, route = routeIn(lane.rootName))
  return route
}

/** What names have in common: "GET /items/…" of "GET /items/7?page=2 #42", "Task" of "Task-7". */
export function routeIn(name: string): string {
  return name.replace(/ #\d+$/, '').replace(/\?.*$/, '').replace(/\/\d+(?=\/|$)/g, '/…').replace(/[-_ ]?\d+$/, '') || name
}
