// An ASGI application within Fastify, and a Fastify app as an ASGI application.
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import websocket from '@fastify/websocket'
import Fastify, { type FastifyInstance } from 'fastify'
import t from 'tap'
import { WebSocket } from 'ws'
import { asgi, fastifyAsgi, type Application, type HttpScope } from '../../src/asgi/index.ts'
import { loopscope } from '../../src/fastify/index.ts'
import { sleep } from '../../src/index.ts'
import { open, raw } from '../support/raw.ts'
import { bytes, respond, served, text as textOf } from './support.ts'

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
    yield* respond(send, `${scope.method} ${scope.root_path} ${scope.path} ${event.type === 'http.request' ? textOf(event.body) : ''}`)
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

t.test('its WebSockets and those of @fastify/websocket, registered in any order', async (t) => {
  const application: Application = function* (scope, receive, send) {
    if (scope.type !== 'websocket') return yield* respond(send, `plain ${scope.type === 'http' ? scope.path : ''}`)
    yield* receive()
    if (scope.path.endsWith('/refused')) return yield* send({ type: 'websocket.close' })
    yield* send({ type: 'websocket.accept' })
    for (;;) {
      const event = yield* receive()
      if (event.type !== 'websocket.receive') return
      yield* send({ type: 'websocket.send', text: `${scope.root_path} ${event.text}` })
    }
  }
  const parts: Record<string, (app: FastifyInstance) => Promise<void>> = {
    one: async (app) => { await app.register(asgi(application), { prefix: '/one' }) },
    two: async (app) => { await app.register(asgi(application), { prefix: '/two' }) },
    plugin: async (app) => {
      await app.register(websocket)
      await app.register((scope, _options, done) => {
        scope.get('/own', { websocket: true }, (socket) => {
          socket.on('message', (data: Buffer) => socket.send(`own ${data.toString()}`))
        })
        done()
      })
    },
  }
  const message = async (url: string): Promise<string> => {
    const socket = new WebSocket(url)
    socket.on('open', () => socket.send('hi'))
    const [data] = await once(socket, 'message') as [Buffer]
    socket.close()
    await once(socket, 'close')
    return String(data)
  }
  const refusal = async (url: string, headers = {}): Promise<number> => {
    const socket = new WebSocket(url, { headers })
    socket.on('error', () => {})
    const [, response] = await once(socket, 'unexpected-response') as [unknown, IncomingMessage]
    response.resume()
    socket.terminate()
    return response.statusCode!
  }
  for (const order of [['one', 'two', 'plugin'], ['one', 'plugin', 'two'], ['plugin', 'two', 'one'], ['one', 'two']]) {
    await t.test(order.join(', '), async (t) => {
      const app = Fastify()
      t.teardown(() => app.close())
      await app.register(loopscope)
      app.addHook('onRequest', (request, reply, done) => {
        reply.header('x-hook', 'seen')
        if (request.headers['x-refuse'] === undefined) done()
        else void reply.code(429).send('too many')
      })
      app.get('/ping', () => 'pong')
      for (const part of order) await parts[part]!(app)
      await app.listen({ port: 0, host: '127.0.0.1' })
      const { port } = app.server.address() as AddressInfo
      const url = `ws://127.0.0.1:${port}`
      t.equal(await message(`${url}/one/a`), '/one hi')
      t.equal(await message(`${url}/two`), '/two hi')
      if (order.includes('plugin')) t.equal(await message(`${url}/own`), 'own hi')
      t.equal(await refusal(`${url}/one/refused`), 403, 'by the application')
      t.equal(await refusal(`${url}/one/a`, { 'x-refuse': '1' }), 429, 'by a hook of the app')
      if (!order.includes('plugin')) t.equal(await refusal(`${url}/ping`), 200, 'a route without a WebSocket ignores the offer')
      const plain = await fetch(`http://127.0.0.1:${port}/one/b`)
      t.equal(await plain.text(), 'plain /one/b')
      t.equal(plain.headers.get('x-hook'), 'seen')
      if (order.includes('plugin')) return
      const h2c = await raw(port, 'GET /one/c HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n')
      t.match(h2c.text, /^HTTP\/1.1 200 [^]*plain \/one\/c/, 'another protocol is no offer of a WebSocket')
    })
  }
})

t.test('closing the app: requests may finish, the rest is cancelled, then the application shuts down', async (t) => {
  const seen: string[] = []
  const application: Application = function* (scope, receive, send) {
    if (scope.type === 'lifespan') {
      yield* receive()
      yield* send({ type: 'lifespan.startup.complete' })
      seen.push((yield* receive()).type)
      return yield* send({ type: 'lifespan.shutdown.complete' })
    }
    const path = (scope as HttpScope).path
    try {
      yield* send({ type: 'http.response.start', status: 200 })
      yield* send({ type: 'http.response.body', body: bytes('begun '), more_body: true })
      yield* sleep(path === '/site/short' ? 0.05 : 60)
      yield* send({ type: 'http.response.body', body: bytes('done') })
    } catch (error) {
      yield* sleep(0.01)
      seen.push(`${path} ${(error as Error).name}`)
      throw error
    }
    seen.push(path)
  }
  const app = Fastify()
  await app.register(loopscope)
  await app.register(asgi(application, { graceSeconds: 0.2 }), { prefix: '/site' })
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as AddressInfo
  const [short, endless] = ['short', 'endless'].map((name) => open(port, `GET /site/${name} HTTP/1.1\r\nHost: a\r\n\r\n`))
  const answer = text(short!)
  await Promise.all([once(short!, 'data'), once(endless!, 'data')])
  await app.close()
  t.same(seen, ['/site/short', '/site/endless CancelledError', 'lifespan.shutdown'])
  t.match(await answer, /begun [^]*done\r\n0\r\n\r\n$/)
})

t.test('requests that are injected', async (t) => {
  const app = Fastify()
  await app.register(loopscope)
  await app.register(asgi(function* (_scope, receive, send) {
    const event = yield* receive()
    yield* sleep(0.05)
    yield* respond(send, event.type === 'http.request' ? textOf(event.body) : '', 201)
  }, { lifespan: 'off' }), { prefix: '/site' })
  const { statusCode, body } = await app.inject({ method: 'POST', url: '/site/a', payload: 'hello' })
  t.same([statusCode, body], [201, 'hello'])
  await app.close()
})

t.test('header fields of hooks and of the application', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(loopscope)
  app.addHook('onRequest', (_request, reply, done) => {
    reply.headers({ 'x-hook': 'a', 'x-both': 'of the hook' })
    done()
  })
  await app.register(asgi(function* (_scope, _receive, send) {
    yield* respond(send, 'ok', 200, [['Set-Cookie', 'a=1'], ['Set-Cookie', 'b=2'], ['X-Both', 'of the application']])
  }, { lifespan: 'off' }), { prefix: '/site' })
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { headers } = await fetch(`http://127.0.0.1:${(app.server.address() as AddressInfo).port}/site`)
  t.same(headers.getSetCookie(), ['a=1', 'b=2'])
  t.equal(headers.get('x-hook'), 'a')
  t.equal(headers.get('x-both'), 'of the application')
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
