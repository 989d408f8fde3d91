// What a stall is, and what it delays: the observer, the page and the playground judge it alike.
import type { LiveTask, Victim } from './schema.ts'

/** A step that takes this many seconds is worth a warning, and from here a bad one. */
export const AMBER = 0.05
export const RED = 0.1
/** The number of victims that are named. */
export const MOST_VICTIMS = 1000
/** What blocks the loop where it is not a task. */
export const CALLBACK = 'a callback'

/** A task that is ready from a time on, and waits for nothing but the loop. */
export interface Candidate {
  task: number
  name: string
  from: number
}

/** What is said of a step that took this long. */
export function slowStep(name: string, seconds: number): string {
  return `a step of ${name} took ${Math.round(seconds * 1000)} ms and delayed everything else`
}

/** What is known of requests, by their number; `left` is set for those of the live page. */
interface Requests {
  get(request: number): { left?: number | null | undefined } | undefined
}

/**
 * The tasks that are ready, and those whose wait ends by itself, before a time where one is given; but for the one that blocks
 * the loop, and those that serve the live page, which only watches. A run that the page has started does count.
 */
export function candidatesOf(live: Iterable<LiveTask>, requests: Requests, culprit: number | null, before = Infinity): Candidate[] {
  const candidates: Candidate[] = []
  for (const { task, name, state, since, on, run, request } of live) {
    const from = state === 'ready' ? since : on?.deadline
    if (from === undefined || from >= before || task === culprit) continue
    if (request === undefined || run !== undefined || requests.get(request)?.left == null) candidates.push({ task, name, from })
  }
  return candidates
}

/** Which of them a stall delayed by more than `least` seconds, and by how much. */
export function victimsOf(candidates: readonly Candidate[], from: number, to: number, least = 0): (Victim & { task: number })[] {
  return candidates.map((one) => ({ task: one.task, name: one.name, seconds: to - Math.max(from, one.from) })).filter(({ seconds }) => seconds > least)
}

export function totalOf(victims: readonly Victim[]): number {
  return victims.reduce((sum, { seconds }) => sum + seconds, 0)
}
