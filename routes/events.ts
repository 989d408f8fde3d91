// The event stream: a WebSocket where the client upgrades, server-sent events otherwise. Both say where they stand, so
// that a client that was cut off goes on from there.
import type { FastifyRequest } from 'fastify'
import { PassThrough } from 'node:stream'
import type { WebSocket } from 'ws'
import { z } from 'zod'
import type { App } from '../src/server/app.ts'
import { Future } from '../src/index.ts'
import { badField, errorBody, HttpError } from '../src/server/errors.ts'
import { id } from '../src/server/fields.ts'
import { eventTypes, type EventType } from '../src/stream/events.ts'
import type { Message, Sink, Subscription, SubscribeOptions } from '../src/stream/fanout.ts'
import { parseCursor, type Cursor } from '../src/stream/history.ts'

/** What lies unsent on a connection, in bytes, before its subscriber has to wait. */
const MOST_UNSENT = 256 * 1024
const HEARTBEAT_MS = 15_000

const cursor = z.string().refine((text) => parseCursor(text) !== null, 'must be a cursor, epoch:seq, as the stream gave it')
const type = z.enum(eventTypes, { error: `must be one of ${eventTypes.join(', ')}` })
const types = z.string().transform((text) => text.split(',').filter((one) => one !== '')).pipe(z.array(type))

const querystring = z.strictObject({
  types: types.optional().describe('comma-separated: only these'),
  run: id.optional(), task: id.optional(), request: id.optional(),
  since: cursor.optional().describe('go on after this event, epoch:seq'),
})

/** What a client may say on a WebSocket: what it wants from now on. */
const wish = z.strictObject({
  types: z.array(type).optional(), run: z.int().min(1).optional(), task: z.int().min(1).optional(), request: z.int().min(1).optional(),
})

function optionsOf(query: z.output<typeof querystring>, lastEventId: string | string[] | undefined): SubscribeOptions {
  let since: Cursor | null = query.since === undefined ? null : parseCursor(query.since)
  if (since === null && typeof lastEventId === 'string' && lastEventId !== '') {
    since = parseCursor(lastEventId)
    if (since === null) throw badField('Last-Event-ID', 'must be a cursor, epoch:seq, as the stream gave it')
  }
  const { types, run, task, request } = query
  return { types: types as EventType[] | undefined, run, task, request, since: since ?? undefined }
}

/** Messages as server-sent events: the cursor is the id. */
class EventSink implements Sink {
  readonly stream = new PassThrough({ highWaterMark: MOST_UNSENT })
  readonly #cursor: (seq: number) => string

  constructor(cursor: (seq: number) => string) {
    this.#cursor = cursor
    this.stream.on('error', () => {})
  }

  write(batch: readonly Message[]): boolean {
    let text = ''
    for (const { type, seq, json } of batch) text += `${seq === null ? '' : `id: ${this.#cursor(seq)}\n`}event: ${type}\ndata: ${json}\n\n`
    return this.stream.destroyed || this.stream.write(text)
  }

  end(): void {
    this.stream.end()
  }
}

/** Messages on a WebSocket, each its own; a batch shares a write. */
class SocketSink implements Sink {
  readonly #socket: WebSocket
  onRoom: () => void = () => {}

  constructor(socket: WebSocket) {
    this.#socket = socket
  }

  write(batch: readonly Message[]): boolean {
    const socket = this.#socket
    if (socket.readyState !== socket.OPEN) return true
    const connection = (socket as unknown as { _socket?: { cork(): void; uncork(): void } })._socket
    connection?.cork()
    batch.forEach(({ json }, at) => {
      if (at < batch.length - 1) socket.send(json)
      else socket.send(json, () => this.onRoom())
    })
    connection?.uncork()
    return socket.bufferedAmount < MOST_UNSENT
  }

  end(reason: string): void {
    this.#socket.close(1001, reason)
  }
}

export default function events(app: App): void {
  const { fanout, recorder, config } = app
  const cursorOf = (seq: number): string => recorder.history.cursor(seq)
  const full = (): boolean => fanout.size >= config.maxSubscribers

  app.route({
    method: 'GET',
    url: '/events',
    schema: {
      summary: 'What happens on the loop', tags: ['stream'], querystring,
      description: 'Server-sent events, or a WebSocket on upgrade. Each message is one event; the first is stream.hello.',
      response: { 400: errorBody, 503: errorBody },
    },
    handler: function* (request, reply) {
      const { query } = request
      if (full()) throw new HttpError(503, `${fanout.size} subscribers are connected, and no more are allowed at once`)
      const options = optionsOf(query, request.headers['last-event-id'])
      const sink = new EventSink(cursorOf)
      const served = request.loopscope
      if (served !== null) {
        served.endless = true
        served.stamp()
      }
      const ended = new Future<void>()
      sink.stream.on('close', () => {
        if (!ended.done()) ended.setResult(undefined)
      })
      reply.type('text/event-stream').header('cache-control', 'no-store').header('x-accel-buffering', 'no').send(sink.stream)
      const subscription = fanout.subscribe(sink, options)
      sink.stream.on('drain', () => subscription.resume())
      const heartbeat = setInterval(() => sink.stream.write(': still here\n\n'), HEARTBEAT_MS)
      try {
        yield* ended
      } finally {
        clearInterval(heartbeat)
        subscription.close()
        sink.stream.end()
      }
      return reply
    },
    wsHandler: (socket, request) => {
      if (full()) {
        socket.close(1013, `${fanout.size} subscribers are connected already`)
        return
      }
      serve(socket, request)
    },
  })

  function serve(socket: WebSocket, request: FastifyRequest): void {
    let options: SubscribeOptions
    try {
      options = optionsOf(request.query as z.output<typeof querystring>, request.headers['last-event-id'])
    } catch (error) {
      socket.close(1008, shorten((error as Error).message))
      return
    }
    const sink = new SocketSink(socket)
    let subscription: Subscription = fanout.subscribe(sink, options)
    sink.onRoom = () => {
      if (socket.bufferedAmount < MOST_UNSENT) subscription.resume()
    }
    let alive = true
    const heartbeat = setInterval(() => {
      if (!alive) {
        socket.terminate()
        return
      }
      alive = false
      socket.ping()
    }, HEARTBEAT_MS)
    socket.on('pong', () => {
      alive = true
    })
    socket.on('message', (data: Buffer, isBinary) => {
      const problem = isBinary ? ([1003, 'only text is read here'] as const) : ask(data.toString())
      if (problem !== null) socket.close(problem[0], shorten(problem[1]))
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      clearInterval(heartbeat)
      subscription.close()
    })

    /** Go on from where the stream stands with another filter. */
    function ask(text: string): readonly [number, string] | null {
      let json: unknown
      try {
        json = JSON.parse(text)
      } catch {
        return [1007, 'this is not JSON']
      }
      const result = wish.safeParse(json)
      if (!result.success) {
        return [1008, result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ')]
      }
      const { seq } = subscription
      subscription.close()
      subscription = fanout.subscribe(sink, { ...result.data, since: { epoch: recorder.history.epoch, seq } })
      return null
    }
  }
}

/** A close reason may have 123 bytes. */
function shorten(text: string): string {
  const plain = text.replace(/[^\x20-\x7e]/g, '?')
  return plain.length > 120 ? `${plain.slice(0, 117)}...` : plain
}
