// A loopscope server to measure, in a separate process. It exists only in a source checkout, not in the package.
import { spawn, type ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { hasOwnFile, ownEnvironment, ownPath } from '../launch.ts'
import { TargetError } from './plan.ts'

const START_MS = 30_000
const STOP_MS = 10_000
/** The module with which the server's process begins. */
const SERVER = '../server/main'

export interface OwnServer {
  url: string
  stop(): Promise<void>
}

/** Starts a loopscope server on free ports, in a separate process, without a rate limit. Throws a TargetError if it does not start. */
export async function startServer(): Promise<OwnServer> {
  if (!hasOwnFile(SERVER, import.meta.url)) throw new TargetError('`load lab` without a URL works only in a source checkout; pass a URL')
  const server = await spawnServer()
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
  const lines = createInterface({ input: server.stdout })
  const url = await new Promise<string | null>((resolve) => {
    const timer = setTimeout(() => resolve(null), START_MS)
    lines.on('line', (line) => {
      const match = /listens on (http:\/\/[\w.[\]:]+)/.exec(line)
      if (match !== null) {
        clearTimeout(timer)
        resolve(match[1]!)
      }
    })
    void exited.then(() => {
      clearTimeout(timer)
      resolve(null)
    })
  })
  if (url === null) {
    await stop()
    throw new TargetError(`the server did not start: ${said.trim() || 'it said nothing'}`)
  }
  return { url, stop }
}

/** The server's process. Throws a TargetError if the system starts none. */
async function spawnServer(): Promise<ChildProcessByStdio<null, Readable, Readable>> {
  try {
    const server = spawn(process.execPath, ['--enable-source-maps', ownPath(SERVER, import.meta.url)], {
      env: { ...ownEnvironment(), PORT: '0', OBSERVER_PORT: '0', HOST: '127.0.0.1', LOG_LEVEL: 'error', RATE_LIMIT: '0', OBSERVER_URL: '' },
      stdio: ['ignore', 'pipe', 'pipe'],
      // Ctrl-C is for this process: the server is stopped after the results have been read.
      detached: true,
    })
    const failed = once(server, 'error')
    if (server.pid !== undefined) return server
    throw (await failed)[0]
  } catch (error) {
    throw new TargetError(`the server could not be started: ${(error as Error).message}`)
  }
}
