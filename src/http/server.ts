// The HTTP server on which the app and its observer are built: the same limits, the same routing, and one shape for all
// errors, even for input that is not HTTP.
import type { FastifyBaseLogger, FastifyInstance, FastifyReply, FastifyRequest, FastifySchema, FastifyTypeProvider, RawReplyDefaultExpression, RawRequestDefaultExpression, RawServerDefault, RouteHandlerMethod } from 'fastify'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { LoggerOptions } from 'pino'
import type { z } from 'zod'
import Fastify, { LogController } from 'fastify'
import { validatorCompiler } from 'fastify-type-provider-zod'
import { began, boundPipelining } from './connections.ts'
import { answerClientError, answerError, bodyOf, handleErrors } from './errors.ts'
import { requireDefaults } from './fields.ts'
import { Readers, type ReadersOptions } from './readers.ts'

declare module 'fastify' {
  interface FastifyInstance {
    readers: Readers
    /** Sets the headers that every response has on a reply that no handler has made. A plugin may set it. */
    answersPlain: (request: FastifyRequest, reply: FastifyReply) => void
    /** Called before an answer that goes on until its client disconnects. A plugin may set it. */
    opens: (request: FastifyRequest) => void
    /** How handlers of routes on both ports run: as they are, or each as a coroutine. A server may set it. */
    served: (handler: Handler) => RouteHandlerMethod
  }
}

/** Its result is sent, or what the result is a promise of. */
type Handler = (request: FastifyRequest, reply: FastifyReply) => unknown

type Done = (error: Error | null, payload: unknown) => void

const HEADER_LIMIT = 16 * 1024

/** Schemas give the types of input. For output they are documentation; the handler itself gives the types. */
interface ZodIn extends FastifyTypeProvider {
  validator: this['schema'] extends z.ZodType ? z.output<this['schema']> : unknown
  serializer: unknown
}

export type HttpServer = FastifyInstance<RawServerDefault, RawRequestDefaultExpression, RawReplyDefaultExpression, FastifyBaseLogger, ZodIn>

type Read<T> = T extends z.ZodType ? z.output<T> : unknown

/** Adds a route that both ports have. */
export function serve<S extends FastifySchema>(
  app: HttpServer, method: 'GET' | 'DELETE', url: string, schema: S,
  handler: (request: FastifyRequest & { query: Read<S['querystring']>; params: Read<S['params']> }, reply: FastifyReply) => unknown,
): void {
  app.route({ method, url, schema: schema as FastifySchema, handler: app.served(handler as Handler) as never })
}

/** What is logged, and where. */
export type LogOptions = LoggerOptions & { stream?: { write(line: string): void } }

export interface HttpServerOptions {
  logger?: LogOptions | boolean
  /** The largest body that is read, in bytes. */
  bodyLimit: number
  /** The proxies in front of it: their `X-Forwarded-For` gives the client's address. */
  proxies: readonly string[]
  readers?: ReadersOptions | undefined
}

/** A server without routes; it does not listen yet. */
export function httpServer({ logger = false, bodyLimit, proxies, readers: readersOptions }: HttpServerOptions): HttpServer {
  let received = 0
  const app = Fastify({
    logger,
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: () => String(++received),
    bodyLimit,
    // Node would answer a request without a Host in a shape of its own. protection.ts answers it instead.
    http: { maxHeaderSize: HEADER_LIMIT, requireHostHeader: false },
    routerOptions: { ignoreTrailingSlash: true },
    exposeHeadRoutes: false,
    ...(proxies.length === 0 ? {} : { trustProxy: [...proxies] }),
    requestTimeout: 30_000,
    forceCloseConnections: true,
    clientErrorHandler: answerClientError,
    // Given here and not later, so that Fastify loads neither of its own. Answers are made and typed by our own code: checking
    // each against its schema would cost time.
    schemaController: { compilersFactory: { buildValidator: () => validatorCompiler as never, buildSerializer: () => () => (data) => JSON.stringify(data) } },
    frameworkErrors: (error, request, reply) => {
      answerError(error, request as FastifyRequest, reply as FastifyReply)
    },
  }).withTypeProvider<ZodIn>()
  app.addHook('onRoute', ({ method, url, schema = {} }) => {
    for (const part of ['querystring', 'body', 'params', 'headers'] as const) requireDefaults(schema[part], `${String(method)} ${url}: ${part}`)
  })
  boundPipelining(app as unknown as FastifyInstance)
  const readers = new Readers(readersOptions)
  app.decorate('readers', readers)
  app.decorate('answersPlain', () => {})
  app.decorate('opens', () => {})
  app.decorate('served', (handler) => handler as RouteHandlerMethod)
  app.addHook('onSend', (request, _reply, payload, done: Done) => done(readers.take(request.raw.socket, payload), payload))
  app.server.on('checkExpectation', refuseExpectation)
  handleErrors(app as unknown as FastifyInstance)
  return app
}

function refuseExpectation(request: IncomingMessage, response: ServerResponse): void {
  // Node passes this request on only here. Its body, which is not read, may be invalid HTTP: that must not get a second
  // answer.
  began(request, response)
  const { expect = '' } = request.headers
  response.writeHead(417, { 'content-type': 'application/json; charset=utf-8', 'connection': 'close' })
  response.end(JSON.stringify(bodyOf('expectation-failed', `Expect: ${expect} is not possible here, only 100-continue`)))
}
