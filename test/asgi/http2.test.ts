// HTTP/2 and TLS: pushed responses, and what the scope says of the connection.
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect, constants, type ClientHttp2Session, type IncomingHttpHeaders, type Settings } from 'node:http2'
import { join } from 'node:path'
import t from 'tap'
import { currentTask, sleep, type Coroutine } from '../../src/index.ts'
import type { HttpScope, Send } from '../../src/asgi/index.ts'
import { eventually } from '../support/eventually.ts'
import { bytes, http, respond, served, text, type Served } from './support.ts'

const read = (name: string): Buffer => readFileSync(join(import.meta.dirname, 'conformance', name))
const tls = { key: read('key.pem'), cert: read('certificate.pem'), requestCert: true, rejectUnauthorized: false }

function session(t: { teardown(fn: () => unknown): void }, server: Served, settings: Settings = {}): ClientHttp2Session {
  const client = connect(server.url, { rejectUnauthorized: false, settings })
  t.teardown(() => client.destroy())
  return client
}

/** The body of an answer; null if its stream is reset. */
async function get(client: ClientHttp2Session, path: string): Promise<string | null> {
  const stream = client.request({ ':path': path, ':authority': 'named.test' })
  let body = ''
  stream.on('data', (part: Buffer) => { body += text(part) }).on('error', () => {}).end()
  await new Promise((resolve) => stream.once('close', resolve))
  return stream.rstCode === 0 ? body : null
}

function* push(send: Send, path: string): Coroutine<void> {
  yield* send({ type: 'http.response.start', status: 200 })
  yield* send({ type: 'http.response.push', path, headers: [[bytes('x-two'), bytes('1')], [bytes('x-two'), bytes('2')]] })
  yield* send({ type: 'http.response.body', body: bytes('ok') })
}

t.test('HTTP/2 Server Push: a call of the application answers the promised request', async (t) => {
  const scopes: HttpScope[] = []
  const tasks: string[] = []
  const server = await served(t, http(function* (scope, _receive, send) {
    scopes.push(scope)
    tasks.push(currentTask()!.getName())
    // The pushed response tries to push another one.
    yield* push(send, scope.path === '/' ? '/ä b' : '/never')
  }), { tls, http2: true })
  const client = session(t, server)
  const promised: IncomingHttpHeaders[] = []
  let pushed = ''
  client.on('stream', (stream, headers) => {
    promised.push(headers)
    stream.on('data', (part: Buffer) => { pushed += text(part) })
  })
  t.equal(await get(client, '/'), 'ok')
  await eventually(() => pushed !== '')
  t.equal(pushed, 'ok')
  t.match(promised, [{ ':method': 'GET', ':path': '/%C3%A4%20b', ':authority': 'named.test', 'x-two': '1, 2' }])
  t.match(scopes[1], { method: 'GET', path: '/ä b', http_version: '2', scheme: 'https' })
  t.same(scopes[1]!.headers.map(([name, value]) => [text(name), text(value)]), [['host', 'named.test'], ['x-two', '1'], ['x-two', '2']])
  t.same(tasks, ['GET / #1', 'GET /%C3%A4%20b #2'], 'with a number of its own')
  t.equal(scopes.length, 2, 'a pushed response pushes no other')
  t.same(server.log, [])
})

t.test('HTTP/2 Server Push: a client that takes none has its response, and sees that one is cut off', async (t) => {
  const server = await served(t, http(function* (scope, _receive, send) {
    if (scope.path === '/push') return yield* push(send, '/never')
    yield* send({ type: 'http.response.start', status: 200 })
    yield* send({ type: 'http.response.body', body: bytes('half'), more_body: true })
  }), { tls, http2: true })
  const client = session(t, server, { enablePush: false })
  await once(client, 'remoteSettings')
  t.equal(await get(client, '/push'), 'ok')
  t.equal(await get(client, '/half'), null)
  t.match(server.log, [/before its response was complete/])
})

t.test('HTTP/2: send waits for a client that does not read, and wakes when it leaves', async (t) => {
  let [sent, ended] = [0, '']
  const part = new Uint8Array(16 * 1024)
  const server = await served(t, http(function* (_scope, _receive, send) {
    yield* send({ type: 'http.response.start', status: 200 })
    try {
      for (; sent < 4096 * part.length; sent += part.length) {
        yield* send({ type: 'http.response.body', body: part, more_body: true })
        yield* sleep(0)
      }
    } catch (error) {
      ended = (error as Error).name
    }
  }), { tls, http2: true })
  const stream = session(t, server).request({ ':path': '/' })
  let [before, looks] = [-1, 0]
  await eventually(() => {
    looks = sent > 0 && sent === before ? looks + 1 : 0
    before = sent
    return looks === 10
  })
  t.ok(sent < 4096 * part.length, `${sent} bytes`)
  stream.on('error', () => {}).close(constants.NGHTTP2_CANCEL)
  await eventually(() => ended !== '')
  t.equal(ended, 'ClientDisconnected')
})

t.test('HTTP/2: trailers are sent to a client that takes them', async (t) => {
  const server = await served(t, http(function* (_scope, _receive, send) {
    yield* send({ type: 'http.response.start', status: 200, trailers: true })
    yield* send({ type: 'http.response.body', body: bytes('ok') })
    yield* send({ type: 'http.response.trailers', headers: [[bytes('x-sum'), bytes('1')], [bytes('x-two'), bytes('2')]], more_trailers: true })
    yield* send({ type: 'http.response.trailers', headers: [[bytes('x-two'), bytes('3')]] })
  }), { tls, http2: true })
  const client = session(t, server)
  for (const te of ['trailers', '']) {
    const stream = client.request({ ':path': '/', ...te === '' ? {} : { te } })
    let trailers: IncomingHttpHeaders = {}
    stream.on('trailers', (got: IncomingHttpHeaders) => { trailers = got }).resume().end()
    await once(stream, 'close')
    t.match([trailers['x-sum'], trailers['x-two']], te === '' ? [undefined, undefined] : ['1', '2, 3'])
  }
  t.same(server.log, [])
})

t.test('tls: the same for HTTP/2 as for HTTP/1.1', async (t) => {
  const found: unknown[] = []
  const server = await served(t, http(function* (scope, _receive, send) {
    found.push(scope.extensions['tls'])
    yield* respond(send, 'ok')
  }), { tls, http2: true })
  await get(session(t, server), '/')
  t.match(found[0], { server_cert: String(read('certificate.pem')), client_cert_chain: [], client_cert_name: null, client_cert_error: null, tls_version: 0x304 })
  t.type((found[0] as { cipher_suite: unknown }).cipher_suite, 'number')
})
