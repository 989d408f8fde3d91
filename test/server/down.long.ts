// A signal while a handler blocks the loop: Node handles signals on the main thread's loop only, so it takes effect when the
// handler ends, and the shutdown proceeds from there.
import t, { type Test } from 'tap'
import { fetch } from 'undici'
import { eventually } from '../support/eventually.ts'
import { logOf, startServer } from '../support/server-process.ts'

async function start(t: Test, env: Record<string, string>): Promise<{ url: string; stop: (signal: NodeJS.Signals) => void; log: () => ReturnType<typeof logOf>; ended: Promise<unknown> }> {
  const server = await startServer(t, env)
  return { url: server.url, stop: (signal) => server.child.kill(signal), log: () => logOf(server), ended: server.ended }
}

const BLOCK = '/handlers/sync?thread=inline&ms=1500'

/** Blocks the loop, and sends the signal meanwhile. */
async function signalDuringBlock(server: { url: string; stop: (signal: NodeJS.Signals) => void }): Promise<{ blocking: Promise<{ status: number; text: string }> }> {
  const blocking = fetch(server.url + BLOCK).then(async (response) => ({ status: response.status, text: await response.text() }))
  await new Promise((resolve) => setTimeout(resolve, 400))
  server.stop('SIGTERM')
  return { blocking }
}

/** What it logged, without the stall itself, which may be before or after what the signal does. */
const logged = (server: Awaited<ReturnType<typeof start>>): ReturnType<typeof server.log> => server.log().filter(({ msg }) => !msg.startsWith('loopscope: blocked for'))

t.test('SIGTERM while a handler blocks', async (t) => {
  await t.test('takes effect when it ends: it is answered in full, and the server ends with 0', async (t) => {
    // Less than the rest of the block: the deadline begins when the signal is handled.
    const server = await start(t, { GRACE_SECONDS: '0.5' })
    const order: string[] = []
    void server.ended.then(() => order.push('ended'))
    const { blocking } = await signalDuringBlock(server)
    const { status, text } = await blocking
    order.push('answered')
    t.equal(status, 200)
    t.match(JSON.parse(text), { handler: 'sync, inline', ms: 1500 })
    t.equal(await server.ended, 0)
    t.same(order, ['answered', 'ended'])
    t.same(logged(server).slice(-2).map(({ msg }) => msg), ['SIGTERM: closing, within 0.5 s', 'closed'])
  })

  await t.test('requests that wait have their deadline from then on, and the log says what was cut off', async (t) => {
    const server = await start(t, { GRACE_SECONDS: '0.3' })
    const long = fetch(`${server.url}/handlers/async?ms=9000`).then(({ status }) => status)
    t.ok(await eventually(async () => /GET \/handlers\/async/.test(await (await fetch(`${server.url}/tasks`)).text())))
    const { blocking } = await signalDuringBlock(server)
    t.equal((await blocking).status, 200)
    t.equal(await long, 503, 'it was told')
    t.equal(await server.ended, 0)
    const [closing, cut, closed] = logged(server).slice(-3)
    t.equal(closing?.msg, 'SIGTERM: closing, within 0.3 s')
    t.match(cut, { msg: '1 requests did not finish in 0.3 s and are cut off', requests: [/^GET \/handlers\/async #\d+$/] })
    t.equal(closed?.msg, 'closed')
  })

  await t.test('a second one means at once: the log says so, and the code is not 0', async (t) => {
    const server = await start(t, { GRACE_SECONDS: '9' })
    void fetch(`${server.url}/handlers/async?ms=9000`).catch(() => {})
    t.ok(await eventually(async () => /GET \/handlers\/async/.test(await (await fetch(`${server.url}/tasks`)).text())))
    server.stop('SIGTERM')
    t.ok(await eventually(() => server.log().some(({ msg }) => msg.startsWith('SIGTERM: closing'))))
    server.stop('SIGTERM')
    t.equal(await server.ended, 1)
    t.equal(server.log().at(-1)?.msg, 'SIGTERM a second time: leaving at once')
  })
})
