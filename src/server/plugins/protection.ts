// What keeps other sites and greedy clients out: headers for browsers, a check of where a request comes from, and a limit
// on calls that cost processor time or hold the loop.
import type { FastifyRequest } from 'fastify'
import helmet from '@fastify/helmet'
import rateLimit from '@fastify/rate-limit'
import fp from 'fastify-plugin'
import { HttpError } from '../errors.ts'

const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\]|::1)$/

/** What pages of this server may load and do. A route that needs another policy sets its own. */
const POLICY = [
  "default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'", "img-src 'self' data:",
  // The playground's programs run in a document of this server that has a policy, and an origin, of its own.
  "frame-src 'self'",
  "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
].join(';')

declare module 'fastify' {
  interface FastifyInstance {
    /** Route options for what is costly: so many calls a minute and client. */
    costly: { config: object }
  }
}

export const protection = fp(async (app) => {
  const { config } = app
  // Helmet would write the policy anew for every request.
  await app.register(helmet, {
    contentSecurityPolicy: false,
    // This server speaks plain HTTP; whoever puts TLS in front of it knows whether it may be insisted on.
    hsts: false,
  })
  await app.register(rateLimit, {
    global: false,
    errorResponseBuilder: (_request, { max, after }) =>
      new HttpError(429, `more than ${max} calls a minute to what costs processor time: try again in ${after}`),
  })
  const limited = config.rateLimit === 0 ? {} : { rateLimit: { max: config.rateLimit, timeWindow: 60_000 } }
  app.decorate('costly', { config: limited })
  const onlyLocal = LOOPBACK.test(config.host)
  app.addHook('onRequest', (request, reply, done) => {
    reply.header('content-security-policy', POLICY)
    const problem = foreign(request, onlyLocal)
    if (problem === null) done()
    else done(new HttpError(403, problem))
  })
}, { name: 'protection' })

/** Why a request is taken for another site's, or `null`. */
function foreign({ headers }: FastifyRequest, onlyLocal: boolean): string | null {
  const { host, origin } = headers
  // A name that somebody has pointed at this machine: a page from there would be of the same origin as we are.
  if (onlyLocal && host !== undefined && !LOOPBACK.test(host.replace(/:\d+$/, ''))) {
    return `this server is for this machine only, and is not called ${host}`
  }
  if (origin !== undefined && !sameHost(origin, host)) return `${origin} is another origin, and may not use this server`
  const site = headers['sec-fetch-site']
  if ((site === 'cross-site' || site === 'same-site') && headers['sec-fetch-mode'] !== 'navigate') {
    return 'another site may link here, but not load from here'
  }
  return null
}

function sameHost(origin: string, host: string | undefined): boolean {
  try {
    const { protocol, host: from } = new URL(origin)
    return from !== '' && from === new URL(`${protocol}//${host}`).host
  } catch {
    return false
  }
}
