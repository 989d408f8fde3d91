// The asyncio queues of a loop, from their events: how full they were, and which task put each item. Items leave in order of
// arrival; that is true of a Queue, and enough to count in the others. Consecutive items of one task are one entry, so the
// cost depends on the number of events, not of items.
import { lowerBound } from '../../src/events/lower-bound.ts'
import type { EventOf, Snapshot } from '../../src/events/schema.ts'
import { WAITING, type Lane, type Position } from './track.ts'

const MOST_POINTS = 20_000
const MOST_QUEUES = 1000

type Point = Pick<EventOf<'queue.changed'>, 't' | 'seq' | 'op' | 'size' | 'unfinished' | 'task'>

/** Consecutive items that the same task put; null: the task is unknown. */
interface Items {
  task: number | null
  count: number
}

export class QueueTrack {
  readonly id: number
  maxsize: number
  readonly points: Point[] = []
  /** The items that were there before the first point. */
  #base: Items[] = []

  constructor(id: number, maxsize: number) {
    this.id = id
    this.maxsize = maxsize
  }

  add(point: Point): void {
    if (this.points.length === 0) {
      const before = point.op === 'put' ? point.size - 1 : point.op === 'get' ? point.size + 1 : point.size
      this.#base = before > 0 ? [{ task: null, count: before }] : []
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
    const next = lowerBound(this.points.length, (index) => {
      const point = this.points[index] as Point
      return point.t <= t && point.seq <= seq
    })
    return this.points[next - 1] ?? null
  }

  /** The task that put each of the first `most` items; the next one to leave comes first. */
  items(position: Position, most: number): (number | null)[] {
    const last = this.at(position)
    const items: (number | null)[] = []
    if (last === null) return items
    for (const { task, count } of this.#replay(this.points.indexOf(last) + 1)) {
      for (let at = 0; at < count && items.length < most; at++) items.push(task)
      if (items.length >= most) break
    }
    return items
  }

  #replay(points: number): Items[] {
    const runs = this.#base.map((run) => ({ ...run }))
    let head = 0
    let total = runs.reduce((sum, { count }) => sum + count, 0)
    const put = (task: number | null, count: number): void => {
      const last = runs.length > head ? runs.at(-1) : undefined
      if (last?.task === task) last.count += count
      else runs.push({ task, count })
      total += count
    }
    /** Takes from the front: the oldest first. */
    const take = (count: number): void => {
      while (count > 0 && head < runs.length) {
        const first = runs[head] as Items
        const taken = Math.min(count, first.count)
        first.count -= taken
        total -= taken
        count -= taken
        if (first.count === 0) head++
      }
    }
    for (let at = 0; at < points; at++) {
      const { op, task = null, size } = this.points[at] as Point
      if (op === 'put') put(task, 1)
      else if (op === 'get') take(1)
      if (total < size) put(null, size - total)
      take(total - size)
    }
    return runs.slice(head)
  }

  #drop(count: number): void {
    this.#base = this.#replay(count)
    this.points.splice(0, count)
  }
}

export class Queues {
  readonly all = new Map<number, QueueTrack>()

  forget(t: number): void {
    for (const [id, track] of this.all) {
      if ((track.points.at(-1)?.t ?? Infinity) < t && this.all.size > 16) this.all.delete(id)
      else track.forget(t)
    }
  }

  changed(event: Point & Snapshot['queues'][number]): void {
    const { queue, maxsize } = event
    const track = this.all.get(queue) ?? new QueueTrack(queue, maxsize)
    this.all.set(queue, track)
    if (this.all.size > MOST_QUEUES) this.all.delete(this.all.keys().next().value as number)
    track.maxsize = maxsize
    track.add(event)
  }

  restore(queues: Snapshot['queues'], { t, seq }: Position): void {
    for (const queue of queues) this.changed({ ...queue, t, seq, op: 'done' })
  }

  /** Tasks that wait for a queue, in order of arrival. */
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
