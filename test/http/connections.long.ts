// What one client's connections may use: requests that are sent ahead, upgrades, streams through the observer, and the time of
// a closing server.
import { once } from 'node:events'
import type { Socket } from 'node:net'
import t, { type Test } from 'tap'
import { fetch } from 'undici'
import { handshake, open, raw } from '../support/raw.ts'
import { eventually, listen } from '../support/server.ts'
import { logOf, startServer } from '../support/server-process.ts'

const get = (target: string, headers = ''): string => `GET ${target} HTTP/1.1\r\nHost: localhost\r\n${headers}\r\n`

t.test('requests that are sent ahead', async (t) => {
  const { app, port, url } = await listen(t)

  await t.test('are served one after the other, read only as far as they are answered, and end with their client', async (t) => {
    const slow = get('/handlers/async?ms=9000')
    const connected = once(app.server, 'connection') as Promise<[Socket]>
    const socket = open(port, slow.repeat(20_000))
    const [served] = await connected
    t.ok(await eventually(() => app.loopscope.active.size === 1), 'the first is under way')
    let most = 0
    for (let look = 0; look < 50; look++) {
      most = Math.max(most, app.loopscope.active.size)
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    t.equal(most, 1, 'and no other')
    // As many as may wait, and what was read together with the last of them.
    t.ok(served.bytesRead <= 64 * slow.length + 65_536, `${served.bytesRead} bytes were read`)
    socket.resetAndDestroy()
    t.ok(await eventually(() => app.loopscope.active.size === 0), 'none is left')
    t.equal(app.loopscope.loop.liveTasks().size, 0)
  })

  await t.test('an upgrade after finished answers is served', async (t) => {
    const socket = open(port, get('/ping'))
    const [first] = (await once(socket, 'data')) as [Buffer]
    t.match(String(first), /^HTTP\/1\.1 200 /)
    socket.write(handshake('/events'))
    const [second] = (await once(socket, 'data')) as [Buffer]
    t.match(String(second), /^HTTP\/1\.1 101 /)
    t.ok(await eventually(() => app.observer.size === 1), 'it subscribes')
    socket.destroy()
    t.ok(await eventually(() => app.observer.size === 0))
  })

  await t.test('are all answered, in order', async (t) => {
    const { text } = await raw(port, Array.from({ length: 3000 }, (_, at) => get(`/runs/${at + 1}`)).join('') + get('/ping', 'Connection: close\r\n'), { ms: 60_000 })
    const asked = [...text.matchAll(/"message":"there is no run (\d+),/g)].map((match) => Number(match[1]))
    t.same(asked, Array.from({ length: 3000 }, (_, at) => at + 1))
    t.match(text, /HTTP\/1\.1 200 OK[^]*"lag":/)
  })

  await t.test('are limited in number', async (t) => {
    const { app: small, url: smallUrl } = await listen(t, { MAX_REQUESTS: '2' })
    const controller = new AbortController()
    const waiting = [1, 2].map(() => fetch(`${smallUrl}/handlers/async?ms=9000`, { signal: controller.signal }).catch(() => null))
    t.ok(await eventually(() => small.loopscope.active.size === 2))
    const refused = await fetch(`${smallUrl}/ping`)
    t.equal(refused.status, 503)
    t.ok(refused.headers.get('retry-after'))
    t.match(await refused.json(), { statusCode: 503, code: 'too-many-requests' })
    controller.abort()
    await Promise.all(waiting)
    t.ok(await eventually(async () => (await fetch(`${smallUrl}/ping`)).status === 200))
  })

  t.equal((await fetch(`${url}/ping`)).status, 200)
})

t.test('an upgrade behind an event stream', async (t) => {
  const { app, port } = await listen(t)
  await app.observer.ready
  for (const [name, to] of [['app', port], ['observer', app.observer.port!]] as const) {
    for (const apart of [false, true]) {
      const socket = open(to, apart ? get('/events') : get('/events') + handshake('/events'))
      const closed = once(socket, 'close')
      if (apart) {
        await once(socket, 'data')
        socket.write(handshake('/events'))
      }
      socket.resume()
      await closed
      const subscribers = async (): Promise<number | undefined> => (await app.observer.metrics()).values['loopscope_subscribers']
      t.ok(await eventually(async () => await subscribers() === 0), `${name}: no subscriber is left`)
      t.ok(await eventually(() => app.loopscope.active.size === 0 && app.loopscope.loop.liveTasks().size === 0), `${name}: no task is left`)
    }
  }
})

t.test('streams through the observer leave room for other requests through it', async (t) => {
  const { app } = await listen(t, { RATE_LIMIT: '0' })
  await app.observer.ready
  const streams = Array.from({ length: 300 }, () => open(app.observer.port!, get('/examples/5/run')))
  t.teardown(() => streams.forEach((one) => one.destroy()))
  t.ok(await eventually(() => app.runs.live === 300), 'all are under way')
  t.equal((await fetch(`${app.observer.url!}/ping`)).status, 200)
  streams.forEach((one) => one.destroy())
  t.ok(await eventually(() => app.runs.live === 0), 'leaving there is leaving here')
})

t.test('the rate limit is per client, over both ports', async (t) => {
  const { app, port } = await listen(t, { RATE_LIMIT: '2', PROXIES: '127.0.0.1' })
  await app.observer.ready
  const call = async (to: number, from: string, claims = ''): Promise<number> => {
    const { text } = await raw(to, get('/handlers/sync?ms=0', `${claims}Connection: close\r\n`), { from })
    return Number(text.slice(9, 12))
  }
  const observer = app.observer.port!
  t.same([await call(observer, '127.0.0.2'), await call(port, '127.0.0.2'), await call(observer, '127.0.0.2'), await call(port, '127.0.0.2')], [200, 200, 429, 429])
  t.equal(await call(observer, '127.0.0.3'), 200, 'another client has a budget of its own')
  const claims = ['X-Forwarded-For: 9.9.9.9\r\n', 'Forwarded: for=9.9.9.9\r\n', 'x-loopscope-client: x 9.9.9.9\r\n']
  for (const claim of claims) for (const to of [observer, port]) t.equal(await call(to, '127.0.0.2', claim), 429, `${claim.trim()} is not believed`)
  t.equal(await call(observer, '127.0.0.1', 'X-Forwarded-For: 127.0.0.2\r\n'), 429, 'a proxy is, at the observer as well')
})

t.test('an offer of another protocol does not affect a long answer: it arrives whole, and makes room for another', async (t) => {
  const { app, port, url } = await listen(t)
  await app.observer.ready
  const run = (await fetch(`${url}/examples/5/run?clock=virtual&producers=10&items=200`, { headers: { accept: 'application/json' } })).headers.get('x-run-id')!
  const offer = 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n'
  for (const [whose, to] of [['the app\'s', port], ['the observer\'s', app.observer.port!]] as const) {
    const plain = await raw(to, get(`/runs/${run}/events`, 'Connection: close\r\n'))
    t.ok(plain.text.length > 200_000, `${plain.text.length} bytes from ${whose} port`)
    for (let n = 0; n < 6; n++) {
      const { text, closed } = await raw(to, get(`/runs/${run}/events`, offer), { ms: 5000 })
      t.same([text.slice(9, 12), text.length > 200_000, text.endsWith('\r\n0\r\n\r\n'), closed], ['200', true, true, true], `${text.length} bytes`)
    }
  }
})

interface Server {
  port: number
  observer: number
  stop(): void
  log(): string[]
  ended: Promise<unknown>
}

async function start(t: Test): Promise<Server> {
  const server = await startServer(t, { GRACE_SECONDS: '0.3' })
  return {
    port: Number(new URL(server.url).port), observer: Number(new URL(server.observer).port),
    stop: () => server.child.kill('SIGTERM'), ended: server.ended, log: () => logOf(server).map(({ msg }) => msg),
  }
}

t.test('a closing server does not wait for a WebSocket that does not answer, nor for an upgrade that was refused', async (t) => {
  const server = await start(t)
  const sockets = [server.port, server.observer].flatMap((port) => [open(port, handshake('/events')), open(port, handshake('/events', 'Origin: http://evil.example\r\n'))])
  for (const socket of sockets) socket.on('data', () => {})
  const closed = Promise.all(sockets.map((socket) => once(socket, 'close')))
  const silent = [sockets[0]!, sockets[2]!]
  await Promise.all(silent.map((socket) => once(socket, 'data')))
  server.stop()
  t.equal(await server.ended, 0)
  await closed
  t.same(server.log().slice(-2), ['SIGTERM: closing, within 0.3 s', 'closed'], 'within the time that closing has')
})
