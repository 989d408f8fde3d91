// Example 5 in two servers that share one Redis, called as a user would; one of them is killed while it has items.
import { createClient } from '@redis/client'
import t, { type Test } from 'tap'
import { noRedis, slowProxy, startRedis } from '../support/redis.ts'
import { eventually } from '../support/eventually.ts'
import { startServer } from '../support/server-process.ts'

async function start(t: Test, redis: string): Promise<{ url: string; kill(): Promise<void> }> {
  const { url, child, ended } = await startServer(t, { REDIS_URL: redis, LOG_LEVEL: 'silent' })
  return {
    url,
    kill: async () => {
      child.kill('SIGKILL')
      await ended
    },
  }
}

/** Calls it, and collects the lines as they arrive. */
function follow(url: string): { lines: string[]; over: Promise<void> } {
  const lines: string[] = []
  const over = (async () => {
    const response = await fetch(url)
    let rest = ''
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream() as never) as unknown as AsyncIterable<string>) {
      const parts = (rest + chunk).split('\n')
      rest = parts.pop() as string
      lines.push(...parts)
    }
  })()
  return { lines, over }
}

t.test('example 5 in two servers', { skip: noRedis }, async (t) => {
  const redis = await startRedis(t)
  const [first, second] = await Promise.all([start(t, redis.url), start(t, redis.url)])
  const run = (server: { url: string }, query: string): string => `${server.url}/examples/5/run?queue=redis&name=letters&${query}`

  await t.test('what one produces the other consumes, each in the order in which it was put', async (t) => {
    const consuming = follow(run(second, 'producers=0&consumers=1&speed=100'))
    const producing = follow(run(first, 'producers=1&consumers=0&items=5&speed=100&seed=1&maxsize=2'))
    await producing.over
    t.same(producing.lines.at(-1), 'put 5 items, got 0 items, 0 delivered again')
    const letters = producing.lines.slice(0, -1).map((line) => line.replace('P0 produced ', ''))
    t.equal(letters.length, 5)
    await eventually(() => consuming.lines.length === letters.length)
    t.same(consuming.lines, letters.map((letter) => `C0 got ${letter} made by P0`))
    const live = await (await fetch(`${second.url}/runs`)).json() as { runs: { run: number; outcome: string | null }[] }
    t.ok(live.runs.some(({ outcome }) => outcome === null), 'who only consumes goes on')
    await fetch(`${second.url}/runs/1`, { method: 'DELETE' })
    await consuming.over
    t.same(consuming.lines.slice(-2), ['put 0 items, got 5 items, 0 delivered again', '(cancelled)'])
  })

  await t.test('one reports in JSON what it did with the queue', async (t) => {
    const response = await fetch(run(first, 'items=2&producers=2&speed=100&seed=3'), { headers: { accept: 'application/json' } })
    t.match(await response.json(), { outcome: 'returned', parameters: { queue: 'redis', name: 'letters' }, queue: { name: 'letters', put: 4, got: 4, done: 4, redelivered: 0, lost: 0, deadLetters: 0 } })
  })

  await t.test('an invalid item becomes a dead letter and is counted, and the run continues; a run ends with its failing consumer', async (t) => {
    const client = await createClient({ url: redis.url }).on('error', () => {}).connect()
    const key = 'loopscope:queue:{letters}'
    for (const item of ['7', '[1]', '[0,"ab"]', '{']) await client.xAdd(key, '*', { item })
    const response = await fetch(run(first, 'items=2&producers=2&speed=100&seed=3'), { headers: { accept: 'application/json' } })
    t.match(await response.json(), { outcome: 'returned', queue: { put: 4, got: 4, done: 4, deadLetters: 4 } })
    t.equal(await client.xLen(key), 0)
    t.equal(await client.xLen(`${key}:dead`), 4)

    const failing = follow(run(first, 'producers=2&consumers=2&speed=1000'))
    t.ok(await eventually(() => failing.lines.length > 10), 'it goes on without end')
    await client.set(`${key}:leases`, 'of another type')
    await failing.over
    t.match(failing.lines.at(-1), /^\(failed: Error: <RedisQueue letters maxsize=0>: cannot use Redis at .*WRONGTYPE/)
    await client.del((await client.keys(`${key}*`)))
    client.destroy()
  })

  await t.test('an answer ends when its run has left the queue: what its consumers had is back by then', async (t) => {
    const proxy = await slowProxy(t, redis.port, 100)
    const { url } = await start(t, proxy.url)
    const client = await createClient({ url: redis.url }).on('error', () => {}).connect()
    const key = 'loopscope:queue:{letters}'
    for (const item of ['[0,"a"]', '[0,"b"]']) await client.xAdd(key, '*', { item })
    const { lines, over } = follow(run({ url }, 'producers=0&consumers=2&speed=0.1'))
    t.ok(await eventually(() => lines.length === 2), 'both consumers work on one')
    await fetch(`${url}/runs/1`, { method: 'DELETE' })
    await over
    t.same([await client.zCard(`${key}:ready`), await client.zCard(`${key}:taken`)], [2, 0])
    await client.del(await client.keys(`${key}*`))
    client.destroy()
  })

  await t.test('for a read-only replica, or a full Redis, the reason is reported', async (t) => {
    const replica = await startRedis(t, ['--replicaof', '127.0.0.1', String(redis.port)])
    const third = await start(t, replica.url)
    const refused = await fetch(run(third, 'items=1'))
    t.equal(refused.status, 503)
    t.match(await refused.json(), { statusCode: 503, code: 'redis-unavailable', message: /^queue=redis: .*cannot use Redis at 127\.0\.0\.1:\d+: this Redis is a read-only replica/ })
    const client = await createClient({ url: redis.url }).on('error', () => {}).connect()
    await client.configSet('maxmemory', '1')
    const full = follow(run(first, 'items=1&speed=100'))
    await full.over
    t.match(full.lines.at(-1), /^\(failed: Error: .*this Redis is full/)
    await client.configSet('maxmemory', '0')
    client.destroy()
  })

  await t.test('the items of a killed process are delivered again to the other, and the run says how many', async (t) => {
    const dying = follow(run(second, 'producers=0&consumers=2&speed=0.1'))
    dying.over.catch(() => {})
    const living = follow(run(first, 'producers=2&consumers=1&items=3&speed=50&seed=5'))
    t.ok(await eventually(() => dying.lines.length === 2), 'it has two items, and works on them for long')
    await second.kill()
    await living.over
    const produced = living.lines.filter((line) => line.includes('produced')).map((line) => line.split(' ').at(-1)).sort()
    const got = living.lines.filter((line) => /^C\d got /.test(line)).map((line) => line.split(' ')[2]).sort()
    t.equal(produced.length, 6)
    t.same(got, produced, 'the living one got all of them, those two as well')
    t.equal(living.lines.at(-1), 'put 6 items, got 6 items, 2 delivered again')
  })
})
