// HTTP/2 and TLS: pushed responses, and what the scope says of the connection.
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect, type ClientHttp2Session, type IncomingHttpHeaders, type Settings } from 'node:http2'
import { join } from 'node:path'
import t from 'tap'
import type { Coroutine } from '../../src/index.ts'
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
  const server = await served(t, http(function* (scope, _receive, send) {
    scopes.push(scope)
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
