// What the stream's first message says that a program can do, and what the observer's port passes on to it.
import t, { type Test } from 'tap'
import { fetch } from 'undici'
import type { EventOf } from '../../src/events/schema.ts'
import { eventually } from '../support/eventually.ts'
import { start, startServer, subscribe } from './support.ts'

async function abilities(observer: string): Promise<string[]> {
  const { socket, messages } = await subscribe(observer)
  socket.close()
  return [...(messages[0] as EventOf<'stream.hello'>).can ?? []].sort()
}

async function program(t: Test, file: string): Promise<{ app: string; observer: string }> {
  const started = start(t, file)
  t.ok(await eventually(() => started.log().includes('observer')), started.log())
  const [, app, observer] = /app (\S+) observer (\S+)/.exec(started.log())!
  return { app: app!, observer: observer! }
}

/** The codes with which an observer refuses what only this project's app can do. */
async function refusals(observer: string): Promise<string[]> {
  const codes = new Set<string>()
  for (const path of ['/examples', '/examples/3', '/handlers/sync?ms=1', '/ping', '/lab']) codes.add((await (await fetch(observer + path)).json() as { code: string }).code)
  return [...codes]
}

t.test('this project\'s server can do everything', async (t) => {
  const { url, observer } = await startServer(t)
  const all = ['examples', 'lab', 'requests', 'stall', 'tasks']
  t.same([await abilities(observer), await abilities(url)], [all, all], 'on both ports')
  t.equal((await fetch(`${observer}/examples`)).status, 200)
})

t.test('another Fastify app has tasks and requests; nothing else is passed on to it', async (t) => {
  const { observer } = await program(t, 'test/observe/programs/blocking-app.ts')
  t.same(await abilities(observer), ['requests', 'tasks'])
  t.same(await refusals(observer), ['no-such-route'])
})

t.test('a program without a loop of loopscope has neither', async (t) => {
  const { app, observer } = await program(t, 'test/ui/programs/plain-server.ts')
  t.same(await abilities(observer), [])
  t.same(await refusals(observer), ['no-such-route'])
  t.equal(await (await fetch(app)).text(), 'done')
})
