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
  /** For each step, the seconds of all steps before it. */
  readonly #before: number[] = []
  #sum = 0

  /** Ends the step of this lane; returns when it began, or null if that is unknown. */
  end(lane: Lane, t: number): number | null {
    const step = this.open
    this.open = null
    if (step === null || step.lane !== lane) return null
    this.#add(step.since, t, lane.id)
    return step.since
  }

  /** Steps of several tasks that were only counted. */
  counted(from: number, to: number): void {
    this.#add(from, to, COUNTED)
  }

  /** The number of steps that ended up to `t`. */
  endedBy(t: number): number {
    const { to } = this
    return lowerBound(to.length, (index) => (to[index] as number) <= t)
  }

  /** The seconds in which a step ran, up to `t`; only the difference of two has a meaning. `ended` is the number of steps that ended by then. */
  busyUntil(t: number, ended = this.endedBy(t)): number {
    const open = this.open === null ? 0 : Math.max(0, t - this.open.since)
    return open + (ended === this.to.length ? this.#sum : (this.#before[ended] as number) + Math.max(0, t - (this.from[ended] as number)))
  }

  /** The part of the time in which a step ran, from 0 to 1. */
  utilisation(from: number, to: number): number {
    return to > from ? Math.max(0, Math.min(1, (this.busyUntil(to) - this.busyUntil(from)) / (to - from))) : 0
  }

  forget(before: number): void {
    dropBefore(before, this.to, this.from, this.task, this.#before)
  }

  #add(since: number, t: number, task: number): void {
    // By a snapshot, a step may begin before the end of the previous one.
    const from = Math.max(since, this.to.at(-1) ?? -Infinity)
    const to = Math.max(from, t)
    this.from.push(from)
    this.to.push(to)
    this.task.push(task)
    this.#before.push(this.#sum)
    this.#sum += to - from
  }
}

/** Drops the entries before a time; the first list has the times. */
function dropBefore(t: number, times: number[], ...others: number[][]): void {
  const count = lowerBound(times.length, (index) => (times[index] as number) < t)
  for (const list of [times, ...others]) list.splice(0, count)
}
