// What neither port accepts from a client: each is refused in the one shape, or the connection is closed.
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import { fetch } from 'undici'
import { STATUSES, type Code } from '../../src/http/refusals.ts'
import { forward } from '../../src/observe/proxy.ts'
import { HostNames, targetProblem } from '../../src/http/origin.ts'
import { bodyOf, handshake, raw } from '../support/raw.ts'
import { listen } from '../support/server.ts'

let port: number
let url: string
let observerUrl: string
let ports: (readonly [name: string, port: number])[]
t.before(async () => {
  const { app, ...listening } = await listen(t)
  await app.observer.ready
  ;({ port, url } = listening)
  observerUrl = app.observer.url!
  ports = [['app', port], ['observer', app.observer.port!]]
})

/** Both ports refuse these bytes, with this status, in the one shape, and may close or keep the connection. */
async function refused(t: Test, what: string, bytes: string, code: Code, words = /./): Promise<void> {
  const statusCode = STATUSES[code]
  for (const [name, port] of ports) {
    const { text } = await raw(port, bytes.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'))
    t.match(text, new RegExp(`^HTTP/1\\.1 ${statusCode} `), `${what}, ${name}`)
    t.match(bodyOf(text), { statusCode, code, error: String, message: words }, `${what}, ${name}`)
    t.equal(text.split('HTTP/1.1 ').length, 2, 'one status line')
  }
}

const get = (target: string, headers = ''): string => `GET ${target} HTTP/1.1\r\nHost: localhost\r\n${headers}\r\n`

t.test('targets that would lead elsewhere', async (t) => {
  let contacted = 0
  const other = createServer((socket) => {
    contacted++
    socket.end('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret')
  }).listen(0, '127.0.0.1')
  await once(other, 'listening')
  t.teardown(() => other.close())
  const elsewhere = `127.0.0.1:${(other.address() as AddressInfo).port}`

  for (const target of [`http://${elsewhere}/handlers/../x`, `http://${elsewhere}/ping`, `//${elsewhere}/ping`, '*', 'ping', `@${elsewhere}/ping`]) {
    await refused(t, target, get(target), 'invalid-request')
  }
  for (const path of [
    '/examples/../metrics', '/handlers/%2e%2e/docs/json', '/handlers/.%2E/tasks', '/lab/./1', '/handlers/..', '/handlers/..?ms=1',
    '/handlers/..%2fmetrics', '/handlers\\..\\metrics', '/view/..%5cpackage.json',
  ]) await refused(t, path, get(path), 'invalid-request', /no segment/)
  await refused(t, 'DELETE', 'DELETE /lab/../tasks/99 HTTP/1.1\r\nHost: localhost\r\n\r\n', 'invalid-request', /no segment/)
  t.equal(contacted, 0, 'nothing else was called')
  for (const fine of ['/ping', '/view/a.b.js', '/runs/1/trace?x=/../', '/a..b/c', '/.well-known/x', '/examples/...']) t.equal(targetProblem(fine), null, fine)
})

t.test('a request that is passed on goes to the app, without the client\'s own claims', async (t) => {
  const seen: string[] = []
  const upstream = createServer((socket) => {
    socket.on('data', (chunk) => {
      const text = chunk.toString()
      seen.push(text)
      const status = /ms=(\d+)/.exec(text)?.[1] ?? '200'
      socket.end(`HTTP/1.1 ${status} Whatever\r\nContent-Length: 2\r\nSet-Cookie: a=b\r\n\r\nok`)
    })
    socket.on('error', () => {})
  }).listen(0, '127.0.0.1')
  await once(upstream, 'listening')
  t.teardown(() => upstream.close())
  const server = Fastify()
  t.teardown(() => server.close())
  const { port: upstreamPort } = upstream.address() as AddressInfo
  forward(server, { address: () => `http://127.0.0.1:${upstreamPort}`, secret: 's3cret' })
  await server.listen({ port: 0, host: '127.0.0.1' })
  const base = `http://127.0.0.1:${(server.server.address() as AddressInfo).port}`

  const answer = await fetch(`${base}/handlers/async?ms=200`, {
    headers: { 'cookie': 'id=1', 'authorization': 'Bearer x', 'x-forwarded-for': '1.2.3.4', 'forwarded': 'for=1.2.3.4', 'trailer': 'x', 'accept': 'text/plain' },
  })
  t.equal(await answer.text(), 'ok')
  t.equal(answer.headers.get('set-cookie'), null)
  t.match(seen[0], /^GET \/handlers\/async\?ms=200 HTTP\/1\.1\r\n/)
  t.match(seen[0], /\r\nx-loopscope-client: s3cret 127\.0\.0\.1\r\n/)
  t.match(seen[0], new RegExp(`\\r\\nhost: 127\\.0\\.0\\.1:${upstreamPort}\\r\\n`, 'i'))
  t.match(seen[0], /\r\naccept: text\/plain\r\n/)
  t.notMatch(seen[0], /cookie|authorization|forwarded|trailer/i)
  for (const status of ['001', '099', '999']) {
    const odd = await fetch(`${base}/handlers/async?ms=${status}`)
    t.equal(odd.status, 502, `an answer of ${status}`)
    t.match(await odd.json(), { statusCode: 502, code: 'app-does-not-answer' })
  }
  upstream.close()
  t.equal((await fetch(`${base}/ping`)).status, 502, 'an app that is gone')
})

t.test('names that are not the server\'s', async (t) => {
  for (const host of ['evil.example', 'evil.example:8000', 'localhost.evil.example', '127.0.0.1.evil.example', 'local host', '[::1', '', 'localhost:x']) {
    await refused(t, `Host: ${host}`, `GET /ping HTTP/1.1\r\nHost: ${host}\r\n\r\n`, 'unknown-host')
  }
  for (const host of ['LOCALHOST', 'LocalHost:80', '127.0.0.1', '10.1.2.3:8000', '[::1]:80', 'localhost.']) {
    for (const [name, port] of ports) {
      t.match((await raw(port, `GET /healthz HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)).text, /^HTTP\/1\.1 200 /, `${host}, ${name}`)
    }
  }
  const names = new HostNames(['web'], ['Example.org', '.example.net'])
  for (const host of ['web:1', 'EXAMPLE.org', 'example.net', 'a.b.example.net']) t.ok(names.has(host), host)
  for (const host of ['a.example.org', 'badexample.net', 'example.com', '*']) t.notOk(names.has(host), host)
  t.ok(new HostNames([], ['*']).has('any.example'))
})

t.test('a server that listens on all addresses checks names as well', async (t) => {
  const { app: open } = await listen(t, { HOST: '0.0.0.0', ALLOWED_HOSTS: 'ci.example,.internal' })
  await open.observer.ready
  const check = async (host: string): Promise<number[]> => {
    const observer = await raw(open.observer.port!, `GET /healthz HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)
    return [(await open.inject({ url: '/healthz', headers: { host } })).statusCode, Number(observer.text.slice(9, 12))]
  }
  t.same(await check('evil.example'), [403, 403])
  t.same(await check('ci.example'), [200, 200])
  t.same(await check('a.internal:8000'), [200, 200])
})

t.test('requests from another site\'s page', async (t) => {
  const costly = ['/handlers/sync?ms=0', '/examples/1/run?speed=1000', '/ping', '/tasks', '/runs', '/events']
  const bySite = (site: string, dest: string, mode = 'navigate'): string => `Sec-Fetch-Site: ${site}\r\nSec-Fetch-Mode: ${mode}\r\nSec-Fetch-Dest: ${dest}\r\n`
  for (const path of costly) {
    for (const dest of ['iframe', 'object', 'embed', 'document']) await refused(t, `${path} in ${dest}`, get(path, bySite('cross-site', dest)), 'foreign-site', /another site/)
    await refused(t, `${path} from a sibling`, get(path, bySite('same-site', 'document')), 'foreign-site', /another site/)
    await refused(t, `${path} from where nothing is said`, get(path, 'Referer: http://evil.example/page\r\n'), 'foreign-site', /another site/)
  }
  for (const dest of ['iframe', 'embed']) await refused(t, `/ in ${dest}`, get('/', bySite('cross-site', dest)), 'foreign-site', /another site/)
  const status = async (base: string, path: string, headers: string): Promise<number> =>
    Number((await raw(Number(new URL(base).port), get(path, `${headers}Connection: close\r\n`))).text.slice(9, 12))
  // A link to a page, and everything that the page itself and a terminal do.
  t.equal(await status(observerUrl, '/', bySite('cross-site', 'document')), 200)
  t.equal(await status(url, '/docs', bySite('cross-site', 'document')), 200)
  t.equal(await status(url, '/view/', `Referer: http://evil.example/\r\n`), 200)
  for (const base of [url, observerUrl]) {
    t.equal(await status(base, '/ping', bySite('same-origin', 'empty', 'cors')), 200)
    t.equal(await status(base, '/ping', bySite('none', 'document')), 200)
    t.equal(await status(base, '/ping', 'Referer: http://localhost/view/\r\n'), 200)
    t.equal(await status(base, '/ping', ''), 200)
  }
})

t.test('requests that cannot be read', async (t) => {
  await refused(t, 'an expectation', get('/ping', 'Expect: the-best\r\n'), 'expectation-failed', /only 100-continue/)
  await refused(t, 'no Host', 'GET /ping HTTP/1.1\r\n\r\n', 'invalid-request', /must have a Host/)
  await refused(t, 'two Hosts', get('/ping', 'Host: 127.0.0.1\r\n'), 'invalid-request', /one Host/)
  await refused(t, 'a bad escape', get('/%zz'), 'invalid-request')
  await refused(t, 'a long parameter', get(`/runs/${'1'.repeat(200)}`), 'path-too-long')
  await refused(t, 'no HTTP', 'HELLO?\r\n\r\n', 'invalid-request', /not an HTTP request/)
  await refused(t, 'large headers', get('/ping', `X-Large: ${'x'.repeat(20_000)}\r\n`), 'headers-too-large')
  for (const [name, port] of ports) {
    t.match(await raw(port, 'CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\n\r\n'), { text: '', closed: true }, `CONNECT, ${name}`)
    t.match((await raw(port, get('/healthz', 'Trailer: x\r\nConnection: close\r\n'))).text, /^HTTP\/1\.1 200 /, `Trailer, ${name}`)
    t.match((await raw(port, get('/handlers/async?ms=1', 'Trailer: x\r\nConnection: close\r\n'))).text, /^HTTP\/1\.1 200 /, `Trailer on a handler, ${name}`)
    t.match((await raw(port, get('/healthz', 'Connection: Upgrade\r\nUpgrade: h2c\r\n'))).text, /^HTTP\/1\.1 200 /, `an offer of HTTP/2, ${name}`)
  }
})

t.test('a refusal is short, however long and many the names in it are', async (t) => {
  for (const [count, length] of [[1, 60_000], [5000, 6], [60, 1000]] as const) {
    const body = JSON.stringify(Object.fromEntries(Array.from({ length: count }, (_, n) => [`${n}`.padStart(length, 'x'), 1])))
    const { text } = await raw(port, `POST /lab HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`)
    t.match(bodyOf(text), { statusCode: 400, code: 'invalid-body', message: /^x.*…$/, details: [{ field: /^x+…?/, message: 'is not a known field here' }] }, `${count} of ${length}`)
    t.ok(Buffer.byteLength(text) < 64 * 1024, `${count} of ${length}: ${text.length} bytes`)
  }
})

t.test('garbage after a request does not end up in its answer', async (t) => {
  for (const [name, port] of ports) {
    const { text, closed } = await raw(port, `${get('/events')}GARBAGE\r\n\r\n`)
    t.ok(closed, name)
    t.ok(text.split('HTTP/1.1').length <= 2, `${name}: at most one status line`)
  }
})

t.test('a body after a refused expectation is not answered a second time', async (t) => {
  for (const [name, port] of ports) {
    const { text, closed } = await raw(port, `POST /lab HTTP/1.1\r\nHost: localhost\r\nExpect: x\r\nTransfer-Encoding: chunked\r\n\r\nno size\r\n\r\nGET /ping HTTP/1.1\r\n\r\n`)
    t.match(text, /^HTTP\/1\.1 417 /, name)
    t.equal(text.split('HTTP/1.1 ').length, 2, `${name}: one status line`)
    t.ok(closed, name)
  }
})

t.test('refused handshakes', async (t) => {
  const cases: [string, string, Code, RegExp?][] = [
    ['no such path', handshake('/nothing'), 'no-such-route'], ['no WebSocket there', handshake('/healthz'), 'no-websocket'],
    ['a bad field', handshake('/events?x=1'), 'invalid-query', /x: is not a known field/], ['a bad escape', handshake('/%zz'), 'invalid-request'],
    ['another origin', handshake('/events', 'Origin: http://evil.example\r\n'), 'foreign-site', /another origin/],
    ['another name', handshake('/events').replace('localhost', 'evil.example'), 'unknown-host'],
    ['a bad key', handshake('/events').replace('AAAA', '!'), 'invalid-request', /not a WebSocket handshake/], ['a bad version', handshake('/events').replace('13', '7'), 'invalid-request', /not a WebSocket handshake/],
    ['a wrong method', handshake('/events').replace('GET', 'POST'), 'method-not-allowed'], ['dots', handshake('/examples/../events'), 'invalid-request', /no segment/],
  ]
  for (const [what, bytes, code, words = /./] of cases) {
    const statusCode = STATUSES[code]
    for (const [name, port] of ports) {
      const { text, closed } = await raw(port, bytes)
      t.match(text, new RegExp(`^HTTP/1\\.1 ${statusCode} `), `${what}, ${name}`)
      t.match(bodyOf(text), { statusCode, code, message: words }, `${what}, ${name}`)
      t.ok(closed, `${what}, ${name}: the connection is closed`)
    }
  }
})

t.test('values that a handler throws', async (t) => {
  const server = Fastify()
  const { default: loopscope } = await import('../../src/fastify/index.ts')
  await server.register(loopscope)
  t.teardown(() => server.close())
  const things: Record<string, unknown> = { text: 'text', nothing: undefined, null: null, zero: 0, object: { statusCode: 200, ok: true }, false: false }
  for (const [name, thing] of Object.entries(things)) {
    server.get(`/${name}`, function* () {
      throw thing
    })
  }
  const causes: unknown[] = []
  server.addHook('onError', (_request, _reply, error, done) => {
    causes.push(error.cause)
    done()
  })
  for (const [name, thing] of Object.entries(things)) {
    const response = await server.inject(`/${name}`)
    t.equal(response.statusCode, 500, name)
    t.match(response.json(), { statusCode: 500, message: /which is no Error/ }, name)
    t.equal(causes.at(-1), thing, `${name} is the cause`)
  }
})
