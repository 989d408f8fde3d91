// Past and live runs: results, traces, and a way to cancel.
import { z } from 'zod'
import { summaryOf } from '../../events/run-log.ts'
import { errorBody } from '../errors.ts'
import { ofLoop } from '../event-stream.ts'
import { id } from '../fields.ts'
import type { Monitor } from '../monitor.ts'
import { paths } from '../paths.ts'
import { Refusal } from '../refusals.ts'
import { coveredRun, runResult, runSummary } from '../schemas.ts'
import { serve, type HttpServer } from '../server.ts'
import { asTrace, download } from './download.ts'

export function runs(app: HttpServer, monitor: Monitor): void {
  const refused = { 404: errorBody, 503: errorBody }
  const ofOne = { tags: ['runs'], params: z.strictObject({ id }), querystring: ofLoop }

  serve(app, 'GET', paths.runs, {
    summary: 'What runs and what ran last', tags: ['runs'], querystring: ofLoop, response: { 200: z.object({ runs: z.array(coveredRun) }), ...refused },
  }, async (request) => ({ runs: await monitor.runs(request.query.loop) }))

  serve(app, 'GET', `${paths.runs}/:id`, { summary: 'A run and its output', ...ofOne, response: { 200: runResult, ...refused } },
    (request) => monitor.run(request.params.id, request.query.loop))

  serve(app, 'GET', `${paths.runs}/:id/trace`, { summary: 'Its trace, for Perfetto', ...ofOne, ...asTrace },
    (request, reply) => download(request, reply, monitor, 'run-trace', request.params.id, `run-${request.params.id}.trace.json`))

  serve(app, 'GET', `${paths.runs}/:id/events`, { summary: 'Its events', description: 'One JSON object a line, as they came on the stream.', ...ofOne, response: refused },
    (request, reply) => download(request, reply, monitor, 'run-events', request.params.id))

  serve(app, 'DELETE', `${paths.runs}/:id`, { summary: 'Cancel a run', ...ofOne, response: { 202: runSummary, ...refused, 409: errorBody } }, async (request, reply) => {
    const { params: { id }, query: { loop } } = request
    const found = await monitor.cancel('run', id, loop)
    const run = found?.run ?? summaryOf(await monitor.run(id, loop))
    if (found?.cancelling !== true) throw new Refusal('run-has-ended', `run ${id} has ended already`)
    reply.code(202)
    return run
  })
}
