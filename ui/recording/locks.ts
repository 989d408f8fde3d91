// What tasks wait for besides each other and queues: locks, semaphores, events. How many wait for each, over time, and which
// task owns a lock, or a semaphore with one permit. The events say which task owns a lock when a task begins to wait for it. Later, a task that wakes a waiter has
// released the lock, and the woken task owns it; in events of earlier versions, that is all.
import { lowerBound } from '../../src/events/lower-bound.ts'
import type { EventOf, Snapshot, Waiting } from '../../src/events/schema.ts'
import type { Position } from './track.ts'

const MOST_POINTS = 20_000
const MOST_LOCKS = 1000
const KINDS = new Set<Waiting['kind']>(['lock', 'semaphore', 'condition', 'event', 'barrier'])

interface Point {
  readonly t: number
  readonly seq: number
  readonly waiting: number
  /** null: not known. */
  holder: number | null
}

export class LockTrack {
  readonly label: string
  readonly kind: Waiting['kind']
  readonly points: Point[] = []

  constructor(label: string, kind: Waiting['kind']) {
    this.label = label
    this.kind = kind
  }

  /** The last point at a position. */
  at({ t, seq }: Position): Point | null {
    const next = lowerBound(this.points.length, (index) => {
      const point = this.points[index] as Point
      return point.t <= t && point.seq <= seq
    })
    return this.points[next - 1] ?? null
  }

  add(t: number, seq: number, waiting: number, holder: number | null): void {
    this.points.push({ t, seq, waiting, holder: waiting === 0 ? null : holder })
    if (this.points.length > MOST_POINTS) this.points.splice(0, MOST_POINTS / 10)
  }

  /** This task has released the lock, so it owned it until now. */
  released(by: number): void {
    for (let at = this.points.length - 1; at >= 0; at--) {
      const point = this.points[at] as Point
      if (point.waiting === 0 || point.holder !== null) return
      point.holder = by
    }
  }

  forget(t: number): void {
    const kept = lowerBound(this.points.length, (index) => (this.points[index] as Point).t < t)
    this.points.splice(0, Math.min(kept, this.points.length - 1))
  }
}

function ownerOf({ holder, owners = [] }: Waiting): number | undefined {
  return holder ?? (owners.length === 1 ? owners[0] : undefined)
}

export class Locks {
  readonly all = new Map<string, LockTrack>()
  /** Which lock each task waits for. */
  readonly #waits = new Map<number, LockTrack>()

  suspended({ t, seq, task, on }: Pick<EventOf<'task.suspended'>, 't' | 'seq' | 'task' | 'on'>): void {
    if (on.label === undefined || !KINDS.has(on.kind)) return
    let track = this.all.get(on.label)
    if (track === undefined) {
      this.all.set(on.label, track = new LockTrack(on.label, on.kind))
      if (this.all.size > MOST_LOCKS) this.all.delete(this.all.keys().next().value as string)
    }
    const last = track.points.at(-1)
    this.#waits.set(task, track)
    track.add(t, seq, (last?.waiting ?? 0) + 1, ownerOf(on) ?? last?.holder ?? null)
  }

  /**
   * A task no longer waits. Where the owner of its lock is known, only a task that was the owner has released it: any other has
   * cancelled the wait. `cancelling`, which is of the past, only decides where the owner is not known.
   */
  left({ t, seq, task, by }: { t: number; seq: number; task: number; by?: number | undefined }, cancelling: boolean): void {
    const track = this.#waits.get(task)
    if (track === undefined) return
    this.#waits.delete(task)
    const last = track.points.at(-1)
    const owner = last?.holder ?? null
    const released = (track.kind === 'lock' || owner !== null) && by !== undefined && (owner === null ? !cancelling : owner === by)
    if (released) track.released(by)
    track.add(t, seq, Math.max(0, (last?.waiting ?? 1) - 1), released ? task : last?.holder ?? null)
  }

  /** Begins again with what is alive. */
  restore({ tasks }: Snapshot, { t, seq }: Position): void {
    this.#waits.clear()
    for (const track of this.all.values()) if (track.points.at(-1)?.waiting !== 0) track.add(t, seq, 0, null)
    for (const { task, on } of tasks) if (on !== undefined) this.suspended({ t, seq, task, on })
  }

  forget(t: number): void {
    for (const [label, track] of this.all) {
      const last = track.points.at(-1)
      if (last === undefined || (last.t < t && last.waiting === 0)) this.all.delete(label)
      else track.forget(t)
    }
  }
}
