// The comparison of two runs of the same program, without a page.
import t from 'tap'
import { createTask, EventLoop, print, run, sleep, VirtualClock, type Coroutine } from '../../src/index.ts'
import { Recorder } from '../../src/events/recorder.ts'
import type { LoopEvent } from '../../src/events/schema.ts'
import { firstEvents, lines } from '../../ui/compare/difference.ts'
import { Recording } from '../../ui/recording.ts'

/** A run in virtual time; `changed` makes other events of its own, and null leaves one out. */
async function recorded(main: () => Coroutine<void>, changed: (event: LoopEvent) => LoopEvent | null = (event) => event): Promise<Recording> {
  const recording = new Recording()
  const loopFactory = (): EventLoop => {
    const loop = new EventLoop({ clock: new VirtualClock() })
    new Recorder(loop).listen((event) => {
      const one = changed(structuredClone(event))
      if (one !== null) recording.apply(one)
    })
    return loop
  }
  await run(main(), { loopFactory })
  return recording
}

function* say(what: string, delay: number): Coroutine<void> {
  yield* sleep(delay)
  print(what)
}

function* main(): Coroutine<void> {
  const one = createTask(say('one', 1))
  yield* say('two', 1)
  yield* one
}

t.test('two runs of one program are the same, whatever belongs to a language', async (t) => {
  const one = await recorded(main)
  // Another process, other ids, names and places, a clock that began at another time.
  const other = await recorded(main, (event) => JSON.parse(JSON.stringify(event, (key, value: unknown) => {
    switch (key) {
      case 't': case 'since': case 'deadline': return value as number + 1000
      case 'task': case 'parent': case 'by': return value as number + 40
      case 'name': case 'coroutine': case 'error': return 'other'
      case 'location': return { function: 'other', file: 'program.py', line: 1, column: 1 }
      default: return value
    }
  })) as LoopEvent)
  other.zero = 1000
  t.ok(one.events.length > 10)
  t.equal(firstEvents(one, other), null)
  t.same(lines(one, other).map(({ same, left, right }) => [same, left?.text, right?.text]), [[true, 'two', 'two'], [true, 'one', 'one']])
})

t.test('names the first event that differs: another type, another time, another task, one too few', async (t) => {
  const one = await recorded(main)
  const third = one.events[6]!
  const differs = async (changed: (event: LoopEvent) => LoopEvent | null): Promise<unknown> => firstEvents(one, await recorded(main, changed))?.left?.seq
  const at = (change: (event: LoopEvent) => LoopEvent | null) => (event: LoopEvent): LoopEvent | null => event.seq === third.seq ? change(event) : event
  t.equal(await differs(at((event) => ({ ...event, t: event.t + 0.001 }))), third.seq)
  t.equal(await differs(at((event) => ({ ...event, task: 9 } as LoopEvent))), third.seq)
  t.equal(await differs(at((event) => ({ type: 'task.running', seq: event.seq, t: event.t, loop: event.loop, task: 9 }))), third.seq)
  t.equal(await differs((event) => event.seq >= third.seq ? null : event), third.seq)
})

t.test('marks a line with another text or time, and lines that only one has', async (t) => {
  const one = await recorded(main)
  const other = await recorded(function* () {
    yield* say('two', 1)
    yield* say('one', 1)
    yield* say('three', 0)
  })
  t.same(lines(one, other).map(({ same, left, right }) => [same, left?.text, right?.text]), [[true, 'two', 'two'], [false, 'one', 'one'], [false, undefined, 'three']])
})
