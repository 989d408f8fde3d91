// What a client may send on the stream's WebSocket, and what happens to one that sends more.
import type { Socket } from 'node:net'
import { Writable } from 'node:stream'
import t from 'tap'
import { fetch } from 'undici'
import type { AppOptions } from '../../src/server/app.ts'
import { observerHere } from '../observe/served.ts'
import { memoryOf, startServer } from '../observe/support.ts'
import { eventually, listen } from '../support/server.ts'
import { frame, openSocket, over, PING, rest } from '../support/websocket.ts'

const MB = 2 ** 20

/** Writes this repeatedly until the other side closes, or this much is written and more than that is buffered in between. */
async function flood(socket: Socket, what: Buffer, bytes: number): Promise<void> {
  let left = bytes
  while (left > 0 && !socket.destroyed) {
    left -= what.length
    if (socket.write(what)) continue
    await Promise.race([new Promise((resolve) => { socket.once('drain', resolve) }), over(socket), new Promise((resolve) => setTimeout(resolve, 2000))])
    // Nothing is accepted any longer: the server does not read.
    if (socket.writableNeedDrain) break
  }
}

t.test('a client that floods the stream and does not read', async (t) => {
  const { url, observer } = await startServer(t, { BLOCKED_MS: '5000' })
  const many = (one: Buffer): Buffer => Buffer.concat(Array.from({ length: 2000 }, () => one))
  const floods = {
    'wishes': many(frame('{"types":["task.finished"],"task":1}')), 'wishes that change nothing': many(frame('{}')), 'pings': many(frame('', PING)),
    'what cannot be read': many(frame('{')),
  }
  for (const [name, address] of Object.entries({ 'the app\'s': url, 'the observer\'s': observer })) {
    const port = Number(new URL(address).port)
    await t.test(`on ${name} port`, async (t) => {
      const before = await memoryOf(observer)
      for (const [what, bytes] of Object.entries(floods)) {
        const sockets = await Promise.all(Array.from({ length: 4 }, () => openSocket(port, '/events')))
        const flooded = Promise.all(sockets.map((socket) => flood(socket, bytes, 8 * MB)))
        t.equal((await fetch(`${address}/healthz`)).status, 200, 'others are served meanwhile')
        await flooded
        await Promise.all(sockets.map(rest))
        // A client that sends less than it could, and does read.
        const socket = await openSocket(port, '/events')
        socket.write(bytes)
        const said = await rest(socket)
        const reason = what === 'what cannot be read' ? 'this is not JSON' : 'a client may send 100 messages a second, and this one has sent more'
        t.ok(said.includes(reason), `${what}: it is told why it has to go`)
      }
      const grown = await memoryOf(observer) - before
      t.ok(grown < 200 * MB, `${(grown / MB).toFixed(0)} MB more than before`)
      t.ok(await eventually(async () => /^loopscope_subscribers 0$/m.test(await (await fetch(`${observer}/metrics`)).text())), 'none of them is left')
    })
  }
})

t.test('nothing is read from a client that does not read', async (t) => {
  const { port, say, size } = await observerHere(t)
  const socket = await openSocket(port, '/events')
  t.ok(await eventually(() => size() === 1))
  // Far more than is buffered between the two.
  for (let n = 0; n < 40_000; n++) {
    say()
    if (n % 100 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  const wishes = Buffer.concat(Array.from({ length: 1000 }, (_, n) => frame(`{"task":${n + 1}}`)))
  await flood(socket, wishes, 64 * MB)
  t.ok(socket.writableLength > 0, 'what it sends lies there')
  t.equal(size(), 1, 'which is no offence yet')
  const said = (await rest(socket)).toString('latin1')
  t.match(said, /a client may send 100 messages a second/, 'until it has room')
  t.ok(await eventually(() => size() === 0))
})

t.test('pings are answered', async (t) => {
  const { port } = await observerHere(t)
  const socket = await openSocket(port, '/events')
  socket.write(frame('are you there?', PING))
  let said = ''
  socket.on('data', (chunk: Buffer) => { said += chunk.toString('latin1') })
  t.ok(await eventually(() => said.includes('\x8a\x0eare you there?')))
  socket.destroy()
})

t.test('a broken frame ends a WebSocket, with one line in the log at most', async (t) => {
  const lines: { level: number; msg: string; err?: unknown }[] = []
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      for (const line of chunk.toString().trim().split('\n')) lines.push(JSON.parse(line) as (typeof lines)[number])
      done()
    },
  })
  const { app, port } = await listen(t, {}, { logger: { level: 'debug', stream } as AppOptions['logger'] & object })
  const broken = { 'an unknown opcode': Buffer.from([0x83, 0x80, 0, 0, 0, 0]), 'no mask': Buffer.from([0x81, 1, 65]), 'one that is too long': frame('x'.repeat(5000)), 'no UTF-8': Buffer.from([0x81, 0x81, 0, 0, 0, 0, 0xff]) }
  for (const [what, bytes] of Object.entries(broken)) {
    const socket = await openSocket(port, '/events')
    t.ok(await eventually(() => app.observer.size === 1))
    lines.length = 0
    socket.write(bytes)
    await rest(socket)
    t.ok(await eventually(() => app.observer.size === 0))
    t.ok(lines.filter(({ msg }) => /WebSocket/.test(msg)).length <= 1, what)
    t.same(lines.filter(({ level, err }) => level > 20 || err !== undefined), [])
  }
})
