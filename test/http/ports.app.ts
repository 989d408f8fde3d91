// Both ports answer the same questions alike: one set of routes over one Monitor.
import t from 'tap'
import { fetch } from 'undici'
import { eventually, listen } from '../support/server.ts'
import { passedOn, paths } from '../../src/http/paths.ts'

t.test('information about the loop', async (t) => {
  const { app, url } = await listen(t, { BLOCKED_MS: '20' })
  await app.observer.ready
  const ports = [['app', url], ['observer', app.observer.url!]] as const
  const run = await fetch(`${url}/examples/3/run?speed=100`)
  await run.text()
  await (await fetch(`${url}/handlers/sync?ms=600`)).text()
  const get = async (base: string, path: string, accept = 'application/json'): Promise<[status: number, type: string | null, text: string]> => {
    const response = await fetch(base + path, { headers: { accept } })
    return [response.status, response.headers.get('content-type'), await response.text()]
  }
  const stall = async (base: string): Promise<{ id: number; trace: string | null } | undefined> =>
    (JSON.parse((await get(base, '/stalls'))[2]) as { stalls: { id: number; name: string; trace: string | null }[] }).stalls.find(({ name }) => name.startsWith('GET /handlers/sync'))
  t.ok(await eventually(async () => typeof (await stall(url))?.trace === 'string'), 'the stall is told on the app as well, with a trace')
  const { id, trace } = (await stall(url))!

  await t.test('is the same on both ports', async (t) => {
    t.equal(trace, `/stalls/${id}/trace`)
    for (const path of ['/runs', '/runs/1', '/runs/1/trace', '/runs/1/events', '/stalls', trace!, '/runs?loop=main', '/stalls?loop=main']) {
      const [here, there] = await Promise.all(ports.map(([, base]) => get(base, path)))
      t.equal(here![0], 200, path)
      t.same(here, there, path)
    }
    for (const [name, base] of ports) {
      t.match(JSON.parse((await get(base, '/trace?seconds=60'))[2]), { displayTimeUnit: 'ms', traceEvents: [{ ph: 'M' }] }, name)
      const [, , lines] = await get(base, '/runs/1/events')
      t.match(lines.trim().split('\n').map((line) => (JSON.parse(line) as { type: string }).type).filter((type) => type.startsWith('run.')), ['run.started', 'run.finished'], name)
      for (const path of Object.values(paths).filter((path) => path !== paths.events)) t.equal((await get(base, path))[0], 200, `${path} on the ${name}`)
    }
  })

  await t.test('is refused alike on both ports', async (t) => {
    const cases = [['/runs/77', 'no-such-run'], ['/runs/77/trace', 'no-such-run'], ['/stalls/77/trace', 'no-such-stall'], ['/trace?seconds=0', 'invalid-query'],
      ['/trace?loop=other', 'no-such-loop'], ['/stalls?loop=other', 'no-such-loop'], ['/runs/x', 'invalid-path'], ['/metrics?x=1', 'invalid-query']] as const
    for (const [path, code] of cases) {
      const [here, there] = await Promise.all(ports.map(([, base]) => get(base, path)))
      t.same(here, there, path)
      t.match(JSON.parse(here![2]), { code }, path)
    }
    for (const path of ['/tasks', '/loops', '/metrics']) for (const [name, base] of ports) t.equal((await get(base, path, 'image/png'))[0], 406, `${path} on the ${name}`)
  })

  await t.test('a metric has one name and one meaning', async (t) => {
    const [here, there] = await Promise.all(ports.map(async ([, base]) => new Set((await get(base, '/metrics', 'text/plain'))[2].split('\n').filter((line) => line.startsWith('# ')))))
    t.same([...there!].filter((line) => !here!.has(line)), [], 'the app tells all that the observer does')
    const own = [...here!].filter((line) => !there!.has(line) && line.startsWith('# TYPE')).map((line) => line.split(' ')[2]!)
    t.same(own.sort(), [
      'loopscope_context_orphaned', 'loopscope_context_queued', 'loopscope_context_running', 'loopscope_log_dropped_total', 'loopscope_loop_held_seconds_total',
      'loopscope_loop_holds_total', 'loopscope_observer_restarts_total', 'loopscope_observer_up', 'process_heap_bytes',
    ])
    for (const line of here!) {
      const [, what, name = '', type] = line.split(' ')
      if (what === 'TYPE') t.equal(name.endsWith('_total'), type === 'counter', line)
    }
  })

  await t.test('the app knows a run in virtual time while it is under way', async (t) => {
    const answer = await fetch(`${url}/examples/5/run?clock=virtual&items=6000&seed=1`)
    const number = answer.headers.get('x-run-id')!
    t.match(JSON.parse((await get(url, '/runs'))[2]), { runs: [{ run: Number(number), clock: 'virtual', outcome: null }] })
    t.match(JSON.parse((await get(url, `/runs/${number}`))[2]), { outcome: null, output: [{ task: /./ }] })
    t.equal((await get(url, `/runs/${number}/events`))[0], 200)
    const cancelled = await fetch(`${url}/runs/${number}`, { method: 'DELETE' })
    t.equal(cancelled.status, 202)
    t.match(await cancelled.json(), { run: Number(number) })
    t.match(await answer.text(), /\(cancelled\)\n$/)
    for (const [name, base] of ports) t.match(JSON.parse((await get(base, `/runs/${number}`))[2]), { outcome: 'cancelled' }, name)
  })
})

t.test('a run that is started by POST needs no client', async (t) => {
  const { app, url } = await listen(t)
  await app.observer.ready
  for (const base of [url, `http://127.0.0.1:${app.observer.port}`]) {
    const started = await fetch(`${base}/examples/5/run?speed=10`, { method: 'POST' })
    t.equal(started.status, 202)
    const { run } = await started.json() as { run: number }
    t.same([started.headers.get('location'), started.headers.get('x-run-id')], [`/runs/${run}`, String(run)])
    const state = async (): Promise<{ outcome: string | null; output: unknown[] }> => await (await fetch(`${base}/runs/${run}`)).json() as never
    t.ok(await eventually(async () => (await state()).output.length > 0), 'it prints')
    t.equal((await state()).outcome, null)
    t.equal((await fetch(`${base}/runs/${run}`, { method: 'DELETE' })).status, 202)
    t.ok(await eventually(async () => (await state()).outcome === 'cancelled'))
  }
  t.ok(await eventually(() => app.loopscope.loop.liveTasks().size === 0), 'none of its tasks is left')
  const refused = async (query: string): Promise<unknown> => (await fetch(`${url}/examples/${query}`, { method: 'POST' })).json()
  t.match(await refused('3/run?clock=virtual'), { code: 'invalid-query', message: 'clock: is not a known field here' })
  t.match(await refused('3/run?items=2'), { code: 'invalid-query', message: 'items: only example 5 takes it, not example 3' })
  t.match(await refused('9/run'), { code: 'no-such-example' })
})

t.test('everything is described, and runs as tasks on the app', async (t) => {
  const { app, url } = await listen(t)
  const api = await (await fetch(`${url}/openapi.json`)).json() as { paths: Record<string, unknown> }
  for (const path of Object.values(paths)) t.ok(path in api.paths, path)
  for (const path of ['/stalls/{id}/trace', '/runs/{id}/events', '/runs/{id}/trace', '/tasks/{id}']) t.ok(path in api.paths, path)
  for (const [method, path] of passedOn) if (!path.includes('*')) t.ok(app.hasRoute({ method, url: path }), `${method} ${path}`)
  const started: string[] = []
  app.observer.subscribe({ write: (batch) => started.push(...batch.map(({ json }) => json)) > 0, end: () => {} }, { types: ['task.created'] })
  for (const path of Object.values(paths).filter((path) => path !== paths.events)) {
    const response = await fetch(url + path)
    t.match(response.headers.get('server-timing'), /wait;dur=/, path)
    await response.text()
  }
  for (const path of Object.values(paths).filter((path) => path !== paths.events)) t.ok(await eventually(() => started.some((json) => json.includes(`GET ${path} #`))), `${path} is a task`)
})
