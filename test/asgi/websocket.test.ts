// The WebSocket part of the specification, with a real client and with raw bytes.
import { once } from 'node:events'
import t from 'tap'
import { WebSocket } from 'ws'
import { Event } from '../../src/index.ts'
import type { ReceiveEvent, WebSocketScope } from '../../src/asgi/index.ts'
import { eventually } from '../support/eventually.ts'
import { handshake, open, raw } from '../support/raw.ts'
import { bytes, refusal, served, webSocket } from './support.ts'

const text = (data: unknown): string => String(data as Buffer)

t.test('a WebSocket: scope, accept, messages, close', async (t) => {
  const scopes: WebSocketScope[] = []
  const got: ReceiveEvent[] = []
  const server = await served(t, webSocket(function* (scope, receive, send) {
    scopes.push(scope)
    got.push(yield* receive())
    yield* send({ type: 'websocket.accept', subprotocol: scope.subprotocols[1] ?? null, headers: [[bytes('x-own'), bytes('1')]] })
    for (;;) {
      const event = yield* receive()
      got.push(event)
      if (event.type !== 'websocket.receive') return
      yield* send({ type: 'websocket.send', bytes: event.bytes, text: event.text })
    }
  }))
  const client = new WebSocket(`${server.url.replace('http', 'ws')}/a%20b?q`, ['one', 'two'])
  const [[response]] = await Promise.all([once(client, 'upgrade'), once(client, 'open')]) as [[{ headers: Record<string, string> }], unknown]
  t.match(scopes[0], { type: 'websocket', scheme: 'ws', path: '/a b', subprotocols: ['one', 'two'], http_version: '1.1' })
  t.same(Object.keys(scopes[0]!.extensions), ['websocket.http.response'])
  t.equal(client.protocol, 'two')
  t.equal(response.headers['x-own'], '1')
  client.send('tëxt')
  t.equal(text((await once(client, 'message'))[0]), 'tëxt')
  client.send(Buffer.from([0, 255]))
  t.same((await once(client, 'message') as [Buffer, boolean]), [Buffer.from([0, 255]), true])
  client.send('frag', { fin: false })
  client.ping()
  client.send('ments', { fin: true })
  t.equal(text((await once(client, 'message'))[0]), 'fragments', 'fragments are joined, a ping in between is answered by the server')
  client.close(4001, 'bye')
  await eventually(() => got.at(-1)?.type === 'websocket.disconnect')
  t.same(got.at(-1), { type: 'websocket.disconnect', code: 4001, reason: 'bye' })
  t.match(got.slice(0, 3), [{ type: 'websocket.connect' }, { text: 'tëxt', bytes: null }, { text: null }])
  t.same(server.log, [])
})

t.test('a client that is silent and does not answer pings is lost; one that answers, or is not read, is not', async (t) => {
  const ends: Record<string, number> = {}
  const read = new Event()
  const server = await served(t, webSocket(function* (scope, receive, send) {
    yield* receive()
    yield* send({ type: 'websocket.accept' })
    if (scope.path === '/unread') yield* read.wait()
    for (;;) {
      const event = yield* receive()
      if (event.type !== 'websocket.disconnect') continue
      ends[scope.path] = event.code
      return
    }
  }), { pingSeconds: 0.5 })
  const silent = open(server.port, handshake('/silent'))
  t.teardown(() => silent.destroy())
  const answers = new WebSocket(`${server.url.replace('http', 'ws')}/answers`)
  let pings = 0
  answers.on('ping', () => pings++)
  // More messages than are kept for an application that does not take them: the connection is not read.
  const unread = new WebSocket(`${server.url.replace('http', 'ws')}/unread`)
  await once(unread, 'open')
  for (let sent = 0; sent < 100; sent++) unread.send('more')
  t.ok(await eventually(() => ends['/silent'] === 1006 && pings >= 3), JSON.stringify(ends))
  t.same(ends, { '/silent': 1006 })
  server.loop.callSoonThreadsafe(() => read.set())
  unread.close(4000)
  answers.close(4001)
  t.ok(await eventually(() => Object.keys(ends).length === 3))
  t.same(ends, { '/silent': 1006, '/unread': 4000, '/answers': 4001 })
})

t.test('a client that sends a long message slowly, and answers no ping meanwhile, is heard', async (t) => {
  const got: ReceiveEvent[] = []
  const server = await served(t, webSocket(function* (_scope, receive, send) {
    yield* receive()
    yield* send({ type: 'websocket.accept' })
    got.push(yield* receive())
  }), { pingSeconds: 0.4 })
  const client = open(server.port, handshake('/'))
  t.teardown(() => client.destroy())
  await once(client, 'data')
  // One frame of 100 bytes with a mask of zeros, in ten parts: its end comes after several pings.
  client.write(Buffer.from([0x81, 0x80 | 100, 0, 0, 0, 0]))
  for (let part = 0; part < 10; part++) {
    await new Promise((resolve) => setTimeout(resolve, 150))
    client.write('x'.repeat(10))
  }
  t.ok(await eventually(() => got.length === 1))
  t.same(got, [{ type: 'websocket.receive', bytes: null, text: 'x'.repeat(100) }])
})

t.test('a handshake that is refused after the application has accepted is a disconnect', async (t) => {
  const raised: (string | undefined)[] = []
  const server = await served(t, webSocket(function* (_scope, receive, send) {
    yield* receive()
    raised.push((yield* refusal(send, { type: 'websocket.accept' }))?.name)
    raised.push((yield* refusal(send, { type: 'websocket.send', text: 'late' }))?.name)
    raised.push((yield* receive()).type)
  }))
  t.match((await raw(server.port, handshake('/', 'Sec-WebSocket-Protocol: a,,b\r\n'))).text, /^HTTP\/1.1 400 /)
  t.ok(await eventually(() => raised.length === 3))
  t.same(raised, ['ClientDisconnected', 'ClientDisconnected', 'websocket.disconnect'])
  t.same(server.log, [])
})

t.test('Disconnect: the code that the client gave, or 1005, or 1006 for a lost connection', async (t) => {
  const codes: number[] = []
  const server = await served(t, webSocket(function* (_scope, receive, send) {
    yield* receive()
    yield* send({ type: 'websocket.accept' })
    const event = yield* receive()
    if (event.type === 'websocket.disconnect') codes.push(event.code)
    const error = yield* refusal(send, { type: 'websocket.send', text: 'x' })
    t.equal(error?.name, 'ClientDisconnected')
  }))
  for (const [end, code] of [[(client: WebSocket) => client.close(1000), 1000], [(client: WebSocket) => client.close(), 1005], [(client: WebSocket) => client.terminate(), 1006]] as const) {
    const client = new WebSocket(server.url)
    await once(client, 'open')
    end(client)
    await eventually(() => codes.length === 1)
    t.equal(codes.pop(), code)
  }
})

t.test('Close: before it is accepted a 403, after it a close frame', async (t) => {
  const server = await served(t, webSocket(function* (scope, receive, send) {
    yield* receive()
    if (scope.path === '/denied') return yield* send({ type: 'websocket.close' })
    if (scope.path === '/raises') throw new Error('no')
    if (scope.path === '/silent') return
    if (scope.path === '/answer') {
      yield* send({ type: 'websocket.http.response.start', status: 401, headers: [[bytes('x-why'), bytes('no key')]] })
      yield* send({ type: 'websocket.http.response.body', body: bytes('who '), more_body: true })
      return yield* send({ type: 'websocket.http.response.body', body: bytes('are you') })
    }
    yield* send({ type: 'websocket.accept' })
    if (scope.path === '/code') yield* send({ type: 'websocket.close', code: 3000, reason: 'enough' })
    if (scope.path === '/fails') throw new Error('no')
  }))
  t.match((await raw(server.port, handshake('/denied'))).text, /^HTTP\/1.1 403 /)
  t.match((await raw(server.port, handshake('/raises'))).text, /^HTTP\/1.1 500 /)
  t.match((await raw(server.port, handshake('/silent'))).text, /^HTTP\/1.1 500 /)
  t.match((await raw(server.port, handshake('/answer'))).text, /^HTTP\/1.1 401 [^]*x-why: no key[^]*(?:4\r\nwho \r\n7\r\nare you|b\r\nwho are you)\r\n/)
  for (const [path, code, reason] of [['/code', 3000, 'enough'], ['/fails', 1011, ''], ['/ends', 1000, '']] as const) {
    const client = new WebSocket(server.url + path)
    const [closed, why] = await once(client, 'close') as [number, Buffer]
    t.same([closed, why.toString()], [code, reason], path)
  }
})

t.test('what cannot be sent is refused where it is sent', async (t) => {
  const refused: string[] = []
  const server = await served(t, webSocket(function* (_scope, receive, send) {
    yield* receive()
    const tell = function* (event: unknown) { refused.push((yield* refusal(send, event))?.name ?? 'sent') }
    yield* tell({ type: 'websocket.send', text: 'early' })
    yield* tell({ type: 'websocket.accept', headers: [[bytes('sec-websocket-protocol'), bytes('a')]] })
    yield* tell({ type: 'websocket.accept', subprotocol: 1 })
    yield* send({ type: 'websocket.accept' })
    for (const event of [
      { type: 'websocket.accept' }, { type: 'websocket.send' }, { type: 'websocket.send', text: 'a', bytes: bytes('b') }, { type: 'websocket.send', text: bytes('b') },
      { type: 'websocket.close', code: 1005 }, { type: 'websocket.close', reason: 'x'.repeat(124) }, { type: 'http.response.start', status: 200 },
    ]) yield* tell(event)
    yield* send({ type: 'websocket.close' })
    yield* tell({ type: 'websocket.send', text: 'late' })
  }))
  const client = new WebSocket(server.url)
  await once(client, 'close')
  t.same(refused, [
    'RuntimeError', 'TypeError', 'TypeError', 'RuntimeError', 'TypeError', 'TypeError', 'TypeError', 'TypeError', 'RangeError', 'TypeError', 'ClientDisconnected',
  ])
})

t.test('a client that sends faster than it is read, and one that reads slower than it is sent to', async (t) => {
  const proceed = new Event()
  let received = 0
  let sent = 0
  const server = await served(t, webSocket(function* (scope, receive, send) {
    yield* receive()
    yield* send({ type: 'websocket.accept' })
    if (scope.path === '/out') {
      for (;;) {
        yield* send({ type: 'websocket.send', bytes: new Uint8Array(64 * 1024) })
        sent += 64 * 1024
      }
    }
    yield* proceed.wait()
    while ((yield* receive()).type === 'websocket.receive') received++
  }))
  const fast = new WebSocket(server.url)
  await once(fast, 'open')
  const part = Buffer.alloc(256 * 1024)
  for (let count = 0; count < 400; count++) fast.send(part)
  let before = -1
  await eventually(() => {
    const same = fast.bufferedAmount === before
    before = fast.bufferedAmount
    return same
  })
  t.ok(fast.bufferedAmount > 50 * 1024 * 1024, `${fast.bufferedAmount} bytes of 100 MiB are left with the client`)
  proceed.set()
  await eventually(() => received === 400)
  t.equal(received, 400, 'and all arrive in the end')
  fast.close()
  const slow = new WebSocket(`${server.url}/out`)
  await once(slow, 'open')
  slow.pause()
  before = -1
  await eventually(() => {
    const same = sent === before && sent > 0
    before = sent
    return same
  })
  t.ok(sent < 64 * 1024 * 1024, `${sent} bytes`)
  slow.terminate()
})

t.test('a client that does not answer the close frame does not delay the end', async (t) => {
  const server = await served(t, webSocket(function* (_scope, receive, send) {
    yield* receive()
    yield* send({ type: 'websocket.accept' })
    yield* receive()
  }))
  const socket = open(server.port, handshake('/'))
  await once(socket, 'data')
  // By default, ws waits for 30 s.
  t.equal(await Promise.race([server.close().then(() => 'closed'), new Promise((resolve) => setTimeout(resolve, 20_000, 'open').unref())]), 'closed')
  socket.destroy()
})

t.test('a client that leaves during the handshake, and what is no handshake', async (t) => {
  const seen: ReceiveEvent[] = []
  const server = await served(t, webSocket(function* (_scope, receive) {
    yield* receive()
    seen.push(yield* receive())
  }))
  const socket = open(server.port, handshake('/'))
  await once(socket, 'connect')
  await eventually(() => server.loop.liveTasks().size > 0)
  socket.destroy()
  await eventually(() => seen.length === 1)
  t.same(seen, [{ type: 'websocket.disconnect', code: 1006, reason: '' }])
  t.match((await raw(server.port, handshake('/').replace('Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==', 'X: 1'))).text, /^HTTP\/1.1 400 /)
  t.match((await raw(server.port, handshake('/').replace('Version: 13', 'Version: 7'))).text, /^HTTP\/1.1 426 [^]*sec-websocket-version: 13/i)
})
