// Programs in processes of their own, and subscribers of their observers.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { WebSocket } from 'undici'
import type { StreamEvent } from '../../src/stream/events.ts'
import { eventually } from '../support/eventually.ts'

interface Test {
  teardown(fn: () => unknown): void
}

export interface Program {
  child: ChildProcess
  log: () => string
  /** Its exit code; `null` where a signal ended it. */
  ended: Promise<number | null>
}

const ROOT = new URL('../..', import.meta.url)

/** Run a file of this project, or of a copy of it at `root`, as a program of its own, until the test ends. */
export function start(t: Test, file: string, env: Record<string, string> = {}, root: string | URL = ROOT): Program {
  const child = spawn(process.execPath, ['--import', './tools/ts.mjs', file], {
    cwd: root, env: { PATH: process.env['PATH'], ...env }, stdio: ['ignore', 'pipe', 'pipe'],
  })
  t.teardown(() => { child.kill('SIGKILL') })
  let log = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => { log += chunk.toString() })
  return { child, log: () => log, ended: once(child, 'exit').then(([code]) => code as number | null) }
}

export interface Server extends Program {
  url: string
  observer: string
}

/** The server of this project, and the addresses of its app and its observer. */
export async function startServer(t: Test, env: Record<string, string> = {}, root: string | URL = ROOT): Promise<Server> {
  const program = start(t, 'src/server/main.ts', { PORT: '0', LOG_LEVEL: 'warn', RATE_LIMIT: '0', ...env }, root)
  await eventually(() => program.log().includes('try:') || program.child.exitCode !== null)
  const [, url] = /loopscope listens on (\S+)/.exec(program.log()) ?? []
  const [, observer] = /loop is blocked, listens on (\S+)/.exec(program.log()) ?? []
  if (url === undefined || observer === undefined) throw new Error(`the server did not start: ${program.log()}`)
  return { ...program, url, observer }
}

export interface Subscriber {
  socket: WebSocket
  messages: StreamEvent[]
  closed: Promise<unknown>
}

/** Subscribe at an observer; resolves once it has said hello. */
export async function subscribe(observer: string, query = ''): Promise<Subscriber> {
  const socket = new WebSocket(`${observer.replace('http', 'ws')}/events${query}`)
  const messages: StreamEvent[] = []
  socket.addEventListener('message', ({ data }) => { messages.push(JSON.parse(String(data)) as StreamEvent) })
  socket.addEventListener('error', () => {})
  const closed = new Promise((resolve) => { socket.addEventListener('close', resolve) })
  await eventually(() => messages.length > 0)
  return { socket, messages, closed }
}
