// Which lane is drawn in which row, with traffic. The recordings are made of events, as those of a service.
import t from 'tap'
import { createTask, EventLoop, gather, Lock, run, sleep, VirtualClock, type Coroutine } from '../../src/index.ts'
import { Recorder } from '../../src/events/recorder.ts'
import type { LoopEvent } from '../../src/events/schema.ts'
import { NOW, Recording } from '../../ui/recording.ts'
import { awaitGraph, cycleInWords, edgeInWords, type AwaitGraph } from '../../ui/recording/await-graph.ts'
import { explain, messageText } from '../../ui/recording/explain.ts'
import { inWords, measure } from '../../ui/recording/measure.ts'
import { sortBy, tallyOf } from '../../ui/recording/tally.ts'
import { Layouter, routeIn, type Layout, type Looked } from '../../ui/timeline/layout.ts'
import { nearest, Packing, within } from '../../ui/timeline/packing.ts'
import { tracksOf } from '../../ui/timeline/tracks.ts'

type Fields = Record<string, unknown> & { t: number; type: LoopEvent['type'] }

function recorded(events: readonly Fields[], into = new Recording()): Recording {
  let seq = into.lastSeq
  for (const event of [...events].sort((a, b) => a.t - b.t)) into.apply({ loop: 'main', seq: ++seq, ...event } as unknown as LoopEvent)
  return into
}

/** A request that is served from `from` to `to`; without `to`, it still waits. */
function request(task: number, from: number, to?: number, route = 'GET /ping', parent?: number): Fields[] {
  return [
    { t: from, type: 'task.created', task, name: parent === undefined ? `${route} #${task}` : `child-${task}`, coroutine: 'handler', parent },
    { t: from, type: 'task.running', task },
    { t: from, type: 'task.suspended', task, seconds: 0, on: { kind: 'promise' } },
    ...to === undefined ? [] : [{ t: to, type: 'task.finished', task, outcome: 'returned' } as const],
  ]
}

const many = (count: number, make: (at: number) => Fields[]): Fields[] => Array.from({ length: count }, (_, at) => make(at)).flat()
const look = (recording: Recording, more: Partial<Looked> = {}): Looked => ({ recording, from: 0, to: 10, now: 10, ...more })
const arranged = (recording: Recording, more: Partial<Looked> = {}): Layout => new Layouter().update(look(recording, more), 0)
const ids = (layout: Layout): number[][] => layout.rows.map(({ lanes }) => lanes.map(({ id }) => id))

t.test('messages of a request are on the lane of its task, and read as what was said', async (t) => {
  const message = (at: number, more: object): Fields => ({ t: at, type: 'request.message', task: 1, request: 7, bytes: 0, more: false, ...more })
  const recording = recorded([
    ...request(1, 0, 4),
    message(1, { direction: 'receive', message: 'http.request', bytes: 34_488, more: true }),
    message(2, { direction: 'send', message: 'http.response.start', code: 200 }),
    message(3, { direction: 'send', message: 'http.response.body', bytes: 7 }),
    { ...message(3.5, { direction: 'receive', message: 'http.disconnect' }), task: undefined },
  ])
  const { marks } = recording.lanes.get(1)!
  t.same(marks.map((mark) => (mark.type === 'request.message' ? messageText(mark) : mark.type)), [
    'receive http.request, 34,488 bytes, more follows', 'send http.response.start, 200', 'send http.response.body, 7 bytes',
  ])
  t.same([0, 1, 2.5, 9].map((time) => recording.lanes.get(1)!.firstMark(time)), [0, 0, 2, 3])
})

/** Whether no two lanes of a row overlap, and each lane is in the row that is said. */
function isSound(layout: Layout): boolean {
  return layout.rows.every((row, at) => row.at === at && row.lanes.every((lane, index) => {
    const next = row.lanes[index + 1]
    return layout.rowOf(lane.id) === row && (next === undefined || (lane.endedAt ?? Infinity) <= next.begunAt)
  }))
}

t.test('rows of a dozen tasks: each has its own, below the one that created it, and what is alive comes first', async (t) => {
  const recording = recorded([...request(1, 0, 2), ...request(2, 1), ...request(3, 1, 2, '', 2), ...request(4, 3, 4), ...request(5, 5)])
  t.same(ids(arranged(recording)), [[2], [3], [5], [1], [4]])
  t.same(ids(arranged(recording, { grouping: 'parent' })), [[2], [3], [5], [1], [4]])
  t.same(ids(arranged(recording, { filter: ({ id }) => id > 3 })), [[5], [4]])
  t.same(ids(arranged(recording, { from: 4.9, to: 6, near: 0 })), [[2], [5]], 'what ended before the window is not there')
})

t.test('with traffic, requests that have ended share rows by their route', async (t) => {
  const recording = recorded([
    ...many(100, (at) => request(at + 1, at / 10, at / 10 + 0.05)), ...many(20, (at) => request(at + 200, at / 5, at / 5 + 0.5, 'POST /orders/17?now')), ...request(300, 1),
  ])
  const layout = arranged(recording)
  t.same(layout.rows.map(({ title, lanes }) => [title, lanes.length]), [['', 1], ['GET /ping', 100], ['POST /orders/…', 7], ['POST /orders/…', 7], ['POST /orders/…', 6]])
  t.equal(layout.rows[0]?.lanes[0]?.id, 300, 'alive first')
  t.equal(layout.count, 121)
  t.ok(isSound(layout))
  const routes = arranged(recording, { grouping: 'route' })
  t.same(routes.rows.filter(({ kind }) => kind === 'title').map(({ title }) => title), ['GET /ping · 101', 'POST /orders/… · 20'])
  t.equal(arranged(recording, { grouping: 'parent' }).rows.length, 121, 'unless each is wanted')
  t.same(['GET /a/12/b?c=1 #3', 'Task-12', 'worker', '7'].map(routeIn), ['GET /a/…/b', 'Task', 'worker', '7'])
})

t.test('a task above one that is alive keeps its row; its children that have ended share theirs', async (t) => {
  const recording = recorded([...request(1, 0), ...many(60, (at) => request(at + 10, at / 10, at / 10 + 0.05, '', 1)), ...request(100, 1, 3), ...request(101, 2, undefined, '', 100)])
  const layout = arranged(recording)
  t.same(layout.rows.map(({ lanes }) => lanes.length), [1, 1, 1, 60])
  t.same(layout.rows.slice(0, 3).map(({ lanes, depth }) => [lanes[0]?.id, depth]), [[1, 0], [100, 0], [101, 1]])
})

t.test('rows stay as they are while lanes come and go', async (t) => {
  const recording = new Recording()
  const layouter = new Layouter()
  const place = new Map<number, unknown>()
  let moved = 0
  let checked = 0
  for (let tenth = 0; tenth < 60; tenth++) {
    recorded(many(100, (at) => request(tenth * 100 + at + 1, tenth / 10 + at / 1000, tenth / 10 + at / 1000 + 0.02)), recording)
    for (const [lane] of recording.lanes) {
      const row = layouter.update(look(recording, { from: tenth / 10 - 2, to: tenth / 10 + 0.2, now: tenth / 10 + 0.1, near: 0.08 }), tenth * 100).rowOf(lane)
      if (row === undefined) continue
      checked++
      if (place.has(lane) && place.get(lane) !== row) moved++
      place.set(lane, row)
    }
    t.ok(isSound(layouter.update(look(recording, { from: tenth / 10 - 2, to: tenth / 10 + 0.2, now: tenth / 10 + 0.1, near: 0.08 }), tenth * 100)))
  }
  t.ok(checked > 10_000)
  t.equal(moved, 0)
})

t.test('the culprit and what it delayed most are on top, and stay there when the rest is scrolled', async (t) => {
  const stall = (rate: number): Recording => recorded([
    ...many(rate, (at) => request(at + 1, at / rate, at / rate + 0.005)),
    ...request(rate + 1, 1, 3, 'GET /slow'),
    ...many(rate, (at) => request(rate + 2 + at, 3, 3.001 + at / 1e5)),
    {
      t: 3, type: 'loop.unblocked', task: rate + 1, name: `GET /slow #${rate + 1}`, since: 1, seconds: 2, lost: 9,
      victims: Array.from({ length: Math.min(rate, 1000) }, (_, at) => ({ task: rate + 2 + at, name: 'GET /ping', seconds: 2 - at / 1000 })),
    },
  ])
  for (const rate of [30, 160, 2000]) {
    const recording = stall(rate)
    const layout = arranged(recording, { room: 20 })
    t.same(layout.rows.slice(0, layout.pinned).map(({ kind, lanes, title }) => [kind, lanes[0]?.id, title]), [
      ['culprit', rate + 1, ''], ['victim', rate + 2, '+2 s'], ['victim', rate + 3, '+1.999 s'], ['victim', rate + 4, '+1.998 s'], ['victim', rate + 5, '+1.997 s'],
    ], `${rate} requests a second`)
    t.equal(new Set(ids(layout).flat()).size, layout.count, 'each is there once')
    t.ok(isSound(layout))
  }
  t.same([9, 4, 1, 0].map((room) => arranged(stall(30), { room }).pinned), [4, 2, 2, 5], 'half of a small screen, and with rows too low to be read, as many as possible')
  t.equal(arranged(stall(30), { room: 1000 }).pinned, 0, 'where all are in view, nothing moves')
  t.equal(arranged(stall(30), { room: 20, from: 4, to: 9, near: 0 }).pinned, 0, 'a stall that is not in view')
})

t.test('a stall that lasts has its culprit on top, with the tasks that wait for it', async (t) => {
  const recording = recorded([
    ...many(60, (at) => request(at + 1, at / 100, at / 100 + 0.001)),
    ...request(100, 0.5), { t: 1, type: 'task.ready', task: 100 }, ...request(101, 0.5), { t: 0.9, type: 'task.ready', task: 101 },
    { t: 0.95, type: 'task.created', task: 102, name: 'slow', coroutine: 'slow' }, { t: 1, type: 'task.running', task: 102 },
    { t: 1.5, type: 'loop.blocked', task: 102, name: 'slow', since: 1, seconds: 0.5 },
  ])
  const { rows, pinned } = arranged(recording, { room: 10, now: 2 })
  t.same(rows.slice(0, pinned).map(({ kind, lanes }) => [kind, lanes[0]?.id]), [['culprit', 102], ['victim', 100], ['victim', 101]])
})

t.test('packing', async (t) => {
  const recording = recorded([...request(1, 0, 1), ...request(2, 0.5, 3), ...request(3, 1, 2), ...request(4, 1.5), ...request(5, 3, 4), ...request(6, 3, 4)])
  const packing = new Packing('x')
  const lanes = [...recording.lanes.values()]
  const rows = (): number[][] => packing.rows.map((row) => row.lanes.map(({ id }) => id))
  for (const lane of lanes) packing.place(lane)
  t.same(rows(), [[1, 3, 5], [2, 6], [4]], 'the first row that is free')
  packing.place(lanes[0]!)
  t.same(rows(), [[1, 3, 5], [2, 6], [4]], 'once')
  packing.keep(new Set(lanes.slice(1, 4)))
  t.same(rows(), [[3], [2], [4]])
  lanes[3]!.end(5, 100, 'returned', null)
  packing.look()
  const [late] = recorded(request(7, 6, 7)).lanes.values()
  t.equal(packing.place(late!), packing.rows[0])
  // The event that says when it arrived comes later.
  late!.arrived(1.2)
  packing.place(late!)
  t.same(rows(), [[3], [2], [4], [7]], 'it never lies over another')
  packing.keep(new Set())
  t.same(rows(), [])
})

t.test('what is at a time in a shared row', async (t) => {
  const lanes = [...recorded([...request(1, 0, 1), ...request(2, 2, 3), ...request(3, 4)]).lanes.values()]
  const table: [t: number, slack: number, id: number | undefined][] = [[0.5, 0, 1], [1.2, 0.1, undefined], [1.2, 0.3, 1], [1.9, 0.2, 2], [2, 0, 2], [9, 0, 3], [-1, 0.5, undefined], [1.4, Infinity, 1], [1.6, Infinity, 2]]
  for (const [time, slack, id] of table) t.equal(nearest(lanes, time, slack)?.id, id, `${time} ± ${slack}`)
  t.same([within(lanes, 1.5, 3.5), within(lanes, 0, 9), within(lanes, 3.2, 3.8)], [{ first: 1, end: 2 }, { first: 0, end: 3 }, { first: 2, end: 2 }])
})

t.test('a measured stretch', async (t) => {
  const recording = recorded([
    ...request(1, 0, 4), { t: 1, type: 'task.ready', task: 1 }, { t: 1, type: 'task.running', task: 1 }, { t: 1.4, type: 'task.suspended', task: 1, seconds: 0.4, on: { kind: 'promise' } },
    ...request(2, 2), { t: 2.5, type: 'task.ready', task: 2 }, { t: 2.5, type: 'task.running', task: 2 }, { t: 2.51, type: 'task.suspended', task: 2, seconds: 0.01, on: { kind: 'promise' } },
    { t: 5, type: 'task.ready', task: 2 }, { t: 5, type: 'task.running', task: 2 },
  ])
  const table: [from: number, to: number, words: string][] = [
    [0.5, 3, '2.5 s: the loop was busy for 410 ms (16 %) in 3 steps. One stall. 2 tasks ran: GET /ping #1 400 ms, GET /ping #2 10 ms.'],
    [1.2, 1.3, '100 ms: the loop was busy for 100 ms (100 %) in 1 step. One stall. 1 task ran: GET /ping #1 100 ms.'],
    [3, 3.5, '500 ms: the loop was idle.'],
    [4.5, 6, '1.5 s: the loop was busy for 1 s (67 %) in 1 step. 1 task ran: GET /ping #2 1 s.'],
  ]
  for (const [from, to, words] of table) t.equal(inWords(measure(recording, from, to, 6)), words)
})

t.test('locks: how many tasks wait, and which task owns one', async (t) => {
  const wait = (time: number, task: number, label = '<Lock 1>', kind = 'lock', on = {}): Fields => ({ t: time, type: 'task.suspended', task, seconds: 0, on: { kind, label, ...on } })
  const recording = recorded([
    ...request(1, 0), ...request(2, 0), ...request(3, 0), ...request(4, 0), wait(1, 2), wait(2, 3),
    { t: 3, type: 'task.ready', task: 2, by: 1 },
    { t: 4, type: 'task.ready', task: 3, by: 2 },
    wait(5, 1), { t: 6, type: 'task.cancelling', task: 1, by: 4 }, { t: 6, type: 'task.ready', task: 1, by: 4 },
    wait(7, 4, '<Lock 2>', 'lock', { holder: 3 }), wait(8, 2, '<Event 1>', 'event'), { t: 9, type: 'task.ready', task: 2, by: 3 },
    // Task 1 was cancelled long ago, at 6 s, and that it was stays noted.
    wait(10, 1, '<Lock 3>', 'lock', { holder: 3 }), wait(10.1, 2, '<Lock 3>'), wait(10.2, 4, '<Lock 3>'),
    { t: 11, type: 'task.ready', task: 1, by: 3 }, { t: 12, type: 'task.cancelling', task: 2, by: 4 }, { t: 12, type: 'task.ready', task: 2, by: 4 },
  ])
  const at = (label: string, time: number): (number | null | undefined)[] => {
    const point = recording.locks.all.get(label)?.at({ t: time, seq: Infinity })
    return [point?.waiting, point?.holder]
  }
  const table: [label: string, t: number, waiting: number, holder: number | null][] = [
    ['<Lock 1>', 1.5, 1, 1], ['<Lock 1>', 2.5, 2, 1], ['<Lock 1>', 3.5, 1, 2], ['<Lock 1>', 4.5, 0, null], ['<Lock 1>', 5.5, 1, null], ['<Lock 1>', 6.5, 0, null],
    ['<Lock 2>', 7.5, 1, 3], ['<Event 1>', 8.5, 1, null], ['<Event 1>', 9.5, 0, null],
    ['<Lock 3>', 10.5, 3, 3], ['<Lock 3>', 11.5, 2, 1], ['<Lock 3>', 12.5, 1, 1],
  ]
  for (const [label, time, waiting, holder] of table) t.same(at(label, time), [waiting, holder], `${label} at ${time} s`)
  recording.restore({ seq: 100, tasks: [{ task: 4, name: 'x', coroutine: 'x', state: 'suspended', since: 7, on: { kind: 'lock', label: '<Lock 2>', holder: 3 } }], runs: [], requests: [], queues: [] })
  t.same(recording.locks.all.get('<Lock 2>')?.at(NOW)?.waiting, 1, 'a snapshot names who waits')
  const busy = new Recording({ limit: 1000 })
  for (let seq = 1; seq <= 20_000; seq++) busy.apply({ loop: 'main', seq, t: seq / 100, type: 'task.suspended', task: seq % 500 + 1, seconds: 0, on: { kind: 'lock', label: `<Lock ${seq}>` } })
  t.ok(busy.locks.all.size <= 1000, `${busy.locks.all.size} locks`)
})

t.test('a deadlock of two locks is a cycle, as soon as the second task waits', async (t) => {
  const loop = new EventLoop({ clock: new VirtualClock() })
  loop.setExceptionHandler(() => {})
  const recording = new Recording()
  new Recorder(loop).listen((event) => recording.apply(structuredClone(event)))
  await t.rejects(run((function* () {
    const [one, two] = [new Lock(), new Lock()]
    const both = function* (first: Lock, second: Lock): Coroutine<void> {
      yield* first.acquire()
      yield* sleep(1)
      yield* second.acquire()
    }
    yield* gather([createTask(both(one, two), { name: 'a' }), createTask(both(two, one), { name: 'b' })])
  })(), { loopFactory: () => loop, name: 'main' }))
  const { cycles, edges } = awaitGraph({ recording, position: { t: 1, seq: Math.max(...recording.events.filter((event) => event.type === 'task.suspended').map(({ seq }) => seq)) }, time: 1 })
  t.same(cycles.map((cycle) => cycleInWords(cycle, edges).replaceAll(/<Lock \d+>/g, 'a lock')), ['A deadlock (cycle of awaits): a → a lock → b → a lock → a. None of these tasks can wake another.'])
  const [a] = [...recording.lanes.values()].filter(({ name }) => name === 'a')
  t.match(explain(recording, a!, { t: 1.5, seq: recording.events.find(({ type, t }) => type === 'task.cancelling' || t > 1)?.seq ?? recording.lastSeq }).replaceAll(/<Lock \d+>/g, 'a lock'), /waits for a lock, which b owns, which is waiting for a lock, which a owns: a deadlock/i)
})

t.test('tracks on the axis: the queues and locks with something to show', async (t) => {
  const put = (time: number, queue: number, size: number): Fields => ({ t: time, type: 'queue.changed', queue, op: 'put', size, unfinished: 0, maxsize: 4 })
  const recording = recorded([
    put(1, 1, 1), { ...put(2, 1, 0), op: 'get' }, put(5, 2, 3), put(6, 3, 1), ...request(1, 0),
    { t: 6, type: 'task.suspended', task: 1, seconds: 0, on: { kind: 'lock', label: '<Lock 1>' } },
  ])
  const table: [from: number, to: number, labels: string[]][] = [[0, 4, ['queue 1']], [2.5, 4, []], [5.5, 7, ['queue 3', 'queue 2', 'Lock 1']], [8, 9, ['queue 3', 'queue 2', 'Lock 1']], [0, 9, ['queue 3', 'queue 2', 'Lock 1']]]
  for (const [from, to, labels] of table) t.same(tracksOf(recording, from, to).map(({ label }) => label), labels, `${from} to ${to}`)
})

t.test('what each task has cost, up to a moment', async (t) => {
  const step = (task: number, from: number, seconds: number): Fields[] => [
    { t: from - 0.1, type: 'task.ready', task }, { t: from, type: 'task.running', task }, { t: from + seconds, type: 'task.suspended', task, seconds, on: { kind: 'promise' } },
  ]
  const recording = recorded([
    ...request(1, 0), ...step(1, 1, 0.25), ...step(1, 2, 0.005), ...request(2, 0.5, 5), ...step(2, 3, 2e-5),
    ...request(3, 0.6), { t: 4, type: 'task.ready', task: 3 }, { t: 4.5, type: 'loop.busy', since: 4, seconds: 0.5, steps: 2000, tasks: [{ task: 3, steps: 1000 }] },
  ])
  const round = (value: number): number => Math.round(value * 1e6) / 1e6
  const table: [task: number, until: number, busy: number, steps: number, longest: number, ready: number, wait: number, histogram: number[]][] = [
    [1, 10, 0.255, 3, 0.25, 0.2, 9.545, [1, 0, 0, 1, 0, 1, 0]],
    [1, 1.1, 0.1, 2, 0.1, 0.1, 0.9, [1, 0, 0, 0, 0, 1, 0]],
    [2, 10, 2e-5, 2, 2e-5, 0.1, 4.39998, [1, 1, 0, 0, 0, 0, 0]],
    [3, 4.5, 0.25, 1001, 0.00025, 0.25, 3.4, [1, 0, 1000, 0, 0, 0, 0]],
  ]
  for (const [task, until, ...figures] of table) {
    const { run, steps, longest, ready, wait, histogram } = tallyOf(recording.lanes.get(task)!, until)
    t.same([round(run), steps, round(longest), round(ready), round(wait), histogram], figures, `task ${task} until ${until} s`)
  }
  const rows = [1, 2, 3].map((id) => ({ id, since: 10 - id, tally: tallyOf(recording.lanes.get(id)!, 5) }))
  for (const [column, upwards, sorted] of [['run', false, [1, 3, 2]], ['steps', false, [3, 1, 2]], ['longest', true, [2, 3, 1]], ['state', false, [3, 2, 1]], ['tree', false, [1, 2, 3]]] as const) {
    t.same(sortBy([...rows], column, upwards).map(({ id }) => id), sorted, column)
  }
})

t.test('the await graph', async (t) => {
  const wait = (time: number, task: number, on: object): Fields => ({ t: time, type: 'task.suspended', task, seconds: 0, on })
  const born = (task: number): Fields => ({ t: 0, type: 'task.created', task, name: `T${task}`, coroutine: 'f' })
  const graph = (recording: Recording, time = 9, more: object = {}): AwaitGraph => awaitGraph({ recording, position: { t: time, seq: Infinity }, time, ...more })
  const words = ({ edges }: AwaitGraph): string[] => edges.map((edge) => `${edge.from.name} ${edgeInWords(edge)}`)
  const deadlock = recorded([
    ...[1, 2, 3, 4, 5].map(born), wait(1, 1, { kind: 'gather', label: '2 of 2', task: 2 }), wait(2, 2, { kind: 'lock', label: '<Lock 2>', holder: 3 }), wait(3, 3, { kind: 'lock', label: '<Lock 1>', holder: 2 }),
    wait(3, 4, { kind: 'queue.get', label: '<Queue>', queue: 7 }), wait(3, 5, { kind: 'sleep', deadline: 20 }),
  ])
  const table: [recording: Recording, t: number, words: string[], cycles: string[], apart: number][] = [
    [deadlock, 0.5, [], [], 5],
    [deadlock, 2.5, ['T1 awaits T2 (gather 2 of 2)', 'T2 waits for <Lock 2>', '<Lock 2> is owned by T3'], [], 2],
    [deadlock, 9, ['T1 awaits T2 (gather 2 of 2)', 'T2 waits for <Lock 2>', '<Lock 2> is owned by T3', 'T3 waits for <Lock 1>', '<Lock 1> is owned by T2', 'T4 waits for queue 7, which is empty'],
      ['A deadlock (cycle of awaits): T2 → <Lock 2> → T3 → <Lock 1> → T2. None of these tasks can wake another.'], 1],
    [recorded([...[1, 2].map(born), wait(1, 1, { kind: 'task', task: 2, deadline: 12 }), wait(1, 2, { kind: 'task', task: 1 })]), 9, ['T1 awaits T2', 'T2 awaits T1'], ['A cycle of awaits, which a timeout ends: T1 → T2 → T1.'], 0],
  ]
  for (const [recording, time, sentences, cycles, apart] of table) {
    const found = graph(recording, time)
    t.same(words(found).sort(), [...sentences].sort(), `at ${time} s`)
    t.same(found.cycles.map((cycle) => cycleInWords(cycle, found.edges)), cycles)
    t.equal(found.apart, apart)
    t.equal(new Set(found.nodes.map(({ column, row }) => `${column} ${row}`)).size, found.nodes.length, 'each has a place of its own')
    t.ok(found.edges.filter(({ from, to }) => to.column <= from.column).length <= found.cycles.length, 'only a cycle goes back')
  }
  const crowd = recorded([...Array.from({ length: 5000 }, (_, at) => born(at + 1)), ...Array.from({ length: 4990 }, (_, at) => wait(1, at + 1, { kind: 'task', task: at + 2 }))])
  const some = graph(crowd, 9, { selected: 100, most: 30 })
  t.same([some.nodes.length, some.more], [30, 4961])
  t.ok(some.nodes.some(({ name }) => name === 'T100'), 'what is selected is there')
  t.equal(graph(crowd, 9, { passes: ({ id }: { id: number }) => id === 7 }).edges.length, 1)
})
