// Requests with a thread of their own: how many at once, how many wait, and what happens to others.
import t from 'tap'
import { threadsState } from '../../src/index.ts'
import { eventually, listen } from '../support/server.ts'

t.setTimeout(180_000)

t.test('calls with a thread of their own', async (t) => {
  const { app } = await listen(t, { MAX_THREADS: '2', RATE_LIMIT: '0' })
  const call = (ms: number): Promise<{ statusCode: number; headers: Record<string, unknown>; json: <T>() => T }> =>
    app.inject(`/handlers/sync?thread=sensitive&scope=request&ms=${ms}`) as never
  const threads = (): number => threadsState().contexts.reduce((sum, lane) => sum + lane.threads, 0)
  const queued = (): number => threadsState().contexts.reduce((sum, lane) => sum + lane.queued, 0)

  await t.test('have at most MAX_THREADS between them: 64 at once are all answered', async (t) => {
    let most = 0
    const looking = setInterval(() => { most = Math.max(most, threads()) }, 1)
    const answers = await Promise.all(Array.from({ length: 64 }, () => call(1)))
    clearInterval(looking)
    t.same([...new Set(answers.map(({ statusCode }) => statusCode))], [200])
    t.equal(most, 2)
    t.equal(threads(), 0, 'and none has one afterwards')
  })

  await t.test('wait for one, 1,000 of them; the next gets a 503, and the metrics show them', async (t) => {
    const calls = [call(10_000), call(10_000)]
    t.ok(await eventually(() => threadsState().contexts.filter(({ running }) => running === 1).length === 2))
    for (let i = 0; i < 1000; i++) calls.push(call(0))
    t.ok(await eventually(() => queued() === 1000))
    const refused = await call(0)
    t.match([refused.statusCode, refused.headers['retry-after'], refused.json()], [503, '1', {
      statusCode: 503, error: 'Service Unavailable',
      message: 'syncToAsync: 1000 calls wait for one of the 2 threads of ThreadSensitiveContexts already, blockingSleep() finds no room: try again later',
    }])
    const metrics = (await app.inject('/metrics')).body
    t.match(metrics, /^loopscope_context_queued 1000$/m)
    t.match(metrics, /^loopscope_context_running 2$/m)
    t.equal((await app.inject('/ping')).statusCode, 200)
    for (const task of app.loopscope.loop.liveTasks()) if (task.getName().startsWith('GET /handlers/sync')) task.cancel()
    t.same([...new Set((await Promise.all(calls)).map(({ statusCode }) => statusCode))], [503], 'all were cancelled')
    t.equal(queued(), 0)
  })
})
