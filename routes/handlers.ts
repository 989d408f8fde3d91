// The same wait in every kind of handler: a coroutine; a plain blocking function, on the loop's thread or on another; a plain
// handler that calls a coroutine; and many requests at once. Call /ping meanwhile to see which of them delay it.
import { once } from 'node:events'
import { Agent, get as fetch, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import { z } from 'zod'
import type { App } from '../src/server/app.ts'
import { asyncToSync, configureThreads, fromPromise, gather, prepareThreads, sleep, syncToAsync, ThreadSensitiveContext, type Coroutine, type ThreadMode } from '../src/index.ts'
import { errorBody } from '../src/http/errors.ts'
import { Refusal } from '../src/http/refusals.ts'
import { wholeOr } from '../src/http/fields.ts'
import { ownAddress } from '../src/server/self-url.ts'
import { blockingSleep } from '../workers/blocking-sleep.ts'
import { spin } from '../workers/spin.ts'

const MOST_FETCHES = 100

const answer = z.object({ handler: z.string(), ms: z.number(), took: z.number().describe('milliseconds') })
const threads = ['inline', 'sensitive', 'pool'] as const

/** They differ only in where the plain function runs. */
const sleeping = Object.fromEntries(threads.map((thread) => [thread, syncToAsync(blockingSleep, { thread })])) as Record<ThreadMode, (seconds: number) => Coroutine<number>>
const spinning = Object.fromEntries(threads.map((thread) => [thread, syncToAsync(spin, { thread })])) as Record<ThreadMode, (ms: number) => Coroutine<number>>

export default function handlers(app: App): void {
  const { loop } = app.loopscope
  configureThreads({ maxContexts: app.config.maxThreads })
  const tags = ['handlers']
  const ms = wholeOr(1000, 0, app.config.maxMs).describe('milliseconds')
  const response = { 200: answer, 400: errorBody, 429: errorBody, 503: errorBody }

  function report(handler: string, ms: number, began: number): z.output<typeof answer> {
    return { handler, ms, took: Math.round((loop.time() - began) * 1e4) / 10 }
  }

  app.get('/handlers/async', { schema: { summary: 'A coroutine that sleeps', tags, querystring: z.strictObject({ ms }), response } },
    function* (request) {
      const began = loop.time()
      yield* sleep(request.query.ms / 1000)
      return report('async', request.query.ms, began)
    })

  app.get('/handlers/sync', {
    ...app.costly,
    schema: {
      summary: 'A plain function that blocks, behind syncToAsync', tags, response,
      description: 'inline: on the loop\'s own thread, which blocks the loop. sensitive: on the one thread for such calls; they queue. pool: on a pool of threads.',
      querystring: z.strictObject({
        ms,
        thread: z.enum(threads, { error: `must be one of ${threads.join(', ')}` }).default('inline'),
        work: z.enum(['sleep', 'spin'], { error: 'must be sleep or spin' }).default('sleep').describe('block the thread in a sleep, or in a computation'),
        scope: z.enum(['server', 'request'], { error: 'must be server or request' }).default('server').describe('sensitive: one thread for all, or one of MAX_THREADS for this request alone'),
      }),
    },
  }, function* (request) {
    const { ms, thread, work, scope } = request.query
    const began = loop.time()
    const call = (): Coroutine<number> => (work === 'spin' ? spinning[thread](ms) : sleeping[thread](ms / 1000))
    if (scope === 'request') yield* new ThreadSensitiveContext().with(call)
    else yield* call()
    return report(`sync, ${thread}`, ms, began)
  })

  app.get('/handlers/async-to-sync', {
    ...app.costly,
    schema: {
      summary: 'A plain function that calls a coroutine', tags, querystring: z.strictObject({ ms }), response,
      description: 'The coroutine runs to its end on the loop\'s thread and never yields: it blocks the loop.',
    },
  }, function* (request) {
    const began = loop.time()
    const plain = asyncToSync((seconds: number) => sleep(seconds))
    plain(request.query.ms / 1000)
    return report('async-to-sync', request.query.ms, began)
  })

  // Threads take a moment to start: better when the server begins to listen than in the first request that needs one.
  app.addHook('onListen', (done) => {
    prepareThreads([blockingSleep, spin]).catch((error: unknown) => app.log.error({ err: error }, 'the worker threads did not start'))
    done()
  })

  const agent = new Agent({ keepAlive: true, maxSockets: MOST_FETCHES })
  app.addHook('onClose', (_app, done) => {
    agent.destroy()
    done()
  })

  app.get('/handlers/fetch', {
    ...app.costly,
    schema: {
      summary: 'Many requests at once', tags,
      description: 'n requests to /handlers/async of this server, gathered: they take about ms, not n times that.',
      querystring: z.strictObject({ n: wholeOr(10, 1, MOST_FETCHES), ms }),
      response: { ...response, 200: answer.extend({ n: z.int() }) },
    },
  }, function* (request) {
    const { n, ms } = request.query
    const began = loop.time()
    const url = `${ownAddress(app)}/handlers/async?ms=${ms}`
    yield* gather(Array.from({ length: n }, () => get(url)))
    return { ...report('fetch', ms, began), n }
  })

  function* get(url: string): Coroutine<unknown> {
    const [response] = (yield* fromPromise((signal) => once(fetch(url, { agent, signal }), 'response'))) as [IncomingMessage]
    const body = yield* fromPromise(text(response))
    if (response.statusCode !== 200) throw new Refusal('self-call-failed', `${url} answered ${response.statusCode}: ${body.slice(0, 200)}`)
    return JSON.parse(body) as unknown
  }
}
