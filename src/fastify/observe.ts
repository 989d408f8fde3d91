// Connects an observer to an app: it watches the app's loop, records every request, and knows which handler blocks the thread,
// be it a coroutine or not.
import type { FastifyInstance, FastifyRequest, RouteHandlerMethod } from 'fastify'
import type { Ability } from '../events/schema.ts'
import type { Loopscope, Served } from './served-request.ts'
import { BlockWatch } from '../http/request-timing.ts'
import type { RequestOutcome } from '../http/served-task.ts'
import { arrivedWithin, isOfPage } from '../http/arrival.ts'
import { originStore, type Origin } from '../observe/current-request.ts'
import { OBSERVER_OPTIONS, ObserverClient, type ObserverOptions } from '../observe/client.ts'
import { requireKnown } from '../observe/options.ts'
import { preloadedObserver } from '../observe/start.ts'
import type { Sender } from '../probe/record-schema.ts'

/** Where a request that is recorded keeps its number and name, if its handler is not a coroutine. A WeakMap of requests would cost each collection more. */
const ORIGIN = Symbol('number and name of the request')

declare module 'fastify' {
  interface FastifyInstance {
    observer: ObserverClient
  }
  interface FastifyRequest {
    /** @internal */
    [ORIGIN]?: Origin
  }
}

/** How many milliseconds the app waits for its observer: less than Fastify waits for a plugin. */
const READY_MS = 8000

/** Marks the configuration of a route whose handler is not a coroutine. */
const PLAIN = Symbol('plain handler')

/** Observes `app` until it closes; `loopscope` serves its coroutine handlers, and `offers` is what its routes can do for the page. Decorates `observer`. */
export function observeApp(app: FastifyInstance, loopscope: Loopscope, options: ObserverOptions, offers: readonly Ability[]): void {
  requireKnown('loopscope: observer', options, OBSERVER_OPTIONS)
  const preloaded = preloadedObserver()
  const client = preloaded ?? new ObserverClient(options, ['requests', ...offers])
  if (preloaded === null) client.log = (level, message) => app.log[level](message)
  else {
    // The app reports its requests itself, with its own numbers.
    preloaded.requests.stop()
    preloaded.log('info', 'the options of the app\'s observer have no effect: it uses the one that began before the program')
  }
  client.onBlock = (from, to, name) => loopscope.blocks.note(from, to, name)
  // The observer may be watching another loop already.
  if (!client.watch(loopscope.loop)) new BlockWatch(loopscope.loop, loopscope.blocks)
  app.decorate('observer', client)
  loopscope.observer = {
    numberOf: (request) => request[ORIGIN]?.id,
    requestStarted({ id, request, timing, route }: Served): void {
      client.watchThread()
      if (request[ORIGIN] !== undefined) {
        // A plain handler has returned a coroutine: its request began earlier.
        client.probe?.nextTask({ request: id })
        return
      }
      client.probe?.requestStarted(id, request.method, request.url, client.readyFor(timing.ready, arrivedWithin(request.raw)), senderOf(request), request.url === route?.path)
      client.probe?.nextTask({ request: id, prefix: route?.prefix })
    },
    requestFinished({ id, request, reply, timing, task }: Served, outcome: RequestOutcome): void {
      if (request[ORIGIN] !== undefined) return
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
  app.decorateRequest(ORIGIN)
  const store = originStore()
  app.addHook('onRoute', (route) => {
    const handler = route.handler as RouteHandlerMethod
    if (loopscope.serves(handler)) return
    route.config = { ...route.config, [PLAIN]: true } as NonNullable<typeof route.config>
    route.handler = function (request, reply) {
      const origin = request[ORIGIN]
      const { probe } = client
      if (origin === undefined || probe === null) return handler.call(this, request, reply) as unknown
      probe.handlerRunning(origin.id)
      try {
        return store.run(origin, () => handler.call(this, request, reply) as unknown)
      } finally {
        probe.handlerFinished(origin.id)
      }
    }
  })
  app.addHook('onRequest', (request, reply, done) => {
    if ((request.routeOptions.config as { [PLAIN]?: true })[PLAIN] === true) {
      client.watchThread()
      request[ORIGIN] = client.requests.begin(request.raw, reply.raw, {
        id: loopscope.takeRequestId(request), method: request.method, url: request.url, sender: senderOf(request),
      })
    }
    done()
  })
}

function senderOf(request: FastifyRequest): Sender {
  return isOfPage(request) ? 'page' : 'client'
}
