// The steps of the loop and the wake-ups between tasks, as lists of numbers in the order of time.
import { lowerBound } from '../../src/events/lower-bound.ts'
import type { Lane } from './track.ts'

/** In place of a task id, where the steps of several tasks were only counted. */
export const COUNTED = 0

/** Wake-ups: the time, the task that woke, and the task that was woken. */
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

/** Steps: which task ran, from when to when. */
export class Steps {
  readonly from: number[] = []
  readonly to: number[] = []
  readonly task: number[] = []
  /** The current step. */
  open: { lane: Lane; since: number } | null = null

  /** Ends the step of this lane; returns when it began, or null if that is unknown. */
  end(lane: Lane, t: number): number | null {
    const step = this.open
    this.open = null
    if (step === null || step.lane !== lane) return null
    // By a snapshot, a step may begin before the end of the previous one.
    this.from.push(Math.max(step.since, this.to.at(-1) ?? -Infinity))
    this.to.push(t)
    this.task.push(lane.id)
    return step.since
  }

  /** Steps of several tasks that were only counted. */
  counted(from: number, to: number): void {
    this.from.push(Math.max(from, this.to.at(-1) ?? -Infinity))
    this.to.push(to)
    this.task.push(COUNTED)
  }

  /** The part of the time in which a step ran, from 0 to 1. */
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

/** Drops the entries before a time; the first list has the times. */
function dropBefore(t: number, times: number[], ...others: number[][]): void {
  const count = lowerBound(times.length, (index) => (times[index] as number) < t)
  for (const list of [times, ...others]) list.splice(0, count)
}
