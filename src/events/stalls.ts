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
  /** The request that it works for. */
  request?: number
}

/** What is said of a step that took this long. */
export function slowStep(name: string, seconds: number): string {
  return `a step of ${name} took ${Math.round(seconds * 1000)} ms and delayed everything else`
}

/** What is known of requests, by their number; `left` is set for those of the live page. */
interface Requests {
  get(request: number): { method: string; url: string; left?: number | null | undefined } | undefined
}

/**
 * The tasks that are ready, and those whose wait ends by itself, before a time where one is given; but for the one that blocks
 * the loop, and those that serve the live page, which only watches. A run that the page has started does count. A task that
 * works for a request has the request's name.
 */
export function candidatesOf(live: Iterable<LiveTask>, requests: Requests, culprit: number | null, before = Infinity): Candidate[] {
  const candidates: Candidate[] = []
  for (const { task, name, state, since, on, run, request } of live) {
    const from = state === 'ready' ? since : on?.deadline
    if (from === undefined || from >= before || task === culprit) continue
    const served = request === undefined || run !== undefined ? undefined : requests.get(request)
    if (request === undefined || served === undefined) candidates.push({ task, name, from })
    else if (served.left == null) candidates.push({ task, name: `${served.method} ${served.url} #${request}`, from, request })
  }
  return candidates
}

/**
 * Which of them a stall delayed by more than `least` seconds, and by how much. A request counts once, with the longest delay of
 * its tasks; the one that caused the stall is `guilty`, and did not wait.
 */
export function victimsOf(candidates: readonly Candidate[], from: number, to: number, guilty: number | null, least = 0): (Victim & { task: number })[] {
  const victims: (Victim & { task: number })[] = []
  const served = new Map<number, Victim & { task: number }>()
  for (const { task, name, from: since, request } of candidates) {
    const seconds = to - Math.max(from, since)
    if (seconds <= least || (request !== undefined && request === guilty)) continue
    const known = request === undefined ? undefined : served.get(request)
    if (known === undefined) {
      const victim = { task, name, seconds, ...(request === undefined ? {} : { request }) }
      victims.push(victim)
      if (request !== undefined) served.set(request, victim)
    } else if (seconds > known.seconds) Object.assign(known, { task, seconds })
  }
  return victims
}

export function totalOf(victims: readonly Victim[]): number {
  return victims.reduce((sum, { seconds }) => sum + seconds, 0)
}
