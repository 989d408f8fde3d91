// The event stream on the app's own port: a WebSocket where the client upgrades, server-sent events otherwise. It comes
// from the observer and is the same there, but here it has to wait while the loop is blocked.
import type { App } from '../src/server/app.ts'
import { fromPromise, Future } from '../src/index.ts'
import { errorBody } from '../src/http/errors.ts'
import { EVENT_STREAM, EventSink, noRoom, optionsOf, serveSocket, streamQuery } from '../src/http/event-stream.ts'

export default function events(app: App): void {
  const { observer } = app

  app.route({
    method: 'GET',
    url: '/events',
    schema: {
      summary: 'What happens on the loop', tags: ['stream'], querystring: streamQuery,
      description: 'Server-sent events, or a WebSocket on upgrade. Each message is one event; the first is stream.hello. The same stream, from the port of the observer, goes on while the loop is blocked.',
      response: { 400: errorBody, 404: errorBody, 503: errorBody },
    },
    handler: function* (request, reply) {
      const { query } = request
      if (observer.down !== null) throw observer.down
      const refused = noRoom(observer, app.readers)
      if (refused !== null) throw refused
      const options = optionsOf(query, request.headers['last-event-id'])
      const served = request.loopscope
      if (served !== null) {
        served.endless = true
        served.stamp()
      }
      app.readers.watch(request.raw.socket)
      const ended = new Future<void>()
      if (options.loop !== undefined && options.loop !== '*') yield* fromPromise(observer.ask('loop', options.loop))
      const sink = new EventSink(() => {
        if (!ended.done()) ended.setResult(undefined)
      })
      reply.headers(EVENT_STREAM).send(sink.stream)
      const place = observer.subscribe(sink, options)
      sink.stream.on('drain', () => place.resume())
      try {
        yield* ended
      } finally {
        place.close()
        sink.stream.end()
      }
      return reply
    },
    wsHandler: (socket, request) => serveSocket(socket, request, observer, app.readers),
  })
}
