// What the loop did, one step after the other, and who woke whom: lists of numbers in the order of time.
import { lowerBound } from '../../src/events/lower-bound.ts'
import type { Lane } from './track.ts'

/** In place of a task, where many steps of several tasks were counted. */
export const COUNTED = 0

/** Who woke, who was woken, and when. */
export class Wakes {
  readonly t: number[] = []
  readonly by: number[] = []
  readonly task: number[] = []

  add(t: number, by: number, task: number): void {
    this.t.push(t)
    this.by.push(by)
    this.task.push(task)
  }

  forget(before: number): void {
    dropBefore(before, this.t, this.by, this.task)
  }
}

/** Which task had the loop, from when to when. */
export class Steps {
  readonly from: number[] = []
  readonly to: number[] = []
  readonly task: number[] = []
  /** The step that is under way. */
  open: { lane: Lane; since: number } | null = null

  /** The step of this lane ends; gives when it began, or null where none is known. */
  end(lane: Lane, t: number): number | null {
    const step = this.open
    this.open = null
    if (step === null || step.lane !== lane) return null
    // A snapshot may say that a step began before the one that was seen last had ended.
    this.from.push(Math.max(step.since, this.to.at(-1) ?? -Infinity))
    this.to.push(t)
    this.task.push(lane.id)
    return step.since
  }

  /** Many steps of several tasks, which were counted: they are nobody's. */
  counted(from: number, to: number): void {
    this.from.push(Math.max(from, this.to.at(-1) ?? -Infinity))
    this.to.push(to)
    this.task.push(COUNTED)
  }

  /** The part of the time between two moments for which a step held the loop, from 0 to 1. */
  utilisation(from: number, to: number): number {
    let busy = this.open === null ? 0 : Math.max(0, to - Math.max(from, this.open.since))
    for (let at = this.to.length - 1; at >= 0 && (this.to[at] as number) > from; at--) {
      busy += Math.max(0, Math.min(to, this.to[at] as number) - Math.max(from, this.from[at] as number))
    }
    return to > from ? Math.min(1, busy / (to - from)) : 0
  }

  forget(before: number): void {
    dropBefore(before, this.to, this.from, this.task)
  }
}

/** Drop what lies before a time, by the first of lists that go together. */
function dropBefore(t: number, times: number[], ...others: number[][]): void {
  const count = lowerBound(times.length, (index) => (times[index] as number) < t)
  for (const list of [times, ...others]) list.splice(0, count)
}
