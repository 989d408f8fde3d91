// The cost of slow readers, and of those that do not read at all: little memory, for a limited time.
import { once } from 'node:events'
import { get, type ClientRequest, type IncomingMessage } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import t, { type Test } from 'tap'
import { Agent, fetch } from 'undici'
import type { Monitor, Texts } from '../../src/http/monitor.ts'
import { stalls } from '../../src/http/routes/stalls.ts'
import { httpServer } from '../../src/http/server.ts'
import type { Trace } from '../../src/events/render/trace.ts'
import { observerHere } from '../observe/served.ts'
import { memoryOf, startServer } from '../observe/support.ts'
import { brokenRules } from '../observe/trace-rules.ts'
import { handshake, open } from '../support/raw.ts'
import { build, eventually, listen } from '../support/server.ts'
import { openSocket, over, rest } from '../support/websocket.ts'

const MB = 2 ** 20

/** Sends a request, and reads only the head of its answer. */
async function ask(url: string): Promise<IncomingMessage> {
  const request = get(url, { agent: false })
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  // Most of these connections are cut, by this side or the other.
  for (const one of [request, response]) one.on('error', () => {})
  return response
}

async function textOf(response: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of response.setEncoding('utf8')) text += chunk
  return text
}

t.test('requests with long URLs, and slow readers of the trace', async (t) => {
  const { url, observer } = await startServer(t, { BLOCKED_MS: '5000', MAX_REQUESTS: '1000' })
  const dispatcher = new Agent({ connections: 16 })
  t.teardown(() => dispatcher.close())
  const before = await memoryOf(observer)
  const long = 'x'.repeat(15_000)
  for (let n = 0; n < 2000; n += 50) {
    await Promise.all(Array.from({ length: 50 }, async () => (await fetch(`${url}/view/${long}`, { dispatcher })).text()))
  }
  const readers = await Promise.all(Array.from({ length: 12 }, () => ask(`${observer}/trace?seconds=3600`)))
  const served = readers.filter(({ statusCode }) => statusCode === 200)
  const refused = readers.filter(({ statusCode }) => statusCode === 503)
  t.same([served.length, refused.length], [4, 8])
  t.equal(refused[0]!.headers['retry-after'], '1')
  t.match(JSON.parse(await textOf(refused[0]!)), { statusCode: 503, code: 'too-many-downloads' })
  for (const one of refused) one.resume()
  t.equal((await fetch(`${observer}/healthz`)).status, 200, 'the others are served')
  const grown = await memoryOf(observer) - before
  t.ok(grown < 300 * MB, `${(grown / MB).toFixed(0)} MB more than before`)

  const { traceEvents } = JSON.parse(await textOf(served[0]!)) as Trace
  t.same(brokenRules(traceEvents), [], 'what is read slowly is whole')
  const urls = traceEvents.filter(({ ph }) => ph === 'b').map(({ name }) => name)
  t.ok(urls.length > 100 && urls.filter((name) => name.includes('xxx')).every((name) => name.endsWith('…') && Buffer.byteLength(name) < 1100), `${urls.length} URLs`)
  const again = await fetch(`${observer}/trace?seconds=0.001`)
  t.equal(again.status, 200, 'who is through makes room for another')
  await again.text()
  for (const one of served) one.destroy()
  t.ok(await eventually(async () => {
    const several = await Promise.all(Array.from({ length: 4 }, () => ask(`${observer}/trace?seconds=0.001`)))
    for (const one of several) one.resume()
    return several.every(({ statusCode }) => statusCode === 200)
  }), 'and so do those who leave')
})

t.test('downloads', async (t) => {
  /** A server with one endless download at a time, and how much of it was made. */
  async function serve(t: Test, unreadMs?: number): Promise<{ port: number; made: () => number; ended: () => boolean }> {
    let made = 0
    let ended = false
    function* endless(): Generator<string> {
      try {
        for (;;) {
          made++
          yield 'x'.repeat(1000)
        }
      } finally {
        ended = true
      }
    }
    const app = httpServer({ bodyLimit: 1024, proxies: [], readers: { downloads: 1, ...(unreadMs === undefined ? {} : { unreadMs }) } })
    const { readers } = app
    app.get('/', (request, reply) => {
      readers.enter(request, reply)
      return reply.type('text/plain').send(readers.body(endless()))
    })
    app.get('/fails', (request, reply) => {
      readers.enter(request, reply)
      throw new Error('no')
    })
    await app.listen({ port: 0, host: '127.0.0.1' })
    t.teardown(() => app.close())
    return { port: (app.server.address() as AddressInfo).port, made: () => made, ended: () => ended }
  }
  /** Waits until nothing more is made. */
  async function settled(made: () => number): Promise<number> {
    for (let last = -1; ;) {
      await new Promise((resolve) => setTimeout(resolve, 300))
      if (made() === last) return last
      last = made()
    }
  }

  await t.test('are given up if their client disconnects, before or after they begin', async (t) => {
    const app = httpServer({ bodyLimit: 1024, proxies: [] })
    const open = new Set<number>()
    const asked: (() => void)[] = []
    const text = async (_what: string, of: number): Promise<Texts> => {
      await new Promise<void>((resolve) => { asked.push(resolve) })
      open.add(of)
      const next = async (): Promise<IteratorResult<string>> => ({ done: false, value: 'x'.repeat(1000) })
      return { [Symbol.asyncIterator]: () => ({ next }), close: () => open.delete(of) }
    }
    stalls(app, { text } as unknown as Monitor)
    await app.listen({ port: 0, host: '127.0.0.1' })
    t.teardown(() => app.close())
    const url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`
    const begin = async (stall: number): Promise<{ request: ClientRequest; left: Promise<unknown> }> => {
      const request = get(`${url}/stalls/${stall}/trace`, { agent: false }).on('error', () => {})
      const [socket] = await once(app.server, 'connection') as [Socket]
      t.ok(await eventually(() => asked.length === stall))
      return { request, left: once(socket, 'close') }
    }
    const first = await begin(1)
    first.request.destroy()
    await first.left
    asked[0]!()
    const second = await begin(2)
    asked[1]!()
    const [response] = await once(second.request, 'response') as [IncomingMessage]
    t.ok(open.has(2))
    t.notOk(open.has(1), 'nothing is kept for the one that had left')
    response.on('error', () => {})
    response.destroy()
    t.ok(await eventually(() => open.size === 0))
  })

  await t.test('are made as they are read, and a slot is free when a reader disconnects', async (t) => {
    const { port, made, ended } = await serve(t)
    const reader = await ask(`http://127.0.0.1:${port}/`)
    const first = await settled(made)
    t.ok(first > 0 && first < 64_000, `${first} KB until the connection was full`)
    t.equal((await fetch(`http://127.0.0.1:${port}/`)).status, 503)
    let read = 0
    reader.on('data', (chunk: Buffer) => {
      read += chunk.length
      if (read > 200 * MB) reader.pause()
    })
    t.ok(await eventually(() => read > 200 * MB))
    t.ok(made() * 1000 >= 200e6)
    await settled(made)
    t.not(ended(), true)
    reader.destroy()
    t.ok(await eventually(ended))
    t.ok(await eventually(async () => (await fetch(`http://127.0.0.1:${port}/fails`)).status === 500))
    t.equal((await fetch(`http://127.0.0.1:${port}/fails`)).status, 500, 'one that failed has left as well')
  })

  await t.test('that are not read end by themselves', async (t) => {
    const { port, ended } = await serve(t, 1000)
    const reader = await ask(`http://127.0.0.1:${port}/`)
    t.ok(await eventually(ended))
    reader.resume()
    await over(reader)
    t.equal(reader.complete, false, 'the reader sees that it is not whole')
  })

  await t.test('that are read slowly do not', async (t) => {
    const { port, ended } = await serve(t, 1000)
    const reader = await ask(`http://127.0.0.1:${port}/`)
    for (const end = performance.now() + 4000; performance.now() < end;) {
      const enough = 16 * MB
      let read = 0
      while (read < enough) {
        const chunk = reader.read() as Buffer | null
        if (chunk === null) await once(reader, 'readable')
        else read += chunk.length
      }
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    t.equal(ended(), false)
    reader.destroy()
    t.ok(await eventually(ended))
  })

  await t.test('of a run are limited on the app\'s port too', async (t) => {
    const app = await build(t, {}, { readers: { downloads: 0 } })
    const run = (await app.inject('/examples/3/run?clock=virtual')).headers['x-run-id'] as string
    for (const what of ['trace', 'events']) {
      const { statusCode, headers, json } = await app.inject(`/runs/${run}/${what}`)
      t.same([statusCode, headers['retry-after']], [503, '1'])
      t.match(json(), { code: 'too-many-downloads' })
    }
    t.equal((await app.inject(`/runs/${run}`)).statusCode, 200)
  })
})

t.test('answers that are made whole may be unread up to a number of bytes, for a limited time', async (t) => {
  const app = httpServer({ bodyLimit: 1024, proxies: [], readers: { unreadBytes: 2 * MB, unreadMs: 2000 } })
  app.get('/large', () => ({ text: 'x'.repeat(MB) }))
  app.get('/small', () => ({ text: 'x' }))
  app.get('/text', (_request, reply) => reply.send('x'.repeat(MB)))
  await app.listen({ port: 0, host: '127.0.0.1' })
  t.teardown(() => app.close())
  const { port } = app.server.address() as AddressInfo
  const url = `http://127.0.0.1:${port}`
  for (const path of ['/large', '/text']) {
    // More than the system itself buffers for a connection.
    const silent = Array.from({ length: 10 }, () => open(port, `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`.repeat(20)))
    let refused = ''
    t.ok(await eventually(async () => {
      const response = await fetch(`${url}/large`)
      refused = await response.text()
      return response.status === 503 && response.headers.get('retry-after') === '1'
    }), 'there is room for no more')
    t.match(refused, /clients have not read \d+ bytes of answers/, path)
    t.equal((await fetch(`${url}/small`)).status, 200, 'what is small is said all the same')
    t.ok(await eventually(async () => {
      const response = await fetch(`${url}${path}`)
      await response.text()
      return response.status === 200
    }), 'those who do not read are closed, and make room')
    for (const one of silent) one.destroy()
  }
})

t.test('if too much is unread, no further snapshot is made', async (t) => {
  const app = await build(t, {}, { readers: { unreadBytes: 0 } })
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as AddressInfo
  const refused = await fetch(`http://127.0.0.1:${port}/events`)
  t.equal(refused.status, 503)
  t.match(await refused.json(), { code: 'too-many-unread' })
  const closed = (await rest(await openSocket(port, '/events'))).toString('latin1')
  t.match(closed, /clients have not read 0 bytes of answers/, 'a WebSocket is closed with the reason')
  t.equal(app.observer.size, 0)
})

t.test('subscribers that never read are disconnected, those that read are not', async (t) => {
  const UNREAD_MS = 2000
  const here = await observerHere(t, UNREAD_MS)
  const { app, port } = await listen(t, { BLOCKED_MS: '5000' }, { readers: { unreadMs: UNREAD_MS } })
  const ports = {
    'the observer\'s': here,
    'the app\'s': { port, say: () => app.observer.probe!.printed(null, 'x'.repeat(1000)), size: () => app.observer.size },
  }
  for (const [whose, { port, say, size }] of Object.entries(ports)) {
    await t.test(`on ${whose} port`, async (t) => {
      const sse = open(port, 'GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n')
      const socket = open(port, handshake('/events'))
      const good = open(port, 'GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n')
      let read = 0
      good.on('data', (chunk: Buffer) => { read += chunk.length })
      t.ok(await eventually(() => size() === 3))
      t.ok(await eventually(() => {
        for (let n = 0; n < 100; n++) say()
        return size() === 1
      }), `${size()} are left`)
      const before = read
      t.ok(await eventually(() => {
        say()
        return read > before
      }), 'who reads is still served')
      for (const one of [sse, socket]) {
        one.resume()
        await over(one)
      }
      good.destroy()
      t.ok(await eventually(() => size() === 0))
    })
  }
})
