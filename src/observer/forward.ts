// What only the app can do, asked for at the observer's address: it is passed on as it is, and its answer comes back as it
// comes. A page that is served here can so start a run, and stall the loop, without leaving its own origin.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Agent, request as call, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http'
import { HttpError } from '../server/errors.ts'

/** What is passed on: the examples and their runs, the handlers that stall, the probe, the lab. */
const ROUTES = [
  ['GET', '/examples'], ['GET', '/examples/*'], ['GET', '/handlers/*'], ['GET', '/ping'],
  ['GET', '/lab'], ['GET', '/lab/*'], ['POST', '/lab'], ['DELETE', '/lab/*'],
] as const
/** What belongs to one connection, or says for whom a request was. */
const OWN = new Set(['host', 'origin', 'connection', 'keep-alive', 'transfer-encoding', 'upgrade', 'content-length', 'expect'])

function passedOn(headers: IncomingHttpHeaders): OutgoingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !OWN.has(name) && !name.startsWith('sec-')))
}

/** Serve on `app` what the app at `address()` does; a 503 while that is `null`. */
export function forward(app: FastifyInstance, address: () => string | null): void {
  const agent = new Agent({ keepAlive: true, maxSockets: 256 })
  app.addHook('onClose', (_app, done) => {
    agent.destroy()
    done()
  })

  function pass(request: FastifyRequest, reply: FastifyReply): void {
    const base = address()
    if (base === null) throw new HttpError(503, 'the app does not listen yet: try again in a moment')
    reply.hijack()
    const { raw } = reply
    const body = request.body === undefined || request.body === null ? null : JSON.stringify(request.body)
    const headers = passedOn(request.headers)
    if (body !== null) headers['content-length'] = Buffer.byteLength(body)
    const upstream = call(new URL(request.url, base), { method: request.method, headers, agent }, (answer) => {
      raw.writeHead(answer.statusCode ?? 502, { ...reply.getHeaders() as OutgoingHttpHeaders, ...passedOn(answer.headers) })
      raw.flushHeaders()
      answer.pipe(raw)
      answer.on('error', () => raw.destroy())
    })
    upstream.on('error', (error) => {
      if (raw.headersSent) raw.destroy()
      else {
        raw.writeHead(502, { 'content-type': 'application/json' })
        raw.end(JSON.stringify({ statusCode: 502, error: 'Bad Gateway', message: `the app did not answer: ${error.message}` }))
      }
    })
    // Whoever leaves here leaves there as well: that is how a run is cancelled.
    raw.on('close', () => upstream.destroy())
    upstream.end(body)
  }

  for (const [method, url] of ROUTES) app.route({ method, url, schema: { hide: true } as object, handler: pass })
}
