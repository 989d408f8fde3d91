// Another program that writes anything under the keys and channels of a cluster: wrong data is skipped, and every process
// still shows every other.
import { createClient } from '@redis/client'
import t from 'tap'
import { loopList } from '../../src/events/schema.ts'
import { loopTable } from '../../src/events/render/ascii-loops.ts'
import { noRedis, startRedis } from '../support/redis.ts'
import { eventually } from '../support/eventually.ts'
import { join } from './light.ts'

const MB = 1_000_000
const LARGE = 50 * MB

t.setTimeout(600_000)
t.test('a program that writes anything', { skip: noRedis, timeout: 580_000 }, async (t) => {
  const redis = await startRedis(t)
  const client = await createClient({ url: redis.url }).on('error', () => {}).connect()
  t.teardown(() => client.destroy())
  const [a, b] = [join(redis.url, 'a'), join(redis.url, 'b')]
  t.teardown(() => Promise.all([a, b].map(({ cluster }) => cluster.close())))
  b.own.create('first')
  t.ok(await eventually(() => a.states() === 'b live' && b.states() === 'a live'), a.states())
  const { epoch } = b.own.history
  let longest = 0
  let last = performance.now()
  const ticking = setInterval(() => {
    longest = Math.max(longest, performance.now() - last)
    last = performance.now()
  }, 10)
  t.teardown(() => clearInterval(ticking))

  /** b continues, and a has all of it; and a shows what it should. */
  async function goesOn(t: { ok(it: boolean, why: string): unknown }, title: string, isUncut = true): Promise<void> {
    const { away } = a.cluster.figures()
    for (let n = 0; n < 3; n++) b.own.create(`after ${title}`)
    const { last } = b.own.history
    t.ok(await eventually(() => a.cluster.find('b')?.history.last === last), `${title}: ${a.cluster.find('b')?.history.last} of ${last}`)
    t.ok(await eventually(() => a.states().includes('b live')), `${title}: ${a.states()}`)
    const list = { self: 'a', group: false, redis: a.cluster.redis, loops: a.cluster.infos() }
    t.ok(loopList.safeParse(list).success, `${title}: ${JSON.stringify(loopList.safeParse(list).error)}`)
    loopTable(list, Date.now())
    for (const record of a.cluster.records()) JSON.stringify([record.snapshot(), record.runs.list(), record.stalls, record.trace(10)])
    t.ok(await eventually(() => a.cluster.redis.state === 'connected'), title)
    if (isUncut) t.ok(a.cluster.figures().away === away, `${title}: the connections are the same`)
  }

  await t.test('in the events of a loop', async (t) => {
    const key = 'loopscope:events:b'
    const now = (): number => b.own.history.last
    const event = (fields: object): string => JSON.stringify([{ seq: now() + 1, t: 1, loop: 'b', type: 'task.running', task: 1, ...fields }])
    const entry = (events: string, fields: object = {}): Record<string, string> => ({ epoch, from: String(now() + 1), to: String(now() + 1), events, ...fields })
    const kinds: [title: string, fields: () => Record<string, string>][] = [
      ['no JSON', () => entry('[{')],
      ['no list', () => entry('null')],
      ['an event that is none', () => entry('[null]')],
      ['an event of no known type', () => entry(event({ type: 'stream.hello', epoch, snapshot: null }))],
      ['an event of another shape', () => entry(event({ type: 'loop.unblocked', seconds: 1, lost: 1 }))],
      ['an event of a time that is none', () => entry(event({ type: 'run.started', run: 1, example: 1, parameters: {}, t: 1e300 }))],
      ['an event of another number', () => entry(event({ seq: 7e15 }))],
      ['JSON that falls apart elsewhere', () => entry(`[{"a":[{"b":1},\n{"c":1}]},{"d":1}]`, { to: String(now() + 2) })],
      ['numbers that are none', () => entry(event({}), { from: 'x', to: 'y' })],
      ['numbers without end', () => entry(event({}), { from: '1e308', to: '1e309' })],
      ['numbers far ahead', () => entry(event({}), { from: '9000000000', to: '9000000000' })],
      ['another life', () => entry(event({}), { epoch: 'abcabcabcabc' })],
      ['a life without end', () => entry(event({}), { epoch: 'a'.repeat(MB) })],
      ['no fields of ours', () => ({ x: 'y' })],
      ['many fields', () => Object.fromEntries(Array.from({ length: 5000 }, (_, n) => [`field ${n}`, 'x']))],
      ['a run that is none', () => ({ epoch, run: '{"run":1}' })],
      ['a run with events that are none', () => ({ epoch, run: JSON.stringify({ run: 1, example: 1, parameters: {}, clock: 'virtual', startedAt: new Date().toISOString(), seconds: 1, outcome: 'returned', error: null, output: [], events: [{ type: 'x' }], forgotten: 0 }) })],
    ]
    for (const [title, fields] of kinds) {
      for (let n = 0; n < 20; n++) await client.xAdd(key, '*', fields())
      await goesOn(t, title)
    }
  })

  await t.test('what is 50 MB long, anywhere', async (t) => {
    const large = 'x'.repeat(LARGE)
    const before = process.memoryUsage().rss
    // To read this many takes longer than a reader waits for an event before it searches for the loop's position.
    for (let n = 0; n < 16; n++) await client.xAdd('loopscope:events:b', '*', { epoch, from: '1', to: '1', events: large })
    await goesOn(t, 'events')
    for (const key of ['loopscope:beat:x', 'loopscope:snapshot:x', 'loopscope:events:x']) await client.set(key, large)
    await client.zAdd('loopscope:loops', ['x', large.slice(0, MB), '', 'a/b', '__proto__'].map((value) => ({ score: Infinity, value })))
    await goesOn(t, 'keys')
    for (const channel of ['loopscope:news', 'loopscope:cancel:a', 'loopscope:answer:a']) await client.publish(channel, large.slice(0, 20 * MB))
    // If they arrive faster than they are read, Redis itself closes a connection.
    await goesOn(t, 'messages', false)
    const grown = (process.memoryUsage().rss - before) / MB
    t.comment(`${grown.toFixed(0)} MB more`)
    t.ok(grown < 300, 'all of it would be 1 GB, most of it twice')
    await client.del(['loopscope:beat:x', 'loopscope:snapshot:x', 'loopscope:events:x'])
  })

  await t.test('under the names of loops that do not exist', async (t) => {
    const picture = JSON.parse((await client.get('loopscope:snapshot:b'))!) as Record<string, unknown>
    const kinds: Record<string, unknown>[] = [
      { id: '0-0; DEL' }, { id: '9'.repeat(MB) }, { epoch: 'none' }, { origin: 1e300 }, { t: -1e300 }, { seq: -1 }, { seq: 1.5 }, { life: 1e300 }, { snapshot: {} }, { info: null },
      { stalls: [{}] }, { runs: [null] }, { holding: { name: 'x', since: 1e308 } }, {},
    ]
    for (const [at, fields] of kinds.entries()) {
      const name = `evil-${at}`
      await client.set(`loopscope:snapshot:${name}`, JSON.stringify({ ...picture, ...fields }))
      await client.set(`loopscope:events:${name}`, 'no stream')
      await client.set(`loopscope:beat:${name}`, at % 2 === 0 ? '{' : JSON.stringify({ beats: at, epoch: 'abc', seq: 1e15, t: 1e10, info: b.own.info(), holding: null }), { expiration: { type: 'PX', value: 3000 } })
      await client.zAdd('loopscope:loops', { score: Date.now(), value: name })
    }
    await client.lPush('loopscope:snapshot:list', 'x')
    await client.lPush('loopscope:beat:list', 'x')
    await client.zAdd('loopscope:loops', { score: Date.now(), value: 'list' })
    await goesOn(t, 'loops')
    t.ok(await eventually(() => a.cluster.find(`evil-${kinds.length - 1}`) !== undefined), 'what is as it should be is shown')
    await goesOn(t, 'loops, some of them shown')
    t.same(a.cluster.records().map(({ loop }) => loop).filter((loop) => loop.startsWith('evil')), [`evil-${kinds.length - 1}`])
  })

  await t.test('more than a loop can have, and its memory is limited', async (t) => {
    const name = 'filler'
    const beat = { beats: 1, epoch: 'fff', seq: 0, t: 1, info: b.own.info(), holding: null }
    const picture = JSON.parse((await client.get('loopscope:snapshot:b'))!) as Record<string, unknown>
    await client.set(`loopscope:beat:${name}`, JSON.stringify(beat))
    await client.set(`loopscope:snapshot:${name}`, JSON.stringify({ ...picture, epoch: 'fff', seq: 0, id: '0-0', snapshot: { seq: 0, tasks: [], runs: [], requests: [], queues: [] } }))
    await client.zAdd('loopscope:loops', { score: Date.now(), value: name })
    t.ok(await eventually(() => a.cluster.find(name) !== undefined))
    const record = a.cluster.find(name)!
    let seq = 0
    const text = 'x'.repeat(900)
    for (let n = 0; n < 60; n++) {
      const events = Array.from({ length: 900 }, () => ({
        seq: ++seq, t: 1, loop: name, run: seq, ...(seq % 2 === 0 ? { type: 'task.created', task: seq, name: text, coroutine: 'c' } : { type: 'run.started', example: 1, parameters: { text } }),
      }))
      await client.xAdd(`loopscope:events:${name}`, '*', { epoch: 'fff', from: String(seq - 899), to: String(seq), events: `[${events.map((event) => JSON.stringify(event)).join(',\n')}]` })
    }
    t.ok(await eventually(() => record.history.last > 20_000), String(record.history.last))
    await goesOn(t, 'a loop that grows')
    let bytes = 0
    for (let at = record.history.first; at <= record.history.last; at++) bytes += record.history.encoded(record.history.at(at)).length
    t.ok(bytes <= record.history.mostBytes, `${bytes} bytes of events`)
    t.ok(JSON.stringify(record.runs.list()).length <= 32 * 2 ** 20 + 2 * record.history.mostBytes, `${JSON.stringify(record.runs.list()).length} bytes of runs`)
    t.ok(JSON.stringify(record.snapshot()).length <= 32 * 2 ** 20, `${JSON.stringify(record.snapshot()).length}`)
    t.ok(record.history.last < seq, 'it is followed no further than that')
  })
  t.comment(`the thread was away for ${longest.toFixed(0)} ms at most`)
})
