// When requests are due. A schedule is fixed before the first request, and does not depend on the server.
import type { Plan, StreamPlan } from './plan.ts'
import { seeded } from '../seeded.ts'

/** Returns one time after another, in ms since the stream began; `null` at the end. */
export type Schedule = () => number | null

/** When a run starts, measures and ends, in ms of `performance.now()`. */
export interface Moments {
  startedAt: number
  measureFrom: number
  endAt: number
}

/** Whole ms, so that sums of them are exact: a request that is due at the very end must not be due before it. */
export function momentsOf({ warmup, duration }: Pick<Plan, 'warmup' | 'duration'>, now: number): Moments {
  const startedAt = Math.ceil(now) + 20
  const measureFrom = startedAt + Math.round(warmup * 1000)
  return { startedAt, measureFrom, endAt: measureFrom + Math.round(duration * 1000) }
}

/** The schedule of a stream that has one: constant, Poisson, or all at once. */
export function scheduleOf({ arrivals, rate, requests }: StreamPlan, seed: number): Schedule {
  const most = requests ?? Infinity
  let count = 0
  if (arrivals === 'burst') return () => (count++ < most ? 0 : null)
  if (arrivals === 'constant') return () => (count < most ? (count++ * 1000) / rate : null)
  const random = seeded(seed)
  let at = 0
  return () => {
    if (count++ >= most) return null
    at += (-Math.log(1 - random()) * 1000) / rate
    return at
  }
}
