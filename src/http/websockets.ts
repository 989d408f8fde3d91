// WebSockets, as the app and its observer both serve them. Node lets go of a connection as soon as its client asks for an
// upgrade: what is not taken over is answered in the one shape and closed here, or it would stay open for as long as its client likes.
import type { FastifyInstance } from 'fastify'
import type { Duplex } from 'node:stream'
import websocket from '@fastify/websocket'
import fp from 'fastify-plugin'
import { EventEmitter } from 'node:events'
import { ServerResponse, type IncomingMessage, type Server } from 'node:http'
import { unanswered } from './connections.ts'
import { answerOnSocket, closeSoon } from './errors.ts'
import { Refusal } from './refusals.ts'

/** The largest message that a client may send, in bytes. */
const MESSAGE_LIMIT = 4096
/** How long a client has to answer the closing handshake, in ms, while the server closes. */
const CLOSING_MS = 500

/** Marks the configuration of a route that has no WebSocket. */
const NONE = Symbol('no WebSocket here')

export const websockets = fp(async (app: FastifyInstance) => {
  // The plugin takes its upgrades from here: only those that are to be WebSockets.
  const upgrades = new EventEmitter()
  const handshakes = new WeakSet<IncomingMessage>()
  let closing = false
  app.server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy())
    // An answer is under way on this connection, or several: Node has let go of those as well.
    if (unanswered(socket) > 0) socket.destroy()
    else if (closing) answerOnSocket(socket, 'closing', 'the server is closing')
    else if (request.headers.upgrade?.toLowerCase() === 'websocket') {
      handshakes.add(request)
      upgrades.emit('upgrade', request, socket, head)
      closeWhenAnswered(socket)
    } else serveWithout(app.server, request, socket)
  })
  app.addHook('onRoute', (route) => {
    if (route.wsHandler === undefined) route.config = { ...route.config, [NONE]: true } as NonNullable<typeof route.config>
  })
  app.addHook('onRequest', (request, _reply, done) => {
    const { config } = request.routeOptions as { config?: { [NONE]?: true } }
    if (config?.[NONE] === true && handshakes.has(request.raw)) done(new Refusal('no-websocket', `there is no WebSocket at ${request.routeOptions.url}`))
    else done()
  })
  await app.register(websocket, {
    // Pings are answered where messages are counted.
    options: { maxPayload: MESSAGE_LIMIT, autoPong: false, server: upgrades as Server },
    errorHandler: (error, socket, request) => {
      // A frame that cannot be read is the client's mistake, and the connection's end.
      request.log.debug(`a WebSocket ended: ${error.message}`)
      socket.terminate()
    },
    preClose: (done) => {
      closing = true
      const { clients } = app.websocketServer
      for (const client of clients) client.close(1001, 'the server is closing')
      const timer = setTimeout(() => {
        for (const client of clients) client.terminate()
      }, CLOSING_MS)
      app.websocketServer.close(() => {
        clearTimeout(timer)
        done()
      })
    },
  })
  app.websocketServer.on('wsClientError', (error: Error, socket: Duplex) => answerOnSocket(socket, 'invalid-request', `this is not a WebSocket handshake: ${error.message}`))
}, { name: 'websockets' })

/** Close an upgrade's connection once it has been answered by HTTP. A WebSocket never finishes its response. */
function closeWhenAnswered(socket: Duplex): void {
  responseOn(socket)?.once('finish', () => {
    socket.end()
    closeSoon(socket)
  })
}

/** The response that Node has put on a connection. */
function responseOn(socket: Duplex): ServerResponse | null {
  return (socket as unknown as { _httpMessage?: ServerResponse | null })._httpMessage ?? null
}

/** Serve a request that offers some other protocol, as a client with HTTP/2 does: the offer may be passed over (RFC 9110, 7.8). */
function serveWithout(server: Server, request: IncomingMessage, socket: Duplex): void {
  if (request.headers['content-length'] !== undefined || request.headers['transfer-encoding'] !== undefined) {
    answerOnSocket(socket, 'invalid-request', `Upgrade: ${request.headers.upgrade ?? ''} with a body is not possible here`)
    return
  }
  const response = new ServerResponse(request)
  response.shouldKeepAlive = false
  response.assignSocket(request.socket)
  // Node has let go of the connection, and tells what is written to it no more that there is room again.
  socket.on('drain', () => response.emit('drain'))
  closeWhenAnswered(socket)
  socket.resume()
  socket.once('end', () => socket.destroy())
  server.emit('request', request, response)
}
