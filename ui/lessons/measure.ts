// The measurements of the experiments: timed requests of this page to its own server, and events of the stream.
import type { Session } from '../session.ts'

/** One figure of an experiment, in seconds. */
export interface Figure {
  what: string
  seconds: number
  /** The misconception is wrong about this figure. */
  surprising?: boolean
}

export interface Result {
  /** Measured figures only. */
  figures: Figure[]
  /** Whether they refute the misconception. On a busy machine they may not. */
  shown: boolean
  /** What the figures mean if they do, in a sentence. */
  says: string
}

/** Requests a path, without any cache; returns the seconds until the whole answer had arrived. */
export async function timed(session: Session, path: string, signal?: AbortSignal): Promise<number> {
  const began = performance.now()
  const response = await fetch(session.api.url(path), { cache: 'no-store', ...(signal === undefined ? {} : { signal }) })
  await response.text()
  if (!response.ok) throw new Error(response.status === 429 ? 'These calls exceeded the server’s limit per minute. Try again in a minute.' : `The server answered ${response.status}.`)
  return (performance.now() - began) / 1000
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Seconds until all of them were answered, sent at the same time. */
export async function together(requests: readonly (() => Promise<number>)[]): Promise<number> {
  const began = performance.now()
  await Promise.all(requests.map((request) => request()))
  return (performance.now() - began) / 1000
}

/** A probe in the middle of something: `/ping`, sent a moment after `what`. */
export async function pingDuring(session: Session, what: string, ms = 100): Promise<{ ping: number; whole: number }> {
  const whole = timed(session, what)
  whole.catch(() => {})
  await pause(ms)
  const ping = await timed(session, '/ping')
  return { ping, whole: await whole }
}
