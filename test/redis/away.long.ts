// A Redis that is stopped, emptied, set back, slowed down and paused under processes that share it: their loops continue as
// before, everything resumes, and losses are reported.
import t from 'tap'
import type { LiveTask } from '../../src/events/schema.ts'
import { subscribe, type Subscriber } from '../observe/support.ts'
import { noRedis, slowProxy, startRedis } from '../support/redis.ts'
import { eventually } from '../support/eventually.ts'
import { command, endless, figures, json, leave, loopAt, loopsAt, ofLoop, pause, pictureOf, start, statesAt, text, whole, type Server } from './servers.ts'

const AWAY_MS = 10_000

t.test('a Redis that goes away', { skip: noRedis, timeout: 110_000 }, async (t) => {
  const redis = await startRedis(t)
  const proxy = await slowProxy(t, redis.port, 0)
  // The one with a short history loses events while Redis is away; the other has room for them.
  const [watcher, busy, calm, slow] = await Promise.all([
    start(t, redis.url, 'watcher'), start(t, redis.url, 'busy', { HISTORY: '1024' }), start(t, redis.url, 'calm'), start(t, proxy.url, 'slow'),
  ]) as [Server, Server, Server, Server]
  const servers = [watcher, busy, calm, slow]
  const all = 'busy live, calm live, slow live, watcher live'
  for (const server of servers) t.ok(await eventually(async () => await statesAt(server) === all), await statesAt(server))

  const own = await Promise.all([busy, calm].map(({ observer }) => subscribe(observer)))
  const remote = await Promise.all(['busy', 'calm'].map((loop) => subscribe(watcher.observer, `?loop=${loop}`)))
  const stops = await Promise.all([endless(busy, 'speed=100&seed=1'), endless(calm, 'speed=2&seed=2')])
  /** The speed of the loops: how many runs in virtual time, which are only work, each completes in a second. */
  async function speed(seconds: number): Promise<number> {
    let runs = 0
    const began = performance.now()
    while (performance.now() < began + seconds * 1000) {
      await Promise.all([calm, slow].map(({ url }) => text(`${url}/examples/5/run?clock=virtual&items=100&seed=1`)))
      runs++
    }
    return runs / ((performance.now() - began) / 1000)
  }
  await speed(2)
  let inFlight = 0
  const grown = new Map<Server, number>()
  const before = new Map<Server, number>()
  let sampling = true
  const sampled = (async () => {
    while (sampling) {
      for (const server of servers) {
        const { commands_in_flight = 0, process_resident_memory_bytes = 0 } = await figures(server)
        if (!before.has(server)) before.set(server, process_resident_memory_bytes)
        inFlight = Math.max(inFlight, commands_in_flight)
        grown.set(server, Math.max(grown.get(server) ?? 0, process_resident_memory_bytes - before.get(server)!))
      }
      await pause(250)
    }
  })()

  const speeds: Record<string, number[]> = { healthy: [], away: [], slow: [] }
  const resumed = async (server: Server, loop: string): Promise<boolean> => (await loopAt(server, loop))?.state === 'live'
  /** The subscriber sees exactly what is on the loop now. */
  async function pictureIsRight(t: { ok(it: boolean, why: string): unknown }, subscriber: Subscriber, server: Server, why: string): Promise<void> {
    const tasks = async (): Promise<string> => (await json<{ tasks: LiveTask[] }>(`${server.observer}/tasks`)).tasks.map(({ task }) => task).sort((x, y) => x - y).join()
    t.ok(await eventually(async () => [...pictureOf(subscriber.messages).tasks.keys()].sort((x, y) => x - y).join() === await tasks(), 200), why)
  }

  await t.test('stopped for 10 s: the loops continue as before, and everything resumes by itself', async (t) => {
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

  await t.test('each loop\'s own stream is whole, and gaps in the others\' are reported', async (t) => {
    for (const { messages } of own) {
      const { events, dropped, wrong } = whole(messages)
      t.same([wrong, dropped], [[], 0], `${events} events`)
    }
    const [busyThere, calmThere] = remote.map(({ messages }) => whole(messages)) as [ReturnType<typeof whole>, ReturnType<typeof whole>]
    t.same([busyThere.wrong, calmThere.wrong], [[], []])
    t.ok(busyThere.dropped > 0, `of the busy one ${busyThere.events} came and ${busyThere.dropped} did not`)
    t.equal(calmThere.dropped, 0, `of the calm one all ${calmThere.events} came`)
  })

  await t.test('set back to earlier data', async (t) => {
    await command(redis, 'SAVE')
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

  await t.test('emptied while in use, its connections kept open', async (t) => {
    const came = remote.map(({ messages }) => messages.length)
    await command(redis, 'FLUSHALL')
    for (const [at, { messages }] of remote.entries()) t.ok(await eventually(() => messages.slice(came[at]).filter(ofLoop).length > 20), 'events come again')
    t.ok(await eventually(async () => await statesAt(watcher) === all), 'and nobody is taken for dead')
    for (const { messages } of remote) t.same(whole(messages).wrong, [])
  })

  await t.test('200 ms a command: what passes through it is late, and nothing else', async (t) => {
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

  await t.test('paused, without an answer', async (t) => {
    redis.pause()
    t.ok(await eventually(async () => (await loopsAt(watcher)).redis?.state === 'away'), 'that is away as well')
    redis.resume()
    t.ok(await eventually(async () => await statesAt(watcher) === all), await statesAt(watcher))
  })

  await t.test('in the end every snapshot is right, and all have closed cleanly', async (t) => {
    for (const stop of stops) await stop()
    for (const [at, server] of [busy, calm].entries()) {
      await pictureIsRight(t, remote[at]!, server, `no ghosts of ${at === 0 ? 'the busy' : 'the calm'} one`)
      t.same(whole(own[at]!.messages).wrong, [])
    }
    sampling = false
    await sampled
    const mean = (phase: string): number => speeds[phase]!.reduce((sum, one) => sum + one, 0) / speeds[phase]!.length
    t.comment(`speed of the loops against that with a healthy Redis: away ${(mean('away') / mean('healthy')).toFixed(2)}, slow ${(mean('slow') / mean('healthy')).toFixed(2)} (${speeds['healthy']!.map((one) => one.toFixed(1)).join(', ')} runs/s healthy)`)
    const megabytes = servers.map((server) => Math.round(grown.get(server)! / 1e6))
    t.comment(`at most ${inFlight} commands were on their way; memory grew by ${megabytes.join(', ')} MB at most: of the watcher, the busy, the calm, the slow one`)
    for (const server of servers) {
      const { published_total, lost_total, received_total, missed_total, away_total, away_seconds_total } = await figures(server)
      t.comment(`published ${published_total}, lost ${lost_total}, received ${received_total}, missed ${missed_total}; Redis was away ${away_total} times, ${away_seconds_total!.toFixed(1)} s`)
    }
    t.ok(inFlight <= 20, `${inFlight} commands at once`)
    // The other two also make runs in virtual time, and keep them.
    t.ok(Math.max(...megabytes.slice(0, 2)) < 150, 'nothing piles up')
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
