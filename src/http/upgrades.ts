// Upgrades within a Fastify app: routes of ASGI applications may take them, beside those of @fastify/websocket. When a client
// asks for an upgrade, Node stops handling the connection; what is answered by HTTP is closed afterwards.
import type { FastifyInstance } from 'fastify'
import type { Duplex } from 'node:stream'
import { ServerResponse, type IncomingMessage, type Server } from 'node:http'
import { unanswered } from './connections.ts'
import { answerOnSocket, closeSoon } from './errors.ts'

const TAKES = Symbol('takes upgrades')

/** The configuration of a route that takes upgrades to WebSockets by itself, with `takeUpgrade`. */
export const TAKES_UPGRADES: object = { [TAKES]: true }

/** Whether a route with this configuration does. */
export function takesUpgrades(config: object | undefined): boolean {
  return (config as { [TAKES]?: true } | undefined)?.[TAKES] === true
}

/** The prefixes below which a server has such routes. */
const prefixes = new WeakMap<Server, string[]>()
/** The bytes that came behind each handshake that no route has taken yet. */
const heads = new WeakMap<IncomingMessage, Buffer>()

/**
 * Lets routes below the prefix of `app` take upgrades. @fastify/websocket routes all upgrades of its server, whether it is
 * registered earlier, later or not at all; those that no other listener answers or routes are routed here.
 */
export function routeUpgrades(app: FastifyInstance): void {
  const { server, prefix } = app
  const known = prefixes.get(server)
  if (known !== undefined) {
    known.push(prefix)
    return
  }
  const own = [prefix]
  prefixes.set(server, own)
  // First, so that the bytes are known to whichever listener routes the request.
  server.prependListener('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const handshake = request.headers.upgrade?.toLowerCase() === 'websocket'
    const [path = ''] = (request.url ?? '').split('?', 1)
    const isOwn = handshake && own.some((one) => path === one || path.startsWith(`${one}/`))
    if (isOwn) heads.set(request, head)
    else if (server.listenerCount('upgrade') > 1) return
    socket.on('error', () => socket.destroy())
    // The other listeners run before this.
    process.nextTick(() => {
      if (socket.destroyed || !socket.writable) return
      // One of them has routed it: an answer by HTTP ends the connection. A WebSocket's response is never finished.
      if (responseOn(socket) !== null) closeWhenAnswered(socket)
      // Other answers are under way on this connection, and Node no longer handles them either.
      else if (unanswered(socket) > 0) socket.destroy()
      else if (!isOwn) serveWithout(server, request, socket)
      else if (heads.has(request)) app.routing(request, responseFor(request, socket))
    })
  })
}

/** Takes the connection of an upgrade, which its response then has no longer; null for any other request. */
export function takeUpgrade(request: IncomingMessage, response: ServerResponse): { socket: Duplex; head: Buffer } | null {
  const head = heads.get(request)
  if (head === undefined) return null
  heads.delete(request)
  const { socket } = request
  response.detachSocket(socket)
  return { socket, head }
}

/** Closes an upgrade's connection once it has been answered by HTTP. The response to a WebSocket never finishes. */
export function closeWhenAnswered(socket: Duplex): void {
  responseOn(socket)?.once('finish', () => {
    socket.end()
    closeSoon(socket)
  })
}

/** The response that Node has attached to a connection. */
function responseOn(socket: Duplex): ServerResponse | null {
  return (socket as unknown as { _httpMessage?: ServerResponse | null })._httpMessage ?? null
}

/** Serves a request that offers another protocol, as clients with HTTP/2 do. The offer may be ignored (RFC 9110, 7.8). */
export function serveWithout(server: Server, request: IncomingMessage, socket: Duplex): void {
  if (request.headers['content-length'] !== undefined || request.headers['transfer-encoding'] !== undefined) {
    answerOnSocket(socket, 'invalid-request', `Upgrade: ${request.headers.upgrade ?? ''} with a body is not possible here`)
    return
  }
  const response = responseFor(request, socket)
  socket.resume()
  socket.once('end', () => socket.destroy())
  server.emit('request', request, response)
}

/** A response on the connection of an upgrade, after which it is closed. */
export function responseFor(request: IncomingMessage, socket: Duplex): ServerResponse {
  const response = new ServerResponse(request)
  response.shouldKeepAlive = false
  response.assignSocket(request.socket)
  // Node no longer handles the connection and does not report to the response that there is room again.
  socket.on('drain', () => response.emit('drain'))
  closeWhenAnswered(socket)
  return response
}
