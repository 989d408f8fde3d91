// The life of an application, its end with the server, and calls without a server.
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { get, type IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import t from 'tap'
import { run, sleep, VirtualClock, type Coroutine } from '../../src/index.ts'
import { serve, type Application, type Receive, type Send } from '../../src/asgi/index.ts'
import { ApplicationCommunicator } from '../../src/asgi/testing.ts'
import { eventually } from '../support/eventually.ts'
import { open, raw } from '../support/raw.ts'
import { bytes, respond, served, text } from './support.ts'

const GET = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'

/** An application with a life, which notes what it sees. */
function living(seen: string[], http: (state: Record<string, unknown>, receive: Receive, send: Send) => Coroutine<void>): Application {
  return function* app(scope, receive, send) {
    if (scope.type === 'http') return yield* http(scope.state!, receive, send)
    if (scope.type !== 'lifespan') return
    t.same(scope.asgi, { version: '3.0', spec_version: '2.0' })
    seen.push((yield* receive()).type)
    scope.state['items'] = ['shared']
    yield* send({ type: 'lifespan.startup.complete' })
    seen.push((yield* receive()).type)
    yield* sleep(0.01)
    seen.push('cleaned up')
    yield* send({ type: 'lifespan.shutdown.complete' })
  }
}

t.test('lifespan: startup before the first connection, shutdown after the last, state for each request', async (t) => {
  const seen: string[] = []
  const states: Record<string, unknown>[] = []
  const server = await served(t, living(seen, function* (state, _receive, send) {
    states.push(state)
    state['own'] = states.length
    yield* respond(send, 'ok')
  }))
  t.same(seen, ['lifespan.startup'])
  await raw(server.port, GET)
  await raw(server.port, GET)
  t.same(states, [{ items: ['shared'], own: 1 }, { items: ['shared'], own: 2 }], 'a shallow copy each')
  t.equal(states[0]!['items'], states[1]!['items'])
  await server.close()
  t.same(seen, ['lifespan.startup', 'lifespan.shutdown', 'cleaned up'])
})

t.test('lifespan: an application without one, and one that fails', async (t) => {
  const without = await served(t, function* (scope, _receive, send) {
    if (scope.type !== 'http') throw new Error('only HTTP')
    t.equal(scope.state, undefined)
    yield* respond(send, 'ok')
  })
  t.match((await raw(without.port, GET)).text, /^HTTP\/1.1 200 /)
  const fails: Application = function* (_scope, receive, send) {
    yield* receive()
    yield* send({ type: 'lifespan.startup.failed', message: 'no database' })
  }
  await t.rejects(serve(fails, { port: 0 }), { name: 'LifespanFailed', message: /no database/ })
  await t.rejects(serve(function* () { throw new Error('none') }, { port: 0, lifespan: 'on' }), { name: 'LifespanFailed' })
  const late = await serve(function* (_scope, receive, send) {
    yield* receive()
    yield* send({ type: 'lifespan.startup.complete' })
    yield* receive()
    yield* send({ type: 'lifespan.shutdown.failed', message: 'lost a file' })
  }, { port: 0 })
  await t.rejects(late.close(), { name: 'LifespanFailed', message: /lost a file/ })
})

t.test('close: requests may finish, what is left is cancelled, and each connection has ended before the shutdown', async (t) => {
  const seen: string[] = []
  const server = await served(t, living(seen, function* (_state, receive, send) {
    yield* receive()
    seen.push('request')
    try {
      yield* sleep(60)
    } finally {
      seen.push('cancelled')
    }
    yield* respond(send, 'never')
  }), { graceSeconds: 0.05 })
  const answer = raw(server.port, GET)
  await eventually(() => seen.includes('request'))
  await server.close()
  t.match((await answer).text, /^HTTP\/1.1 503 /)
  t.same(seen, ['lifespan.startup', 'request', 'cancelled', 'lifespan.shutdown', 'cleaned up'])
  const refused = open(server.port, GET)
  await new Promise((resolve) => refused.once('close', resolve))
})

t.test('what is no application is refused', async (t) => {
  await t.rejects(serve((() => {}) as never, { port: 0 }), { name: 'TypeError', message: /returned undefined/ })
  await t.rejects(serve((async () => {}) as never, { port: 0 }), { name: 'TypeError', message: /async function/ })
  await t.rejects(serve(((_scope: unknown) => () => {}) as never, { port: 0 }), { name: 'TypeError', message: /ASGI 2/ })
  await t.rejects(serve(class {} as never, { port: 0 }), { name: 'TypeError', message: /ASGI 2/ })
  await t.rejects(serve(null as never, { port: 0 }), { name: 'TypeError' })
  await t.rejects(serve(function* () {}, { prot: 1 } as never), { name: 'TypeError', message: /prot/ })
  const plain = await served(t, ((scope: { type: string }, _receive: unknown, _send: unknown) => (scope.type === 'http' ? 5 : (function* () {})())) as never)
  t.match((await raw(plain.port, GET)).text, /^HTTP\/1.1 500 /, 'one that returns no coroutine')
})

t.test('ApplicationCommunicator: an application without a server, in virtual time', async (t) => {
  await run((function* () {
    const echo = function* (_scope: unknown, receive: Receive, send: Send): Coroutine<void> {
      for (;;) {
        const event = yield* receive()
        if (event.type !== 'websocket.receive') return
        yield* sleep(5)
        if (event.text === 'raise') throw new RangeError('as asked')
        yield* send({ type: 'websocket.send', text: event.text })
      }
    }
    const scope = { type: 'websocket' } as never
    const one = new ApplicationCommunicator(echo, scope)
    yield* one.sendInput({ type: 'websocket.receive', text: 'a', bytes: null })
    t.equal(yield* one.receiveNothing(4), true)
    t.same(yield* one.receiveOutput(2), { type: 'websocket.send', text: 'a' })
    yield* one.sendInput({ type: 'websocket.disconnect', code: 1000, reason: '' })
    yield* one.wait()
    const two = new ApplicationCommunicator(echo, scope)
    yield* two.sendInput({ type: 'websocket.receive', text: 'raise', bytes: null })
    let name = ''
    try {
      yield* two.receiveOutput(10)
    } catch (error) {
      name = (error as Error).name
    }
    t.equal(name, 'RangeError', 'what the application raised')
    const three = new ApplicationCommunicator(echo, scope)
    try {
      yield* three.receiveOutput(1)
    } catch (error) {
      name = (error as Error).name
    }
    t.equal(name, 'TimeoutError')
    yield* three.wait()
  })(), { clock: new VirtualClock() })
})

t.test('the observer knows what an application waits for', async (t) => {
  const server = await served(t, function* (scope, receive, send) {
    if (scope.type !== 'http') return
    for (let more = true; more;) {
      const event = yield* receive()
      more = event.type === 'http.request' && event.more_body
    }
    yield* respond(send, 'ok')
  }, { observer: { port: 0 } })
  let rest = (): void => {}
  const body = (async function* () {
    yield bytes('a')
    await new Promise<void>((resolve) => { rest = resolve })
    yield bytes('b')
  })()
  const answered = fetch(server.url, { method: 'POST', body, duplex: 'half' })
  const tasks = async (): Promise<unknown[]> => ((await (await fetch(`${server.observer!}/tasks`, { headers: { accept: 'application/json' } })).json()) as { tasks: { on?: unknown }[] }).tasks.map(({ on }) => on)
  const wanted = { kind: 'receive', label: 'the body of the request' }
  t.ok(await eventually(async () => (await tasks()).some((on) => JSON.stringify(on) === JSON.stringify(wanted))), JSON.stringify(await tasks()))
  rest()
  t.equal(await (await answered).text(), 'ok')
})

t.test('the observer records the messages of a request', async (t) => {
  const server = await served(t, function* (scope, receive, send) {
    if (scope.type !== 'http') return
    yield* receive()
    yield* send({ type: 'http.response.start', status: 201 })
    yield* send({ type: 'http.response.body', body: bytes('ab'), more_body: true })
    yield* send({ type: 'http.response.body', body: bytes('c') })
    yield* receive()
  }, { observer: { port: 0 } })
  t.equal((await raw(server.port, GET)).text.includes('server-timing'), true)
  const watching = new AbortController()
  const response = await fetch(`${server.observer!}/events?since=first&types=request.message,request.finished`, { signal: watching.signal })
  const told: { type: string; direction?: string; message?: string; bytes?: number; more?: boolean; code?: number; request?: number; task?: number; outcome?: string; status?: number }[] = []
  let rest = ''
  for await (const part of response.body!) {
    const lines = (rest + text(part as Uint8Array)).split('\n')
    rest = lines.pop()!
    told.push(...lines.filter((line) => line.startsWith('data: ')).map((line) => JSON.parse(line.slice(6)) as typeof told[0]).filter(({ type }) => type.startsWith('request.')))
    if (told.at(-1)?.type === 'request.finished') break
  }
  watching.abort()
  const messages = told.filter(({ type }) => type === 'request.message')
  t.same(messages.map(({ direction, message, bytes: size, more, code }) => [direction, message, size, more, code]), [
    ['receive', 'http.request', 0, false, undefined], ['send', 'http.response.start', 0, true, 201], ['send', 'http.response.body', 2, true, undefined],
    ['send', 'http.response.body', 1, false, undefined], ['receive', 'http.disconnect', 0, false, undefined],
  ])
  t.match(told.at(-1), { status: 201, outcome: 'returned', request: messages[0]!.request })
})

t.test('a UNIX socket: its path is the server of the scope, and is gone at the end', async (t) => {
  // A short path: 103 bytes are the most.
  const uds = join(mkdtempSync(join(tmpdir(), 'a-')), 'asgi.sock')
  t.teardown(() => rmSync(dirname(uds), { recursive: true }))
  const seen: unknown[] = []
  const server = await served(t, function* (scope, _receive, send) {
    if (scope.type !== 'http') throw new Error('only HTTP')
    seen.push(scope.server, scope.client)
    yield* respond(send, 'ok')
  }, { uds })
  t.equal(server.url, `unix:${uds}`)
  t.ok(existsSync(uds))
  const [response] = await once(get({ socketPath: uds, path: '/' }), 'response') as [IncomingMessage]
  response.resume()
  t.equal(response.statusCode, 200)
  t.same(seen, [[uds, null], null])
  await t.rejects(serve(function* () {}, { uds, lifespan: 'off' }), { code: 'EADDRINUSE' })
  await server.close()
  t.notOk(existsSync(uds))
  await t.rejects(serve(function* () {}, { uds: `/tmp/${'a'.repeat(99)}` }), { name: 'RangeError', message: /at most 103 bytes, got 104/ })
  await t.rejects(serve(function* () {}, { uds: '9000', lifespan: 'off' }), { code: 'ERR_INVALID_ARG_VALUE' }, 'no port')
  for (const pingSeconds of [NaN, -1, Infinity]) await t.rejects(serve(function* () {}, { pingSeconds }), { name: 'RangeError' })
  await t.rejects(serve(function* () {}, { uds, port: 0 }), { name: 'TypeError', message: 'serve: uds is instead of port and host' })
})
