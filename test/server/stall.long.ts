// The stall, and the ways out of it, on the real server in a separate process: which requests are delayed, independent of this
// machine's speed. bench/stall.mjs has the figures.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import t from 'tap'

interface Lane {
  'while it runs': string
  pings: number
  'p50 ms': number
  'p99 ms': number
  'name the culprit': number
}

interface Crowd {
  'all ms': number
  'each ms': string
}

const root = new URL('../..', import.meta.url)
const { stdout } = await promisify(execFile)('env', ['-u', 'NODE_OPTIONS', process.execPath, 'bench/stall.mjs', '--json'], { cwd: root })
const { lanes, crowds } = JSON.parse(stdout) as { lanes: Lane[]; crowds: Crowd[] }
const [inline, ...free] = lanes as [Lane, ...Lane[]]
const [sensitive, pool] = crowds as [Crowd, Crowd]
const ends = (crowd: Crowd): number[] => crowd['each ms'].split(' ').map(Number)

t.test('a handler that blocks for two seconds delays all of fifty pings, and each names it', async (t) => {
  t.match(inline, { 'while it runs': /inline/, pings: 50, 'name the culprit': 50 })
  t.ok(inline['p50 ms'] > 1000, `${inline['p50 ms']} ms`)
})

t.test('with a thread or a coroutine, pings do not wait for it', async (t) => {
  t.same(free.map((lane) => lane['while it runs']), ['a sync handler, sensitive', 'a sync handler, pool', 'a coroutine that sleeps'])
  for (const lane of free) {
    t.ok(lane.pings > 50, `${lane.pings} pings`)
    t.ok(lane['p99 ms'] < inline['p50 ms'], `${lane['while it runs']}: ${lane['p99 ms']} ms`)
    t.ok(lane['name the culprit'] < lane.pings / 10)
  }
})

t.test('on the one thread calls run one after the other, in a pool at the same time', async (t) => {
  ends(sensitive).forEach((ms, at) => t.ok(ms >= (at + 1) * 200, `the ${at + 1}. ends after ${ms} ms`))
  t.equal(ends(pool).length, 5)
  t.ok(pool['all ms'] < sensitive['all ms'], `${pool['all ms']} ms and ${sensitive['all ms']} ms`)
})
