// The plugin in an app that is not ours: coroutines in all places that take a function, contexts, headers, and its end.
import { once } from 'node:events'
import websocket from '@fastify/websocket'
import Fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { fetch } from 'undici'
import { WebSocket } from 'ws'
import { ContextVar, createTask, gather, sleep, type Coroutine } from '../../src/index.ts'
import { loopscope, type LoopscopeOptions } from '../../src/fastify/index.ts'
import { eventually } from '../support/eventually.ts'

async function server(t: Test, options: LoopscopeOptions = {}): Promise<FastifyInstance> {
  const app = Fastify()
  await app.register(loopscope, options)
  t.teardown(() => app.close())
  return app
}

/** Types of Fastify do not know coroutines. */
const any = (fn: (...args: never[]) => unknown): never => fn as never

t.test('what a handler returns', async (t) => {
  const app = await server(t)
  const list = (): Coroutine<string[]> => sleep(0.001, ['x'])
  app.get('/promise', function* () { return Promise.resolve('p') })
  app.get('/gather', function* () { return gather([sleep(0, 'a'), sleep(0, 'b')]) })
  app.get('/coroutine', function* () { return list() })
  app.get('/task', function* () { return createTask(list()) })
  // eslint-disable-next-line loopscope/no-misused-coroutines -- the plugin runs what handlers return
  app.get('/twice', function* () { return Promise.resolve(0).then(() => list()) })
  app.get('/arrow', () => list())
  app.get('/async', async () => list())
  app.get('/plain', async () => ['plain'])
  app.get('/rejected', function* () { return Promise.reject(new Error('no')) })
  app.get('/sent', function* (_request, reply) { return reply.send({ sent: true }) })
  const expected: Record<string, unknown> = {
    promise: 'p', gather: ['a', 'b'], coroutine: ['x'], task: ['x'], twice: ['x'], arrow: ['x'], async: ['x'], plain: ['plain'], sent: { sent: true },
  }
  for (const [path, value] of Object.entries(expected)) {
    const { statusCode, body } = await app.inject(`/${path}`)
    t.equal(statusCode, 200, path)
    t.same(typeof value === 'string' ? body : JSON.parse(body), value, path)
  }
  t.equal((await app.inject('/rejected')).statusCode, 500)
  t.equal(app.loopscope.active.size, 0)
})

t.test('coroutines as hooks and error handlers', async (t) => {
  const app = await server(t)
  const seen: string[] = []
  const hook = (name: string) => any(function* () {
    yield* sleep(0.001)
    seen.push(name)
  })
  for (const name of ['onRequest', 'preValidation', 'preHandler', 'onResponse'] as const) app.addHook(name as 'onRequest', hook(name))
  app.get('/hooks', { preHandler: hook('the route\'s'), onRequest: [hook('its first'), hook('its second')] }, function* () { return 'ok' })
  app.addHook('onSend', any(function* (_request: unknown, _reply: unknown, payload: string) {
    yield* sleep(0)
    return `${payload}!`
  }))
  await app.register(async (part) => {
    part.setErrorHandler(any(function* (error: Error) {
      yield* sleep(0.001)
      return `handled ${error.message}`
    }))
    part.get('/error', function* () { throw new Error('x') })
    part.addHook('preHandler', hook('of a part'))
  })
  app.setNotFoundHandler(any(function* () {
    yield* sleep(0.001)
    return 'nothing here'
  }))
  t.equal((await app.inject('/hooks')).body, 'ok!')
  t.ok(await eventually(() => seen.includes('onResponse')))
  t.same(seen, ['onRequest', 'its first', 'its second', 'preValidation', 'preHandler', 'the route\'s', 'onResponse'])
  t.equal((await app.inject('/error')).body, 'handled x!')
  t.ok(seen.includes('of a part'))
  t.equal((await app.inject('/nowhere')).body, 'nothing here!')
})

t.test('a failing hook fails the request; if the client disconnects, it is cancelled', async (t) => {
  const app = await server(t)
  let ending = ''
  app.addHook('preHandler', any(function* (request: { url: string }) {
    if (request.url === '/fails') throw new Error('a hook')
    try {
      yield* sleep(100)
    } catch (error) {
      ending = (error as Error).message
      throw error
    }
  }))
  for (const path of ['/fails', '/waits']) app.get(path, function* () { return path })
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  t.match(await (await fetch(`${url}/fails`)).json(), { message: 'a hook' })
  const controller = new AbortController()
  const request = fetch(`${url}/waits`, { signal: controller.signal }).catch(() => null)
  t.ok(await eventually(() => app.loopscope.loop.liveTasks().size === 1))
  controller.abort()
  await request
  t.ok(await eventually(() => ending === 'the client went away'))
})

t.test('coroutines as handlers of WebSockets', async (t) => {
  const app = Fastify()
  await app.register(loopscope)
  await app.register(websocket)
  t.teardown(() => app.close())
  let ending = ''
  app.get('/ws', { websocket: true }, any(function* (socket: WebSocket) {
    yield* sleep(0.001)
    socket.send('hello')
    try {
      yield* sleep(100)
    } catch (error) {
      ending = (error as Error).message
      throw error
    }
  }))
  app.route({ method: 'GET', url: '/both', handler: any(function* () { return 'http' }), wsHandler: any(function* (socket: WebSocket) { socket.send('both') }) })
  app.get('/fails', { websocket: true }, any(function* () { throw new Error('x') }))
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as { port: number }
  const open = (path: string): WebSocket => new WebSocket(`ws://127.0.0.1:${port}${path}`)
  const client = open('/ws')
  t.equal(String((await once(client, 'message'))[0]), 'hello')
  client.close()
  t.ok(await eventually(() => ending === 'the client went away'))
  const both = open('/both')
  t.equal(String((await once(both, 'message'))[0]), 'both')
  both.close()
  t.equal(await (await fetch(`http://127.0.0.1:${port}/both`)).text(), 'http')
  t.equal((await once(open('/fails'), 'close'))[0], 1011)
  const other = Fastify()
  t.teardown(() => other.close())
  await other.register(websocket)
  await t.rejects(async () => other.register(loopscope), /register it before @fastify\/websocket/)
})

t.test('each request has its own context, from its first hook on', async (t) => {
  const user = new ContextVar<string>('user', { default: 'none' })
  const app = await server(t)
  app.addHook('onRequest', (request, _reply, done) => {
    if (request.headers['x-user'] !== undefined) user.set(String(request.headers['x-user']))
    done()
  })
  app.addHook('preHandler', any(function* () {
    yield* sleep(0)
    user.set(`${user.get()}!`)
  }))
  app.get('/', function* () {
    const before = user.get()
    yield* sleep(0.001)
    return [before, user.get(), yield* createTask((function* () { return user.get() })())]
  })
  const ask = async (name?: string): Promise<unknown> => (await app.inject({ url: '/', headers: name === undefined ? {} : { 'x-user': name } })).json()
  t.same(await Promise.all([ask('ann'), ask(), ask('bob')]), [['ann!', 'ann!', 'ann!'], ['none!', 'none!', 'none!'], ['bob!', 'bob!', 'bob!']])
  t.same(await ask(), ['none!', 'none!', 'none!'], 'the next one sees nothing of those before')
  t.throws(() => user.set('everybody'), /set in host code while an event loop runs/)
})

t.test('headers of the app are kept', async (t) => {
  const app = Fastify({ genReqId: () => 'trace-7' })
  await app.register(loopscope)
  t.teardown(() => app.close())
  app.get('/', function* () { return 'ok' })
  app.get('/own', function* (_request, reply) {
    reply.header('x-request-id', 'mine').header('server-timing', 'db;dur=3')
    return 'ok'
  })
  t.match((await app.inject('/')).headers, { 'x-request-id': 'trace-7', 'server-timing': /^run;dur=/ })
  t.match((await app.inject('/own')).headers, { 'x-request-id': 'mine', 'server-timing': /^db;dur=3, run;dur=.*thread;dur=/ })
  const silent = await server(t, { headers: false })
  silent.get('/', function* () { return 'ok' })
  t.notMatch(Object.keys((await silent.inject('/')).headers).join(), /x-request-id|server-timing/)
})

t.test('a closing app cancels what continues beyond its grace', async (t) => {
  const app = await server(t, { graceSeconds: 0.1 })
  let ending = ''
  app.get('/poll', function* () {
    try {
      yield* sleep(1000)
    } finally {
      ending = 'cleaned up'
    }
  })
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  const answer = fetch(`${url}/poll`)
  t.ok(await eventually(() => app.loopscope.active.size === 1))
  await app.close()
  t.equal(ending, 'cleaned up')
  t.equal((await answer).status, 503)
})

t.test('an option that does not exist is refused, and the error lists those that do', async (t) => {
  const refused = async (options: object): Promise<unknown> => Fastify().register(loopscope, options as LoopscopeOptions).then(() => null, (error: unknown) => error)
  t.match(await refused({ maxRequest: 3 }), { name: 'TypeError', message: 'loopscope: unknown option maxRequest. The options are loop, maxRequests, graceSeconds, headers, numberOf, observer' })
  t.match(await refused({ observer: { prot: 1, blockMs: 2 } }), { name: 'TypeError', message: /^loopscope: observer: unknown options prot, blockMs\. The options are port, host, / })
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(loopscope, { prefix: '/api', maxRequests: 3 } as LoopscopeOptions)
})
