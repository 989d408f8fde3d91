// The stall lab: from the command line with a server that it starts, and over HTTP with a tester that the server starts. Order
// and texts are asserted; the times depend on the machine.
import { request } from 'undici'
import t from 'tap'
import type { ClassicResult } from '../../src/load/classic.ts'
import type { LaneResult } from '../../src/load/lab.ts'
import { delaysOf } from '../../src/load/classic.ts'
import { labReport } from '../../src/load/lab-report.ts'
import { streamEvent, type EventOf, type StreamEvent } from '../../src/events/schema.ts'
import { eventually, listen } from '../support/server.ts'
import { load, serve } from './cli.ts'

const LANES = ['inline', 'sensitive', 'sensitive-per-request', 'pool', 'async']
const ASKED = { requests: 10, ms: 200, rate: 100 }

/** A possible result of a lane. */
function lane(name: LaneResult['lane'], p99: number, took: number, stall: Partial<LaneResult['stall']> = {}): LaneResult {
  const latency = { mean: took / 2, p50: took / 2, p90: took, p99: took, p999: took, max: took }
  return {
    lane: name, probes: { mean: 1, p50: 1, p90: p99, p99, p999: p99, max: p99 }, sent: 100, lost: 0,
    load: { requests: 10, good: 10, errors: {}, seconds: took / 1000, latency, timing: null },
    stall: { kind: 'none', loopSeconds: 0, threadSeconds: 0, ...stall },
    schedule: { kept: true, late: 0, unsent: 0, p99: 0.5, max: 1, held: 100 }, ended: 'finished', reason: null,
  }
}

t.test('its words', async (t) => {
  const inline = lane('inline', 1980, 2010, { kind: 'loop', loopSeconds: 2.005 })
  const sensitive = lane('sensitive', 4.5, 2020, { kind: 'thread', threadSeconds: 1.81 })
  const pool = lane('pool', 3, 1010, { kind: 'thread', threadSeconds: 0.8 })
  const free = lane('async', 2, 205)

  await t.test('say what the figures show', async (t) => {
    const text = labReport([inline, sensitive, pool, free], ASKED)
    t.match(text, "Inline blocked the loop for 2.00 s, and delayed all other requests: the probes' p99 was 1.98 s, at least one blocking call of 200 ms and 440 times the highest p99 with sensitive, pool or async")
    t.match(text, "sensitive, pool and async left the loop free, and the probes' p99 stayed at or below 4.50 ms")
    t.match(text, 'sensitive took 2.02 s, one after another (10 × 200 ms is 2.00 s), on the one sync thread; pool took 1.01 s, about 2 at a time, on the pool\'s threads; async took 205 ms, about 10 at a time')
    t.match(text, /two different stalls:\n {2}the loop's stall \(inline\): .*p99 1\.98 s\n {2}the sync thread's stall \(sensitive\): .* \/ping p99 4\.50 ms; .*the last for 1\.81 s/)
    t.match(text, /^inline .* the loop, 2\.00 s$/m)
    t.match(text, /^pool .* the pool, 800 ms$/m)
    t.match(text, /^async .* nothing$/m)
  })

  await t.test('do not say what the figures do not show', async (t) => {
    const busy = labReport([lane('async', 45, 205)], ASKED)
    t.match(busy, "With async the probes' p99 was 45.0 ms, although no call blocked the loop for long (short blocks add up to 0.00 ms): the processors were busy")
    t.notMatch(busy, 'two different stalls')
    t.notMatch(busy, 'left the loop free')
    t.notMatch(labReport([inline, free], ASKED), 'two different stalls')
    t.notMatch(labReport([lane('inline', 150, 160, { kind: 'loop', loopSeconds: 0.16 })], ASKED), 'no less than')
  })

  await t.test('warn of what makes the figures less certain', async (t) => {
    const late = { ...free, schedule: { ...free.schedule, kept: false, p99: 12, max: 30 } }
    const refused = { ...free, load: { ...free.load, good: 3, errors: { 'HTTP 429': 7 } } }
    t.match(labReport([late], ASKED), 'async: WARNING: the probes did not keep their schedule: p99 12.0 ms, at most 30.0 ms late')
    t.match(labReport([refused], ASKED), 'async: errors: 7 × HTTP 429\nasync: the server limits such calls: start it with RATE_LIMIT=0')
  })
})

t.test('on the command line', async (t) => {
  await t.test('measures all lanes of a server that it starts itself', async (t) => {
    const { out, err, code } = await load(['lab', '--requests', '2', '--ms', '400', '--rate', '50', '--observer', 'off'])
    const rows = out.split('\n').flatMap((line) => LANES.find((name) => line.startsWith(`${name} `)) ?? [])
    t.same(rows, LANES)
    t.match(out, /\/ping, 50 a second +│ 2 × 400 ms +│ parts of a request/)
    t.match(out, /lane +p50 +p99 +max +│ +took +mean +│ +run +ready +wait +thread +│ +stalled/)
    t.match(out, /Inline blocked the loop for .* and delayed all other requests/)
    t.match(out, /sensitive took [\d.]+ m?s, one after another \(2 × 400 ms is 800 ms\), on the one sync thread/)
    t.match(out, /These are two different stalls:\n {2}the loop's stall \(inline\).*\n {2}the sync thread's stall \(sensitive\)/)
    t.equal(err, '')
    t.equal(code, 0)
  })

  await t.test('the classic test: the same delays through each lane of a running server', async (t) => {
    const { url } = await listen(t, { RATE_LIMIT: '0' })
    const { out, code } = await load(['classic', url, '--json', '--requests', '20', '--in-flight', '5', '--ms', '80', '--lanes', 'sensitive,pool,async'])
    const { results } = JSON.parse(out) as { results: ClassicResult[] }
    t.same(results.map(({ lane, good, errors }) => [lane, good, errors]), [['sensitive', 20, {}], ['pool', 20, {}], ['async', 20, {}]])
    const whole = delaysOf({ requests: 20, ms: 80, seed: 1 }).reduce((sum, one) => sum + one, 0) / 1000
    const [sensitive, , free] = results
    t.ok(sensitive!.seconds >= whole * 0.95, `one after another: ${sensitive!.seconds} s, in theory ${whole} s`)
    t.ok(free!.latency!.mean < sensitive!.latency!.mean, `${free!.latency!.mean} and ${sensitive!.latency!.mean} ms`)
    t.equal(code, 0)
  })

  await t.test('reports that there is nothing to measure', async (t) => {
    const foreign = await serve(t)
    const other = await load(['lab', foreign.url])
    t.match(other.err, /is no loopscope server: its answer to \/ping has none of the Server-Timing that the lab reads/)
    t.equal(other.code, 1)
    const { url } = await listen(t, { RATE_LIMIT: '2' })
    const limited = await load(['lab', url])
    t.match(limited.err, /limits calls to \/handlers\/sync.*: start it with RATE_LIMIT=0/)
    t.equal(limited.code, 1)
  })
})

/** Subscribes to the lab's events; then returns a promise of all of them, up to the last. */
async function listenForLab(url: string): Promise<{ all: Promise<StreamEvent[]> }> {
  const types = ['lab.started', 'lab.entered', 'lab.probed', 'lab.measured', 'lab.finished']
  const { body } = await request(`${url}/events?types=${types.join(',')}`, { bodyTimeout: 0 })
  const events: StreamEvent[] = []
  let text = ''
  let onHello = (): void => {}
  const hello = new Promise<void>((resolve) => { onHello = resolve })
  const read = async (): Promise<StreamEvent[]> => {
    for await (const chunk of body) {
      const messages = (text + String(chunk)).split('\n\n')
      text = messages.pop()!
      for (const message of messages) {
        const data = /^data: (.*)$/m.exec(message)
        if (data === null) continue
        const event = streamEvent.parse(JSON.parse(data[1]!))
        if (event.type === 'stream.hello') onHello()
        if (event.type.startsWith('lab.')) events.push(event)
        if (event.type === 'lab.finished') return events
      }
    }
    return events
  }
  const all = read()
  await hello
  return { all }
}

t.test('over HTTP', async (t) => {
  const { app, url } = await listen(t)
  const post = async (body?: object): Promise<{ status: number; body: Record<string, unknown> }> => {
    const { statusCode, body: answer } = await request(`${url}/lab`, {
      method: 'POST', ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    })
    return { status: statusCode, body: await answer.json() as Record<string, unknown> }
  }
  const get = async (path: string, accept: string): Promise<string> => (await request(`${url}${path}`, { headers: { accept } })).body.text()

  await t.test('refuses what it cannot do', async (t) => {
    const bad = [
      [{ ms: 'long' }, 'ms: must be a whole number from 1 to 10000'], [{ requests: 51 }, 'requests: must be from 1 to 50'],
      [{ requests: 50, ms: 1000 }, 'requests: 50 of 1000 ms are more than 30000 ms'], [{ lanes: [] }, 'lanes: must name a lane'],
      [{ lanes: ['async', 'async'] }, 'lanes: must not name a lane twice'], [{ lanes: ['fast'] }, 'lanes.0: '], [{ speed: 1 }, 'speed: is not a known field here'],
    ] as const
    for (const [body, words] of bad) {
      const { status, body: answer } = await post(body)
      t.equal(status, 400)
      t.match(answer['message'], words)
    }
    t.equal((await app.inject('/lab/1')).statusCode, 404)
    t.equal((await app.inject({ method: 'DELETE', url: '/lab/1' })).statusCode, 404)
  })

  await t.test('sends its results as events on the loop\'s time axis, and keeps the table', async (t) => {
    const lanes = ['inline', 'sensitive', 'async']
    const watching = await listenForLab(url)
    const started = await post({ requests: 2, ms: 400, rate: 50, lanes })
    t.equal(started.status, 202)
    t.equal(started.body['outcome'], null)
    const second = await post({})
    t.equal(second.status, 409)
    t.match(second.body['message'], 'lab 1 is under way, and two would disturb each other')

    const events = await watching.all
    const inOrder = events.filter(({ type }) => type !== 'lab.probed').map((event) => (event.type === 'lab.entered' ? `in ${event.lane}` : event.type === 'lab.measured' ? `through ${event.result.lane}` : event.type))
    t.same(inOrder, ['lab.started', ...lanes.flatMap((lane) => [`in ${lane}`, `through ${lane}`]), 'lab.finished'])
    const entered = events.filter((event) => event.type === 'lab.entered')
    const measured = events.filter((event) => event.type === 'lab.measured')
    for (const [at, lane] of lanes.entries()) {
      const samples = events.flatMap((event) => (event.type === 'lab.probed' && event.lane === lane ? event.samples : []))
      t.equal(samples.length, measured[at]!.result.sent - measured[at]!.result.lost, `every probe of ${lane}`)
      t.ok(samples.every((sample) => sample.t > entered[at]!.t - 0.5 && sample.t + sample.seconds < measured[at]!.t + 0.5), 'lies where it was')
    }
    const [inline, sensitive] = measured.map(({ result }) => result)
    t.same([inline!.stall, sensitive!.stall], ['loop', 'thread'])
    t.ok(inline!.held >= 0.7 && sensitive!.queued >= 0.1)
    t.equal((events.at(-1) as EventOf<'lab.finished'>).outcome, 'finished')

    const table = JSON.parse(await get('/lab/1', 'application/json')) as { outcome: string; results: unknown; words: string[] }
    t.equal(table.outcome, 'finished')
    t.same(table.results, measured.map(({ result }) => result))
    t.match(table.words.join('\n'), 'These are two different stalls')
    t.match(await get('/lab/1', '*/*'), /^lab 1 finished: 3 of 3 lanes\n\n +\/ping, 50 a second/)
    t.match((JSON.parse(await get('/lab', '*/*')) as { labs: object[] }).labs, [{ lab: 1, outcome: 'finished' }])
  })

  await t.test('can be cancelled, and leaves no process behind', async (t) => {
    const watching = await listenForLab(url)
    await post({ requests: 10, ms: 300, lanes: ['sensitive', 'async'] })
    const cancelled = await request(`${url}/lab/2`, { method: 'DELETE' })
    t.equal(cancelled.statusCode, 202)
    t.equal(((await watching.all).at(-1) as EventOf<'lab.finished'>).outcome, 'cancelled')
    t.equal((await request(`${url}/lab/2`, { method: 'DELETE' })).statusCode, 409)
    t.ok(await eventually(async () => !(await get('/tasks', 'text/plain')).includes('/handlers/')))
  })
})
