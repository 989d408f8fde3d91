// Builds the app; never listens. Plugins first, then every file of routes/: each serves one prefix and gets what it needs by
// decoration.
import type { FastifyReply, FastifyRequest, RouteHandlerMethod } from 'fastify'
import { readdirSync } from 'node:fs'
import type { Config } from './config.ts'
import type { ReadersOptions } from '../http/readers.ts'
import { Runs } from './runs.ts'
import { ownAddress } from './self-url.ts'
import { websockets } from '../http/websockets.ts'
import { httpServer, type HttpServer, type LogOptions } from '../http/server.ts'
import { ownNames } from '../http/origin.ts'
import '../fastify/observe.ts' // the plugin would load this itself, but within the time that Fastify gives a plugin
import { documentation } from './documentation.ts'
import { fromPromise } from '../index.ts'
import { loopscope } from '../fastify/index.ts'
import { protection } from '../http/protection.ts'
import { timing } from '../fastify/timing.ts'

declare module 'fastify' {
  interface FastifyInstance {
    config: Config
    runs: Runs
    /** Set once the server shuts down. */
    draining: { since: number | null }
  }
}

export type App = HttpServer

const BODY_LIMIT = 64 * 1024
const ROUTES = new URL('../../routes/', import.meta.url)

export interface AppOptions {
  logger?: LogOptions | boolean
  readers?: ReadersOptions
}

/** The whole app of this server. Call `ready()` or `listen()` on it, and `close()` at the end. */
export async function buildApp(config: Config, options: AppOptions = {}): Promise<App> {
  const app = httpServer({ logger: options.logger ?? false, bodyLimit: BODY_LIMIT, proxies: config.proxies, readers: options.readers })
  app.decorate('config', config)
  app.decorate('draining', { since: null })
  // Handlers of routes on both ports are tasks here, as all handlers are.
  app.served = (handler) => function* (request: FastifyRequest, reply: FastifyReply) {
    return yield* fromPromise(() => handler(request, reply))
  } as unknown as RouteHandlerMethod
  app.opens = ({ loopscope }) => {
    if (loopscope === null) return
    loopscope.endless = true
    loopscope.stamp()
  }
  // Before the handlers are wrapped, and before anything that may refuse a request.
  await app.register(timing)
  const { observerPort, observerUrl, host, blockedMs, wedgedMs, stacks, history, maxSubscribers, redisUrl, loopName, allowedHosts, proxies, rateLimit, maxRequests } = config
  await app.register(loopscope, {
    observer: { port: observerPort, host, blockedMs, wedgedMs, stacks, history, maxSubscribers, redisUrl, name: loopName, url: observerUrl, allowedHosts, proxies },
    offers: ['examples', 'stall', 'lab'], maxRequests, numberOf: ({ id }) => Number(id),
  })
  app.decorate('runs', new Runs(app.loopscope, app.observer, { most: config.maxRuns }))
  // The observer passes on what only the app can do, such as starting a run.
  app.addHook('onListen', (done) => {
    app.observer.serves(ownAddress(app))
    done()
  })
  await app.register(websockets)
  await app.register(protection, {
    names: ownNames(host, observerUrl), allowedHosts, rateLimit, clientOf: (request) => app.observer.clientOf(request),
  })
  await app.register(documentation)
  for (const file of readdirSync(ROUTES).sort()) {
    if (!file.endsWith('.js')) continue
    const { default: routes } = (await import(new URL(file, ROUTES).href)) as { default: (app: App) => void }
    await app.register((scope, _options, done) => {
      routes(scope as App)
      done()
    })
  }
  return app
}
