// What an observer counts for Prometheus: a distribution that is kept elsewhere, and figures from events.
import { createHistogram } from 'node:perf_hooks'
import { Registry } from 'prom-client'
import t from 'tap'
import type { LoopEvent } from '../../src/events/schema.ts'
import { distributionOf, exposeDistribution, exposeFigure, exposeFigures } from '../../src/http/prometheus.ts'
import { StreamStats } from '../../src/observe/stream-stats.ts'

let seq = 0
const event = (fields: object): LoopEvent => ({ seq: ++seq, t: seq, loop: 'main', ...fields }) as LoopEvent

t.test('a distribution', async (t) => {
  await t.test('has the same number up to each limit as a manual count', async (t) => {
    const limits = [0.001, 0.005, 0.01, 0.1, 1]
    let state = 7
    const random = (): number => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647
    for (const many of [1, 2, 3, 10, 1000, 20_000]) {
      const histogram = createHistogram()
      // Powers of ten from 100 µs to 2 s; limits are between values that a histogram of three digits can distinguish.
      const values = Array.from({ length: many }, () => Math.round(10 ** (5 + random() * 4.3)))
      for (const value of values) histogram.record(value)
      const { counts, count, sum } = distributionOf(histogram, limits)
      const near = (at: number): [number, number] => [0.998, 1.002].map((factor) => values.filter((value) => value <= limits[at]! * 1e9 * factor).length) as [number, number]
      counts.forEach((found, at) => t.ok(found >= near(at)[0] && found <= near(at)[1], `${found} of ${many} up to ${limits[at]}`))
      t.equal(count, many)
      const exact = values.reduce((one, other) => one + other, 0) / 1e9
      t.ok(Math.abs(sum - exact) <= exact * 0.01, 'their sum')
    }
  })

  await t.test('of nothing is empty', async (t) => {
    t.same(distributionOf(createHistogram(), [1, 2]), { limits: [1, 2], counts: [0, 0], sum: 0, count: 0 })
  })

  await t.test('is written as Prometheus reads a histogram, counters and gauges as what they are', async (t) => {
    const registry = new Registry()
    let total = 3
    exposeDistribution(registry, 'delay_seconds', 'Delay', () => ({ limits: [0.1, 1], counts: [2, 3], sum: 7.5, count: 4 }))
    exposeFigure(registry, 'things_total', 'Things', () => total)
    exposeFigure(registry, 'things', 'Things now', () => -1)
    exposeFigures(registry, 'kinds', 'Kinds', 'kind', () => [['a', 1], ['b', 2]])
    total = 5
    t.same((await registry.metrics()).trim().split('\n').filter((line) => !line.startsWith('# HELP') && line !== ''), [
      '# TYPE delay_seconds histogram', 'delay_seconds_bucket{le="0.1"} 2', 'delay_seconds_bucket{le="1"} 3', 'delay_seconds_bucket{le="+Inf"} 4',
      'delay_seconds_sum 7.5', 'delay_seconds_count 4', '# TYPE things_total counter', 'things_total 5', '# TYPE things gauge', 'things -1',
      '# TYPE kinds gauge', 'kinds{kind="a"} 1', 'kinds{kind="b"} 2',
    ])
    t.match(await registry.metrics(), 'things_total 5', 'asked again it is the same, not the sum')
  })
})

t.test('the figures of the stream', async (t) => {
  await t.test('counts requests by how they ended', async (t) => {
    const stats = new StreamStats()
    const ended = (fields: object): void => stats.onEvent(event({ type: 'request.finished', request: 1, method: 'GET', url: '/', ...fields }))
    ended({ status: 200, seconds: 0.003 })
    ended({ status: 204, seconds: 0.2 })
    ended({ status: 404, seconds: 0.0005 })
    ended({ status: 503, seconds: 60 })
    ended({ status: 200, seconds: 1, outcome: 'disconnected' })
    ended({ status: 999 })
    t.same(stats.requests, { '1xx': 0, '2xx': 2, '3xx': 0, '4xx': 1, '5xx': 2, disconnected: 1 })
    const { limits, counts, sum, count } = stats.seconds.distribution
    t.equal(count, 5, 'one did not say how long it took')
    t.equal(sum, 61.2035)
    t.equal(counts[limits.indexOf(0.001)], 1)
    t.equal(counts[limits.indexOf(0.005)], 2)
    t.equal(counts[limits.indexOf(0.25)], 3)
    t.equal(counts.at(-1), 4, 'one took longer than the last limit')
  })

  await t.test('knows how full the queues of live runs are, up to a limited number', async (t) => {
    const stats = new StreamStats()
    const changed = (queue: number, size: number, run?: number): void =>
      stats.onEvent(event({ type: 'queue.changed', queue, op: 'put', size, unfinished: size + 1, maxsize: 0, ...(run === undefined ? {} : { run }) }))
    changed(1, 5, 1)
    changed(2, 7, 2)
    changed(3, 1)
    t.same([stats.sizes, stats.unfinished], [[7, 5, 1], 16])
    stats.onEvent(event({ type: 'run.finished', run: 2, example: 5, parameters: {} }))
    t.same(stats.sizes, [5, 1], 'the queues of a run end with it')
    stats.restored({ runs: [] })
    t.same(stats.sizes, [1], 'also where its end was lost')
    for (let queue = 10; queue < 1000; queue++) changed(queue, 1)
    t.equal(stats.sizes.length, 256)
  })
})
