// Input of the page, without a page: hostile values against the entry check, and every loop with a count that comes from data.
import t from 'tap'
import type { LoopEvent } from '../../src/events/schema.ts'
import { curl } from '../../ui/curl.ts'
import { admitEvent, admitLines, admitLoops, admitMessage, LATEST, MOST_TEXT, partsOf } from '../../ui/entry.ts'
import { Intake } from '../../ui/intake.ts'
import { explain, readyQueue } from '../../ui/recording/explain.ts'
import { standing } from '../../ui/lessons/standing.ts'
import { NOW, Recording } from '../../ui/recording.ts'
import { addLane, newBars } from '../../ui/timeline/bars.ts'
import { Viewport } from '../../ui/timeline/viewport.ts'

const long = 'x'.repeat(1e6)
const cut = `${'x'.repeat(MOST_TEXT)}…`
const common = { seq: 1, t: 1, loop: 'x' }
const created = (more: object = {}): Record<string, unknown> => ({ type: 'task.created', ...common, task: 1, name: 'n', coroutine: 'c', ...more })
const fields = (value: LoopEvent | null): Record<string, unknown> => (value ?? {}) as Record<string, unknown>

t.test('the entry check', async (t) => {
  await t.test('moves times and durations into the range that can be drawn', async (t) => {
    const table: [given: number, t: unknown, seconds: unknown][] = [
      [1e300, LATEST, LATEST], [-1e300, -LATEST, 0], [Infinity, LATEST, LATEST], [-Infinity, -LATEST, 0], [-1, -1, 0], [0.25, 0.25, 0.25], [5e-324, 5e-324, 5e-324],
    ]
    for (const [given, time, seconds] of table) {
      const event = fields(admitEvent({ type: 'task.suspended', ...common, t: given, task: 1, on: { kind: 'sleep', deadline: given }, seconds: given }))
      t.same([event['t'], event['on'], event['seconds']], [time, { kind: 'sleep', deadline: time }, seconds], String(given))
    }
  })

  await t.test('cuts texts, lists and frames', async (t) => {
    t.equal(fields(admitEvent(created({ name: long })))['name'], cut)
    const frame = { function: long, file: 'f', line: 1, column: 1 }
    const event = fields(admitEvent({ type: 'loop.blocked', ...common, name: 'n', since: 0, seconds: 1, stack: Array.from({ length: 5 }, () => frame) }))
    t.same((event['stack'] as { function: string }[]).map((one) => one.function), Array.from({ length: 5 }, () => cut))
    const warning = fields(admitEvent({ type: 'warning', ...common, kind: 'slow-step', level: 'red', message: 'm', tasks: Array.from({ length: 1e5 }, () => 1) }))
    t.equal((warning['tasks'] as number[]).length, 1000)
  })

  await t.test('refuses invalid events', async (t) => {
    const circle: Record<string, unknown> = created()
    circle['location'] = circle
    let deep: unknown = 'x'
    for (let at = 0; at < 100_000; at++) deep = [deep]
    const none: [string, unknown][] = [
      ['null', null], ['a number', 1], ['a text', 'x'], ['a list', []], ['nothing', {}], ['no type', { ...common }], ['a type that is none', created({ type: 'task.exploded' })],
      ['no time', created({ t: undefined })], ['a time that is none', created({ t: NaN })], ['a time as text', created({ t: '1' })], ['a task with a fraction', created({ task: 1.5 })],
      ['a task below one', created({ task: -1 })], ['a task beyond all numbers', created({ task: NaN })], ['a name that is none', created({ name: {} })], ['a circle', circle],
      ['something deep', created({ location: deep })], ['a function', () => {}], ['a big integer', 1n],
      ['more text than an event may hold', { type: 'run.started', ...common, run: 1, example: 1, parameters: Object.fromEntries(Array.from({ length: 60 }, (_, at) => [`p${at}`, long])) }],
    ]
    for (const [what, value] of none) t.equal(admitEvent(value), null, what)
  })

  await t.test('leaves out fields that only a later version knows, and a prototype', async (t) => {
    t.same(admitEvent(created({ later: 1, deeper: { a: 1 } })), created())
    const sly = JSON.parse('{"type":"run.started","seq":1,"t":1,"loop":"x","run":1,"example":1,"parameters":{"__proto__":{"a":1},"b":2}}') as unknown
    t.same(fields(admitEvent(sly))['parameters'], { b: 2 })
  })

  await t.test('reads messages of the stream with their snapshots, and nothing else', async (t) => {
    const tasks = Array.from({ length: 3000 }, (_, at) => ({ task: at + 1, name: 'n', coroutine: 'c', state: 'ready', since: 0 }))
    const hello = { type: 'stream.hello', epoch: 'e', seq: 3, snapshot: { seq: 3, tasks, runs: [], requests: [], queues: [] } }
    t.same(admitMessage(JSON.stringify(hello)), hello, 'more tasks than a list of an event may have')
    for (const text of ['', '{', 'null', '1', '[]', '{}', '{"type":1}', '{"type":"stream.hello"}', JSON.stringify(created({ name: long }))]) t.equal(admitMessage(text), null, text.slice(0, 30))
    t.same(admitLines(`${JSON.stringify(created())}\n{"type":\n${JSON.stringify(hello)}\n\n`), { events: [created()], refused: 2 })
    t.equal(admitLoops({ loops: 'all' }), null)
  })

  await t.test('reads from an address only what a page would write', async (t) => {
    const table: [text: string, parts: Record<string, string>][] = [
      ['view=lab&run=7', { view: 'lab', run: '7' }], ['run=7&run=8', { run: '7' }], ['', {}], ['&&&', {}], ['%', { '%': '' }],
      [`loop=${'x'.repeat(1e5)}&view=lab`, { view: 'lab' }], [`program=${'A'.repeat(100_000)}`, { program: 'A'.repeat(100_000) }],
    ]
    for (const [text, parts] of table) t.same(Object.fromEntries(partsOf(text)), parts, text.slice(0, 30))
    t.ok([...partsOf('a=1&'.repeat(1e6))].length <= 30)
    t.ok([...partsOf(Array.from({ length: 1e5 }, (_, at) => `k${at}=1`).join('&'))].length <= 30)
  })

  await t.test('a command to copy contains no character that a shell would interpret', async (t) => {
    const loop = '!x\'";$(touch y)`z`\\'
    for (const url of [`http://host/events?loop=${loop}`, `http://host/events?loop=${encodeURIComponent(loop)}`]) t.notMatch(curl(url, '-N').replace(/^curl -N "/, '').replace(/"$/, ''), /[!'"$`;()\\]/)
  })
})

t.test('the intake applies messages in order, and yields to the page in between', async (t) => {
  const taken: number[] = []
  let rests = 0
  const done = new Promise<void>((resolve) => {
    const intake = new Intake<number>((item) => {
      taken.push(item)
      const until = performance.now() + 2
      while (performance.now() < until) { /* as if it were much work */ }
    }, () => {
      rests++
      if (intake.length === 0) resolve()
    })
    intake.push(...Array.from({ length: 30 }, (_, at) => at))
  })
  await done
  t.same(taken, Array.from({ length: 30 }, (_, at) => at))
  t.ok(rests >= 3, `${rests} stretches, with room for the page between them`)
})

/** A recording of a hostile program's events, after the entry check. */
function heard(list: Iterable<Record<string, unknown>>, lanes = 20_000): Recording {
  const recording = new Recording({ lanes })
  let seq = 0
  for (const value of list) {
    const event = admitEvent({ ...common, t: 0, ...value, seq: ++seq })
    if (event !== null) recording.apply(event)
  }
  return recording
}
function* times(count: number, make: (at: number) => Record<string, unknown>): Generator<Record<string, unknown>> {
  for (let at = 1; at <= count; at++) yield make(at)
}

t.test('every loop over received data is bounded', async (t) => {
  await t.test('ticks by pixels, in any window', async (t) => {
    const table: [from: number, to: number][] = [
      [0, 10], [0, 1e300], [-1e300, 1e300], [1e300, 1e300], [-1e300, -1e299], [4e9, 4e9], [-Infinity, Infinity], [NaN, 1], [1e10, 1e10 + 1e-9], [0, 5e-324], [10, 0], [2 ** 53, 2 ** 53 + 2],
    ]
    for (const [from, to] of table) {
      const view = new Viewport()
      view.left = 200
      view.width = 1000
      view.set(from, to)
      const name = `${from} to ${to}`
      t.ok(Number.isFinite(view.scale) && view.span > 0 && Number.isFinite(view.from), name)
      t.ok(view.ticks(92, 0).length <= 40, `${name}: ${view.ticks(92, 0).length} ticks`)
      t.ok(view.ticks(92, -4e9).length <= 40)
      view.pan(1e300)
      view.zoom(Infinity, 0)
      view.zoom(0, 1e300)
      view.zoom(1e300, -1e300)
      t.ok(Number.isFinite(view.scale) && view.span > 0 && Number.isFinite(view.from), `${name}, moved and zoomed`)
      t.ok(view.ticks(92, 0).length <= 40)
    }
  })

  await t.test('rectangles of a lane by pixels, even if its times go back and forth', async (t) => {
    const recording = heard(times(30_000, (at) => ({ type: at % 2 ? 'task.running' : 'task.suspended', t: (at * 7919) % 100, task: 1, ...(at % 2 ? {} : { on: { kind: 'sleep', deadline: -1e9 }, seconds: 0 }) })))
    const { starts } = recording.lanes.get(1)!
    t.ok(starts.every((start, at) => at === 0 || start >= starts[at - 1]!), 'in order')
    const view = new Viewport()
    view.width = 500
    view.set(0, 100)
    const bars = newBars()
    addLane(bars, recording.lanes.get(1)!, view, 0, 20, 100)
    const drawn = Object.values(bars.rects).reduce((sum, list) => sum + list.length / 4, 0)
    t.ok(drawn <= 3 * 500, `${drawn} rectangles`)
    const { from, to } = recording.lanes.steps
    t.ok(from.every((begin, at) => at === 0 || begin >= to[at - 1]!), 'steps lie side by side')
  })

  await t.test('the tree of tasks, however deep, and its texts', async (t) => {
    const recording = heard((function* () {
      yield* times(20_000, (at) => created({ task: at, ...(at > 1 ? { parent: at - 1 } : {}) }))
      yield* times(19_999, (at) => ({ type: 'task.suspended', task: 20_001 - at, on: { kind: 'task', task: 20_000 - at }, seconds: 0, location: { function: 'f', file: 'program.ts', line: 1, column: 1 } }))
    })(), 25_000)
    t.equal(recording.lanes.ordered().length, 20_000)
    t.equal(recording.lanes.ordered().at(-1)?.depth, 19_999)
    t.equal(recording.lanes.get(20_000)?.rootName, 'n')
    const said = explain(recording, recording.lanes.get(20_000)!, NOW)
    t.ok(said.length < 1000, said)
    t.ok(standing(recording, NOW, () => true).length <= 6, 'some names at a line, and how many others')
  })

  await t.test('tasks, requests, runs, queues, calls and gaps by number', async (t) => {
    const recording = heard((function* () {
      yield* times(5000, (at) => created({ task: at }))
      yield* times(10_000, (at) => created({ task: at % 3 + 1, parent: (at + 1) % 3 + 1 }))
      yield* times(10_000, (at) => ({ type: 'request.started', request: at, method: 'GET', url: '/' }))
      yield* times(10_000, (at) => ({ type: 'request.finished', request: 1e6 + at, method: 'GET', url: '/' }))
      yield* times(10_000, (at) => ({ type: 'run.started', run: at, example: 1, parameters: {} }))
      yield* times(5000, (at) => ({ type: 'queue.changed', queue: at, op: 'put', size: 2 ** 52, unfinished: 0, maxsize: 0 }))
      yield* times(5000, (at) => ({ type: 'thread.started', call: at, mode: 'pool', function: 'f' }))
      yield* times(5000, (at) => ({ type: 'lab.entered', lab: 1, lane: 'pool', t: at }))
    })(), 1000)
    t.equal(recording.lanes.size, 1000)
    t.equal(recording.lanes.crowdedOut > 0, true, 'and it is said how many are left out')
    t.ok([...recording.lanes.values()].every(({ children }) => children.size <= 1000))
    t.ok(recording.requests.size <= 4001, `${recording.requests.size} requests`)
    t.ok(recording.runs.size <= 4001, `${recording.runs.size} runs`)
    t.ok(recording.queues.all.size <= 1000)
    const queue = readyQueue(recording, NOW)
    t.equal(readyQueue(recording, NOW), queue, 'a table of tasks sorts the ready queue once')
    for (let at = 0; at < 5000; at++) recording.lose(1, { seq: 1, tasks: [], runs: [], requests: [], queues: [] })
    t.ok(recording.gaps.length <= 200, `${recording.gaps.length} gaps`)
    t.ok([...recording.lanes.values()].every(({ starts }) => starts.length < 10))
  })

  await t.test('the items of a queue by its events, whatever size they claim', async (t) => {
    const recording = heard(times(20_000, (at) => ({ type: 'queue.changed', queue: 1, op: (['put', 'get', 'done'] as const)[at % 3], size: at % 2 * 1e15, unfinished: 0, maxsize: 1e15, task: at })))
    t.ok(recording.queues.all.get(1)!.items(NOW, 60).length <= 60)
  })

  await t.test('marks and prints of a task with an endless step', async (t) => {
    const recording = new Recording({ limit: 1000 })
    for (let seq = 1; seq <= 20_000; seq++) recording.apply({ ...common, seq, t: seq / 1000, type: 'task.printed', task: 1, text: 'x' })
    t.ok(recording.lanes.get(1)!.marks.length <= 1001, `${recording.lanes.get(1)!.marks.length} marks`)
  })

  await t.test('kept data by its size, not only by its number', async (t) => {
    const recording = new Recording()
    for (let seq = 1; seq <= 1000; seq++) recording.apply({ ...common, seq, type: 'task.printed', text: 'x' }, 500_000)
    t.ok(recording.events.length <= 130, `${recording.events.length} events of half a megabyte`)
  })
})
