// One stream of requests while it runs: sends them and records how they end. Only the schedule decides when they are sent (for
// a closed stream, the answers do); a request never waits for another's answer, except for a free connection.
import { performance } from 'node:perf_hooks'
import { Pool } from 'undici'
import type { Moments, Schedule } from './schedule.ts'
import type { StreamPlan } from './plan.ts'
import { LoadRequest, type RequestListener } from './request.ts'
import { isGone, kindOf } from './failures.ts'
import { scheduleOf } from './schedule.ts'
import { RequestStats } from './request-stats.ts'

/** The most unanswered requests: those beyond it are not sent, but counted. */
const MOST_IN_FLIGHT = 100_000
/** A target is gone when all requests for this many ms failed to connect. */
const GONE_MS = 2000
const GONE_TIMES = 3
/** A closed stream waits this many ms after a failure, so as not to flood a dead server. */
const AFTER_FAILURE_MS = 20
const MOST_CONNECTING_SECONDS = 10

export interface StreamContext extends Moments {
  seed: number
  onAnswer: (stream: Stream, request: LoadRequest, at: number) => void
  /** The target is gone: only failures of this kind `since`. */
  onGone: (stream: Stream, kind: string, since: number) => void
}

export class Stream implements RequestListener {
  readonly plan: StreamPlan
  readonly stats: RequestStats
  inFlight = 0
  /** How many requests had been sent when it stopped. */
  wentOutInTime = 0
  /** When the next request is due, in ms of `performance.now()`; `Infinity` means never. */
  nextAt: number
  readonly #pool: Pool
  readonly #context: StreamContext
  readonly #schedule: Schedule
  readonly #beginAt: number
  readonly #paths: readonly string[]
  #count = 0
  /** Requests under way, ordered by due time; some of them are over. */
  #underway: LoadRequest[] = []
  #front = 0
  #stopped = false
  #failures = 0
  #failingSince = 0
  #stamped: boolean

  constructor(plan: StreamPlan, context: StreamContext) {
    const { origin, pathname, search } = new URL(plan.url)
    this.plan = plan
    this.stats = new RequestStats(context.measureFrom, context.endAt - context.measureFrom)
    this.#context = context
    this.#stamped = plan.stamped
    this.#paths = plan.paths ?? [pathname + search]
    // A stream with a fixed number or start is not part of the warm-up.
    const counted = plan.after > 0 || plan.requests !== null
    this.#beginAt = counted ? context.measureFrom + plan.after * 1000 : context.startedAt
    // Time limits are checked here, from the scheduled time on, so undici need not.
    this.#pool = new Pool(origin, {
      connections: plan.connections, pipelining: 1, headersTimeout: 0, bodyTimeout: 0,
      connect: { timeout: Math.min(plan.timeout, MOST_CONNECTING_SECONDS) * 1000 },
    })
    this.#schedule = plan.arrivals === 'closed' ? () => null : scheduleOf(plan, context.seed)
    this.nextAt = plan.arrivals === 'closed' ? this.#beginAt : this.#following()
  }

  /** It sends nothing further, and waits for no answer. */
  get done(): boolean {
    return this.inFlight === 0 && this.nextAt === Infinity && (this.#stopped || this.plan.arrivals !== 'closed' || this.#exhausted)
  }

  /** Sends what is due next. */
  sendNext(): void {
    if (this.plan.arrivals === 'closed') {
      this.nextAt = Infinity
      for (let i = 0; i < this.plan.connections; i++) this.#sendClosed()
      return
    }
    const dueAt = this.nextAt
    this.nextAt = this.#following()
    this.#send(dueAt)
  }

  /** Stops sending. Requests that were due and not sent are counted. */
  stop(now: number): void {
    if (!this.#stopped) this.wentOutInTime = this.stats.wentOut
    this.#stopped = true
    while (this.nextAt < now && this.plan.arrivals !== 'closed') {
      this.stats.neverLeft(this.nextAt)
      this.nextAt = this.#following()
    }
    this.nextAt = Infinity
  }

  /** Gives up requests that have waited too long. */
  sweep(now: number): void {
    for (; this.#front < this.#underway.length; this.#front++) {
      const request = this.#underway[this.#front]!
      if (request.over) continue
      if (now - request.dueAt < this.plan.timeout * 1000) break
      request.giveUp()
      this.inFlight--
      this.stats.timeout(request, now)
      this.#goOn(0)
    }
    if (this.#underway.length > 2 * this.inFlight + 1024) {
      this.#underway = this.#underway.filter(({ over }) => !over)
      this.#front = 0
    }
  }

  /** How long the oldest unanswered request has waited, in ms. */
  oldest(now: number): number {
    const request = this.#underway.find(({ over }) => !over)
    return request === undefined ? 0 : now - request.dueAt
  }

  /** Closes all connections; nothing more is recorded of requests under way. */
  async close(): Promise<void> {
    this.#stopped = true
    for (const request of this.#underway) request.over = true
    await this.#pool.destroy()
  }

  wentOut({ dueAt }: LoadRequest): void {
    this.stats.goesOut(dueAt)
  }

  answered(request: LoadRequest, at: number): void {
    this.inFlight--
    this.#failures = 0
    // A loopscope server can report exactly how long a request was delayed, if it knows when the request was sent.
    if (request.timing !== null) this.#stamped = true
    this.stats.answer(request, at)
    this.#context.onAnswer(this, request, at)
    this.#goOn(request.status >= 400 ? AFTER_FAILURE_MS : 0)
  }

  failed(request: LoadRequest, at: number, error: unknown): void {
    this.inFlight--
    const kind = kindOf(error)
    this.stats.failure(request, at, kind)
    if (isGone(kind)) {
      if (this.#failures++ === 0) this.#failingSince = request.dueAt
      if (this.#failures >= GONE_TIMES && at - this.#failingSince >= GONE_MS) this.#context.onGone(this, kind, this.#failingSince)
    }
    this.#goOn(AFTER_FAILURE_MS)
  }

  get #exhausted(): boolean {
    return this.plan.requests !== null && this.#count >= this.plan.requests
  }

  #goOn(afterMs: number): void {
    if (this.plan.arrivals !== 'closed' || this.#stopped) return
    if (afterMs === 0) this.#sendClosed()
    else setTimeout(() => this.#sendClosed(), afterMs)
  }

  #sendClosed(): void {
    const now = performance.now()
    if (this.#stopped || this.#exhausted || now >= this.#context.endAt) return
    this.#send(now)
  }

  #send(dueAt: number): void {
    const { plan, stats } = this
    const now = performance.now()
    const path = this.#paths[this.#count++ % this.#paths.length]!
    stats.leaves(dueAt, now, this.inFlight >= plan.connections)
    if (this.inFlight >= MOST_IN_FLIGHT) {
      stats.refused(dueAt, `not sent: ${MOST_IN_FLIGHT} requests were unanswered`)
      return
    }
    this.inFlight++
    const request = new LoadRequest(dueAt, this)
    this.#underway.push(request)
    const headers = this.#stamped ? { ...plan.headers, 'x-request-start': `t=${((performance.timeOrigin + dueAt) / 1000).toFixed(6)}` } : plan.headers
    this.#pool.dispatch({ path, method: plan.method, headers, body: plan.body }, request)
  }

  #following(): number {
    const at = this.#schedule()
    if (at === null) return Infinity
    const due = this.#beginAt + at
    return due < this.#context.endAt ? due : Infinity
  }
}
