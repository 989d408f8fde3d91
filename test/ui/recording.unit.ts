// The page's recording of a loop, without a page: programs run in virtual time, their events are recorded, and the result is
// compared with what the programs did.
import t from 'tap'
import { createTask, EventLoop, gather, getRunningLoop, Lock, print, Queue, run, sleep, VirtualClock, type Coroutine } from '../../src/index.ts'
import { Model } from '../../src/events/model.ts'
import { Recorder } from '../../src/events/recorder.ts'
import type { LoopEvent, Snapshot, StallKind } from '../../src/events/schema.ts'
import { apiBase, backoff } from '../../ui/connection.ts'
import { duration, explain, holderAt, readyQueue, timers } from '../../ui/recording/explain.ts'
import { moment } from '../../ui/recording/time.ts'
import { Lane, READY, RUNNING, splitOf, STATE_NAMES, THREAD, GHOST, UNKNOWN, YIELDING } from '../../ui/recording/track.ts'
import { blameOf, blastRadius, culpritOf, victimsAt } from '../../ui/recording/stalls.ts'
import { KIND_NAMES, kindText, placed } from '../../ui/recording/stall-kind.ts'
import { NOW, Recording, type Position } from '../../ui/recording.ts'
import { Viewport } from '../../ui/timeline/viewport.ts'
import { addLane, addMerged, newBars, onTop } from '../../ui/timeline/bars.ts'
import { crowd } from './crowd.ts'

async function record(main: () => Coroutine<unknown>): Promise<LoopEvent[]> {
  const loop = new EventLoop({ clock: new VirtualClock() })
  loop.setExceptionHandler(() => {})
  const recorder = new Recorder(loop)
  const events: LoopEvent[] = []
  recorder.listen((event) => { events.push(structuredClone(event)) })
  recorder.nextTask({ run: 1 })
  await run(main(), { loopFactory: () => loop, name: 'main' }).catch(() => {})
  return events
}

function heard(events: readonly LoopEvent[], options: { limit?: number } = {}): Recording {
  const recording = new Recording(options)
  for (const event of events) recording.apply(event)
  return recording
}

const lane = (recording: Recording, name: string): Lane => {
  const found = [...recording.lanes.values()].find((one) => one.name === name)
  if (found === undefined) throw new Error(`no lane ${name}`)
  return found
}
/** What a lane does at a time, as one word. */
const at = (recording: Recording, name: string, time: number): string => {
  const span = lane(recording, name).at({ t: time, seq: Infinity })
  return span === null ? 'nothing' : STATE_NAMES[span.state]
}
const aliveAt = (recording: Recording, position: Position): number => [...recording.lanes.values()].filter((one) => one.at(position) !== null).length
const names = (lanes: Iterable<{ name: string }>): string[] => [...lanes].map(({ name }) => name)

function* count(): Coroutine<void> {
  print('One')
  getRunningLoop().host.block(1)
  yield* sleep(1)
  print('Two')
}

function* blocking(): Coroutine<void> {
  yield* gather([count(), count(), count()])
}

t.test('lanes', async (t) => {
  const events = await record(blocking)
  const recording = heard(events)

  await t.test('are below their parents and keep what each did, and when', async (t) => {
    t.same(recording.lanes.ordered().slice(0, 4).map(({ name, depth }) => [name, depth]), [['main', 0], ['Task-1', 1], ['Task-2', 1], ['Task-3', 1]])
    t.same([0.5, 1.5, 2.5, 3.5].map((time) => at(recording, 'Task-1', time)), ['running', 'waiting', 'waiting', 'nothing'])
    t.same([0.5, 1.5, 2.5, 3.5].map((time) => at(recording, 'Task-3', time)), ['ready', 'ready', 'running', 'waiting'])
    t.same(splitOf(lane(recording, 'Task-3'), 0, 4), { run: 1, ready: 2, wait: 1, thread: 0 })
    t.equal(lane(recording, 'Task-3').outcome, 'returned')
  })

  await t.test('count a wait past its deadline as ready: only the loop kept the task from running', async (t) => {
    // Task-1 sleeps from 1 to 2, and the loop is blocked until 3.
    t.same(splitOf(lane(recording, 'Task-1'), 0, 4), { run: 1, ready: 1, wait: 1, thread: 0 })
    t.match(explain(recording, lane(recording, 'Task-1'), { t: 2.5, seq: recording.positionAt(2.5).seq }), /^Ready since 2\.000 s, behind Task-3, which blocks the loop/)
  })

  await t.test('are the same if the events arrive one by one or twice', async (t) => {
    const twice = heard([...events, ...events])
    t.same(aliveAt(twice, NOW), 0)
    t.same(twice.events.length, events.length)
    t.same([...twice.lanes.values()].map(({ starts }) => starts), [...recording.lanes.values()].map(({ starts }) => starts))
  })

  await t.test('agree with the stream\'s own model after each event', async (t) => {
    const model = new Model()
    const growing = new Recording()
    for (const event of events) {
      model.apply(event)
      growing.apply(event)
      const live = [...growing.lanes.values()].filter(({ kind, endedAt }) => kind === 'task' && endedAt === null)
      t.same(live.map(({ id }) => id).sort(), [...model.tasks.keys()].sort(), `after ${event.seq} ${event.type}`)
      for (const task of live) {
        const known = model.tasks.get(task.id)!
        t.equal(task.state === READY ? 'ready' : task.state === RUNNING ? 'running' : 'suspended', known.state, `${task.name} after ${event.seq}`)
      }
    }
  })

  await t.test('can be stepped through event by event, even if many share a moment', async (t) => {
    let position = recording.step({ t: -1, seq: 0 }, 1)
    const seen = [position.seq]
    for (let steps = 1; steps < events.length; steps++) {
      position = recording.step(position, 1)
      seen.push(position.seq)
    }
    t.same(seen, events.map(({ seq }) => seq))
    t.equal(recording.step(position, 1).seq, position.seq, 'and no further')
    t.equal(recording.step(position, -3).seq, position.seq - 3)
    // All at 0 s: created, then one after the other.
    const created = events.filter(({ type }) => type === 'task.created')[3]!
    t.equal(aliveAt(recording, { t: created.t, seq: created.seq }), 4)
    t.equal(aliveAt(recording, { t: created.t, seq: created.seq - 1 }), 3)
  })
})

t.test('stalls', async (t) => {
  await t.test('are found in the steps, with the blast radius in one sentence', async (t) => {
    const recording = heard(await record(blocking))
    t.same(recording.stalls.all.map(({ name, from, to, victims, lost }) => [name, from, to, victims.map(({ name, seconds }) => `${name} ${seconds}`), lost]), [
      ['Task-1', 0, 1, ['Task-2 1', 'Task-3 1'], 2],
      ['Task-2', 1, 2, ['Task-3 1'], 1],
      ['Task-3', 2, 3, ['Task-1 1'], 1],
    ])
    t.equal(blastRadius(recording.stalls.all[0]!), 'Task-1 blocked the loop for 1,000 ms; 2 tasks delayed by 2.0 s in total')
    t.equal(recording.lanes.steps.utilisation(0, 4), 0.75)
  })

  await t.test('that are reported while they last grow, name the line, and merge with the step that ends them', async (t) => {
    const recording = new Recording()
    let seq = 0
    const tell = (time: number, event: object): void => recording.apply({ seq: ++seq, t: time, loop: 'main', ...event } as LoopEvent)
    tell(1, { type: 'task.created', task: 42, name: 'GET /handlers/sync #42', coroutine: 'handler' })
    tell(1, { type: 'task.created', task: 43, name: 'GET /ping #43', coroutine: 'ping' })
    // The page only watches: its own request is no victim. A run that it has started is one.
    tell(1, { type: 'request.started', request: 44, method: 'GET', url: '/examples', left: 0.9 })
    tell(1, { type: 'task.created', task: 44, request: 44, name: 'GET /examples #44', coroutine: 'examples' })
    tell(1, { type: 'task.created', task: 45, request: 44, run: 1, name: 'P0', coroutine: 'producer' })
    tell(1, { type: 'task.running', task: 42 })
    const stack = [{ function: 'spin', file: 'workers/spin.ts', line: 7, column: 3 }]
    tell(1.05, { type: 'loop.blocked', task: 42, name: 'GET /handlers/sync #42', since: 1, seconds: 0.05 })
    t.equal(recording.stalls.open?.seconds, 0.05)
    tell(1.15, { type: 'loop.blocked', task: 42, name: 'GET /handlers/sync #42', since: 1, seconds: 0.15, stack })
    t.equal(recording.stalls.all.length, 1)
    t.equal(recording.stalls.open?.seconds, 0.15)
    t.equal(explain(recording, lane(recording, 'GET /ping #43'), NOW, 1.2), 'Ready since 1.000 s, behind GET /handlers/sync #42, which blocks the loop in spin (workers/spin.ts:7).')
    t.same(victimsAt(recording.stalls.open!, 1.5, recording), [{ task: 43, name: 'GET /ping #43', seconds: 0.5 }, { task: 45, name: 'P0', seconds: 0.5 }], 'what is delayed so far')
    tell(3.003, { type: 'task.suspended', task: 42, on: { kind: 'sleep' }, seconds: 2.003 })
    tell(3.003, { type: 'loop.unblocked', task: 42, seconds: 2.003, lost: 11.4, victims: Array.from({ length: 6 }, (_, n) => ({ task: 50 + n, name: `t${n}`, seconds: 1.9 })) })
    t.equal(recording.stalls.all.length, 1)
    t.equal(recording.stalls.open, null)
    t.equal(blastRadius(recording.stalls.all[0]!), 'GET /handlers/sync #42 blocked the loop for 2,003 ms; 6 tasks delayed by 11.4 s in total')
  })

  await t.test('end with the loop, if it closes in the middle of a step', async (t) => {
    const recording = new Recording()
    let seq = 0
    const tell = (time: number, event: object): void => recording.apply({ seq: ++seq, t: time, loop: 'main', ...event } as LoopEvent)
    tell(0, { type: 'task.created', task: 1, name: 'spin', coroutine: 'spin' })
    tell(0, { type: 'task.created', task: 2, name: 'other', coroutine: 'other' })
    tell(1, { type: 'task.running', task: 1 })
    tell(1, { type: 'loop.blocked', task: 1, name: 'spin', since: 1, seconds: 2 })
    tell(4, { type: 'loop.closed', name: 'main', pid: 1, clock: 'virtual' })
    t.equal(blastRadius(recording.stalls.all[0]!), 'spin blocked the loop for 3,000 ms; 1 task delayed by 3.0 s')
    t.equal(recording.lanes.steps.utilisation(0, 4), 0.75)
    t.equal(recording.holder, null)
  })

  await t.test('name the line that belongs neither to the runtime nor to the host', async (t) => {
    const frames = (...files: string[]): { function: string; file: string; line: number; column: number }[] => files.map((file, at) => ({ function: `f${at}`, file, line: at, column: 1 }))
    t.equal(culpritOf(frames('src/observe/stacks.ts', 'src/probe/probe.ts', 'routes/handlers.ts'))?.file, 'routes/handlers.ts')
    t.equal(culpritOf(frames('src/hosts/node.ts', 'examples/pace.ts', 'examples/4-blocking.ts', 'src/runtime/task.ts'))?.file, 'examples/4-blocking.ts')
    t.equal(culpritOf(frames('node:fs', 'app/report.ts', 'src/runtime/task.ts'))?.file, 'app/report.ts')
    t.equal(culpritOf(frames('src/runtime/own.ts', 'node_modules/loopscope/dist/src/runtime/task.js'))?.file, 'src/runtime/own.ts', 'a program may have such a folder too')
    t.equal(culpritOf(frames('node_modules/loopscope/dist/lib/runtime.js', 'src/runtime/own.ts'))?.file, 'src/runtime/own.ts', 'also where it is installed below the working directory')
    t.equal(culpritOf(frames('src/runtime/turn.ts', 'node:timers'))?.file, 'src/runtime/turn.ts', 'better than nothing')
    t.equal(culpritOf([]), null)
  })

  await t.test('delay unread requests: that is drawn as soon as it is known', async (t) => {
    const recording = new Recording()
    let seq = 0
    const tell = (time: number, event: object): void => recording.apply({ seq: ++seq, t: time, loop: 'main', ...event } as LoopEvent)
    tell(1, { type: 'task.created', task: 1, name: 'spin', coroutine: 'spin' })
    tell(1, { type: 'task.running', task: 1 })
    tell(3, { type: 'task.suspended', task: 1, on: { kind: 'sleep' }, seconds: 2 })
    const request = (id: number): void => {
      tell(3.001, { type: 'request.started', request: id, method: 'GET', url: '/ping' })
    }
    const task = (id: number): void => tell(3.002, { type: 'task.created', task: id, request: id, name: `GET /ping #${id}`, coroutine: 'ping' })
    request(7)
    request(8)
    task(7)
    const victims = [{ request: 7, name: 'GET /ping #7', seconds: 1.5 }, { request: 8, name: 'GET /ping #8', seconds: 0.5 }]
    tell(3.01, { type: 'loop.unblocked', task: 1, since: 1, seconds: 2, lost: 2, victims })
    task(8)
    tell(3.02, { type: 'task.running', task: 7 })
    tell(3.03, { type: 'task.finished', task: 7, outcome: 'returned' })
    t.equal(blastRadius(recording.stalls.all[0]!), 'spin blocked the loop for 2,000 ms; 2 requests delayed by up to 2.0 s in total')
    for (const [id, came] of [[7, 1.5], [8, 2.5]] as const) {
      const waiting = lane(recording, `GET /ping #${id}`)
      t.same([waiting.begunAt, waiting.createdAt, recording.requests.get(id)?.from], [came, 3.002, came])
      t.same(waiting.span(0), { state: READY, from: came, to: 3.002, seq: waiting.createdSeq, info: { inLine: true } })
    }
    t.equal(Number(splitOf(lane(recording, 'GET /ping #7'), 1.5, 3.03).ready.toFixed(6)), 1.52)
    t.equal(explain(recording, lane(recording, 'GET /ping #7'), recording.positionAt(2)),
      'It does not exist yet: it is created at 3.002 s. Its request may have arrived already, but the blocked loop has not read it.')
    t.same(aliveAt(recording, recording.positionAt(2)), 1, 'nobody knew of it then')
  })

  await t.test('come one at a time: one without an end ended before the next, and one that turns out to be the same is not a second one', async (t) => {
    const recording = new Recording()
    let seq = 0
    const tell = (time: number, event: object): void => recording.apply({ seq: ++seq, t: time, loop: 'main', ...event } as LoopEvent)
    const spans = (): unknown[] => recording.stalls.all.map(({ name, from, to }) => [name, from, to])
    tell(1.06, { type: 'loop.blocked', name: 'code outside of the event loop', since: 1, seconds: 0.06 })
    tell(5.05, { type: 'loop.blocked', name: 'code outside of the event loop', since: 5, seconds: 0.05 })
    t.same(spans(), [['code outside of the event loop', 1, 1.06], ['code outside of the event loop', 5, null]])
    tell(5.3, { type: 'loop.unblocked', task: 7, name: 'GET /slow #7', since: 4.9, seconds: 0.3, lost: 0, victims: [] })
    t.same(spans(), [['code outside of the event loop', 1, 1.06], ['GET /slow #7', 5, 5.3]])
    t.equal(recording.stalls.open, null)
  })
})

t.test('why isn\'t this task running?', async (t) => {
  function* holder(lock: Lock): Coroutine<void> {
    yield* lock.with(function* () { yield* sleep(2) })
  }
  function* waiter(lock: Lock): Coroutine<void> {
    yield* sleep(0.5)
    yield* lock.with(function* () { yield* sleep(1) })
  }
  function* taker(queue: Queue<number>): Coroutine<void> { yield* queue.get() }
  function* filler(queue: Queue<number>): Coroutine<void> {
    yield* queue.put(1)
    yield* queue.put(2)
  }
  function* program(): Coroutine<void> {
    const lock = new Lock()
    const empty = new Queue<number>()
    const full = new Queue<number>(1)
    createTask(holder(lock), { name: 'holder' })
    const second = createTask(waiter(lock), { name: 'waiter' })
    createTask(taker(empty), { name: 'taker' })
    createTask(filler(full), { name: 'filler' })
    yield* second
    throw new RangeError('at the end')
  }
  const recording = heard(await record(program))
  const why = (name: string, time: number): string => explain(recording, lane(recording, name), recording.positionAt(time))
  t.match(why('holder', 1), /^Asleep until 2\.000 s, 1 s left: it has yielded, so other tasks can run\.$/)
  t.match(why('waiter', 1), /^Waits for <Lock \d+>, which holder owns, which is asleep until 2\.000 s, 1 s left: it has yielded, so other tasks can run\.$/)
  t.match(why('main', 1), /^Waits for waiter, which is waiting for <Lock/)
  t.match(why('taker', 1), /^Waits for an item: queue \d+ is empty/)
  t.match(why('filler', 1), /^Waits for room: queue \d+ is full/)
  t.match(why('main', 9), /^It raised RangeError: at the end at 3\.000 s, after 3 s\.$/)
  t.match(why('taker', 9), /^It was cancelled/)
  t.match(explain(recording, lane(recording, 'taker'), { t: 0, seq: 1 }), /^It does not exist yet: it is created by main/)

  await t.test('a wait that is at its deadline has no time left', async (t) => {
    const sleeper = heard(await record(function* () { yield* sleep(2) }))
    t.match(explain(sleeper, lane(sleeper, 'main'), sleeper.positionAt(1.5)), /until 2\.000 s, 500 ms left:/)
    t.match(explain(sleeper, lane(sleeper, 'main'), { t: 2, seq: sleeper.positionAt(1.5).seq }), /until 2\.000 s, which is now:/)
  })

  await t.test('a cycle is reported as one', async (t) => {
    const made = new Recording()
    let seq = 0
    for (const task of [1, 2]) {
      made.apply({ seq: ++seq, t: 0, loop: 'main', type: 'task.created', task, name: `Task-${task}`, coroutine: 'f' })
      made.apply({ seq: ++seq, t: 0, loop: 'main', type: 'task.running', task })
      made.apply({ seq: ++seq, t: 0, loop: 'main', type: 'task.suspended', task, on: { kind: 'task', task: 3 - task }, seconds: 0 })
    }
    t.match(explain(made, lane(made, 'Task-1'), NOW), /a deadlock \(cycle of awaits\), and nothing can wake either/)
  })

  await t.test('durations are for people', async (t) => {
    t.same([0, 12e-6, 0.0567, 0.9999, 1.5, 99.4, 99.6, 1234, 3599.6, 7384, -130].map(duration),
      ['0 s', '12 µs', '56.7 ms', '1 s', '1.5 s', '99.4 s', '1 min 40 s', '20 min 34 s', '1 h 0 min', '2 h 3 min', '−2 min 10 s'])
    t.same([0, 5.25, 59.9994, 1505.496, 3725.0004, -90.5].map((t) => moment(t)), ['0.000 s', '5.250 s', '59.999 s', '25:05.496', '1:02:05.000', '−1:30.500'])
    t.same([[59.9996, 3], [119.9996, 3], [75, 0]].map(([t, digits]) => moment(t!, digits)), ['1:00.000', '2:00.000', '1:15'])
  })
})

t.test('the loop\'s queues', async (t) => {
  function* quick(): Coroutine<void> { yield* sleep(1) }
  function* program(): Coroutine<void> {
    for (const name of ['a', 'b', 'c']) createTask(quick(), { name })
    yield* sleep(2)
  }
  const events = await record(program)
  const recording = heard(events)
  const last = events.filter(({ type }) => type === 'task.created')[3]!
  t.same(names(readyQueue(recording, { t: last.t, seq: last.seq }).map(({ lane }) => lane)), ['a', 'b', 'c'], 'in the order in which they run')
  t.equal(holderAt(recording, { t: last.t, seq: last.seq })?.name, 'main')
  t.same(timers(recording, recording.positionAt(0.5)).map(({ lane, deadline }) => [lane.name, deadline]), [['a', 1], ['b', 1], ['c', 1], ['main', 2]])
})

t.test('asyncio queues', async (t) => {
  function* put(queue: Queue<number>, name: string): Coroutine<void> {
    for (let at = 0; at < 3; at++) {
      yield* sleep(name === 'left' ? 1 : 1.5)
      yield* queue.put(at)
    }
  }
  function* take(queue: Queue<number>): Coroutine<never> {
    yield* sleep(3.2)
    for (;;) {
      yield* queue.get()
      yield* sleep(10)
    }
  }
  function* program(): Coroutine<void> {
    const queue = new Queue<number>(2)
    const taker = createTask(take(queue), { name: 'taker' })
    yield* gather([createTask(put(queue, 'left'), { name: 'left' }), createTask(put(queue, 'right'), { name: 'right' })])
    taker.cancel()
  }
  const recording = heard(await record(program))
  const [track] = recording.queues.all.values()
  const items = (time: number): (string | undefined)[] => track!.items(recording.positionAt(time), 10).map((task) => recording.lanes.get(task ?? 0)?.name)
  t.same(items(1.2), ['left'])
  t.same(items(1.7), ['left', 'right'], 'each item knows who put it')
  t.same(items(3.5), ['right', 'left'], 'the first to come was the first to go')
  const blocked = recording.queues.blocked(track!.id, recording.lanes.values(), recording.positionAt(3.1))
  t.same(names(blocked.putters), ['left', 'right'])
  t.same(names(recording.queues.blocked(track!.id, recording.lanes.values(), recording.positionAt(0.1)).getters), [])

  await t.test('a task between two queues waits for the one that it puts to, or the one that it gets from', async (t) => {
    function* stage(from: Queue<number>, to: Queue<number>): Coroutine<never> {
      for (;;) yield* to.put(yield* from.get())
    }
    function* pipeline(): Coroutine<void> {
      const [first, second] = [new Queue<number>(), new Queue<number>(1)]
      const task = createTask(stage(first, second), { name: 'stage' })
      for (let at = 0; at < 3; at++) yield* first.put(at)
      yield* sleep(2)
      for (let at = 0; at < 3; at++) yield* second.get()
      yield* sleep(2)
      task.cancel()
    }
    const recording = heard(await record(pipeline))
    const [first, second] = [...recording.queues.all.keys()] as [number, number]
    const blocked = (queue: number, time: number): string[][] => {
      const { putters, getters } = recording.queues.blocked(queue, recording.lanes.values(), recording.positionAt(time))
      return [names(putters), names(getters)]
    }
    t.same([blocked(first, 1), blocked(second, 1)], [[[], []], [['stage'], []]])
    t.same([blocked(first, 3), blocked(second, 3)], [[[], ['stage']], [[], []]])
  })
})

t.test('threads', async (t) => {
  const recording = new Recording()
  let seq = 0
  const tell = (time: number, event: object): void => recording.apply({ seq: ++seq, t: time, loop: 'main', ...event } as LoopEvent)
  tell(0, { type: 'task.created', task: 1, name: 'Task-1', coroutine: 'f' })
  tell(0, { type: 'task.running', task: 1 })
  tell(0, { type: 'task.suspended', task: 1, on: { kind: 'thread', label: 'spin' }, seconds: 0 })
  t.match(explain(recording, lane(recording, 'Task-1'), NOW, 0.5), /waits? for a worker thread to run spin/i)
  tell(1, { type: 'thread.started', task: 1, call: 7, mode: 'pool', function: 'spin' })
  t.equal(lane(recording, 'Task-1').state, THREAD)
  t.match(explain(recording, lane(recording, 'Task-1'), NOW, 1.5), /spin, which a worker thread \(pool\) runs; the loop is free/)
  tell(2, { type: 'task.cancelling', task: 1 })
  tell(2, { type: 'task.running', task: 1 })
  tell(2, { type: 'task.finished', task: 1, outcome: 'cancelled' })
  t.equal(lane(recording, 'spin').state, GHOST, 'the thread runs on')
  t.match(explain(recording, lane(recording, 'spin'), NOW, 3), /^A detached thread since/)
  tell(4, { type: 'thread.finished', task: 1, call: 7, mode: 'pool', function: 'spin', seconds: 3, ending: 'orphaned' })
  t.equal(lane(recording, 'spin').endedAt, 4)
  t.equal(at(recording, 'spin', 1.5), 'in a thread')
  t.equal(at(recording, 'spin', 3), 'detached')
})

t.test('lost and broken events', async (t) => {
  const snapshot: Snapshot = {
    seq: 500, runs: [], requests: [], queues: [],
    tasks: [{ task: 9, name: 'survivor', coroutine: 'f', state: 'suspended', since: 5, on: { kind: 'sleep', deadline: 9 } }],
  }
  await t.test('a gap leaves no dead task: what the snapshot does not name has ended', async (t) => {
    const recording = heard((await record(blocking)).slice(0, 20))
    recording.lose(480, snapshot)
    const live = [...recording.lanes.values()].filter(({ endedAt }) => endedAt === null)
    t.same(names(live), ['survivor'])
    t.equal(recording.gaps.length, 1)
    t.equal(lane(recording, 'Task-1').states.includes(UNKNOWN), true)
    t.equal(recording.forgotten, 480)
    recording.apply({ seq: 501, t: 9, loop: 'main', type: 'task.ready', task: 9 })
    t.equal(lane(recording, 'survivor').state, READY)
  })

  await t.test('a task with an unknown beginning is named by a later snapshot', async (t) => {
    const recording = new Recording()
    recording.lanes.learnNames(snapshot)
    recording.apply({ seq: 490, t: 8, loop: 'main', type: 'task.running', task: 9 })
    recording.apply({ seq: 491, t: 8, loop: 'main', type: 'task.running', task: 11 })
    t.same(names(recording.lanes.values()), ['survivor', 'task 11'])
  })

  await t.test('messages without sense are counted, and harm nothing', async (t) => {
    const recording = new Recording()
    const bad: unknown[] = [null, 1, 'x', {}, { type: 'task.ready' }, { type: 'task.ready', seq: 1 }, { type: 'task.ready', seq: 1, t: NaN }, { seq: 1, t: 1, type: 7 }]
    for (const message of bad) recording.apply(message as LoopEvent)
    recording.apply({ seq: 1, t: 1, loop: 'main', type: 'task.suspended', task: 1 } as unknown as LoopEvent)
    recording.apply({ seq: 2, t: 1, loop: 'main', type: 'what.is.this' } as unknown as LoopEvent)
    recording.apply({ seq: 3, t: 1, loop: 'main', type: 'task.created', task: 2, name: 'fine', coroutine: 'f' })
    t.equal(recording.malformed, 9)
    t.equal(lane(recording, 'fine').state, READY)
  })
})

t.test('bounds', async (t) => {
  const events = crowd(1000, 30_000, 10)

  await t.test('the oldest events are removed, and the rest is whole', async (t) => {
    const recording = heard(events, { limit: 10_000 })
    t.ok(recording.events.length <= 10_000 && recording.events.length > 8000, `${recording.events.length} events`)
    t.equal(recording.forgotten + recording.events.length, events.length)
    t.equal(recording.from, recording.events[0]!.t)
    const spans = [...recording.lanes.values()].reduce((sum, { starts }) => sum + starts.length, 0)
    t.ok(spans < 25_000, `${spans} spans`)
    t.ok(recording.lanes.steps.from.length < 5000 && recording.lanes.wakes.t.length < 5000)
    const whole = heard(events)
    for (const [id, kept] of recording.lanes) t.equal(kept.state, whole.lanes.get(id)?.state, kept.name)
  })

  await t.test('half an hour of a busy stream does not grow', async (t) => {
    const recording = new Recording({ limit: 5000 })
    let seq = 0
    let most = 0
    for (let task = 1; task <= 30_000; task++) {
      const time = task * 0.06
      const tell = (event: object): void => recording.apply({ seq: ++seq, t: time, loop: 'main', ...event } as LoopEvent)
      tell({ type: 'request.started', request: task, method: 'GET', url: '/ping' })
      tell({ type: 'task.created', task, name: `GET /ping #${task}`, coroutine: 'ping', request: task })
      tell({ type: 'task.running', task })
      tell({ type: 'task.printed', task, text: 'x' })
      tell({ type: 'queue.changed', queue: task % 40 + 1, op: 'put', size: 1, unfinished: 1, maxsize: 0, task })
      tell({ type: 'task.finished', task, outcome: 'returned' })
      tell({ type: 'request.finished', request: task, method: 'GET', url: '/ping', status: 200, outcome: 'returned' })
      if (task % 1000 === 0) most = Math.max(most, recording.lanes.size)
    }
    t.ok(most < 1500, `${most} lanes at most`)
    t.ok(recording.requests.size <= 2001 && recording.lines.length <= 10_000, `${recording.requests.size} requests, ${recording.lines.length} lines`)
  })
})

t.test('bars', async (t) => {
  const recording = heard(await record(blocking))
  const view = new Viewport()
  view.set(0, 4)
  view.left = 0
  view.width = 400

  await t.test('a state takes the pixels of its time, and an overdue wait is drawn as ready', async (t) => {
    const bars = newBars()
    addLane(bars, lane(recording, 'Task-1'), view, 0, 20, 4)
    const stretch = (state: 0 | 1 | 2): [number, number][] => {
      const list = bars.rects[state]
      return Array.from({ length: list.length / 4 }, (_, at) => [list[at * 4]!, list[at * 4 + 2]!])
    }
    t.same(stretch(RUNNING).filter(([, width]) => width > 10), [[0, 100]])
    t.same(stretch(2).map(([x, width]) => [x, width]), [[100, 100]])
    t.same(stretch(READY).filter(([, width]) => width > 10), [[200, 100]])
  })

  await t.test('what is narrower than a pixel is merged and counted, and steps stay visible', async (t) => {
    const busy = heard(crowd(4, 4000, 1))
    view.set(0, 100)
    const bars = newBars()
    for (const one of busy.lanes.values()) addLane(bars, one, view, 0, 20, 1)
    const drawn = Object.values(bars.rects).reduce((sum, list) => sum + list.length / 4, 0)
    t.ok(drawn < 100, `${drawn} rectangles`)
    t.ok(bars.rects[RUNNING].length > 0)
  })

  await t.test('many lanes in one row show what they did most', async (t) => {
    view.set(0, 4)
    const bars = newBars()
    addMerged(bars, recording.lanes.values(), view, 0, 4, 2, 4)
    const running = bars.rects[RUNNING]
    t.equal(running[0], 0)
    t.ok(running[2]! >= 290, `a step in each of the first three seconds: ${running[2]} pixels`)
  })

  await t.test('of a thousand lanes in a few pixels, a step and a delay stay visible, in as many rectangles as of a hundred', async (t) => {
    view.set(0, 4)
    const merged = (count: number): { bars: ReturnType<typeof newBars>; lanes: Lane[] } => {
      const lanes = Array.from({ length: count }, (_, at) => {
        const made = new Lane(at + 1, `Task-${at}`, 0, 0)
        made.turn(2, 0, 0)
        return made
      })
      for (const [at, state, from, to] of [[10, RUNNING, 1, 1.00001], [20, READY, 2, 3]] as const) {
        lanes[at]!.turn(state, from, 0)
        lanes[at]!.turn(2, to, 0)
      }
      const bars = newBars()
      addMerged(bars, lanes, view, 0, 3, 4, 4)
      return { bars, lanes }
    }
    const { bars: { rects }, lanes } = merged(1000)
    t.same(rects, merged(100).bars.rects)
    t.same([rects[2], rects[RUNNING], rects[READY]].map((list) => list.filter((_, at) => at % 2 === 0)), [[0, 400], [100, 4], [200, 100]], 'where, and how wide')
    t.same([[1, 1], [2.5, 2.5], [3.5, 3.5]].map(([from, to]) => onTop(lanes, from!, to!)?.id), [11, 21, 1], 'and a click finds the task')
  })

  await t.test('ticks are round, and zoom keeps what is under the pointer', async (t) => {
    view.set(0, 10)
    t.same(view.ticks(90, 0).map(({ label }) => label).slice(0, 3), ['0', '5 s', '10 s'])
    const before = view.t(100)
    view.zoom(0.5, before)
    t.ok(Math.abs(view.t(100) - before) < 1e-9)
    view.set(5, 5)
    t.ok(view.span > 0)
  })
})

t.test('the wire', async (t) => {
  t.equal(apiBase('http://localhost:8000/view/?run=1#x').href, 'http://localhost:8000/')
  t.equal(apiBase('http://localhost:8001/#run=2').href, 'http://localhost:8001/')
  t.equal(apiBase('https://host/tools/view/index.html').href, 'https://host/tools/')
  t.same([0, 1, 2, 10].map((attempt) => backoff(attempt, 0.5)), [250, 500, 1000, 5000])
})

t.test('steps that were counted', async (t) => {
  const base = { loop: 'main' }
  const made = (task: number, seq: number): LoopEvent[] => [
    { ...base, type: 'task.created', seq, t: 0, task, name: `T${task}`, coroutine: 'spins' },
    { ...base, type: 'task.ready', seq: seq + 1, t: 0, task },
  ]
  const recording = heard([
    ...made(1, 1), ...made(2, 3), ...made(3, 5),
    { ...base, type: 'loop.busy', seq: 7, t: 2, since: 1, seconds: 1, steps: 1000, tasks: [{ task: 1, steps: 250 }, { task: 2, steps: 650 }, { task: 9, steps: 50 }] },
    { ...base, type: 'task.running', seq: 8, t: 2, task: 1 },
    { ...base, type: 'task.finished', seq: 9, t: 2.5, task: 1, outcome: 'returned' },
  ])
  t.same([0.5, 1.5, 2.2].map((time) => at(recording, 'T1', time)), ['ready', 'yielding', 'running'])
  t.same([0.5, 1.5, 2.2].map((time) => at(recording, 'T2', time)), ['ready', 'yielding', 'ready'])
  t.equal(at(recording, 'T3', 1.5), 'ready', 'it was not among those that are named')
  t.notOk(recording.lanes.has(9), 'no row for a task that is not known')
  t.same(splitOf(lane(recording, 'T1'), 1, 2), { run: 0.25, ready: 0.75, wait: 0, thread: 0 })
  t.equal(recording.lanes.steps.utilisation(0.5, 2.5), 0.75)
  t.equal(explain(recording, lane(recording, 'T2'), { t: 1.5, seq: 7 }), 'It yields again and again: 650 steps in 1 s, each of which ended in sleep(0); other tasks had 350 in this time.')
  const bars = newBars()
  addLane(bars, lane(recording, 'T2'), Object.assign(new Viewport(), { from: 0, to: 2.5, width: 100 }), 0, 20, 2.5)
  t.ok(bars.rects[YIELDING].length === 4 && bars.wide.some(({ state }) => state === YIELDING))

  // The event of a step that blocks the loop comes before that of the steps counted until then.
  const late = heard([
    ...made(1, 1), { ...base, type: 'task.running', seq: 3, t: 2, task: 1 },
    { ...base, type: 'loop.busy', seq: 4, t: 2, since: 1, seconds: 1, steps: 10, tasks: [{ task: 1, steps: 10 }] },
    { ...base, type: 'task.suspended', seq: 5, t: 4, task: 1, on: { kind: 'yield' }, seconds: 2 },
  ])
  t.equal(at(late, 'T1', 3), 'running')
  t.equal(late.lanes.steps.utilisation(1, 4), 1)
})

t.test('the kind of a stall', async (t) => {
  const recording = new Recording()
  let seq = 0
  const tell = (time: number, event: object): void => recording.apply({ seq: ++seq, t: time, loop: 'main', ...event } as LoopEvent)
  tell(1, { type: 'task.created', task: 1, name: 'A', coroutine: 'a' })
  tell(1, { type: 'task.created', task: 2, name: 'B', coroutine: 'b' })
  tell(1, { type: 'task.running', task: 1 })

  await t.test('is a sentence, with the figure by which it was judged', async (t) => {
    const stack = [{ function: 'spin', file: 'workers/spin.ts', line: 7, column: 3 }]
    tell(1.3, { type: 'loop.blocked', task: 1, name: 'A', since: 1, seconds: 0.3, stack, kind: 'starved', figures: { ran: 0.02, slept: 0, starved: 0.28 } })
    const stall = recording.stalls.open!
    t.match(kindText(stall.kind!, stall.figures, 0.3), /^The machine gave the thread no processor for 280 ms of 300 ms\./)
    t.match(kindText('system-call', { ran: 0.01, slept: 0.29, call: 'read', channel: 'anon_pipe_read' }, 0.3), /for 290 ms of 300 ms in read \(anon_pipe_read\)\.$/)
    t.match(kindText('javascript', {}, 0.3), /^The thread ran code of the program\.$/, 'without a figure that is not known')
    for (const kind of Object.keys(KIND_NAMES)) t.match(kindText(kind as StallKind, {}, 1), /^[A-Z].*\.$/)
  })

  await t.test('of an innocent task: it is not named as the cause', async (t) => {
    t.equal(blastRadius(recording.stalls.open!, 0.3), 'the loop has not run for 300 ms: the machine gave it no processor')
    t.equal(blameOf(recording.stalls.open!), null)
    const guilty = { ...recording.stalls.open!, seconds: 0.6, figures: { ran: 0.25, slept: 0.01, starved: 0.34 } }
    t.equal(blastRadius(guilty, 0.6), 'A has blocked the loop for 600 ms', 'what would be a stall on any machine is one')
    t.match(blameOf(guilty), { function: 'spin' })
    t.equal(explain(recording, lane(recording, 'B'), NOW, 1.3), 'Ready since 1.000 s: the loop has not run for 300 ms: the machine gave it no processor.')
    t.equal(explain(recording, lane(recording, 'A'), NOW, 1.3), 'Running since 1.000 s: 300 ms so far, and no other task can run.')
  })

  await t.test('has a flame graph: what was called is below, and what all have in common is left out', async (t) => {
    const box = (depth: number, name: string, seconds: number) => ({ depth, function: name, file: 'a.ts', line: 1, seconds })
    t.same(placed([box(0, 'main', 2), box(1, 'work', 2), box(2, 'b', 1), box(3, 'c', 0.5), box(2, 'a', 0.5)]).map(({ depth, function: fn, left, width }) => [depth, fn, left, width]), [
      [0, 'work', 0, 1], [1, 'b', 0, 0.5], [2, 'c', 0, 0.25], [1, 'a', 0.5, 0.25],
    ])
    t.same(placed([]), [])
  })
})
