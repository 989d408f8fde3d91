// An ASGI application within a Fastify app, and a Fastify app as an ASGI application.
import type { FastifyContextConfig, FastifyInstance, FastifyPluginCallback } from 'fastify'
import { PassThrough, type Readable } from 'node:stream'
import type { Coroutine } from '../runtime/coroutine.ts'
import { fromEvent } from '../runtime/from-events.ts'
import { fromAsyncIterable, fromPromise } from '../runtime/from-host.ts'
import { createTask, type Task } from '../runtime/task.ts'
import type { ObserverClient } from '../observe/client.ts'
import '../fastify/index.ts'
import { routeUpgrades, takeUpgrade, TAKES_UPGRADES } from '../http/upgrades.ts'
import { requireApplication } from './application.ts'
import { Lifespan, type LifespanMode } from './lifespan.ts'
import { CLEANUP_MS, requirePings, Serving } from './serving.ts'
import { ClientDisconnected, type Application, type Bytes, type HttpRequestEvent, type HttpScope, type LifespanEvent, type Receive, type ReceiveEvent, type Scope, type Send } from './types.ts'

export interface MountOptions {
  /** Default `auto`. */
  lifespan?: LifespanMode
  /** The most requests and WebSockets at the same time; beyond that a 503. Default 10,000. */
  maxRequests?: number
  /** How many seconds requests may continue when the app closes; then their tasks are cancelled. Default 2. */
  graceSeconds?: number
  /** Whether responses have `Server-Timing`. Default true. */
  serverTiming?: boolean
  /** After this many seconds, again and again, an open WebSocket is sent a ping, and is lost if nothing has arrived by the next one. Default 20; 0 for no pings. */
  pingSeconds?: number
  /** The configuration of its routes, for other plugins, such as `{ rateLimit: … }` for @fastify/rate-limit. */
  config?: FastifyContextConfig
}

/**
 * A Fastify plugin that serves an ASGI application: `app.register(asgi(application), { prefix: '/site' })`. The prefix is its
 * `root_path`. The app needs the plugin of `loopscope/fastify`, on whose loop the application runs. Requests and WebSockets go
 * through the hooks of the app first. Responses have the header fields that these have set, unless the application sets them.
 */
export function asgi(application: Application, options: MountOptions = {}): FastifyPluginCallback {
  requireApplication(application)
  requirePings('asgi', options.pingSeconds)
  return (app, _options, done) => {
    if (!app.hasDecorator('loopscope')) {
      done(new Error('asgi: register the plugin of loopscope/fastify first: the application runs on its loop'))
      return
    }
    const { loopscope } = app
    const observer = app.hasDecorator('observer') ? (app as { observer?: ObserverClient }).observer ?? null : null
    const lifespan = new Lifespan(options.lifespan ?? 'auto')
    const place = { rootPath: app.prefix, taken: '', socketPath: null, state: lifespan.state }
    const serving = new Serving({
      app: application, loop: loopscope.loop, blocks: loopscope.blocks, place, observer, maxRequests: options.maxRequests ?? 10_000,
      serverTiming: options.serverTiming, pingSeconds: options.pingSeconds, takeId: () => loopscope.takeRequestId(null), log: (message, error) => app.log.error({ err: error }, message),
    })
    // The application reads the body itself.
    app.removeAllContentTypeParsers()
    app.addContentTypeParser('*', (_request, _body, done) => done(null))
    const handler = loopscope.own((request, reply) => {
      for (const [name, value] of Object.entries(reply.getHeaders())) reply.raw.setHeader(name, value as string | string[])
      reply.hijack()
      // An injected request keeps the process alive, as one with a connection does.
      if (!app.server.listening) reply.raw.once('close', loopscope.loop.host.hold())
      serving.request(request.raw, reply.raw, loopscope.takeRequestId(request))
    })
    // Not in the handler: @fastify/websocket, which may be registered as well, would accept the WebSocket before that is called.
    app.addHook('preHandler', (request, reply, done) => {
      const upgrade = takeUpgrade(request.raw, reply.raw)
      if (upgrade === null) {
        done()
        return
      }
      reply.hijack()
      // The client may have left while the hooks ran.
      if (!upgrade.socket.destroyed) serving.upgrade(request.raw, upgrade.socket, upgrade.head, loopscope.takeRequestId(request))
    })
    routeUpgrades(app)
    const config = { ...options.config, ...TAKES_UPGRADES } as FastifyContextConfig
    for (const url of app.prefix === '' ? ['/*'] : ['/', '/*']) {
      app.route({ method: app.supportedMethods, url, handler, exposeHeadRoute: false, config, schema: { hide: true } as object })
    }
    app.addHook('onReady', async () => {
      await lifespan.startup(application, loopscope.loop)
      place.state = lifespan.state
    })
    let finish = (): void => {}
    app.addHook('preClose', (done) => {
      serving.goAway()
      finish = serving.cancelAfter(options.graceSeconds ?? 2)
      done()
    })
    app.addHook('onClose', async () => {
      finish()
      serving.cancel()
      let late: NodeJS.Timeout | undefined
      await Promise.race([serving.idle(), new Promise((resolve) => { late = setTimeout(resolve, CLEANUP_MS) })])
      clearTimeout(late)
      await lifespan.shutdown(loopscope.loop)
    })
    done()
  }
}

/**
 * A Fastify app as an ASGI application, for HTTP. It is made ready at the lifespan's startup and closed at its shutdown. The
 * app needs no server of its own, and must not listen.
 */
export function fastifyAsgi(app: FastifyInstance): Application {
  return function* fastify(scope: Scope, receive: Receive, send: Send): Coroutine<void> {
    if (scope.type === 'lifespan') return yield* live(app, receive, send)
    if (scope.type === 'http') return yield* inject(app, scope, receive, send)
    throw new Error(`fastifyAsgi: serves HTTP, not the scope ${scope.type}`)
  }
}

function* live(app: FastifyInstance, receive: Receive, send: Send): Coroutine<void> {
  for (;;) {
    const { type } = (yield* receive()) as LifespanEvent
    if (type === 'lifespan.startup') {
      yield* fromPromise(app.ready())
      yield* send({ type: 'lifespan.startup.complete' })
    } else {
      yield* fromPromise(app.close())
      yield* send({ type: 'lifespan.shutdown.complete' })
      return
    }
  }
}

function* inject(app: FastifyInstance, scope: HttpScope, receive: Receive, send: Send): Coroutine<void> {
  const text = (bytes: Bytes): string => Buffer.from(bytes).toString('latin1')
  const headers: Record<string, string | string[]> = {}
  for (const [nameBytes, value] of scope.headers) {
    const name = text(nameBytes)
    const known = headers[name]
    headers[name] = known === undefined ? text(value) : name === 'cookie' ? `${String(known)}; ${text(value)}` : [known, text(value)].flat()
  }
  const query = scope.query_string.length === 0 ? '' : `?${text(scope.query_string)}`
  const body = yield* bodyOf(receive)
  try {
    const response = yield* fromPromise(app.inject({
      method: scope.method as 'GET', url: `${text(scope.raw_path)}${query}`, headers, payloadAsStream: true,
      ...(scope.client === null ? {} : { remoteAddress: scope.client[0] }), ...(body === null ? {} : { payload: body.stream }),
    }))
    const fields = Object.entries(response.headers).flatMap(([name, value]) => [value].flat().map((one): [Bytes, Bytes] => [Buffer.from(name, 'latin1'), Buffer.from(String(one), 'latin1')]))
    yield* send({ type: 'http.response.start', status: response.statusCode, headers: fields })
    yield* fromAsyncIterable(response.stream() as AsyncIterable<Bytes>).forEach((part) => send({ type: 'http.response.body', body: part, more_body: true }))
    yield* send({ type: 'http.response.body' })
  } finally {
    body?.task.cancel()
  }
}

/** The body of the request as a stream, and the task that fills it; null without a body. */
function* bodyOf(receive: Receive): Coroutine<{ stream: Readable; task: Task<void> } | null> {
  const first = yield* receive()
  if (first.type !== 'http.request' || (!first.more_body && first.body.length === 0)) return null
  const stream = new PassThrough()
  return { stream, task: createTask(fill(stream, first, receive), { name: 'body' }) }
}

function* fill(stream: PassThrough, first: HttpRequestEvent, receive: Receive): Coroutine<void> {
  for (let event: ReceiveEvent = first; event.type === 'http.request'; event = yield* receive()) {
    if (!stream.write(event.body)) yield* fromEvent(stream, 'drain')
    if (!event.more_body) {
      stream.end()
      return
    }
  }
  stream.destroy(new ClientDisconnected())
}
