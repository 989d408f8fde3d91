// The requirements of the core specification (asgi.rst).
import type { Encoded, Message, Step } from './contract.ts'
import { bytes } from './contract.ts'
import { frame, nextFrame, TEXT } from './client.ts'
import { ACCEPT, body, check, newKey, notSupported, OK, received, requestText, same, sent, start, type Case, type Driver, type Unobservable } from './suite.ts'

const isObject = (value: Encoded | undefined): boolean => typeof value === 'object' && value !== null && !Array.isArray(value)

/**
 * A message that is refused where it is sent. A start need not be looked at before the first part of the body: there the
 * exception may come out of the `send` of that.
 */
async function refused(driver: Driver, message: Message, before: Step[] = []): Promise<void> {
  const key = newKey()
  driver.connect().write(requestText([['drain'], ...before, ['send', message], body('ok'), ...OK], { key }))
  const [own, next] = sent(await driver.record(key)).slice(before.length)
  check(own?.error !== null || (message['type'] === 'http.response.start' && next?.error !== null), 'an exception out of send', 'none')
}

/** Whether a server still answers. */
async function answers(driver: Driver): Promise<void> {
  same((await driver.call(OK)).response.status, 200, 'status of the next request')
}

const inEvents = (value: Encoded): boolean => (Array.isArray(value) ? value.every(inEvents) : !isObject(value) || (value !== null && !('$other' in (value as object)) && Object.values(value as object).every((one) => inEvents(one as Encoded))))

export const CORE_CASES: Case[] = [
  {
    id: 'C1', title: 'one call for each request of a connection', level: 'must', section: 'Overview; HTTP Connection Scope',
    async run(driver) {
      const [connection, key] = [driver.connect(), newKey()]
      for (let calls = 1; calls <= 2; calls++) {
        connection.write(requestText([['drain'], ...OK], { key, keepAlive: true }))
        same((await connection.response()).body, 'ok', 'body')
        same((await driver.record(key, (record) => record.calls === calls && record.ended !== null)).calls, calls, 'calls')
      }
    },
  },
  {
    id: 'C1', title: 'one call for a WebSocket with several messages', level: 'must', section: 'Overview; Websocket Connection Scope',
    async run(driver) {
      const { connection, key } = await driver.open([...ACCEPT, ['echo']])
      for (const text of ['a', 'b']) {
        connection.write(frame(TEXT, text))
        same((await nextFrame(connection))?.payload, text, 'echo')
      }
      same((await driver.peek(key))?.calls, 1, 'calls')
    },
  },
  {
    id: 'C2', title: 'scope has a type, and asgi with a version', level: 'must', section: 'Applications; HTTP Connection Scope',
    run(driver) {
      for (const scope of [driver.announced.http, driver.announced.websocket]) {
        if (scope === null) continue
        check(typeof scope['type'] === 'string', 'a type', scope['type'])
        const asgi = scope['asgi'] as Record<string, Encoded> | undefined
        check(typeof asgi?.['version'] === 'string' && asgi['version'].startsWith('3.'), 'asgi.version "3.0"', asgi)
      }
      return Promise.resolve()
    },
  },
  {
    id: 'C2', title: 'a fresh scope for each request of a connection', level: 'must', section: 'HTTP Connection Scope; Middleware',
    async run(driver) {
      const [connection, key] = [driver.connect(), newKey()]
      connection.write(requestText([['set', 'changed', true], ['drain'], ...OK], { keepAlive: true }))
      await connection.response()
      connection.write(requestText([['drain'], ...OK], { key }))
      await connection.response()
      same((await driver.record(key)).scope['changed'], undefined, 'a key that an earlier call had added')
    },
  },
  {
    id: 'C3', title: 'receive and send are awaited: other calls go on meanwhile', level: 'must', section: 'Applications',
    async run(driver) {
      const key = newKey()
      driver.connect().write(requestText([['drain'], ['receive']], { key }))
      await driver.record(key, ({ log }) => log.length > 0)
      await answers(driver)
      same((await driver.peek(key))?.ended, null, 'the end of the call that waits')
    },
  },
  {
    id: 'C4', title: 'events consist of the allowed types only', level: 'must', section: 'Events',
    async run(driver) {
      const http = await driver.call([['drain'], ...OK, ['receive']], { method: 'POST', headers: [['Content-Length', '3']], body: 'abc' })
      const { connection, key } = await driver.open([...ACCEPT, ['receive'], ['receive']])
      connection.write(frame(TEXT, 'a') + frame(2, 'b'))
      for (const event of [...received(http.record), ...received(await driver.record(key))]) check(inEvents(event), 'byte strings, strings, numbers, lists, dictionaries, booleans, null', event)
    },
  },
  { id: 'C5', title: 'send refuses an unknown type', level: 'should', section: 'Error Handling', run: (driver) => refused(driver, { type: 'http.response.unknown' }) },
  { id: 'C5', title: 'send refuses a message without a key that it needs', level: 'should', section: 'Error Handling', run: (driver) => refused(driver, { type: 'http.response.start' }) },
  {
    id: 'C5', title: 'send refuses a header that is a string, not bytes', level: 'should', section: 'Error Handling',
    run: (driver) => refused(driver, { type: 'http.response.start', status: 200, headers: [['x-text', 'value']] }),
  },
  {
    id: 'C5', title: 'send refuses a body that is a string, not bytes', level: 'should', section: 'Error Handling',
    run: (driver) => refused(driver, { type: 'http.response.body', body: 'text' }, [start()]),
  },
  {
    id: 'C5', title: 'additional keys are no error', level: 'should', section: 'Error Handling',
    async run(driver) {
      const { response, record } = await driver.call([start([], 200, { 'x-more': 1 }), ['send', { type: 'http.response.body', body: bytes('ok'), 'x-more': [true] }]])
      same(sent(record).map(({ error }) => error), [null, null], 'exceptions')
      same([response.status, response.body], [200, 'ok'], 'response')
    },
  },
  {
    id: 'C6', title: 'an exception in the middle of a response ends the connection', level: 'must', section: 'Error Handling',
    async run(driver) {
      const connection = driver.connect()
      connection.write(requestText([start([['content-length', '10']]), body('half', true), ['raise', 'as asked']], { keepAlive: true }))
      const { whole } = await connection.response()
      check(!whole && await connection.ends(), 'the connection closed, and the response cut off', whole ? 'a whole response' : 'an open connection')
      await answers(driver)
    },
  },
  {
    id: 'C6', title: 'an exception ends a WebSocket', level: 'must', section: 'Error Handling; Websocket Connection Scope',
    async run(driver) {
      const { connection } = await driver.open([...ACCEPT, ['raise', 'as asked']])
      const end = await nextFrame(connection)
      check(end?.opcode === 8 || await connection.ends(), 'a close frame, or the end of the connection', end)
    },
  },
  {
    id: 'C7', title: 'send after the client has left does nothing, or throws an OSError that does no harm', level: 'must', section: 'Error Handling; Disconnected Client',
    async run(driver) {
      const [connection, key] = [driver.connect(), newKey()]
      connection.write(requestText([['drain'], ['receive'], start(), body('x', true), ['send!', { type: 'http.response.body', body: bytes('y') }]], { key }))
      await driver.record(key, ({ log }) => log.length > 0)
      connection.leave()
      const record = await driver.record(key)
      for (const { error } of sent(record)) check(error === null || (error !== 'pending' && error.os), 'nothing, or an OSError', error)
      check(record.ended !== null, 'the end of the call', 'a call that waits')
      await answers(driver)
    },
  },
  {
    id: 'C8', title: 'an application that throws at a scope which it does not know: the server goes on', level: 'must', section: 'Protocol Specifications',
    async run(driver) {
      if (driver.announced.websocket === null) notSupported('the server serves no WebSockets')
      const { connection } = driver.handshake([['raise', 'no WebSockets here']])
      check((await connection.response().catch(() => ({ status: 0 }))).status !== 101, 'no WebSocket', 'an accepted handshake')
      await answers(driver)
    },
  },
  {
    id: 'C9', title: 'the entry of each extension is a dictionary', level: 'should', section: 'Extensions',
    run(driver) {
      for (const scope of [driver.announced.http, driver.announced.websocket]) {
        const { extensions = {} } = scope ?? {}
        check(isObject(extensions) && Object.values(extensions as object).every((one) => isObject(one as Encoded)), 'dictionaries', extensions)
      }
      return Promise.resolve()
    },
  },
  {
    id: 'SV', title: 'spec_version is one of the specification, and a lifespan has its own', level: 'must', section: 'Spec Versions',
    async run(driver) {
      for (const scope of [driver.announced.http, driver.announced.websocket]) {
        const version = (scope?.['asgi'] as Record<string, Encoded> | undefined)?.['spec_version'] ?? '2.0'
        check(/^2\.[0-5]$/.test(String(version)), '2.0 to 2.5', version)
      }
      const version = ((await driver.peek('lifespan'))?.scope['asgi'] as Record<string, Encoded> | undefined)?.['spec_version'] ?? '1.0'
      check(version === '1.0' || version === '2.0', '1.0 or 2.0 for the lifespan', version)
    },
  },
]

export const CORE_UNOBSERVABLE: Unobservable[] = [
  {
    id: 'C10', title: 'an application of ASGI 2 is refused, or served as one', level: 'should', section: 'Legacy Applications',
    why: 'needs another application, and servers differ in how they take one. For ours: test/asgi/life.test.ts, "what is no application is refused"',
  },
  {
    id: 'SV', title: 'server may have no port since 2.2', level: 'must', section: 'Spec Versions',
    why: 'needs a server on a UNIX socket. Ours listens on TCP only',
  },
]
