// The observer's own server: the live view, and the routes of both ports, answered on the observer's thread and therefore also
// during a stall. What only the app can do is passed on to it.
import { Registry } from 'prom-client'
import type { LoopRegistry } from './loop-registry.ts'
import { events } from '../http/routes/events.ts'
import { health } from '../http/routes/health.ts'
import { loops as loopRoutes } from '../http/routes/loops.ts'
import { metrics } from '../http/routes/metrics.ts'
import { page } from '../http/routes/page.ts'
import { runs } from '../http/routes/runs.ts'
import { stalls } from '../http/routes/stalls.ts'
import { tasks } from '../http/routes/tasks.ts'
import { httpServer, type HttpServer } from '../http/server.ts'
import { protection } from '../http/protection.ts'
import { websockets } from '../http/websockets.ts'
import type { ReadersOptions } from '../http/readers.ts'
import { forward, type Upstream } from './proxy.ts'

/** The largest body that is read, in bytes: the one that starts a lab. */
const BODY_LIMIT = 1024

export interface ObserverAppOptions {
  /** Allowed names of this server, besides addresses, localhost and `allowedHosts`. */
  names: readonly string[]
  allowedHosts: readonly string[]
  /** The proxies in front of it: their `X-Forwarded-For` gives the client's address. */
  proxies: readonly string[]
  /** The app that this port passes requests on to; `null` for a program that has nothing of loopscope's to offer. */
  upstream: Upstream | null
  /** The limit of `/livez`. */
  wedgedMs: number
  readers?: ReadersOptions
}

export async function buildObserverApp(loops: LoopRegistry, { names, allowedHosts, proxies, upstream, wedgedMs, readers }: ObserverAppOptions): Promise<HttpServer> {
  const app = httpServer({ bodyLimit: BODY_LIMIT, proxies, readers })
  // The app has its own rate limit for what is passed on.
  await app.register(protection, { names, allowedHosts, rateLimit: 0 })
  await app.register(websockets)
  app.addHook('onRequest', (_request, _reply, done) => {
    loops.own.drain()
    done()
  })
  // Routes must be added after the plugins whose hooks they need.
  await app.register((scope, _options, done) => {
    const routes = scope as unknown as HttpServer
    for (const add of [events, loopRoutes, tasks, runs, stalls]) add(routes, loops)
    metrics(routes, loops, new Registry())
    health(routes, wedgedMs, () => ({ blocked: loops.own.blocked, turning: loops.turning(), closing: loops.closing, observerDown: null }))
    page(routes, '')
    if (upstream !== null) forward(scope, upstream)
    done()
  })
  return app
}
