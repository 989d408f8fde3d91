// WebSockets, for the app and its observer. When a client asks for an upgrade, Node stops handling the connection. An upgrade
// that is not accepted is answered with an error of the common shape and closed here; otherwise the client could keep it open.
import type { FastifyInstance } from 'fastify'
import type { Duplex } from 'node:stream'
import websocket from '@fastify/websocket'
import fp from 'fastify-plugin'
import { EventEmitter } from 'node:events'
import type { IncomingMessage, Server } from 'node:http'
import { unanswered } from './connections.ts'
import { answerOnSocket } from './errors.ts'
import { Refusal } from './refusals.ts'
import { closeWhenAnswered, serveWithout, takesUpgrades } from './upgrades.ts'

/** The largest message that a client may send, in bytes. */
const MESSAGE_LIMIT = 4096
/** How long a client has to answer the closing handshake, in ms, while the server closes. */
const CLOSING_MS = 500

/** Marks the configuration of a route without a WebSocket. */
const NONE = Symbol('no WebSocket here')

export const websockets = fp(async (app: FastifyInstance) => {
  // The plugin takes its upgrades from here: only those that become WebSockets.
  const upgrades = new EventEmitter()
  const handshakes = new WeakSet<IncomingMessage>()
  let closing = false
  app.server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy())
    // Other answers are under way on this connection, and Node no longer handles them either.
    if (unanswered(socket) > 0) socket.destroy()
    else if (closing) answerOnSocket(socket, 'closing', 'the server is closing')
    else if (request.headers.upgrade?.toLowerCase() === 'websocket') {
      handshakes.add(request)
      upgrades.emit('upgrade', request, socket, head)
      closeWhenAnswered(socket)
    } else serveWithout(app.server, request, socket)
  })
  app.addHook('onRoute', (route) => {
    if (route.wsHandler === undefined && !takesUpgrades(route.config)) route.config = { ...route.config, [NONE]: true } as NonNullable<typeof route.config>
  })
  app.addHook('onRequest', (request, _reply, done) => {
    if (handshakes.has(request.raw) && (request.routeOptions.config as { [NONE]?: true } | undefined)?.[NONE] === true) done(new Refusal('no-websocket', `there is no WebSocket at ${request.routeOptions.url}`))
    else done()
  })
  await app.register(websocket, {
    // Pings are answered where messages are counted.
    options: { maxPayload: MESSAGE_LIMIT, autoPong: false, server: upgrades as Server },
    errorHandler: (error, socket, request) => {
      // A frame that cannot be read is the client's mistake, and ends the connection.
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
