// Latencies over time: one small histogram for each slice of the test, to within 3 %, for a chart of a test of any length in
// limited memory. A request belongs to the slice in which it was due.

const LEAST_MS = 0.01
const STEP = Math.log(1.03)
const BINS = 670
/** A short test has this many slices, a long one up to `MOST`; a slice of a long one is at least `USUAL_MS`. */
const FEW = 200
const MOST = 1000
const USUAL_MS = 100
const SHORTEST_MS = 10

export interface Slice {
  /** Seconds since the measurement began. */
  t: number
  sent: number
  answered: number
  errors: number
  /** In ms; `null` if nothing was answered or given up. */
  p50: number | null
  p99: number | null
  max: number | null
}

interface Bucket {
  sent: number
  answered: number
  errors: number
  /** How many have a latency. */
  timed: number
  max: number
  bins: Uint32Array
}

export class TimeSeries {
  readonly widthMs: number
  readonly #buckets: Bucket[] = []

  constructor(durationMs: number) {
    const width = Math.max(Math.min(USUAL_MS, durationMs / FEW), durationMs / MOST)
    this.widthMs = Math.max(SHORTEST_MS, Math.ceil(width / 10) * 10)
  }

  sent(atMs: number): void {
    this.#at(atMs).sent++
  }

  failed(atMs: number): void {
    this.#at(atMs).errors++
  }

  answered(atMs: number): void {
    this.#at(atMs).answered++
  }

  /** A request that was due at `atMs` took `ms`. */
  took(atMs: number, ms: number): void {
    const bucket = this.#at(atMs)
    bucket.timed++
    if (ms > bucket.max) bucket.max = ms
    const bin = Math.ceil(Math.log(ms / LEAST_MS) / STEP)
    bucket.bins[Math.max(0, Math.min(BINS - 1, bin))]!++
  }

  list(): Slice[] {
    return Array.from(this.#buckets, (bucket, index) => describe(bucket, (index * this.widthMs) / 1000))
  }

  #at(ms: number): Bucket {
    const index = Math.max(0, Math.min(MOST, Math.floor(ms / this.widthMs)))
    for (let next = this.#buckets.length; next <= index; next++) {
      this.#buckets.push({ sent: 0, answered: 0, errors: 0, timed: 0, max: 0, bins: new Uint32Array(BINS) })
    }
    return this.#buckets[index]!
  }
}

function describe(bucket: Bucket, t: number): Slice {
  const { sent, answered, errors, timed, max } = bucket
  const some = timed > 0
  return {
    t: Math.round(t * 1000) / 1000, sent, answered, errors,
    p50: some ? quantile(bucket, 0.5) : null, p99: some ? quantile(bucket, 0.99) : null, max: some ? round(max) : null,
  }
}

function quantile({ bins, timed, max }: Bucket, part: number): number {
  let left = Math.ceil(timed * part)
  for (let bin = 0; bin < BINS; bin++) {
    left -= bins[bin]!
    if (left <= 0) return round(Math.min(max, LEAST_MS * Math.exp(bin * STEP)))
  }
  return round(max)
}

function round(ms: number): number {
  return Math.round(ms * 1000) / 1000
}
