// The target's stalls on the tester's clock. The observer of a loopscope server reports each as it happens. Without it, they
// are derived from the Server-Timing of delayed answers.
import type { Timing } from './timing.ts'

/** Seconds since the measurement began. */
export interface Stall {
  from: number
  to: number
  /** What blocked the loop. */
  name: string
}

/** Finds stalls. Times are ms of `performance.now()`. */
export interface StallSource {
  readonly kind: 'observer' | 'answers'
  /** Since when it has seen them. */
  readonly since: number
  /** All stalls seen until now. */
  list(zero: number): Stall[]
}

/** A request that was ready for less than this, in ms, does not count as delayed by a stall. */
const READY_MS = 20
const MOST = 1000

interface Span {
  from: number
  to: number
  name: string
  /** The longest delay of an answer. */
  worst: number
}

/** Stalls derived from answers: overlapping ones are one stall. */
export class AnswerStalls implements StallSource {
  readonly kind = 'answers'
  readonly since = 0
  #spans: Span[] = []

  /** An answer that arrived at `at`. */
  add(at: number, { ready, run, culprit }: Timing): void {
    if (ready < READY_MS || culprit === null || this.#spans.length >= MOST) return
    const span: Span = { from: at - run - ready, to: at - run, name: culprit, worst: ready }
    const apart = this.#spans.filter((other) => other.to < span.from || other.from > span.to)
    for (const other of this.#spans) {
      if (apart.includes(other)) continue
      span.from = Math.min(span.from, other.from)
      span.to = Math.max(span.to, other.to)
      if (other.worst > span.worst) {
        span.worst = other.worst
        span.name = other.name
      }
    }
    this.#spans = [...apart, span]
  }

  list(zero: number): Stall[] {
    return listed(this.#spans, zero)
  }
}

/** Spans in order, without those before time 0. */
export function listed(spans: readonly { from: number; to: number; name: string }[], zero: number): Stall[] {
  const round = (ms: number): number => Math.round(ms) / 1000
  return [...spans].sort((a, b) => a.from - b.from)
    .filter(({ to }) => to > zero)
    .map(({ from, to, name }) => ({ from: round(Math.max(0, from - zero)), to: round(to - zero), name }))
}
