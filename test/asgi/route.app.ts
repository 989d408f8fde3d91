// The ASGI application of this server, at /asgi: what works in its other routes, works there too.
import { once } from 'node:events'
import t, { type Test } from 'tap'
import { fetch, WebSocket as Client } from 'undici'
import { WebSocket } from 'ws'
import { closeThreads, prepareThreads } from '../../src/index.ts'
import type { StreamEvent } from '../../src/events/schema.ts'
import { parseTiming } from '../../src/load/timing.ts'
import { handshake, open, raw } from '../support/raw.ts'
import { eventually, listen } from '../support/server.ts'
import { blockingSleep } from '../../workers/blocking-sleep.ts'

t.before(() => prepareThreads([blockingSleep]))
t.after(() => closeThreads())

/** The events of a server from now on. */
async function subscribe(t: Test, url: string): Promise<StreamEvent[]> {
  const socket = new Client(`${url.replace('http', 'ws')}/events`)
  t.teardown(() => socket.close())
  const events: StreamEvent[] = []
  socket.addEventListener('message', ({ data }) => events.push(JSON.parse(data as string) as StreamEvent))
  await eventually(() => events.length > 0)
  return events
}

t.test('the programs, by HTTP and by WebSocket', async (t) => {
  const { app, url, port } = await listen(t)
  const answer = await fetch(`${url}/asgi/examples/3?speed=100`)
  t.equal(await answer.text(), 'hello\nworld\n')
  t.match(answer.headers.get('x-request-id'), /^\d+$/)
  t.equal(answer.headers.get('x-content-type-options'), 'nosniff', 'as every answer of this server')
  t.match(await (await fetch(`${url}/asgi`)).text(), new RegExp(`curl -N http://127.0.0.1:${port}/asgi/examples/5`))
  t.equal((await fetch(`${url}/asgi/examples/6`)).status, 404)
  t.equal((await fetch(`${url}/asgi/examples/1?items=2`)).status, 400)
  t.equal((await fetch(`${url}/asgi/examples/1`, { method: 'PUT' })).status, 405)

  const socket = new WebSocket(`ws://127.0.0.1:${port}/asgi/examples/2?speed=100`)
  const lines: string[] = []
  socket.on('message', (data: Buffer) => lines.push(data.toString()))
  await once(socket, 'close')
  t.same(lines, ['hello', 'world'])
  const { runs } = await (await fetch(`${url}/runs`)).json() as { runs: object[] }
  t.match(runs, [{ example: 2, outcome: 'returned' }, { example: 3, outcome: 'returned' }], 'they are runs of this server')
  t.ok(await eventually(() => app.loopscope.loop.liveTasks().size === 0), 'and no task is left')
})

t.test('a line is sent when it is printed', async (t) => {
  const { app, port } = await listen(t)
  // Twenty seconds pass between its two lines.
  const socket = open(port, 'GET /asgi/examples/1?speed=0.05 HTTP/1.1\r\nHost: localhost\r\n\r\n')
  let came = ''
  socket.on('data', (data: Buffer) => { came += data.toString() })
  t.ok(await eventually(() => came.endsWith('\r\nhello\n\r\n')), came)
  t.equal(app.runs.live, 1, 'it goes on')
  socket.destroy()
  t.ok(await eventually(() => app.runs.live === 0))
})

t.test('messages', async (t) => {
  const { port, url } = await listen(t)
  const lines = (await (await fetch(`${url}/asgi/messages?q`, { method: 'POST', body: 'body' })).text()).trim().split('\n').map((line) => JSON.parse(line) as object)
  t.match(lines, [{ type: 'http', method: 'POST', path: '/asgi/messages', root_path: '/asgi', query_string: 'q' }, { type: 'http.request', body: 'body', more_body: false }])
  const socket = new WebSocket(`ws://127.0.0.1:${port}/asgi/messages`)
  const came: object[] = []
  socket.on('message', (data: Buffer) => came.push(JSON.parse(data.toString()) as object))
  await once(socket, 'open')
  socket.send('hi')
  await eventually(() => came.length === 3)
  socket.close()
  t.match(came, [{ type: 'websocket', path: '/asgi/messages' }, { type: 'websocket.connect' }, { type: 'websocket.receive', text: 'hi', bytes: null }])
})

t.test('a call that blocks the loop\'s thread delays other requests, one on another thread does not', async (t) => {
  const { url } = await listen(t)
  /** Calls it, and requests for as long as it takes: how many are answered, and the longest delay of one by the loop. */
  const call = async (thread: string): Promise<{ answered: number; delay: number }> => {
    let over = false
    const slow = fetch(`${url}/asgi/blocking?thread=${thread}&ms=500`).then(async (answer) => {
      over = true
      return [answer.headers.get('server-timing')!, await answer.text()] as const
    })
    let answered = 0
    let delay = 0
    while (!over) {
      const { lag } = await (await fetch(`${url}/ping`)).json() as { lag: number }
      delay = Math.max(delay, lag)
      answered++
    }
    const [timing, text] = await slow
    t.match(text, new RegExp(`^a thread \\(${thread}\\) was blocked for \\d+ ms\n$`))
    const times = parseTiming(timing)!
    t.ok(times[thread === 'inline' ? 'run' : 'thread'] >= 0.49, `Server-Timing of ${thread}: ${timing}`)
    return { answered, delay }
  }
  t.ok((await call('inline')).delay > 0.3)
  for (const thread of ['sensitive', 'pool']) {
    const { answered } = await call(thread)
    t.ok(answered > 3, `${thread}: ${answered} are answered meanwhile`)
  }
  t.equal((await fetch(`${url}/asgi/blocking?ms=10001`)).status, 400, 'within MAX_MS')
})

t.test('a client that disconnects has its program cancelled', async (t) => {
  const { app, port } = await listen(t)
  const socket = open(port, 'GET /asgi/examples/5?speed=20 HTTP/1.1\r\nHost: localhost\r\n\r\n')
  await once(socket, 'data')
  t.equal(app.runs.live, 1)
  socket.destroy()
  t.ok(await eventually(() => app.runs.live === 0))
  const webSocket = new WebSocket(`ws://127.0.0.1:${port}/asgi/examples/5?speed=20`)
  await once(webSocket, 'message')
  t.equal(app.runs.live, 1)
  webSocket.terminate()
  t.ok(await eventually(() => app.runs.live === 0 && app.loopscope.loop.liveTasks().size === 0), [...app.loopscope.loop.liveTasks()].join(', '))
})

t.test('the observer shows each request once, with its tasks and messages', async (t) => {
  const { app, url } = await listen(t)
  await app.observer.ready
  const events = await subscribe(t, url)
  await (await fetch(`${url}/asgi/examples/3?speed=100`)).text()
  const of = (type: string): StreamEvent[] => events.filter((event) => event.type === type)
  await eventually(() => of('request.finished').length > 0 && of('run.finished').length > 0)
  t.equal(of('request.started').length, 1, JSON.stringify(of('request.started')))
  t.equal(of('request.finished').length, 1)
  t.match(of('request.finished'), [{ status: 200, outcome: 'returned' }])
  t.match(of('run.started'), [{ example: 3 }])
  t.ok(of('task.created').some((event) => 'name' in event && event.name === 'example 3'))
})

t.test('limits', async (t) => {
  const { app, port, url } = await listen(t, { RATE_LIMIT: '5', MAX_RUNS: '1' })
  const socket = open(port, 'GET /asgi/examples/5?speed=20 HTTP/1.1\r\nHost: localhost\r\n\r\n')
  await once(socket, 'data')
  const busy = await fetch(`${url}/asgi/examples/1`)
  t.equal(busy.status, 503)
  t.match(await busy.text(), /1 runs are under way/)
  socket.destroy()
  await eventually(() => app.runs.live === 0)
  const other = async (headers: string, host = 'localhost'): Promise<string> => (await raw(port, handshake('/asgi/messages', headers).replace('localhost', host))).text
  t.match(await other('Origin: https://evil.example\r\n'), /^HTTP\/1.1 403 [^]*foreign-site/, 'a page of another site gets no WebSocket')
  t.match(await other('', 'evil.example'), /^HTTP\/1.1 403 [^]*unknown-host/)
  for (let call = 0; call < 3; call++) t.equal((await fetch(`${url}/asgi/examples/9`)).status, 404)
  t.equal((await fetch(`${url}/asgi/examples/9`)).status, 429)
  t.match(await other(''), /^HTTP\/1.1 429 [^]*rate-limited/)
})
