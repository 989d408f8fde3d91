// The applications and middleware of examples/asgi, over real sockets: each is served by `serve` and within a Fastify app, and
// gives the same answers.
import { once } from 'node:events'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { request, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { createGunzip, gunzipSync } from 'node:zlib'
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import { WebSocket } from 'ws'
import { app as whole } from '../../examples/asgi/app.ts'
import { cancelAtDisconnect } from '../../examples/asgi/cancel-at-disconnect.ts'
import { chat } from '../../examples/asgi/chat.ts'
import { cors } from '../../examples/asgi/cors.ts'
import { echo } from '../../examples/asgi/echo.ts'
import { events } from '../../examples/asgi/events.ts'
import { gzip } from '../../examples/asgi/gzip.ts'
import { requestId, withRequestId } from '../../examples/asgi/request-id.ts'
import { router } from '../../examples/asgi/router.ts'
import { staticFiles } from '../../examples/asgi/static-files.ts'
import { withTimeout } from '../../examples/asgi/timeout.ts'
import { runHere, tutorial } from '../../examples/asgi/tutorial.ts'
import { asgi, type Application, type HttpScope } from '../../src/asgi/index.ts'
import { ApplicationCommunicator } from '../../src/asgi/testing.ts'
import { loopscope } from '../../src/fastify/index.ts'
import { CancelledError, createTask, Event, run, sleep, VirtualClock, wait, type Coroutine, type EventLoop } from '../../src/index.ts'
import { eventually } from '../support/eventually.ts'
import { handshake, open, raw } from '../support/raw.ts'
import { bytes, http, respond, served, text } from './support.ts'

interface Server {
  name: string
  port: number
  /** Where the application is: '' or the prefix of the mount. */
  at: string
  loop: EventLoop
}

/** The application in both ways to serve one. */
async function servers(t: Test, app: Application): Promise<Server[]> {
  const own = await served(t, app)
  const fastify = Fastify()
  await fastify.register(loopscope)
  await fastify.register(asgi(app), { prefix: '/site' })
  await fastify.listen({ port: 0, host: '127.0.0.1' })
  t.teardown(() => fastify.close())
  return [
    { name: 'serve', port: own.port, at: '', loop: own.loop },
    { name: 'asgi', port: (fastify.server.address() as AddressInfo).port, at: '/site', loop: fastify.loopscope.loop },
  ]
}

/** Runs a test of an application in both ways. */
function both(title: string, make: Application | { with(t: Test): Application }, test: (t: Test, server: Server) => Promise<void>): void {
  t.test(title, async (t) => {
    for (const server of await servers(t, typeof make === 'function' ? make : make.with(t))) await t.test(server.name, (t) => test(t, server))
  })
}

interface Answer {
  status: number
  headers: IncomingHttpHeaders
  body: Buffer
}

async function call(server: Server, path: string, { method = 'GET', headers = {}, body = '' }: { method?: string; headers?: Record<string, string>; body?: string } = {}): Promise<Answer> {
  const sent = request({ port: server.port, path: server.at + path, method, headers, agent: false })
  sent.end(body)
  const [response] = await once(sent, 'response') as [IncomingMessage]
  return { status: response.statusCode!, headers: response.headers, body: await buffer(response) }
}

/** A WebSocket with all that has come. */
async function connect(server: Server, path: string): Promise<{ socket: WebSocket; came: string[]; closed: Promise<[code: number, reason: string]> }> {
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}${server.at}${path}`)
  const came: string[] = []
  socket.on('message', (data: Buffer) => came.push(data.toString()))
  const closed = once(socket, 'close').then(([code, reason]) => [code as number, String(reason)] as [number, string])
  await once(socket, 'open')
  return { socket, came, closed }
}

/** The status with which a handshake is refused. */
async function refused(server: Server, path: string): Promise<number> {
  const { text: answer } = await raw(server.port, handshake(server.at + path))
  return Number(answer.slice(9, 12))
}

const param: Application = http(function* (scope, _receive, send) {
  yield* respond(send, `${scope.root_path}|${scope.path}|${JSON.stringify(scope['path_params'])}`)
})

both('router', router({ 'GET /items/{id}': param, 'POST /items/{id}': param, '/sub/*': router({ '/{a}/b': param }), '/rest/*': param, 'WS /live': echo }), async (t, server) => {
  const { at } = server
  t.equal(text((await call(server, '/items/7')).body), `${at}|${at}/items/7|{"id":"7"}`)
  t.equal(text((await call(server, '/sub/x/b?q')).body), `${at}/sub|${at}/sub/x/b|{"a":"x"}`)
  t.equal(text((await call(server, '/rest/')).body), `${at}/rest|${at}/rest/|{}`)
  t.match(text((await call(server, '/rest')).body), `${at}/rest|${at}/rest|{}`)
  t.match(await call(server, '/items/7', { method: 'HEAD' }), { status: 200, body: { length: 0 } })
  t.match(await call(server, '/items/7', { method: 'DELETE' }), { status: 405, headers: { allow: 'GET, HEAD, POST' } })
  for (const path of ['/items', '/items/7/8', '/sub', '/', '/itemsX7', '/items/']) t.equal((await call(server, path)).status, 404, path)
  t.match(text((await call(server, '/live')).body), /only a WebSocket/)
  t.equal(await refused(server, '/items/7'), 403)
  const { socket, came, closed } = await connect(server, '/live')
  socket.send('hi')
  await eventually(() => came.length === 1)
  socket.close()
  await closed
  t.same(came, ['hi'])
})

both('CORS', cors(router({ 'GET /': param, 'OPTIONS /': http(function* (_scope, _receive, send) { yield* respond(send, 'own') }) }), {
  origins: ['https://a.example'], methods: ['GET', 'PUT'], headers: ['X-Key'], expose: ['x-total'], credentials: true,
}), async (t, server) => {
  const good = { origin: 'https://a.example' }
  t.match((await call(server, '/', { headers: good })).headers, { 'access-control-allow-origin': 'https://a.example', 'access-control-allow-credentials': 'true', 'access-control-expose-headers': 'x-total', 'vary': 'origin' })
  for (const headers of [{ origin: 'https://b.example' }, {}]) {
    const answer = await call(server, '/', { headers })
    t.match(answer, { status: 200, headers: { vary: 'origin' } }, 'a cache may not give this to others')
    t.notOk('access-control-allow-origin' in answer.headers)
  }
  const preflight = (headers: Record<string, string>): Promise<Answer> => call(server, '/', { method: 'OPTIONS', headers })
  t.match(await preflight({ ...good, 'access-control-request-method': 'PUT', 'access-control-request-headers': 'x-key' }), {
    status: 204, headers: { 'access-control-allow-methods': 'GET, PUT', 'access-control-allow-headers': 'X-Key', 'access-control-max-age': '600', 'vary': /origin/ }, body: { length: 0 },
  })
  t.match(await preflight({ ...good, 'access-control-request-method': 'DELETE' }), { status: 400, body: /method/ })
  t.match(await preflight({ ...good, 'access-control-request-method': 'GET', 'access-control-request-headers': 'x-other' }), { status: 400, body: /header/ })
  const foreign = await preflight({ 'origin': 'https://b.example', 'access-control-request-method': 'GET' })
  t.match(foreign, { status: 400, body: /origin/ })
  t.notOk('access-control-allow-origin' in foreign.headers)
  t.equal(text((await preflight(good)).body), 'own', 'an OPTIONS that is no preflight is the application\'s')
})

t.test('CORS for any origin, without cookies', async (t) => {
  t.throws(() => cors(param, { origins: ['*'], credentials: true }), /name the origins/)
  const [server] = await servers(t, cors(param, { origins: ['*'] }))
  const { headers } = await call(server!, '/', { headers: { origin: 'https://any.example' } })
  t.equal(headers['access-control-allow-origin'], '*')
  t.equal(headers.vary, undefined)
})

both('request id', withRequestId(http(function* (scope, _receive, send) {
  yield* sleep(0)
  yield* respond(send, `${String(scope['request_id'])} ${requestId.get()}`, 200, [['X-Request-Id', 'of the application']])
})), async (t, server) => {
  const given = await call(server, '/', { headers: { 'x-request-id': 'a-1' } })
  t.equal(text(given.body), 'a-1 a-1')
  t.equal(given.headers['x-request-id'], 'a-1')
  for (const bad of ['a b', 'x'.repeat(65), '<script>']) {
    const { headers, body } = await call(server, '/', { headers: { 'x-request-id': bad } })
    t.match(headers['x-request-id'], /^[0-9a-f-]{36}$/, bad)
    t.equal(text(body), `${String(headers['x-request-id'])} ${String(headers['x-request-id'])}`)
  }
})

const ended: string[] = []
both('timeout', withTimeout(http(function* (scope, _receive, send) {
  if (scope.path.endsWith('/quick')) return yield* respond(send, 'ok')
  try {
    if (scope.path.endsWith('/begun')) {
      yield* send({ type: 'http.response.start', status: 200 })
      yield* send({ type: 'http.response.body', body: bytes('half'), more_body: true })
    }
    yield* sleep(60)
  } catch (error) {
    ended.push((error as Error).name)
    throw error
  }
}), 0.05), async (t, server) => {
  ended.length = 0
  t.match(await call(server, '/quick'), { status: 200 })
  const late = await call(server, '/slow')
  t.equal(late.status, 504)
  t.match(text(late.body), /within 0.05 s/)
  const { text: broken } = await raw(server.port, `GET ${server.at}/begun HTTP/1.1\r\nHost: a\r\n\r\n`)
  t.ok(broken.includes('half') && !broken.endsWith('0\r\n\r\n'), 'a response that has begun is broken off')
  t.same(ended, ['CancelledError', 'CancelledError'])
})

const random = Buffer.from(Array.from({ length: 400_000 }, (_, at) => (at * 2654435761) >>> 13 & 255))
const proceed = new Map<string, Event>()
both('gzip', gzip(http(function* (scope, _receive, send) {
  const [, name] = /\/(\w+)$/.exec(scope.path) ?? []
  const headers = (more: Record<string, string>): [Uint8Array, Uint8Array][] => Object.entries({ 'content-type': 'text/plain', ...more }).map(([name, value]) => [bytes(name), bytes(value)])
  const body = { large: bytes('x'.repeat(5000)), small: bytes('x'), random, encoded: bytes('y'.repeat(5000)), image: bytes('z'.repeat(5000)), tagged: bytes('t'.repeat(5000)) }[name ?? ''] ?? bytes('')
  const more = { encoded: { 'content-encoding': 'br' }, image: { 'content-type': 'image/png' }, tagged: { etag: '"1"', vary: 'origin' } }[name ?? ''] ?? {}
  if (name === 'none') {
    yield* send({ type: 'http.response.start', status: 204 })
    return yield* send({ type: 'http.response.body' })
  }
  if (name === 'parts') {
    yield* send({ type: 'http.response.start', status: 200, headers: headers({}) })
    for (const part of ['one', 'two']) {
      yield* send({ type: 'http.response.body', body: bytes(part), more_body: true })
      yield* proceed.get(scope.root_path)!.wait()
    }
    return yield* send({ type: 'http.response.body' })
  }
  yield* send({ type: 'http.response.start', status: 200, headers: headers({ 'content-length': String(body.length), ...more }) })
  yield* send({ type: 'http.response.body', body })
})), async (t, server) => {
  const accepting = { headers: { 'accept-encoding': 'br, gzip;q=0.5' } }
  const large = await call(server, '/large', accepting)
  t.match(large.headers, { 'content-encoding': 'gzip', 'vary': 'accept-encoding' })
  t.equal(large.headers['content-length'] === '5000', false, 'not the length of the plain body')
  t.equal(text(gunzipSync(large.body)), 'x'.repeat(5000))
  t.same(gunzipSync((await call(server, '/random', accepting)).body), random)
  t.match((await call(server, '/tagged', accepting)).headers, { etag: 'W/"1"', vary: 'origin, accept-encoding' })
  for (const [path, vary] of [['/small', 'accept-encoding'], ['/encoded', undefined], ['/image', undefined], ['/none', undefined]] as const) {
    const { headers } = await call(server, path, accepting)
    t.not(headers['content-encoding'], 'gzip', path)
    t.equal(headers.vary, vary, path)
  }
  for (const accept of ['gzip;q=0', 'br', 'identity']) {
    const { headers, body } = await call(server, '/large', { headers: { 'accept-encoding': accept } })
    t.same([headers['content-encoding'], headers.vary, body.length], [undefined, 'accept-encoding', 5000], accept)
  }
  t.match((await call(server, '/large', { ...accepting, method: 'HEAD' })), { headers: { 'content-length': '5000' }, body: { length: 0 } })
  const sent = request({ port: server.port, path: `${server.at}/parts`, ...accepting, agent: false })
  proceed.set(server.at, new Event())
  sent.end()
  const [response] = await once(sent, 'response') as [IncomingMessage]
  const plain = response.pipe(createGunzip())
  t.equal(String((await once(plain, 'data') as [Buffer])[0]), 'one', 'a part is not delayed by the next')
  proceed.get(server.at)!.set()
  t.equal(text(await buffer(plain)), 'two')
})

/** A server without the extension. */
const plain = (app: Application): Application => (scope, receive, send) => app(scope.type === 'http' ? { ...scope, extensions: {} } : scope, receive, send)

both('static files', { with(t) {
  const folder = t.testdir({ 'public': { 'a.txt': 'text', 'empty': '', '.hidden': 'hidden', 'big.js': 'x'.repeat(300_000), 'sub': { 'index.html': '<p>' }, 'none': {} }, 'secret.txt': 'secret' })
  const root = join(folder, 'public')
  symlinkSync(join(folder, 'secret.txt'), join(root, 'link.txt'))
  symlinkSync(folder, join(root, 'up'))
  mkdirSync(join(root, 'public-2'), { recursive: true })
  writeFileSync(join(folder, 'public2'), 'beside')
  return router({ '/path/*': staticFiles(root), '/parts/*': plain(staticFiles(root)) })
} }, async (t, server) => {
  for (const way of ['/path', '/parts']) {
    const file = await call(server, `${way}/a.txt`)
    t.match(file, { status: 200, headers: { 'content-type': 'text/plain; charset=utf-8', 'content-length': '4', 'etag': /^"/, 'x-content-type-options': 'nosniff' } })
    t.equal(text(file.body), 'text')
    t.equal((await call(server, `${way}/big.js`)).body.length, 300_000)
    t.match(await call(server, `${way}/big.js`, { method: 'HEAD' }), { status: 200, headers: { 'content-length': '300000' }, body: { length: 0 } })
    t.match(await call(server, `${way}/empty`), { status: 200, headers: { 'content-length': '0' }, body: { length: 0 } })
    t.equal(text((await call(server, `${way}/sub/`)).body), '<p>')
    const { etag = '', 'last-modified': modified = '' } = file.headers
    for (const headers of [{ 'if-none-match': etag }, { 'if-none-match': `"x", W/${etag}` }, { 'if-none-match': '*' }, { 'if-modified-since': modified }] as Record<string, string>[]) {
      t.match(await call(server, `${way}/a.txt`, { headers }), { status: 304, headers: { etag }, body: { length: 0 } }, JSON.stringify(headers))
    }
    for (const headers of [{ 'if-none-match': '"x"' }, { 'if-modified-since': 'Thu, 01 Jan 1970 00:00:00 GMT' }, { 'if-none-match': '"x"', 'if-modified-since': modified }, { 'if-modified-since': 'soon' }] as Record<string, string>[]) {
      t.match(await call(server, `${way}/a.txt`, { headers }), { status: 200 }, JSON.stringify(headers))
    }
    t.match(await call(server, `${way}/a.txt`, { method: 'POST' }), { status: 405, headers: { allow: 'GET, HEAD' } })
    for (const path of ['/../secret.txt', '/%2e%2e/secret.txt', '/..%2fsecret.txt', '/sub/..%2f..%2fsecret.txt', '/..%5csecret.txt', '/%2fetc/passwd', '//etc/passwd', '/link.txt', '/up/secret.txt', '/.hidden', '/a.txt%00', '/none', '/none/', '/a.txt/b', `/${'x'.repeat(5000)}`, '/%ff', '/../public2']) {
      const { text: answer } = await raw(server.port, `GET ${server.at}${way}${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`)
      // Fastify's router refuses some of them itself.
      t.match(answer, server.at === '' ? /^HTTP\/1.1 404 / : /^HTTP\/1.1 40[04] /, path)
      t.notMatch(answer, /\r\n\r\n[^]*(secret$|root:|hidden$|beside)/, path)
    }
  }
})

both('WebSocket echo', echo, async (t, server) => {
  const { socket, came, closed } = await connect(server, '/')
  socket.send('text')
  socket.send(Buffer.from('bytes'))
  await eventually(() => came.length === 2)
  socket.close(1000)
  t.same(came, ['text', 'bytes'])
  t.same(await closed, [1000, ''])
})

both('chat', router({ '/chat': chat({ most: 3, longest: 10 }) }), async (t, server) => {
  const [one, two, three] = await Promise.all([connect(server, '/chat'), connect(server, '/chat'), connect(server, '/chat')])
  t.equal(await refused(server, '/chat'), 403, 'there is room for three')
  one.socket.send('hello')
  await eventually(() => [one, two, three].every(({ came }) => came.length === 1))
  t.same(two.came, ['hello'], 'a message goes to all')
  three.socket.send('x'.repeat(11))
  t.same(await three.closed, [1009, 'at most 10 characters'])
  const next = await connect(server, '/chat')
  two.socket.terminate()
  next.socket.send('again')
  await eventually(() => one.came.length === 2)
  t.same(one.came, ['hello', 'again'])
  one.socket.close()
  next.socket.close()
  await Promise.all([one.closed, next.closed])
})

/** Opens a member that does not read. */
async function deaf(server: Server, path: string): Promise<ReturnType<typeof open>> {
  const socket = open(server.port, handshake(server.at + path))
  await once(socket, 'readable')
  return socket
}

const long = 'x'.repeat(50_000)
for (const slow of ['disconnect', 'wait'] as const) {
  both(`chat: a slow reader, ${slow}`, router({ '/chat': chat({ waiting: 4, longest: long.length, slow }) }), async (t, server) => {
    const quiet = await deaf(server, '/chat')
    const { socket, came, closed } = await connect(server, '/chat')
    let sent = 0
    const before = (): number => server.loop.liveTasks().size
    const tasks = before()
    if (slow === 'disconnect') {
      for (; sent < 2000 && before() === tasks; sent++) {
        socket.send(long)
        await eventually(() => came.length === sent + 1)
      }
      t.ok(before() < tasks, `the slow one is gone after ${sent} messages`)
      socket.send('on')
      await eventually(() => came.at(-1) === 'on')
      t.equal(came.at(-1), 'on', 'the others go on')
    } else {
      // Each message that is answered makes room for the next; when none is, the slow one is waited for.
      while (sent < 2000 && await eventually(() => came.length === sent, 100)) {
        socket.send(long)
        sent++
      }
      t.ok(sent < 2000 && came.length < sent, `stopped at ${came.length} of ${sent}`)
      quiet.resume()
      await eventually(() => came.length === sent)
      t.equal(came.length, sent, 'and nothing is lost')
    }
    quiet.destroy()
    socket.close()
    await closed
  })
}

const sources: string[] = []
both('server-sent events', events(function* (emit, lastId) {
  try {
    yield* emit({ data: 'two\r\nlines', event: 'first', id: `${lastId}1` })
    yield* emit({ data: 'second' })
    yield* sleep(60)
  } catch (error) {
    sources.push((error as Error).name)
    throw error
  }
}), async (t, server) => {
  sources.length = 0
  const sent = request({ port: server.port, path: server.at || '/', headers: { 'last-event-id': '4' }, agent: false })
  sent.end()
  const [response] = await once(sent, 'response') as [IncomingMessage]
  t.match(response.headers, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
  let came = ''
  response.on('data', (data: Buffer) => { came += data.toString() })
  response.on('error', () => {})
  const wanted = ':\n\nevent: first\nid: 41\ndata: two\ndata: lines\n\ndata: second\n\n'
  await eventually(() => came.length >= wanted.length)
  t.equal(came, wanted)
  sent.destroy()
  await eventually(() => sources.length === 1)
  t.same(sources, ['CancelledError'], 'the source is cancelled at the disconnect')
})

t.test('an event is not more than one', async (t) => {
  const [server] = await servers(t, events((emit) => emit({ data: '', event: 'a\ndata: b' })))
  const { text: answer } = await raw(server!.port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  t.notMatch(answer, 'data: b')
})

const seen: string[] = []
both('cancel at disconnect', cancelAtDisconnect(function* (scope, receive, send) {
  try {
    if (scope.type === 'websocket') {
      yield* receive()
      yield* send({ type: 'websocket.accept' })
      return yield* sleep(60)
    }
    let size = 0
    for (;;) {
      const event = yield* receive()
      if (event.type !== 'http.request') break
      size += event.body.length
      if (!event.more_body) break
    }
    seen.push(`read ${size}`)
    if ((scope as { path: string }).path.endsWith('/wait')) yield* sleep(60)
    yield* respond(send, 'ok')
    seen.push((yield* receive()).type)
    yield* sleep(0.05)
    seen.push('done')
  } catch (error) {
    seen.push(error instanceof CancelledError ? 'cancelled' : String(error))
    throw error
  }
}), async (t, server) => {
  seen.length = 0
  t.equal((await call(server, '/', { method: 'POST', body: 'x'.repeat(200_000) })).status, 200)
  await eventually(() => seen.length === 3)
  t.same(seen, ['read 200000', 'http.disconnect', 'done'], 'what follows the response goes on')
  seen.length = 0
  const socket = open(server.port, `GET ${server.at}/wait HTTP/1.1\r\nHost: a\r\n\r\n`)
  await eventually(() => seen.length === 1)
  socket.destroy()
  await eventually(() => seen.length === 2)
  t.same(seen, ['read 0', 'cancelled'])
  seen.length = 0
  const webSocket = await connect(server, '/')
  webSocket.socket.terminate()
  await eventually(() => seen.length === 1)
  t.same(seen, ['cancelled'])
  await eventually(() => server.loop.liveTasks().size <= 1)
  t.ok([...server.loop.liveTasks()].every((task) => task.getName() === 'lifespan'), 'and no task is left')
})

t.test('cancel at disconnect: what is cancelled from elsewhere stays cancelled', async (t) => {
  const order: string[] = []
  const waits = cancelAtDisconnect(function* () {
    try {
      yield* sleep(3600)
    } catch (error) {
      order.push((error as Error).name)
      throw error
    }
  })
  const scope = { type: 'http', path: '/' } as HttpScope
  await run((function* (): Coroutine<void> {
    const call = new ApplicationCommunicator(waits, scope)
    yield* sleep(60)
    yield* call.sendInput({ type: 'http.disconnect' })
    yield* call.wait()
    order.push('ended')
    const late = new ApplicationCommunicator(withTimeout(waits, 60), scope)
    t.match(yield* late.receiveOutput(61), { type: 'http.response.start', status: 504 })
    order.push('late')
    const task = createTask(waits(scope, () => sleep(3600, { type: 'http.disconnect' as const }), () => sleep(0)))
    yield* sleep(1)
    task.cancel()
    yield* wait([task])
    t.ok(task.cancelled())
  })(), { clock: new VirtualClock() })
  t.same(order, ['CancelledError', 'ended', 'CancelledError', 'late', 'CancelledError'])
})

both('the tutorial', tutorial(runHere(2)), async (t, server) => {
  const lines = async (path: string): Promise<string[]> => text((await call(server, path)).body).trim().split('\n')
  t.same(await lines('/examples/1?speed=100'), ['hello', 'world'])
  t.same(await lines('/examples/2?speed=100'), ['hello', 'world'])
  t.same(await lines('/examples/3?speed=100'), ['hello', 'world'])
  t.same(await lines('/examples/4?speed=100'), ['One', 'One', 'One', 'Two', 'Two', 'Two'])
  t.equal((await lines('/')).length, 10)
  t.match((await call(server, '/examples/9')), { status: 404, body: /only 1 to 5/ })
  for (const query of ['speed=0', 'speed=x', 'speed=1e3', 'speed=', 'colour=red']) t.match((await call(server, `/examples/1?${query}`)), { status: 400 }, query)
  t.equal((await call(server, '/examples/1', { method: 'POST' })).status, 405)
  t.match(await call(server, '/examples/5', { method: 'HEAD' }), { status: 200, body: { length: 0 } }, 'HEAD runs no program')
  const { came, closed } = await connect(server, '/examples/3?speed=100')
  t.same(await closed, [1000, ''])
  t.same(came, ['hello', 'world'])
  t.equal(await refused(server, '/examples/9'), 403)

  const five = (): ReturnType<typeof open> => open(server.port, `GET ${server.at}/examples/5?speed=20 HTTP/1.1\r\nHost: a\r\n\r\n`)
  const [first, second] = [five(), five()]
  await Promise.all([once(first, 'data'), once(second, 'data')])
  const busy = await call(server, '/examples/1')
  t.match(busy, { status: 503, headers: { 'retry-after': '1' } })
  t.match(text(busy.body), /2 programs are running/)
  t.ok(server.loop.liveTasks().size > 10)
  first.destroy()
  second.destroy()
  await eventually(() => server.loop.liveTasks().size <= 1)
  t.ok([...server.loop.liveTasks()].every((task) => task.getName() === 'lifespan'), 'consumers and producers are gone with their client')
  t.equal((await call(server, '/examples/1?speed=1000')).status, 200)
})

both('the tutorial: a client that does not read', tutorial(function* (_example, _pace, print) {
  for (;;) {
    for (let line = 0; line < 100; line++) print('x'.repeat(1000))
    yield* sleep(0)
  }
}), async (t, server) => {
  const socket = open(server.port, `GET ${server.at}/examples/1 HTTP/1.1\r\nHost: a\r\n\r\n`)
  await once(socket, 'readable')
  const running = (): boolean => [...server.loop.liveTasks()].some((task) => task.getName() === 'example 1')
  await eventually(() => !running())
  t.notOk(running(), 'its program is cancelled')
  let came = ''
  socket.on('data', (data: Buffer) => { came += data.toString() })
  await eventually(() => came.includes('reads too slowly'))
  t.match(came.slice(-200), /\(cancelled: its client reads too slowly\)\n\r\n0\r\n\r\n$/, 'and says so, after what it had printed')
  socket.destroy()
})

t.test('all of it, served in both ways: the same answers', async (t) => {
  const [own, mounted] = await servers(t, whole)
  const origin = { origin: 'https://a.example' }
  const calls: [path: string, options?: Parameters<typeof call>[2]][] = [
    ['/tutorial/'], ['/tutorial/examples/3?speed=100', { headers: origin }], ['/tutorial/examples/6'], ['/files/1-hello.ts', { headers: { 'accept-encoding': 'gzip' } }],
    ['/files/1-hello.ts', { method: 'HEAD' }], ['/files/none'], ['/blocking?ms=1'], ['/blocking?ms=1&thread=other'], ['/nothing'], ['/echo'], ['/blocking', { method: 'DELETE' }],
    ['/messages', { method: 'POST', body: 'hello', headers: origin }], ['/blocking', { method: 'OPTIONS', headers: { ...origin, 'access-control-request-method': 'GET' } }],
  ]
  for (const [path, options = {}] of calls) {
    const answers = await Promise.all([own!, mounted!].map(async (server) => {
      const { status, headers, body } = await call(server, path, { ...options, headers: { 'x-request-id': 'same', 'host': 'same', ...options.headers } })
      const { date: _date, 'server-timing': timing, 'content-length': length, ...rest } = headers
      if (length !== undefined && options.method !== 'HEAD') t.equal(Number(length), body.length)
      t.match(timing, /^run;dur=/, path)
      return { status, headers: rest, body: text(body).replaceAll('/site', '').replace(/\d+ ms\n/, 'some ms\n') }
    }))
    t.same(answers[1], answers[0], `${options.method ?? 'GET'} ${path}`)
    t.ok(answers[0]!.headers['x-request-id'] === 'same')
  }
})
