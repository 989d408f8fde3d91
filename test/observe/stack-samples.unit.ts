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

t.test('names the request whose code blocked it for most of the stall, also if others ran the same function', async (t) => {
  const samples = new StackSamples()
  for (const [id, asked] of [[1, 0.05], [2, 0.1], [2, 0.2], [2, 0.3]] as const) {
    samples.ask(asked)
    samples.answer({ ...at('render'), origin: { id, name: `GET /${id} #${id}` } }, asked + 0.001, 0)
  }
  t.match(samples.conclude(0, 0.4), { origin: { id: 2, name: 'GET /2 #2' } })
})
