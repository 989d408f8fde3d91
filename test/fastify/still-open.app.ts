// What an app says that it waits for when it closes: a coroutine that goes on although it is cancelled, a handler that does not
// answer, a task that no request has, and their connections.
import { connect, type AddressInfo } from 'node:net'
import Fastify from 'fastify'
import t from 'tap'
import { createTask, Event, type Coroutine } from '../../src/index.ts'
import { loopscope } from '../../src/fastify/index.ts'
import type { StillOpen } from '../../src/http/still-open.ts'
import { eventually } from '../support/eventually.ts'

t.test('an app that closes names what it waits for, and again what cancelling did not end', async (t) => {
  const lines: (StillOpen & { msg: string; level: number })[] = []
  const app = Fastify({ logger: { level: 'warn', stream: { write: (line: string) => lines.push(JSON.parse(line) as never) } } })
  await app.register(loopscope, { graceSeconds: 0.1 })
  const released = new Event()
  let answer: (() => void) | null = null
  function* stubborn(): Coroutine<string> {
    createTask(released.wait(), { name: 'background' })
    while (!released.isSet()) {
      try {
        yield* released.wait()
      } catch {
        // It goes on.
      }
    }
    return 'done'
  }
  app.get('/stubborn', stubborn as never)
  app.get('/silent', (_request, reply) => {
    answer = () => void reply.send('late')
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as AddressInfo
  const sockets = ['/stubborn', '/silent'].map((path) => {
    const socket = connect(port, '127.0.0.1').on('error', () => {}).resume()
    socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`)
    return socket
  })
  t.teardown(() => sockets.forEach((socket) => socket.destroy()))
  t.ok(await eventually(() => answer !== null && app.loopscope.loop.liveTasks().size === 2))
  const closed = app.close()
  t.ok(await eventually(() => lines.length === 2), JSON.stringify(lines))
  t.match(lines[0], {
    level: 40, msg: 'the app has been closing for 0.1 s, and waits for 1 request, 1 task, 2 connections',
    requests: [/^GET \/stubborn #1 waits for event <Event \d+>$/], tasks: [/^background waits for event <Event \d+>$/],
  })
  t.same(lines[0]!.connections.map((line) => line.replace(/:\d+,/, ',')).sort(), ['127.0.0.1, GET /silent', '127.0.0.1, GET /stubborn'])
  t.match(lines[1], { msg: /^the app has been closing for 2\.1 s, and waits for/, requests: [/^GET \/stubborn #1 waits for event <Event \d+>, cancelled$/] })
  released.set()
  for (const socket of sockets) socket.destroy()
  await closed
  t.equal(lines.length, 2)
})

t.test('an app that closes in time says nothing', async (t) => {
  const lines: string[] = []
  const app = Fastify({ logger: { level: 'warn', stream: { write: (line: string) => lines.push(line) } } })
  await app.register(loopscope, { graceSeconds: 0.1 })
  app.get('/', () => 'quick')
  t.equal((await app.inject('/')).body, 'quick')
  await app.close()
  t.same(lines, [])
})
