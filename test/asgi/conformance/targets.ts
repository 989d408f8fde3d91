// The servers that can be judged: ours, uvicorn, hypercorn, another by its command, or one that runs already.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Connection, type Address } from './client.ts'

export interface StartOptions {
  /** What the application does with its lifespan. */
  lifespan?: string
  /** Do not wait until it listens. */
  unready?: boolean
}

export interface Running {
  address: Address
  /** Where it listens with TLS; null if it does not. */
  secure: Address | null
  /** What it printed; null if the suite did not start it. */
  output: (() => string) | null
  /** What the application noted in its life, a line each; null if the suite did not start it. */
  lines: (() => string[]) | null
  /** Asks it to end, and waits until it has; the exit code. */
  stop(): Promise<number | null>
  /** Waits until it has ended by itself; null if it does not within `ms`. */
  ended(ms: number): Promise<number | null>
}

export interface Target {
  name: string
  /** Starts a server of its own; null if the suite cannot. */
  start: ((options: StartOptions) => Promise<Running>) | null
  /** The server that runs already. */
  running?: Running
}

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url))
export const CERTIFICATE = here('certificate.pem')
export const KEY = here('key.pem')
const PYTHON = '/usr/bin/python3'
const HOST = '127.0.0.1'
const START_MS = 60_000
const END_MS = 20_000

/** A command, and the same with TLS. `{port}`, `{key}` and `{certificate}` are replaced. */
interface Command {
  plain: string[]
  secure: string[] | null
}

const SERVE = [process.execPath, '--import', here('../../../tools/ts.mjs'), here('serve.ts'), '{port}']
const UVICORN = [PYTHON, '-m', 'uvicorn', 'application:app', '--http', 'httptools', '--ws', 'websockets', '--host', HOST, '--port', '{port}']
const HYPERCORN = [PYTHON, '-m', 'hypercorn', 'application:app', '--bind', `${HOST}:{port}`]

export const SERVERS: Record<'ours' | 'uvicorn' | 'hypercorn', Command> = {
  ours: { plain: SERVE, secure: [...SERVE, '{key}', '{certificate}'] },
  uvicorn: { plain: UVICORN, secure: [...UVICORN, '--ssl-keyfile', '{key}', '--ssl-certfile', '{certificate}'] },
  hypercorn: { plain: HYPERCORN, secure: [...HYPERCORN, '--keyfile', '{key}', '--certfile', '{certificate}'] },
}

/** What a server of Debian needs, by its packages; `python3-` is before each. */
export const PACKAGES = { uvicorn: ['uvicorn', 'httptools', 'websockets'], hypercorn: ['hypercorn'] }

/** The version of a server; null if it is not installed. */
export function versionOf(name: keyof typeof SERVERS): string | null {
  if (name === 'ours') return (JSON.parse(readFileSync(here('../../../package.json'), 'utf8')) as { version: string }).version
  const { status, stdout } = spawnSync(PYTHON, ['-c', `import importlib.metadata as m, ${PACKAGES[name].join(', ')}; print(m.version('${name}'))`], { encoding: 'utf8' })
  return status === 0 ? stdout.trim() : null
}

/** A server that the suite starts, once for all cases and once more for each about its life. */
export function commandTarget(name: string, { plain, secure }: Command): Target {
  return {
    name,
    async start(options) {
      const first = await launch(plain, false, options)
      if (secure === null || options.lifespan !== undefined) return first
      const second = await launch(secure, true, options)
      return { ...first, secure: second.address, stop: async () => (await Promise.all([first.stop(), second.stop()]))[0] }
    },
  }
}

/** A server that runs already. */
export function urlTarget(url: string, secureUrl: string | null): Target {
  const stop = (): Promise<null> => Promise.resolve(null)
  return { name: url, start: null, running: { address: addressOf(url), secure: secureUrl === null ? null : addressOf(secureUrl), output: null, lines: null, stop, ended: stop } }
}

function addressOf(url: string): Address {
  const { protocol, hostname, port } = new URL(url)
  if (protocol !== 'http:' && protocol !== 'https:') throw new TypeError(`a URL begins with http:// or https://, got '${url}'`)
  return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port === '' ? (protocol === 'http:' ? 80 : 443) : port), tls: protocol === 'https:' }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, HOST)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

async function launch(command: string[], tls: boolean, { lifespan, unready = false }: StartOptions): Promise<Running> {
  const port = await freePort()
  const folder = mkdtempSync(join(tmpdir(), 'asgi-conformance-'))
  const log = join(folder, 'log')
  const [program, ...args] = command.map((part) => part.replace('{port}', String(port)).replace('{key}', KEY).replace('{certificate}', CERTIFICATE))
  const child = spawn(program as string, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, PYTHONPATH: [here('.'), process.env['PYTHONPATH'] ?? ''].join(delimiter), PYTHONDONTWRITEBYTECODE: '1', ASGI_LOG: log, ...(lifespan === undefined ? {} : { ASGI_LIFESPAN: lifespan }) },
  })
  // No server outlives the suite, however that ends.
  const kill = (): void => { child.kill('SIGKILL') }
  process.once('exit', kill)
  child.once('exit', () => process.off('exit', kill))
  let output = ''
  let last: string[] | null = null
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (part: Buffer) => { output = (output + String(part)).slice(-1_000_000) })
  child.on('error', (error) => { output += error.message })
  const address = { host: HOST, port, tls }
  const running: Running = {
    address, secure: null,
    output: () => output,
    lines: () => last ?? linesOf(log),
    ended: (ms) => exit(child, ms),
    stop: async () => {
      child.kill('SIGTERM')
      const code = await exit(child, END_MS)
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
      last ??= linesOf(log)
      rmSync(folder, { recursive: true, force: true })
      return code
    },
  }
  if (!unready) {
    try {
      await listens(address, child, () => output)
    } catch (error) {
      await running.stop()
      throw error
    }
  }
  return running
}

/** The lines that an application has written; none if it has not. */
export function linesOf(path: string): string[] {
  try {
    return readFileSync(path, 'utf8').trim().split('\n')
  } catch {
    return [] // nothing has happened yet
  }
}

async function exit(child: ChildProcess, ms: number): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null && child.pid !== undefined) {
    const late = new AbortController()
    const timer = setTimeout(() => late.abort(), ms)
    await once(child, 'exit', { signal: late.signal }).catch(() => {})
    clearTimeout(timer)
  }
  return child.exitCode
}

/** Waits until a server accepts a connection. */
async function listens(address: Address, child: ChildProcess, output: () => string): Promise<void> {
  for (const late = performance.now() + START_MS; performance.now() < late;) {
    if (child.exitCode !== null || child.pid === undefined) throw new Error(`the server ended at once: ${output().trim().split('\n').at(-1)}`)
    const connection = new Connection(address)
    const accepted = await Promise.race([once(connection.socket, 'connect').then(() => true, () => false), connection.ends(1000).then(() => false)])
    connection.close()
    if (accepted) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error(`the server does not listen after ${START_MS / 1000} s: ${output().trim().split('\n').at(-1)}`)
}
