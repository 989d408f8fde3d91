// The HTTP part of the specification, over raw sockets: each test says the section that it is about.
import { writeFileSync } from 'node:fs'
import { open as openFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { Event, fromPromise, sleep, type Coroutine } from '../../src/index.ts'
import { ClientDisconnected, type HttpScope, type ReceiveEvent } from '../../src/asgi/index.ts'
import { eventually } from '../support/eventually.ts'
import { open, raw } from '../support/raw.ts'
import { bytes, createTask, http, refusal, respond, served, text } from './support.ts'

const get = (path: string, more = ''): string => `GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${more}\r\n`

t.test('HTTP Connection Scope: all keys', async (t) => {
  const scopes: HttpScope[] = []
  const server = await served(t, http(function* (scope, _receive, send) {
    scopes.push(scope)
    yield* respond(send, 'ok')
  }), { rootPath: '/root' })
  await raw(server.port, get('/%C3%A4/a%2fb?q=%20&r', 'X-Two: 1\r\nx-two: 2\r\nCookie: a=b\r\n'))
  const scope = scopes[0]!
  t.match(scope, { type: 'http', http_version: '1.1', method: 'GET', scheme: 'http', path: '/root/ä/a/b', root_path: '/root' })
  t.same(scope.asgi, { version: '3.0', spec_version: '2.5' })
  t.equal(text(scope.raw_path), '/%C3%A4/a%2fb', 'as received')
  t.equal(text(scope.query_string), 'q=%20&r')
  t.same(scope.headers.map(([name, value]) => [text(name), text(value)]), [['host', 'a'], ['connection', 'close'], ['x-two', '1'], ['x-two', '2'], ['cookie', 'a=b']])
  t.equal(scope.client?.[0], '127.0.0.1')
  t.same(scope.server, ['127.0.0.1', server.port])
  t.same(Object.keys(scope.extensions).sort(), ['http.response.early_hint', 'http.response.pathsend', 'http.response.trailers', 'http.response.zerocopysend'])
  await raw(server.port, get('/%C3%A4'))
  t.not(scopes[0], scopes[1], 'a scope of its own for each request')
})

t.test('Request: a body in parts, chunked or not, and the end', async (t) => {
  const got: ReceiveEvent[] = []
  const server = await served(t, http(function* (_scope, receive, send) {
    for (;;) {
      const event = yield* receive()
      got.push(event)
      if (event.type !== 'http.request' || !event.more_body) break
    }
    yield* respond(send, 'ok')
    got.push(yield* receive(), yield* receive())
  }))
  const whole = (): string => got.map((event) => (event.type === 'http.request' ? text(event.body) : '')).join('')
  await raw(server.port, 'POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello')
  await eventually(() => got.length === 3)
  t.same(got.map((event) => event.type), ['http.request', 'http.disconnect', 'http.disconnect'], 'a disconnect each time after the response')
  t.match(got[0], { more_body: false })
  t.equal(whole(), 'hello')
  got.length = 0
  await raw(server.port, 'POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n')
  await eventually(() => got.at(-1)?.type === 'http.disconnect')
  t.equal(whole(), 'abcde')
  got.length = 0
  await raw(server.port, get('/'))
  await eventually(() => got.length === 3)
  t.match(got[0], { type: 'http.request', body: { length: 0 }, more_body: false }, 'a request without a body has one message')
})

t.test('Response Start and Body: the bytes of the answer', async (t) => {
  const server = await served(t, http(function* (scope, _receive, send) {
    switch (scope.path) {
      case '/parts':
        yield* send({ type: 'http.response.start', status: 201, headers: [[bytes('set-cookie'), bytes('a=1')], [bytes('set-cookie'), bytes('b=2')], [bytes('transfer-encoding'), bytes('gzip')]] })
        yield* send({ type: 'http.response.body', body: bytes('one '), more_body: true })
        yield* send({ type: 'http.response.body', body: bytes('two') })
        return
      case '/length': return yield* respond(send, 'four', 200, [['content-length', '4']])
      case '/none': return yield* respond(send, '', 204)
      case '/late-error':
        yield* send({ type: 'http.response.start', status: 200 })
        throw new Error('before the body')
    }
  }), { serverTiming: false })
  const parts = await raw(server.port, get('/parts'))
  t.match(parts.text, /^HTTP\/1.1 201 /)
  t.match(parts.text, 'set-cookie: a=1\r\nset-cookie: b=2\r\n', 'a field may come twice')
  t.match(parts.text, /Transfer-Encoding: chunked\r\n\r\n(?:4\r\none \r\n3\r\ntwo|7\r\none two)\r\n0\r\n\r\n$/, 'the encoding is the server\'s')
  t.notMatch(parts.text, 'gzip')
  t.match((await raw(server.port, get('/length'))).text, /content-length: 4\r\n[^]*\r\n\r\nfour$/)
  t.match((await raw(server.port, get('/length').replace('GET', 'HEAD'))).text, /content-length: 4\r\n[^]*\r\n\r\n$/, 'HEAD has no body')
  t.match((await raw(server.port, get('/none'))).text, /^HTTP\/1.1 204 [^]*\r\n\r\n$/)
  t.match((await raw(server.port, get('/parts').replace('1.1', '1.0'))).text, /\r\n\r\none two$/, 'HTTP/1.0 knows no chunks')
  t.match((await raw(server.port, get('/late-error'))).text, /^HTTP\/1.1 500 /, 'an error before the body is a 500')
})

t.test('Error Handling: what cannot be sent is refused where it is sent', async (t) => {
  const refused: (Error | null)[] = []
  const server = await served(t, http(function* (_scope, _receive, send) {
    const body = { type: 'http.response.body', body: bytes('x') }
    for (const event of [
      body, { type: 'http.response.begin' }, {}, null, { type: 'http.response.start' }, { type: 'http.response.start', status: '200' }, { type: 'http.response.start', status: 100 },
      { type: 'http.response.start', status: 200, headers: [[bytes('a'), 'b']] }, { type: 'http.response.start', status: 200, headers: [[bytes('a'), bytes('b\r\nc: d')]] },
      { type: 'websocket.send', text: 'x' }, { type: 'http.response.push', path: '/x', headers: [] },
    ]) refused.push(yield* refusal(send, event))
    yield* send({ type: 'http.response.start', status: 200, headers: [[bytes('content-length'), bytes('2')]], more: 'unknown keys are let through' } as never)
    refused.push(yield* refusal(send, { type: 'http.response.start', status: 200 }), yield* refusal(send, { type: 'http.response.body', body: 'text' }))
    refused.push(yield* refusal(send, { type: 'http.response.body', body: bytes('too long') }))
    yield* send({ type: 'http.response.body', body: bytes('ok') })
    refused.push(yield* refusal(send, body))
  }), { serverTiming: false })
  t.match((await raw(server.port, get('/'))).text, /\r\n\r\nok$/)
  t.same(refused.map((error) => error?.name), [
    'RuntimeError', 'TypeError', 'TypeError', 'TypeError', 'TypeError', 'TypeError', 'TypeError', 'TypeError', 'TypeError', 'TypeError', 'RuntimeError',
    'RuntimeError', 'TypeError', 'RuntimeError', 'RuntimeError',
  ], refused.map((error) => error?.message).join('\n'))
  t.same(server.log, [])
})

t.test('Response: an application that ends without one, or in the middle', async (t) => {
  const server = await served(t, http(function* (scope, _receive, send) {
    if (scope.path === '/none') return
    yield* send({ type: 'http.response.start', status: 200 })
    if (scope.path === '/start') return
    yield* send({ type: 'http.response.body', body: bytes('half'), more_body: true })
    if (scope.path === '/raise') throw new Error('in the middle')
  }))
  t.match((await raw(server.port, get('/none'))).text, /^HTTP\/1.1 500 /)
  t.match((await raw(server.port, get('/start'))).text, /^HTTP\/1.1 500 /, 'the head had not been sent')
  for (const path of ['/half', '/raise']) {
    const { text: answer, closed } = await raw(server.port, get(path))
    t.ok(closed && answer.includes('half') && !answer.endsWith('0\r\n\r\n'), `${path} is cut off, not ended`)
  }
  t.equal(server.log.length, 4, server.log.join('\n'))
  t.match(server.log.join('\n'), /without a response[^]*before its response was complete[^]*Error: in the middle/)
})

t.test('Disconnected Client: every later receive gives the disconnect, and send throws', async (t) => {
  const seen: string[] = []
  const began = new Event()
  const server = await served(t, http(function* (scope, receive, send) {
    yield* receive()
    began.set()
    yield* send({ type: 'http.response.start', status: 200 })
    yield* send({ type: 'http.response.body', body: bytes('x'), more_body: true })
    if (scope.path === '/two') createTask((function* (): Coroutine<void> { seen.push(`child ${(yield* receive()).type}`) })())
    seen.push((yield* receive()).type, (yield* receive()).type)
    try {
      for (;;) yield* send({ type: 'http.response.body', body: bytes('x'), more_body: true })
    } catch (error) {
      seen.push(error instanceof ClientDisconnected ? 'ClientDisconnected' : String(error))
      throw error
    }
  }))
  for (const path of ['/one', '/two']) {
    seen.length = 0
    const socket = open(server.port, get(path))
    await new Promise((resolve) => socket.once('data', resolve))
    socket.destroy()
    await eventually(() => seen.includes('ClientDisconnected'))
    t.same(seen.sort(), ['ClientDisconnected', ...path === '/two' ? ['child http.disconnect'] : [], 'http.disconnect', 'http.disconnect'])
  }
  t.same(server.log, [], 'an error of the server that leaves the application is not logged')
})

t.test('Response Body: send waits for a slow client, and wakes when it leaves', async (t) => {
  let sent = 0
  let ended = ''
  const part = new Uint8Array(64 * 1024)
  const server = await served(t, http(function* (_scope, _receive, send) {
    yield* send({ type: 'http.response.start', status: 200 })
    try {
      for (;;) {
        yield* send({ type: 'http.response.body', body: part, more_body: true })
        sent += part.length
      }
    } catch (error) {
      ended = (error as Error).name
    }
  }))
  const socket = open(server.port, get('/'))
  socket.pause()
  let before = -1
  // It goes on until the buffers of the system are full.
  await eventually(() => {
    const same = sent === before && sent > 0
    before = sent
    return same
  })
  t.ok(sent < 64 * 1024 * 1024, `${sent} bytes`)
  socket.destroy()
  await eventually(() => ended !== '')
  t.equal(ended, 'ClientDisconnected')
})

t.test('Request: a body that the application does not take is not read without bound', async (t) => {
  const proceed = new Event()
  const server = await served(t, http(function* (_scope, _receive, send) {
    yield* proceed.wait()
    yield* respond(send, 'ok')
  }))
  const socket = open(server.port, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000\r\n\r\n')
  const part = Buffer.alloc(1024 * 1024)
  let written = 0
  while (socket.write(part) || (await Promise.race([new Promise<boolean>((resolve) => socket.once('drain', () => resolve(true))), new Promise<boolean>((resolve) => setTimeout(resolve, 500, false))]))) written += part.length
  t.ok(written < 64 * 1024 * 1024, `${written} bytes were taken`)
  socket.destroy()
  proceed.set()
})

t.test('Expect: 100-continue is answered when the body is received', async (t) => {
  const server = await served(t, http(function* (scope, receive, send) {
    if (scope.path === '/read') yield* receive()
    yield* respond(send, 'ok')
  }))
  const head = (path: string): string => `POST ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n`
  const read = open(server.port, head('/read'))
  const first = String(await new Promise((resolve) => read.once('data', resolve)))
  t.match(first, /^HTTP\/1.1 100 Continue\r\n\r\n$/)
  read.write('x')
  t.match(String(await new Promise((resolve) => read.once('data', resolve))), /^HTTP\/1.1 200 /)
  t.match((await raw(server.port, head('/refuse'))).text, /^HTTP\/1.1 200 /, 'and not asked for otherwise')
})

t.test('pipelined requests are served one after the other', async (t) => {
  const order: string[] = []
  const server = await served(t, http(function* (scope, _receive, send) {
    order.push(`${scope.path} begins`)
    yield* sleep(scope.path === '/1' ? 0.05 : 0)
    order.push(`${scope.path} ends`)
    yield* respond(send, scope.path)
  }))
  const { text: answers } = await raw(server.port, get('/1').replace('close', 'keep-alive') + get('/2').replace('close', 'keep-alive') + get('/3'))
  t.same(answers.match(/^\/\d/gm), ['/1', '/2', '/3'])
  t.same(order, ['/1', '/2', '/3'].flatMap((path) => [`${path} begins`, `${path} ends`]))
})

t.test('extensions: early hints, trailers, files', async (t) => {
  const folder = t.testdir({})
  const path = join(folder, 'file')
  writeFileSync(path, '0123456789')
  const server = await served(t, http(function* (scope, _receive, send) {
    yield* send({ type: 'http.response.start', status: 200, headers: [[bytes('trailer'), bytes('x-sum')]], trailers: scope.path === '/trailers' })
    switch (scope.path) {
      case '/hint':
        yield* send({ type: 'http.response.early_hint', links: [bytes('</a.css>; rel=preload; as=style'), bytes('</b.js>; rel=preload; as=script')] })
        return yield* send({ type: 'http.response.body', body: bytes('ok') })
      case '/trailers':
        yield* send({ type: 'http.response.body', body: bytes('ok') })
        yield* send({ type: 'http.response.trailers', headers: [[bytes('x-sum'), bytes('1')]], more_trailers: true })
        return yield* send({ type: 'http.response.trailers', headers: [[bytes('x-more'), bytes('2')]] })
      case '/path': return yield* send({ type: 'http.response.pathsend', path })
    }
    const file = yield* fromPromise(openFile(path))
    yield* send({ type: 'http.response.body', body: bytes('<'), more_body: true })
    yield* send({ type: 'http.response.zerocopysend', file, offset: 2, count: 3, more_body: true })
    yield* send({ type: 'http.response.body', body: bytes('>') })
    yield* fromPromise(file.close())
  }), { serverTiming: false })
  t.match((await raw(server.port, get('/hint'))).text, /^HTTP\/1.1 103 Early Hints\r\nLink: <\/a.css>; rel=preload; as=style, <\/b.js>[^]*HTTP\/1.1 200 /)
  t.match((await raw(server.port, get('/trailers', 'TE: trailers\r\n'))).text, /0\r\nx-sum: 1\r\nx-more: 2\r\n\r\n$/)
  t.notMatch((await raw(server.port, get('/trailers'))).text, 'x-sum: 1', 'a client that does not ask for trailers gets none')
  t.match((await raw(server.port, get('/path'))).text, /0123456789/)
  t.match((await raw(server.port, get('/part'))).text, /1\r\n<\r\n3\r\n234\r\n1\r\n>\r\n0\r\n\r\n$/)
})
