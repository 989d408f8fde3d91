// The gate between a program of the playground and the page, without either: what it lets through, and what it does not.
import t from 'tap'
import { Gate } from '../../ui/playground/gate/gate.ts'
import type { FromGate } from '../../ui/playground/messages.ts'

const long = 'x'.repeat(1e6)
const created = (more: object = {}): object => ({ type: 'task.created', seq: 1, t: 1, loop: 'x', task: 1, name: 'n', coroutine: 'c', ...more })

const made = (): { gate: Gate; batches: FromGate[]; asked: unknown[]; closed: () => boolean } => {
  const batches: FromGate[] = []
  const asked: unknown[] = []
  let closed = false
  return { gate: new Gate((message) => asked.push(message), (message) => batches.push(message), () => { closed = true }), batches, asked, closed: () => closed }
}
const events = (count: number): object => ({ type: 'events', events: Array.from({ length: count }, () => created()) })

t.test('lets a bounded batch through, and the next when the page asks for it', async (t) => {
  const { gate, batches } = made()
  gate.hear(events(1200))
  t.same(batches.map(({ items }) => items.length), [500])
  gate.more()
  gate.more()
  gate.more()
  t.same(batches.map(({ items }) => items.length), [500, 500, 200], 'and no empty ones')
  gate.hear(events(1))
  t.equal(batches.length, 4, 'the page was waiting')
})

t.test('bounds a batch by its text too', async (t) => {
  const { gate, batches } = made()
  for (let at = 0; at < 300; at++) gate.hear({ type: 'events', events: [created({ name: long, coroutine: long })] })
  for (let at = 0; at < 300; at++) gate.more()
  t.ok(batches.every((batch) => JSON.stringify(batch).length < 600_000))
  t.equal(batches.flatMap(({ items }) => items).length, 300)
})

t.test('counts what it refuses', async (t) => {
  const { gate, batches } = made()
  for (const nonsense of [null, 1, {}, { type: 'ended' }, { type: 'events' }, { type: 'events', events: [1, null, {}] }]) gate.hear(nonsense)
  gate.hear({ type: 'events', events: Array.from({ length: 2500 }, () => created()) })
  t.equal(batches.at(-1)?.refused, 8 + 500)
})

t.test('passes on a syntax tree once, to the question that was asked, whole and within its bound', async (t) => {
  const { gate, batches, asked } = made()
  const answer = (id: number, tree: string): object => ({ type: 'parsed', id, tree, problem: null })
  gate.hear(answer(1, '{}'))
  t.same(batches, [], 'nothing was asked')
  gate.pass({ type: 'parse', id: 1, code: '1' })
  t.same(asked, [{ type: 'parse', id: 1, code: '1' }])
  gate.hear(answer(2, '{}'))
  gate.hear(answer(1, 'x'.repeat(8_000_001)))
  gate.hear({ type: 'parsed', id: 1, tree: 7, problem: null })
  t.same(batches, [])
  gate.hear({ ...answer(1, long), more: 'of it' })
  t.same(batches, [{ items: [], refused: 4, parsed: answer(1, long) }])
  gate.hear(answer(1, '{}'))
  t.equal(batches.length, 1)
  gate.hear(events(1))
  t.equal(batches.at(-1)?.items.length, 1, 'and the page still waits for a batch')
})

t.test("passes on one snapshot of CPython's memory, within its bound", async (t) => {
  const { gate, batches } = made()
  const one = new Blob(['memory'])
  const large = new Blob(Array.from({ length: 65 }, () => new Uint8Array(1024 * 1024)))
  for (const snapshot of [large, 'memory', null, { size: 1 }]) gate.hear({ type: 'snapshot', snapshot })
  t.same(batches, [])
  gate.hear({ type: 'snapshot', snapshot: one })
  t.equal(batches[0]?.snapshot, one)
  t.equal(batches[0]?.refused, 4)
  gate.hear({ type: 'snapshot', snapshot: one })
  t.equal(batches.length, 1, 'once')
})

t.test('ends a thread that sends too much, of any kind', async (t) => {
  const table: [what: string, message: () => unknown, times: number, over: RegExp][] = [
    ['messages', () => ({ type: 'pong', count: 1, idle: false }), 300_001, /more than the 300000 messages/],
    ['events', () => events(2000), 61, /more than the 120000 events/],
    ['characters', () => ({ type: 'events', events: Array.from({ length: 2000 }, () => created({ name: long })) }), 9, /more than the 32000000 characters/],
  ]
  for (const [what, message, times, over] of table) {
    const { gate, batches, closed } = made()
    const one = message()
    for (let at = 0; at < times; at++) gate.hear(one)
    t.match(batches.at(-1)?.over, over, what)
    t.ok(closed(), 'and hears no more of it')
    const count = batches.length
    gate.hear(one)
    gate.more()
    t.equal(batches.length, count)
  }
})

t.test('passes on one answer for each question, and a limited number of reports about a stall', async (t) => {
  const { gate, batches, asked } = made()
  gate.ping(1)
  t.same(asked, [{ type: 'ping', count: 1 }])
  for (let at = 0; at < 1000; at++) gate.hear({ type: 'pong', count: 1, idle: false })
  t.equal(batches.length, 1)
  for (let at = 0; at < 1000; at++) gate.hear({ type: 'held', seconds: 1, task: null, place: null }, at)
  t.equal(batches.length, 1 + 50)
})

t.test('answers for a thread that has ended, until the page has received all of it', async (t) => {
  const { gate, batches, closed } = made()
  gate.ping(1)
  gate.hear(events(600))
  gate.hear({ type: 'ended', outcome: 'returned', failure: null, note: null })
  t.ok(closed())
  t.same(batches.at(-1)?.items, [{ type: 'pong', count: 1, idle: false }], 'the question that it has left')
  gate.ping(2)
  t.same(batches.at(-1)?.items, [{ type: 'pong', count: 2, idle: false }])
  gate.more()
  t.equal(batches.at(-1)?.items.at(-1)?.type, 'ended', 'after its events')
})

t.test('passes on what a thread sent before the page ended it, and then its end', async (t) => {
  const { gate, batches, closed } = made()
  const stop = { type: 'stop', line: 3, task: 1, missed: 0, stack: [{ function: long, line: 3, variables: [{ name: 'a', value: long, local: true }] }] }
  for (let at = 0; at < 3; at++) gate.hear(stop)
  gate.close()
  gate.hear(stop)
  gate.ping(7)
  gate.more()
  t.same(batches.flatMap(({ items }) => items.map(({ type }) => type)), ['stop', 'pong', 'stop', 'stop', 'ended'])
  t.ok(JSON.stringify(batches).length < 20_000, 'bounded')
  t.ok(closed())
})

t.test('counts the lines of a stepped program only until the page has taken them', async (t) => {
  const { gate, batches } = made()
  const variables = Array.from({ length: 30 }, (_, at) => ({ name: `v${at}`, value: long, local: true }))
  for (let at = 0; at < 1000; at++) {
    gate.hear({ type: 'stop', line: 1, task: null, missed: 0, stack: [{ function: 'f', line: 1, variables }] })
    gate.more()
  }
  t.equal(batches.filter(({ over }) => over !== undefined).length, 0)
  t.equal(batches.flatMap(({ items }) => items).length, 1000)
})
