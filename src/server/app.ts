// Builds the app; never listens. Plugins first, then every file of routes/, each of which serves one prefix and is handed
// what it needs by decoration.
import type { FastifyBaseLogger, FastifyInstance, FastifyReply, FastifyRequest, FastifyTypeProvider, RawReplyDefaultExpression, RawRequestDefaultExpression, RawServerDefault } from 'fastify'
import type { LoggerOptions } from 'pino'
import type { z } from 'zod'
import Fastify, { LogController } from 'fastify'
import { validatorCompiler } from 'fastify-type-provider-zod'
import { readdirSync } from 'node:fs'
import type { Config } from './config.ts'
import type { Runs } from './runs.ts'
import { answerClientError, answerError, handleErrors } from './errors.ts'
import './observe.ts' // what the plugin would load by itself, within the time that Fastify gives a plugin
import { documentation } from './plugins/documentation.ts'
import { loopscope } from './plugins/loopscope.ts'
import { protection } from './plugins/protection.ts'
import { streaming } from './plugins/streaming.ts'
import { timing } from './plugins/timing.ts'

declare module 'fastify' {
  interface FastifyInstance {
    config: Config
    runs: Runs
    /** Set once the server is on its way down. */
    draining: { since: number | null }
  }
}

/** Schemas type what comes in. What goes out is documented by them, and typed by the handler itself. */
interface ZodIn extends FastifyTypeProvider {
  validator: this['schema'] extends z.ZodType ? z.output<this['schema']> : unknown
  serializer: unknown
}

export type App = FastifyInstance<RawServerDefault, RawRequestDefaultExpression, RawReplyDefaultExpression, FastifyBaseLogger, ZodIn>

const BODY_LIMIT = 64 * 1024
const HEADER_LIMIT = 16 * 1024
const ROUTES = new URL('../../routes/', import.meta.url)

export interface AppOptions {
  logger?: LoggerOptions | boolean
}

/** The whole app of this server. Call `ready()` or `listen()` on it, and `close()` at the end. */
export async function buildApp(config: Config, options: AppOptions = {}): Promise<App> {
  let received = 0
  const app = Fastify({
    logger: options.logger ?? false,
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: () => `r${++received}`,
    bodyLimit: BODY_LIMIT,
    http: { maxHeaderSize: HEADER_LIMIT },
    routerOptions: { ignoreTrailingSlash: true },
    exposeHeadRoutes: false,
    // Whose calls are counted together.
    ...(config.proxies.length === 0 ? {} : { trustProxy: config.proxies }),
    requestTimeout: 30_000,
    forceCloseConnections: true,
    clientErrorHandler: answerClientError,
    frameworkErrors: (error, request, reply) => {
      answerError(error, request as FastifyRequest, reply as FastifyReply)
    },
  }).withTypeProvider<ZodIn>()
  app.setValidatorCompiler(validatorCompiler)
  // Answers are made by our own code and typed by it: checking them against their schemas again would cost each request.
  app.setSerializerCompiler(() => (data) => JSON.stringify(data))
  app.decorate('config', config)
  app.decorate('draining', { since: null })
  handleErrors(app as unknown as FastifyInstance)
  // Before the handlers are wrapped, and before anything that may refuse a request.
  await app.register(timing)
  const { observerPort, observerUrl, host, blockedMs, stacks, history, maxSubscribers, redisUrl, loopName } = config
  await app.register(loopscope, {
    observer: { port: observerPort, host, blockedMs, stacks, history, maxSubscribers, redisUrl, name: loopName, url: observerUrl },
  })
  await app.register(streaming)
  await app.register(protection)
  await app.register(documentation)
  for (const file of readdirSync(ROUTES).sort()) {
    if (!/\.[jt]s$/.test(file) || file.endsWith('.d.ts')) continue
    const { default: routes } = (await import(new URL(file, ROUTES).href)) as { default: (app: App) => void }
    await app.register((scope, _options, done) => {
      routes(scope as App)
      done()
    })
  }
  return app
}
