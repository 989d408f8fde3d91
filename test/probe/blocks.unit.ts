// What the probe notes of blocks of the loop: by name, for how long, and nothing of the time in which the loop was idle.
import t from 'tap'
import { createTask, EventLoop, getRunningLoop, sleep, VirtualClock, type Coroutine } from '../../src/index.ts'
import { NUMBER, share, viewOf } from '../../src/probe/layout.ts'
import { Probe } from '../../src/probe/probe.ts'
import { RingWriter } from '../../src/probe/ring.ts'

interface Noted {
  blocks: string[]
  /** Seconds in which known code blocked the thread, as the heartbeat reads them. */
  seconds: number
}

/** Runs a program in virtual time: to block for a second, as `block` does, takes none. */
async function noted(main: (block: (seconds: number) => void) => Coroutine<unknown>): Promise<Noted> {
  const clock = new VirtualClock()
  const loop = new EventLoop({ clock })
  const shared = share(4096)
  const view = viewOf(shared)
  const blocks: string[] = []
  new Probe({
    view, ring: new RingWriter(shared), loop, name: 'main', pid: 1, sendSnapshot: () => {},
    onBlock: (from, to, name) => blocks.push(`${name()}: ${(to - from).toFixed(3)} s`),
  })
  await loop.runUntilComplete(main((seconds) => clock.advance(seconds)))
  return { blocks, seconds: view.numbers[NUMBER.blocked] as number }
}

t.test('what blocks the loop', async (t) => {
  await t.test('is noted by name: a step that ends, that waits, that yields; a callback', async (t) => {
    const { blocks, seconds } = await noted(function* (block) {
      yield* createTask((function* () {
        block(0.2)
        yield* sleep(1)
        block(0.3)
      })(), { name: 'worker' })
      yield* createTask((function* () {
        for (let n = 0; n < 3; n++) {
          block(0.01)
          yield* sleep(0)
        }
      })(), { name: 'yields' })
      getRunningLoop().callSoon(function report() {
        block(0.5)
      })
      yield* sleep(1)
    })
    t.same(blocks, [
      'worker: 0.200 s', 'worker: 0.300 s', 'yields: 0.010 s', 'yields: 0.010 s', 'yields: 0.010 s', '<Handle <function report>>: 0.500 s',
    ])
    t.equal(seconds.toFixed(3), '1.030')
  })

  await t.test('does not include the time in which it was idle', async (t) => {
    const { blocks, seconds } = await noted(function* () {
      yield* createTask((function* () {
        for (let n = 0; n < 3; n++) yield* sleep(10)
      })(), { name: 'sleeps' })
    })
    t.same(blocks, [])
    t.equal(seconds, 0)
  })
})
