// Health checks at the port of an observer, whose program is blocked until the test lets it continue.
import t from 'tap'
import { fetch } from 'undici'
import { observe } from '../../src/observe/index.ts'
import { eventually } from '../support/eventually.ts'
import { runNode, WITH_TYPESCRIPT } from '../support/server-process.ts'
import { json, startServer } from './support.ts'

interface Health {
  alive?: boolean
  state?: string
  code?: string
  status?: string
  lateMs: number
  since: string | null
  blocked: object | null
}

t.test('a loop that is late, then wedged, then turns again', async (t) => {
  const program = runNode(t, [...WITH_TYPESCRIPT, 'test/observe/programs/wedged.ts'], {}, { stdio: ['pipe', 'pipe', 'pipe'] })
  t.ok(await eventually(() => program.log().includes('observer')), program.log())
  const [, observer] = /observer (\S+)/.exec(program.log())!
  const get = async (path: string): Promise<[status: number, health: Health]> => {
    const answer = await fetch(observer + path)
    return [answer.status, await answer.json() as Health]
  }
  t.ok(await eventually(async () => (await get('/livez'))[1].state === 'turning'))
  t.match(await get('/livez?limitMs=60000'), [200, { status: 'ok', alive: true, lateMs: 0, since: null, limitMs: 60_000, blocked: null }])
  t.match(await get('/readyz'), [200, { status: 'ok', observer: 'up', state: 'turning' }])

  const from = Date.now()
  program.child.kill('SIGUSR2')
  let seen: [number, Health] = [0, {} as Health]
  t.ok(await eventually(async () => (seen = await get('/livez?limitMs=3600000'))[1].state === 'late'))
  t.match(seen, [200, { alive: true, lateMs: Number, since: String }], 'late is alive')
  t.ok(await eventually(async () => (seen = await get('/livez'))[0] === 503))
  t.match(seen[1], { statusCode: 503, code: 'loop-wedged', error: 'Service Unavailable', message: /^the loop has not turned for \d+ ms, longer than 300 ms/, alive: false, state: 'wedged', limitMs: 300 })
  t.ok(seen[1].lateMs > 300 && seen[1].lateMs <= Date.now() - from + 1000, `${seen[1].lateMs} ms`)
  t.match(await get('/readyz?limitMs=50'), [503, { code: 'loop-late', state: 'late', blocked: { name: String, seconds: Number } }])

  program.child.stdin!.write('go\n')
  t.ok(await eventually(async () => (await get('/livez'))[1].state === 'turning'))
  t.equal((await get('/readyz'))[0], 200)
  for (const limit of ['49', '3600001', 'x', '']) t.match(await get(`/livez?limitMs=${limit}`), [400, { code: 'invalid-query' }], limit)
})

t.test('a server that shuts down is not ready, at both ports', async (t) => {
  const server = await startServer(t)
  const waiting = fetch(`${server.url}/handlers/async?ms=2500`)
  t.ok(await eventually(async () => (await json<{ tasks: { name: string }[] }>(`${server.observer}/tasks`)).tasks.some(({ name }) => name.startsWith('GET /handlers/async'))))
  for (const url of [server.url, server.observer]) t.match(await json(`${url}/readyz`), { status: 'ok', observer: 'up', state: 'turning' })
  server.child.kill('SIGTERM')
  t.ok(await eventually(async () => (await json<{ code?: string }>(`${server.observer}/readyz`)).code === 'closing'))
  t.match(await json(`${server.observer}/livez`), { alive: true })
  t.equal((await waiting).status, 200)
  t.equal(await server.ended, 0)
})

t.test('a limit that is out of bounds is refused', async (t) => {
  for (const wedgedMs of [49, 3_600_001, 1.5, NaN]) await t.rejects(observe({ port: null, wedgedMs }), { name: 'RangeError', message: `wedgedMs: ${wedgedMs} must be a whole number from 50 to 3600000` })
})
