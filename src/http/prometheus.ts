// Figures that are read at each request, for prom-client's registry: what only grows is a counter, the others are gauges; a
// distribution that is kept elsewhere is a histogram.
import type { Histogram } from 'node:perf_hooks'
import { Counter, Gauge, type Metric, type Registry } from 'prom-client'
import { lowerBound } from '../events/lower-bound.ts'

/** The number of values up to each limit, their sum, and their number. */
export interface Distribution {
  limits: readonly number[]
  counts: readonly number[]
  sum: number
  count: number
}

type Labelled = readonly (readonly [label: string, value: number])[]

/** Exposes one figure; its name decides whether it is a counter or a gauge. */
export function exposeFigure(registry: Registry, name: string, help: string, read: () => number): void {
  if (name.endsWith('_total')) {
    new Counter({
      name, help, registers: [registry],
      collect() {
        this.reset()
        this.inc(read())
      },
    })
    return
  }
  new Gauge({
    name, help, registers: [registry],
    collect() {
      this.set(read())
    },
  })
}

/** Exposes one figure for each present value of `label`. */
export function exposeFigures(registry: Registry, name: string, help: string, label: string, read: () => Labelled): void {
  const options = { name, help, registers: [registry], labelNames: [label] }
  if (name.endsWith('_total')) {
    new Counter({
      ...options,
      collect() {
        this.reset()
        for (const [value, count] of read()) this.inc({ [label]: value }, count)
      },
    })
    return
  }
  new Gauge({
    ...options,
    collect() {
      this.reset()
      for (const [value, figure] of read()) this.set({ [label]: value }, figure)
    },
  })
}

/** Exposes a distribution as a histogram. */
export function exposeDistribution(registry: Registry, name: string, help: string, read: () => Distribution): void {
  const get = (): object => {
    const { limits, counts, sum, count } = read()
    const values = [
      ...limits.map((le, at) => ({ metricName: `${name}_bucket`, labels: { le }, value: counts[at] })),
      { metricName: `${name}_bucket`, labels: { le: '+Inf' }, value: count },
      { metricName: `${name}_sum`, labels: {}, value: sum },
      { metricName: `${name}_count`, labels: {}, value: count },
    ]
    return { name, help, type: 'histogram', values }
  }
  // A registry uses only the name of a metric and these methods.
  registry.registerMetric({ name, help, get: () => Promise.resolve(get()), reset: () => {} } as unknown as Metric)
}

/** The number of values up to each limit, in seconds, in a histogram of nanoseconds, as exactly as the histogram distinguishes values. */
export function distributionOf(histogram: Histogram, limits: readonly number[]): Distribution {
  const count = Number(histogram.count)
  if (count === 0) return { limits, counts: limits.map(() => 0), sum: 0, count: 0 }
  const { max, mean } = histogram
  let most = 0
  const counts = limits.map((limit) => {
    if (max <= limit * 1e9) most = count
    // A percentile is a rank.
    else most += lowerBound(count - most, (index) => histogram.percentile(((most + index + 1) / count) * 100) <= limit * 1e9)
    return most
  })
  return { limits, counts, sum: (mean * count) / 1e9, count }
}
