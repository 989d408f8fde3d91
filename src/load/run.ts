// Runs a plan: sends every request at its time, whether or not the server answers, and reports the results at the end. Nothing
// here waits for an answer.
import { availableParallelism } from 'node:os'
import { performance } from 'node:perf_hooks'
import type { Ending, LoadResult } from './result.ts'
import type { LoadRequest } from './request.ts'
import type { Plan } from './plan.ts'
import type { StallSource } from './stalls.ts'
import { ready } from './latencies.ts'
import { momentsOf } from './schedule.ts'
import { streamResult } from './result.ts'
import { AnswerStalls } from './stalls.ts'
import { Stream } from './stream.ts'

/** A timer may be this many ms late, so the last part of a wait is spent polling the clock. */
const TIMER_MS = 1.5
/** Requests are sent for this many ms before answers are read. */
const STRETCH_MS = 5
/** How long after the end a request that was due before it may be sent, in ms. */
const BACKLOG_MS = 100
const SWEEP_MS = 25
/** With one processor, polling the clock would take the server's time. */
const SPINS = availableParallelism() > 1

export interface RunOptions {
  /** Receives every answer: the stream's name, when the request was due (ms of `performance.now()`), its latency in ms and its status. */
  onAnswer?: (name: string, dueAt: number, ms: number, status: number) => void
  /** Receives the streams at the end, before their records are freed. */
  onEnd?: (streams: readonly Stream[]) => void
  /** The first answer of a loopscope server has arrived. */
  onLoopscope?: (origin: string) => void
  /** Where stalls are read, besides the answers; called at the end. */
  stalls?: () => StallSource | null
}

/** The progress of a run. */
export interface Progress {
  /** Seconds since the measurement began; negative in the warm-up. */
  seconds: number
  streams: readonly Stream[]
}

export class LoadRun {
  readonly plan: Plan
  readonly #options: RunOptions
  readonly #answerStalls = new AnswerStalls()
  #streams: Stream[] = []
  #measureFrom = 0
  #endAt = 0
  #stoppedAt = Infinity
  #ending: Ending = 'finished'
  #reason: string | null = null
  #wake: (() => void) | null = null
  /** Time that the tester only polled the clock, which is not work, in ms. */
  #idleMs = 0
  #polledAt = 0
  #answers = 0
  #answersThen = 0
  #met = false
  #utilization = performance.eventLoopUtilization()
  #busy = 0

  constructor(plan: Plan, options: RunOptions = {}) {
    this.plan = plan
    this.#options = options
  }

  /** Runs all of it. It does not fail if the target does: the result contains the failures. */
  async run(): Promise<LoadResult> {
    const { plan } = this
    await ready()
    const now = performance.now()
    this.#utilization = performance.eventLoopUtilization()
    const moments = momentsOf(plan, now)
    this.#measureFrom = moments.measureFrom
    this.#endAt = moments.endAt
    this.#streams = plan.streams.map((stream, index) => new Stream(stream, {
      ...moments, seed: plan.seed + index,
      onAnswer: (of, request, at) => this.#answered(of, request, at),
      onGone: ({ plan: { url } }, kind, since) => {
        const seconds = Math.max(0, (since - this.#measureFrom) / 1000).toFixed(1)
        this.stop('gone', `${new URL(url).origin} is gone: since ${seconds} s nothing but "${kind}"`)
      },
    }))
    const sweeping = setInterval(() => {
      const at = performance.now()
      for (const stream of this.#streams) stream.sweep(at)
      this.#wakeIfDone()
    }, SWEEP_MS)
    this.#pace()
    await new Promise<void>((resolve) => {
      this.#wake = resolve
      this.#wakeIfDone()
    })
    clearInterval(sweeping)
    const result = this.#result()
    this.#options.onEnd?.(this.#streams)
    await Promise.all(this.#streams.map((stream) => stream.close()))
    for (const { stats } of this.#streams) stats.destroy()
    return result
  }

  /** Ends it early. `finished` waits for requests under way; other endings do not. */
  stop(ending: Ending, reason: string | null = null): void {
    if (this.#stoppedAt !== Infinity && ending === 'finished') return
    if (this.#ending === 'finished') {
      this.#ending = ending
      this.#reason = reason
    }
    this.#stopSending(performance.now())
    this.#wakeIfDone()
  }

  /** `null` before it has begun. */
  progress(): Progress | null {
    if (this.#streams.length === 0) return null
    return { seconds: (performance.now() - this.#measureFrom) / 1000, streams: this.#streams }
  }

  #answered({ plan, inFlight }: Stream, request: LoadRequest, at: number): void {
    this.#answers++
    if (request.timing !== null && !this.#met) {
      this.#met = true
      this.#options.onLoopscope?.(new URL(plan.url).origin)
    }
    if (request.timing !== null && request.dueAt >= this.#measureFrom) this.#answerStalls.add(at, request.timing)
    this.#options.onAnswer?.(plan.name, request.dueAt, at - request.dueAt, request.status)
    if (inFlight === 0) this.#wakeIfDone()
  }

  #stopSending(now: number): void {
    if (this.#stoppedAt !== Infinity) return
    this.#stoppedAt = Math.min(now, this.#endAt)
    const { idle, active } = performance.eventLoopUtilization(this.#utilization)
    this.#busy = Math.max(0, Math.min(1, 1 - (idle + this.#idleMs) / (idle + active)))
    for (const stream of this.#streams) stream.stop(now)
  }

  #wakeIfDone(): void {
    if (this.#wake === null) return
    if (this.#ending !== 'finished' || this.#streams.every(({ done }) => done)) {
      this.#stopSending(performance.now())
      this.#wake()
    }
  }

  /** Sends what is due, and returns when the next request is. */
  readonly #pace = (): void => {
    if (this.#stoppedAt !== Infinity) return
    const began = performance.now()
    let now = began
    if (this.#polledAt !== 0 && this.#answers === this.#answersThen) this.#idleMs += began - this.#polledAt
    this.#polledAt = 0
    for (;;) {
      const stream = this.#next()
      if (stream === null) {
        if (now < this.#endAt && !this.#streams.every(({ done }) => done)) this.#comeBack(Math.min(50, this.#endAt - now))
        else this.#stopAndWake(now)
        return
      }
      if (stream.nextAt > now) {
        this.#comeBack(stream.nextAt - now)
        return
      }
      if (now > this.#endAt + BACKLOG_MS) {
        this.#stopAndWake(now)
        return
      }
      if (now - began > STRETCH_MS) {
        setImmediate(this.#pace)
        return
      }
      stream.sendNext()
      now = performance.now()
    }
  }

  #stopAndWake(now: number): void {
    this.#stopSending(now)
    this.#wakeIfDone()
  }

  #next(): Stream | null {
    let next: Stream | null = null
    for (const stream of this.#streams) if (stream.nextAt < (next?.nextAt ?? Infinity)) next = stream
    return next
  }

  #comeBack(ms: number): void {
    if (!SPINS) setTimeout(this.#pace, ms)
    else if (ms > TIMER_MS + 1) setTimeout(this.#pace, ms - TIMER_MS)
    else {
      this.#polledAt = performance.now()
      this.#answersThen = this.#answers
      setImmediate(this.#pace)
    }
  }

  #result(): LoadResult {
    const stalls = this.#options.stalls?.() ?? null
    const now = performance.now()
    const zero = this.#measureFrom
    const witnessed = this.#answerStalls.list(zero)
    // For the time before the observer was connected, only the answers show stalls.
    const told = stalls === null ? [] : [...witnessed.filter(({ to }) => zero + to * 1000 < stalls.since), ...stalls.list(zero)]
    const source = stalls !== null ? stalls.kind : witnessed.length > 0 ? 'answers' : null
    return {
      ended: this.#ending, reason: this.#reason, epoch: performance.timeOrigin + zero,
      startedAt: new Date(performance.timeOrigin + zero).toISOString(),
      seconds: Math.max(0, Math.round(Math.min(now, this.#stoppedAt) - zero) / 1000), warmup: this.plan.warmup, busy: Math.round(this.#busy * 1000) / 1000,
      streams: this.#streams.map((stream) => streamResult(stream, zero, this.#stoppedAt, now, this.#busy)),
      stalls: stalls !== null ? told : witnessed, stallsFrom: source,
    }
  }
}
