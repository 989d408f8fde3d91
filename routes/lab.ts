// The stall lab on this server: a tester in a separate process sends probes while requests that block go through each lane.
// Results appear on the event stream as they are found, and stay here as a table.
import { z } from 'zod'
import type { App } from '../src/server/app.ts'
import type { Lab } from '../src/server/labs.ts'
import { errorBody } from '../src/http/errors.ts'
import { badField, Refusal } from '../src/http/refusals.ts'
import { id, within } from '../src/http/fields.ts'
import { labReport, labWords } from '../src/load/lab-report.ts'
import { Labs, labResultOf } from '../src/server/labs.ts'
import { negotiate } from '../src/http/negotiate.ts'
import { ownAddress } from '../src/server/self-url.ts'
import { labLane, labResult } from '../src/events/schema.ts'

/** The most ms of all load, one request after another. */
const MOST_WORK = 30_000

const params = z.strictObject({ id })
const nothing = z.strictObject({})
const wholeUpTo = (most: number, usual: number) => z.int({ error: `must be a whole number from 1 to ${most}` }).min(1, `must be from 1 to ${most}`).max(most, `must be from 1 to ${most}`).default(within(usual, 1, most))

const summary = z.object({
  lab: z.int(), startedAt: z.iso.datetime(), requests: z.int(), ms: z.int(), rate: z.number(), lanes: z.array(labLane),
  outcome: z.enum(['finished', 'cancelled', 'failed']).nullable().describe('null while it runs'),
})
const table = summary.extend({
  results: z.array(labResult).describe('the lanes that are finished; times in seconds'),
  words: z.array(z.string()).describe('what the figures mean'),
  error: z.string().optional(),
})

function summaryOf({ id, startedAt, options: { requests, ms, rate, lanes }, outcome }: Lab): z.output<typeof summary> {
  return { lab: id, startedAt: startedAt.toISOString(), requests, ms, rate, lanes: [...lanes], outcome }
}

export default function lab(app: App): void {
  const tags = ['lab']
  const labs = new Labs(app.loopscope.loop, (event) => app.observer.record(event))
  app.addHook('onClose', () => labs.close())
  const find = (wanted: number): Lab => {
    const found = labs.get(wanted)
    if (found === null) throw new Refusal('no-such-lab', `there is no lab ${wanted}, or it is too long ago: GET /lab lists what is kept`)
    return found
  }
  const order = z.strictObject({
    requests: wholeUpTo(50, 10).describe('requests at once'),
    ms: wholeUpTo(app.config.maxMs, 200).describe('how long each takes, in milliseconds'),
    rate: wholeUpTo(500, 100).describe('probes a second'),
    lanes: z.array(labLane).min(1, 'must name a lane').refine((names) => new Set(names).size === names.length, 'must not name a lane twice').default(labLane.options),
  })

  app.post('/lab', {
    ...app.costly,
    schema: {
      summary: 'Start a lab', tags, querystring: nothing, body: order.nullish(),
      description: 'One at a time. Watch lab.* on the event stream, or ask GET /lab/{id} for the table. The inline lane stalls this server: that is what it shows.',
      response: { 202: summary, 400: errorBody, 409: errorBody, 429: errorBody, 503: errorBody },
    },
  }, function* (request, reply) {
    const { requests, ms, rate, lanes } = request.body ?? order.parse({})
    if (requests * ms > MOST_WORK) throw badField('invalid-body', 'requests', `${requests} of ${ms} ms are more than ${MOST_WORK} ms, and would block the loop for that long: ask for fewer or shorter ones`)
    const started = labs.start({ url: ownAddress(app), requests, ms, rate, lanes })
    reply.code(202).header('location', `/lab/${started.id}`)
    return summaryOf(started)
  })

  app.get('/lab', { schema: { summary: 'Labs, newest first', tags, querystring: nothing, response: { 200: z.object({ labs: z.array(summary) }) } } },
    function* () {
      return { labs: labs.list().map(summaryOf) }
    })

  app.get('/lab/:id', {
    schema: { summary: 'What a lab found', description: 'Plain text, or JSON on request.', tags, params, querystring: nothing, response: { 200: table, 404: errorBody, 406: errorBody } },
  }, function* (request, reply) {
    const found = find(request.params.id)
    const type = negotiate(request.headers.accept, ['text/plain', 'application/json'])
    if (type === 'application/json') {
      return {
        ...summaryOf(found), results: found.lanes.map(labResultOf), words: found.lanes.length === 0 ? [] : labWords(found.lanes, found.options),
        ...(found.error === null ? {} : { error: found.error }),
      }
    }
    reply.type('text/plain; charset=utf-8')
    return found.lanes.length === 0 ? `${headline(found)}\n` : `${headline(found)}\n\n${labReport(found.lanes, found.options)}`
  })

  app.delete('/lab/:id', {
    schema: { summary: 'Cancel a lab', tags, params, querystring: nothing, response: { 202: summary, 404: errorBody, 409: errorBody } },
  }, function* (request, reply) {
    const found = find(request.params.id)
    if (!found.cancel()) throw new Refusal('lab-has-ended', `lab ${found.id} has ended already`)
    reply.code(202)
    return summaryOf(found)
  })
}

function headline({ id, outcome, error, lanes, options }: Lab): string {
  const through = `${lanes.length} of ${options.lanes.length} lanes`
  if (outcome === null) return `lab ${id} is under way: ${through} are finished`
  return `lab ${id} ${outcome}: ${through}${error === null ? '' : `: ${error}`}`
}
