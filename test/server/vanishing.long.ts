// Clients that vanish, in all ways and from both ports, leave nothing behind: no task, no run, no subscriber, no descriptor,
// no memory. `CLIENTS=1000 npx tap test/server/vanishing.long.ts` uses more of them.
import { connect } from 'node:net'
import t from 'tap'
import { startServer } from '../observe/support.ts'
import { eventually, listen } from '../support/server.ts'
import { describe, footprint } from '../support/footprint.ts'
import { open, handshake } from '../support/raw.ts'
import { settled, vanishing, WAYS } from './vanish.ts'

const CLIENTS = Number(process.env['CLIENTS'] ?? 6 * WAYS.length)
const ROUNDS = 3
/** What a round may leave: connections of the server to itself, which it keeps for a while, with two ends each. */
const MORE_DESCRIPTORS = 300
/** A process that grew by what it was sent would be far beyond this. */
const MORE_BYTES = 150e6

// A short history: full soon, and then constant in size.
const server = await startServer(t, { HISTORY: '1024' })

t.test('clients that vanish leave nothing behind', async (t) => {
  // The first clients cause what is made once, and the usual growth of the heap.
  await vanishing(server, CLIENTS)
  const before = await settled(server)
  t.comment(describe(before))
  for (let round = 1; round <= ROUNDS; round++) {
    await vanishing(server, CLIENTS)
    const after = await settled(server)
    t.comment(describe(after))
    const { tasks, observed, runs, subscribers, connections } = after
    t.match({ tasks, observed, runs, subscribers }, { tasks: 0, observed: 0, runs: 0, subscribers: 0 }, `round ${round}`)
    if (!Number.isNaN(connections)) {
      t.equal(connections, 0, 'no connection is open')
      t.ok(after.descriptors < before.descriptors + MORE_DESCRIPTORS, `${after.descriptors} descriptors`)
      t.ok(after.resident < before.resident + MORE_BYTES, `${after.resident} bytes`)
    }
  }
  t.notMatch(server.log(), /"level":[56]0|\n\s+at /, 'nothing in the log')
})

t.test('answers that wait behind another end with their connection', async (t) => {
  const get = (target: string): string => `GET ${target} HTTP/1.1\r\nHost: localhost\r\n\r\n`
  const behind = { 'a stream': get('/events'), 'a run': get('/examples/5/run'), 'a handler': get('/handlers/async?ms=9000'), 'an upgrade': get('/events') + handshake('/events'), 'noise': `${get('/events')}\0\0` }
  for (const url of [server.url, server.observer]) {
    for (const [name, bytes] of Object.entries(behind)) {
      const socket = open(Number(new URL(url).port), get('/events') + bytes)
      // Both are under way, or the server has closed the connection because of what followed them.
      await new Promise((resolve) => socket.once('data', resolve).once('close', resolve))
      await new Promise((resolve) => setTimeout(resolve, 100))
      socket.resetAndDestroy()
      const { tasks, observed, runs, subscribers } = await settled(server)
      t.match({ tasks, observed, runs, subscribers }, { tasks: 0, observed: 0, runs: 0, subscribers: 0 }, `${name}, ${url === server.url ? 'app' : 'observer'}`)
    }
  }
})

t.test('the server lives, and ends on a signal', async (t) => {
  t.equal((await footprint(server)).tasks, 0)
  server.child.kill('SIGTERM')
  t.equal(await server.ended, 0)
})

/** Connects, asks for an endless run, waits for its first bytes, and vanishes. */
function vanish(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('GET /examples/5/run?speed=5 HTTP/1.1\r\nHost: localhost\r\n\r\n'))
    socket.once('data', () => socket.destroy())
    socket.on('close', () => resolve())
    socket.on('error', reject)
  })
}

t.test('hundreds of clients that start an endless run and vanish leave nothing', async (t) => {
  const { app, port } = await listen(t, { RATE_LIMIT: '0', HISTORY: '1024' })
  const { loop, active } = app.loopscope
  const crowd = async (clients: number): Promise<void> => {
    for (let left = clients; left > 0; left -= 50) await Promise.all(Array.from({ length: Math.min(50, left) }, () => vanish(port)))
    await eventually(() => loop.liveTasks().size === 0)
  }
  const memory = async (): Promise<number> => {
    // What two rounds collect is not referenced.
    for (let round = 0; round < 3; round++) {
      globalThis.gc!()
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    return process.memoryUsage().heapUsed
  }
  // The first clients fill what is kept on purpose: code, history, the last runs.
  await crowd(200)
  const before = await memory()
  await crowd(400)
  const after = await memory()
  t.equal(loop.liveTasks().size, 0, 'no task')
  t.equal(active.size, 0, 'no request')
  t.equal(app.runs.live, 0, 'no run')
  t.equal(loop.timers.size, 0, 'no timer')
  t.ok(await eventually(async () => (await new Promise<number>((resolve) => { app.server.getConnections((_error, count) => resolve(count)) })) === 0), 'no socket')
  t.ok(after < before * 1.05, `memory is back: ${(before / 1e6).toFixed(1)} MB before, ${(after / 1e6).toFixed(1)} MB after`)
  const { runs } = (await app.inject('/runs')).json<{ runs: { outcome: string }[] }>()
  t.ok(runs.length > 0 && runs.every(({ outcome }) => outcome === 'cancelled'))
})
