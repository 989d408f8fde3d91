// Processes that share a Redis, and what each one's observer tells of the others: real servers, a real redis-server, which
// is stopped, emptied, set back and slowed down under them.
import t from 'tap'
import { createClient } from '@redis/client'
import { fetch } from 'undici'
import type { EventOf, LiveTask, LoopEvent, LoopInfo, LoopList, StreamEvent } from '../../src/stream/events.ts'
import { streamEvent } from '../../src/stream/events.ts'
import { Model } from '../../src/stream/model.ts'
import { startServer, subscribe, type Program, type Subscriber } from '../observer/support.ts'
import { noRedis, slowProxy, startRedis } from '../support/redis.ts'
import { eventually } from '../support/server.ts'

const STALLS = 8
const STALL_MS = 400
/** What issue 7 promises, in ms. */
const SEEN_MS = 200
const LOST_MS = 2000
const AWAY_MS = 10_000

type Server = Program & { url: string; observer: string }
type Run = { run: number; loop: string; outcome: string | null }

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
const json = async <T>(url: string): Promise<T> => (await (await fetch(url, { headers: { accept: 'application/json' } })).json()) as T
const text = async (url: string, options: object = {}): Promise<string> => (await fetch(url, options)).text()
const loopsAt = ({ observer }: Server): Promise<LoopList> => json<LoopList>(`${observer}/loops`)
const loopAt = async (server: Server, loop: string): Promise<LoopInfo | undefined> => (await loopsAt(server)).loops.find((info) => info.loop === loop)
const statesAt = async (server: Server): Promise<string> => (await loopsAt(server)).loops.map(({ loop, state }) => `${loop} ${state}`).sort().join(', ')
const ofLoop = (message: StreamEvent): message is LoopEvent => !message.type.startsWith('stream.')

/** Cluster figures of a process. */
async function figures(server: Server): Promise<Record<string, number>> {
  const lines = (await text(`${server.observer}/metrics`)).matchAll(/^(loopscope_cluster_\w+(?:\{[^}]*\})?|process_resident_memory_bytes) (\S+)$/gm)
  return Object.fromEntries([...lines].map(([, name, value]) => [name!.replace('loopscope_cluster_', ''), Number(value)]))
}

function start(t: Parameters<typeof startServer>[0], redisUrl: string, name: string, env: Record<string, string> = {}): Promise<Server> {
  return startServer(t, { OBSERVER_PORT: '0', REDIS_URL: redisUrl, LOOP_NAME: name, BLOCKED_MS: '100', LOG_LEVEL: 'info', ...env })
}

/** Whether what was subscribed to is whole: each event once and in order, and where some are missing that is said. Gives how many came and were missed. */
function whole(messages: readonly StreamEvent[]): { events: number; dropped: number; wrong: string[] } {
  const wrong: string[] = []
  let seq = -1
  let events = 0
  let dropped = 0
  for (const message of messages) {
    if (message.type === 'stream.hello') seq = message.seq
    else if (message.type === 'stream.dropped') {
      dropped += message.count
      if (message.count > 0 && message.from !== seq + 1) wrong.push(`dropped from ${message.from} after ${seq}`)
      seq = message.to
    } else if (message.type !== 'stream.bookmark') {
      if (message.seq !== seq + 1) wrong.push(`${message.seq} after ${seq}`)
      seq = message.seq
      events++
    }
  }
  return { events, dropped, wrong: wrong.slice(0, 3) }
}

/** The picture that a subscriber has made of what came. */
function pictureOf(messages: readonly StreamEvent[]): Model {
  const model = new Model()
  for (const message of messages) {
    if (message.type === 'stream.hello' || message.type === 'stream.dropped') {
      if (message.snapshot !== undefined) model.restore(message.snapshot)
    } else if (ofLoop(message)) model.apply(message)
  }
  return model
}

const leave = async ({ socket, closed }: Subscriber): Promise<void> => {
  socket.close()
  await closed
}

/** Begin a run that goes on until the returned function is called. */
async function endless(server: Server, query: string): Promise<() => Promise<void>> {
  const controller = new AbortController()
  const response = await fetch(`${server.url}/examples/5/run?${query}`, { signal: controller.signal })
  const read = response.text().catch(() => {})
  return async () => {
    controller.abort()
    await read
  }
}

t.test('three processes and a Redis', { skip: noRedis }, async t => {
  const redis = await startRedis(t)
  const [a, b, c] = await Promise.all(['a', 'b', 'c'].map((name) => start(t, redis.url, name))) as [Server, Server, Server]
  const all = 'a live, b live, c live'
  for (const server of [a, b, c]) t.ok(await eventually(async () => await statesAt(server) === all), await statesAt(server))

  await t.test('a stall in one is on the observer of another', async t => {
    for (const thread of ['sensitive', 'pool']) await text(`${b.url}/handlers/sync?ms=1&thread=${thread}`)
    await pause(500)
    const own = await subscribe(b.observer)
    const there = await subscribe(a.observer, '?loop=b')
    const arrived = [new Map<number, number>(), new Map<number, number>()] as const
    ;[own, there].forEach(({ socket }, at) => socket.addEventListener('message', ({ data }) => {
      const event = JSON.parse(String(data)) as StreamEvent
      if (event.type === 'loop.blocked') arrived[at]!.set(event.seq, performance.now())
    }))
    for (let stall = 0; stall < STALLS; stall++) {
      const blocking = text(`${b.url}/handlers/sync?thread=inline&ms=${STALL_MS}`)
      let seen: LoopInfo['blocked'] | undefined
      t.ok(await eventually(async () => {
        seen = (await loopAt(a, 'b'))?.blocked
        return seen != null
      }))
      t.match(seen, { name: /^GET \/handlers\/sync #\d+$/, seconds: Number })
      await blocking
    }
    t.ok(await eventually(() => arrived[0].size >= STALLS && arrived[1].size >= arrived[0].size), 'it is told there as here')
    const delays = [...arrived[0]].map(([seq, at]) => arrived[1].get(seq)! - at).sort((x, y) => x - y)
    t.comment(`from the observer of b to that of a: median ${delays[delays.length >> 1]!.toFixed(1)} ms, longest ${delays.at(-1)!.toFixed(1)} ms, ${delays.length} events`)
    t.ok(delays.at(-1)! < SEEN_MS, `${delays.at(-1)} ms`)
    t.ok(await eventually(async () => (await loopAt(a, 'b'))?.blocked === null), 'and it is over there as well')
    type Stalls = { stalls: { id: number; loop: string; seconds: number; name: string; trace: string | null }[] }
    const kept = (await json<Stalls>(`${a.observer}/stalls`)).stalls.filter(({ loop }) => loop === 'b')
    t.same(kept.map(({ id, name }) => [id, name]), (await json<Stalls>(`${b.observer}/stalls`)).stalls.filter(({ loop }) => loop === 'b').map(({ id, name }) => [id, name]))
    await leave(own)
    await leave(there)
    for (const message of there.messages) if (!streamEvent.safeParse(message).success) t.fail(JSON.stringify(message))
    t.same(there.messages.map(({ loop }) => loop).filter((loop) => loop !== 'b'), [], 'every message says of which loop it is')
  })

  await t.test('a run on one is told of by all, the app and the observer alike', async t => {
    for (const query of ['3/run?speed=50', '5/run?items=2&seed=3&clock=virtual']) {
      const response = await fetch(`${c.url}/examples/${query}`)
      await response.text()
      const run = response.headers.get('x-run-id')!
      const ended = async (base: string): Promise<boolean> =>
        (await json<{ runs: Run[] }>(`${base}/runs`)).runs.some((one) => one.loop === 'c' && String(one.run) === run && one.outcome !== null)
      t.ok(await eventually(() => ended(c.observer)))
      const told = await json<Run>(`${c.observer}/runs/${run}`)
      for (const base of [a.observer, a.url, b.observer]) {
        t.ok(await eventually(() => ended(base)))
        t.same(await json(`${base}/runs/${run}?loop=c`), told, `run ${run} at ${base}`)
        t.same(await json(`${base}/runs/${run}/trace?loop=c`), await json(`${c.observer}/runs/${run}/trace`))
      }
    }
    t.same((await json<{ runs: Run[] }>(`${a.observer}/runs?loop=b`)).runs, [])
    t.equal((await fetch(`${a.observer}/runs/1`)).status, 404, 'of its own it has none')
  })

  await t.test('tasks are listed by loop, and cancelled across processes', async t => {
    const waiting = [fetch(`${b.url}/handlers/async?ms=9000`), fetch(`${b.url}/handlers/async?ms=9000`)]
    type Tasks = { tasks: LiveTask[]; loops: { loop: string; state: string; tasks: LiveTask[] }[] }
    const found = async (base: string): Promise<LiveTask[]> => (await json<Tasks>(`${base}/tasks`)).loops.find(({ loop }) => loop === 'b')!.tasks.filter(({ name }) => name.startsWith('GET /handlers/async'))
    t.ok(await eventually(async () => (await found(a.observer)).length === 2 && (await found(a.url)).length === 2))
    t.match(await text(`${a.observer}/tasks`), /^a, this one\n[\s\S]*^b\n2 live tasks\n/m)
    t.match(await json(`${a.observer}/tasks?loop=b`), { loop: 'b', state: 'live', tasks: [{ name: /handlers\/async/ }, {}] })
    const [first, second] = await found(a.observer)
    for (const [base, task] of [[a.observer, first], [c.url, second]] as const) {
      t.equal((await fetch(`${base}/tasks/${task!.task}?loop=b`, { method: 'DELETE' })).status, 202)
    }
    t.same((await Promise.all(waiting)).map(({ status }) => status), [503, 503], 'they were told')
    t.equal((await fetch(`${a.observer}/tasks/99999?loop=b`, { method: 'DELETE' })).status, 404)
    const running = await fetch(`${b.url}/examples/5/run`)
    const run = running.headers.get('x-run-id')!
    t.ok(await eventually(async () => (await fetch(`${a.url}/runs/${run}?loop=b`)).status === 200))
    t.equal((await fetch(`${a.url}/runs/${run}?loop=b`, { method: 'DELETE' })).status, 202)
    t.match(await running.text(), /\(cancelled\)\n$/)
    for (const base of [a.observer, a.url]) {
      for (const path of ['tasks', 'runs', 'events']) t.match(await json(`${base}/${path}?loop=nobody`), { statusCode: 404, message: /there is no loop nobody.*a, b, c/ }, path)
    }
  })

  await t.test('a subscriber of another process\' loop, and one of all, connect again 40 times and have every event once', async t => {
    const stop = await endless(b, 'speed=100&seed=1')
    const got: number[] = []
    const merged = new Map<string, number[]>()
    const first = await subscribe(a.observer, '?loop=b')
    const { epoch, seq: began } = first.messages[0] as EventOf<'stream.hello'>
    let cursor = began
    await leave(first)
    let since = ''
    for (let time = 0; time < 40; time++) {
      const one = await subscribe(a.observer, `?loop=b&since=${epoch}:${cursor}`)
      const response = await fetch(`${a.observer}/events?loop=*`, since === '' ? {} : { headers: { 'last-event-id': since } })
      const chunks = response.body!.getReader()
      let said = ''
      for (let enough = performance.now() + 40; performance.now() < enough;) said += Buffer.from((await Promise.race([chunks.read(), pause(40).then(() => ({ value: undefined }))])).value ?? []).toString()
      await chunks.cancel()
      await leave(one)
      for (const { seq } of one.messages.filter(ofLoop)) {
        got.push(seq)
        cursor = seq
      }
      // What was cut off half way does not count, and comes again.
      for (const [, id, data] of said.matchAll(/^id: (\S+)\nevent: .*\ndata: (.*)\n\n/gm)) {
        since = id!
        const { loop, seq } = JSON.parse(data!) as LoopEvent
        merged.set(loop, [...merged.get(loop) ?? [], seq])
      }
    }
    await stop()
    t.same(got, got.map((_, at) => began + 1 + at), `${got.length} events`)
    const seqs = merged.get('b')!
    t.same(seqs, seqs.map((_, at) => seqs[0]! + at), `${seqs.length} events among those of all`)
    t.ok(got.length > 100 && seqs.length > 100)
  })

  await t.test('a second process of the same name is called otherwise, and says so', async t => {
    const other = await start(t, redis.url, 'a')
    t.ok(await eventually(async () => /a-2 live/.test(await statesAt(b))), await statesAt(b))
    t.match(other.log(), /LOOP_NAME=a: another process is called that; this one is a-2/)
    t.equal((await loopsAt(other)).self, 'a-2')
    t.match(await json(`${other.url}/tasks?loop=a-2`), { loop: 'a-2' })
    other.child.kill('SIGTERM')
    t.equal(await other.ended, 0)
    t.ok(await eventually(async () => (await loopAt(b, 'a-2'))?.state === 'closed'))
  })

  await t.test('one that is told to end has closed, and one that is killed is lost', async t => {
    const watching = await subscribe(a.observer, '?loop=c')
    c.child.kill('SIGTERM')
    t.equal(await c.ended, 0, c.log())
    t.ok(await eventually(async () => (await loopAt(a, 'c'))?.state === 'closed'))
    t.ok(await eventually(() => watching.messages.some(({ type }) => type === 'loop.closed')), 'its last event came')
    await leave(watching)
    const task = fetch(`${b.url}/handlers/async?ms=9000`).catch(() => {})
    t.ok(await eventually(async () => (await loopAt(a, 'b'))!.tasks > 0))
    const killed = performance.now()
    b.child.kill('SIGKILL')
    t.ok(await eventually(async () => (await loopAt(a, 'b'))?.state === 'lost'))
    const after = performance.now() - killed
    t.comment(`killed with SIGKILL, shown as lost after ${after.toFixed(0)} ms`)
    t.ok(after < LOST_MS, `${after} ms`)
    await task
    t.match(await json(`${a.observer}/tasks?loop=b`), { state: 'lost', tasks: [{ name: /handlers\/async/ }] }, 'how it stood at the last is still there')
    t.match(await text(`${a.observer}/loops`), /b +lost .*\n +c +closed /)
    t.equal((await fetch(`${a.observer}/tasks/1?loop=b`, { method: 'DELETE' })).status, 503, 'nobody is there to cancel it')
  })

  const group = t
  await t.test('one that begins anew under its name is there again, and whoever watched is told', async t => {
    const watching = await subscribe(a.observer, '?loop=b')
    const before = (watching.messages[0] as EventOf<'stream.hello'>).epoch
    const again = await start(group, redis.url, 'b')
    t.ok(await eventually(async () => (await loopAt(a, 'b'))?.state === 'live'), await statesAt(a))
    await text(`${again.url}/ping`)
    t.ok(await eventually(() => watching.messages.some((message) => message.type === 'request.finished')))
    const hellos = watching.messages.filter((message) => message.type === 'stream.hello')
    t.equal(hellos.length, 2)
    t.not(hellos[1]!.epoch, before)
    t.match(watching.messages[watching.messages.indexOf(hellos[1]!) + 1], { type: 'stream.dropped', snapshot: { tasks: [] } })
    t.same(whole(watching.messages).wrong, [])
    await leave(watching)
  })

  await t.test('a process that joins later knows what was before it', async t => {
    const late = await start(t, redis.url, 'late')
    t.ok(await eventually(async () => await statesAt(late) === 'a live, a-2 closed, b live, c closed, late live'), await statesAt(late))
    t.match((await json<{ runs: Run[] }>(`${late.observer}/runs?loop=c`)).runs, [{ example: 5 }, { example: 3 }])
  })
})

t.test('a Redis that goes away', { skip: noRedis }, async t => {
  const redis = await startRedis(t)
  const proxy = await slowProxy(t, redis.port, 0)
  // The one whose history is short loses events while Redis is away; the other has room for them.
  const [watcher, busy, calm, slow] = await Promise.all([
    start(t, redis.url, 'watcher'), start(t, redis.url, 'busy', { HISTORY: '1024' }), start(t, redis.url, 'calm'), start(t, proxy.url, 'slow'),
  ]) as [Server, Server, Server, Server]
  const servers = [watcher, busy, calm, slow]
  const all = 'busy live, calm live, slow live, watcher live'
  for (const server of servers) t.ok(await eventually(async () => await statesAt(server) === all), await statesAt(server))

  const own = await Promise.all([busy, calm].map(({ observer }) => subscribe(observer)))
  const remote = await Promise.all(['busy', 'calm'].map((loop) => subscribe(watcher.observer, `?loop=${loop}`)))
  const stops = await Promise.all([endless(busy, 'speed=100&seed=1'), endless(calm, 'speed=2&seed=2')])
  const most = { in_flight: 0, rss: 0 }
  const rss = new Map<Server, number>()
  for (const server of servers) rss.set(server, (await figures(server))['process_resident_memory_bytes']!)
  let sampling = true
  const sampled = (async () => {
    while (sampling) {
      for (const server of servers) {
        const { commands_in_flight = 0, process_resident_memory_bytes = 0 } = await figures(server)
        most.in_flight = Math.max(most.in_flight, commands_in_flight)
        most.rss = Math.max(most.rss, process_resident_memory_bytes - rss.get(server)!)
      }
      await pause(250)
    }
  })()

  /** How fast the loops are: turns of a run in virtual time, which is nothing but work, a second. */
  async function speed(seconds: number): Promise<number> {
    let items = 0
    const began = performance.now()
    while (performance.now() < began + seconds * 1000) {
      await Promise.all([calm, slow].map(({ url }) => text(`${url}/examples/5/run?clock=virtual&items=200&seed=1`)))
      items++
    }
    return items / ((performance.now() - began) / 1000)
  }
  const speeds: Record<string, number[]> = { healthy: [], away: [], slow: [] }
  const resumed = async (server: Server, loop: string): Promise<boolean> => (await loopAt(server, loop))?.state === 'live'
  /** What is on the loop now is what the subscriber sees, and no more. */
  async function pictureIsRight(t: { ok(it: boolean, why: string): unknown }, subscriber: Subscriber, server: Server, why: string): Promise<void> {
    const tasks = async (): Promise<string> => (await json<{ tasks: LiveTask[] }>(`${server.observer}/tasks`)).tasks.map(({ task }) => task).sort((x, y) => x - y).join()
    t.ok(await eventually(async () => [...pictureOf(subscriber.messages).tasks.keys()].sort((x, y) => x - y).join() === await tasks(), 200), why)
  }

  await t.test('stopped for 10 s: the loops go on as ever, and everything resumes by itself', async t => {
    speeds['healthy']!.push(await speed(1.5))
    const came = remote.map(({ messages }) => messages.length)
    await redis.stop()
    const stopped = performance.now()
    t.ok(await eventually(async () => (await loopsAt(watcher)).redis?.state === 'away'))
    t.equal(await statesAt(watcher), 'busy unknown, calm unknown, slow unknown, watcher live')
    t.match(await text(`${watcher.url}/loops`), /Redis: away for /)
    speeds['away']!.push(await speed(3))
    await pause(AWAY_MS - (performance.now() - stopped))
    const { lost } = (await loopsAt(busy)).redis!
    t.ok(lost > 0, `${lost} events of the busy one were lost, and it says so while it is so`)
    const back = performance.now()
    await redis.start()
    t.ok(await eventually(async () => await statesAt(watcher) === all), await statesAt(watcher))
    t.comment(`started again, empty: all are live again after ${(performance.now() - back).toFixed(0)} ms`)
    for (const [at, { messages }] of remote.entries()) t.ok(await eventually(() => messages.slice(came[at]).filter(ofLoop).length > 20), 'events come again')
    t.equal((await loopsAt(calm)).redis!.lost, 0, 'what fits the history is not lost')
    speeds['healthy']!.push(await speed(1.5))
  })

  await t.test('each loop\'s own stream is whole, and of the others\' it is told what is missing', async t => {
    for (const { messages } of own) {
      const { events, dropped, wrong } = whole(messages)
      t.same([wrong, dropped], [[], 0], `${events} events`)
    }
    const [busyThere, calmThere] = remote.map(({ messages }) => whole(messages)) as [ReturnType<typeof whole>, ReturnType<typeof whole>]
    t.same([busyThere.wrong, calmThere.wrong], [[], []])
    t.ok(busyThere.dropped > 0, `of the busy one ${busyThere.events} came and ${busyThere.dropped} did not`)
    t.equal(calmThere.dropped, 0, `of the calm one all ${calmThere.events} came`)
  })

  await t.test('set back to what it held a while ago', async t => {
    const client = await createClient({ url: redis.url }).on('error', () => {}).connect()
    await client.sendCommand(['SAVE'])
    client.destroy()
    const { epoch } = (await loopAt(watcher, 'calm'))!
    await pause(1500)
    const came = remote.map(({ messages }) => messages.length)
    await redis.kill()
    await redis.start()
    t.ok(await eventually(async () => await statesAt(watcher) === all), await statesAt(watcher))
    for (const [at, { messages }] of remote.entries()) t.ok(await eventually(() => messages.slice(came[at]).filter(ofLoop).length > 20), 'events come again')
    t.equal((await loopAt(watcher, 'calm'))!.epoch, epoch)
    for (const { messages } of remote) t.same(whole(messages).wrong, [])
  })

  await t.test('emptied under everybody, its connections held', async t => {
    const client = await createClient({ url: redis.url }).on('error', () => {}).connect()
    const came = remote.map(({ messages }) => messages.length)
    await client.sendCommand(['FLUSHALL'])
    client.destroy()
    for (const [at, { messages }] of remote.entries()) t.ok(await eventually(() => messages.slice(came[at]).filter(ofLoop).length > 20), 'events come again')
    t.ok(await eventually(async () => await statesAt(watcher) === all), 'and nobody is taken for dead')
    for (const { messages } of remote) t.same(whole(messages).wrong, [])
  })

  await t.test('200 ms a command: what goes through it is late, and nothing else', async t => {
    proxy.delay = 200
    const there = await subscribe(watcher.observer, '?loop=slow')
    speeds['slow']!.push(await speed(3))
    t.ok(await eventually(() => there.messages.filter(ofLoop).length > 20))
    t.same(whole(there.messages).wrong, [])
    t.equal(await resumed(watcher, 'slow'), true, 'it is live')
    t.ok(await eventually(() => resumed(slow, 'calm')), 'and sees that others are')
    await leave(there)
    proxy.delay = 0
    speeds['healthy']!.push(await speed(1.5))
  })

  await t.test('stands still, and says nothing', async t => {
    redis.pause()
    t.ok(await eventually(async () => (await loopsAt(watcher)).redis?.state === 'away'), 'that is away as well')
    redis.resume()
    t.ok(await eventually(async () => await statesAt(watcher) === all), await statesAt(watcher))
  })

  await t.test('in the end every picture is right, and all have closed cleanly', async t => {
    for (const stop of stops) await stop()
    for (const [at, server] of [busy, calm].entries()) {
      await pictureIsRight(t, remote[at]!, server, `no ghosts of ${at === 0 ? 'the busy' : 'the calm'} one`)
      t.same(whole(own[at]!.messages).wrong, [])
    }
    sampling = false
    await sampled
    const mean = (phase: string): number => speeds[phase]!.reduce((sum, one) => sum + one, 0) / speeds[phase]!.length
    t.comment(`speed of the loops against that with a healthy Redis: away ${(mean('away') / mean('healthy')).toFixed(2)}, slow ${(mean('slow') / mean('healthy')).toFixed(2)} (${speeds['healthy']!.map((one) => one.toFixed(1)).join(', ')} runs/s healthy)`)
    t.comment(`at most ${most.in_flight} commands were on their way, memory grew by ${(most.rss / 1e6).toFixed(0)} MB at most; ${(await Promise.all(servers.map(async (server) => { const { published_total, lost_total, received_total, missed_total } = await figures(server); return `published ${published_total} lost ${lost_total} received ${received_total} missed ${missed_total}` }))).join('; ')}`)
    t.ok(most.in_flight <= 20, `${most.in_flight} commands at once`)
    t.ok(most.rss < 250e6, `${most.rss} bytes more than at the beginning`)
    await redis.stop()
    for (const { child } of servers) child.kill('SIGTERM')
    const began = performance.now()
    t.same(await Promise.all(servers.map(({ ended }) => ended)), [0, 0, 0, 0], 'also where Redis is away')
    t.comment(`closed within ${(performance.now() - began).toFixed(0)} ms while Redis was away`)
    for (const { log } of servers) {
      t.notMatch(log(), /unhandled|uncaught|"level":(50|60)/i)
      const told = log().match(/Redis is away/g) ?? []
      t.ok(told.length >= 1 && told.length <= 6, `said ${told.length} times that Redis is away, not at each attempt`)
    }
  })
})
