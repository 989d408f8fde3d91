// The extensions: a server is judged by those that it announces.
import type { IncomingHttpHeaders } from 'node:http2'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect as connectTls } from 'node:tls'
import { NoAnswer, PATIENCE, valuesOf } from './client.ts'
import { bytes, pairs, type Encoded, type Message, type RunRecord, type Step } from './contract.ts'
import { headersOf } from './http-cases.ts'
import { ask, recordBehind, requireExtension, scriptHeaders, session } from './http2-cases.ts'
import { ACCEPT, body, check, newKey, notSupported, OK, requestText, same, start, type Case, type Driver } from './suite.ts'
import { CERTIFICATE, KEY } from './targets.ts'

const deny = (status: number, headers: [string, string][], parts: string[]): Step[] => [
  ['receive'], ['send', { type: 'websocket.http.response.start', status, headers: pairs(headers) }],
  ...parts.map((part, at): Step => ['send', { type: 'websocket.http.response.body', body: bytes(part), more_body: at < parts.length - 1 }]),
]
const digits = (more: Message): Step => ['send', { type: 'http.response.zerocopysend', file: { $file: true }, ...more }]
const hint: Step = ['send', { type: 'http.response.early_hint', links: [bytes('</a.css>; rel=preload; as=style'), bytes('</b.js>; rel=preload; as=script')] }]
const TRAILED: Step[] = [
  start([['trailer', 'x-sum']], 200, { trailers: true }), body('bo', true), body('dy'),
  ['send', { type: 'http.response.trailers', headers: pairs([['x-sum', '4']]) }],
]

const tlsOf = (scope: RunRecord['scope']): Record<string, Encoded> | undefined => (scope['extensions'] as Record<string, Record<string, Encoded>> | undefined)?.['tls']

/** The tls extension of a request over TLS, and what Node says of the connection; with a certificate of the client if asked. */
async function overTls(driver: Driver, withCertificate = false): Promise<{ tls: Record<string, Encoded>; certificate: string; version: string; suite: string }> {
  const { host, port } = driver.secure
  const key = newKey()
  const own = withCertificate ? { key: readFileSync(KEY), cert: readFileSync(CERTIFICATE) } : {}
  const socket = connectTls({ host, port, rejectUnauthorized: false, ...own })
  socket.on('error', () => {})
  try {
    await once(socket, 'secureConnect', { signal: AbortSignal.timeout(PATIENCE) })
    const seen = { certificate: socket.getPeerX509Certificate()?.raw.toString('base64') ?? '', version: socket.getProtocol() ?? '', suite: socket.getCipher().standardName }
    socket.write(requestText([['drain'], ...OK], { key }))
    socket.resume()
    await once(socket, 'close', { signal: AbortSignal.timeout(PATIENCE) }).catch(() => {})
    const tls = tlsOf((await recordBehind(driver, key)).scope)
    return { tls: tls ?? notSupported('the server does not announce tls'), ...seen }
  } finally {
    socket.destroy()
  }
}

const VERSIONS: Record<string, number> = { 'TLSv1.2': 0x303, 'TLSv1.3': 0x304 }
const SUITES: Record<string, number> = { TLS_AES_128_GCM_SHA256: 0x1301, TLS_AES_256_GCM_SHA384: 0x1302, TLS_CHACHA20_POLY1305_SHA256: 0x1303 }

/** A certificate as bytes, however its text is broken into lines. */
const der = (pem: Encoded | undefined): string => String(pem).replace(/-----[^-]*-----|\s/g, '')

export const EXTENSION_CASES: Case[] = [
  {
    id: 'E1', title: 'a handshake that is answered by a response of the application', level: 'must', section: 'Websocket Denial Response', extension: 'websocket.http.response',
    async run(driver) {
      const { connection } = driver.handshake(deny(401, [['x-own', '1'], ['content-length', '6']], ['not ', 'in']))
      const { status, headers, body: text } = await connection.response()
      same([status, valuesOf(headers, 'x-own'), text], [401, ['1'], 'not in'])
      check(await connection.ends(), 'the connection closed', 'an open connection')
    },
  },
  {
    id: 'E2', title: 'a pushed response is made by a call of the application', level: 'must', section: 'HTTP/2 Server Push', extension: 'http.response.push',
    async run(driver) {
      const pushedKey = newKey()
      const { asked, response, text } = await pushed(driver, '/pushed', [['drain'], start([['x-own', '1']]), body('pushed')], pushedKey)
      same([asked[':method'], asked[':path'], asked[':authority']], ['GET', '/pushed', 'named.test'], 'the promise')
      same([response['x-own'], text], ['1', 'pushed'], 'the pushed response')
      const { scope } = await recordBehind(driver, pushedKey)
      same([scope['type'], scope['method'], scope['path'], scope['http_version']], ['http', 'GET', '/pushed', '2'], 'the scope of its call')
      const headers = headersOf(scope)
      same([headers[0], headers.find(([name]) => name === 'x-asked')], [['host', 'named.test'], ['x-asked', '1']], 'its headers')
    },
  },
  {
    id: 'E2', title: 'the path of a push is decoded: the server escapes it', level: 'must', section: 'HTTP/2 Server Push', extension: 'http.response.push',
    async run(driver) {
      const pushedKey = newKey()
      const { asked } = await pushed(driver, '/\xe4 b', [['drain'], ...OK], pushedKey)
      same(String(asked[':path']).toLowerCase(), '/%c3%a4%20b', 'the path of the promise')
      same((await recordBehind(driver, pushedKey)).scope['path'], '/\xe4 b', 'path')
    },
  },
  {
    id: 'E2', title: 'a client that takes no push has its response', level: 'must', section: 'HTTP/2 Server Push', extension: 'http.response.push',
    async run(driver) {
      await requireExtension(driver, 'http.response.push')
      const script: Step[] = [['drain'], start(), pushing('/pushed', OK, newKey()), body('ok')]
      same((await session(driver.secure, (client) => ask(client, scriptHeaders(script, newKey())), { enablePush: false })).body, 'ok')
    },
  },
  {
    id: 'E2', title: 'push is not announced for HTTP/1.1, which has none', level: 'must', section: 'HTTP/2 Server Push',
    run: (driver) => Promise.resolve(check(!('http.response.push' in ((driver.announced.http['extensions'] ?? {}) as object)), 'no http.response.push', driver.announced.http['extensions'])),
  },
  {
    id: 'E3', title: 'a file from an offset, a count of it, mixed with parts of the body', level: 'must', section: 'Zero Copy Send', extension: 'http.response.zerocopysend',
    async run(driver) {
      const { response } = await driver.call([start(), body('<', true), digits({ offset: 2, count: 3, more_body: true }), digits({ offset: 8, more_body: true }), body('>')])
      same([response.body, response.whole], ['<23489>', true])
      same((await driver.call([start([['content-length', '10']]), digits({})])).response.body, '0123456789', 'the whole file')
    },
  },
  {
    id: 'E4', title: 'a file by its path', level: 'must', section: 'Path Send', extension: 'http.response.pathsend',
    async run(driver) {
      const { response } = await driver.call([start([['content-length', '10']]), ['send', { type: 'http.response.pathsend', path: { $path: true } }]])
      same([response.status, response.body], [200, '0123456789'])
    },
  },
  {
    id: 'E5', title: 'an early hint: 103 with the links, before the response', level: 'should', section: 'Early Hints', extension: 'http.response.early_hint',
    async run(driver) {
      const { response } = await driver.call([start(), hint, hint, body('ok')])
      const links = response.early.map(({ headers }) => valuesOf(headers, 'link').join(', '))
      const both = '</a.css>; rel=preload; as=style, </b.js>; rel=preload; as=script'
      same([response.early.map(({ status }) => status), links, response.status, response.body], [[103, 103], [both, both], 200, 'ok'])
    },
  },
  {
    id: 'E6', title: 'trailers after the body, for a client that takes them', level: 'must', section: 'HTTP Trailers', extension: 'http.response.trailers',
    async run(driver) {
      const { response } = await driver.call(TRAILED, { headers: [['TE', 'trailers']] })
      same([response.body, response.trailers, response.whole], ['body', [['x-sum', '4']], true])
    },
  },
  {
    id: 'E6', title: 'no trailers for a client that does not ask for them', level: 'must', section: 'HTTP Trailers', extension: 'http.response.trailers',
    async run(driver) {
      const { response } = await driver.call(TRAILED)
      same([response.body, response.trailers, response.whole], ['body', [], true])
    },
  },
  {
    id: 'E6', title: 'the response is complete with its trailers, not before', level: 'must', section: 'Response Start; HTTP Trailers', extension: 'http.response.trailers',
    async run(driver) {
      const connection = driver.connect()
      connection.write(requestText([start([], 200, { trailers: true }), body('body'), ['receive']], { keepAlive: true, headers: [['TE', 'trailers']] }))
      check(await connection.take(/body/) !== null, 'the body', connection.unread)
      await connection.ends(300)
      check(!connection.unread.includes('0\r\n\r\n'), 'no end of the response', connection.unread)
    },
  },
  {
    id: 'E7', title: 'tls is absent without TLS', level: 'must', section: 'tls.rst, When to use this extension',
    run: (driver) => Promise.resolve(check(tlsOf(driver.announced.http) === undefined, 'no tls', driver.announced.http['extensions'])),
  },
  {
    id: 'E7', title: 'tls: the certificate of the server, the version, the cipher suite', level: 'must', section: 'tls.rst, TLS Connection Scope', extension: 'tls',
    async run(driver) {
      const { tls, certificate, version, suite } = await overTls(driver)
      for (const name of ['server_cert', 'tls_version', 'cipher_suite']) check(name in tls, `${name}, which is mandatory`, Object.keys(tls))
      if (tls['server_cert'] !== null) same(der(tls['server_cert']), certificate, 'server_cert')
      if (tls['tls_version'] !== null) same(tls['tls_version'], VERSIONS[version], `the number of ${version}`)
      if (tls['cipher_suite'] !== null && suite in SUITES) same(tls['cipher_suite'], SUITES[suite], `the number of ${suite}`)
      same([tls['client_cert_chain'] ?? [], tls['client_cert_name'] ?? null, tls['client_cert_error'] ?? null], [[], null, null], 'a client without a certificate')
    },
  },
  {
    id: 'E7', title: 'tls: the certificate of the client', level: 'must', section: 'tls.rst, TLS Connection Scope', extension: 'tls',
    async run(driver) {
      const { tls } = await overTls(driver, true)
      const chain = (tls['client_cert_chain'] ?? []) as Encoded[]
      if (chain.length === 0) notSupported('the server asks for no certificate of the client')
      same(chain.map(der), [der(readFileSync(CERTIFICATE, 'utf8'))], 'client_cert_chain')
      same(tls['client_cert_name'], 'CN=conformance.test,O=Test\\, only', 'client_cert_name')
      check(typeof tls['client_cert_error'] === 'string' && tls['client_cert_error'] !== '', 'an error, as nothing vouches for the certificate', tls['client_cert_error'])
    },
  },
  {
    id: 'E7', title: 'tls: a WebSocket over TLS has it too, and the scheme wss', level: 'must', section: 'tls.rst, The Base Protocol; Websocket Connection Scope', extension: 'tls',
    async run(driver) {
      await overTls(driver)
      const { connection, key } = driver.handshake(ACCEPT, {}, driver.secure)
      same((await connection.response()).status, 101, 'status')
      const { scope } = await recordBehind(driver, key)
      same([scope['scheme'], typeof tlsOf(scope)], ['wss', 'object'])
    },
  },
  {
    id: 'E8', title: 'http.response.debug is absent', level: 'should', section: 'Debug',
    run: (driver) => Promise.resolve(check(!('http.response.debug' in ((driver.announced.http['extensions'] ?? {}) as object)), 'no http.response.debug', driver.announced.http['extensions'])),
  },
]

const pushing = (path: string, script: Step[], key: string): Step => ['send', { type: 'http.response.push', path, headers: pairs([['x-asked', '1'], ...Object.entries(scriptHeaders(script, key))]) }]

/** What a server pushes with the answer to a request: a response to a request for `path`, made by the script. */
async function pushed(driver: Driver, path: string, script: Step[], key: string): Promise<{ asked: IncomingHttpHeaders; response: IncomingHttpHeaders; text: string }> {
  await requireExtension(driver, 'http.response.push')
  return session(driver.secure, async (client) => {
    const promise = once(client, 'stream', { signal: AbortSignal.timeout(PATIENCE) }).catch(() => null) as Promise<[NodeJS.ReadableStream, IncomingHttpHeaders] | null>
    const stream = client.request({ ':path': '/', ':authority': 'named.test', ...scriptHeaders([['drain'], start(), pushing(path, script, key), body('ok')], newKey()) })
    stream.on('error', () => {}).resume()
    const found = await promise
    check(found !== null, 'a push promise', 'none')
    const [push, asked] = found
    let text = ''
    push.on('data', (part: Buffer) => { text += String(part) }).on('error', () => {})
    const signal = AbortSignal.timeout(PATIENCE)
    const [[response]] = await Promise.all([once(push, 'push', { signal }), once(push, 'end', { signal })]).catch((error: Error) => { throw new NoAnswer(error.message) }) as [[IncomingHttpHeaders], unknown]
    return { asked, response, text }
  })
}
