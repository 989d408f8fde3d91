// Passes requests at the observer's port that only the app can answer on to the app, and streams the answer back. So the page
// that is served here can start a run, or block the loop, within its own origin. The client controls no part of the address:
// host and port are the app's own socket, the path is that of the matched route.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Agent, request as call, type IncomingHttpHeaders, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http'
import { bodyOf } from '../http/errors.ts'
import { CLIENT_HEADER } from '../http/origin.ts'
import { PAGE_HEADER, passedOn } from '../http/paths.ts'
import { Refusal } from '../http/refusals.ts'

/** Headers of a request that the app needs. No cookie, no authorization, nothing about the client is passed on. */
const PASSED_ON = ['accept', 'content-type', 'x-request-start', PAGE_HEADER] as const
/** Headers of an answer that belong to one connection. */
const OF_CONNECTION = new Set(['connection', 'keep-alive', 'transfer-encoding', 'upgrade', 'trailer', 'set-cookie'])
/** The most requests at once. */
const MOST_FORWARDED = 1024

export interface Upstream {
  /** The app's address, as it reports it; `null` if it does not listen (yet). */
  address: () => string | null
  /** Known only to this process. */
  secret: string
}

/** Serves on `app` what the app at `address()` serves; a 503 while that is `null`. */
export function forward(app: FastifyInstance, { address, secret }: Upstream): void {
  const agent = new Agent({ keepAlive: true, maxSockets: MOST_FORWARDED })
  let underWay = 0
  app.addHook('onClose', (_app, done) => {
    agent.destroy()
    done()
  })

  function pass(request: FastifyRequest, reply: FastifyReply): void {
    const base = address()
    if (base === null) throw new Refusal('app-not-listening', 'the app does not listen yet: try again in a moment')
    if (underWay >= MOST_FORWARDED) throw new Refusal('too-many-requests', `${underWay} requests to the app are under way through this port, which is the limit`)
    const { hostname, port } = new URL(base)
    const body = request.body === undefined || request.body === null ? null : JSON.stringify(request.body)
    const headers: OutgoingHttpHeaders = { [CLIENT_HEADER]: `${secret} ${request.ip}` }
    for (const name of PASSED_ON) if (request.headers[name] !== undefined) headers[name] = request.headers[name]
    if (body !== null) headers['content-length'] = Buffer.byteLength(body)
    const upstream = call({ host: hostname.replace(/^\[|\]$/g, ''), port, path: request.url, method: request.method, headers, agent })
    // From here on nothing may throw: the answer is written here, piece by piece.
    reply.hijack()
    underWay++
    const { raw } = reply
    upstream.on('response', (answer) => answered(answer, reply))
    upstream.on('error', (error) => failed(reply, error.message))
    // When a client disconnects here, the request to the app is closed as well: that cancels a run.
    raw.on('close', () => {
      underWay--
      upstream.destroy()
    })
    upstream.end(body)
  }

  for (const [method, url] of passedOn) app.route({ method, url, schema: { hide: true } as object, handler: pass })
}

function answered(answer: IncomingMessage, reply: FastifyReply): void {
  const { raw } = reply
  const { statusCode = 0 } = answer
  answer.on('error', () => raw.destroy())
  if (statusCode < 200 || statusCode > 599) {
    answer.destroy()
    failed(reply, `it gave the status ${statusCode}`)
    return
  }
  raw.writeHead(statusCode, { ...reply.getHeaders() as OutgoingHttpHeaders, ...ofAnswer(answer.headers) })
  raw.flushHeaders()
  answer.pipe(raw)
}

function ofAnswer(headers: IncomingHttpHeaders): OutgoingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !OF_CONNECTION.has(name)))
}

function failed({ raw }: FastifyReply, why: string): void {
  if (raw.headersSent) {
    raw.destroy()
    return
  }
  raw.writeHead(502, { 'content-type': 'application/json; charset=utf-8' })
  raw.end(JSON.stringify(bodyOf('app-does-not-answer', `the app did not answer: ${why}`)))
}
