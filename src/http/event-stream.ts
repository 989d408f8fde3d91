// Sends the event stream as server-sent events and on WebSockets, for both servers: what a subscriber may ask for, and where
// its messages go. Messages that many receive are framed once.
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Socket } from 'node:net'
import { Buffer } from 'node:buffer'
import { PassThrough } from 'node:stream'
import { z } from 'zod'
import type { Filter } from '../events/filter.ts'
import type { Message, Sink } from '../events/fanout.ts'
import { eventTypes, type EventType } from '../events/schema.ts'
import { parseCursor, type Cursor } from '../events/history.ts'
import type { Monitor, StreamSubscription, StreamOptions } from './monitor.ts'
import type { Readers } from './readers.ts'
import { badField, Refusal } from './refusals.ts'
import { id } from './fields.ts'

/** With this many unsent bytes on a connection, its subscriber has to wait. */
const MOST_UNSENT = 256 * 1024
const HEARTBEAT_MS = 15_000
/** The most messages of a client on a WebSocket in a second: filters, pings and pongs. */
const MOST_MESSAGES = 100
/** How long a client that was asked to leave has, in ms, before its connection is closed. */
const LEAVE_MS = 2000

const NO_CURSOR = 'must be a cursor, epoch:seq, as the stream gave it; of several loops, one of each, joined by commas'
/** The longest list of cursors that is read: enough for all loops there may be. */
const LONGEST_CURSOR = 10_000

/** Reads cursors, joined by commas; `null` if one of them is invalid. */
function parseCursors(text: string): Cursor[] | null {
  if (text.length > LONGEST_CURSOR) return null
  const cursors = text.split(',').map(parseCursor)
  return cursors.includes(null) ? null : cursors as Cursor[]
}

/** The value of `since` for all that is kept. */
const FIRST = 'first'
const cursors = z.string().refine((text) => text === FIRST || parseCursors(text) !== null, `${NO_CURSOR}; or first, for all that is kept`)
const type = z.enum(eventTypes, { error: `must be one of ${eventTypes.join(', ')}` })
const types = z.string().transform((text) => text.split(',').filter((one) => one !== '')).pipe(z.array(type))

const LOOP = /^[A-Za-z0-9._-]{1,64}$/

/** A loop's name, as LOOP_NAME sets it. */
const loopName = z.string().regex(LOOP, 'must be the name of a loop, 1 to 64 of A-Z a-z 0-9 . _ -: GET /loops lists them')
const loopOrAll = z.union([z.literal('*'), loopName], { error: 'must be the name of a loop, or * for all: GET /loops lists them' })
/** Which loop is meant, if not that of this process. */
export const ofLoop = z.strictObject({ loop: loopName.optional().describe('the loop; by default this process\' own') })

export const streamQuery = z.strictObject({
  types: types.optional().describe('comma-separated: only these'),
  run: id.optional(), task: id.optional(), request: id.optional(),
  since: cursors.optional().describe('go on after this event, epoch:seq; first: begin with the first event that is kept'),
  loop: loopOrAll.optional().describe('the loop of this name, or * for all; by default this process\' own'),
})

/** A message of a client on a WebSocket: the filter from now on. */
const wanted = z.strictObject({
  types: z.array(type).optional(), run: z.int().min(1).optional(), task: z.int().min(1).optional(), request: z.int().min(1).optional(),
})

function optionsOf(query: z.output<typeof streamQuery>, lastEventId: string | string[] | undefined): StreamOptions {
  let since: StreamOptions['since'] | null = query.since === undefined ? null : query.since === FIRST ? FIRST : parseCursors(query.since)
  if (since === null && typeof lastEventId === 'string' && lastEventId !== '') {
    since = parseCursors(lastEventId)
    if (since === null) throw badField('invalid-header', 'Last-Event-ID', NO_CURSOR)
  }
  const { types, run, task, request, loop } = query
  return { types: types as EventType[] | undefined, run, task, request, loop, since: since ?? undefined }
}

/** In a hello the epoch is before any text that a program has set. */
const EPOCH = /"epoch":"([0-9a-f]+)"/

const texts = new WeakMap<readonly Message[], Buffer>()
const frames = new WeakMap<readonly Message[], Buffer>()

function made(cache: WeakMap<readonly Message[], Buffer>, batch: readonly Message[], make: () => Buffer): Buffer {
  let bytes = cache.get(batch)
  if (bytes === undefined) {
    bytes = make()
    cache.set(batch, bytes)
  }
  return bytes
}

/** Messages as server-sent events. The id is the cursor, in the epoch of the last hello. The stream closes when its reader disconnects. */
class EventSink implements Sink {
  readonly stream = new PassThrough({ highWaterMark: MOST_UNSENT })
  readonly cursors = true
  #epoch = ''

  constructor() {
    this.stream.on('error', () => {})
  }

  write(batch: readonly Message[]): boolean {
    if (this.stream.destroyed || this.stream.writableEnded) return true
    for (const { type, json } of batch) if (type === 'stream.hello') this.#epoch = EPOCH.exec(json)?.[1] ?? ''
    return this.stream.write(made(texts, batch, () => {
      let text = ''
      for (const { type, seq, json, cursor } of batch) {
        text += `${seq === null ? '' : `id: ${cursor ?? `${this.#epoch}:${seq}`}\n`}event: ${type}\ndata: ${json}\n\n`
      }
      return Buffer.from(text)
    }))
  }

  end(): void {
    this.stream.end()
  }
}

/** Headers of an event stream. */
const EVENT_STREAM = { 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' } as const

/** The part of a WebSocket of `ws` that is needed here. It has a type of its own, because users of the package may not have the types of `ws`. */
export interface StreamSocket {
  readonly readyState: number
  readonly OPEN: number
  readonly bufferedAmount: number
  pause(): void
  resume(): void
  ping(): void
  pong(data: Buffer): void
  close(code: number, reason: string): void
  terminate(): void
  on(event: 'ping' | 'pong', listener: (data: Buffer) => void): unknown
  on(event: 'message', listener: (data: Buffer, isBinary: boolean) => void): unknown
  on(event: 'close', listener: () => void): unknown
}

/** Messages on a WebSocket, a frame for each. A batch is one write, and its bytes are shared by all subscribers that receive it. */
class SocketSink implements Sink {
  readonly #socket: StreamSocket
  /** The sink has room again. */
  readonly #onRoom: () => void
  /** Too much is unsent: nothing is read from the client until it has taken that. */
  blocked = false

  constructor(socket: StreamSocket, onRoom: () => void) {
    this.#socket = socket
    this.#onRoom = onRoom
  }

  write(batch: readonly Message[]): boolean {
    const socket = this.#socket
    const connection = connectionOf(socket)
    if (socket.readyState !== socket.OPEN || connection == null) return true
    connection.write(made(frames, batch, () => framesOf(batch)), () => this.#written())
    if (connection.writableLength < MOST_UNSENT) return !this.blocked
    this.blocked = true
    socket.pause()
    return false
  }

  #written(): void {
    if (!this.blocked || this.#socket.bufferedAmount >= MOST_UNSENT) return
    this.blocked = false
    this.#socket.resume()
    this.#onRoom()
  }

  end(reason: string): void {
    this.#socket.close(1001, shorten(reason))
  }
}

/** Messages as WebSocket text frames of a server: unmasked, whole. */
function framesOf(batch: readonly Message[]): Buffer {
  const parts: Buffer[] = []
  for (const { json } of batch) {
    const payload = Buffer.from(json)
    const { length } = payload
    const head = length < 126 ? Buffer.from([0x81, length]) : Buffer.alloc(length < 65_536 ? 4 : 10)
    if (length >= 126) {
      head[0] = 0x81
      head[1] = length < 65_536 ? 126 : 127
      if (length < 65_536) head.writeUInt16BE(length, 2)
      else head.writeBigUInt64BE(BigInt(length), 2)
    }
    parts.push(head, payload)
  }
  return Buffer.concat(parts)
}

function connectionOf(socket: StreamSocket): Socket | null | undefined {
  return (socket as unknown as { _socket?: Socket | null })._socket
}

/** Asks a client to leave, with a reason. */
function dismiss(socket: StreamSocket, code: number, reason: string): void {
  socket.close(code, shorten(reason))
  setTimeout(() => socket.terminate(), LEAVE_MS).unref()
}

/** A 503 if there is no room for another subscriber, or for its first snapshot. */
function noRoom({ size, most }: Monitor, readers: Readers): Refusal | null {
  return size < most ? readers.full : new Refusal('too-many-subscribers', `${size} subscribers are connected, which is the limit`)
}

/** Serves the stream as server-sent events until it ends or its reader disconnects. */
export async function serveEvents(request: FastifyRequest, reply: FastifyReply, monitor: Monitor, readers: Readers): Promise<void> {
  const options = optionsOf(request.query as z.output<typeof streamQuery>, request.headers['last-event-id'])
  await monitor.loop(options.loop)
  const refused = noRoom(monitor, readers)
  if (refused !== null) throw refused
  // The client has disconnected in the meantime.
  if (reply.raw.destroyed) return
  readers.watch(request.raw.socket)
  const sink = new EventSink()
  reply.raw.once('close', () => sink.stream.destroy())
  const closed = new Promise((resolve) => sink.stream.on('close', resolve))
  const subscription = monitor.subscribe(sink, options)
  sink.stream.on('drain', () => subscription.resume())
  request.server.opens(request)
  reply.headers(EVENT_STREAM).send(sink.stream)
  await closed
  subscription.close()
}

/** Serves the stream on a WebSocket until it closes. The request's query has been checked. */
export function serveSocket(socket: StreamSocket, request: FastifyRequest, monitor: Monitor, readers: Readers): void {
  const refused = noRoom(monitor, readers)
  if (refused !== null) {
    dismiss(socket, 1013, refused.message)
    return
  }
  let alive = true
  let nextFilter: Filter | null = null
  const sink = new SocketSink(socket, () => {
    // Its answer could not be read while reading was stopped.
    alive = true
    subscription.resume()
    if (nextFilter !== null) changeFilter(nextFilter)
  })
  let subscription: StreamSubscription
  try {
    subscription = monitor.subscribe(sink, optionsOf(request.query as z.output<typeof streamQuery>, request.headers['last-event-id']))
  } catch (error) {
    dismiss(socket, 1008, (error as Error).message)
    return
  }
  const connection = connectionOf(socket)
  if (connection != null) readers.watch(connection)
  const heartbeat = setInterval(() => {
    if (sink.blocked) return
    if (!alive) {
      socket.terminate()
      return
    }
    alive = false
    socket.ping()
  }, HEARTBEAT_MS)
  let leaving = false
  let since = 0
  let count = 0
  socket.on('pong', () => {
    if (counted()) alive = true
  })
  socket.on('ping', (data: Buffer) => {
    if (counted()) socket.pong(data)
  })
  socket.on('message', (data: Buffer, isBinary) => {
    if (!counted()) return
    const problem = isBinary ? ([1003, 'only text is read here'] as const) : ask(data.toString())
    if (problem !== null) leave(...problem)
  })
  socket.on('close', () => {
    clearInterval(heartbeat)
    subscription.close()
  })

  /** Counts a message of the client; false if it sends too many and is disconnected. */
  function counted(): boolean {
    if (leaving) return false
    const now = performance.now()
    if (now - since >= 1000) {
      since = now
      count = 0
    }
    if (++count <= MOST_MESSAGES) return true
    leave(1008, `a client may send ${MOST_MESSAGES} messages a second, and this one has sent more`)
    return false
  }

  function leave(code: number, reason: string): void {
    leaving = true
    subscription.close()
    dismiss(socket, code, reason)
  }

  /** While the stream has no room, only the last filter is remembered. */
  function changeFilter(filter: Filter): void {
    nextFilter = sink.blocked ? filter : null
    if (nextFilter === null) subscription.change(filter)
  }

  function ask(text: string): readonly [number, string] | null {
    let json: unknown
    try {
      json = JSON.parse(text)
    } catch {
      return [1007, 'this is not JSON']
    }
    const result = wanted.safeParse(json)
    if (!result.success) return [1008, result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ')]
    changeFilter(result.data)
    return null
  }
}

/** A close reason may have 123 bytes. */
function shorten(text: string): string {
  const plain = text.replace(/[^\x20-\x7e]/g, '?')
  return plain.length > 120 ? `${plain.slice(0, 117)}...` : plain
}
