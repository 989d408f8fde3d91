// The asyncio queues of a loop, as far as their events tell: how full they were, and whose items lie in them. Items leave
// in the order in which they came, which is true of a Queue, and of the others for the count.
import type { EventOf, Snapshot } from '../../src/stream/events.ts'
import { WAITING, type Lane, type Position } from './lane.ts'

const MOST_POINTS = 20_000

interface Point {
  t: number
  seq: number
  op: 'put' | 'get' | 'done'
  size: number
  unfinished: number
  task: number | null
}

export class QueueTrack {
  readonly id: number
  maxsize: number
  readonly points: Point[] = []
  /** Who put what lay there before the first point; null: nobody knows. */
  #base: (number | null)[] = []

  constructor(id: number, maxsize: number) {
    this.id = id
    this.maxsize = maxsize
  }

  add(point: Point): void {
    if (this.points.length === 0) {
      const before = point.op === 'put' ? point.size - 1 : point.op === 'get' ? point.size + 1 : point.size
      this.#base = new Array<null>(Math.max(0, Math.min(before, 100_000))).fill(null)
    }
    this.points.push(point)
    if (this.points.length > MOST_POINTS) this.#drop(MOST_POINTS / 10)
  }

  forget(t: number): void {
    let count = 0
    while (count < this.points.length - 1 && (this.points[count] as Point).t < t) count++
    if (count > 0) this.#drop(count)
  }

  /** The last point at a position. */
  at({ t, seq }: Position): Point | null {
    let low = 0
    let high = this.points.length
    while (low < high) {
      const middle = (low + high) >> 1
      const point = this.points[middle] as Point
      if (point.t <= t && point.seq <= seq) low = middle + 1
      else high = middle
    }
    return this.points[low - 1] ?? null
  }

  /** Who put each item that lies in the queue, the next one to leave first. */
  items(position: Position): (number | null)[] {
    const last = this.at(position)
    if (last === null) return []
    return this.#replay(this.points.indexOf(last) + 1)
  }

  #replay(count: number): (number | null)[] {
    const items = [...this.#base]
    let head = 0
    for (let at = 0; at < count; at++) {
      const { op, task, size } = this.points[at] as Point
      if (op === 'put') items.push(task)
      else if (op === 'get') head++
      while (items.length - head < size) items.push(null)
      if (items.length - head > size) head = items.length - size
    }
    return items.slice(head)
  }

  #drop(count: number): void {
    this.#base = this.#replay(count)
    this.points.splice(0, count)
  }
}

export class Queues {
  readonly all = new Map<number, QueueTrack>()

  clear(): void {
    this.all.clear()
  }

  forget(t: number): void {
    for (const [id, track] of this.all) {
      if ((track.points.at(-1)?.t ?? Infinity) < t && this.all.size > 16) this.all.delete(id)
      else track.forget(t)
    }
  }

  changed({ queue, t, seq, op, size, unfinished, maxsize, task }: EventOf<'queue.changed'>): void {
    let track = this.all.get(queue)
    if (track === undefined) {
      track = new QueueTrack(queue, maxsize)
      this.all.set(queue, track)
    }
    track.maxsize = maxsize
    track.add({ t, seq, op, size, unfinished, task: task ?? null })
  }

  restore(queues: Snapshot['queues'], { t, seq }: Position): void {
    for (const { queue, size, unfinished, maxsize } of queues) {
      if (!this.all.has(queue)) this.all.set(queue, new QueueTrack(queue, maxsize))
      this.all.get(queue)?.add({ t, seq, op: 'done', size, unfinished, task: null })
    }
  }

  /** Tasks that are blocked on a queue, in the order in which they came; on the left those that put. */
  blocked(queue: number, lanes: Iterable<Lane>, position: Position): { putters: Lane[]; getters: Lane[]; joiners: Lane[] } {
    const found: Record<'queue.put' | 'queue.get' | 'queue.join', { lane: Lane; seq: number }[]> = { 'queue.put': [], 'queue.get': [], 'queue.join': [] }
    for (const lane of lanes) {
      const span = lane.at(position)
      const on = span?.info?.on
      if (span === null || span.state !== WAITING || on?.queue !== queue) continue
      if (on.kind === 'queue.put' || on.kind === 'queue.get' || on.kind === 'queue.join') found[on.kind].push({ lane, seq: span.seq })
    }
    const inOrder = (list: { lane: Lane; seq: number }[]): Lane[] => list.sort((a, b) => a.seq - b.seq).map(({ lane }) => lane)
    return { putters: inOrder(found['queue.put']), getters: inOrder(found['queue.get']), joiners: inOrder(found['queue.join']) }
  }
}
