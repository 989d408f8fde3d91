// What ran, and what runs: results, traces, and a way to cancel.
import { z } from 'zod'
import type { App } from '../src/server/app.ts'
import type { RunRecord } from '../src/observe/run-log.ts'
import { fromPromise, type Coroutine } from '../src/index.ts'
import { errorBody } from '../src/http/errors.ts'
import { loopDoesNotAnswer, noSuchRun, Refusal } from '../src/http/refusals.ts'
import { id } from '../src/http/fields.ts'
import { coveredRun, linesOf, resultOf, runResult, runSummary, summaryOf, traceHeaders, traceOf } from '../src/http/run-schemas.ts'
import { ofLoop } from '../src/http/event-stream.ts'

const params = z.strictObject({ id })
const querystring = ofLoop
const trace = z.object({ traceEvents: z.array(z.record(z.string(), z.unknown())), displayTimeUnit: z.literal('ms') })

export default function runs(app: App): void {
  const tags = ['runs']
  function* find(wanted: number, loop: string | undefined): Coroutine<RunRecord> {
    const run = yield* app.runs.find(wanted, loop)
    if (run === null) throw noSuchRun(wanted)
    return run
  }

  app.get('/runs', { schema: { summary: 'What runs and what ran last', tags, querystring, response: { 200: z.object({ runs: z.array(coveredRun) }), 404: errorBody, 503: errorBody } } },
    function* (request) {
      return { runs: yield* app.runs.list(request.query.loop) }
    })

  app.get('/runs/:id', { schema: { summary: 'A run and its output', tags, params, querystring, response: { 200: runResult, 404: errorBody, 503: errorBody } } },
    function* (request) {
      return resultOf(yield* find(request.params.id, request.query.loop))
    })

  app.get('/runs/:id/trace', {
    schema: { summary: 'Its trace, for Perfetto', description: 'Chrome trace event JSON: open it at ui.perfetto.dev', tags, params, querystring, response: { 200: trace, 404: errorBody, 503: errorBody } },
  }, function* (request, reply) {
    app.readers.enter(request, reply)
    const run = yield* find(request.params.id, request.query.loop)
    reply.headers(traceHeaders(`run-${run.run}`))
    return app.readers.body(traceOf(run))
  })

  app.get('/runs/:id/events', {
    schema: { summary: 'Its events', description: 'One JSON object a line, as they came on the stream.', tags, params, querystring, response: { 404: errorBody, 503: errorBody } },
  }, function* (request, reply) {
    app.readers.enter(request, reply)
    const run = yield* find(request.params.id, request.query.loop)
    reply.type('application/x-ndjson')
    return app.readers.body(linesOf(run))
  })

  app.delete('/runs/:id', {
    schema: { summary: 'Cancel a run', tags, params, querystring, response: { 202: runSummary, 404: errorBody, 409: errorBody, 503: errorBody } },
  }, function* (request, reply) {
    const { params: { id }, query: { loop } } = request
    if (loop !== undefined && loop !== app.observer.name) {
      const run = yield* find(id, loop)
      const found = yield* fromPromise(app.observer.ask('cancel', loop, 'run', id))
      if (found === 'late') throw loopDoesNotAnswer(loop)
      if (found === null || !found.cancelling) throw hasEnded(id)
      reply.code(202)
      return summaryOf(run)
    }
    const run = app.runs.get(id)
    if (run === null || !run.cancel('DELETE /runs')) throw hasEnded((yield* find(id, undefined)).run)
    reply.code(202)
    return summaryOf(run.record())
  })
}

function hasEnded(run: number): Refusal {
  return new Refusal('run-has-ended', `run ${run} has ended already`)
}
