// Every response carries its times and an id, no matter what serves it; and they are right.
import Fastify from 'fastify'
import { connect } from 'node:net'
import { setTimeout as later } from 'node:timers/promises'
import t from 'tap'
import { loopscope } from '../../src/fastify/index.ts'
import { timing } from '../../src/fastify/timing.ts'
import { build, listen } from '../support/server.ts'

const TIMES = /^run;dur=[\d.]+, ready;dur=[\d.]+(;desc="[^"]*")?, wait;dur=[\d.]+, thread;dur=[\d.]+$/

t.test('every response of the server', async (t) => {
  const app = await build(t)
  const seen = new Set<string>()
  const check = async (method: 'GET' | 'POST', url: string, statusCode: number, headers: Record<string, string> = {}): Promise<void> => {
    const response = await app.inject({ method, url, headers })
    t.equal(response.statusCode, statusCode, url)
    t.match(response.headers['server-timing'], TIMES, url)
    const id = String(response.headers['x-request-id'])
    t.notOk(seen.has(id), `${url}: ${id} is its own`)
    seen.add(id)
  }

  await t.test('a coroutine\'s, the pages of the documentation, their files and redirects', async (t) => {
    await check('GET', '/ping', 200)
    await check('GET', '/docs/', 200)
    const page = (await app.inject('/docs/')).body
    const files = [...page.matchAll(/(?:src|href)="\.?(?:\/docs)?(\/static\/[^"]+)"/g)].map(([, path]) => `/docs${path}`)
    t.ok(files.length > 2)
    for (const file of files) await check('GET', file, 200)
    await check('GET', '/docs/json', 200)
    await check('GET', '/docs/static/none.js', 404)
  })

  await t.test('refusals: of the router, of a schema, of the limits', async (t) => {
    await check('GET', '/nowhere', 404)
    await check('GET', '/%ZZ', 400)
    t.same(Object.keys((await app.inject('/%ZZ')).json<object>()), ['statusCode', 'code', 'error', 'message'])
    await check('POST', '/ping', 405)
    await check('GET', '/ping?x=1', 400)
    await check('GET', '/ping', 403, { origin: 'https://evil.example' })
    await check('GET', '/tasks', 406, { accept: 'image/png' })
  })
})

t.test('invalid requests', async (t) => {
  const { port } = await listen(t)
  const answer = (): Promise<string> => new Promise((resolve) => {
    let text = ''
    const socket = connect(port, '127.0.0.1', () => socket.write('HELLO?\r\n\r\n'))
    socket.on('data', (chunk) => { text += String(chunk) })
    socket.on('close', () => resolve(text))
  })
  const [first, second] = [await answer(), await answer()]
  for (const text of [first, second]) t.match(/^server-timing: (.*)\r$/im.exec(text)?.[1], TIMES)
  const id = (text: string): string | undefined => /^x-request-id: (.*)\r$/im.exec(text)?.[1]
  t.ok(id(first))
  t.not(id(first), id(second))
})

t.test('a plain handler', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(timing)
  await app.register(loopscope)
  app.get('/plain', async () => {
    await later(30)
    return 'plain'
  })
  app.get('/own', { onSend: (_request, reply, _payload, done) => { reply.header('x-own', 'kept'); done() } }, async () => 'own')
  const run = async (url: string): Promise<number> => Number(/^run;dur=([\d.]+), /.exec(String((await app.inject(url)).headers['server-timing']))?.[1])

  await t.test('has its whole time as run', async (t) => {
    t.ok(await run('/plain') >= 29)
  })

  await t.test('keeps its own hooks', async (t) => {
    const { headers } = await app.inject('/own')
    t.equal(headers['x-own'], 'kept')
    t.match(headers['server-timing'], TIMES)
  })
})
