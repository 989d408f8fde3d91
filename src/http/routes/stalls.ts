// Stalls that are over, and traces: of the events around one, and of the last seconds.
import { z } from 'zod'
import { errorBody } from '../errors.ts'
import { ofLoop } from '../event-stream.ts'
import { decimalOr, id } from '../fields.ts'
import type { Monitor } from '../monitor.ts'
import { paths } from '../paths.ts'
import { stall } from '../schemas.ts'
import { serve, type HttpServer } from '../server.ts'
import { asTrace, download } from './download.ts'

const LONGEST_TRACE = 3600

export function stalls(app: HttpServer, monitor: Monitor): void {
  const tags = ['stalls']

  serve(app, 'GET', paths.stalls, {
    summary: 'Stalls that are over, newest first', tags, querystring: ofLoop, response: { 200: z.object({ stalls: z.array(stall) }), 404: errorBody, 503: errorBody },
  }, async (request) => ({ stalls: await monitor.stalls(request.query.loop) }))

  serve(app, 'GET', `${paths.stalls}/:id/trace`, { summary: 'What happened around a stall', tags, ...asTrace, params: z.strictObject({ id }), querystring: ofLoop },
    (request, reply) => download(request, reply, monitor, 'stall-trace', request.params.id, `stall-${request.params.id}`))

  serve(app, 'GET', paths.trace, {
    summary: 'The last seconds, for Perfetto', tags, ...asTrace, querystring: ofLoop.extend({ seconds: decimalOr(10, 0.001, LONGEST_TRACE).describe('how far back') }),
  }, (request, reply) => download(request, reply, monitor, 'trace', request.query.seconds, `last-${request.query.seconds}-s`))
}
