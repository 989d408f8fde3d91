// Processes that share a Redis, and what each observer reports of the others: real servers and a real redis-server.
import t from 'tap'
import { fetch } from 'undici'
import { streamEvent, type EventOf, type LiveTask, type LoopEvent, type LoopInfo, type StreamEvent } from '../../src/events/schema.ts'
import { subscribe } from '../observe/support.ts'
import { noRedis, startRedis } from '../support/redis.ts'
import { eventually } from '../support/eventually.ts'
import { command, endless, json, leave, loopAt, loopsAt, ofLoop, pause, start, statesAt, text, whole, type Run, type Server } from './servers.ts'

const STALLS = 6
const STALL_MS = 300
/** What issue 7 promises, in ms. */
const SEEN_MS = 200
const LOST_MS = 2000

t.test('three processes and a Redis', { skip: noRedis, timeout: 110_000 }, async (t) => {
  const redis = await startRedis(t)
  const [a, b, c] = await Promise.all(['a', 'b', 'c'].map((name) => start(t, redis.url, name))) as [Server, Server, Server]
  const all = 'a live, b live, c live'
  for (const server of [a, b, c]) t.ok(await eventually(async () => await statesAt(server) === all), await statesAt(server))

  await t.test('a stall in one is on the observer of another', async (t) => {
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

  // It takes a while to start, and is checked below.
  const second = start(t, redis.url, 'a')

  await t.test('all report a run of one, on the app and the observer alike', async (t) => {
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

  await t.test('tasks are listed by loop, and cancelled across processes', async (t) => {
    const waiting = [fetch(`${b.url}/handlers/async?ms=9000`), fetch(`${b.url}/handlers/async?ms=9000`)]
    type Tasks = { tasks: LiveTask[]; loops: { loop: string; state: string; tasks: LiveTask[] }[] }
    const found = async (base: string): Promise<LiveTask[]> => (await json<Tasks>(`${base}/tasks`)).loops.find(({ loop }) => loop === 'b')!.tasks.filter(({ name }) => name.startsWith('GET /handlers/async'))
    t.ok(await eventually(async () => (await found(a.observer)).length === 2 && (await found(a.url)).length === 2))
    t.match(await text(`${a.observer}/tasks`), /^a, this one\n[\s\S]*^b\n2 live tasks\n/m)
    t.match(await json(`${a.observer}/tasks?loop=b`), { loop: 'b', state: 'live', tasks: [{ name: /handlers\/async/ }, {}] })
    const [one, two] = await found(a.observer)
    for (const [base, task] of [[a.observer, one], [c.url, two]] as const) {
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
      for (const path of ['tasks', 'runs', 'events']) t.match(await json(`${base}/${path}?loop=nobody`), { statusCode: 404, code: 'no-such-loop', message: /GET \/loops lists a, .*b, c/ }, path)
    }
  })

  await t.test('a subscriber of another process\' loop, and one of all, connect again 40 times and have every event once', async (t) => {
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
      // A read that timed out is still under way: another read would lose its data.
      let chunk = chunks.read()
      for (const enough = pause(40).then(() => null);;) {
        const came = await Promise.race([chunk, enough])
        if (came?.value === undefined) break
        said += Buffer.from(came.value as Uint8Array).toString()
        chunk = chunks.read()
      }
      await chunks.cancel()
      await leave(one)
      for (const { seq } of one.messages.filter(ofLoop)) {
        got.push(seq)
        cursor = seq
      }
      // A message that was cut off does not count, and is sent again.
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

  await t.test('a second process with the same name gets another name, and reports it', async (t) => {
    const other = await second
    t.ok(await eventually(async () => /a-2 live/.test(await statesAt(b))), await statesAt(b))
    t.ok(await eventually(() => /LOOP_NAME=a: another process is called that; this one is a-2/.test(other.log())), other.log())
    t.equal((await loopsAt(other)).self, 'a-2')
    t.match(await json(`${other.url}/tasks?loop=a-2`), { loop: 'a-2' })
    other.child.kill('SIGTERM')
    t.equal(await other.ended, 0)
    t.ok(await eventually(async () => (await loopAt(b, 'a-2'))?.state === 'closed'))
  })

  await t.test('a process that ends by a signal has closed, and a killed one is lost', async (t) => {
    await command(redis, 'SAVE')
    const watching = await subscribe(a.observer, '?loop=c')
    c.child.kill('SIGTERM')
    t.equal(await c.ended, 0, c.log())
    t.ok(await eventually(async () => (await loopAt(a, 'c'))?.state === 'closed'))
    t.ok(await eventually(() => watching.messages.some(({ type }) => type === 'loop.closed')), 'its last event came')
    t.ok(await eventually(() => watching.messages.at(-1)?.type === 'stream.loop'))
    t.match(watching.messages.at(-1), { type: 'stream.loop', loop: 'c', state: 'closed' }, 'and whoever watched it is told')
    await leave(watching)
    const watchingAll = await subscribe(a.observer, '?loop=*&types=loop.blocked')
    const task = fetch(`${b.url}/handlers/async?ms=9000`).catch(() => {})
    t.ok(await eventually(async () => (await loopAt(a, 'b'))!.tasks > 0))
    const killed = performance.now()
    b.child.kill('SIGKILL')
    t.ok(await eventually(async () => (await loopAt(a, 'b'))?.state === 'lost'))
    const after = performance.now() - killed
    t.comment(`killed with SIGKILL, shown as lost after ${after.toFixed(0)} ms`)
    t.ok(after < LOST_MS, `${after} ms`)
    t.match(watchingAll.messages.filter(({ type }) => type === 'stream.loop').at(-1), { loop: 'b', state: 'lost' }, 'on the stream as well')
    await leave(watchingAll)
    await task
    t.match(await json(`${a.observer}/tasks?loop=b`), { state: 'lost', tasks: [{ name: /handlers\/async/ }] }, 'how it stood at the last is still there')
    t.match(await text(`${a.observer}/loops`), /b +lost .*\n +c +closed /)
    t.equal((await fetch(`${a.observer}/tasks/1?loop=b`, { method: 'DELETE' })).status, 503, 'nobody is there to cancel it')
  })

  const watchingB = await subscribe(a.observer, '?loop=b')

  const [again, late] = await Promise.all([start(t, redis.url, 'b', { HISTORY: '5000' }), start(t, redis.url, 'late')])

  await t.test('a process that starts again under its name is live again, and its subscribers learn that', async (t) => {
    t.ok(await eventually(async () => (await loopAt(a, 'b'))?.state === 'live'), await statesAt(a))
    await text(`${again.url}/ping`)
    t.ok(await eventually(() => watchingB.messages.some((message) => message.type === 'request.finished')))
    const hellos = watchingB.messages.filter((message) => message.type === 'stream.hello')
    t.equal(hellos.length, 2)
    t.not(hellos[1]!.epoch, hellos[0]!.epoch)
    t.match(watchingB.messages[watchingB.messages.indexOf(hellos[1]!) + 1], { type: 'stream.dropped', snapshot: { tasks: [] } })
    t.same(whole(watchingB.messages).wrong, [])
  })

  await t.test('a process that joins later knows what was before it', async (t) => {
    t.ok(await eventually(async () => await statesAt(late) === 'a live, a-2 closed, b live, c closed, late live'), await statesAt(late))
    t.match((await json<{ runs: Run[] }>(`${late.observer}/runs?loop=c`)).runs, [{ example: 5 }, { example: 3 }])
  })

  await t.test('a Redis that is set back to an earlier life of a process revives no old loop', async (t) => {
    const { epoch } = (await loopAt(a, 'b'))!
    await redis.kill()
    await redis.start()
    const came = watchingB.messages.length
    for (const server of [a, late]) t.ok(await eventually(async () => await statesAt(server) === 'a live, a-2 closed, b live, c closed, late live'), await statesAt(server))
    await text(`${again.url}/ping`)
    t.ok(await eventually(() => watchingB.messages.slice(came).some((message) => message.type === 'request.finished')))
    t.same(watchingB.messages.slice(came).filter(({ type }) => type === 'stream.hello' || type === 'stream.dropped'), [])
    t.equal((await loopAt(a, 'b'))!.epoch, epoch)
    await leave(watchingB)
  })
})
