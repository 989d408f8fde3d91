// The observer's thread dies, in every way: the app continues to serve and reports what is missing, and everything returns by
// itself.
import { once } from 'node:events'
import { createServer } from 'node:net'
import t from 'tap'
import { fetch } from 'undici'
import { Backoff } from '../../src/observe/backoff.ts'
import type { EventOf } from '../../src/events/schema.ts'
import { noRedis, startRedis } from '../support/redis.ts'
import { eventually } from '../support/eventually.ts'
import { figure, isUp, json, order, startServer, subscribe, type Program } from './support.ts'

/** When each life of the thread began, in ms. */
const startsOf = (program: Program): number[] => {
  const starts: number[] = []
  program.child.on('message', (message) => {
    const { startedAt } = message as { startedAt: number[] }
    starts.splice(0, Infinity, ...startedAt)
  })
  return starts
}

t.test('a server whose observer dies', async (t) => {
  const server = await startServer(t, {}, { inside: true })
  const { url, observer } = server
  const starts = startsOf(server)
  const abort = new AbortController()
  const run = await fetch(`${url}/examples/5/run`, { signal: abort.signal })
  const runId = Number(run.headers.get('x-run-id'))
  // The response is read, so that the run is not slowed down, until it is cancelled.
  const output = run.text()
  const before = await subscribe(url)
  const { epoch } = before.messages[0] as EventOf<'stream.hello'>

  await t.test('answers, reports what is missing, and refuses what only the observer knows with a reason', async (t) => {
    order(server, 'keep dead')
    t.ok(await eventually(async () => !await isUp(url)), 'readiness tells')
    t.equal((await fetch(`${url}/ping`)).status, 200)
    const ready = await fetch(`${url}/readyz`)
    t.equal(ready.status, 200, 'the app itself serves')
    t.match(await ready.json(), { status: 'degraded', observer: 'down', reason: /^the observer (has ended|ran)/ })
    const metrics = await fetch(`${url}/metrics`)
    t.equal(metrics.status, 200)
    const text = await metrics.text()
    t.match(text, /^loopscope_observer_up 0$/m)
    t.match(text, /^loopscope_observer_restarts_total \d+$/m)
    t.match(text, /^process_uptime_seconds \d/m)
    t.notMatch(text, /loopscope_(events|stalls|warnings)_total/, 'what is not known is not made up')
    for (const path of ['/tasks', '/runs', `/runs/${runId}`, '/loops', '/events', '/events?loop=main']) {
      const refused = await fetch(`${url}${path}`)
      t.equal(refused.status, 503, path)
      t.ok(Number(refused.headers.get('retry-after')) >= 1, 'says when to come again')
      t.match(await refused.json(), { statusCode: 503, code: 'observer-down', message: /started again/ })
    }
    t.equal((await before.closed as { reason?: string }).reason?.includes('started again'), true, 'its subscribers are told')
    t.equal((await fetch(`${url}/examples/1/run`)).status, 200, 'a run is possible')
    t.notMatch(server.log(), /a request failed/)
  })

  await t.test('waits longer each time', async (t) => {
    t.ok(await eventually(() => starts.length >= 5), `${starts.length} lives`)
    const waits = starts.slice(1).map((at, life) => at - (starts[life] as number))
    const least = waits.slice(0, 4).map((_, life) => 100 * 2 ** life)
    // Timers may be a millisecond early.
    t.ok(least.every((wait, life) => (waits[life] as number) >= wait - 2), `${waits} ms`)
  })

  await t.test('has it again on the same port, with what is alive', async (t) => {
    order(server, 'let live')
    t.ok(await eventually(() => isUp(url)), server.log())
    t.equal(await figure(url, 'loopscope_observer_up'), 1)
    t.ok((await figure(url, 'loopscope_observer_restarts_total'))! >= 4)
    t.type(await figure(url, 'loopscope_events_total'), 'number')
    t.equal((await fetch(`${url}/tasks`)).status, 200)
    const { runs } = await json<{ runs: { run: number; outcome: string | null }[] }>(`${observer}/runs`)
    t.match(runs.find((one) => one.run === runId) ?? {}, { outcome: null }, 'the run that began before')
    t.notOk(runs.some((one) => one.run > runId), 'the one that came and went meanwhile is not known')
    const { tasks } = await json<{ tasks: { run?: number; request?: number; name: string }[] }>(`${observer}/tasks`)
    t.ok(tasks.filter((task) => task.run === runId).length >= 3, 'and its tasks')
    t.ok(tasks.some((task) => task.request !== undefined && task.name.startsWith('GET /examples/5/run')), 'and the request it serves')
  })

  await t.test('reports its stalls again, with name and stack, to returning subscribers', async (t) => {
    for (const address of [url, observer]) {
      const again = await subscribe(address)
      const hello = again.messages[0] as EventOf<'stream.hello'>
      t.equal(hello.type, 'stream.hello')
      t.not(hello.epoch, epoch, 'another epoch')
      t.ok(hello.snapshot!.tasks.some((task) => task.run === runId))
      const told = (): EventOf<'loop.unblocked'> | undefined =>
        again.messages.find((event): event is EventOf<'loop.unblocked'> => event.type === 'loop.unblocked' && event.request !== undefined)
      let answered = await fetch(`${url}/handlers/sync?thread=inline&ms=1500`)
      // If the machine takes the processor away for a while, it is tried again.
      for (let times = 0; times < 5 && !await eventually(() => told() !== undefined, 300); times++) answered = await fetch(`${url}/handlers/sync?thread=inline&ms=1500`)
      t.ok(told()?.name?.startsWith('GET /handlers/sync #'), `${told()?.name}, the last was ${answered.headers.get('x-request-id')}`)
      t.ok(again.messages.some((event) => event.type === 'loop.blocked' && event.stack?.some(({ file }) => file === 'workers/blocking-sleep.ts')), 'with the line')
      again.socket.close()
    }
    // A cursor of an earlier life is a lost one, not an error.
    const late = await subscribe(observer, `?since=${epoch}:1`)
    t.ok(await eventually(() => late.messages.some(({ type }) => type === 'stream.dropped')))
    late.socket.close()
  })

  await t.test('still accounts for the tasks of its runs', async (t) => {
    t.equal((await fetch(`${url}/runs/${runId}`, { method: 'DELETE' })).status, 202)
    t.match(await output, /\(cancelled\)\n$/)
    t.ok(await eventually(async () => (await json<{ tasks: { run?: number }[] }>(`${observer}/tasks`)).tasks.every((task) => task.run !== runId)), 'none of them is left')
    t.match(await json(`${observer}/runs/${runId}`), { outcome: 'cancelled' })
  })

  await t.test('has it again after each further death', async (t) => {
    for (let death = 0; death < 2; death++) {
      const lives = starts.length
      order(server, 'kill')
      t.ok(await eventually(async () => starts.length > lives && await isUp(url), 6000), server.log())
      t.match(await json(`${observer}/healthz`), { status: 'ok' })
    }
    t.equal(await figure(url, 'loopscope_observer_restarts_total'), starts.length - 1)
  })

  t.equal(server.child.exitCode, null)
  t.notMatch(server.log(), /unhandled|uncaught|a request failed/i)
  abort.abort()
})

t.test('a server whose observer is dead', async (t) => {
  const server = await startServer(t, {}, { inside: true })
  const { url, observer } = server
  const starts = startsOf(server)

  await t.test('waits for the port while another program uses it, and takes it when it is free', async (t) => {
    order(server, 'keep dead')
    t.ok(await eventually(async () => !await isUp(url)))
    const other = createServer()
    other.listen(Number(new URL(observer).port), '127.0.0.1')
    await once(other, 'listening')
    order(server, 'let live')
    t.ok(await eventually(async () => /cannot listen on port \d+ \(EADDRINUSE\)/.test((await json<{ reason?: string }>(`${url}/readyz`)).reason ?? ''), 6000), server.log())
    const refused = await fetch(`${url}/tasks`)
    t.match(await refused.json(), { statusCode: 503, code: 'observer-down', message: /cannot listen on port/ })
    other.close()
    t.ok(await eventually(() => isUp(url), 6000), server.log())
    t.match(await json(`${observer}/healthz`), { status: 'ok' })
  })

  await t.test('ends with 0, and at once, while its observer is dead', async (t) => {
    order(server, 'keep dead')
    t.ok(await eventually(async () => !await isUp(url)))
    const lives = starts.length
    server.child.kill('SIGTERM')
    t.equal(await server.ended, 0, server.log())
    t.ok(starts.length <= lives + 1, 'and starts none any more')
    t.notMatch(server.log(), /unhandled|uncaught/i)
  })
})

t.test('one process of several keeps its name when its observer is started again', { skip: noRedis }, async (t) => {
  const redis = await startRedis(t)
  const server = await startServer(t, { REDIS_URL: redis.url, LOOP_NAME: 'one' }, { inside: true })
  const connected = async (): Promise<boolean> => (await json<{ redis: { state: string } | null }>(`${server.observer}/loops`)).redis?.state === 'connected'
  t.ok(await eventually(connected))
  order(server, 'kill')
  t.ok(await eventually(async () => await figure(server.url, 'loopscope_observer_restarts_total') === 1 && await isUp(server.url)), server.log())
  t.ok(await eventually(connected))
  const { self, loops } = await json<{ self: string; loops: { loop: string; state: string }[] }>(`${server.observer}/loops`)
  t.equal(self, 'one')
  t.match(loops, [{ loop: 'one', state: 'live' }])
  t.notMatch(server.log(), /another process is called that/)
})

t.test('the waits between two lives double up to half a minute, and start over after a life that has lasted', async (t) => {
  const backoff = new Backoff()
  t.same([0, 10, 0, 0, 5000, 0, 0, 0, 0, 0, 29_000].map((served) => backoff.next(served)), [100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000])
  t.equal(backoff.next(30_000), 100)
  t.equal(backoff.next(0), 200)
})
