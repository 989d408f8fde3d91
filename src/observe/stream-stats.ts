// Figures from the stream that no model keeps: how many requests have ended, how and after how long, and how full the queues
// of live runs are. Its size is bounded: classes, buckets, and a limited number of queues.
import { stallKind, type EventOf, type LoopEvent, type Snapshot, type StallKind } from '../events/schema.ts'
import type { Distribution } from '../http/prometheus.ts'

/** Queues have no end event; the ones that changed last are counted. */
const MOST_QUEUES = 256
/** How a request ended: the first digit of its status, or that its client had disconnected. */
const ANSWERS = ['1xx', '2xx', '3xx', '4xx', '5xx', 'disconnected'] as const
/** Upper ends of the buckets, in seconds. */
export const REQUEST_SECONDS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30] as const

/** The same for stalls. */
export const STALL_SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30] as const

type Answer = (typeof ANSWERS)[number]

/** Counts of seconds, in buckets. */
class Counts {
  readonly #limits: readonly number[]
  readonly #counts: number[]
  #sum = 0

  constructor(limits: readonly number[]) {
    this.#limits = limits
    this.#counts = new Array<number>(limits.length + 1).fill(0)
  }

  add(seconds: number): void {
    const found = this.#limits.findIndex((limit) => seconds <= limit)
    const at = found < 0 ? this.#limits.length : found
    this.#counts[at] = (this.#counts[at] as number) + 1
    this.#sum += seconds
  }

  get distribution(): Distribution {
    let count = 0
    const counts = this.#counts.map((one) => (count += one))
    return { limits: this.#limits, counts: counts.slice(0, -1), sum: this.#sum, count }
  }
}

interface Filling {
  size: number
  unfinished: number
  run: number | null
}

export class StreamStats {
  readonly requests: Record<Answer, number> = Object.fromEntries(ANSWERS.map((answer) => [answer, 0])) as Record<Answer, number>
  /** From the start of each request to its end. */
  readonly seconds = new Counts(REQUEST_SECONDS)
  readonly stalls = new Counts(STALL_SECONDS)
  /** How many stalls of each kind there were, and their seconds. */
  readonly stallKinds = new Map<StallKind, { count: number; seconds: number }>(stallKind.options.map((kind) => [kind, { count: 0, seconds: 0 }]))
  /** Seconds by which stalls have delayed requests and tasks, all together. */
  delayed = 0
  readonly #queues = new Map<number, Filling>()

  onEvent(event: LoopEvent): void {
    switch (event.type) {
      case 'request.finished':
        this.#request(event)
        break
      case 'queue.changed': {
        const { queue, size, unfinished, run = null } = event
        this.#queues.delete(queue)
        this.#queues.set(queue, { size, unfinished, run })
        if (this.#queues.size > MOST_QUEUES) this.#queues.delete(this.#queues.keys().next().value as number)
        break
      }
      case 'run.finished':
        // No task will take what is left in its queues.
        for (const [queue, { run }] of this.#queues) if (run === event.run) this.#queues.delete(queue)
        break
      default:
        break
    }
  }

  /** The stream has a gap: runs that are not among these have ended in it. */
  restored({ runs }: Pick<Snapshot, 'runs'>): void {
    const alive = new Set(runs.map(({ run }) => run))
    for (const [queue, { run }] of this.#queues) if (run !== null && !alive.has(run)) this.#queues.delete(queue)
  }

  /** A stall is over. */
  stalled({ seconds, lost, kind = 'unknown' }: { seconds: number; lost: number; kind?: StallKind | undefined }): void {
    this.stalls.add(seconds)
    this.delayed += lost
    const known = this.stallKinds.get(kind)
    if (known === undefined) return
    known.count++
    known.seconds += seconds
  }

  /** The sizes of the queues, the longest first. */
  get sizes(): number[] {
    return [...this.#queues.values()].map(({ size }) => size).sort((a, b) => b - a)
  }

  /** Items that were put and are not done yet, in all queues. */
  get unfinished(): number {
    let sum = 0
    for (const { unfinished } of this.#queues.values()) sum += unfinished
    return sum
  }

  #request({ status, seconds, outcome }: EventOf<'request.finished'>): void {
    this.requests[outcome === 'disconnected' ? 'disconnected' : answerOf(status)]++
    if (seconds !== undefined) this.seconds.add(seconds)
  }
}

function answerOf(status: number | undefined): Answer {
  return ANSWERS[Math.min(Math.max(Math.floor((status ?? 500) / 100), 1), 5) - 1] as Answer
}
