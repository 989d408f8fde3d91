// An ASGI application within Fastify, and a Fastify app as an ASGI application.
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import websocket from '@fastify/websocket'
import Fastify from 'fastify'
import t from 'tap'
import { WebSocket } from 'ws'
import { asgi, fastifyAsgi, type Application } from '../../src/asgi/index.ts'
import { loopscope } from '../../src/fastify/index.ts'
import { respond, served, text } from './support.ts'

t.test('an application below a prefix of a Fastify app', async (t) => {
  const seen: string[] = []
  const application: Application = function* (scope, receive, send) {
    if (scope.type === 'lifespan') {
      for (;;) {
        const { type } = yield* receive()
        seen.push(type)
        yield* send(type === 'lifespan.startup' ? { type: 'lifespan.startup.complete' } : { type: 'lifespan.shutdown.complete' })
        if (type === 'lifespan.shutdown') return
      }
    }
    if (scope.type === 'websocket') {
      yield* receive()
      yield* send({ type: 'websocket.accept' })
      return yield* send({ type: 'websocket.send', text: scope.path })
    }
    const event = yield* receive()
    yield* respond(send, `${scope.method} ${scope.root_path} ${scope.path} ${event.type === 'http.request' ? text(event.body) : ''}`)
  }
  const app = Fastify()
  await app.register(loopscope)
  await app.register(websocket)
  await app.register(asgi(application), { prefix: '/site' })
  app.get('/ping', () => 'pong')
  await app.register((scope, _options, done) => {
    scope.get('/own', { websocket: true }, (socket) => socket.send('own'))
    done()
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  const url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`
  t.same(seen, ['lifespan.startup'])
  const answer = await fetch(`${url}/site/a?b`, { method: 'PUT', body: '{"any": "body"}', headers: { 'content-type': 'application/json' } })
  t.equal(await answer.text(), 'PUT /site /site/a {"any": "body"}')
  t.match(answer.headers.get('server-timing'), /^run;dur=/)
  t.equal(await (await fetch(`${url}/site`)).text(), 'GET /site /site ')
  t.equal(await (await fetch(`${url}/ping`)).text(), 'pong')
  for (const [path, wanted] of [['/site/ws', '/site/ws'], ['/own', 'own']] as const) {
    const socket = new WebSocket(url.replace('http', 'ws') + path)
    t.equal(String((await once(socket, 'message') as [Buffer])[0]), wanted)
    socket.close()
  }
  await app.close()
  t.same(seen, ['lifespan.startup', 'lifespan.shutdown'])
})

t.test('the plugin of loopscope/fastify has to be there', async (t) => {
  const app = Fastify()
  await t.rejects(async () => { await app.register(asgi(function* () {})) }, /loopscope\/fastify first/)
})

t.test('a Fastify app as an application', async (t) => {
  const app = Fastify()
  app.post('/echo', (request, reply) => reply.header('set-cookie', ['a=1', 'b=2']).code(201).send(request.body))
  app.get('/stream', (_request, reply) => reply.send(Readable.from(['one ', 'two'])))
  let closed = false
  app.addHook('onClose', (_app, done) => {
    closed = true
    done()
  })
  const server = await served(t, fastifyAsgi(app))
  const echo = await fetch(`${server.url}/echo`, { method: 'POST', body: JSON.stringify({ big: 'x'.repeat(200_000) }), headers: { 'content-type': 'application/json' } })
  t.equal(echo.status, 201)
  t.same(echo.headers.getSetCookie(), ['a=1', 'b=2'])
  t.equal((await echo.json() as { big: string }).big.length, 200_000)
  t.equal(await (await fetch(`${server.url}/stream`)).text(), 'one two')
  t.equal((await fetch(`${server.url}/none`)).status, 404)
  await server.close()
  t.ok(closed)
})
