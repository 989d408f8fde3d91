// The same requirements for HTTP/2, and the rules that only it has. A server that does not speak it, or is given to the suite
// without TLS, is not judged by them.
import { once } from 'node:events'
import { connect, constants, type ClientHttp2Session, type ClientHttp2Stream, type IncomingHttpHeaders, type Settings } from 'node:http2'
import { NoAnswer, PATIENCE, utf8, type Address } from './client.ts'
import type { RunRecord, Step } from './contract.ts'
import { bodyOf, DISCONNECT, flooded, full, headersOf, typesOf } from './http-cases.ts'
import { asHeader, body, check, newKey, notSupported, OK, received, same, start, type Case, type Driver } from './suite.ts'

export interface Answer {
  headers: IncomingHttpHeaders
  body: string
  trailers: IncomingHttpHeaders
  /** The informational responses before it. */
  early: IncomingHttpHeaders[]
}

export const scriptHeaders = (script: Step[], key: string): Record<string, string> => ({ 'x-script': asHeader(script), 'x-key': key })

/** A connection of HTTP/2, while it is used. */
export async function session<T>(address: Address, use: (session: ClientHttp2Session) => Promise<T>, settings: Settings = {}): Promise<T> {
  const client = connect(`https://${address.host}:${address.port}`, { rejectUnauthorized: false, settings })
  client.on('error', () => {})
  try {
    await once(client, 'connect', { signal: AbortSignal.timeout(PATIENCE) }).catch(() => {})
    if (client.alpnProtocol !== 'h2') notSupported('the server does not speak HTTP/2')
    return await use(client)
  } finally {
    client.destroy()
  }
}

/** Asks for something, and returns the answer. */
export async function ask(client: ClientHttp2Session, headers: Record<string, string | string[]>, content: string | null = null): Promise<Answer> {
  const stream = client.request({ ':path': '/', ...headers }, { endStream: content === null })
  const answer: Answer = { headers: {}, body: '', trailers: {}, early: [] }
  stream.on('headers', (early: IncomingHttpHeaders) => answer.early.push(early))
  stream.on('trailers', (trailers: IncomingHttpHeaders) => { answer.trailers = trailers })
  stream.on('data', (part: Buffer) => { answer.body += part.toString('latin1') })
  stream.on('response', (got: IncomingHttpHeaders) => { answer.headers = got })
  if (content !== null) stream.end(content, 'latin1')
  await once(stream, 'end', { signal: AbortSignal.timeout(PATIENCE) }).catch((error: Error) => { throw new NoAnswer(error.message) })
  return answer
}

/** Runs a script by HTTP/2; the answer, and what the application recorded. */
async function call(driver: Driver, script: Step[], headers: Record<string, string | string[]> = {}, content: string | null = null): Promise<{ answer: Answer; record: RunRecord }> {
  const key = newKey()
  const answer = await session(driver.secure, (client) => ask(client, { ...headers, ...scriptHeaders(script, key) }, content))
  return { answer, record: await recordBehind(driver, key) }
}

/** A script that runs while its client does something, and its record at the end. */
async function meanwhile(driver: Driver, script: Step[], ready: (record: RunRecord) => boolean, use: (stream: ClientHttp2Stream, record: RunRecord) => void, ms = PATIENCE): Promise<RunRecord> {
  const key = newKey()
  return session(driver.secure, async (client) => {
    const stream = client.request({ ':path': '/', ...scriptHeaders(script, key) })
    stream.on('error', () => {})
    use(stream, await recordBehind(driver, key, ready, ms))
    return recordBehind(driver, key)
  })
}

/** A record of the server behind TLS, which is one of its own; after a while as it is. */
export async function recordBehind(driver: Driver, key: string, ready = ({ ended }: RunRecord): boolean => ended !== null, ms = PATIENCE): Promise<RunRecord> {
  for (const late = performance.now() + ms; ;) {
    const connection = driver.connect(driver.secure)
    connection.write(`GET /records/${key} HTTP/1.1\r\nHost: conformance.test\r\nConnection: close\r\n\r\n`)
    const record = JSON.parse(utf8((await connection.response()).body)) as RunRecord | null
    connection.close()
    if (record !== null && (ready(record) || performance.now() > late)) return record
    if (performance.now() > late) throw new NoAnswer('the application was not called')
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

const TRAILED: Step[] = [['drain'], start([], 200, { trailers: true }), body('body'), ['send', { type: 'http.response.trailers', headers: [[{ $bytes: 'x-sum' }, { $bytes: '4' }]] }]]

/** Leaves a case that is about an extension unjudged, if the server does not announce it for HTTP/2. */
export async function requireExtension(driver: Driver, name: string): Promise<void> {
  const { scope } = (await call(driver, [['drain'], ...OK])).record
  if (!(name in ((scope['extensions'] ?? {}) as object))) notSupported(`the server does not announce ${name}`)
}

export const HTTP2_CASES: Case[] = [
  {
    id: 'H2', title: 'no pseudo headers; :authority is the first header, as host', level: 'must', section: 'HTTP Connection Scope',
    async run(driver) {
      const { scope } = (await call(driver, [['drain'], ...OK], { ':authority': 'named.test', 'x-own': '1' })).record
      same([scope['http_version'], scope['scheme'], scope['method']], ['2', 'https', 'GET'])
      const headers = headersOf(scope)
      same(headers.filter(([name]) => name?.startsWith(':') !== false), [], 'pseudo headers')
      same(headers[0], ['host', 'named.test'], 'the first header')
      same(headers.filter(([name]) => name === 'host').length, 1, 'headers named host')
    },
  },
  {
    id: 'H2', title: 'requests of one connection are served at the same time, with scopes of their own', level: 'must', section: 'HTTP',
    async run(driver) {
      const [slow, quick] = [newKey(), newKey()]
      const order: string[] = []
      await session(driver.secure, (client) => Promise.all([
        ask(client, { ':path': '/slow', ...scriptHeaders([['drain'], ['sleep', 0.4], start(), body('slow')], slow) }).then(({ body: text }) => order.push(text)),
        ask(client, { ':path': '/quick', ...scriptHeaders([['set', 'changed', 1], ['drain'], start(), body('quick')], quick) }).then(({ body: text }) => order.push(text)),
      ]))
      same(order, ['quick', 'slow'], 'the order of the answers')
      const [first, second] = [await recordBehind(driver, slow), await recordBehind(driver, quick)]
      same([first.scope['path'], second.scope['path'], first.scope['changed']], ['/slow', '/quick', undefined], 'paths, and a key that the other call added')
    },
  },
  {
    id: 'H3', title: 'HTTP/2: cookies arrive whole, joined by "; " or one by one', level: 'must', section: 'HTTP',
    async run(driver) {
      const { scope } = (await call(driver, [['drain'], ...OK], { cookie: ['a=1', 'b=2'] })).record
      same(headersOf(scope).filter(([name]) => name === 'cookie').map(([, value]) => value).join('; '), 'a=1; b=2')
    },
  },
  {
    id: 'H3', title: 'HTTP/2: each Set-Cookie stays a header of its own', level: 'must', section: 'HTTP',
    run: async (driver) => same((await call(driver, [['drain'], start([['set-cookie', 'a=1'], ['set-cookie', 'b=2']]), body('ok')])).answer.headers['set-cookie'], ['a=1', 'b=2']),
  },
  {
    id: 'H4', title: 'HTTP/2: a request body', level: 'must', section: 'Request',
    async run(driver) {
      const { record } = await call(driver, [['drain'], ...OK], { ':method': 'POST' }, 'he\xe4lo')
      same([bodyOf(record), received(record).at(-1)?.['more_body'] ?? false], ['he\xe4lo', false])
    },
  },
  {
    id: 'H5', title: 'HTTP/2: status, headers, the parts of a body', level: 'must', section: 'Response Start; Response Body',
    async run(driver) {
      const { answer } = await call(driver, [['drain'], start([['x-own', '1']], 418), body('a', true), body('b')])
      same([answer.headers[':status'], answer.headers['x-own'], answer.body], [418, '1', 'ab'])
    },
  },
  {
    id: 'H6', title: 'HTTP/2: Transfer-Encoding of the application is ignored', level: 'must', section: 'Response Start; RFC 9113, 8.2.2',
    async run(driver) {
      const { answer } = await call(driver, [['drain'], start([['transfer-encoding', 'chunked']]), body('plain')])
      same([answer.headers[':status'], answer.headers['transfer-encoding'], answer.body], [200, undefined, 'plain'])
    },
  },
  {
    id: 'H7', title: 'HTTP/2: send waits for a client that does not read', level: 'should', section: 'Response Body',
    async run(driver) {
      const limit = 64 * 1024 * 1024
      let sum = 0
      await meanwhile(driver, [['drain'], start(), ['flood', 16384, limit]], full(), (stream, record) => {
        sum = flooded(record)
        stream.close(constants.NGHTTP2_CANCEL)
      }, 4 * PATIENCE)
      check(sum < limit, `fewer than ${limit} bytes`, sum)
    },
  },
  {
    id: 'H10', title: 'HTTP/2: receive after the client has reset the stream gives http.disconnect, each time', level: 'must', section: 'Disconnect',
    async run(driver) {
      const record = await meanwhile(driver, [['drain'], ['receive', 4], ['receive', 1], ['receive', 1]], ({ log }) => log.length > 0, (stream) => stream.close(constants.NGHTTP2_CANCEL))
      same(typesOf(record).slice(-3), [DISCONNECT, DISCONNECT, DISCONNECT])
    },
  },
  {
    id: 'H11', title: 'HTTP/2: a send that waits is woken when the client resets the stream', level: 'must', section: 'Applications; Response Body',
    async run(driver) {
      const record = await meanwhile(driver, [['drain'], start(), ['flood', 16384, 64 * 1024 * 1024]], full(), (stream) => stream.close(constants.NGHTTP2_CANCEL), 4 * PATIENCE)
      check(record.ended !== null, 'the end of the call', 'a call that waits')
    },
  },
  {
    id: 'H12', title: 'HTTP/2: a response to HEAD has no body', level: 'must', section: 'RFC 9110, 9.3.2',
    async run(driver) {
      const { answer } = await call(driver, [['drain'], start([['content-length', '4']]), body('body')], { ':method': 'HEAD' })
      same([answer.headers[':status'], answer.body], [200, ''])
    },
  },
  {
    id: 'H13', title: 'HTTP/2: an application that returns in the middle of its response: the stream is reset', level: 'should', section: 'Response Body',
    async run(driver) {
      const end = await session(driver.secure, async (client) => {
        const stream = client.request({ ':path': '/', ...scriptHeaders([['drain'], start(), body('half', true)], newKey()) })
        stream.on('error', () => {}).resume()
        return new Promise<string>((resolve) => {
          const late = setTimeout(() => resolve('a stream that stays open'), PATIENCE)
          stream.once('close', () => {
            clearTimeout(late)
            resolve(stream.rstCode === constants.NGHTTP2_NO_ERROR ? 'a whole response' : 'a reset')
          })
        })
      })
      same(end, 'a reset')
    },
  },
  {
    id: 'E5', title: 'HTTP/2: an early hint', level: 'should', section: 'Early Hints',
    async run(driver) {
      await requireExtension(driver, 'http.response.early_hint')
      const { answer } = await call(driver, [['drain'], start(), ['send', { type: 'http.response.early_hint', links: [{ $bytes: '</a.css>; rel=preload' }] }], body('ok')])
      same([answer.early.map((one) => [one[':status'], one['link']]), answer.headers[':status'], answer.body], [[[103, '</a.css>; rel=preload']], 200, 'ok'])
    },
  },
  {
    id: 'E6', title: 'HTTP/2: trailers, for a client that takes them', level: 'must', section: 'HTTP Trailers',
    async run(driver) {
      await requireExtension(driver, 'http.response.trailers')
      const { answer } = await call(driver, TRAILED, { te: 'trailers' })
      same([answer.body, answer.trailers['x-sum']], ['body', '4'])
    },
  },
  {
    id: 'E6', title: 'HTTP/2: no trailers for a client that does not ask for them', level: 'must', section: 'HTTP Trailers',
    async run(driver) {
      await requireExtension(driver, 'http.response.trailers')
      const { answer } = await call(driver, TRAILED)
      same([answer.body, answer.trailers['x-sum']], ['body', undefined])
    },
  },
]
