// Labs when the system does not start the tester: the lab fails with a reason, and the server continues.
import { spawn } from 'node:child_process'
import t from 'tap'
import { startServer } from '../../src/load/own-server.ts'
import { TargetError } from '../../src/load/plan.ts'

const root = new URL('../../', import.meta.url)

/** Makes the system refuse a process; `undo` reverts it. */
const REFUSALS: Record<string, string> = {
  EMFILE: `
    const open = []
    try { for (;;) open.push(openSync('/dev/null')) } catch {}
    undo = () => { for (const fd of open) closeSync(fd) }`,
  ENOENT: `
    const { execPath } = process
    process.execPath = '/nowhere/node'
    undo = () => { process.execPath = execPath }`,
  // Unlike the others, Node throws this one at once.
  E2BIG: `
    process.env.LARGE = 'x'.repeat(1_000_000)
    undo = () => { delete process.env.LARGE }`,
}

t.setTimeout(180_000)

t.test('a tester that is not started is a lab that failed; the server continues, and so does the next lab', async (t) => {
  const source = `
    import { closeSync, openSync } from 'node:fs'
    import { threadsState } from './src/index.ts'
    import { buildApp } from './src/server/app.ts'
    import { readConfig } from './src/server/config.ts'
    const app = await buildApp(readConfig({ LOG_LEVEL: 'silent', OBSERVER_PORT: '0' }))
    await app.listen({ port: 0, host: '127.0.0.1' })
    let number = 0
    async function lab(undo) {
      const { statusCode } = await app.inject({ method: 'POST', url: '/lab', payload: { requests: 1, ms: 1, lanes: ['async'] } })
      undo()
      number++
      for (;;) {
        const { outcome, error = '' } = (await app.inject({ url: '/lab/' + number, headers: { accept: 'application/json' } })).json()
        if (outcome !== null) return console.log(statusCode, outcome, error)
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
    }
    // What is loaded later, and threads that start, would need descriptors too.
    await app.inject('/ping')
    for (;;) {
      const { pool, sensitive } = threadsState()
      if (pool.idle === pool.size && sensitive.idle === 1) break
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    let undo
    ${Object.values(REFUSALS).map((refusal) => `{
      ${refusal}
      await lab(undo)
      console.log('ping', (await app.inject('/ping')).statusCode)
    }`).join('\n')}
    await lab(() => {})
    await app.close()
    process.exit(0)`
  // Through env, because tap adds a module to every process that it sees started.
  const child = spawn('sh', ['-c', 'ulimit -n 200; exec "$@"', 'sh', 'env', '-u', 'NODE_OPTIONS', process.execPath, '--import', './tools/ts.mjs', '--input-type=module', '-e', source], {
    cwd: root, stdio: ['ignore', 'pipe', 'pipe'], timeout: 120_000, killSignal: 'SIGKILL',
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => { said += chunk.toString() })
  const status = await new Promise((resolve) => child.on('close', resolve))
  t.equal(status, 0, said)
  const lines = said.split('\n')
  for (const [at, code] of Object.keys(REFUSALS).entries()) {
    t.match(lines[2 * at], new RegExp(`^202 failed the tester could not be started: spawn .*${code}$`))
    t.equal(lines[2 * at + 1], 'ping 200', code)
  }
  t.same(lines.slice(2 * Object.keys(REFUSALS).length), ['202 finished ', ''])
})

t.test('a server that the load tester cannot start is an error of one line', async (t) => {
  const { execPath } = process
  t.teardown(() => { process.execPath = execPath })
  process.execPath = '/nowhere/node'
  await t.rejects(startServer(), { constructor: TargetError, message: 'the server could not be started: spawn /nowhere/node ENOENT' })
  process.execPath = execPath
  process.env['LARGE'] = 'x'.repeat(1_000_000)
  t.teardown(() => { delete process.env['LARGE'] })
  await t.rejects(startServer(), { constructor: TargetError, message: 'the server could not be started: spawn E2BIG' })
})
