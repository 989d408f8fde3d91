// Limits the requests under way on one connection: in HTTP/1.1 a client may send requests without waiting for answers, and
// Node passes each on as soon as it is read.
import type { FastifyInstance } from 'fastify'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { AsyncResource } from 'node:async_hooks'

/** From this many unanswered requests on, a connection is not read any further, until half of them are answered. */
const MOST_UNDER_WAY = 64

const pipeline = Symbol('requests under way')
const begin = Symbol('begins a request that waits for its turn')
type Connection = Duplex & { [pipeline]?: Pipeline }

class Pipeline {
  /** The responses, in the order of the requests; nearly always one. */
  readonly responses: Waiting[] = []
  full = false
}

type Waiting = ServerResponse & { [begin]?: () => void }

/** How many requests of this connection have not been answered. */
export function unanswered(socket: Duplex): number {
  return (socket as Connection)[pipeline]?.responses.length ?? 0
}

/** The request whose answer this connection waits for; `null` without one. */
export function firstUnanswered(socket: Duplex): IncomingMessage | null {
  return (socket as Connection)[pipeline]?.responses[0]?.req ?? null
}

/**
 * Serves the requests of a connection of `app` one after the other: each begins when the previous answer has been sent and
 * taken. So a connection has one answer in memory and one share of each turn, and nothing is left under way when its client
 * disconnects. While too many requests wait, the connection is not read any further, and does not show that its client has
 * disconnected until something is written. What has been read already, at most 64 KiB, is served. Call before other hooks
 * are added.
 */
export function boundPipelining(app: FastifyInstance): void {
  if (app.server.listeners('request').includes(began)) return
  app.server.prependListener('request', began)
  app.addHook('onRequest', (request, reply, done) => inTurn(request.raw, reply.raw, done))
}

/** Calls `start` when all earlier requests of the connection, if `began` counts them, have been answered. */
export function inTurn({ socket }: IncomingMessage, response: ServerResponse, start: () => void): void {
  const responses = (socket as Connection | undefined)?.[pipeline]?.responses
  // An injected request has no connection, and an upgrade is not counted here.
  if (responses === undefined || responses[0] === response || !responses.includes(response)) start()
  // It begins in the context in which it was read, not in that of the request before it.
  else (response as Waiting)[begin] = AsyncResource.bind(start)
}

/** Counts a request of this connection until its response is closed. */
export function began(request: IncomingMessage, response: ServerResponse): void {
  const socket = request.socket as Connection
  const requests = (socket[pipeline] ??= new Pipeline())
  requests.responses.push(response)
  response.on('close', ended)
  if (requests.responses.length < MOST_UNDER_WAY || requests.full) return
  requests.full = true
  // Node itself resumes a connection whenever a request has been read whole.
  if (!socket.listeners('resume').includes(stayPaused)) socket.on('resume', stayPaused)
  socket.pause()
}

function stayPaused(this: Connection): void {
  if (this[pipeline]?.full === true) this.pause()
}

function ended(this: ServerResponse): void {
  const socket = this.req.socket as Connection
  const requests = socket[pipeline] as Pipeline
  const { responses } = requests
  if (responses[0] === this) responses.shift()
  else responses.splice(responses.indexOf(this), 1)
  // Requests of other connections are served in between.
  if (responses.length > 0) setImmediate(beginNext, responses)
  if (!requests.full || responses.length > MOST_UNDER_WAY / 2) return
  requests.full = false
  socket.resume()
}

function beginNext(responses: Pipeline['responses']): void {
  const [next] = responses
  const start = next?.[begin]
  // A response without a socket is never sent: the connection is closing, or has closed.
  if (next === undefined || next.socket === null || start === undefined) return
  delete next[begin]
  start()
}
