// The tutorial's examples: descriptions, sources, and runs of them on the server's loop, streamed as they print.
import type { FastifyReply, FastifyRequest } from 'fastify'
import { PassThrough } from 'node:stream'
import { z } from 'zod'
import { chance } from '../examples/chance.ts'
import { examples, source, type Example } from '../examples/catalogue.ts'
import { speed } from '../examples/pace.ts'
import type { App } from '../src/server/app.ts'
import type { Program, Run, RunListener } from '../src/server/run.ts'
import { CancelledError, fromPromise, print, type Coroutine } from '../src/index.ts'
import { errorBody } from '../src/http/errors.ts'
import { badField, Refusal } from '../src/http/refusals.ts'
import { decimalOr, flag, whole } from '../src/http/fields.ts'
import type { Texts } from '../src/http/monitor.ts'
import { negotiate } from '../src/http/negotiate.ts'
import { resultOf, summaryOf } from '../src/events/run-log.ts'
import { runResult, runSummary } from '../src/http/schemas.ts'
import { SharedQueue } from '../src/server/shared-queue.ts'

/** With a virtual clock nothing waits, so a run's work is limited: to this many items. */
const MOST_VIRTUAL_ITEMS = 20_000
/** A client that reads so slowly that this many bytes are unread loses a run in real time, which cannot wait. In virtual time the run waits. */
const MOST_UNREAD = 1_000_000

const params = z.strictObject({ n: whole(1, 1_000_000).describe('the number of the example') })

const runQuery = z.strictObject({
  speed: decimalOr(1, 0.01, 1000).describe('all delays are divided by this'),
  clock: z.enum(['real', 'virtual'], { error: 'must be real or virtual' }).default('real').describe('virtual: at once, in virtual time, on a loop of its own; four such runs compute at the same time, others wait'),
  draw: flag.optional().describe('end the text with the timeline in characters'),
  producers: whole(0, 100).optional().describe('example 5: how many producers (3); 0 only with queue=redis: then it goes on until it is cancelled'),
  consumers: whole(0, 100).optional().describe('example 5: how many consumers (2); 0 only with queue=redis: then it ends when others have done its items'),
  items: whole(0, 10_000).optional().describe('example 5: how many items each producer makes; 0: no limit'),
  seed: whole(0, 2 ** 32 - 1).optional().describe('example 5: the same seed, the same letters and delays'),
  maxsize: whole(0, 10_000).optional().describe('example 5: how many items fit the queue; 0: any number'),
  queue: z.enum(['own', 'redis'], { error: 'must be own or redis' }).optional().describe('example 5: redis: one queue for all processes that run it, in the Redis at REDIS_URL (own)'),
  name: z.string().regex(/^[\w.-]{1,64}$/, "must be 1 to 64 letters, digits, '.', '_' or '-'").optional().describe('example 5, with queue=redis: which queue (example-5)'),
})
type RunQuery = z.output<typeof runQuery>

const FIVE = ['producers', 'consumers', 'items', 'seed', 'maxsize', 'queue', 'name'] as const
const SHARED_NAME = 'example-5'

/** What example 5 puts. Another program may put something else to the same queue. */
const item = z.tuple([z.int(), z.string().regex(/^[A-Za-z]$/)])

const summary = z.object({
  number: z.int(), title: z.string(), lookFor: z.string(), parameters: z.array(z.string()), run: z.string(),
})
const whole1 = summary.extend({ explanation: z.string(), python: z.string(), typescript: z.string() })

function summarize({ number, title, lookFor }: Example): z.output<typeof summary> {
  return { number, title, lookFor, parameters: ['speed', 'clock', 'draw', ...(number === 5 ? FIVE : [])], run: `/examples/${number}/run` }
}

function find(n: number): Example {
  const example = examples.find(({ number }) => number === n)
  if (example === undefined) throw new Refusal('no-such-example', `there is no example ${n}, only 1 to ${examples.length}`)
  return example
}

/** Throws a 400 for parameters that do not fit the queue that example 5 uses. */
function checkQueue(example: Example, { queue, name, clock, producers, consumers }: RunQuery): void {
  if (example.number !== 5) return
  if (queue === 'redis') {
    if (clock === 'virtual') throw badField('invalid-query', 'queue', 'Redis and other processes keep to real time: with clock=virtual a run has a queue of its own')
    if (producers === 0 && consumers === 0) throw badField('invalid-query', 'consumers', 'with neither producers nor consumers there is nothing to run')
    return
  }
  if (name !== undefined) throw badField('invalid-query', 'name', 'only a queue that is shared has one: queue=redis')
  for (const [field, count] of Object.entries({ producers, consumers })) {
    if (count === 0) throw badField('invalid-query', field, 'must be a whole number from 1 to 100; 0 only with queue=redis, where other processes have some')
  }
}

/** The program that the query asks for, on `shared` if that is its queue. Throws a 400 for parameters that do not fit together. */
function programOf(example: Example, query: RunQuery, shared: SharedQueue<never> | null): Program {
  const { seed, producers = 3, consumers = 2, items = 0, maxsize = 0 } = query
  const virtual = query.clock === 'virtual'
  const parameters: Program['parameters'] = { speed: query.speed, clock: query.clock }
  if (example.number === 5) {
    if (virtual && items === 0) throw badField('invalid-query', 'items', 'in virtual time a run without an end would print without end: give a number from 1 to 10000')
    if (virtual && producers * items > MOST_VIRTUAL_ITEMS) throw badField('invalid-query', 'items', `in virtual time producers × items may be ${MOST_VIRTUAL_ITEMS} at most`)
    Object.assign(parameters, { producers, consumers, items, maxsize, ...(seed === undefined ? {} : { seed }) })
    if (shared !== null) Object.assign(parameters, { queue: 'redis', name: shared.name })
  } else {
    for (const field of FIVE) if (query[field] !== undefined) throw badField('invalid-query', field, `only example 5 takes it, not example ${example.number}`)
  }
  function* main(): Coroutine<void> {
    speed.set(query.speed)
    const given = { producers, consumers, items, maxsize, random: chance(seed) }
    if (shared === null) yield* example.main(given)
    else {
      try {
        yield* shared.guard(example.main({ ...given, queue: shared }))
      } finally {
        print(shared.summary())
      }
    }
  }
  return { example: example.number, parameters, virtual, main, ...(shared === null ? {} : { leave: () => shared.close() }) }
}

/** Starts an answer that continues while the run does. The returned function writes, and returns whether there is room for more. */
function open(reply: FastifyReply, type: string, run: Run): (text: string) => boolean {
  const virtual = run.record.clock === 'virtual'
  const stream = new PassThrough()
  stream.on('drain', () => run.resume())
  // An error on the way to the client ends the connection, and the request's task is cancelled by that.
  stream.on('error', () => {})
  reply.type(type).send(stream)
  reply.raw.flushHeaders()
  return (text) => {
    if (text === '') stream.end()
    else if (!stream.destroyed) {
      const room = stream.write(text)
      if (virtual) return room
      // Sends printed text now: corked, it would wait for the loop, which the next line of the run may block.
      reply.raw.socket?.uncork()
      if (stream.writableLength + reply.raw.writableLength > MOST_UNREAD) run.cancel('its client reads too slowly')
    }
    return true
  }
}

async function joined(texts: Texts): Promise<string> {
  let all = ''
  for await (const text of texts) all += text
  return all
}

function sharedQueue(app: App, { name = SHARED_NAME, producers = 3, maxsize = 0 }: RunQuery): Coroutine<SharedQueue<never>> {
  return SharedQueue.open<never>({ url: app.config.redisUrl, name, maxsize, producers, isItem: (value) => item.safeParse(value).success })
}

/** Names a run in the headers of an answer. */
function announce(reply: FastifyReply, run: number): void {
  reply.header('x-run-id', run).header('link', `</view?run=${run}>; rel="alternate"; title="live view", </runs/${run}>; rel="self"`)
}

/** Runs it and answers with its result: one object, or a stream of its output or events. */
function* answer(
  app: App, request: FastifyRequest, reply: FastifyReply, type: string, timeline: boolean | undefined, program: Program,
): Coroutine<FastifyReply | z.output<typeof runResult>> {
  const listener: RunListener = {}
  const run = app.runs.prepare(program, listener)
  announce(reply, run.id)
  if (type === 'application/json') {
    yield* app.runs.follow(run, program)
    return resultOf(run.record)
  }
  request.loopscope?.stamp()
  // A run may wait for its reader, but not for one that has stopped reading.
  app.readers.watch(request.raw.socket)
  const write = open(reply, type === 'text/plain' ? 'text/plain; charset=utf-8' : type, run)
  if (type === 'text/plain') listener.line = ({ text }) => write(`${text}\n`)
  else listener.event = (json) => write(`${json}\n`)
  try {
    // After one turn of the host, writes go straight to the socket.
    yield* app.runs.follow(run, program, fromPromise(new Promise<void>((resolve) => setImmediate(resolve))))
  } catch (error) {
    // Cancelled by the shutdown, not by a client that disconnected: the client gets the end of the output.
    if (!(error instanceof CancelledError) || app.draining.since === null) throw error
  }
  if (type === 'text/plain') {
    const { outcome, error } = run.record
    if (outcome !== 'returned') write(outcome === 'cancelled' ? '(cancelled)\n' : `(failed: ${error})\n`)
    if (timeline === true) write(`\n${yield* fromPromise(app.observer.text('run-drawing', run.id).then(joined))}`)
  }
  write('')
  return reply
}

const exampleResult = runResult.extend({
  queue: z.object({
    name: z.string(), put: z.int(), duplicates: z.int().describe('not put, because an unfinished item has their name'), got: z.int(), done: z.int(), redelivered: z.int().describe('of those got, the ones that had been delivered before'),
    lost: z.int().describe('unfinished when Redis lost the queue, as far as this process knew'),
    failed: z.int().describe('tries that failed'),
    deadLetters: z.int().describe('items that became dead letters, for instance because they could not be read'),
  }).optional().describe('with queue=redis: what this run did with it'),
})

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
      response: { 200: exampleResult, 400: errorBody, 404: errorBody, 406: errorBody, 429: errorBody, 503: errorBody },
    },
  }, function* (request, reply) {
    const example = find(request.params.n)
    const type = negotiate(request.headers.accept, ['text/plain', 'application/json', 'application/x-ndjson'])
    const { queue, draw } = request.query
    checkQueue(example, request.query)
    if (example.number !== 5 || queue !== 'redis') return yield* answer(app, request, reply, type, draw, programOf(example, request.query, null))
    const shared = yield* sharedQueue(app, request.query)
    let result
    try {
      result = yield* answer(app, request, reply, type, draw, programOf(example, request.query, shared))
    } finally {
      yield* shared.close()
    }
    return 'outcome' in result ? { ...result, queue: { name: shared.name, ...shared.counts } } : result
  })

  app.post('/examples/:n/run', {
    ...app.costly,
    schema: {
      summary: 'Start it', tags, params, querystring: runQuery.omit({ clock: true, draw: true }),
      description: 'Answers at once. The run goes on without a client, until it ends or DELETE /runs/{id} cancels it; GET /runs/{id} has its output.',
      response: { 202: runSummary, 400: errorBody, 404: errorBody, 429: errorBody, 503: errorBody },
    },
  }, function* (request, reply) {
    const example = find(request.params.n)
    const query: RunQuery = { ...request.query, clock: 'real' }
    checkQueue(example, query)
    const shared = example.number === 5 && query.queue === 'redis' ? yield* sharedQueue(app, query) : null
    let run: Run
    try {
      const program = programOf(example, query, shared)
      run = app.runs.prepare(program)
      const { loop } = app.loopscope
      // Not here: the run would be a child of this request's task, which it outlives.
      loop.callSoon(() => loop.createTask(app.runs.follow(run, program), { name: `run ${run.id}` }))
    } catch (error) {
      if (shared !== null) yield* shared.close()
      throw error
    }
    announce(reply, run.id)
    reply.code(202).header('location', `/runs/${run.id}`)
    return summaryOf(run.record)
  })
}
