// Servers of this project that share a Redis, and what each observer reports.
import { createClient } from '@redis/client'
import { fetch } from 'undici'
import type { LoopEvent, LoopInfo, LoopList, StreamEvent } from '../../src/events/schema.ts'
import { Model } from '../../src/events/model.ts'
import { startServer, type Program, type Subscriber } from '../observe/support.ts'

export type Server = Program & { url: string; observer: string }
export type Run = { run: number; loop: string; outcome: string | null }

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
export const json = async <T>(url: string): Promise<T> => (await (await fetch(url, { headers: { accept: 'application/json' } })).json()) as T
export const text = async (url: string, options: object = {}): Promise<string> => (await fetch(url, options)).text()
export const loopsAt = ({ observer }: Server): Promise<LoopList> => json<LoopList>(`${observer}/loops`)
export const loopAt = async (server: Server, loop: string): Promise<LoopInfo | undefined> => (await loopsAt(server)).loops.find((info) => info.loop === loop)
export const statesAt = async (server: Server): Promise<string> => (await loopsAt(server)).loops.map(({ loop, state }) => `${loop} ${state}`).sort().join(', ')
export const ofLoop = (message: StreamEvent): message is LoopEvent => !message.type.startsWith('stream.')

/** Cluster figures of a process. */
export async function figures(server: Server): Promise<Record<string, number>> {
  const lines = (await text(`${server.observer}/metrics`)).matchAll(/^(loopscope_cluster_\w+(?:\{[^}]*\})?|process_resident_memory_bytes) (\S+)$/gm)
  return Object.fromEntries([...lines].map(([, name, value]) => [name!.replace('loopscope_cluster_', ''), Number(value)]))
}

/** A server of this project that shares this Redis under this name. */
export function start(t: Parameters<typeof startServer>[0], redisUrl: string, name: string, env: Record<string, string> = {}): Promise<Server> {
  return startServer(t, { OBSERVER_PORT: '0', REDIS_URL: redisUrl, LOOP_NAME: name, BLOCKED_MS: '100', LOG_LEVEL: 'info', ...env })
}

export async function command(redis: { url: string }, ...words: string[]): Promise<void> {
  const client = await createClient({ url: redis.url }).on('error', () => {}).connect()
  await client.sendCommand(words)
  client.destroy()
}

/** Whether a subscription is whole: each event once and in order, and gaps reported. Returns how many events arrived and were missed. */
export function whole(messages: readonly StreamEvent[]): { events: number; dropped: number; wrong: string[] } {
  const wrong: string[] = []
  let seq = -1
  let events = 0
  let dropped = 0
  for (const message of messages) {
    if (message.type === 'stream.hello') seq = message.seq
    else if (message.type === 'stream.dropped') {
      dropped += message.count
      if (message.count > 0 && message.from !== seq + 1) wrong.push(`dropped from ${message.from} after ${seq}`)
      seq = message.to
    } else if (ofLoop(message)) {
      if (message.seq !== seq + 1) wrong.push(`${message.seq} after ${seq}`)
      seq = message.seq
      events++
    }
  }
  return { events, dropped, wrong: wrong.slice(0, 3) }
}

/** What a subscriber knows to be alive from its messages. */
export function pictureOf(messages: readonly StreamEvent[]): Model {
  const model = new Model()
  for (const message of messages) {
    if (message.type === 'stream.hello' || message.type === 'stream.dropped') {
      if (message.snapshot !== undefined) model.restore(message.snapshot)
    } else if (ofLoop(message)) model.apply(message)
  }
  return model
}

export const leave = async ({ socket, closed }: Subscriber): Promise<void> => {
  socket.close()
  await closed
}

/** Begins a run that continues until the returned function is called. */
export async function endless(server: Server, query: string): Promise<() => Promise<void>> {
  const controller = new AbortController()
  const response = await fetch(`${server.url}/examples/5/run?${query}`, { signal: controller.signal })
  const read = response.text().catch(() => {})
  return async () => {
    controller.abort()
    await read
  }
}
