// Motion: where each task is after each event, and the sentence that says what moved.
import t from 'tap'
import { createTask, EventLoop, gather, Queue, run, sleep, VirtualClock, type Coroutine } from '../../src/index.ts'
import { Recorder } from '../../src/events/recorder.ts'
import { lastMove, moveBefore, moveInWords, MOST_CHIPS, nextMove, PLACES, placesAt, type Move } from '../../ui/recording/motion.ts'
import { NOW, Recording, type Position } from '../../ui/recording.ts'

async function record(main: Coroutine<unknown>): Promise<Recording> {
  const loop = new EventLoop({ clock: new VirtualClock() })
  const recording = new Recording()
  const recorder = new Recorder(loop)
  recorder.listen((event) => { recording.apply(structuredClone(event)) })
  recorder.nextTask({ run: 1 })
  await run(main, { loopFactory: () => loop, name: 'main' })
  return recording
}

const ofRun = ({ run }: { run: number | null }): boolean => run === 1
const START: Position = { t: -1, seq: 0 }
const at = ({ event: { t, seq } }: Move): Position => ({ t, seq })

function moves(recording: Recording): Move[] {
  const all: Move[] = []
  for (let move = nextMove(recording, START, ofRun); move !== null; move = nextMove(recording, at(move), ofRun)) all.push(move)
  return all
}

/** The places after a move, as `timers | ready | running | waiting | ended`, each task by its name. */
function drawn(recording: Recording, position: Position): string {
  const places = placesAt(recording, position, position.t, ofRun)
  return PLACES.map((place) => places[place].chips.map(({ lane, next }) => (next ? '*' : '') + lane.name).join(' ')).join(' | ')
}

function* sleeper(seconds: number): Coroutine<void> {
  yield* sleep(seconds)
}

function* two(): Coroutine<void> {
  const first = createTask(sleeper(3))
  createTask(sleeper(1))
  yield* first
}

t.test('two tasks that sleep', async (t) => {
  const recording = await record(two())
  const table = moves(recording).map((move) => [drawn(recording, at(move)), moveInWords(recording, move)])
  t.same(table, [
    [' | *main |  |  | ', 'main is created: it joins the ready queue.'],
    [' |  | main |  | ', 'main runs: it was next in the ready queue, and no other task runs until it yields or ends.'],
    [' | *Task-1 | main |  | ', 'main creates Task-1: it joins the ready queue.'],
    [' | *Task-1 Task-2 | main |  | ', 'main creates Task-2: it joins the ready queue.'],
    [' | *Task-1 Task-2 |  | main | ', 'main waits for Task-1.'],
    [' | *Task-2 | Task-1 | main | ', 'Task-1 runs: it was next in the ready queue, and no other task runs until it yields or ends.'],
    ['Task-1 | *Task-2 |  | main | ', 'Task-1 waits for sleep 3 s: its timer is due at 3.000 s.'],
    ['Task-1 |  | Task-2 | main | ', 'Task-2 runs: it was next in the ready queue, and no other task runs until it yields or ends.'],
    ['Task-2 Task-1 |  |  | main | ', 'Task-2 waits for sleep 1 s: its timer is due at 1.000 s.'],
    ['Task-1 | *Task-2 |  | main | ', 'The timer of Task-2 is due: it joins the ready queue.'],
    ['Task-1 |  | Task-2 | main | ', 'Task-2 runs: it was next in the ready queue, and no other task runs until it yields or ends.'],
    ['Task-1 |  |  | main | Task-2', 'Task-2 ends: it returned.'],
    [' | *Task-1 |  | main | Task-2', 'The timer of Task-1 is due: it joins the ready queue.'],
    [' |  | Task-1 | main | Task-2', 'Task-1 runs: it was next in the ready queue, and no other task runs until it yields or ends.'],
    [' |  |  | main | Task-1 Task-2', 'Task-1 ends: it returned.'],
    [' | *main |  |  | Task-1 Task-2', 'Task-1 has ended, which main waits for: main joins the ready queue.'],
    [' |  | main |  | Task-1 Task-2', 'main runs: it was next in the ready queue, and no other task runs until it yields or ends.'],
    [' |  |  |  | main Task-1 Task-2', 'main ends: it returned.'],
  ])
})

t.test('the way back is the way on', async (t) => {
  const recording = await record(two())
  const on = moves(recording)
  const back: Move[] = []
  for (let move = lastMove(recording, NOW, ofRun); move !== null; move = moveBefore(recording, move, ofRun)) back.unshift(move)
  t.same(back.map(({ event }) => event.seq), on.map(({ event }) => event.seq))
  // Each move begins where the one before has left the task.
  const places = new Map<string, string>()
  for (const { lane, from, to } of on) {
    t.equal(from, places.get(lane.name) ?? null)
    places.set(lane.name, to)
  }
  t.same([...places.values()], ['ended', 'ended', 'ended'])
  t.equal(nextMove(recording, NOW, ofRun), null)
})

t.test('what wakes a task is said', async (t) => {
  const recording = await record((function* main(): Coroutine<void> {
    const queue = new Queue<number>()
    const getter = createTask(queue.get(), { name: 'getter' })
    yield* sleep(0)
    queue.putNowait(1)
    yield* getter
    const long = createTask(sleep(9), { name: 'long' })
    yield* gather([sleeper(1), sleeper(2)])
    long.cancel()
    yield* gather([long], { returnExceptions: true })
    yield* gather([createTask((function* (): Coroutine<void> { throw new RangeError('wrong') })(), { name: 'wrong' })], { returnExceptions: true })
  })())
  // Queues are numbered in the whole process.
  const said = moves(recording).map((move) => moveInWords(recording, move).replace(/<Queue \d+ /, '<Queue '))
  for (const wanted of [
    'main yields with sleep(0): it goes to the end of the ready queue.',
    'getter waits for queue.get <Queue maxsize=0>.',
    'main wakes getter, which waits for queue.get <Queue maxsize=0>: getter joins the ready queue.',
    'getter has ended, which main waits for: main joins the ready queue.',
    'main waits for gather 2 of 2.',
    'What main waits for has happened (gather 2 of 2): main joins the ready queue.',
    'main cancels long: it joins the ready queue, and is cancelled when it runs.',
    'long ends: it was cancelled.',
    'wrong ends: it raised RangeError: wrong.',
  ]) t.ok(said.includes(wanted), wanted)
  t.notOk(said.some((sentence) => /undefined|NaN/.test(sentence)))
  // At any position, also between moves, at most one task runs, and no task is in two places.
  for (const { t: time, seq } of recording.events) {
    const places = placesAt(recording, { t: time, seq }, time)
    const all = PLACES.flatMap((place) => places[place].chips.map(({ lane }) => lane.id))
    if (places.running.chips.length > 1 || new Set(all).size !== all.length) t.fail(`at event ${seq}`)
  }
})

t.test('a place has a bounded number of chips, and says how many there are more', async (t) => {
  const recording = await record((function* main(): Coroutine<void> {
    yield* gather(Array.from({ length: 40 }, () => sleeper(1)))
  })())
  const places = placesAt(recording, recording.positionAt(0.5), 0.5, ofRun)
  t.same(places.timers.chips.map(({ lane }) => lane.name), Array.from({ length: MOST_CHIPS }, (_, index) => `Task-${index + 1}`))
  t.equal(places.timers.more, 40 - MOST_CHIPS)
  t.equal(places.timers.chips[0]?.label, 'sleep, 500 ms left')
  t.same(places.waiting.chips.map(({ lane, label }) => [lane.name, label]), [['main', 'gather 40 of 40']])
  t.equal(placesAt(recording, recording.positionAt(0.5), 1.25, ofRun).timers.chips[0]?.label, 'sleep, 250 ms late')
  t.equal(placesAt(recording, NOW, 2, ofRun).ended.more, 41 - MOST_CHIPS)
})

t.test('events that are lost leave no guess', async (t) => {
  const recording = await record(sleeper(1))
  const live = new Recording()
  for (const event of recording.events.slice(0, 5)) live.apply(event)
  live.lose(3)
  const places = placesAt(live, NOW, live.to)
  t.equal(places.unknown, 1)
  t.same(PLACES.flatMap((place) => places[place].chips), [])
})
