// Follows the README from top to bottom in a copy of the project: every command as printed, except for the ports, and its
// result compared with the page.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { connect, createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import t, { type Test } from 'tap'
import { difference, promisesOf, stepsOf, type Step } from '../support/readme.ts'
import { eventually } from '../support/eventually.ts'

const root = join(import.meta.dirname, '../..')
const readme = readFileSync(join(root, 'README.md'), 'utf8')
const steps = stepsOf(readme)
/** The test suite itself: running it from here would never end. */
const ITSELF = 'npm ci && npm test'
/** npm's errors if there is no registry to ask. */
const NO_REGISTRY = /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ENOTCACHED|ENETUNREACH)\b/

interface Line {
  text: string
  /** Seconds after the command began. */
  at: number
}

class Running {
  readonly child: ChildProcess
  readonly lines: Line[] = []
  errors = ''
  readonly ended: Promise<number | null>
  #rest = ''

  constructor(command: string, cwd: string, env: Record<string, string>) {
    const began = performance.now()
    // Without the module that tap loads into every process: these are the reader's own. Ctrl-C ends their process group.
    this.child = spawn('env', ['-u', 'NODE_OPTIONS', 'sh', '-c', command], { cwd, env: { ...process.env, ...env }, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
    this.child.stdout!.on('data', (chunk: Buffer) => {
      const texts = (this.#rest + chunk.toString()).split('\n')
      this.#rest = texts.pop() as string
      for (const text of texts) this.lines.push({ text, at: (performance.now() - began) / 1000 })
    })
    this.child.stderr!.on('data', (chunk: Buffer) => { this.errors += chunk.toString() })
    this.ended = once(this.child, 'close').then(([code]) => {
      if (this.#rest !== '') this.lines.push({ text: this.#rest, at: (performance.now() - began) / 1000 })
      return code as number | null
    })
  }

  get over(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null
  }

  texts(): string[] {
    // Header lines end as in HTTP.
    return this.lines.map(({ text }) => text.replace(/\r$/, ''))
  }

  async interrupt(): Promise<void> {
    if (!this.over) process.kill(-this.child.pid!, 'SIGINT')
    await this.ended
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(Array.from({ length: count }, async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    return server
  }))
  const ports = servers.map((server) => (server.address() as AddressInfo).port)
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, 'localhost', () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })
}

t.setTimeout(400_000)

t.test('every command of the README, as printed', { timeout: 400_000 }, async (t) => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'loopscope-readme-')))
  const copy = join(folder, 'loopscope')
  const left = new Set(['node_modules', 'dist', '.tap', '.git'])
  cpSync(root, copy, { recursive: true, filter: (path) => !left.has(basename(path)) })
  const [port, observerPort, appPort] = await freePorts(3) as [number, number, number]
  const env = {
    PORT: String(port), OBSERVER_PORT: String(observerPort), LOG_LEVEL: 'info', CI: '',
    npm_config_prefer_offline: 'true', npm_config_audit: 'false', npm_config_fund: 'false', npm_config_update_notifier: 'false',
  }
  const ports: [number, number][] = [[8000, port], [8001, observerPort], [3000, appPort]]
  const here = (text: string): string => ports.reduce((all, [printed, real]) => all.replaceAll(`:${printed}`, `:${real}`).replaceAll(`port: ${printed}`, `port: ${real}`), text)
  const asPrinted = (text: string): string => ports.reduce((all, [printed, real]) => all.replaceAll(`:${real}`, `:${printed}`), text)
  const start = (command: string): Running => new Running(here(command), copy, env)
  const wrongIn = (step: Step, run: Running): string | null => (
    step.expected === null ? null : difference(step.expected, run.texts().map(asPrinted), step.shape)
  )

  const goingOn: Running[] = []
  t.teardown(async () => {
    for (const run of goingOn) await run.interrupt()
    rmSync(folder, { recursive: true, force: true })
  })
  const ping = steps.find(({ text }) => text.endsWith('/ping'))!.text
  let offline = false

  /** The one line that a newcomer types, or the rest of it if there is no registry. */
  async function startLine(t: Test, step: Step): Promise<void> {
    let run = start(step.text)
    goingOn.push(run)
    await eventually(() => wrongIn(step, run) === null || run.over, 20_000)
    if (run.over && NO_REGISTRY.test(run.errors)) {
      offline = true
      t.comment('no registry can be reached: npm ci was not run, its result stands in')
      symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
      run = start(step.text.replace('npm ci && ', ''))
      goingOn.push(run)
      await eventually(() => wrongIn(step, run) === null || run.over, 6000)
    }
    t.equal(wrongIn(step, run), null)
    if (run.over) t.fail(`it ended: ${run.errors}`)
  }

  /** A call that does not block the loop: a ping that is sent later is answered earlier. */
  async function wayOut(t: Test, step: Step): Promise<void> {
    const order: string[] = []
    const call = start(step.text)
    const called = call.ended.then(() => order.push('call'))
    await pause(300)
    const beside = start(ping)
    await beside.ended
    order.push('ping')
    await called
    t.same(order, ['ping', 'call'])
    t.match(JSON.parse(call.texts().join('')), { ms: 3000 })
  }

  let stalling: Running | null = null
  for (const step of steps) {
    const what = `line ${step.line}: ${step.text.split('\n')[0]}`
    if (step.text === ITSELF) continue
    if (step.kind === 'js') {
      writeFileSync(join(folder, 'my-app', step.flag), here(step.text))
      continue
    }
    await t.test(what, async (t) => {
      if (step.text.startsWith('npm ci')) return startLine(t, step)
      const wanted = /localhost:(\d+)/.exec(here(step.text))?.[1]
      if (wanted !== undefined) t.ok(await eventually(() => answers(Number(wanted)), 1000), 'somebody listens there')
      if (step.kind === 'code' && step.text.includes('/handlers/')) return wayOut(t, step)

      const run = start(step.text)
      if (step.flag === 'meanwhile') {
        goingOn.push(run)
        if (step.text.startsWith('curl')) stalling = run
        return pause(500)
      }
      if (step.flag === 'ctrl-c') {
        t.ok(await eventually(() => run.lines.length > 1), 'it prints')
        await run.interrupt()
        await pause(200)
      }
      const code = await run.ended
      if (step.flag !== 'ctrl-c') {
        if (code !== 0 && offline && step.text.includes('npm install')) return t.fail('no registry can be reached: what the README installs is not')
        t.equal(code, 0, run.errors)
      }
      t.equal(wrongIn(step, run), null)
      t.notMatch(run.texts().join('\n'), /"statusCode":/)
      const promises = promisesOf(step.beside)
      if (promises.length > 0) t.same(run.texts(), promises.map(({ text }) => text))
      promises.forEach(({ seconds }, at) => {
        const came = run.lines[at]?.at ?? 0
        t.ok(came >= seconds - 0.05, `${came.toFixed(2)} s, not before ${seconds}`)
        // Each line as it is printed, not all at the end: a line that is promised for later must come later, by half of that
        // at least.
        const next = promises.findIndex((other) => other.seconds > seconds)
        if (next < 0) return
        const between = (run.lines[next]?.at ?? 0) - came
        t.ok(between >= (promises[next]!.seconds - seconds) / 2, `${between.toFixed(2)} s between "${promises[at]!.text}" and "${promises[next]!.text}"`)
      })
      if (stalling !== null) {
        t.equal(await stalling.ended, 0)
        stalling = null
      }
    })
  }

  await t.test('Ctrl-C ends the server', async (t) => {
    const server = goingOn.find(({ lines }) => lines.some(({ text }) => text.startsWith('loopscope listens')))!
    await server.interrupt()
    t.match(server.texts().join('\n'), /"msg":"closed"/)
    t.notOk(await answers(port))
  })
  t.ok(offline || existsSync(join(copy, 'node_modules/fastify')))
})
