// Programs in separate processes, and subscribers of their observers.
import { fetch, WebSocket } from 'undici'
import type { StreamEvent } from '../../src/events/schema.ts'
import { eventually } from '../support/eventually.ts'
import { runNode, startServer as startBuilt, WITH_TYPESCRIPT, type LaunchOptions, type Program, type Server } from '../support/server-process.ts'
import type { Order } from './programs/inside.ts'

export type { Program, Server }

interface Test {
  teardown(fn: () => unknown): void
}

export interface StartOptions extends LaunchOptions {
  /** It does to its observer's thread what inside.ts is ordered to do. */
  inside?: boolean
  args?: string[]
}

const INSIDE = [...WITH_TYPESCRIPT, '--import', './test/observe/programs/inside.ts']
const WITH_CHANNEL: LaunchOptions = { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] }

/** Runs a file of this project as a separate program, until the test ends. */
export function start(t: Test, file: string, env: Record<string, string> = {}, { inside = false, args = [], ...options }: StartOptions = {}): Program {
  return runNode(t, [...(inside ? INSIDE : WITH_TYPESCRIPT), file, ...args], env, { ...options, ...(inside ? WITH_CHANNEL : {}) })
}

/** The server of this project, and the addresses of its app and its observer. */
export function startServer(t: Test, env: Record<string, string> = {}, { inside = false, ...options }: StartOptions = {}): Promise<Server> {
  const how = inside ? { before: INSIDE, ...WITH_CHANNEL } : {}
  return startBuilt(t, { LOG_LEVEL: 'warn', RATE_LIMIT: '0', ...env }, { ...options, ...how })
}

export interface Subscriber {
  socket: WebSocket
  messages: StreamEvent[]
  closed: Promise<unknown>
}

/** Subscribes at an observer; resolves after the hello. */
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
/** Makes the observer of a program that was started with `inside` fail. */
export const order = (program: Program, what: Order): void => void program.child.send(what)
/** A metric of an app or an observer; undefined for an unknown name. */
export const figure = async (url: string, name: string): Promise<number | undefined> => {
  const found = new RegExp(`^${name} (\\S+)`, 'm').exec(await (await fetch(`${url}/metrics`)).text())
  return found === null ? undefined : Number(found[1])
}
/** Whether an app has its observer. */
export const isUp = async (url: string): Promise<boolean> => (await json<{ status: string }>(`${url}/readyz`)).status === 'ok'
/** The resident memory of the process that serves this, in bytes. */
export const memoryOf = async (url: string): Promise<number> => Number(await figure(url, 'process_resident_memory_bytes'))
