// Which request blocks the thread, in any framework: of several that are under way the guilty one is named, each time.
import t, { type Test } from 'tap'
import { fetch, WebSocket } from 'undici'
import type { EventOf, LoopEvent } from '../../src/events/schema.ts'
import { eventually } from '../support/eventually.ts'
import { packaged } from '../support/nodes.ts'
import { start, subscribe } from './support.ts'

type Unblocked = EventOf<'loop.unblocked'>

const ROUNDS = 100
const FRAMEWORKS: Record<string, readonly [name: string, version: string, main: string] | null> = {
  plain: null,
  fastify: null,
  express: ['express', '5', 'index.js'],
  koa: ['koa', '3', 'lib/application.js'],
  hapi: ['@hapi/hapi', '21', 'lib/index.js'],
  nest: ['@nestjs/platform-express', '11', 'index.js'],
}
/** How the guilty request blocks the thread: at once, or later; or, at once, with a body that was read first. */
const WAYS = ['handler', 'wait', 'timer', 'microtask', 'body'] as const

t.setTimeout(600_000)

interface Watched {
  app: string
  stalls: () => Unblocked[]
  messages: () => LoopEvent[]
}

async function program(t: Test, framework: string, module = ''): Promise<Watched> {
  const started = start(t, 'test/observe/programs/framework.ts', { MODULE: module }, { args: [framework] })
  t.ok(await eventually(() => started.log().includes('observer')), started.log())
  const [, app, observer] = /app (\S+) observer (\S+)/.exec(started.log())!
  const { socket, messages } = await subscribe(observer!)
  t.teardown(() => socket.close())
  const all = (): LoopEvent[] => messages.filter((event): event is LoopEvent => 'loop' in event)
  return { app: app!, messages: all, stalls: () => all().filter((event): event is Unblocked => event.type === 'loop.unblocked') }
}

const text = async (url: string, method = 'GET'): Promise<string> => (await fetch(url, { method, ...(method === 'GET' ? {} : { body: 'x'.repeat(100_000) }) })).text()

for (const [framework, needed] of Object.entries(FRAMEWORKS)) {
  const found = needed === null ? { path: '' } : await packaged(...needed)
  t.test(`${framework}: ${ROUNDS} of ${ROUNDS} guilty requests are named, and no other`, { skip: 'missing' in found && found.missing }, async (t) => {
    const { app, stalls, messages } = await program(t, framework, 'path' in found ? found.path : '')
    const wanted: string[] = []
    for (let round = 0; round < ROUNDS; round++) {
      const by = WAYS[round % WAYS.length]!
      const method = by === 'body' ? 'POST' : 'GET'
      const path = `/guilty?by=${by}&round=${round}`
      wanted.push(`${method} ${path}`)
      const before = stalls().length
      // Some have come before it, and one comes after.
      const innocent = [text(`${app}/innocent?round=${round}`), text(`${app}/innocent?round=${round}`, 'POST')]
      const guilty = text(app + path, method)
      await Promise.all([guilty, ...innocent, text(`${app}/innocent?late`)])
      t.ok(await eventually(() => stalls().length > before), `round ${round} was reported`)
    }
    const named = stalls().map(({ name }) => name!.replace(/ #\d+$/, ''))
    t.same(wanted.filter((name) => !named.includes(name)), [], 'each is named')
    // On a busy machine any code may have to wait for a processor.
    t.same(stalls().filter(({ name, kind }) => name!.includes('/innocent') && kind !== 'starved'), [], 'no innocent one is')
    const begun = messages().filter((event) => event.type === 'request.started')
    t.ok(await eventually(() => messages().filter((event) => event.type === 'request.finished' && event.status === 200).length === 4 * ROUNDS), 'each has ended, once')
    t.equal(begun.length, 4 * ROUNDS)
    for (const { request, name } of stalls()) {
      if (request !== undefined) t.match(begun.find((event) => event.request === request), { url: /^\// }, name!)
    }
  })
}

const ws = await packaged('ws', '8', 'wrapper.mjs')
t.test('the messages of a WebSocket', { skip: 'missing' in ws && ws.missing }, async (t) => {
  const { app, stalls } = await program(t, 'ws', 'path' in ws ? ws.path : '')
  const sockets = await Promise.all(['/chat', '/feed'].map(async (path) => {
    const socket = new WebSocket(app.replace('http', 'ws') + path)
    await new Promise((resolve) => socket.addEventListener('open', resolve))
    return socket
  }))
  // A busy machine has stalls of its own.
  const named = (): string[] => stalls().flatMap(({ name }) => name?.startsWith('WebSocket') === true ? [name] : [])
  for (const socket of [...sockets, ...sockets]) {
    const answered = new Promise((resolve) => socket.addEventListener('message', resolve, { once: true }))
    const before = named().length
    socket.send('x')
    await answered
    t.ok(await eventually(() => named().length > before))
  }
  t.same(named(), ['WebSocket /chat', 'WebSocket /feed', 'WebSocket /chat', 'WebSocket /feed'])
  for (const socket of sockets) socket.close()
})

t.test('work that has a name', async (t) => {
  const { stalls } = await program(t, 'named')
  t.ok(await eventually(() => stalls().some(({ name, request }) => name === 'nightly report' && request === undefined)))
})
