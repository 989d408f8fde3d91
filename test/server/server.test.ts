// The server as a process, and the plugin in another app.
import { once } from 'node:events'
import Fastify from 'fastify'
import { createServer, type AddressInfo } from 'node:net'
import t from 'tap'
import { fetch } from 'undici'
import { gather, sleep, timeout, type Coroutine } from '../../src/index.ts'
import { readConfig } from '../../src/server/config.ts'
import { loopscope } from '../../src/fastify/index.ts'
import { eventually } from '../support/server.ts'
import { launchServer, startServer } from '../support/server-process.ts'

t.test('the configuration', async (t) => {
  await t.test('has defaults, and reads the environment', async (t) => {
    t.match(readConfig({}), { port: 8000, observerPort: 8001, host: '127.0.0.1', logLevel: 'info', maxMs: 10_000, graceSeconds: 5 })
    t.match(readConfig({ PORT: '1234', LOG_LEVEL: 'debug', GRACE_SECONDS: '0.5', HOST: '' }), { port: 1234, logLevel: 'debug', graceSeconds: 0.5, host: '127.0.0.1' })
  })

  await t.test('refuses a bad value in one line that names it', async (t) => {
    const bad: [string, string, RegExp][] = [
      ['PORT', 'http', /^PORT=http: must be a whole number from 0 to 65535$/], ['PORT', '70000', /^PORT=70000: /], ['PORT', '-1', /^PORT=-1: /],
      ['LOG_LEVEL', 'loud', /^LOG_LEVEL=loud: must be one of fatal/], ['OBSERVER_URL', 'ftp://x', /^OBSERVER_URL=ftp:\/\/x: /],
      ['REDIS_URL', 'localhost:6379', /^REDIS_URL=localhost:6379: must be a redis:/], ['REDIS_URL', 'redis://:secret@h/x', /^REDIS_URL=redis:\/\/…@h\/x: /],
      ['MAX_RUNS', '1e3', /^MAX_RUNS=1e3: /], ['HISTORY', '10', /^HISTORY=10: /], ['GRACE_SECONDS', 'NaN', /^GRACE_SECONDS=NaN: /],
    ]
    for (const [name, value, message] of bad) {
      t.throws(() => readConfig({ [name]: value }), { name: 'ConfigError', message })
    }
    t.throws(() => readConfig({ PORT: 'x', MAX_MS: 'y' }), { message: /^PORT=x: .*; MAX_MS=y: [^\n]*$/ })
  })
})

t.test('the process', async (t) => {
  await t.test('ends at once, with one line, on a bad value and on a port that is taken', async (t) => {
    const bad = launchServer(t, { PORT: 'web' })
    t.equal(await bad.ended, 1)
    t.equal(bad.log(), 'PORT=web: must be a whole number from 0 to 65535\n')
    const other = createServer()
    other.listen(0, '127.0.0.1')
    await once(other, 'listening')
    const { port } = other.address() as AddressInfo
    const taken = launchServer(t, { PORT: String(port), LOG_LEVEL: 'silent' })
    t.equal(await taken.ended, 1)
    t.match(taken.log(), new RegExp(`^PORT=${port}: something else listens on 127\\.0\\.0\\.1:${port} already[^\\n]*\\n$`))
    other.close()
  })

  await t.test('prints its address and what to try, and ends on SIGTERM with 0 when it is idle', async (t) => {
    const server = await startServer(t)
    t.match(server.log(), /loopscope listens on http:\/\/127\.0\.0\.1:\d+\n[^]*live view is at http:\/\/localhost:\d+\ntry:\n( {2}curl .*\n){3}/)
    t.equal((await fetch(`${server.url}/ping`)).status, 200)
    server.child.kill('SIGTERM')
    t.equal(await server.ended, 0)
    t.match(server.log(), /SIGTERM: closing/)
    t.notMatch(server.log(), /cut off/)
  })

  await t.test('lets requests finish, ends streams with a last event, and reports what it had to cut off', async (t) => {
    const server = await startServer(t, { GRACE_SECONDS: '1.5' })
    const text = (path: string): Promise<string> => fetch(server.url + path).then((response) => response.text())
    const stream = text('/events?types=loop.closed')
    const endless = text('/examples/5/run')
    const short = text('/handlers/async?ms=700')
    t.ok(await eventually(async () => /^loopscope_requests_active 4$/m.test(await text('/metrics'))), 'all three, and the one that asks')
    // The loop is blocked when the signal arrives: it is handled when the handler has ended.
    const blocking = text('/handlers/sync?thread=inline&ms=400')
    await new Promise((resolve) => setTimeout(resolve, 100))
    server.child.kill('SIGTERM')
    t.match(JSON.parse(await blocking), { handler: 'sync, inline' })
    t.match(JSON.parse(await short), { handler: 'async' })
    t.match(await endless, /\(cancelled\)\n$/)
    t.match(await stream, /event: loop\.closed\ndata: .*\n\n$/)
    t.equal(await server.ended, 0)
    t.match(server.log(), /1 requests did not finish in 1\.5 s and are cut off/)
    t.match(server.log(), /"requests":\["GET \/examples\/5\/run #\d+"\]/)
  })
})

t.test('the plugin in another app', async (t) => {
  await t.test('makes generator functions handlers, each request a task with its own name', async (t) => {
    const app = Fastify()
    t.teardown(() => app.close())
    await app.register(loopscope)
    const names: string[] = []
    app.get('/hello/:who', function* (request) {
      const [a, b] = yield* gather([word('hello'), word((request.params as { who: string }).who)])
      names.push(...[...app.loopscope.loop.liveTasks()].map((task) => task.getName()))
      return { text: `${a} ${b}` }
    })
    app.get('/plain', async () => ({ plain: true }))
    app.get('/nothing', function* () {})
    app.get('/itself', function* (_request, reply) {
      yield* sleep(0.001)
      return reply.code(201).send({ by: 'itself' })
    })
    function* word(text: string): Coroutine<string> {
      // What runs until the step ends is no part of the wait, which has two digits all the same.
      yield* sleep(0.05)
      return text
    }
    const response = await app.inject('/hello/you?x=1')
    t.same(response.json(), { text: 'hello you' })
    t.same(names, ['GET /hello/you #1'])
    t.equal(String(response.headers['x-request-id']), 'req-1', 'Fastify\'s own')
    t.match(response.headers['server-timing'], /^run;dur=\S+, ready;dur=\S+, wait;dur=\d\d\S*, thread;dur=0$/)
    t.same((await app.inject('/plain')).json(), { plain: true })
    t.equal((await app.inject('/nothing')).statusCode, 200)
    const itself = await app.inject('/itself')
    t.same([itself.statusCode, itself.json()], [201, { by: 'itself' }])
    t.equal(app.loopscope.active.size, 0)
  })

  await t.test('maps what a coroutine throws to a status', async (t) => {
    const app = Fastify()
    t.teardown(() => app.close())
    await app.register(loopscope)
    app.get('/throws', function* () { throw new Error('mine') })
    app.get('/teapot', function* () { throw Object.assign(new Error('short and stout'), { statusCode: 418 }) })
    app.get('/late', function* () { yield* timeout(0.01, function* () { yield* sleep(9) }) })
    app.get('/cancelled', function* () {
      for (const task of app.loopscope.loop.liveTasks()) task.cancel('no more')
      yield* sleep(9)
    })
    const codes: Record<string, number> = {}
    for (const path of ['/throws', '/teapot', '/late', '/cancelled']) codes[path] = (await app.inject(path)).statusCode
    t.same(codes, { '/throws': 500, '/teapot': 418, '/late': 504, '/cancelled': 503 })
  })

  await t.test('cancels what is under way when the app closes', async (t) => {
    const app = Fastify()
    await app.register(loopscope)
    let cleaned = false
    app.get('/', function* () {
      try {
        yield* sleep(60)
      } finally {
        cleaned = true
      }
    })
    const response = app.inject('/')
    t.ok(await eventually(() => app.loopscope.active.size === 1))
    await app.close()
    t.ok(cleaned)
    t.equal((await response).statusCode, 503)
    t.ok(app.loopscope.loop.isClosed())
  })
})
