// Stalls, and traces: of the events around one, and of the last seconds.
import { z } from 'zod'
import { errorBody } from '../errors.ts'
import { ofLoop } from '../event-stream.ts'
import { decimalOr, id } from '../fields.ts'
import type { Monitor } from '../monitor.ts'
import { negotiate } from '../negotiate.ts'
import { paths } from '../paths.ts'
import { stall } from '../schemas.ts'
import { serve, type HttpServer } from '../server.ts'
import { asTrace, download } from './download.ts'

const LONGEST_TRACE = 3600
const SPEEDSCOPE = 'application/vnd.speedscope+json'
const CPUPROFILE = 'application/vnd.cpuprofile+json'

export function stalls(app: HttpServer, monitor: Monitor): void {
  const tags = ['stalls']

  serve(app, 'GET', paths.stalls, {
    summary: 'Stalls, newest first; the first one may still last', tags, querystring: ofLoop, response: { 200: z.object({ stalls: z.array(stall) }), 404: errorBody, 503: errorBody },
  }, async (request) => ({ stalls: await monitor.stalls(request.query.loop) }))

  serve(app, 'GET', `${paths.stalls}/:id/trace`, { summary: 'What happened around a stall', tags, ...asTrace, params: z.strictObject({ id }), querystring: ofLoop },
    (request, reply) => download(request, reply, monitor, 'stall-trace', request.params.id, `stall-${request.params.id}.trace.json`))

  serve(app, 'GET', `${paths.stalls}/:id/profile`, {
    summary: 'Where its time went', tags, params: z.strictObject({ id }), querystring: ofLoop.extend({ format: z.enum(['speedscope', 'cpuprofile']).optional().describe('overrides the Accept header') }),
    description: `Stacks through the whole stall, as JSON for speedscope.app; as a V8 .cpuprofile with ?format=cpuprofile or Accept: ${CPUPROFILE}.`,
    response: { 200: z.record(z.string(), z.unknown()), 404: errorBody, 406: errorBody, 503: errorBody },
  }, (request, reply) => {
    const { params, query: { format }, headers } = request
    const type = format === undefined ? negotiate(headers.accept, ['application/json', SPEEDSCOPE, CPUPROFILE]) : format === 'cpuprofile' ? CPUPROFILE : SPEEDSCOPE
    const kind = type === CPUPROFILE ? 'cpuprofile' : 'speedscope'
    return download(request, reply, monitor, `stall-${kind}`, params.id, `stall-${params.id}.${kind}${kind === 'cpuprofile' ? '' : '.json'}`)
  })

  serve(app, 'GET', paths.trace, {
    summary: 'The last seconds, for Perfetto', tags, ...asTrace, querystring: ofLoop.extend({ seconds: decimalOr(10, 0.001, LONGEST_TRACE).describe('how far back') }),
  }, (request, reply) => download(request, reply, monitor, 'trace', request.query.seconds, `last-${request.query.seconds}-s.trace.json`))
}
