// What happened in a stretch of time: its length, how busy the loop was, and which tasks ran, in figures and as sentences.
import { lowerBound } from '../../src/events/lower-bound.ts'
import { COUNTED } from './steps.ts'
import { duration } from './explain.ts'
import { AMBER } from './stalls.ts'
import type { Recording } from '../recording.ts'

export interface Measured {
  seconds: number
  /** Seconds in which the loop ran something. */
  busy: number
  steps: number
  /** The tasks that ran, by their time. */
  ran: { task: number; name: string; seconds: number }[]
  /** Stalls that lie in it, or reach into it. */
  stalls: number
}

export function measure(recording: Recording, from: number, to: number, now = recording.to): Measured {
  const { lanes, stalls, holder } = recording
  const { steps } = lanes
  const byTask = new Map<number, number>()
  let busy = 0
  let count = 0
  const add = (begin: number, end: number, task: number): void => {
    const seconds = Math.min(to, end) - Math.max(from, begin)
    if (seconds < 0) return
    busy += seconds
    count++
    if (task !== COUNTED) byTask.set(task, (byTask.get(task) ?? 0) + seconds)
  }
  for (let at = lowerBound(steps.to.length, (index) => (steps.to[index] as number) < from); at < steps.from.length && (steps.from[at] as number) <= to; at++) {
    add(steps.from[at] as number, steps.to[at] as number, steps.task[at] as number)
  }
  if (holder !== null && holder.since <= to) add(holder.since, now, holder.lane.id)
  const ran = [...byTask].map(([task, seconds]) => ({ task, name: lanes.get(task)?.name ?? `task ${task}`, seconds }))
  return {
    seconds: to - from, busy, steps: count, ran: ran.sort((a, b) => b.seconds - a.seconds),
    stalls: stalls.all.filter((stall) => (stall.to ?? now) > from && stall.from < to && (stall.to ?? now) - stall.from >= AMBER).length,
  }
}

const MOST_NAMED = 3

/** "1.2 s: the loop was busy for 310 ms (26 %). 12 tasks ran, longest GET /slow #4 300 ms." */
export function inWords({ seconds, busy, steps, ran, stalls }: Measured): string {
  const share = seconds > 0 ? Math.round(busy / seconds * 100) : 0
  if (steps === 0) return `${duration(seconds)}: the loop was idle.`
  const named = ran.slice(0, MOST_NAMED).map(({ name, seconds: own }) => `${name} ${duration(own)}`).join(', ')
  const some = stalls === 0 ? '' : stalls === 1 ? ' One stall.' : ` ${stalls} stalls.`
  return `${duration(seconds)}: the loop was busy for ${duration(busy)} (${share} %) in ${steps.toLocaleString('en-US')} ${steps === 1 ? 'step' : 'steps'}.${some} ${ran.length.toLocaleString('en-US')} ${ran.length === 1 ? 'task' : 'tasks'} ran${named === '' ? '' : `: ${named}${ran.length > MOST_NAMED ? ', …' : ''}`}.`
}
