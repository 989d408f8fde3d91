// What a test is aimed at: whether anything listens there, where its observer is, and a server of one's own to measure.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { connect } from 'node:net'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { kindOf } from './failures.ts'
import { TargetError } from './plan.ts'

const REACH_MS = 5000
const START_MS = 30_000
const STOP_MS = 10_000
const SERVER = fileURLToPath(new URL('../server/main.ts', import.meta.url))
const LOADER = new URL('../../tools/ts.mjs', import.meta.url)

/** See that something listens there. Throws a TargetError that says what happened instead. */
export function reach(address: string): Promise<void> {
  const { origin, hostname, port, protocol } = new URL(address)
  const fail = (why: string): TargetError => new TargetError(`cannot reach ${origin}: ${why}`)
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) || (protocol === 'https:' ? 443 : 80) })
    socket.setTimeout(REACH_MS, () => socket.destroy(fail(`no connection within ${REACH_MS / 1000} s`)))
    socket.on('connect', () => {
      socket.destroy()
      resolve()
    })
    socket.on('error', (error) => {
      const kind = kindOf(error)
      const hint = kind === 'connection refused' ? ', so nothing listens on that port: does the server run?' : ''
      reject(error instanceof TargetError ? error : fail(`${kind}${hint}`))
    })
  })
}

/** Where the observer of the server at `address` should be: beside it, on OBSERVER_PORT. `null` where that cannot be known. */
export function observerOf(address: string, env: NodeJS.ProcessEnv = process.env): string | null {
  const { protocol, hostname, port } = new URL(address)
  if (protocol !== 'http:' || port !== (env['PORT'] || '8000')) return null
  return `http://${hostname}:${env['OBSERVER_PORT'] || '8001'}`
}

export interface OwnServer {
  url: string
  /** `null` where it has none. */
  observer: string | null
  stop(): Promise<void>
}

/** Start a loopscope server on free ports, in a process of its own. It has no rate limit. Throws a TargetError if it does not come up. */
export async function startServer(): Promise<OwnServer> {
  if (!existsSync(SERVER)) throw new TargetError('only a copy of the project holds a server to start: give the address of one that runs')
  const server = spawn(process.execPath, ['--import', LOADER.href, SERVER], {
    env: { ...process.env, PORT: '0', OBSERVER_PORT: '0', HOST: '127.0.0.1', LOG_LEVEL: 'error', RATE_LIMIT: '0' },
    stdio: ['ignore', 'pipe', 'pipe'],
    // Ctrl-C is for this process: the server is stopped once the results are read.
    detached: true,
  })
  let said = ''
  server.stderr.on('data', (chunk) => {
    said = `${said}${String(chunk)}`.slice(-2000)
  })
  const exited = new Promise<void>((resolve) => server.on('exit', () => resolve()))
  const kill = (): void => void server.kill('SIGKILL')
  process.on('exit', kill)
  const stop = async (): Promise<void> => {
    server.kill('SIGTERM')
    const timer = setTimeout(kill, STOP_MS)
    await exited
    clearTimeout(timer)
    process.off('exit', kill)
  }
  const greeting: string[] = []
  const lines = createInterface({ input: server.stdout })
  const url = await new Promise<string | null>((resolve) => {
    const timer = setTimeout(() => resolve(null), START_MS)
    lines.on('line', (line) => {
      if (greeting.length < 20) greeting.push(line)
      const match = /listens on (http:\/\/[\w.[\]:]+)/.exec(line)
      if (match !== null) {
        clearTimeout(timer)
        // The lines of one greeting come together.
        setTimeout(() => resolve(match[1]!), 100)
      }
    })
    void exited.then(() => {
      clearTimeout(timer)
      resolve(null)
    })
  })
  if (url === null) {
    await stop()
    throw new TargetError(`the server did not start: ${said.trim() || greeting.join(' ') || 'it said nothing'}`)
  }
  const observer = greeting.map((line) => /observer\D*(http:\/\/[\w.[\]:]+)/i.exec(line)?.[1]).find((found) => found !== undefined) ?? null
  return { url, observer, stop }
}
