// The cluster as plain processes, started as the documentation says: the real proxy with compose's own file before three real
// servers, Redis between them, and Prometheus, with every query of the dashboard.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { request, type IncomingMessage } from 'node:http'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { fetch, WebSocket } from 'undici'
import { without } from '../support/programs.ts'
import { noRedis } from '../support/redis.ts'
import { eventually } from '../support/eventually.ts'

t.setTimeout(300_000)

const ROOT = join(import.meta.dirname, '../..')
const REPLICAS = ['replica-1', 'replica-2', 'replica-3']
const skip = noRedis || without(['haproxy', 'haproxy'])

interface Cluster {
  app: string
  observer: string
  prometheus: string | null
  pids: Map<string, number>
  text: () => string
  interrupt: () => Promise<number>
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

function script(args: string[], env: Record<string, string> = {}): { text: () => string; ended: Promise<number>; interrupt: () => void } {
  const child = spawn(process.execPath, ['tools/cluster.mjs', ...args], { cwd: ROOT, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => { said += chunk.toString() })
  return { text: () => said, ended: once(child, 'close').then(([code]) => code as number), interrupt: () => child.kill('SIGINT') }
}

async function start(t: Test): Promise<Cluster> {
  const { text, ended, interrupt } = script(['--port', '0'])
  let over = false
  void ended.then(() => { over = true })
  const stop = async (): Promise<number> => {
    interrupt()
    return ended
  }
  t.teardown(() => over || stop())
  await eventually(() => over || text().includes('Ctrl-C ends'), 12_000)
  if (over) throw new Error(text())
  const address = (what: string): string | null => new RegExp(`^  ${what} +(http://localhost:\\d+)`, 'm').exec(text())?.[1] ?? null
  return {
    app: address('the apps')!, observer: address('the observers')!, prometheus: address('Prometheus'), text, interrupt: stop,
    pids: new Map([...text().matchAll(/(replica-\d|proxy|Redis|Prometheus)(?: [^\n(]*)? \(pid (\d+)\)/g)].map(([, name, pid]) => [name!, Number(pid)])),
  }
}

/** A call with an answer that is read as it arrives; fetch does not allow setting a host or an origin. */
function call(url: string, headers: Record<string, string> = {}): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request(url, { headers, agent: false }, resolve).once('error', reject).end()
  })
}

const statusOf = async (url: string, headers: Record<string, string>): Promise<number> => (await call(url, headers)).resume().statusCode!

/** The loop that has answered, according to the proxy's cookie. */
async function loopOf(url: string): Promise<string | undefined> {
  return /loopscope=([^;]+)/.exec(String((await call(url)).resume().headers['set-cookie']))?.[1]
}

const on = (loop: string): Record<string, string> => ({ cookie: `loopscope=${loop}` })

interface Loops { loops: { loop: string; state: string; epoch: string; blocked: { name: string } | null }[] }

const loopsAt = async (observer: string): Promise<Loops['loops']> => ((await (await fetch(`${observer}/loops`, { headers: { accept: 'application/json' } })).json()) as Loops).loops
const stateOf = async (observer: string, loop: string): Promise<string | undefined> => (await loopsAt(observer)).find((one) => one.loop === loop)?.state

t.test('npm run cluster', { skip }, async (t) => {
  const { app, observer, prometheus, pids, text, interrupt } = await start(t)

  await t.test('distributes the calls, and keeps a browser with one loop and its observer', async (t) => {
    const seen = new Set<string | undefined>()
    t.ok(await eventually(async () => seen.add(await loopOf(`${app}/ping`)).size === 3, 50), 'all have answered')
    t.same([...seen].sort(), REPLICAS)
    for (const url of [`${app}/ping`, `${observer}/tasks`, `${app}/ping`]) {
      t.equal((await call(url, on('replica-2'))).resume().headers['set-cookie'], undefined, 'it is not sent elsewhere')
    }
  })

  await t.test('redirects browsers of an app to the common observer address', async (t) => {
    const answer = await call(`${app}/`, { accept: 'text/html' })
    t.equal(answer.resume().headers.location, observer)
    t.match(await (await fetch(observer)).text(), '<!doctype html>')
  })

  await t.test('refuses other host names and other origins', async (t) => {
    for (const base of [app, observer]) {
      t.equal(await statusOf(`${base}/tasks`, { host: `evil.example:${new URL(base).port}` }), 403)
      t.equal(await statusOf(`${base}/tasks`, { origin: 'http://evil.example' }), 403)
      t.equal(await statusOf(`${base}/tasks`, { origin: base }), 200)
    }
  })

  await t.test('passes WebSockets on, those of its own pages', async (t) => {
    const first = (base: string, origin: string): Promise<string> => new Promise((resolve) => {
      const socket = new WebSocket(`${base.replace('http', 'ws')}/events`, { headers: { origin } })
      socket.addEventListener('message', ({ data }) => {
        resolve((JSON.parse(String(data)) as { type: string }).type)
        socket.close()
      })
      socket.addEventListener('error', () => resolve('refused'))
    })
    for (const base of [app, observer]) {
      t.equal(await first(base, base), 'stream.hello')
      t.equal(await first(base, 'http://evil.example'), 'refused')
    }
  })

  await t.test('passes on each line and each event as it arrives', async (t) => {
    const came: [line: string, at: number][] = []
    for await (const chunk of await call(`${app}/examples/1/run`)) came.push([String(chunk).trim(), performance.now()])
    t.same(came.map(([line]) => line), ['hello', 'world'])
    t.ok(came[1]![1] - came[0]![1] > 300, 'the second when it was printed')
    const events = await call(`${observer}/events`, on('replica-1'))
    const [hello] = await once(events, 'data') as [Buffer]
    t.match(hello.toString(), 'event: stream.hello')
    const next = once(events, 'data')
    t.equal(await statusOf(`${app}/ping`, on('replica-1')), 200)
    t.match(String((await next as [Buffer])[0]), 'request.started')
    events.destroy()
  })

  await t.test('cancels the request of a client that disconnects, even before its loop has answered', async (t) => {
    const tasks = async (): Promise<string> => (await fetch(`${observer}/tasks?loop=replica-1`, { headers: on('replica-1') })).text()
    const leaving = request(`${app}/handlers/async?ms=9000`, { headers: on('replica-1'), agent: false }).on('error', () => {}).end()
    t.ok(await eventually(async () => (await tasks()).includes('GET /handlers/async')))
    leaving.destroy()
    t.ok(await eventually(async () => !(await tasks()).includes('GET /handlers/async'), 300), 'long before it would have ended')
  })

  await t.test('while one loop is blocked the others answer, and any observer says which it is', async (t) => {
    t.ok(await eventually(async () => (await loopsAt(observer)).filter(({ state }) => state === 'live').length === 3), 'all three are listed')
    const order: string[] = []
    const held = statusOf(`${app}/handlers/sync?thread=inline&ms=8000`, on('replica-2')).then((status) => order.push(`held ${status}`))
    await eventually(async () => (await loopsAt(observer)).some(({ loop, blocked }) => loop === 'replica-2' && blocked !== null), 200)
    for (const viewer of REPLICAS) {
      const blocked = async (): Promise<string | undefined> => {
        const { loops } = await (await fetch(`${observer}/loops`, { headers: { ...on(viewer), accept: 'application/json' } })).json() as Loops
        return loops.find(({ loop }) => loop === 'replica-2')?.blocked?.name
      }
      // Each observer learns it by itself, a little later.
      t.ok(await eventually(async () => /^GET \/handlers\/sync/.test(await blocked() ?? '')), `seen from ${viewer}`)
    }
    // One after the other: the server with the fewest requests gets the next, and the blocked one keeps its own.
    for (let n = 0; n < 6; n++) t.equal(await statusOf(`${app}/ping`, {}), 200)
    order.push('pings')
    await held
    t.same(order, ['pings', 'held 200'])
  })

  await t.test('Prometheus has data for every query of the dashboard', { skip: prometheus === null && without(['prometheus', 'prometheus']) }, async (t) => {
    const { panels } = JSON.parse(readFileSync(join(ROOT, 'deploy/grafana/dashboards/loopscope.json'), 'utf8')) as { panels: { title: string; targets: { expr: string }[] }[] }
    const asked = panels.flatMap(({ title, targets }) => targets.map(({ expr }) => ({ title, query: expr.replaceAll('$__rate_interval', '30s').replaceAll('$loop', '.*') })))
    t.ok(asked.length > 30)
    // Queues exist while something uses them.
    const runs = await Promise.all(REPLICAS.map((loop) => call(`${app}/examples/5/run`, on(loop))))
    for (const run of runs) run.resume()
    let open = asked
    t.ok(await eventually(async () => {
      const answers = await Promise.all(open.map(async (one) => {
        const answer = await (await fetch(`${prometheus}/api/v1/query?query=${encodeURIComponent(one.query)}`)).json() as { status: string; data: { result: unknown[] } }
        return { one, found: answer.status === 'success' && answer.data.result.length > 0 }
      }))
      open = answers.filter(({ found }) => !found).map(({ one }) => one)
      if (open.length > 0) await pause(500)
      return open.length === 0
    }, 120), 'all of it')
    t.same(open, [])
    for (const run of runs) run.destroy()
  })

  await t.test('when one dies it gets no requests, its loop is reported as lost, and it returns', async (t) => {
    process.kill(pids.get('replica-3')!, 'SIGKILL')
    t.ok(await eventually(() => text().includes('replica-3: it ended (SIGKILL)')))
    const died = performance.now()
    for (let n = 0; n < 20; n++) t.equal(await statusOf(`${app}/ping`, {}), 200)
    t.ok(await eventually(async () => (await stateOf(observer, 'replica-3')) === 'lost', 300))
    t.comment(`lost after ${Math.round(performance.now() - died)} ms`)
    t.ok(await eventually(() => text().includes('replica-3: started again'), 6000))
    t.ok(await eventually(async () => (await stateOf(observer, 'replica-3')) === 'live', 1000))
    t.ok(await eventually(async () => (await loopOf(`${app}/ping`)) === 'replica-3', 300), 'it is sent requests again')
    pids.set('replica-3', Number(/replica-3: started again, pid (\d+)/.exec(text())![1]))
  })

  await t.test('Ctrl-C ends all of it', async (t) => {
    t.ok(pids.size >= 5 && [...pids.values()].every(alive), [...pids.keys()].join(' '))
    t.equal(await interrupt(), 0, text())
    t.same([...pids].filter(([, pid]) => alive(pid)), [])
  })
})

t.test('npm run cluster, started wrongly', async (t) => {
  await t.test('names what is not installed, and the package that has it', async (t) => {
    const { text, ended } = script([], { PATH: t.testdir({}) })
    t.equal(await ended, 1)
    t.match(text(), 'redis-server or valkey-server is not installed, which carries the events and the shared queue: apt install redis-server')
  })

  await t.test('names the option that it cannot read', async (t) => {
    const { text, ended } = script(['--port', '80000'])
    t.equal(await ended, 1)
    t.match(text(), '--port takes a port, not 80000')
  })

  await t.test('leaves nothing when it is interrupted during the start', { skip }, async (t) => {
    const { text, ended, interrupt } = script(['--port', '0'])
    t.ok(await eventually(() => text().startsWith('starting ')))
    await pause(300)
    interrupt()
    t.equal(await ended, 0, text())
    t.equal(text(), 'starting Redis, three servers, the proxy\n')
  })
})
