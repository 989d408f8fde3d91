// The observer's own server: the live view, the stream, and what can be told from it, all answered on the observer's
// thread, so that they are answered during a stall.
import type { FastifyInstance } from 'fastify'
import type { Histogram } from 'node:perf_hooks'
import { z } from 'zod'
import type { Loops } from './loop-registry.ts'
import type { Figures } from './protocol.ts'
import type { RunRecord } from './run-log.ts'
import { loopDoesNotAnswer, noSuchRun, noSuchStall, noSuchTask, Refusal } from '../http/refusals.ts'
import { decimalOr, id } from '../http/fields.ts'
import { httpServer, type HttpServer } from '../http/server.ts'
import { negotiate } from '../http/negotiate.ts'
import { NOT_BUILT, readPage } from '../http/page.ts'
import { linesOf, resultOf, summaryOf, traceHeaders, traceOf } from '../http/run-schemas.ts'
import { protection } from '../http/protection.ts'
import { websockets } from '../http/websockets.ts'
import type { Readers, ReadersOptions } from '../http/readers.ts'
import { EVENT_STREAM, EventSink, noRoom, ofLoop, optionsOf, serveSocket, streamQuery, type Hub, type Place } from '../http/event-stream.ts'
import { loopTable } from '../events/render/ascii-loops.ts'
import { runsOf, stallsOf, tasksOf, taskTrees } from './queries.ts'
import { forward, type Upstream } from './proxy.ts'
import { metricsOf } from './metrics.ts'

/** The largest body that is read, in bytes: what starts a lab. */
const BODY_LIMIT = 1024
const LONGEST_TRACE = 3600

export interface ObserverAppOptions {
  maxSubscribers: number
  delays: Histogram
  /** Names by which this server is called besides addresses and localhost, and those that were allowed. */
  names: readonly string[]
  allowedHosts: readonly string[]
  /** The proxies in front, whose `X-Forwarded-For` says who calls. */
  proxies: readonly string[]
  upstream: Upstream
  readers?: ReadersOptions
}

const nothing = z.strictObject({})
const one = z.strictObject({ id })

export async function buildObserverApp(loops: Loops, options: ObserverAppOptions): Promise<HttpServer> {
  const app = httpServer({ bodyLimit: BODY_LIMIT, proxies: options.proxies, readers: options.readers })
  // Who calls what costs the app is counted there.
  await app.register(protection, { names: options.names, allowedHosts: options.allowedHosts, rateLimit: 0 })
  await app.register(websockets)
  const { readers } = app
  const hub: Hub = {
    most: options.maxSubscribers,
    get size() {
      return loops.size
    },
    subscribe: (sink, wanted) => loops.subscribe(sink, wanted),
  }
  app.addHook('onRequest', (_request, _reply, done) => {
    loops.own.drain()
    done()
  })
  // Routes belong after the plugins whose hooks they need.
  await app.register((scope, _options, done) => {
    const routes = scope as unknown as HttpServer
    serveStream(routes, hub, readers)
    serveLoops(routes, loops)
    serveTasks(routes, loops)
    serveRuns(routes, loops, readers)
    serveTraces(routes, loops, readers)
    serveHealth(routes, loops, options)
    servePage(routes)
    forward(routes as unknown as FastifyInstance, options.upstream)
    done()
  })
  return app
}

function serveStream(app: HttpServer, hub: Hub, readers: Readers): void {
  app.route({
    method: 'GET',
    url: '/events',
    schema: { querystring: streamQuery },
    handler: async (request, reply) => {
      const refused = noRoom(hub, readers)
      if (refused !== null) throw refused
      const wanted = optionsOf(request.query, request.headers['last-event-id'])
      readers.watch(request.raw.socket)
      const sink = new EventSink(() => place?.close())
      let place: Place | null = null
      try {
        place = hub.subscribe(sink, wanted)
      } catch (error) {
        sink.stream.destroy()
        throw error
      }
      sink.stream.on('drain', () => place?.resume())
      return reply.headers(EVENT_STREAM).send(sink.stream)
    },
    wsHandler: (socket, request) => serveSocket(socket, request, hub, readers),
  })
}

function serveLoops(app: HttpServer, loops: Loops): void {
  app.get('/loops', { schema: { querystring: nothing } }, async (request, reply) => {
    const type = negotiate(request.headers.accept, ['text/plain', 'application/json'])
    if (type === 'application/json') return loops.list()
    return reply.type('text/plain; charset=utf-8').send(loopTable(loops.list(), Date.now()))
  })
}

/** Nobody has taken up the wish to cancel something. */
function late(loops: Loops, loop: string | undefined): Refusal {
  return loopDoesNotAnswer(loop === loops.own.loop ? null : loop ?? null)
}

function serveTasks(app: HttpServer, loops: Loops): void {
  app.get('/tasks', { schema: { querystring: ofLoop } }, async (request, reply) => {
    const type = negotiate(request.headers.accept, ['text/plain', 'application/json'])
    const tasks = tasksOf(loops, request.query.loop)
    if (type === 'application/json') return tasks
    return reply.type('text/plain; charset=utf-8').send(taskTrees(tasks, loops.own.loop))
  })

  app.delete('/tasks/:id', { schema: { params: one, querystring: ofLoop } }, async (request, reply) => {
    const task = request.params.id
    const { loop } = request.query
    const found = await loops.cancel(loop, 'task', task)
    if (found === 'late') throw late(loops, loop)
    if (found === null) throw noSuchTask(task)
    return reply.code(202).send({ task, ...found })
  })
}

function serveRuns(app: HttpServer, loops: Loops, readers: Readers): void {
  const find = (wanted: number, loop: string | undefined): RunRecord => {
    const run = loops.find(loop).runs.get(wanted)
    if (run === null) throw noSuchRun(wanted)
    return run
  }

  app.get('/runs', { schema: { querystring: ofLoop } }, (request) => ({ runs: runsOf(loops, request.query.loop) }))

  app.get('/runs/:id', { schema: { params: one, querystring: ofLoop } }, (request) => resultOf(find(request.params.id, request.query.loop)))

  app.get('/runs/:id/trace', { schema: { params: one, querystring: ofLoop } }, async (request, reply) => {
    const run = find(request.params.id, request.query.loop)
    readers.enter(request, reply)
    return reply.headers(traceHeaders(`run-${run.run}`)).send(readers.body(traceOf(run)))
  })

  app.get('/runs/:id/events', { schema: { params: one, querystring: ofLoop } }, async (request, reply) => {
    const run = find(request.params.id, request.query.loop)
    readers.enter(request, reply)
    return reply.type('application/x-ndjson').send(readers.body(linesOf(run)))
  })

  app.delete('/runs/:id', { schema: { params: one, querystring: ofLoop } }, async (request, reply) => {
    const { loop } = request.query
    const run = find(request.params.id, loop)
    const found = await loops.cancel(loop, 'run', run.run)
    if (found === 'late') throw late(loops, loop)
    if (found === null || !found.cancelling) throw new Refusal('run-has-ended', `run ${run.run} has ended already`)
    return reply.code(202).send(summaryOf(run))
  })
}

function serveTraces(app: HttpServer, loops: Loops, readers: Readers): void {
  const seconds = decimalOr(10, 0.001, LONGEST_TRACE)

  app.get('/trace', { schema: { querystring: ofLoop.extend({ seconds }) } }, async (request, reply) => {
    const record = loops.find(request.query.loop)
    readers.enter(request, reply)
    return reply.headers(traceHeaders(`last-${request.query.seconds}-s`)).send(readers.body(record.trace(request.query.seconds)))
  })

  app.get('/stalls', { schema: { querystring: ofLoop } }, (request) => ({ stalls: stallsOf(loops, request.query.loop) }))

  app.get('/stalls/:id/trace', { schema: { params: one, querystring: ofLoop } }, async (request, reply) => {
    const wanted = request.params.id
    const record = loops.find(request.query.loop)
    readers.enter(request, reply)
    const trace = record.stallTrace(wanted)
    if (trace === null) throw noSuchStall(wanted)
    return reply.headers(traceHeaders(`stall-${wanted}`)).send(readers.body(trace))
  })
}

function serveHealth(app: HttpServer, loops: Loops, { delays }: ObserverAppOptions): void {
  const observer = loops.own
  app.get('/healthz', { schema: { querystring: nothing } }, () => ({ status: 'ok', uptime: process.uptime(), blocked: observer.blocked }))

  const metrics = metricsOf(loops, delays)
  app.get('/metrics', { schema: { querystring: nothing } }, async (request, reply) => {
    const type = negotiate(request.headers.accept, ['text/plain', 'application/json'])
    if (type === 'application/json') return metrics.values()
    return reply.type(metrics.contentType).send(await metrics.text())
  })
}

function servePage(app: HttpServer): void {
  const page = readPage()
  app.get('/', { schema: { hide: true }, config: { page: true } }, async (_request, reply) => {
    const index = page?.get('index.html')
    if (index === undefined) return reply.type('text/plain; charset=utf-8').send(`${NOT_BUILT}\nThe stream: curl -N …/events\nTasks: curl …/tasks\n`)
    return reply.type(index.type).send(index.body)
  })
  for (const [path, { type, body, immutable, policy }] of page ?? []) {
    app.get(`/${path}`, { schema: { hide: true }, config: { page: path === 'index.html' } }, async (_request, reply) => {
      if (policy !== null) reply.header('content-security-policy', policy)
      return reply.type(type).header('cache-control', immutable ? 'public, max-age=31536000, immutable' : 'no-cache').send(body)
    })
  }
}

export function figuresOf({ own: observer, size }: Loops): Figures {
  return {
    events: observer.history.last, lost: observer.lostEvents, subscribers: size, dropped: observer.fanout.dropped,
    blockedSeconds: observer.blockedSeconds, stalls: observer.stallCount, warnings: observer.warningCount, errors: observer.errorCount,
  }
}
