// Bounds what one connection may have under way, and ends all of it with the connection: HTTP/1.1 lets a client send requests
// without waiting for their answers, and Node hands each of them over as soon as it is read.
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'

/** From this many unanswered requests on, a connection is not read any further; at half of them it is again. */
const MOST_UNDER_WAY = 64

const pipeline = Symbol('requests under way')
type Connection = Duplex & { [pipeline]?: Pipeline }

class Pipeline {
  readonly responses = new Set<ServerResponse>()
  full = false
}

/** How many requests of this connection have not been answered. */
export function unanswered(socket: Duplex): number {
  return (socket as Connection)[pipeline]?.responses.size ?? 0
}

/**
 * Stop reading from a connection of `server` while too many of its requests are unanswered. What has been read already, at
 * most 64 KiB, is served. A connection that is not read does not show that its client has left until something is written.
 */
export function boundPipelining(server: Server): void {
  if (!server.listeners('request').includes(began)) server.on('request', began)
}

/** Count a request to those of its connection, until its response is closed. */
export function began(request: IncomingMessage, response: ServerResponse): void {
  const socket = request.socket as Connection
  const requests = (socket[pipeline] ??= follow(socket))
  requests.responses.add(response)
  response.on('close', ended)
  if (requests.responses.size < MOST_UNDER_WAY || requests.full) return
  requests.full = true
  // Node itself resumes a connection whenever a request has been read whole.
  if (!socket.listeners('resume').includes(stayPaused)) socket.on('resume', stayPaused)
  socket.pause()
}

function follow(socket: Connection): Pipeline {
  socket.once('close', closeWaiting)
  return new Pipeline()
}

/**
 * Close the responses that wait for the one before them, as Node does only with that one. Else what produces them, a stream
 * or a request to somewhere else, would go on without a reader.
 */
function closeWaiting(this: Connection): void {
  for (const response of [...(this[pipeline] as Pipeline).responses]) {
    if (response.socket !== null) continue
    response.destroyed = true
    ;(response as unknown as { _closed: boolean })._closed = true
    response.emit('close')
  }
}

function stayPaused(this: Connection): void {
  if (this[pipeline]?.full === true) this.pause()
}

function ended(this: ServerResponse): void {
  const socket = this.req.socket as Connection
  const requests = socket[pipeline] as Pipeline
  requests.responses.delete(this)
  if (!requests.full || requests.responses.size > MOST_UNDER_WAY / 2) return
  requests.full = false
  socket.resume()
}
