// The event stream: a WebSocket if the client upgrades, server-sent events otherwise.
import { errorBody } from '../errors.ts'
import { serveEvents, serveSocket, streamQuery } from '../event-stream.ts'
import type { Monitor } from '../monitor.ts'
import { paths } from '../paths.ts'
import type { HttpServer } from '../server.ts'

export function events(app: HttpServer, monitor: Monitor): void {
  const { readers } = app
  app.route({
    method: 'GET',
    url: paths.events,
    config: { ofPage: true },
    schema: {
      summary: 'What happens on the loop', tags: ['stream'], querystring: streamQuery,
      description: 'Server-sent events, or a WebSocket on upgrade. Each message is one event; the first is stream.hello. After a second without an event comes a stream.bookmark, with the loop\'s clock: without one, the connection is interrupted. The same stream, from the port of the observer, goes on while the loop is blocked.',
      response: { 400: errorBody, 404: errorBody, 503: errorBody },
    } as object,
    handler: app.served((request, reply) => serveEvents(request, reply, monitor, readers)) as never,
    wsHandler: (socket, request) => serveSocket(socket, request as never, monitor, readers),
  })
}
