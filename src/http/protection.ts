// Protects against other sites and greedy clients: headers for browsers, a check of a request's host and origin, and a limit
// on calls that cost processor time or block the loop.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import helmet from 'helmet'
import { Refusal } from './refusals.ts'
import { foreignProblem, hostHeaderProblem, HostNames, targetProblem } from './origin.ts'

/** What pages of this server may load and do. A route that needs another policy sets its own. */
const POLICY = [
  "default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'", "img-src 'self' data:",
  // The playground's programs run in a document of this server with its own policy and origin.
  "frame-src 'self'",
  "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
].join(';')

/**
 * Every answer has the same headers for browsers: helmet says once which. Its policy is not ours, and `hsts` is for the proxy
 * that does TLS, as this server speaks plain HTTP.
 */
function browserHeaders(): Record<string, string> {
  const headers: Record<string, string> = { 'content-security-policy': POLICY }
  const response = {
    setHeader: (name: string, value: string) => { headers[name.toLowerCase()] = value },
    removeHeader: () => {},
  }
  helmet({ contentSecurityPolicy: false, hsts: false })({} as IncomingMessage, response as unknown as ServerResponse, () => {})
  return headers
}

declare module 'fastify' {
  interface FastifyInstance {
    /** Options for costly routes: limited in calls for each minute and client. */
    costly: { config: object }
  }
  interface FastifyContextConfig {
    /** It is a page for people, which other sites may link to. */
    page?: boolean
  }
}

export interface ProtectionOptions {
  /** Allowed names of this server, besides addresses, localhost and `allowedHosts`. */
  names: readonly string[]
  allowedHosts: readonly string[]
  /** The limit of costly calls for each minute and client; 0 for no limit. */
  rateLimit: number
  /** The client for which a request was passed on; `null` if it comes from the client itself. */
  clientOf?: (request: FastifyRequest) => string | null
}

export const protection = fp<ProtectionOptions>(async (app, { names, allowedHosts, rateLimit: most, clientOf = () => null }) => {
  const known = new HostNames(names, allowedHosts)
  const headers = browserHeaders()
  // The first hook: a refusal costs nothing else.
  app.addHook('onRequest', (request, reply, done) => {
    reply.headers(headers)
    const problem = problemOf(request, known)
    if (problem === null) done()
    else done(problem)
  })
  app.decorate('costly', { config: most === 0 ? {} : { rateLimit: { max: most, timeWindow: 60_000 } } })
  if (most === 0) return
  // The observer has no costly routes, and does not load it.
  const { default: rateLimit } = await import('@fastify/rate-limit')
  await app.register(rateLimit, {
    global: false,
    keyGenerator: (request) => clientOf(request) ?? request.ip,
    errorResponseBuilder: (_request, { max, after }) =>
      new Refusal('rate-limited', `more than ${max} calls a minute to what costs processor time: try again in ${after}`),
  })
}, { name: 'protection' })

function problemOf(request: FastifyRequest, known: HostNames): Refusal | null {
  const { raw } = request
  const { headers } = raw
  const bad = targetProblem(raw.url as string) ?? hostHeaderProblem(raw.rawHeaders, raw.httpVersion)
  if (bad !== null) return new Refusal('invalid-request', bad)
  const { host } = headers
  if (host !== undefined && !known.has(host)) {
    return new Refusal('unknown-host', `this server is not called ${host.slice(0, 200)}: it accepts addresses, localhost and the names in ALLOWED_HOSTS`)
  }
  // Fastify makes an object at each access to `routeOptions`.
  const problem = foreignProblem(raw.method as string, headers, () => (request.routeOptions.config as { page?: boolean } | undefined)?.page === true)
  return problem === null ? null : new Refusal('foreign-site', problem)
}
