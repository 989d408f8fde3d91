// The tutorial's examples: what they are, their sources, and runs of them on the server's loop, streamed as they print.
import type { FastifyReply } from 'fastify'
import { PassThrough } from 'node:stream'
import { z } from 'zod'
import { chance } from '../examples/chance.ts'
import { examples, source, type Example } from '../examples/catalogue.ts'
import { speed } from '../examples/pace.ts'
import type { App } from '../src/server/app.ts'
import type { Program, Run, RunListener } from '../src/server/runs.ts'
import { CancelledError, fromPromise, type Coroutine } from '../src/index.ts'
import { badField, errorBody, HttpError } from '../src/server/errors.ts'
import { decimal, flag, whole } from '../src/server/fields.ts'
import { negotiate } from '../src/server/negotiate.ts'
import { runResult, resultOf } from '../src/server/results.ts'
import { draw } from '../src/stream/draw.ts'

/** With a virtual clock nothing waits, so what a run may do at all is bounded: as many items as this. */
const MOST_VIRTUAL_ITEMS = 20_000
/** A client that reads so slowly that this many bytes pile up loses its run. */
const MOST_UNREAD = 1_000_000

const params = z.strictObject({ n: whole(1, 1_000_000).describe('the number of the example') })

const runQuery = z.strictObject({
  speed: decimal(0.01, 1000).default(1).describe('all delays are divided by this'),
  clock: z.enum(['real', 'virtual'], { error: 'must be real or virtual' }).default('real').describe('virtual: at once, in virtual time, on a loop of its own'),
  draw: flag.optional().describe('end the text with the timeline in characters'),
  producers: whole(1, 100).optional().describe('example 5: how many producers (3)'),
  consumers: whole(1, 100).optional().describe('example 5: how many consumers (2)'),
  items: whole(0, 10_000).optional().describe('example 5: how many items each producer makes; 0: for ever'),
  seed: whole(0, 2 ** 32 - 1).optional().describe('example 5: the same seed, the same letters and delays'),
  maxsize: whole(0, 10_000).optional().describe('example 5: how many items fit the queue; 0: any number'),
})
type RunQuery = z.output<typeof runQuery>

const FIVE = ['producers', 'consumers', 'items', 'seed', 'maxsize'] as const

const summary = z.object({
  number: z.int(), title: z.string(), lookFor: z.string(), parameters: z.array(z.string()), run: z.string(),
})
const whole1 = summary.extend({ explanation: z.string(), python: z.string(), typescript: z.string() })

function summarize({ number, title, lookFor }: Example): z.output<typeof summary> {
  return { number, title, lookFor, parameters: ['speed', 'clock', 'draw', ...(number === 5 ? FIVE : [])], run: `/examples/${number}/run` }
}

function find(n: number): Example {
  const example = examples.find(({ number }) => number === n)
  if (example === undefined) throw new HttpError(404, `there is no example ${n}, only 1 to ${examples.length}`)
  return example
}

/** What the query asks for, as a program; throws a 400 for what does not go together. */
function programOf(example: Example, query: RunQuery): Program {
  const { seed, producers = 3, consumers = 2, items = 0, maxsize = 0 } = query
  const virtual = query.clock === 'virtual'
  const parameters: Program['parameters'] = { speed: query.speed, clock: query.clock }
  if (example.number === 5) {
    if (virtual && items === 0) throw badField('items', 'in virtual time a run without end would never stop to print: say how many, from 1 to 10000')
    if (virtual && producers * items > MOST_VIRTUAL_ITEMS) throw badField('items', `in virtual time producers × items may be ${MOST_VIRTUAL_ITEMS} at most`)
    Object.assign(parameters, { producers, consumers, items, maxsize, ...(seed === undefined ? {} : { seed }) })
  } else {
    for (const field of FIVE) if (query[field] !== undefined) throw badField(field, `only example 5 takes it, not example ${example.number}`)
  }
  function* main(): Coroutine<void> {
    speed.set(query.speed)
    yield* example.main({ producers, consumers, items, maxsize, random: chance(seed) })
  }
  return { example: example.number, parameters, virtual, main }
}

/** Start an answer that goes on while the run does. */
function open(reply: FastifyReply, type: string, cancel: () => Run | null): (text: string) => void {
  const stream = new PassThrough()
  // What goes wrong on the way to the client is the connection's end, of which the request's task hears by itself.
  stream.on('error', () => {})
  reply.type(type).send(stream)
  reply.raw.flushHeaders()
  return (text) => {
    if (text === '') stream.end()
    else if (!stream.destroyed) {
      stream.write(text)
      // What is printed leaves now: corked, it would wait for the loop, which the next line of the run may hold.
      reply.raw.socket?.uncork()
      if (stream.writableLength + reply.raw.writableLength > MOST_UNREAD) cancel()?.cancel('its client reads too slowly')
    }
  }
}

export default function exampleRoutes(app: App): void {
  const tags = ['examples']

  app.get('/examples', { schema: { summary: 'The five examples', tags, querystring: z.strictObject({}), response: { 200: z.array(summary) } } },
    function* () {
      return examples.map(summarize)
    })

  app.get('/examples/:n', { schema: { summary: 'One example with its sources', tags, params, querystring: z.strictObject({}), response: { 200: whole1, 404: errorBody } } },
    function* (request) {
      const example = find(request.params.n)
      return {
        ...summarize(example), explanation: source(example, 'md'), python: source(example, 'py'), typescript: source(example, 'ts'),
      }
    })

  app.get('/examples/:n/run', {
    ...app.costly,
    schema: {
      summary: 'Run it', tags, params, querystring: runQuery,
      description: 'Streams what it prints. Closing the connection cancels it. With Accept: application/json one object at the end, with application/x-ndjson its events as they happen.',
      response: { 200: runResult, 400: errorBody, 404: errorBody, 406: errorBody, 429: errorBody, 503: errorBody },
    },
  }, function* (request, reply) {
    const example = find(request.params.n)
    const type = negotiate(request.headers.accept, ['text/plain', 'application/json', 'application/x-ndjson'])
    const program = programOf(example, request.query)
    const listener: RunListener = {}
    const run = app.runs.prepare(program, listener)
    reply.header('x-run-id', run.id).header('link', `</view?run=${run.id}>; rel="alternate"; title="live view", </runs/${run.id}>; rel="self"`)
    if (type === 'application/json') {
      yield* app.runs.follow(run, program)
      return resultOf(run.record())
    }
    request.loopscope?.stamp()
    const write = open(reply, type === 'text/plain' ? 'text/plain; charset=utf-8' : type, () => run)
    if (type === 'text/plain') listener.line = ({ text }) => write(`${text}\n`)
    else listener.event = (event) => write(`${JSON.stringify(event)}\n`)
    try {
      // Once the host has had its turn, what is written goes straight to the socket.
      yield* app.runs.follow(run, program, fromPromise(new Promise<void>((resolve) => setImmediate(resolve))))
    } catch (error) {
      // Cancelled from here, not by a client that left: it gets the end of what was printed.
      if (!(error instanceof CancelledError) || app.draining.since === null) throw error
    }
    if (type === 'text/plain') {
      if (run.outcome !== 'returned') write(run.outcome === 'cancelled' ? '(cancelled)\n' : `(failed: ${run.error})\n`)
      if (request.query.draw === true) write(`\n${draw((yield* app.runs.find(run.id))?.events ?? [])}`)
    }
    write('')
    return reply
  })
}
