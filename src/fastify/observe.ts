// Connects an observer to an app: it watches the app's loop, records every request, and knows which handler blocks the thread,
// be it a coroutine or not.
import { AsyncLocalStorage } from 'node:async_hooks'
import type { FastifyInstance, FastifyRequest, RouteHandlerMethod } from 'fastify'
import type { ServerResponse } from 'node:http'
import type { Ability } from '../events/schema.ts'
import type { Loopscope, Served } from './served-request.ts'
import { BlockWatch, leftAgo } from '../http/request-timing.ts'
import type { RequestOutcome } from '../http/served-task.ts'
import { REQUEST_STORE } from '../observe/stack-probe.ts'
import { arrivedWithin, isOfPage } from '../http/arrival.ts'
import { OBSERVER_OPTIONS, ObserverClient, type ObserverOptions } from '../observe/client.ts'
import { requireKnown } from '../observe/options.ts'
import { preloadedObserver } from '../observe/start.ts'
import type { Sender } from '../probe/record-schema.ts'

/** Where a request keeps its number, if its handler is not a coroutine. A WeakMap of requests would cost each collection more. */
const NUMBER = Symbol('number of the request')

declare module 'fastify' {
  interface FastifyInstance {
    observer: ObserverClient
  }
  interface FastifyRequest {
    /** @internal */
    [NUMBER]?: number
  }
}

/** How many milliseconds the app waits for its observer: less than Fastify waits for a plugin. */
const READY_MS = 8000

/** Marks the configuration of a route whose handler is not a coroutine. */
const PLAIN = Symbol('plain handler')
/** The request that plain code belongs to. The observer's thread has it read while that code blocks. */
const globals = globalThis as Record<symbol, unknown>
const requestOf = (globals[Symbol.for(REQUEST_STORE)] ??= new AsyncLocalStorage()) as AsyncLocalStorage<number>

/** Observes `app` until it closes; `loopscope` serves its coroutine handlers, and `offers` is what its routes can do for the page. Decorates `observer`. */
export function observeApp(app: FastifyInstance, loopscope: Loopscope, options: ObserverOptions, offers: readonly Ability[]): void {
  requireKnown('loopscope: observer', options, OBSERVER_OPTIONS)
  const preloaded = preloadedObserver()
  const client = preloaded ?? new ObserverClient(options, ['requests', ...offers])
  if (preloaded === null) client.log = (level, message) => app.log[level](message)
  else {
    preloaded.reportsRequests()
    preloaded.log('info', 'the options of the app\'s observer have no effect: it uses the one that began before the program')
  }
  client.onBlock = (from, to, name) => loopscope.blocks.note(from, to, name)
  // The observer may be watching another loop already.
  if (!client.watch(loopscope.loop)) new BlockWatch(loopscope.loop, loopscope.blocks)
  app.decorate('observer', client)
  loopscope.observer = {
    numberOf: (request) => request[NUMBER],
    requestStarted({ id, request, timing, route }: Served): void {
      client.watchThread()
      if (request[NUMBER] !== undefined) {
        // A plain handler has returned a coroutine: its request began earlier.
        client.probe?.nextTask({ request: id })
        return
      }
      client.probe?.requestStarted(id, request.method, request.url, client.readyFor(timing.ready, arrivedWithin(request.raw)), senderOf(request), request.url === route?.path)
      client.probe?.nextTask({ request: id, prefix: route?.prefix })
    },
    requestFinished({ id, request, reply, timing, task }: Served, outcome: RequestOutcome): void {
      if (request[NUMBER] !== undefined) return
      const seconds = timing.run + timing.ready + timing.wait + timing.thread
      client.probe?.requestFinished(id, request.method, request.url, { task, status: reply.statusCode, outcome, seconds })
    },
  }
  app.addHook('onReady', async () => {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(resolve, READY_MS, 'late')
    })
    try {
      if ((await Promise.race([client.ready, late])) === 'late') {
        app.log.warn('the observer is slow to start; the app does not wait for it any longer')
        client.ready.catch((error: unknown) => app.log.error({ err: error }, 'the observer did not start, and is tried again'))
      }
    } catch (error) {
      if (preloaded !== null) return
      await client.close()
      throw error
    } finally {
      clearTimeout(timer)
    }
  })
  // The app blocks the thread while it starts, but delays no request by that.
  app.addHook('onListen', (done) => {
    setImmediate(() => client.watchThread())
    done()
  })
  app.addHook('preClose', async () => {
    if (preloaded === null) await client.close('the server is closing')
  })
  observePlain(app, loopscope, client)
}

/** Records requests with a plain handler: their beginning, their end, and whether the handler blocks the thread. */
function observePlain(app: FastifyInstance, loopscope: Loopscope, client: ObserverClient): void {
  app.decorateRequest(NUMBER)
  app.addHook('onRoute', (route) => {
    const handler = route.handler as RouteHandlerMethod
    if (loopscope.serves(handler)) return
    route.config = { ...route.config, [PLAIN]: true } as NonNullable<typeof route.config>
    route.handler = function (request, reply) {
      const id = request[NUMBER]
      const { probe } = client
      if (id === undefined || probe === null) return handler.call(this, request, reply) as unknown
      probe.handlerRunning(id)
      try {
        return requestOf.run(id, () => handler.call(this, request, reply) as unknown)
      } finally {
        probe.handlerFinished(id)
      }
    }
  })
  app.addHook('onRequest', (request, reply, done) => {
    if ((request.routeOptions.config as { [PLAIN]?: true })[PLAIN] === true) {
      const id = loopscope.takeRequestId(request)
      const began = performance.now()
      client.watchThread()
      request[NUMBER] = id
      const left = leftAgo(request.headers['x-request-start']) ?? Infinity
      client.probe?.requestStarted(id, request.method, request.url, client.readyFor(0, Math.min(arrivedWithin(request.raw), left)), senderOf(request))
      onEnd(reply.raw, (whole) => {
        const seconds = (performance.now() - began) / 1000
        const outcome: RequestOutcome = !whole ? 'disconnected' : reply.statusCode >= 500 ? 'raised' : 'returned'
        client.probe?.requestFinished(id, request.method, request.url, { status: reply.statusCode, outcome, seconds })
      })
    }
    done()
  })
}

function senderOf(request: FastifyRequest): Sender {
  return isOfPage(request) ? 'page' : 'client'
}

/** Calls `ended` once: with true when the response has been sent, with false if its client disconnected first. */
function onEnd(raw: ServerResponse, ended: (whole: boolean) => void): void {
  let over = false
  const end = (whole: boolean) => (): void => {
    if (over) return
    over = true
    ended(whole)
  }
  raw.once('finish', end(true))
  raw.once('close', end(false))
}
