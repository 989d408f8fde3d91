// Latencies in an HdrHistogram: from 1 µs to an hour, three significant digits, some tens of nanoseconds for a record.
import hdr from 'hdr-histogram-js'

const MOST_US = 3.6e9

/** Percentiles and the extremes, in ms. */
export interface Summary {
  mean: number
  p50: number
  p90: number
  p99: number
  p999: number
  max: number
}

/** Await this once, before the first `Latencies` is made. */
export const ready = (): Promise<void> => hdr.initWebAssembly()

export class Latencies {
  readonly #histogram = hdr.build({
    useWebAssembly: true, bitBucketSize: 64, autoResize: false, highestTrackableValue: MOST_US, numberOfSignificantValueDigits: 3,
  })
  #max = 0

  record(ms: number): void {
    if (ms > this.#max) this.#max = ms
    this.#histogram.recordValue(Math.max(1, Math.min(MOST_US, Math.round(ms * 1000))))
  }

  get count(): number {
    return this.#histogram.totalCount
  }

  /** The latency below which `percent` of all are, in ms. */
  at(percent: number): number {
    return Math.min(this.#max, this.#histogram.getValueAtPercentile(percent) / 1000)
  }

  /** `null` if nothing was recorded. */
  summary(): Summary | null {
    if (this.count === 0) return null
    const round = (ms: number): number => Math.round(ms * 1000) / 1000
    return {
      mean: round(this.#histogram.mean / 1000), p50: round(this.at(50)), p90: round(this.at(90)), p99: round(this.at(99)),
      p999: round(this.at(99.9)), max: round(this.#max),
    }
  }

  /** HdrHistogram's own text format, in ms, which its plotters read. */
  text(): string {
    return this.#histogram.outputPercentileDistribution(5, 1000)
  }

  /** Frees its memory, which is outside JavaScript's heap. */
  destroy(): void {
    this.#histogram.destroy()
  }
}
