// Bounds what one connection may have under way: HTTP/1.1 lets a client send requests without waiting for their answers,
// and Node hands each of them over as soon as it is read.
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'

/** From this many unanswered requests on, a connection is not read any further; at half of them it is again. */
const MOST_UNDER_WAY = 64

const underWay = Symbol('requests under way')
type Counted = Duplex & { [underWay]?: number }

/** How many requests of this connection have not been answered. */
export function unanswered(socket: Duplex): number {
  return (socket as Counted)[underWay] ?? 0
}

/**
 * Stop reading from a connection of `server` while too many of its requests are unanswered. What has been read already, at
 * most 64 KiB, is served. A connection that is not read does not show that its client has left until something is written.
 */
export function boundPipelining(server: Server): void {
  if (!server.listeners('request').includes(began)) server.on('request', began)
}

function began(request: IncomingMessage, response: ServerResponse): void {
  const socket = request.socket as Counted
  const count = (socket[underWay] ?? 0) + 1
  socket[underWay] = count
  // Node resumes a connection by itself when its answers have been sent, so each request beyond the bound pauses it again.
  if (count >= MOST_UNDER_WAY) socket.pause()
  response.on('close', ended)
}

function ended(this: ServerResponse): void {
  const socket = this.req.socket as Counted
  const count = (socket[underWay] as number) - 1
  socket[underWay] = count
  if (count === MOST_UNDER_WAY / 2) socket.resume()
}
