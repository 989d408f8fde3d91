// The requirements of HTTP (www.rst, "HTTP").
import { PATIENCE, valuesOf, type Response } from './client.ts'
import { bytes, textOf, type Encoded, type RunRecord } from './contract.ts'
import { body, check, newKey, notSupported, OK, received, requestText, same, sent, start, type Case, type Driver } from './suite.ts'

const QUIET_MS = 400
const SCOPE = 'HTTP Connection Scope'

/** The scope of a request. */
async function scopeOf(driver: Driver, options: Parameters<Driver['call']>[1]): Promise<RunRecord['scope']> {
  return (await driver.call([['drain'], ...OK], options)).record.scope
}

/** The header fields of a scope, as text; null for what are no bytes. */
export function headersOf({ headers }: RunRecord['scope']): [name: string | null, value: string | null][] {
  check(Array.isArray(headers) && headers.every((pair) => Array.isArray(pair) && pair.length === 2), 'pairs', headers)
  return (headers as [Encoded, Encoded][]).map(([name, value]) => [textOf(name), textOf(value)])
}

/** The path as received, without the query: optional. */
export function sameRawPath({ raw_path: raw = null }: RunRecord['scope'], wanted: string): void {
  if (raw === null) notSupported('the server gives no raw_path, which is optional')
  same(raw, bytes(wanted))
}

/** The addresses and ports of both ends of a connection, of which `local` is the client's: optional. */
export function sameEnds({ client = null, server = null }: RunRecord['scope'], local: unknown, { running: { address } }: Driver): void {
  if (client === null && server === null) notSupported('the server gives neither, which are optional')
  if (client !== null) same(client, local, 'client')
  if (server !== null) same(server, [address.host, address.port], 'server')
}

/** What a body that was received consists of. */
export function bodyOf(record: RunRecord): string {
  return received(record).map((event) => (event?.['type'] === 'http.request' ? textOf(event['body'] ?? bytes('')) : '')).join('')
}

/** Sends part of a request's body and leaves; the record of what the application saw. */
async function leaves(driver: Driver, script: Parameters<typeof requestText>[0], until: (record: RunRecord) => boolean): Promise<RunRecord> {
  const [connection, key] = [driver.connect(), newKey()]
  connection.socket.pause()
  connection.write(requestText(script, { key, keepAlive: true }))
  await driver.record(key, until)
  connection.leave()
  return driver.record(key)
}

/** What says where the body of a response ends. */
const framing = ({ headers }: Response): Response['headers'] => headers.filter(([name]) => name === 'transfer-encoding' || name === 'content-length')

/** How many bytes of its body an application has sent. */
export const flooded = ({ log }: RunRecord): number => log.reduce((sum, entry) => ('flooded' in entry ? entry.flooded : sum), 0)

/** Whether an application that sends without end goes no further: the buffers on the way are full. */
export function full(): (record: RunRecord) => boolean {
  let [before, looks] = [0, 0]
  return (record) => {
    const sum = flooded(record)
    looks = sum > 0 && sum === before ? looks + 1 : 0
    before = sum
    return record.ended !== null || looks === 10
  }
}

export const DISCONNECT = 'http.disconnect'
export const typesOf = (record: RunRecord): unknown[] => received(record).map((event) => event?.['type'] ?? null)

export const HTTP_CASES: Case[] = [
  {
    id: 'H1', title: 'type, method, http_version, scheme', level: 'must', section: SCOPE,
    async run(driver) {
      const scope = await scopeOf(driver, { method: 'POST', headers: [['Content-Length', '0']] })
      same([scope['type'], scope['method'], scope['http_version'], scope['scheme'] ?? 'http'], ['http', 'POST', '1.1', 'http'])
    },
  },
  {
    id: 'H1', title: 'http_version of HTTP/1.0', level: 'must', section: SCOPE,
    run: async (driver) => same((await scopeOf(driver, { version: '1.0' }))['http_version'], '1.0'),
  },
  {
    id: 'H1', title: 'path: percent escapes and UTF-8 decoded', level: 'must', section: SCOPE,
    run: async (driver) => same((await scopeOf(driver, { path: '/%C3%A4/a%2Fb%20c?%41' }))['path'], '/ä/a/b c'),
  },
  {
    id: 'H1', title: 'raw_path: the bytes as received, without the query', level: 'must', section: SCOPE,
    async run(driver) {
      sameRawPath(await scopeOf(driver, { path: '/%C3%A4/a%2fb;c?q' }), '/%C3%A4/a%2fb;c')
    },
  },
  {
    id: 'H1', title: 'query_string: the bytes after the first ?, not decoded', level: 'must', section: SCOPE,
    async run(driver) {
      same((await scopeOf(driver, { path: '/?a=%20b&c?d' }))['query_string'], bytes('a=%20b&c?d'))
      same((await scopeOf(driver, { path: '/' }))['query_string'], bytes(''), 'without a query')
    },
  },
  {
    id: 'H1', title: 'root_path is a string', level: 'must', section: SCOPE,
    run: (driver) => Promise.resolve(check(typeof (driver.announced.http['root_path'] ?? '') === 'string', 'a string', driver.announced.http['root_path'])),
  },
  {
    id: 'H1', title: 'headers: pairs of bytes, values as received, duplicates kept, in order', level: 'must', section: SCOPE,
    async run(driver) {
      const scope = await scopeOf(driver, { headers: [['X-Two', '1'], ['X-Between', 'caf\xe9'], ['X-Two', '2, 3']] })
      same(headersOf(scope).filter(([name]) => name?.toLowerCase() === 'x-two').map(([, value]) => value), ['1', '2, 3'], 'values of x-two')
      same(headersOf(scope).find(([name]) => name?.toLowerCase() === 'x-between')?.[1], 'caf\xe9', 'value of x-between')
    },
  },
  {
    id: 'H1', title: 'headers: names in lower case', level: 'should', section: SCOPE,
    run: async (driver) => same(headersOf(await scopeOf(driver, { headers: [['X-Mixed-Case', '1']] })).filter(([name]) => name !== name?.toLowerCase()), [], 'other names'),
  },
  {
    id: 'H1', title: 'client and server: address and port', level: 'must', section: SCOPE,
    async run(driver) {
      const [connection, key] = [driver.connect(), newKey()]
      connection.write(requestText([['drain'], ...OK], { key }))
      const local = await connection.local()
      sameEnds((await driver.record(key)).scope, local, driver)
    },
  },
  {
    id: 'H3', title: 'each Set-Cookie stays a header of its own', level: 'must', section: 'HTTP',
    async run(driver) {
      const { response } = await driver.call([start([['set-cookie', 'a=1'], ['set-cookie', 'b=2; Path=/']]), body('ok')])
      same(valuesOf(response.headers, 'set-cookie'), ['a=1', 'b=2; Path=/'])
    },
  },
  {
    id: 'H4', title: 'a request body with a length', level: 'must', section: 'Request',
    async run(driver) {
      const { record } = await driver.call([['drain'], ...OK], { method: 'POST', headers: [['Content-Length', '5']], body: 'he\xe4lo' })
      same(bodyOf(record), 'he\xe4lo', 'body')
      same(received(record).at(-1)?.['more_body'] ?? false, false, 'more_body at the end')
    },
  },
  {
    id: 'H4', title: 'a chunked request body is decoded', level: 'must', section: `${SCOPE}; Request`,
    async run(driver) {
      const { record } = await driver.call([['drain'], ...OK], { method: 'POST', headers: [['Transfer-Encoding', 'chunked']], body: '3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n' })
      same(bodyOf(record), 'abcde', 'body')
      same(received(record).at(-1)?.['more_body'] ?? false, false, 'more_body at the end')
    },
  },
  {
    id: 'H4', title: 'a request without a body has an empty one', level: 'must', section: 'Request',
    async run(driver) {
      const { record } = await driver.call([['drain'], ...OK])
      same([bodyOf(record), typesOf(record).every((type) => type === 'http.request')], ['', true])
    },
  },
  {
    id: 'H5', title: 'status and headers, in their order; keys that are missing have their defaults', level: 'must', section: 'Response Start; Response Body',
    async run(driver) {
      const { response } = await driver.call([start([['x-b', '1'], ['x-a', '2'], ['x-b', '3']], 418), body('ok')])
      same(response.status, 418, 'status')
      same(response.headers.filter(([name]) => /^x-[ab]$/.test(name)), [['x-b', '1'], ['x-a', '2'], ['x-b', '3']], 'headers')
      const bare = await driver.call([['send', { type: 'http.response.start', status: 200 }], ['send', { type: 'http.response.body' }]])
      same([bare.response.status, bare.response.body, bare.response.whole], [200, '', true], 'a response of defaults')
    },
  },
  {
    id: 'H5', title: 'the parts of a body are joined', level: 'must', section: 'Response Body',
    async run(driver) {
      const { response } = await driver.call([start(), body('a', true), body('', true), body('b', true), body('c')])
      same([response.body, response.whole], ['abc', true])
    },
  },
  {
    id: 'H6', title: 'Transfer-Encoding of the application is ignored', level: 'must', section: 'Response Start',
    async run(driver) {
      const { response } = await driver.call([start([['transfer-encoding', 'gzip']]), body('plain')])
      check(!valuesOf(response.headers, 'transfer-encoding').includes('gzip'), 'no transfer-encoding gzip', framing(response))
      same([response.status, response.body, response.whole], [200, 'plain', true], 'response')
    },
  },
  {
    id: 'H6', title: 'Transfer-Encoding of the application is ignored, beside its Content-Length', level: 'must', section: 'Response Start',
    async run(driver) {
      const { response } = await driver.call([start([['content-length', '5'], ['transfer-encoding', 'chunked']]), body('plain')])
      check(framing(response).length === 1, 'one of content-length and transfer-encoding', framing(response))
      same([response.body, response.whole], ['plain', true], 'body')
    },
  },
  {
    id: 'H6', title: 'a response without Content-Length is whole for a client of HTTP/1.0, which knows no chunks', level: 'must', section: `${SCOPE}; RFC 9112, 6.1`,
    async run(driver) {
      const { response } = await driver.call([start(), body('a', true), body('b')], { version: '1.0' })
      check(valuesOf(response.headers, 'transfer-encoding').length === 0, 'no transfer-encoding', framing(response))
      same([response.body, response.whole], ['ab', true], 'body')
    },
  },
  {
    id: 'H7', title: 'a part of the body is sent before send returns, not kept for the next', level: 'must', section: 'Response Body',
    async run(driver) {
      const connection = driver.connect()
      connection.write(requestText([start(), body('first', true), ['receive']], { keepAlive: true }))
      check(await connection.take(/first/) !== null, 'the part, while the application waits', connection.unread)
    },
  },
  {
    id: 'H7', title: 'send waits for a client that does not read', level: 'should', section: 'Response Body',
    async run(driver) {
      const [connection, key, limit] = [driver.connect(), newKey(), 64 * 1024 * 1024]
      connection.socket.pause()
      connection.write(requestText([start(), ['flood', 65536, limit]], { key }))
      const record = await driver.record(key, full(), 4 * PATIENCE)
      check(flooded(record) < limit, `fewer than ${limit} bytes`, flooded(record))
    },
  },
  {
    id: 'H8', title: 'a body before the start does not reach the client', level: 'must', section: 'Response Start',
    async run(driver) {
      const { response } = await driver.call([['send', { type: 'http.response.body', body: bytes('early'), more_body: true }], ...OK])
      check(!response.body.includes('early') && response.whole, 'no body but that after the start, or an error', response)
    },
  },
  {
    id: 'H8', title: 'a second start does not reach the client', level: 'must', section: 'Response Start',
    async run(driver) {
      const { response } = await driver.call([start([['x-first', '1']]), body('a', true), start([['x-second', '2']], 299), body('b')])
      check(response.status === 200 && valuesOf(response.headers, 'x-second').length === 0, 'the first start alone', response)
      check(!response.body.includes('x-second'), 'no second head in the body', response.body)
    },
  },
  {
    id: 'H8', title: 'messages after the last body change nothing', level: 'must', section: 'Response Body',
    async run(driver) {
      const connection = driver.connect()
      connection.write(requestText([['drain'], start([['content-length', '2']]), body('ok'), body('more'), start([], 299)], { keepAlive: true }))
      same((await connection.response()).body, 'ok', 'body')
      await connection.ends(QUIET_MS)
      same(connection.unread, '', 'bytes after the response')
    },
  },
  {
    id: 'H9', title: 'send throws an OSError after the client has left', level: 'should', section: 'Disconnected Client', since: '2.4',
    async run(driver) {
      const record = await leaves(driver, [['drain'], ['receive'], start(), body('x', true), body('y', true)], ({ log }) => log.length > 0)
      check(sent(record).some(({ error }) => error !== null && error !== 'pending' && error.os), 'an OSError', sent(record))
    },
  },
  {
    id: 'H9', title: 'this error is not logged when it leaves the application', level: 'should', section: 'Disconnected Client', since: '2.4',
    async run(driver) {
      const { output } = driver.running
      if (output === null) notSupported('the suite did not start the server, and does not see its log')
      const error = sent(await leaves(driver, [['drain'], ['receive'], start(), body('x', true)], ({ log }) => log.length > 0)).find((one) => one.error !== null)?.error
      if (error === undefined || error === null || error === 'pending') notSupported('send throws no error')
      const before = output().length
      const { ended } = await leaves(driver, [['drain'], ['receive'], ['send!', { type: 'http.response.start', status: 200 }], ['send!', { type: 'http.response.body', body: bytes('x') }]], ({ log }) => log.length > 0)
      same(ended, error.name, 'the end of the application')
      const logged = output().slice(before)
      check(!logged.includes(error.name), `no ${error.name} in the log`, logged)
    },
  },
  {
    id: 'H10', title: 'receive after the response gives http.disconnect, each time', level: 'must', section: 'Disconnect',
    async run(driver) {
      const { record } = await driver.call([['drain'], ...OK, ['receive', 2], ['receive', 1], ['receive', 1]])
      same(typesOf(record).slice(-3), [DISCONNECT, DISCONNECT, DISCONNECT])
    },
  },
  {
    id: 'H10', title: 'receive after the client has left gives http.disconnect, each time', level: 'must', section: 'Disconnect',
    async run(driver) {
      const record = await leaves(driver, [['drain'], ['receive', 4], ['receive', 1], ['receive', 1]], ({ log }) => log.length > 0)
      same(typesOf(record).slice(-3), [DISCONNECT, DISCONNECT, DISCONNECT])
    },
  },
  {
    id: 'H10', title: 'no http.disconnect while the client waits for the response', level: 'must', section: 'Disconnect',
    async run(driver) {
      const { record, response } = await driver.call([['drain'], ['receive', 0.4], ...OK])
      same([received(record).at(-1), response.status], [null, 200])
    },
  },
  {
    id: 'H10', title: 'http.disconnect when the client leaves in the middle of its body', level: 'must', section: 'Disconnect',
    async run(driver) {
      const [connection, key] = [driver.connect(), newKey()]
      connection.write(requestText([['drain'], ['receive', 1]], { method: 'POST', headers: [['Content-Length', '10']], body: 'half', key }))
      await driver.record(key, ({ log }) => log.length > 0)
      connection.leave()
      check(typesOf(await driver.record(key)).includes(DISCONNECT), DISCONNECT, typesOf(await driver.record(key)))
    },
  },
  {
    id: 'H11', title: 'a receive that waits is woken when the client leaves', level: 'must', section: 'Disconnect',
    async run(driver) {
      const record = await leaves(driver, [['drain'], ['receive']], ({ log }) => log.length > 0)
      same([record.ended, typesOf(record).at(-1)], ['returned', DISCONNECT])
    },
  },
  {
    id: 'H11', title: 'a receive that waits is woken when the client closes the connection, which for TCP may still read', level: 'should', section: 'Disconnect',
    async run(driver) {
      const [connection, key] = [driver.connect(), newKey()]
      connection.write(requestText([['drain'], ['receive']], { key, keepAlive: true }))
      await driver.record(key, ({ log }) => log.length > 0)
      connection.close()
      const record = await driver.record(key)
      same([record.ended, typesOf(record).at(-1)], ['returned', DISCONNECT])
    },
  },
  {
    id: 'H11', title: 'a send that waits is woken when the client leaves', level: 'must', section: 'Applications; Response Body',
    async run(driver) {
      const record = await leaves(driver, [['drain'], start(), ['flood', 65536, 64 * 1024 * 1024]], full())
      check(record.ended !== null, 'the end of the call', 'a call that waits')
    },
  },
  {
    id: 'H12', title: 'a response to HEAD has no body', level: 'must', section: 'RFC 9110, 9.3.2',
    async run(driver) {
      const connection = driver.connect()
      connection.write(requestText([start([['content-length', '4']]), body('body')], { method: 'HEAD' }))
      const { status, headers } = await connection.response('HEAD')
      same([status, valuesOf(headers, 'content-length')], [200, ['4']], 'status and content-length')
      await connection.ends(QUIET_MS)
      same(connection.unread, '', 'bytes after the head')
    },
  },
  {
    id: 'H12', title: 'responses with the status 204 and 304 have no body', level: 'must', section: 'RFC 9110, 6.4.1',
    async run(driver) {
      for (const status of [204, 304]) {
        const connection = driver.connect()
        connection.write(requestText([start([], status), body('body')]))
        const { status: got, headers } = await connection.response()
        same(got, status, 'status')
        check(valuesOf(headers, 'transfer-encoding').length === 0, 'no transfer-encoding', headers)
        await connection.ends(QUIET_MS)
        same(connection.unread, '', `bytes after the head of a ${status}`)
      }
    },
  },
  {
    id: 'H12', title: 'a client that expects 100 Continue gets it when the application receives', level: 'must', section: 'RFC 9110, 10.1.1',
    async run(driver) {
      const [connection, key] = [driver.connect(), newKey()]
      connection.write(requestText([['drain'], ...OK], { method: 'POST', headers: [['Content-Length', '4'], ['Expect', '100-continue']], key }))
      check(await connection.take(/^HTTP\/1\.1 100 [^\r\n]*\r\n(?:[^]*?\r\n)??\r\n/) !== null, '100 Continue', connection.unread)
      connection.write('body')
      same((await connection.response()).status, 200, 'status')
      same(bodyOf(await driver.record(key)), 'body', 'body')
    },
  },
  {
    id: 'H12', title: 'and does not get it when the application answers without receiving', level: 'should', section: 'RFC 9110, 10.1.1',
    async run(driver) {
      const connection = driver.connect()
      connection.write(requestText(OK, { method: 'POST', headers: [['Content-Length', '4'], ['Expect', '100-continue']] }))
      const { status, early } = await connection.response()
      same([status, early], [200, []], 'status, and informational responses before it')
    },
  },
  {
    id: 'H13', title: 'an application that raises, or returns, without a response: 500', level: 'should', section: 'Response Start',
    async run(driver) {
      same((await driver.call([['raise', 'as asked']])).response.status, 500, 'raised')
      same((await driver.call([])).response.status, 500, 'returned')
    },
  },
  {
    id: 'H13', title: 'an application that returns in the middle of its response: cut off, not whole', level: 'should', section: 'Response Body',
    async run(driver) {
      const connection = driver.connect()
      connection.write(requestText([start(), body('half', true)], { keepAlive: true }))
      const { whole } = await connection.response()
      check(!whole && await connection.ends(), 'the connection closed, without the last chunk', whole ? 'a whole response' : 'an open connection')
    },
  },
  {
    id: 'H14', title: 'CR and LF in a header do not make another header', level: 'must', section: 'RFC 9110, 5.5',
    async run(driver) {
      const connection = driver.connect()
      connection.write(requestText([['drain'], start([['x-own', 'a\r\nx-injected: b']]), body('ok')]))
      check(await connection.take(/\r\nx-injected/, QUIET_MS) === null, 'no line of its own for x-injected', connection.unread)
    },
  },
]
