// Programs in processes of their own, and subscribers of their observers.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fetch, WebSocket } from 'undici'
import type { StreamEvent } from '../../src/events/schema.ts'
import { eventually } from '../support/eventually.ts'
import type { Order } from './programs/inside.ts'

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

export interface StartOptions {
  /** This project, or a copy of it. */
  root?: string | URL
  /** It does to its observer's thread what inside.ts is told to. */
  inside?: boolean
  args?: string[]
}

/** Run a file of this project as a program of its own, until the test ends. */
export function start(t: Test, file: string, env: Record<string, string> = {}, { root = ROOT, inside = false, args = [] }: StartOptions = {}): Program {
  const preload = inside ? ['--import', './test/observe/programs/inside.ts'] : []
  const child = spawn(process.execPath, ['--import', './tools/ts.mjs', ...preload, file, ...args], {
    cwd: root, env: { PATH: process.env['PATH'], ...env }, stdio: ['ignore', 'pipe', 'pipe', ...(inside ? ['ipc' as const] : [])],
  })
  t.teardown(() => { child.kill('SIGKILL') })
  let log = ''
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => { log += chunk.toString() })
  return { child, log: () => log, ended: once(child, 'exit').then(([code]) => code as number | null) }
}

export interface Server extends Program {
  url: string
  observer: string
}

/** The server of this project, and the addresses of its app and its observer. */
export async function startServer(t: Test, env: Record<string, string> = {}, options: StartOptions = {}): Promise<Server> {
  const program = start(t, 'src/server/main.ts', { PORT: '0', LOG_LEVEL: 'warn', RATE_LIMIT: '0', ...env }, options)
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

export const json = async <T>(url: string): Promise<T> => (await (await fetch(url, { headers: { accept: 'application/json' } })).json()) as T
/** Have the observer of a program that was started with `inside` fail. */
export const order = (program: Program, what: Order): void => void program.child.send(what)
/** A figure of an app or an observer; undefined where it has none of that name. */
export const figure = async (url: string, name: string): Promise<number | undefined> => {
  const found = new RegExp(`^${name} (\\S+)`, 'm').exec(await (await fetch(`${url}/metrics`)).text())
  return found === null ? undefined : Number(found[1])
}
/** Whether an app has its observer. */
export const isUp = async (url: string): Promise<boolean> => (await json<{ status: string }>(`${url}/readyz`)).status === 'ok'
/** The resident memory of the process that serves this, in bytes. */
export const memoryOf = async (url: string): Promise<number> => Number(await figure(url, 'process_resident_memory_bytes'))
