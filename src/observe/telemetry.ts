// OpenTelemetry, where the program uses it: a histogram of stalls, and an event on the span whose code blocks the thread. What
// the program has registered is found where every copy of @opentelemetry/api 1 looks for it, so none has to be loaded here.
import { BLOCKED_HOOK } from './stack-probe.ts'
import { STALL_SECONDS } from './stream-stats.ts'

const REGISTERED = Symbol.for('opentelemetry.js.api.1')
/** The key of the active span in a context. */
const SPAN = Symbol.for('OpenTelemetry Context Key SPAN')

interface Histogram {
  record(value: number): void
}

interface HistogramOptions {
  unit: string
  description: string
  advice: { explicitBucketBoundaries: number[] }
}

interface Span {
  addEvent(name: string, attributes: Record<string, number>): unknown
}

interface Registered {
  context?: { active(): { getValue(key: symbol): unknown } }
  metrics?: { getMeter(name: string): { createHistogram(name: string, options: HistogramOptions): Histogram } }
}

const globals = globalThis as { [key: symbol]: unknown }
const registered = (): Registered | undefined => globals[REGISTERED] as Registered | undefined
const HOOK = Symbol.for(BLOCKED_HOOK)

export class Telemetry {
  readonly #threshold: number
  readonly #lastBeat: () => number
  #histogram: { of: object; histogram: Histogram } | null = null
  /** The heartbeat before the stall that has an event already. */
  #noted = 0

  /**
   * `threshold`: from how many seconds on the thread counts as blocked. `lastBeat`: when it last turned, in seconds by
   * `performance.now()`; 0 before the first time.
   */
  constructor(threshold: number, lastBeat: () => number) {
    this.#threshold = threshold
    this.#lastBeat = lastBeat
  }

  start(): void {
    globals[HOOK] = this.#onBlocked
  }

  stop(): void {
    if (globals[HOOK] === this.#onBlocked) globals[HOOK] = undefined
  }

  /** A stall is over. */
  record(seconds: number): void {
    const metrics = registered()?.metrics
    if (metrics === undefined) return
    if (this.#histogram?.of !== metrics) {
      const options = { unit: 's', description: 'How long the event loop was blocked, of times beyond the threshold', advice: { explicitBucketBoundaries: [...STALL_SECONDS] } }
      this.#histogram = { of: metrics, histogram: metrics.getMeter('loopscope').createHistogram('loopscope.stall.duration', options) }
    }
    this.#histogram.histogram.record(seconds)
  }

  /**
   * The thread is blocked, and this is called on top of the code that blocks it, which has the active span. Later the span may
   * have ended, and could have no event any more.
   */
  readonly #onBlocked = (): void => {
    const beat = this.#lastBeat()
    const seconds = performance.now() / 1000 - beat
    // A thread that answers late may not be blocked any more.
    if (beat === this.#noted || seconds < this.#threshold) return
    const span = registered()?.context?.active().getValue(SPAN) as Span | undefined
    if (span === undefined) return
    this.#noted = beat
    span.addEvent('event loop blocked', { 'loopscope.blocked.seconds': seconds })
  }
}
