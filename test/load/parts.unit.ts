// The load tester's parts that need no server: schedules, Server-Timing, latencies over time, stalls, the chart.
import t from 'tap'
import type { Slice } from '../../src/load/time-series.ts'
import { chart } from '../../src/load/chart.ts'
import { kindOf } from '../../src/load/failures.ts'
import { readLoad } from '../../src/load/options.ts'
import { STREAM, type StreamPlan } from '../../src/load/plan.ts'
import { momentsOf, scheduleOf } from '../../src/load/schedule.ts'
import { TimeSeries } from '../../src/load/time-series.ts'
import { AnswerStalls } from '../../src/load/stalls.ts'
import { parseTiming } from '../../src/load/timing.ts'
import { time } from '../../src/load/format.ts'

const plan = (given: Partial<StreamPlan>): StreamPlan => ({ ...STREAM, name: 'a', url: 'http://localhost/', ...given })
const take = (given: Partial<StreamPlan>, count: number, seed = 1): (number | null)[] => {
  const next = scheduleOf(plan(given), seed)
  return Array.from({ length: count }, () => next())
}

t.test('a schedule', async (t) => {
  await t.test('is even, all at once, or limited in number', async (t) => {
    t.same(take({ rate: 100 }, 4), [0, 10, 20, 30])
    t.same(take({ rate: 100, requests: 2 }, 4), [0, 10, null, null])
    t.same(take({ arrivals: 'burst', requests: 3 }, 4), [0, 0, 0, null])
  })

  await t.test('does not drift: the millionth request of 3 a second is due on time', async (t) => {
    const next = scheduleOf(plan({ rate: 3 }), 1)
    for (let at = 0; at < 999_999; at++) next()
    t.equal(next(), 999_999_000 / 3)
  })

  await t.test('has as many requests as fit, whatever the clock showed at the start', async (t) => {
    for (let at = 0; at < 2000; at++) {
      const { startedAt, measureFrom, endAt } = momentsOf({ warmup: 1, duration: 10 }, 1000 + at * 7.300_000_1)
      const next = scheduleOf(plan({ rate: 100 }), 1)
      let measured = 0
      for (let due = startedAt + next()!; due < endAt; due = startedAt + next()!) if (due >= measureFrom) measured++
      if (measured !== 1000) return t.equal(measured, 1000, `it started at ${startedAt}`)
    }
  })

  await t.test('of Poisson arrivals is the same for the same seed, has the rate, and exponential gaps', async (t) => {
    t.same(take({ arrivals: 'poisson' }, 50, 7), take({ arrivals: 'poisson' }, 50, 7))
    t.notSame(take({ arrivals: 'poisson' }, 50, 7), take({ arrivals: 'poisson' }, 50, 8))
    const moments = take({ arrivals: 'poisson', rate: 100 }, 20_000) as number[]
    const gaps = moments.map((at, index) => at - (moments[index - 1] ?? 0))
    const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length
    const deviation = Math.sqrt(gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length)
    t.ok(Math.abs(mean - 10) < 0.3, `mean ${mean} ms`)
    t.ok(Math.abs(deviation - mean) < 0.5, `as much deviation as mean: ${deviation} ms`)
    t.ok(gaps.every((gap) => gap >= 0))
  })
})

t.test('a command line gives each stream the options after it, and those before all', async (t) => {
  const { plan: { streams, duration } } = readLoad(['--rate', '5', 'http://a/x', '--name', 'first', 'http://b/x', '--rate', '9', '--header', 'A: 1', '--header', 'B: 2', 'http://b/x', '--body', 'text', '--duration', '3'])
  t.same(streams.map(({ name, rate, method, headers }) => [name, rate, method, headers]), [
    ['first', 5, 'GET', {}], ['/x', 9, 'GET', { a: '1', b: '2' }], ['/x 2', 5, 'POST', {}],
  ])
  t.equal(duration, 3)
})

t.test('Server-Timing', async (t) => {
  await t.test('is read with its culprit, whether that is certain or at most', async (t) => {
    const header = 'run;dur=0.1, ready;dur=1912.4;desc="at most, behind GET /handlers/sync #42", wait;dur=3, thread;dur=0'
    t.same(parseTiming(header), { run: 0.1, ready: 1912.4, wait: 3, thread: 0, culprit: 'GET /handlers/sync #42' })
    t.equal(parseTiming('run;dur=0, ready;dur=5;desc="Task-1", wait;dur=0, thread;dur=0')?.culprit, 'Task-1')
    t.equal(parseTiming('run;dur=0, ready;dur=0, wait;dur=0, thread;dur=0')?.culprit, null)
  })

  await t.test('of other servers is not mistaken for ours', async (t) => {
    for (const header of ['', 'db;dur=53', 'cache;desc="Cache Read";dur=23.2', 'run;dur=1, ready;dur=2, wait;dur=3', 'run, ready, wait, thread']) t.equal(parseTiming(header), null, header)
  })
})

t.test('stalls from answers: overlapping ones are one, with the name of the worst', async (t) => {
  const stalls = new AnswerStalls()
  const say = (at: number, ready: number, culprit: string | null): void => stalls.add(at, { run: 0, ready, wait: 0, thread: 0, culprit })
  say(2000, 900, 'a')
  say(2001, 300, 'b')
  say(2002, 1000, 'c')
  say(5000, 100, 'd')
  say(5001, 10, 'too short')
  say(5002, 500, null)
  t.same(stalls.list(1000), [{ from: 0.002, to: 1.002, name: 'c' }, { from: 3.9, to: 4, name: 'd' }])
  t.same(stalls.list(4000), [{ from: 0.9, to: 1, name: 'd' }])
  t.same(stalls.list(1500).map(({ from }) => from), [0, 3.4], 'what began before measuring did is cut')
})

t.test('latencies over time', async (t) => {
  await t.test('are right to within 3 % in each slice', async (t) => {
    const slices = new TimeSeries(10_000)
    for (let ms = 1; ms <= 1000; ms++) {
      slices.sent(25)
      slices.answered(25)
      slices.took(25, ms)
    }
    slices.failed(75)
    const [first, second] = slices.list()
    t.same([first!.sent, first!.answered, first!.max, second!.errors, second!.p50], [1000, 1000, 1000, 1, null])
    t.ok(Math.abs(first!.p50! - 500) <= 15, `p50 ${first!.p50} ms`)
    t.ok(Math.abs(first!.p99! - 990) <= 30, `p99 ${first!.p99} ms`)
    t.equal(second!.t, 0.05)
  })

  await t.test('take the same room for a longer test', async (t) => {
    const slices = new TimeSeries(86_400_000)
    slices.sent(86_399_999)
    t.equal(slices.list().length, 1000)
  })

  await t.test('are drawn, with the stalls under them', async (t) => {
    const slice = (at: number, p50: number, max: number, errors = 0): Slice => ({ t: at / 10, sent: 10, answered: 10, errors, p50, p99: max, max })
    const slices = Array.from({ length: 20 }, (_, at) => (at < 10 ? slice(at, 1, 2) : slice(at, at === 10 ? 1000 : 500, 1000, at === 19 ? 1 : 0)))
    const lines = chart(slices, [{ from: 1, to: 1.2, name: 'x' }], 100)
    t.match(lines[0], /^ +1\.00 s │ {10}█░{9}$/)
    t.match(lines[7], /│▁{10}█{10}$/)
    t.match(lines[8], /0 └─{20}$/)
    t.match(lines[9], /stalls {12}▀▀$/)
    t.match(lines[10], /0 s +2\.00 s$/)
    t.same(chart([], [], 100), [])
    t.ok(chart(slices, [], 25).every((line) => line.length <= 25))
  })
})

t.test('failures have texts', async (t) => {
  const coded = (code: string): Error => Object.assign(new Error('?'), { code })
  t.equal(kindOf(coded('ECONNREFUSED')), 'connection refused')
  t.equal(kindOf(coded('UND_ERR_SOCKET')), 'connection closed')
  t.equal(kindOf(coded('HPE_INVALID_CONSTANT')), 'no HTTP answer')
  t.equal(kindOf(coded('DEPTH_ZERO_SELF_SIGNED_CERT')), 'TLS: DEPTH_ZERO_SELF_SIGNED_CERT')
  t.equal(kindOf(new AggregateError([coded('ECONNREFUSED')], 'all')), 'connection refused')
})

t.test('times have three digits and a unit', async (t) => {
  t.same([0, 0.304, 9.994, 9.996, 99.94, 99.96, 999.4, 999.6, 9994, 9996, 123_456].map(time), [
    '0.00 ms', '0.30 ms', '9.99 ms', '10.0 ms', '99.9 ms', '100 ms', '999 ms', '1.00 s', '9.99 s', '10.0 s', '123 s',
  ])
})
