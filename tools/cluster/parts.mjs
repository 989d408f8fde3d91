// The parts of a cluster as plain processes: found on the PATH, each started in its own process group, so that Ctrl-C reaches
// only the process that started them, and ended by pid.
import { spawn } from 'node:child_process'
import { accessSync, constants, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse, stringify } from 'yaml'

export const ROOT = fileURLToPath(new URL('../../', import.meta.url))
/** The output of a part is kept, and shown if it fails. */
const KEPT_CHARACTERS = 20_000
const START_MS = 30_000

/** Programs of other projects, by their role here: any of these will do, and this Debian package contains the first. */
export const PROGRAMS = {
  redis: { names: ['redis-server', 'valkey-server'], debian: 'redis-server', has: 'carries the events and the shared queue' },
  proxy: { names: ['haproxy'], debian: 'haproxy', has: 'spreads the requests' },
  prometheus: { names: ['prometheus'], debian: 'prometheus', has: 'collects the figures' },
}

/** The path of a program. Throws an Error that says what to install if it is missing. */
function installed(part) {
  const path = find(part)
  if (path === null) throw new Error(`${PROGRAMS[part].names.join(' or ')} is not installed: apt install ${PROGRAMS[part].debian}`)
  return path
}

/** The path of a program, or `null`. Daemons are not on every user's PATH. */
export function find(part) {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']
  for (const name of PROGRAMS[part].names) {
    for (const folder of folders) {
      const path = join(folder || '.', name)
      try {
        accessSync(path, constants.X_OK)
        return path
      } catch {
        continue
      }
    }
  }
  return null
}

/** This many free ports of loopback. */
export async function freePorts(count) {
  const servers = await Promise.all(Array.from({ length: count }, () => new Promise((resolve, reject) => {
    const server = createServer().once('error', reject)
    server.listen(0, '127.0.0.1', () => resolve(server))
  })))
  return Promise.all(servers.map((server) => new Promise((resolve) => {
    const { port } = server.address()
    server.close(() => resolve(port))
  })))
}

/** Every running part, from its start on. */
export const running = new Set()

/** One process of the cluster. */
export class Part {
  /** Resolves with how it ended: an exit code or a signal's name. */
  ended
  output = ''
  #child

  /**
   * `said`: called with each line that it writes, and whether it is one of its errors.
   * @param {string} name
   * @param {string} program
   * @param {string[]} args
   * @param {{ env?: NodeJS.ProcessEnv, said?: (line: string, isError: boolean) => void }} options
   */
  constructor(name, program, args, options = {}) {
    const { env = {}, said = () => {} } = options
    this.name = name
    this.#child = spawn(program, args, { cwd: ROOT, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      let line = ''
      stream.setEncoding('utf8').on('data', (text) => {
        this.output = (this.output + text).slice(-KEPT_CHARACTERS)
        const lines = (line + text).split('\n')
        line = lines.pop() ?? ''
        for (const one of lines) said(one, stream === this.#child.stderr)
      })
    }
    running.add(this)
    this.ended = new Promise((resolve) => {
      const end = (how) => {
        running.delete(this)
        resolve(how)
      }
      this.#child.once('error', (error) => end(error.message))
      this.#child.once('exit', (code, signal) => end(signal ?? code))
    })
  }

  get pid() {
    return this.#child.pid
  }

  get over() {
    return this.#child.exitCode !== null || this.#child.signalCode !== null || this.#child.pid === undefined
  }

  kill(signal) {
    if (!this.over) this.#child.kill(signal)
  }

  /** Ends it; by force if that takes longer than `ms`. */
  async stop(ms = 20_000) {
    this.kill('SIGTERM')
    const late = setTimeout(() => this.kill('SIGKILL'), ms)
    await this.ended
    clearTimeout(late)
  }

  /** Waits until `url` answers with 2xx. If the part ends before, or does not answer for long, throws with its output. */
  async answers(url) {
    await this.waitFor(async () => (await fetch(url, { signal: AbortSignal.timeout(1000) })).ok, `answer at ${url}`)
  }

  async waitFor(condition, what) {
    const deadline = performance.now() + START_MS
    while (performance.now() < deadline && !this.over) {
      if (await condition().catch(() => false)) return
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    const how = this.over ? `ended with ${await this.ended} before it could` : 'does not'
    throw new Error(`${this.name} ${how} ${what}:\n${this.output}`)
  }
}

/** @param {{ port: number, folder: string, said?: (line: string, isError: boolean) => void }} options */
export async function startRedis({ port, folder, said }) {
  mkdirSync(folder, { recursive: true })
  const part = new Part('redis', installed('redis'), [
    '--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder, '--loglevel', 'warning',
  ], { said })
  await part.waitFor(() => connects(port), `listen on ${port}`)
  return part
}

export async function startServer({ name, port, observerPort, env, said }) {
  const part = new Part(name, process.execPath, ['--enable-source-maps', 'dist/src/server/main.js'], {
    env: { HOST: '127.0.0.1', PORT: String(port), OBSERVER_PORT: String(observerPort), LOG_LEVEL: 'warn', ...env }, said,
  })
  await part.answers(`http://127.0.0.1:${port}/readyz`)
  await part.answers(`http://127.0.0.1:${observerPort}/healthz`)
  return part
}

/** The proxy with the same file that compose uses, except for addresses. `replicas`: three of { port, observerPort }. */
export async function startProxy({ appPort, observerPort, figuresPort, replicas, said }) {
  const env = { APP_BIND: `127.0.0.1:${appPort}`, OBSERVER_BIND: `127.0.0.1:${observerPort}`, FIGURES_BIND: `127.0.0.1:${figuresPort}` }
  replicas.forEach((replica, at) => {
    env[`REPLICA_${at + 1}`] = `127.0.0.1:${replica.port}`
    env[`OBSERVER_${at + 1}`] = `127.0.0.1:${replica.observerPort}`
  })
  const part = new Part('proxy', installed('proxy'), ['-db', '-f', 'deploy/haproxy.cfg'], { env, said })
  await part.answers(`http://127.0.0.1:${figuresPort}/healthz`)
  await part.waitFor(async () => {
    const table = await (await fetch(`http://127.0.0.1:${figuresPort}/;csv`)).text()
    return [...table.matchAll(/^(?:apps|observers),replica-\d,.*$/gm)].filter(([row]) => row.includes(',UP,')).length === replicas.length * 2
  }, 'find all loops healthy')
  return part
}

/** Prometheus with compose's file, except for the targets' addresses: `targets` maps compose's to them. */
export async function startPrometheus({ port, folder, targets, said }) {
  mkdirSync(folder, { recursive: true })
  const config = parse(readFileSync(join(ROOT, 'deploy/prometheus.yml'), 'utf8'))
  for (const { static_configs: groups } of config.scrape_configs) {
    for (const group of groups) group.targets = group.targets.map((target) => targets[target] ?? target)
  }
  writeFileSync(join(folder, 'prometheus.yml'), stringify(config))
  const part = new Part('prometheus', installed('prometheus'), [
    `--config.file=${join(folder, 'prometheus.yml')}`, `--storage.tsdb.path=${join(folder, 'data')}`, '--storage.tsdb.retention.time=2d',
    `--web.listen-address=127.0.0.1:${port}`, '--log.level=warn',
  ], { said })
  await part.answers(`http://127.0.0.1:${port}/-/ready`)
  return part
}

function connects(port) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
