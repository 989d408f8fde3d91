// The event loops that this server's observer shows: its own, and where processes share a Redis those of all others.
import { z } from 'zod'
import type { App } from '../src/server/app.ts'
import { fromPromise } from '../src/index.ts'
import { errorBody } from '../src/http/errors.ts'
import { negotiate } from '../src/http/negotiate.ts'
import { loopList } from '../src/events/schema.ts'
import { loopTable } from '../src/events/render/ascii-loops.ts'

export default function loops(app: App): void {
  app.get('/loops', {
    schema: {
      summary: 'The loops that are watched', tags: ['loops'], querystring: z.strictObject({}), response: { 200: loopList, 406: errorBody, 503: errorBody },
      description: 'With REDIS_URL set: of every process that shares the Redis, how it stands and what blocks it. A loop is lost when it died or cannot reach Redis, and unknown while this process itself cannot. Elsewhere ?loop= names one.',
    },
  }, function* (request, reply) {
    const type = negotiate(request.headers.accept, ['text/plain', 'application/json'])
    const list = yield* fromPromise(app.observer.ask('loops'))
    if (type === 'application/json') return list
    reply.type('text/plain; charset=utf-8')
    return loopTable(list, Date.now())
  })
}
