// The requirements of WebSockets (www.rst, "WebSocket").
import { BINARY, CLOSE, closeOf, closing, frame, nextFrame, PING, PONG, TEXT, valuesOf, type Connection } from './client.ts'
import { bytes, pairs, type Message, type RunRecord, type Step } from './contract.ts'
import { headersOf, sameEnds, sameRawPath } from './http-cases.ts'
import { ACCEPT, check, received, same, sent, type Case, type Driver, type Unobservable } from './suite.ts'

const SCOPE = 'Websocket Connection Scope'
const CLOSES: Step = ['send', { type: 'websocket.close' }]

/** The scope of a WebSocket. */
async function scopeOf(driver: Driver, options: Parameters<Driver['open']>[1]): Promise<RunRecord['scope']> {
  return (await driver.record((await driver.open(ACCEPT, options)).key, () => true)).scope
}

/** What an application received after the handshake, once `count` messages are there or it has ended. */
async function messages(driver: Driver, key: string, count: number): Promise<(Message | null)[]> {
  return received(await driver.record(key, (record) => record.ended !== null || received(record).length > count)).slice(1)
}

/** A message as an application received it: exactly one of the two may be given. */
const contents = (message: Message | null | undefined): unknown[] => [message?.['type'], message?.['text'] ?? null, message?.['bytes'] ?? null]

/** The disconnect that an application receives when the client does something. */
async function disconnect(driver: Driver, end: (connection: Connection) => void): Promise<Message> {
  const { connection, key } = await driver.open([...ACCEPT, ['receive']])
  end(connection)
  const message = (await messages(driver, key, 1))[0]
  check(message?.['type'] === 'websocket.disconnect', 'websocket.disconnect', message)
  return message
}

/** The close frame that a client gets. */
async function closed(connection: Connection): Promise<{ code: number; reason: string }> {
  const end = await nextFrame(connection)
  check(end?.opcode === CLOSE, 'a close frame', end)
  return closeOf(end)
}

export const WEBSOCKET_CASES: Case[] = [
  {
    id: 'W1', title: 'type, scheme, http_version, path, query_string', level: 'must', section: SCOPE,
    async run(driver) {
      const scope = await scopeOf(driver, { path: '/%C3%A4%20b?q=%20' })
      same([scope['type'], scope['scheme'] ?? 'ws', scope['http_version'] ?? '1.1', scope['path']], ['websocket', 'ws', '1.1', '/ä b'])
      same(scope['query_string'] ?? bytes(''), bytes('q=%20'), 'query_string')
    },
  },
  {
    id: 'W1', title: 'raw_path: the bytes as received, without the query', level: 'must', section: SCOPE,
    async run(driver) {
      sameRawPath(await scopeOf(driver, { path: '/%C3%A4?q' }), '/%C3%A4')
    },
  },
  {
    id: 'W1', title: 'headers: pairs of bytes, values as received, duplicates kept, in order', level: 'must', section: SCOPE,
    async run(driver) {
      const scope = await scopeOf(driver, { headers: [['X-Two', '1'], ['X-Between', ''], ['X-Two', '2, 3']] })
      same(headersOf(scope).filter(([name]) => name?.toLowerCase() === 'x-two').map(([, value]) => value), ['1', '2, 3'])
    },
  },
  {
    id: 'W1', title: 'headers: names in lower case', level: 'should', section: SCOPE,
    run: async (driver) => same(headersOf(await scopeOf(driver, { headers: [['X-Mixed-Case', '1']] })).filter(([name]) => name !== name?.toLowerCase()), [], 'other names'),
  },
  {
    id: 'W1', title: 'subprotocols: what the client offers, in its order', level: 'must', section: SCOPE,
    async run(driver) {
      same((await scopeOf(driver, { headers: [['Sec-WebSocket-Protocol', 'one, two']] }))['subprotocols'], ['one', 'two'])
      same((await scopeOf(driver, {}))['subprotocols'] ?? [], [], 'without an offer')
    },
  },
  {
    id: 'W1', title: 'client and server: address and port', level: 'must', section: SCOPE,
    async run(driver) {
      const { connection, key } = await driver.open([...ACCEPT, ['receive']])
      const local = await connection.local()
      sameEnds((await driver.record(key, () => true)).scope, local, driver)
    },
  },
  {
    id: 'W2', title: 'websocket.connect comes first, and the handshake waits for the answer', level: 'must', section: 'Connect',
    async run(driver) {
      const { connection, key } = driver.handshake([['receive'], ['sleep', 0.4], ['send', { type: 'websocket.accept' }]])
      const record = await driver.record(key, ({ log }) => log.length > 0)
      same(received(record)[0]?.['type'], 'websocket.connect', 'the first message')
      same([connection.unread, record.log.length], ['', 1], 'bytes before the application has accepted')
      same((await connection.response()).status, 101, 'status')
    },
  },
  {
    id: 'W2', title: 'nothing else is received until the application has answered', level: 'must', section: 'Connect',
    async run(driver) {
      const { key } = await driver.open([['receive'], ['receive', 0.4], ['send', { type: 'websocket.accept' }]])
      same((await messages(driver, key, 1))[0], null)
    },
  },
  {
    id: 'W3', title: 'accept with a subprotocol', level: 'must', section: 'Accept',
    async run(driver) {
      const { response } = await driver.open([['receive'], ['send', { type: 'websocket.accept', subprotocol: 'two' }]], { headers: [['Sec-WebSocket-Protocol', 'one, two']] })
      same(valuesOf(response.headers, 'sec-websocket-protocol'), ['two'])
    },
  },
  {
    id: 'W3', title: 'accept without a subprotocol chooses none', level: 'must', section: 'Accept',
    async run(driver) {
      const { response } = await driver.open(ACCEPT, { headers: [['Sec-WebSocket-Protocol', 'one, two']] })
      same(valuesOf(response.headers, 'sec-websocket-protocol'), [])
    },
  },
  {
    id: 'W3', title: 'accept with headers, in their order', level: 'must', section: 'Accept', since: '2.1',
    async run(driver) {
      const { response } = await driver.open([['receive'], ['send', { type: 'websocket.accept', headers: pairs([['x-b', '1'], ['x-a', '2'], ['x-b', '3']]) }]])
      same(response.headers.filter(([name]) => /^x-[ab]$/.test(name)), [['x-b', '1'], ['x-a', '2'], ['x-b', '3']])
    },
  },
  {
    id: 'W4', title: 'close before accept: 403', level: 'must', section: 'Connect; Close',
    async run(driver) {
      const { connection } = driver.handshake([['receive'], CLOSES])
      same((await connection.response()).status, 403, 'status')
    },
  },
  {
    id: 'W5', title: 'a text message is text, a binary one bytes', level: 'must', section: 'Receive',
    async run(driver) {
      const { connection, key } = await driver.open([...ACCEPT, ['receive'], ['receive'], ['receive']])
      connection.write(frame(TEXT, 't\xc3\xa4xt') + frame(BINARY, '\x00\xff') + frame(TEXT, ''))
      const [text, binary, empty] = await messages(driver, key, 3)
      same(contents(text), ['websocket.receive', 'täxt', null], 'text')
      same(contents(binary), ['websocket.receive', null, bytes('\x00\xff')], 'binary')
      same(contents(empty), ['websocket.receive', '', null], 'empty text')
    },
  },
  {
    id: 'W5', title: 'fragments are joined, and a ping in between is answered by the server', level: 'must', section: 'WebSocket',
    async run(driver) {
      const { connection, key } = await driver.open([...ACCEPT, ['receive'], ['receive']])
      connection.write(frame(TEXT, 'frag', false))
      connection.write(frame(PING, 'between'))
      const pong = await nextFrame(connection)
      same([pong?.opcode, pong?.payload], [PONG, 'between'], 'the answer to the ping')
      connection.write(frame(0, 'ments'))
      same((await messages(driver, key, 1)).map(contents)[0], ['websocket.receive', 'fragments', null])
    },
  },
  {
    id: 'W6', title: 'send text and bytes', level: 'must', section: 'Send',
    async run(driver) {
      const { connection } = await driver.open([...ACCEPT, ['send', { type: 'websocket.send', text: 'täxt' }], ['send', { type: 'websocket.send', bytes: bytes('\x00\xff'), text: null }], ['receive']])
      const [text, binary] = [await nextFrame(connection), await nextFrame(connection)]
      same([text?.opcode, text?.payload], [TEXT, 't\xc3\xa4xt'], 'text')
      same([binary?.opcode, binary?.payload], [BINARY, '\x00\xff'], 'bytes')
    },
  },
  ...([['neither text nor bytes', {}], ['both text and bytes', { text: 'a', bytes: bytes('b') }]] as const).map(([what, more]): Case => ({
    id: 'W6', title: `send refuses ${what}`, level: 'should', section: 'Send; Error Handling',
    async run(driver) {
      const { key } = await driver.open([...ACCEPT, ['send', { type: 'websocket.send', ...more }]])
      check(sent(await driver.record(key))[1]?.error !== null, 'an exception out of send', 'none')
    },
  })),
  {
    id: 'W7', title: 'close: code 1000 by default', level: 'must', section: 'Close',
    run: async (driver) => same((await closed((await driver.open([...ACCEPT, CLOSES])).connection)).code, 1000),
  },
  {
    id: 'W7', title: 'close with a code', level: 'must', section: 'Close',
    run: async (driver) => same((await closed((await driver.open([...ACCEPT, ['send', { type: 'websocket.close', code: 4001 }]])).connection)).code, 4001),
  },
  {
    id: 'W7', title: 'close with a reason', level: 'must', section: 'Close', since: '2.3',
    run: async (driver) => same(await closed((await driver.open([...ACCEPT, ['send', { type: 'websocket.close', code: 4001, reason: 'enough' }]])).connection), { code: 4001, reason: 'enough' }),
  },
  {
    id: 'W8', title: 'the code of the close frame', level: 'must', section: 'Disconnect',
    run: async (driver) => same((await disconnect(driver, (connection) => connection.write(frame(CLOSE, closing(4001, 'bye')))))['code'], 4001),
  },
  {
    id: 'W8', title: 'the reason of the close frame', level: 'must', section: 'Disconnect', since: '2.5',
    run: async (driver) => same((await disconnect(driver, (connection) => connection.write(frame(CLOSE, closing(4001, 'bye')))))['reason'], 'bye'),
  },
  {
    id: 'W8', title: '1005 for a close frame without a code', level: 'should', section: 'Disconnect',
    run: async (driver) => same((await disconnect(driver, (connection) => connection.write(frame(CLOSE, ''))))['code'], 1005),
  },
  {
    id: 'W8', title: '1006 for a connection that is reset', level: 'should', section: 'Disconnect; RFC 6455, 7.1.5',
    run: async (driver) => same((await disconnect(driver, (connection) => connection.leave()))['code'], 1006),
  },
  {
    id: 'W8', title: '1006 for a connection that is closed without a close frame', level: 'should', section: 'Disconnect; RFC 6455, 7.1.5',
    run: async (driver) => same((await disconnect(driver, (connection) => connection.close()))['code'], 1006),
  },
  {
    id: 'W9', title: 'send throws an OSError after the client has left', level: 'should', section: 'Disconnected Client', since: '2.4',
    async run(driver) {
      const { connection, key } = await driver.open([...ACCEPT, ['receive'], ['send', { type: 'websocket.send', text: 'a' }], ['send', { type: 'websocket.send', text: 'b' }]])
      connection.leave()
      const all = sent(await driver.record(key))
      check(all.some(({ error }) => error !== null && error !== 'pending' && error.os), 'an OSError', all)
    },
  },
  {
    id: 'W10', title: 'an application that returns ends its WebSocket', level: 'must', section: SCOPE,
    async run(driver) {
      const { connection } = await driver.open(ACCEPT)
      const end = await nextFrame(connection)
      check(end?.opcode === CLOSE || await connection.ends(), 'a close frame, or the end of the connection', end)
    },
  },
  {
    id: 'W10', title: 'an application that returns without an answer accepts nothing', level: 'must', section: `${SCOPE}; Connect`,
    async run(driver) {
      const { connection } = driver.handshake([['receive']])
      const status = await connection.response().then((response) => response.status, () => 0)
      check(status !== 101 && (status !== 0 || connection.ended), 'a refusal, or the end of the connection', status)
    },
  },
  {
    id: 'W10', title: 'an application is woken when the client leaves', level: 'must', section: `${SCOPE}; Disconnect`,
    run: async (driver) => same((await disconnect(driver, (connection) => connection.leave()))['type'], 'websocket.disconnect'),
  },
]

export const WEBSOCKET_UNOBSERVABLE: Unobservable[] = [
  {
    id: 'W3', title: 'accept must not have a header sec-websocket-protocol', level: 'must', section: 'Accept',
    why: 'a rule for applications; the text leaves open what a server does about it. Ours refuses it: test/asgi/websocket.test.ts',
  },
  {
    id: 'W5', title: 'the server sends pings as necessary', level: 'should', section: 'WebSocket',
    why: 'the text does not say when that is',
  },
]
