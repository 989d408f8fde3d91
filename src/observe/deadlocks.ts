// Finds deadlocks: tasks that wait for each other, by awaiting or through the owners of locks and semaphores. A task that depends on
// one that can still run is in no deadlock, and a cycle that a `timeout()` will end is none either.
import type { LiveTask } from '../events/schema.ts'
import type { Model } from '../events/model.ts'

/** With more tasks than this in a chain, nothing is found. */
const MOST_TASKS = 1000
/** A `timeout()` that is this many seconds overdue does not end its wait: it was moved, or the task goes on waiting. */
const OVERDUE = 1
/** A release by another task would end a wait for a semaphore. Without one for this many seconds, its owners count. */
const SETTLED = 1
/** A task that waits for one of these awaits its children. */
const AWAITS = new Set(['task', 'gather', 'future'])

/** `cycle`: each awaits the next, and the last the first. `later`: only time decides. */
export type Found = { cycle: number[] } | 'later' | null

/** The deadlock that `first`, which has begun to wait, is in or waits for. */
export function findDeadlock(model: Model, first: number, now: number): Found {
  const reached = new Map<number, readonly number[]>()
  const left = [first]
  let later = false
  for (let task = left.pop(); task !== undefined; task = left.pop()) {
    if (reached.has(task)) continue
    const live = model.tasks.get(task)
    const blockers = live === undefined ? [] : blockersOf(model, live)
    if (live === undefined || blockers.length === 0 || reached.size === MOST_TASKS) return null
    if (endsItself(live, now) || (live.on?.kind === 'semaphore' && now - live.since < SETTLED)) later = true
    reached.set(task, blockers)
    left.push(...blockers)
  }
  if (later) return 'later'
  const cycle = cycleFrom(first, reached)
  return isInterrupted(model, new Set(cycle), now) ? 'later' : { cycle }
}

/** The tasks without which this one cannot continue; empty if they are not known. */
export function blockersOf(model: Model, { task, state, on }: LiveTask): readonly number[] {
  if (state !== 'suspended' || on === undefined) return []
  return on.task === undefined ? model.locks.ownersFor(task) : [on.task]
}

function endsItself({ on }: LiveTask, now: number): boolean {
  const end = on?.timeout ?? on?.deadline
  return end !== undefined && now < end + OVERDUE
}

function cycleFrom(first: number, blockers: ReadonlyMap<number, readonly number[]>): number[] {
  const path: number[] = []
  const places = new Map<number, number>()
  for (let at = first; ; at = blockers.get(at)?.[0] as number) {
    const before = places.get(at)
    if (before !== undefined) return path.slice(before)
    places.set(at, path.length)
    path.push(at)
  }
}

/** Whether a task that awaits one of these, and is in a `timeout()`, will cancel it. */
function isInterrupted({ tasks }: Model, members: ReadonlySet<number>, now: number): boolean {
  for (const live of tasks.values()) {
    if (live.state !== 'suspended' || !endsItself(live, now)) continue
    let at: LiveTask | undefined = live
    for (let steps = 0; at?.on?.task !== undefined && steps < MOST_TASKS; steps++) {
      if (members.has(at.on.task)) return true
      at = tasks.get(at.on.task)
    }
  }
  // Of several tasks that one awaits, the events name only one. The others are its children.
  for (const member of members) {
    let parent = tasks.get(member)?.parent
    for (let steps = 0; parent !== undefined && steps < MOST_TASKS; steps++) {
      const live = tasks.get(parent)
      if (live?.state === 'suspended' && AWAITS.has(live.on?.kind ?? '') && endsItself(live, now)) return true
      parent = live?.parent
    }
  }
  return false
}
