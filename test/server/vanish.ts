// All the ways in which a client can vanish, and a check of what a server has left of it.
import { connect, type Socket } from 'node:net'
import { footprint, type Footprint, type Served } from '../support/footprint.ts'
import { eventually } from '../support/eventually.ts'
import { handshake } from '../support/raw.ts'

const get = (target: string, headers = ''): string => `GET ${target} HTTP/1.1\r\nHost: localhost\r\n${headers}\r\n`
const post = (target: string, headers: string, body: string): string => `POST ${target} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n${headers}\r\n${body}`

export interface Way {
  name: string
  bytes: string
  /** It leaves when an answer has begun; otherwise as soon as it has sent all. */
  answered: boolean
}

/** What a client had sent when it vanished. */
export const WAYS: readonly Way[] = [
  { name: 'before it said anything', bytes: '', answered: false },
  { name: 'within a request line', bytes: 'GET /pi', answered: false },
  { name: 'within the headers', bytes: 'GET /ping HTTP/1.1\r\nHost: loc', answered: false },
  { name: 'within a body', bytes: post('/lab', 'Content-Length: 100\r\n', '{"ms":'), answered: false },
  { name: 'within a chunk', bytes: post('/lab', 'Transfer-Encoding: chunked\r\n', '10\r\n{"ms":'), answered: false },
  { name: 'before the body that it was told to send', bytes: post('/lab', 'Content-Length: 100\r\nExpect: 100-continue\r\n', ''), answered: true },
  { name: 'while its handler sleeps', bytes: get('/handlers/async?ms=20000'), answered: false },
  { name: 'while its handler waits for a thread', bytes: get('/handlers/sync?ms=1&thread=pool'), answered: false },
  { name: 'while its handler waits for others', bytes: get('/handlers/fetch?n=3&ms=20000'), answered: false },
  { name: 'within a long answer', bytes: get('/openapi.json').repeat(5), answered: true },
  { name: 'while a run streams', bytes: get('/examples/5/run?speed=10'), answered: true },
  { name: 'while a run streams its events', bytes: get('/examples/5/run?speed=10', 'Accept: application/x-ndjson\r\n'), answered: true },
  { name: 'while the object of a run is awaited', bytes: get('/examples/1/run', 'Accept: application/json\r\n'), answered: false },
  { name: 'while it is sent events', bytes: get('/events'), answered: true },
  { name: 'before its first event', bytes: get('/events'), answered: false },
  { name: 'from a WebSocket', bytes: handshake('/events'), answered: true },
  { name: 'within a handshake', bytes: handshake('/events').slice(0, -10), answered: false },
  { name: 'before a handshake was answered', bytes: handshake('/events'), answered: false },
  { name: 'from a refused handshake: another origin', bytes: handshake('/events', 'Origin: http://evil.example\r\n'), answered: true },
  { name: 'from a refused handshake: no such path', bytes: handshake('/nothing'), answered: true },
  { name: 'from a refused handshake: a bad field', bytes: handshake('/events?run=x'), answered: true },
  { name: 'before a refusal was read', bytes: handshake('/events', 'Origin: http://evil.example\r\n'), answered: false },
  { name: 'refused', bytes: get('/ping', 'Origin: http://evil.example\r\n'), answered: true },
  { name: 'after noise', bytes: '\0\0\0\0', answered: true },
  { name: 'with requests behind a stream', bytes: get('/events') + get('/events') + get('/examples/5/run') + get('/handlers/async?ms=20000'), answered: true },
  { name: 'with an upgrade behind a stream', bytes: get('/events') + get('/examples/5/run') + handshake('/events'), answered: false },
  { name: 'with many requests ahead', bytes: get('/ping').repeat(200), answered: false },
  { name: 'idle, after an answer', bytes: get('/ping'), answered: true },
]

/** How a client leaves: by a reset, an end, or only by ending its half. */
const EXITS: readonly ((socket: Socket) => void)[] = [
  (socket) => socket.resetAndDestroy(),
  (socket) => socket.destroy(),
  // The server closes the other half, or has no reason to keep it open.
  (socket) => socket.end(),
]

/** Lets a client connect to `port` and vanish. Resolves once its connection is closed. */
export function vanish(port: number, { bytes, answered }: Way, exit: (socket: Socket) => void): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: false })
    let gone = false
    const leave = (): void => {
      if (gone) return
      gone = true
      exit(socket)
    }
    socket.on('error', () => {})
    socket.on('close', () => resolve())
    socket.on('data', () => {
      if (answered) leave()
    })
    socket.on('connect', () => {
      if (bytes === '') leave()
      else socket.write(bytes, () => {
        if (!answered) setTimeout(leave, 1)
      })
    })
  })
}

/** `count` clients that vanish from both ports in all ways, some at a time. */
export async function vanishing(server: Served, count: number, atOnce = 50): Promise<void> {
  const ports = [server.url, server.observer].map((url) => Number(new URL(url).port))
  let next = 0
  await Promise.all(Array.from({ length: atOnce }, async () => {
    while (next < count) {
      const at = next++
      const pair = Math.floor(at / WAYS.length)
      await vanish(ports[pair % 2] as number, WAYS[at % WAYS.length] as Way, EXITS[Math.floor(pair / 2) % EXITS.length] as (socket: Socket) => void)
    }
  }))
}

/** Waits until nothing is left of clients; returns the last check, which shows what is left, if anything. */
export async function settled(server: Served, looks = 600): Promise<Footprint> {
  let last = await footprint(server)
  await eventually(async () => {
    last = await footprint(server)
    return last.tasks + last.observed + last.runs + last.subscribers === 0 && !(last.connections > 0)
  }, looks)
  return last
}
