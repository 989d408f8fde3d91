// Runs in virtual time share the thread and the memory: the server answers meanwhile, only a few compute at once, and each
// waits for its reader.
import { request, type IncomingMessage } from 'node:http'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import t from 'tap'
import type { Run, RunListener } from '../../src/server/run.ts'
import type { App } from '../../src/server/app.ts'
import { print, sleep, type Coroutine } from '../../src/index.ts'
import { eventually, listen } from '../support/server.ts'
import { startServer } from '../support/server-process.ts'
import { recorded } from '../support/virtual.ts'

const ITEMS = 6666
const NDJSON = 'application/x-ndjson'

const { app, port } = await listen(t, { RATE_LIMIT: '0' })

/** Begins to get `path`. What is not read stays in the connection. */
async function get(path: string, accept: string, at = port): Promise<IncomingMessage> {
  const outgoing = request({ port: at, host: '127.0.0.1', path, headers: { accept }, agent: false }).end()
  const [answer] = await once(outgoing, 'response') as [IncomingMessage]
  return answer
}

async function read(answer: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of answer.setEncoding('utf8')) text += chunk as string
  return text
}

async function ping(): Promise<number | undefined> {
  const answer = await get('/ping', 'application/json')
  await read(answer)
  return answer.statusCode
}

const example5 = (items: number): string => `/examples/5/run?clock=virtual&seed=1&items=${items}`

/** Starts a run in virtual time on the server's loop, without HTTP. */
function start(main: () => Coroutine<void>, listener: RunListener = {}, on: App = app): Run {
  const program = { example: 0, parameters: {}, virtual: true, main }
  const run = on.runs.prepare(program, listener)
  on.loopscope.loop.createTask(on.runs.follow(run, program))
  return run
}

const ended = (run: Run): Promise<boolean> => eventually(() => run.record.outcome !== null)

/** Prints a line and sleeps, repeatedly. */
function* lines(count: number, length = 1): Coroutine<void> {
  const line = 'x'.repeat(length)
  for (let n = 0; n < count; n++) {
    print(line)
    yield* sleep(1)
  }
}

for (const [accept, items] of [[NDJSON, 1000], ['application/json', 3000], ['text/plain', 3000]] as const) {
  t.test(`requests are answered while a run in virtual time is under way, as ${accept}`, async (t) => {
    let over = false
    const reading = get(example5(items), accept).then(read).then((text) => {
      over = true
      return text
    })
    t.ok(await eventually(() => app.runs.live === 1))
    let pings = 0
    for (; !over && await ping() === 200; pings++);
    t.ok(pings >= 10, `${pings} one after the other`)
    t.ok((await reading).length > 100_000)
  })
}

t.test('forty at once end right, and only a few compute at once: memory is limited', async (t) => {
  // A separate process, so that its memory is only the server's.
  const { child, url } = await startServer(t, { RATE_LIMIT: '0' })
  const own = Number(new URL(url).port)
  const highest = (): number => Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]) / 1000

  const one = async (): Promise<{ count: number; last: { type: string; outcome: string } }> => {
    const answer = await get(example5(200), NDJSON, own)
    let tail = ''
    let count = 0
    for await (const chunk of answer.setEncoding('utf8') as AsyncIterable<string>) {
      if (count === 0) most = Math.max(most, ++begun)
      count += chunk.split('\n').length - 1
      tail = (tail + chunk).slice(-2000)
    }
    begun--
    return { count, last: JSON.parse(tail.trim().split('\n').at(-1)!) as { type: string; outcome: string } }
  }
  let begun = 0
  let most = 0
  await one()
  most = 0
  const before = highest()
  const ends = await Promise.all(Array.from({ length: 40 }, one))
  t.same([...new Set(ends.map(({ last: { type, outcome } }) => `${type} ${outcome}`))], ['run.finished returned'])
  t.equal(new Set(ends.map(({ count }) => count)).size, 1, 'the same seed, and all of it')
  // Four compute, sixteen may wait for a slow client, and a client sees an end a little later than the server does.
  t.ok(most < 30, `${most} had begun and not ended`)
  t.ok(highest() - before < 250, `${Math.round(before)} MB before, ${Math.round(highest())} MB at the most`)
})

t.test('a run waits for a reader that stops, and continues when it reads', async (t) => {
  const answer = await get(example5(ITEMS), NDJSON)
  const run = app.runs.get(Number(answer.headers['x-run-id']))!
  const made = (): number => {
    const { output, events, forgotten } = run.record
    return output.length + events.length + forgotten
  }
  let last = -1
  // The kernel accepts output without a reader at once; after its time to wait, the run is over.
  t.ok(await eventually(async () => {
    const before = last
    last = made()
    await pause(300)
    return last > 0 && last === before
  }))
  await pause(1500)
  t.equal(run.record.outcome, null)
  t.equal(made(), last, 'it makes no more')
  const seen = (await read(answer)).trim().split('\n').map((line) => JSON.parse(line) as { seq: number; type: string; outcome?: string })
  t.match(seen.at(-1), { type: 'run.finished', outcome: 'returned' })
  const printed = seen.filter(({ type }) => type === 'task.printed').length
  t.ok(seen.length + printed > 2 * last, `${last} lines and events before it read on, ${seen.length + printed} in all`)
  t.ok(seen.every(({ seq }, n) => n === 0 || seq > seen[n - 1]!.seq))
  t.equal(seen.length + printed, made(), 'none is missing')
})

t.test('runs with readers that have stopped delay no other, continue in their turn, and are few', async (t) => {
  // Like a reader that takes one line and then nothing.
  const stalled = Array.from({ length: 4 }, () => start(() => lines(10), { line: () => false }))
  const other = start(() => lines(10))
  t.ok(await ended(other), 'it gets the slot of one that has stopped')
  t.same(stalled.map(({ record: { outcome } }) => outcome), [null, null, null, null])
  const printed = stalled.map((run) => run.record.output.length)
  t.same(printed, [1, 1, 1, 1])
  for (const run of stalled) {
    t.ok(await eventually(() => {
      run.resume()
      return run.record.output.length > 1
    }))
  }
  // Sixteen may be stalled. With one more, the one that has been stalled longest is cancelled.
  const more = Array.from({ length: 17 - stalled.length }, () => start(() => lines(10), { line: () => false }))
  t.ok(await eventually(() => [...stalled, ...more].some(({ record: { outcome } }) => outcome === 'cancelled')))
  await pause(1500)
  t.equal([...stalled, ...more].filter(({ record: { outcome } }) => outcome === null).length, 16)
  for (const run of [...stalled, ...more]) run.cancel('enough')
  t.ok(await eventually(() => app.runs.live === 0), 'a run that is cancelled waits for no reader')
})

t.test('the others wait in the order in which they came; a cancelled one, or one whose client disconnects, is gone; too many are refused', async (t) => {
  function* endless(): Coroutine<void> {
    for (;;) yield* sleep(1)
  }
  const computing = Array.from({ length: 4 }, () => start(endless))
  const order: string[] = []
  const waiting = ['a', 'b', 'c'].map((name) => start(function* () { order.push(name) }))
  t.ok(waiting[1]!.cancel('not wanted'))
  t.ok(await ended(waiting[1]!), 'it needs no slot to end')
  const leaving = await get(example5(1), 'text/plain')
  t.equal(app.runs.live, 7)
  leaving.destroy()
  t.ok(await eventually(() => app.runs.live === 6), 'the client left')
  t.same(order, [])

  const rest = Array.from({ length: 104 - 6 }, () => start(() => lines(1)))
  const refused = await get(example5(1), NDJSON)
  t.equal(refused.statusCode, 503)
  t.match(JSON.parse(await read(refused)), { statusCode: 503, code: 'too-many-runs', message: /^104 runs in virtual time/ })
  t.equal(await read(await get('/examples/1/run?speed=100', 'text/plain')), 'hello\nworld\n', 'others are not meant')

  for (const run of computing) run.cancel('enough')
  for (const run of [...waiting, ...rest]) t.ok(await ended(run))
  t.same(order, ['a', 'c'])
  t.same([...new Set(rest.map(({ record: { outcome } }) => outcome))], ['returned'])
  t.equal(await read(await get('/examples/1/run?clock=virtual', 'text/plain')), 'hello\nworld\n', 'there is room again')
})

t.test('the beginning of a run is kept, up to a number of bytes and items', async (t) => {
  const seen: number[] = []
  const run = start(() => lines(5000, 1000), { event: (json) => seen.push((JSON.parse(json) as { seq: number }).seq) > 0 })
  t.ok(await ended(run))
  const { output, events, forgotten } = run.record
  const bytes = (kept: unknown): number => Buffer.byteLength(JSON.stringify(kept))
  t.ok(output.length > 500 && output.length < 2000, `${output.length} lines of 5000`)
  t.ok(bytes({ output, events }) < 2.5 * 1024 ** 2)
  t.ok(output.every(({ t: seconds }, n) => seconds === n), 'the first of them, without a gap')
  t.same(events.map(({ seq }) => seq), seen.slice(0, events.length))

  const plain = start(() => lines(6000))
  t.ok(await ended(plain))
  t.same([plain.record.output.length, plain.record.events.length], [5000, 5000])
  t.ok(forgotten > 3000 && plain.record.forgotten > 1000)
})

t.test('the order within a run is that of one which never waits', async (t) => {
  const expected = await recorded(function* (log) {
    for (let n = 0; n < 300; n++) {
      log(n)
      yield* sleep(n % 3 === 0 ? 0 : 1)
    }
  })
  const printed: string[] = []
  let run: Run | null = null
  run = start(function* () {
    for (let n = 0; n < 300; n++) {
      print(n)
      yield* sleep(n % 3 === 0 ? 0 : 1)
    }
  }, {
    line: ({ text }) => {
      printed.push(text)
      setImmediate(() => run?.resume())
      return false
    },
  })
  t.ok(await ended(run))
  t.same(printed, expected)
})
