// Coroutine handlers in any Fastify app: after `app.register(loopscope)`, a route's handler may be a generator function. Each
// of its requests is a task on the app's one event loop, cancelled when its client disconnects.
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteHandlerMethod } from 'fastify'
import fp from 'fastify-plugin'
import '../index.ts'
import { Context } from '../runtime/context.ts'
import { isCoroutine, type Coroutine } from '../runtime/coroutine.ts'
import { EventLoop } from '../runtime/loop.ts'
import type { Ability } from '../events/schema.ts'
import type { ObserverOptions } from '../observe/client.ts'
import { requireKnown, type Names } from '../observe/options.ts'
import { noteAnswers } from '../http/arrival.ts'
import { boundPipelining } from '../http/connections.ts'
import { BlockLog, BlockWatch } from '../http/request-timing.ts'
import { Connections, reportStillOpen, stillOpen } from '../http/still-open.ts'
import { ServedTasks } from '../http/served-task.ts'
import { Coroutines, isCoroutineFunction } from './coroutines.ts'
import { Served, type FixedRoute, type Loopscope, type Serving } from './served-request.ts'

export type { RequestOutcome } from '../http/served-task.ts'
export type { Loopscope, RequestObserver, Served } from './served-request.ts'

export interface LoopscopeOptions {
  /** The loop. Default: a new one, which runs as long as the app. */
  loop?: EventLoop
  /** The most requests that coroutines serve at the same time; beyond that a 503. Default 10,000. */
  maxRequests?: number | undefined
  /** How many seconds requests may continue when the app closes; then their tasks are cancelled. Default 2. */
  graceSeconds?: number | undefined
  /**
   * Whether responses of coroutine handlers have `X-Request-Id` (Fastify's `request.id`) and `Server-Timing`. What the app
   * has set is kept: its id unchanged, its timing in front. Default true.
   */
  headers?: boolean | undefined
  /** The number of a request in events and in the name of its task. Default: 1, 2, 3 … in the order of their beginning. */
  numberOf?: ((request: FastifyRequest) => number) | undefined
  /** Watches the app from a second thread, which serves the live view on its own port; `true` means all defaults. */
  observer?: ObserverOptions | boolean
  /** @internal What the app's own routes can do for the live view. */
  offers?: readonly Ability[]
}

const OPTIONS: Names<Required<Omit<LoopscopeOptions, 'offers'>>> = { loop: true, maxRequests: true, graceSeconds: true, headers: true, numberOf: true, observer: true }
/** What Fastify itself takes at `register`, and what only this project's app gives. */
const OTHER_OPTIONS = ['prefix', 'logLevel', 'logSerializers', 'offers']

declare module 'fastify' {
  interface FastifyInstance {
    loopscope: Loopscope
  }
  interface FastifyRequest {
    /** What serves this request, if its handler is a coroutine. */
    loopscope: Served | null
    /** The context of this request: its handler and tasks see what its hooks set in a ContextVar, and no other request does. */
    loopscopeContext: Context
  }
}

/** A handler that is a coroutine. Its result is sent. */
export type CoroutineHandler<Q = FastifyRequest, P = FastifyReply> = (request: Q, reply: P) => Coroutine<unknown>

interface State extends Serving {
  requests: number
}

async function plugin(app: FastifyInstance, options: LoopscopeOptions): Promise<void> {
  requireKnown('loopscope', options, OPTIONS, OTHER_OPTIONS)
  if (app.hasDecorator('websocketServer')) {
    throw new Error('loopscope: register it before @fastify/websocket, or coroutines that handle WebSockets would never run')
  }
  const own = options.loop === undefined
  const { maxRequests = 10_000, graceSeconds = 2, headers = true, numberOf } = options
  const loop = options.loop ?? new EventLoop({ hold: false })
  const serving = new WeakSet()
  const connections = new Connections(app.server)
  const state: State = {
    loop, blocks: new BlockLog(), active: new ServedTasks(), observer: null, requests: 0, keepAlive: setInterval(() => {}, 2 ** 30).unref(), headers, closing: false,
    takeRequestId: (request) => {
      state.requests++
      return numberOf === undefined || request === null ? state.requests : numberOf(request)
    },
    stillOpen: () => stillOpen(loop, state.active, connections),
    serves: (handler) => serving.has(handler as object),
    own: (handler) => {
      serving.add(handler)
      return handler
    },
  }
  app.decorate('loopscope', state)
  if (app.initialConfig.http2 !== true) boundPipelining(app)
  app.decorateRequest('loopscope', null)
  app.decorateRequest('loopscopeContext', null as unknown as Context)
  const coroutines = new Coroutines(loop, (request) => (request.loopscopeContext ??= new Context()))
  coroutines.install(app)
  noteAnswers(app)
  app.addHook('onRequest', (request, _reply, done) => {
    request.loopscopeContext = new Context()
    request.loopscopeContext.run(done)
  })

  /** Serves a request by this coroutine. */
  function serve(request: FastifyRequest, reply: FastifyReply, coro: Coroutine<unknown>, route: FixedRoute | null): void {
    const id = state.observer?.numberOf(request) ?? state.takeRequestId(request)
    const served = new Served(state, id, request, reply, route)
    request.loopscope = served
    served.start(coro, `${route?.prefix ?? prefixOf(request)}${id}`, request.loopscopeContext)
  }

  app.addHook('onRoute', (route) => {
    coroutines.wrapHooks(route)
    if (route.wsHandler !== undefined) route.wsHandler = coroutines.socketHandler(route.wsHandler)
    if ((route as { websocket?: boolean }).websocket === true) {
      route.handler = coroutines.socketHandler(route.handler)
      return
    }
    // A path without parameters is its own name; for others the name comes from the request.
    const fixed = /[:*(]/.test(route.url) || Array.isArray(route.method) ? null : { path: route.url, prefix: `${route.method} ${route.url} #` }
    const handler = route.handler as unknown
    if (state.serves(handler)) return
    if (!isCoroutineFunction(handler)) {
      route.handler = returning(handler as RouteHandlerMethod, (request, reply, coro) => serve(request, reply, coro, fixed))
      return
    }
    const handle: RouteHandlerMethod = (request, reply) => {
      if (state.active.size >= maxRequests) throw overloaded(maxRequests)
      serve(request, reply, handler.call(request.server, request, reply), fixed)
    }
    serving.add(handle)
    route.handler = handle
  })

  let stopCancelling = (): void => {}
  let stopReporting = (): void => {}
  app.addHook('preClose', (done) => {
    state.closing = true
    // First, so that it names what is then cancelled.
    stopReporting = reportStillOpen(graceSeconds, () => state.stillOpen(), (left, message) => app.log.warn(left, message))
    stopCancelling = state.active.cancelAfter(graceSeconds)
    done()
  })
  app.addHook('onClose', (_app, closed) => {
    stopCancelling()
    stopReporting()
    clearInterval(state.keepAlive)
    closed()
  })
  if (own) {
    let ended: Promise<void> | null = null
    app.addHook('onReady', (ready) => {
      ended ??= loop.runForever()
      ended.catch((error: unknown) => app.log.fatal({ err: error }, 'the event loop failed'))
      ready()
    })
    app.addHook('onClose', async () => {
      if (ended !== null) {
        await cancelAll(loop)
        loop.stop()
        await ended
      }
      loop.close()
    })
  }
  if (options.observer !== undefined && options.observer !== false) {
    const { observeApp } = await import('./observe.ts')
    observeApp(app, state, options.observer === true ? {} : options.observer, options.offers ?? [])
  } else {
    new BlockWatch(loop, state.blocks)
  }
}

/** A plain handler may return a coroutine too, for example an arrow function that calls one. */
function returning(handler: RouteHandlerMethod, serve: (request: FastifyRequest, reply: FastifyReply, coro: Coroutine<unknown>) => void): RouteHandlerMethod {
  return function (request, reply) {
    const settle = (value: unknown): unknown => {
      if (!isCoroutine(value)) return value
      serve(request, reply, value)
      return reply
    }
    const result = handler.call(this, request, reply) as unknown
    if (typeof result !== 'object' || result === null || result === reply) return result
    if (isCoroutine(result)) return settle(result)
    return result instanceof Promise ? result.then(settle) : result
  }
}

/** What the name of a request's task has before its number. */
function prefixOf({ method, url }: FastifyRequest): string {
  return `${method} ${url.split('?', 1)[0]} #`
}

function overloaded(most: number): Error {
  return Object.assign(new Error(`${most} requests are under way, which is the limit: try again in a moment`), { statusCode: 503, code: 'too-many-requests' })
}

/** Cancels every task and gives each a moment to clean up. */
async function cancelAll(loop: EventLoop): Promise<void> {
  for (let round = 0; round < 100 && loop.liveTasks().size > 0; round++) {
    const tasks = [...loop.liveTasks()]
    for (const task of tasks) if (task.cancelling() === 0) task.cancel('the server is closing')
    await new Promise((resolve) => setTimeout(resolve, round === 0 ? 0 : 5))
  }
}

export const loopscope = fp(plugin, { name: 'loopscope', fastify: '5.x' })
export default loopscope
