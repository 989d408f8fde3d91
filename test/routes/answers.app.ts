// The app as its clients see it: answers, refusals, and what a disconnecting client leaves behind.
import { connect } from 'node:net'
import type { InjectOptions } from 'fastify'
import t, { type Test } from 'tap'
import { fetch, WebSocket } from 'undici'
import { closeThreads, prepareThreads, threadsState } from '../../src/index.ts'
import { eventually, build, listen } from '../support/server.ts'
import { blockingSleep } from '../../workers/blocking-sleep.ts'
import { spin } from '../../workers/spin.ts'
import type { ErrorBody } from '../../src/http/errors.ts'
import { STATUSES, type Code } from '../../src/http/refusals.ts'
import { streamEvent, type StreamEvent } from '../../src/events/schema.ts'
import { parseTiming } from '../../src/load/timing.ts'

// Starting threads takes a while on a busy machine: no test should wait for it, or be about it.
t.before(() => prepareThreads([blockingSleep, spin]))
t.after(() => closeThreads())

t.test('bad input', async (t) => {
  const app = await build(t)
  /** `words`: what the message must contain besides its code, such as the field and its bounds. */
  const refused = async (t: Test, options: string | InjectOptions, code: Code, words = /./): Promise<void> => {
    const response = await app.inject(options)
    const what = JSON.stringify(options)
    const statusCode = STATUSES[code]
    t.equal(response.statusCode, statusCode, what)
    t.match(response.headers['content-type'], /^application\/json/, what)
    const body = response.json<ErrorBody>()
    t.match(body, { statusCode, code, message: words }, what)
    t.same(Object.keys(body).filter((key) => !['statusCode', 'code', 'error', 'message', 'details'].includes(key)), [], 'one shape')
    t.ok(response.headers['x-request-id'], 'an id')
    t.match(response.headers['server-timing'], /run;dur=.*ready;dur=.*wait;dur=.*thread;dur=/)
  }

  await t.test('an example, a run or a task that does not exist', async (t) => {
    await refused(t, '/examples/9/run', 'no-such-example')
    await refused(t, '/examples/9', 'no-such-example')
    await refused(t, '/examples/two/run', 'invalid-path', /n: must be a whole number/)
    await refused(t, '/examples/1.5/run', 'invalid-path', /n: must be a whole number/)
    await refused(t, '/runs/77', 'no-such-run')
    await refused(t, '/runs/77/trace', 'no-such-run')
    await refused(t, { method: 'DELETE', url: '/runs/77' }, 'no-such-run')
    await refused(t, { method: 'DELETE', url: '/tasks/777' }, 'no-such-task')
    await refused(t, '/nothing/here', 'no-such-route')
  })

  await t.test('fields out of range, of the wrong type, unknown, or out of place', async (t) => {
    await refused(t, '/examples/1/run?speed=0', 'invalid-query', /speed: must be a number from 0.01 to 1000/)
    await refused(t, '/examples/1/run?speed=fast', 'invalid-query', /speed: must be a number/)
    await refused(t, '/examples/1/run?speed=', 'invalid-query', /speed: must be a number/)
    await refused(t, '/examples/1/run?speed=1e3', 'invalid-query', /speed: must be a number/)
    await refused(t, '/examples/1/run?speed=1&speed=2', 'invalid-query', /speed: must be a number/)
    await refused(t, '/examples/1/run?clock=sun', 'invalid-query', /clock: must be real or virtual/)
    await refused(t, '/examples/1/run?colour=red', 'invalid-query', /colour: is not a known field/)
    await refused(t, '/examples/1/run?producers=2', 'invalid-query', /producers: only example 5/)
    await refused(t, '/examples/1/run?draw=maybe', 'invalid-query', /draw: is a switch/)
    await refused(t, '/examples/5/run?producers=0', 'invalid-query', /producers: .* from 1 to 100/)
    await refused(t, '/examples/5/run?consumers=0', 'invalid-query', /consumers: .* from 1 to 100/)
    await refused(t, '/examples/5/run?queue=kafka', 'invalid-query', /queue: must be own or redis/)
    await refused(t, '/examples/5/run?name=a', 'invalid-query', /name: only a queue that is shared/)
    await refused(t, '/examples/5/run?queue=redis&name=a%20b', 'invalid-query', /name: must be 1 to 64 letters/)
    await refused(t, '/examples/5/run?queue=redis&clock=virtual&items=1', 'invalid-query', /queue: .* real time/)
    await refused(t, '/examples/5/run?queue=redis&producers=0&consumers=0', 'invalid-query', /consumers: .* nothing to run/)
    await refused(t, '/examples/1/run?queue=redis', 'invalid-query', /queue: only example 5/)
    await refused(t, '/examples/5/run?queue=redis', 'redis-unavailable')
    await refused(t, '/examples/5/run?items=-1', 'invalid-query', /items: .* from 0 to 10000/)
    await refused(t, '/examples/5/run?seed=4294967296', 'invalid-query', /seed/)
    await refused(t, '/examples/5/run?clock=virtual', 'invalid-query', /items: in virtual time/)
    await refused(t, '/examples/5/run?clock=virtual&items=10000&producers=100', 'invalid-query', /items: .*20000 at most/)
    await refused(t, '/handlers/async?ms=10001', 'invalid-query', /ms: .* from 0 to 10000/)
    await refused(t, '/handlers/sync?thread=main', 'invalid-query', /thread: must be one of inline, sensitive, pool/)
    await refused(t, '/handlers/fetch?n=101', 'invalid-query', /n: .* from 1 to 100/)
    await refused(t, '/ping?x=1', 'invalid-query', /x: is not a known field/)
    const { details } = (await app.inject('/examples/5/run?producers=101&what=1')).json<ErrorBody>()
    t.same(details?.map(({ field }) => field).sort(), ['producers', 'what'])
  })

  await t.test('a wrong method, a wrong Accept', async (t) => {
    await refused(t, { method: 'POST', url: '/ping' }, 'method-not-allowed', /only GET/)
    await refused(t, { method: 'PUT', url: '/examples/1/run' }, 'method-not-allowed', /only GET/)
    await refused(t, { method: 'GET', url: '/tasks/1' }, 'method-not-allowed', /only DELETE/)
    t.equal((await app.inject({ method: 'POST', url: '/ping' })).headers.allow, 'GET')
    await refused(t, { url: '/examples/1/run', headers: { accept: 'image/png' } }, 'not-acceptable', /text\/plain, application\/json, application\/x-ndjson/)
    await refused(t, { url: '/tasks', headers: { accept: 'text/plain;q=0, application/xml' } }, 'not-acceptable')
  })

  await t.test('a malformed body, or one too large', async (t) => {
    const headers = { 'content-type': 'application/json' }
    await refused(t, { method: 'DELETE', url: '/runs/1', headers, payload: '{"a":' }, 'invalid-body')
    await refused(t, { method: 'DELETE', url: '/runs/1', headers, payload: `"${'x'.repeat(70_000)}"` }, 'body-too-large')
    await refused(t, { method: 'DELETE', url: '/runs/1', headers: { 'content-type': 'text/csv' }, payload: 'a,b' }, 'unsupported-media-type')
  })

  await t.test('an invalid cursor', async (t) => {
    await refused(t, '/events?since=yesterday', 'invalid-query', /since: must be a cursor/)
    await refused(t, { url: '/events', headers: { 'last-event-id': 'x y' } }, 'invalid-header', /Last-Event-ID: must be a cursor/)
    await refused(t, '/events?types=task.eaten', 'invalid-query', /must be one of loop.started/)
    await refused(t, '/events?run=0', 'invalid-query', /run/)
  })

  await t.test('another site, or another name for this machine', async (t) => {
    await refused(t, { url: '/ping', headers: { origin: 'https://evil.example' } }, 'foreign-site', /another origin/)
    await refused(t, { url: '/ping', headers: { origin: 'null' } }, 'foreign-site', /another origin/)
    await refused(t, { url: '/examples/5/run', headers: { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' } }, 'foreign-site', /may link to the pages here/)
    await refused(t, { url: '/ping', headers: { host: 'evil.example' } }, 'unknown-host', /evil\.example/)
    t.equal((await app.inject({ url: '/ping', headers: { origin: 'http://localhost:80', host: 'localhost:80' } })).statusCode, 200)
  })

  await t.test('too many calls to what is costly', async (t) => {
    const small = await build(t, { RATE_LIMIT: '2' })
    const codes = []
    for (let at = 0; at < 4; at++) codes.push((await small.inject('/handlers/sync?ms=0')).statusCode)
    t.same(codes, [200, 200, 429, 429])
    t.match((await small.inject('/handlers/sync?ms=0')).json<ErrorBody>(), { statusCode: 429, code: 'rate-limited', error: 'Too Many Requests' })
    t.equal((await small.inject('/ping')).statusCode, 200, 'what costs nothing is not limited')
  })

  await t.test('more runs than are allowed', async (t) => {
    const small = await build(t, { MAX_RUNS: '1' })
    const first = small.inject('/examples/1/run?speed=2')
    t.ok(await eventually(() => small.runs.live === 1))
    t.match((await small.inject('/examples/1/run')).json<ErrorBody>(), { statusCode: 503, code: 'too-many-runs' })
    t.equal((await first).statusCode, 200)
  })

  await t.test('leaves nothing behind, and the server continues', async (t) => {
    t.equal((await app.inject('/ping')).statusCode, 200)
    t.equal(app.loopscope.active.size, 0)
    t.equal(app.loopscope.loop.liveTasks().size, 0)
    t.equal(app.runs.live, 0)
  })
})

/** Sends bytes, and returns the whole answer. */
function raw(port: number, bytes: string): Promise<string> {
  return new Promise((resolve) => {
    let text = ''
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes))
    socket.on('data', (chunk) => { text += chunk.toString() })
    socket.on('close', () => resolve(text))
    socket.on('error', () => {})
  })
}

t.test('on a real socket', async (t) => {
  const { app, port, url } = await listen(t)

  await t.test('invalid HTTP gets a 400, a header too large a 431, in the one shape', async (t) => {
    const garbled = await raw(port, 'HELLO?\r\n\r\n')
    t.match(garbled, /^HTTP\/1\.1 400 Bad Request/)
    t.same(Object.keys(JSON.parse(garbled.split('\r\n\r\n')[1]!) as object), ['statusCode', 'code', 'error', 'message'])
    const large = await raw(port, `GET /ping HTTP/1.1\r\nHost: localhost\r\nX-Large: ${'x'.repeat(20_000)}\r\n\r\n`)
    t.match(large, /^HTTP\/1\.1 431/)
    t.match(JSON.parse(large.split('\r\n\r\n')[1]!), { statusCode: 431, code: 'headers-too-large', error: 'Request Header Fields Too Large' })
  })

  await t.test('a handler blocks: delayed requests name it', async (t) => {
    const blocking = fetch(`${url}/handlers/sync?thread=inline&ms=300`)
    t.ok(await eventually(() => app.loopscope.active.size > 0 || app.loopscope.blocks.count > 0))
    // The block is over by now; both of these were in the kernel during it, or arrive right after.
    const pings = await Promise.all(Array.from({ length: 5 }, () => fetch(`${url}/ping`)))
    t.equal(pings.every(({ status }) => status === 200), true)
    const { headers, status } = await blocking
    t.equal(status, 200)
    t.ok(parseTiming(headers.get('server-timing')!)!.run >= 300)
  })

  await t.test('a request that waited behind a blocking one names it', async (t) => {
    // Both are waiting when the loop continues: the second one is read before, while or after the first blocks it.
    const answers = await Promise.all(['/handlers/sync?thread=inline&ms=200', '/ping'].map((target) => raw(port, `GET ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`)))
    const timings = answers.map((answer) => /server-timing: (.*)/i.exec(answer)?.[1])
    t.ok(parseTiming(timings[0]!)!.run >= 200, String(timings[0]))
    t.match(timings[1], /ready;dur=[1-9]\d\d\S*;desc="(at most, behind )?GET \/handlers\/sync #\d+"/)
  })

  await t.test('a client that disconnects has its request cancelled', async (t) => {
    for (const path of ['/examples/5/run', '/handlers/async?ms=9000', '/handlers/sync?thread=pool&ms=300', '/handlers/fetch?n=5&ms=9000', '/events']) {
      const controller = new AbortController()
      const request = fetch(`${url}${path}`, { signal: controller.signal }).then(async (response) => response.text()).catch((error: Error) => error.name)
      t.ok(await eventually(() => app.loopscope.active.size > 0), path)
      controller.abort()
      t.equal(await request, 'AbortError', path)
      t.ok(await eventually(() => app.loopscope.loop.liveTasks().size === 0), `${path}: no task is left`)
      t.equal(app.loopscope.active.size, 0, `${path}: no request is left`)
    }
    t.equal(app.runs.live, 0)
    t.equal(app.observer.size, 0)
    t.ok(await eventually(() => threadsState().pool.calls.length === 0), 'the orphaned call ends')
  })

  await t.test('an orphaned call still occupies its thread, and can be seen', async (t) => {
    const controller = new AbortController()
    // The call lasts longer than this takes, even on a busy machine.
    const request = fetch(`${url}/handlers/sync?thread=pool&ms=5000`, { signal: controller.signal }).catch(() => null)
    t.ok(await eventually(() => threadsState().pool.running > 0))
    controller.abort()
    await request
    t.ok(await eventually(() => threadsState().pool.orphaned === 1))
    t.match(await (await fetch(`${url}/metrics`)).text(), /loopscope_pool_orphaned 1/)
  })

  await t.test('the threads give the same answer without blocking the loop', async (t) => {
    for (const query of ['thread=sensitive', 'thread=pool', 'thread=sensitive&scope=request', 'thread=pool&work=spin']) {
      const response = await fetch(`${url}/handlers/sync?ms=100&${query}`)
      t.match(await response.json(), { handler: /^sync, (sensitive|pool)$/, ms: 100 }, query)
      const [, run, thread] = /^run;dur=([\d.]+).*thread;dur=([\d.]+)$/.exec(response.headers.get('server-timing')!) ?? []
      // The call has begun before the step ends in which it is made: on a busy machine some of it is still run.
      t.ok(Number(run) + Number(thread) >= 100, `${query}: ${run} ms run, ${thread} ms in a thread`)
      t.ok(Number(run) < Number(thread), query)
    }
    t.match(await (await fetch(`${url}/handlers/async-to-sync?ms=20`)).json(), { handler: 'async-to-sync' })
    t.match(await (await fetch(`${url}/handlers/fetch?n=10&ms=20`)).json(), { handler: 'fetch', n: 10 })
  })

  await t.test('a task is cancelled by its number, and its client gets an answer', async (t) => {
    const waiting = fetch(`${url}/handlers/async?ms=9000`)
    t.ok(await eventually(() => app.loopscope.loop.liveTasks().size === 1))
    const [task] = app.loopscope.loop.liveTasks()
    const answer = await fetch(`${url}/tasks/${task!.id}`, { method: 'DELETE' })
    t.equal(answer.status, 202)
    const response = await waiting
    t.equal(response.status, 503)
    t.match(await response.json(), { code: 'task-cancelled' })
  })

  await t.test('a run is cancelled by its number, and the end of its output shows it', async (t) => {
    const response = await fetch(`${url}/examples/5/run`)
    const run = response.headers.get('x-run-id')!
    t.equal((await fetch(`${url}/runs/${run}`, { method: 'DELETE' })).status, 202)
    t.match(await response.text(), /\(cancelled\)\n$/)
    t.match(await (await fetch(`${url}/runs/${run}`)).json(), { outcome: 'cancelled', example: 5 })
    t.equal((await fetch(`${url}/runs/${run}`, { method: 'DELETE' })).status, 409)
    t.equal(app.loopscope.loop.liveTasks().size, 0)
  })

  await t.test('X-Request-Start bounds how long a request can have waited', async (t) => {
    const { leftAgo } = await import('../../src/http/request-timing.ts')
    const now = Date.now()
    for (const header of [`t=${(now - 500) / 1000}`, `t=${now - 500}`, `${(now - 500) * 1000}`]) {
      const seconds = leftAgo(header)
      t.ok(seconds !== null && seconds >= 0.4 && seconds < 60, `${header}: ${seconds}`)
    }
    for (const header of ['yesterday', 't=', `t=${now + 60_000}`, `t=${now - 1e9}`, '-1']) t.equal(leftAgo(header), null, header)
  })
})

t.test('the event stream', async (t) => {
  const { app, port, url } = await listen(t, { MAX_SUBSCRIBERS: '3' })
  const address = `ws://127.0.0.1:${port}/events`

  interface Client {
    socket: WebSocket
    messages: StreamEvent[]
    closed: Promise<{ code: number; reason: string }>
  }
  function client(query = '', headers: Record<string, string> = {}): Client {
    const socket = new WebSocket(address + query, { headers })
    const messages: StreamEvent[] = []
    socket.addEventListener('message', ({ data }) => { messages.push(JSON.parse(String(data)) as StreamEvent) })
    socket.addEventListener('error', () => {})
    const closed = new Promise<{ code: number; reason: string }>((resolve) => {
      socket.addEventListener('close', ({ code, reason }) => resolve({ code, reason }))
    })
    return { socket, messages, closed }
  }
  const opened = (one: Client): Promise<boolean> => eventually(() => one.messages.length > 0)

  await t.test('sends over a WebSocket what happens, each message an event', async (t) => {
    const one = client()
    t.ok(await opened(one))
    t.equal(one.messages[0]!.type, 'stream.hello')
    await fetch(`${url}/examples/3/run?speed=100`)
    t.ok(await eventually(() => one.messages.some(({ type }) => type === 'run.finished')))
    for (const message of one.messages) t.ok(streamEvent.safeParse(message).success, message.type)
    const seqs = one.messages.flatMap((message) => ('t' in message ? [message.seq] : []))
    t.same(seqs, seqs.map((_, at) => seqs[0]! + at), 'no gap, no repeat')
    t.match(one.messages.filter(({ type }) => type === 'task.printed'), [{ text: 'hello', run: 1 }, { text: 'world', run: 1 }])
    one.socket.close()
    t.equal((await one.closed).code, 1005)
    t.ok(await eventually(() => app.observer.size === 0))
  })

  await t.test('resumes at a cursor, and takes another filter while it runs', async (t) => {
    await app.observer.ready
  const { epoch } = app.observer
    const one = client(`?since=${epoch}:2&types=task.created`)
    t.ok(await opened(one))
    t.match(one.messages[0], { type: 'stream.hello', epoch, seq: 2 })
    t.ok(await eventually(() => one.messages.length > 1))
    t.ok(one.messages.slice(1).every(({ type }) => type === 'task.created'))
    one.socket.send(JSON.stringify({ types: ['request.finished'] }))
    t.ok(await eventually(() => one.messages.filter(({ type }) => type === 'stream.hello').length === 2))
    await fetch(`${url}/ping`)
    t.ok(await eventually(() => one.messages.at(-1)?.type === 'request.finished'))
    one.socket.close()
    await one.closed
  })

  await t.test('begins with the first event that is kept, of one loop and of all', async (t) => {
    for (const query of ['?since=first', '?since=first&loop=*']) {
      const one = client(query)
      t.ok(await eventually(() => one.messages.some((message) => message.type === 'run.finished')), query)
      t.match(one.messages.slice(0, 2), [{ type: 'stream.hello', seq: 0, first: 1, snapshot: { seq: Number } }, { seq: 1 }])
      t.ok(await eventually(() => one.messages.some((message) => message.type === 'stream.bookmark' && message.now !== undefined)), 'then comes a sign of life')
      one.socket.close()
      await one.closed
    }
  })

  await t.test('closes on what it cannot read, with the reason', async (t) => {
    const cases: [string | Uint8Array, number, RegExp][] = [
      ['{"types":', 1007, /not JSON/], [new Uint8Array([1, 2]), 1003, /only text/], ['{"colour":1}', 1008, /colour/],
      ['{"types":["task.eaten"]}', 1008, /types/], ['[]', 1008, /./], [JSON.stringify({ types: ['x'.repeat(5000)] }), 1009, /.*/],
    ]
    for (const [message, code, reason] of cases) {
      const one = client()
      t.ok(await opened(one))
      one.socket.send(message)
      const closed = await one.closed
      t.equal(closed.code, code, String(message).slice(0, 40))
      t.match(closed.reason, reason)
    }
    t.ok(await eventually(() => app.observer.size === 0))
  })

  await t.test('refuses a foreign origin and a bad cursor before the upgrade', async (t) => {
    const upgrade = (path: string, more: string): Promise<string> => raw(port, `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n`
      + `Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n${more}\r\n`)
    t.match(await upgrade('/events', 'Origin: https://evil.example\r\n'), /^HTTP\/1\.1 403[^]*another origin/)
    t.match(await upgrade('/events?since=now', ''), /^HTTP\/1\.1 400[^]*since: must be a cursor/)
    t.equal(app.observer.size, 0)
  })

  await t.test('has room for a limited number of subscribers', async (t) => {
    const clients = [client(), client(), client()]
    for (const one of clients) t.ok(await opened(one))
    t.equal((await client().closed).code, 1013)
    t.equal((await fetch(`${url}/events`)).status, 503)
    for (const { socket } of clients) socket.close()
    t.ok(await eventually(() => app.observer.size === 0))
  })

  await t.test('sends the same over server-sent events, with cursors that resume', async (t) => {
    await app.observer.ready
  const { epoch } = app.observer
    const read = async (headers: Record<string, string>, until: RegExp): Promise<string> => {
      const controller = new AbortController()
      const { body, headers: got } = await fetch(`${url}/events?types=request.started`, { headers, signal: controller.signal })
      t.match(got.get('content-type'), 'text/event-stream')
      let text = ''
      for await (const chunk of body!) {
        text += Buffer.from(chunk as Uint8Array).toString()
        if (until.test(text)) break
      }
      controller.abort()
      return text
    }
    const first = await read({ 'last-event-id': `${epoch}:0` }, /\/ping/)
    t.match(first, /^event: stream\.hello\ndata: \{/)
    const ids = [...first.matchAll(/^id: (.*)$/gm)].map((match) => match[1]!)
    t.ok(ids.length > 2)
    t.same(ids, [...new Set(ids)])
    const second = await read({ 'last-event-id': ids[1]! }, new RegExp(`id: ${ids[2]!}\n`))
    t.notMatch(second, `id: ${ids[1]!}\n`)
  })
})

t.test('what the server says about itself', async (t) => {
  const app = await build(t, { OBSERVER_URL: 'http://localhost:9/' })

  await t.test('a guide for curl, and a redirect for browsers', async (t) => {
    const guide = await app.inject('/')
    t.match(guide.headers['content-type'], 'text/plain')
    for (const line of guide.body.matchAll(/curl (?:-\w+ )*"?http:\/\/localhost:80(\/[^"\s]*)/g)) {
      const path = line[1]!.split('?')[0]!
      t.ok(app.hasRoute({ method: 'GET', url: path }) || /^\/(examples\/\d|asgi\/)/.test(path), path)
    }
    const browser = await app.inject({ url: '/', headers: { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' } })
    t.equal(browser.statusCode, 302)
    t.equal(browser.headers.location, 'http://localhost:9/')
    t.match(guide.body, 'In a browser: http://localhost:9/ (live)', 'where it goes on while the loop is blocked')
  })

  await t.test('a page with a strict policy, and its script separate', async (t) => {
    t.match(await app.inject('/view?run=7'), { statusCode: 302, headers: { location: 'view/?run=7' } })
    const page = await app.inject('/view/')
    t.match(page.headers['content-security-policy'], /default-src 'none'/)
    t.notMatch(page.headers['content-security-policy'], /unsafe/)
    t.notMatch(page.body, /<script>|<style>| style=| on\w+=/)
    const assets = [...page.body.matchAll(/"\.\/(assets\/[^"]+)"/g)].map(([, path]) => path!)
    t.ok(assets.length >= 2, 'a script and a style sheet')
    for (const path of assets) t.match(await app.inject(`/view/${path}`), { statusCode: 200, headers: { 'cache-control': /immutable/ } }, path)
    t.equal((await app.inject('/view/nothing.js')).statusCode, 404)
    t.equal((await app.inject('/view/..%2fpackage.json')).statusCode, 400, 'out of its folder')
  })

  await t.test('health, readiness and metrics', async (t) => {
    t.match((await app.inject('/healthz')).json(), { status: 'ok' })
    t.equal((await app.inject('/readyz')).statusCode, 200)
    app.draining.since = 1
    t.equal((await app.inject('/readyz')).statusCode, 503)
    app.draining.since = null
    t.match((await app.inject('/metrics')).body, /^loopscope_requests_total\{answer="2xx"\} [1-9]/m)
  })

  await t.test('its API as OpenAPI 3.1, from the schemas that check', async (t) => {
    const api = (await app.inject('/openapi.json')).json<{ openapi: string; paths: Record<string, { get?: { parameters?: { name: string; schema: object }[] } }> }>()
    t.match(api.openapi, /^3\.1/)
    const run = api.paths['/examples/{n}/run']?.get
    t.same(run?.parameters?.map(({ name }) => name).sort(), ['clock', 'consumers', 'draw', 'items', 'maxsize', 'n', 'name', 'producers', 'queue', 'seed', 'speed'])
    t.match(run?.parameters?.find(({ name }) => name === 'speed')?.schema, { type: 'number', minimum: 0.01, maximum: 1000 })
    t.equal((await app.inject('/docs')).statusCode, 200)
  })

  await t.test('live tasks as a tree, or as JSON', async (t) => {
    t.match((await app.inject('/tasks')).body, /^1 live task\n└─ \d+ GET \/tasks #\d+: running\n$/)
    t.match((await app.inject({ url: '/tasks', headers: { accept: 'application/json' } })).json(), { tasks: [{ state: 'running', name: /GET \/tasks/ }] })
  })
})

t.test('without a Redis there is one loop, which can be named or not', async (t) => {
  const { app, url } = await listen(t)
  const get = async (path: string, accept = 'application/json'): Promise<string> => (await fetch(url + path, { headers: { accept } })).text()
  await app.observer.ready
  const { epoch } = app.observer
  t.match(JSON.parse(await get('/loops')), {
    self: 'main', redis: null, loops: [{ loop: 'main', epoch, pid: process.pid, state: 'live', self: true, tasks: 1, blocked: null, observer: app.observer.url }],
  })
  t.match(await get('/loops', 'text/plain'), /^ +loop +state.*\n\* +main +live /)
  t.same(Object.keys(JSON.parse(await get('/tasks')) as object), ['t', 'tasks', 'locks'], 'nothing else is told than without the others')
  t.match(JSON.parse(await get('/tasks?loop=main')), { loop: 'main', state: 'live', tasks: [{ name: /GET \/tasks/ }] })
  t.same(JSON.parse(await get('/runs?loop=main')), { runs: [] })
  for (const base of [url, app.observer.url!]) {
    for (const path of ['/tasks', '/runs', '/runs/1', '/events']) {
      const response = await fetch(`${base}${path}?loop=other`)
      t.equal(response.status, 404, path)
      t.match(await response.json(), { code: 'no-such-loop', message: /GET \/loops lists main/ })
    }
    t.equal((await fetch(`${base}/events?loop=a%20b`)).status, 400)
  }
  t.notMatch(await get('/metrics', 'text/plain'), /cluster/)
})

t.test('the default of a call is never longer than MAX_MS', async (t) => {
  const { app } = await listen(t, { MAX_MS: '40' })
  for (const path of ['/handlers/async', '/handlers/sync', '/handlers/sync?thread=pool', '/handlers/async-to-sync', '/handlers/fetch?n=1']) {
    const answer = await app.inject(path)
    t.match([answer.statusCode, answer.json()], [200, { ms: 40 }], path)
  }
  const lab = await app.inject({ method: 'POST', url: '/lab' })
  t.match([lab.statusCode, lab.json()], [202, { ms: 40 }])
  await app.inject({ method: 'DELETE', url: '/lab/1' })
  t.ok(await eventually(async () => (await app.inject({ url: '/lab/1', headers: { accept: 'application/json' } })).json<{ outcome: string | null }>().outcome !== null))
  const guide = (await app.inject('/')).body
  t.same([...new Set([...guide.matchAll(/\bms=(\d+)/g)].map((match) => match[1]))], ['40'], 'nor do the lines to copy ask for more')
})
