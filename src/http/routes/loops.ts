// The event loops that are shown: that of this process, and those of others with the same Redis.
import { z } from 'zod'
import { loopTable } from '../../events/render/ascii-loops.ts'
import { loopList } from '../../events/schema.ts'
import { errorBody } from '../errors.ts'
import type { Monitor } from '../monitor.ts'
import { negotiate } from '../negotiate.ts'
import { paths } from '../paths.ts'
import { serve, type HttpServer } from '../server.ts'

export function loops(app: HttpServer, monitor: Monitor): void {
  serve(app, 'GET', paths.loops, {
    summary: 'The loops that are watched', tags: ['loops'], querystring: z.strictObject({}), response: { 200: loopList, 406: errorBody, 503: errorBody },
    description: 'With REDIS_URL set: of every process that shares the Redis, how it stands and what blocks it. A loop is lost when it died or cannot reach Redis, and unknown while this process itself cannot. Elsewhere ?loop= names one.',
  }, async (request, reply) => {
    const type = negotiate(request.headers.accept, ['text/plain', 'application/json'])
    const list = await monitor.loops()
    if (type === 'application/json') return list
    reply.type('text/plain; charset=utf-8')
    return loopTable(list, Date.now())
  })
}
