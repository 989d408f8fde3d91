// What the stacks of one stall show.
import t from 'tap'
import { StackSamples } from '../../src/observe/stack-samples.ts'
import type { Taken } from '../../src/observe/stacks.ts'

const at = (fn: string, file = 'app.ts'): Taken => ({ at: 0, frames: [{ function: fn, file, line: 1, column: 1 }], origin: undefined, paused: false })

/** The verdict for a stall from 0 to `to`: the stacks that were taken, when they were asked for, and when taken. */
function verdict(to: number, ...taken: [fn: string, asked: number, at: number, starved?: number][]): string | null | undefined {
  const samples = new StackSamples()
  for (const [fn, asked, answered, starved = 0] of taken) {
    samples.ask(asked)
    samples.answer(at(fn), answered, starved)
  }
  return samples.conclude(0, to)?.name
}

t.test('names what runs when the thread answers at once', async (t) => {
  t.equal(verdict(0.3, ['spin', 0.05, 0.051], ['spin', 0.1, 0.101]), 'spin outside of the event loop')
})

t.test('names what blocked it for most of the stall, not what was seen first', async (t) => {
  t.equal(verdict(3, ['prepare', 0.05, 0.051], ['load', 0.1, 0.101], ['load', 0.2, 0.201], ['load', 1.6, 1.601]), 'load outside of the event loop')
})

t.test('counts late answers as native code, unless the thread had no processor', async (t) => {
  t.equal(verdict(3, ['load', 0.05, 2.9]), 'native code in load')
  t.equal(verdict(3, ['prepare', 0.05, 0.051], ['load', 0.1, 2.9]), 'native code in load')
  t.equal(verdict(3, ['spin', 0.05, 2.9, 2.84]), 'spin outside of the event loop')
})

t.test('does not count what was taken after the end', async (t) => {
  t.equal(verdict(3, ['audit', 0.05, 3.1]), undefined)
  t.equal(verdict(3, ['prepare', 0.05, 0.051], ['audit', 0.1, 3.1]), 'native code after prepare')
})

t.test('names where native code began that lasts until the end', async (t) => {
  const samples = new StackSamples()
  samples.ask(0.05)
  samples.answer(at('prepare'), 0.051, 0)
  samples.ask(0.1)
  t.ok(samples.asking)
  t.equal(samples.conclude(0, 3)?.name, 'native code after prepare')
})

t.test('has native code after which nothing runs', async (t) => {
  const samples = new StackSamples()
  samples.ask(0.05)
  samples.answer({ ...at('nothing'), frames: [] }, 0.6, 0)
  t.match(samples.spans(0, 0.61), [{ native: true, frames: [] }])
})

t.test('says that a thread gave no stack at all until the end', async (t) => {
  const gaveNone = (answered: number, taken: Taken | null = at('audit')): boolean => {
    const samples = new StackSamples()
    samples.ask(0.05)
    samples.answer(taken, answered, 0)
    return samples.gaveNone(0.6)
  }
  t.ok(gaveNone(0.61), 'it was in one native function')
  t.notOk(gaveNone(0.5))
  t.notOk(gaveNone(0.05, null), 'it cannot be asked')
})

t.test('names nothing if only Node runs, or nothing', async (t) => {
  const samples = new StackSamples()
  t.equal(samples.conclude(0, 1), null)
  samples.ask(0.05)
  samples.answer(null, 0.05, 0)
  t.equal(samples.last, null)
  samples.ask(0.1)
  samples.answer(at('listOnTimeout', 'node:internal/timers'), 0.101, 0)
  t.equal(samples.conclude(0, 1)?.name, null)
})

t.test('has no position for native code after which no code of the program runs', async (t) => {
  for (const file of ['node:internal/async_hooks', 'src/fastify/index.ts', 'src/runtime/task.ts']) {
    const samples = new StackSamples()
    samples.ask(0.05)
    samples.answer({ ...at('whatever', file), origin: { id: 7, name: 'GET /report #7' } }, 0.9, 0)
    t.match(samples.conclude(0, 1), { frames: [], name: null, origin: { id: 7 } }, file)
  }
})

t.test('names the program rather than Node, which calls it again and again', async (t) => {
  const samples = new StackSamples()
  for (let time = 0.05; time < 0.5; time += 0.05) {
    samples.ask(time)
    samples.answer(at(time > 0.4 ? 'tick' : 'nextTick', time > 0.4 ? 'app.ts' : 'node:internal/process/task_queues'), time + 0.001, 0)
  }
  t.equal(samples.conclude(0, 0.5)?.name, 'tick outside of the event loop')
})

t.test('has spans that add up to the stall, and cut what was taken afterwards', async (t) => {
  const samples = new StackSamples()
  for (const [fn, asked] of [['a', 0.05], ['a', 0.07], ['b', 0.09], ['b', 0.2], ['after', 0.299]] as const) {
    samples.ask(asked)
    samples.answer(at(fn), fn === 'after' ? 0.31 : asked + 0.001, 0)
  }
  const spans = samples.spans(0, 0.3)
  t.same(spans.map(({ frames }) => frames[0]?.function), ['a', 'a', 'b', 'b'])
  const of = (fn: string): number => spans.filter(({ frames }) => frames[0]?.function === fn).reduce((sum, { seconds }) => sum + seconds, 0)
  t.ok(Math.abs(of('a') - 0.0805) < 1e-9 && Math.abs(of('b') - 0.2195) < 1e-9, `${of('a')} ${of('b')}`)
})

t.test('keeps a bounded number, and the shares of what alternates', async (t) => {
  const samples = new StackSamples()
  for (let at1 = 0; at1 < 20_000; at1++) {
    const time = at1 / 10
    samples.ask(time)
    samples.answer(at(at1 % 4 === 0 ? 'rare' : `often ${at1 % 4}`), time + 0.001, 0)
  }
  const spans = samples.spans(0, 2000)
  t.ok(spans.length < 5000, `${spans.length}`)
  const rare = spans.filter(({ frames }) => frames[0]?.function === 'rare').reduce((sum, { seconds }) => sum + seconds, 0)
  t.ok(rare > 300 && rare < 700, `${rare} of 2000 s, a quarter`)
})

t.test('counts callbacks and microtasks: which one runs, and whether another one has begun', async (t) => {
  const turns = (...answers: Partial<Taken>[]): StackSamples['turns'] => {
    const samples = new StackSamples()
    answers.forEach((answer, index) => {
      samples.ask(index)
      samples.answer({ ...at('work'), ...answer }, index, 0)
    })
    return samples.turns
  }
  t.same(turns({ turn: 5 }, { turn: 5 }, { turn: 5 }), { seconds: 2, micro: 0, longest: 2, changes: 0 })
  t.same(turns({ turn: 5 }, { turn: 6 }, { turn: 7 }, { turn: 7 }), { seconds: 3, micro: 0, longest: 1, changes: 2 })
  t.same(turns({ turn: 0, micro: true, jobs: 0 }, { turn: 0, micro: true, jobs: 1, frames: [] }, { turn: 0, micro: true, jobs: 2 }), { seconds: 2, micro: 2, longest: 0, changes: 2 })
})

t.test('has a function that was only just entered, but not after native code', async (t) => {
  const samples = new StackSamples()
  samples.ask(0.05)
  samples.answer({ ...at('poll'), entered: true }, 0.051, 0)
  t.equal(samples.last?.name, 'poll outside of the event loop')
  samples.ask(0.1)
  samples.answer({ ...at('audit'), entered: true }, 0.9, 0)
  t.match(samples.last, { frames: [], name: null })
})

t.test('names the request whose code blocked it for most of the stall, also if others ran the same function', async (t) => {
  const samples = new StackSamples()
  for (const [id, asked] of [[1, 0.05], [2, 0.1], [2, 0.2], [2, 0.3]] as const) {
    samples.ask(asked)
    samples.answer({ ...at('render'), origin: { id, name: `GET /${id} #${id}` } }, asked + 0.001, 0)
  }
  t.match(samples.conclude(0, 0.4), { origin: { id: 2, name: 'GET /2 #2' } })
})
