// All errors have one shape, `{ statusCode, code, error, message, details? }`, no matter what caused them: a handler, a
// schema, the router, the HTTP parser. Programs match the code; the message is for people.
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { STATUS_CODES } from 'node:http'
import { z } from 'zod'
import { cutTexts } from '../events/texts.ts'
import { NO_TIME } from './arrival.ts'
import { unanswered } from './connections.ts'
import { isCode, STATUSES, type Code, type Refusal } from './refusals.ts'
import { asError } from './thrown.ts'

export const errorBody = z.object({
  statusCode: z.int(),
  code: z.enum(Object.keys(STATUSES) as [Code, ...Code[]]).describe('what is wrong, for programs'),
  error: z.string(),
  message: z.string(),
  details: z.array(z.object({ field: z.string(), message: z.string() })).optional(),
}).describe('Every error has this shape')

export type ErrorBody = z.infer<typeof errorBody>

/** The most fields that an answer names. */
const MOST_DETAILS = 50

/** The body of an error. It may contain input of the client, so its texts and their number are limited. */
export function bodyOf(code: Code, message: string, details?: ErrorBody['details']): ErrorBody {
  const statusCode = STATUSES[code]
  const told = details === undefined ? {} : { details: details.slice(0, MOST_DETAILS) }
  return cutTexts({ statusCode, code, error: STATUS_CODES[statusCode] ?? 'Error', message, ...told })
}

/** The parts of a request that schemas check. */
const OF_PART: Record<string, Code> = { querystring: 'invalid-query', params: 'invalid-path', body: 'invalid-body', headers: 'invalid-header' }

/** Codes for errors of Fastify, plugins and the runtime, which have only a status or a name. */
const OF_STATUS: Record<number, Code> = {
  400: 'invalid-request', 403: 'forbidden', 404: 'no-such-route', 408: 'request-timeout', 412: 'precondition-failed', 413: 'body-too-large', 414: 'path-too-long',
  415: 'unsupported-media-type', 416: 'range-not-satisfiable', 429: 'rate-limited', 503: 'too-many-requests',
}
const OF_NAME: Record<string, Code> = { QueueFull: 'too-many-calls', NoThread: 'too-many-calls' }
const OF_FASTIFY: Record<string, Code> = { FST_ERR_CTP_INVALID_JSON_BODY: 'invalid-body', FST_ERR_CTP_EMPTY_JSON_BODY: 'invalid-body' }

function codeOf({ code, name, statusCode = 500 }: FastifyError): Code {
  return isCode(code) ? code : OF_NAME[name] ?? OF_FASTIFY[code] ?? OF_STATUS[statusCode] ?? 'internal-error'
}

/** The problems that a schema found, by field. */
function fieldsOf(validation: NonNullable<FastifyError['validation']>): { field: string; message: string }[] {
  return validation.flatMap(({ instancePath, message = 'is not valid', params }) => {
    const { keys } = (params.issue ?? params) as { keys?: string[] }
    const path = instancePath.split('/').filter((part) => part !== '').join('.')
    if (keys !== undefined) return keys.map((key) => ({ field: path === '' ? key : `${path}.${key}`, message: 'is not a known field here' }))
    return [{ field: path, message }]
  })
}

/** Answers what a handler threw, a schema refused, or the router cannot read. */
export function answerError(thrown: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const error = asError(thrown) as FastifyError
  if (error.validation !== undefined) {
    const details = fieldsOf(error.validation)
    const code = OF_PART[error.validationContext ?? ''] ?? 'invalid-request'
    return send(request, reply, bodyOf(code, details.map(({ field, message }) => `${field}: ${message}`).join('; '), details))
  }
  const code = codeOf(error)
  const statusCode = STATUSES[code]
  const { details, headers } = error as Partial<Refusal>
  if (headers !== undefined) reply.headers(headers)
  // Internal errors go to the log only. A 503 or 504 is a limit that was reached, and names it.
  const told = statusCode < 500 || statusCode === 503 || statusCode === 504
  // An error because the client has disconnected is not logged.
  const left = (request.raw.socket as Socket | undefined)?.destroyed === true
  if (statusCode >= 500 && statusCode !== 503 && !left) request.log.error({ err: error }, 'a request failed')
  return send(request, reply, bodyOf(code, told ? error.message : 'the server failed to answer this; its log says why', details))
}

function send(request: FastifyRequest, reply: FastifyReply, body: ErrorBody): FastifyReply {
  request.server.answersPlain(request, reply)
  if (body.statusCode === 503 && reply.getHeader('retry-after') === undefined) reply.header('retry-after', '1')
  return reply.code(body.statusCode).type('application/json; charset=utf-8').send(body)
}

interface Known {
  pattern: RegExp
  methods: Set<string>
}

/** Gives every error of `app` the one shape. Call before routes are added: it notes which methods a path has. */
export function handleErrors(app: FastifyInstance): void {
  const known = new Map<string, Known>()
  app.addHook('onRoute', ({ url, method }) => {
    const pattern = new RegExp(`^${url.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replace(/:[^/]+/g, '[^/]+').replace(/\*/g, '.*')}/?$`)
    const entry = known.get(url) ?? { pattern, methods: new Set<string>() }
    for (const one of [method].flat()) entry.methods.add(one)
    known.set(url, entry)
  })
  app.setErrorHandler((error, request, reply) => answerError(error, request, reply))
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?', 1)[0] as string
    const methods = [...known.values()].filter(({ pattern }) => pattern.test(path)).flatMap((entry) => [...entry.methods])
    // A missing file is not a wrong method: its route has answered that there is no such file.
    if (methods.length > 0 && !methods.includes(request.method)) {
      const allow = [...new Set(methods)].join(', ')
      reply.header('allow', allow)
      return send(request, reply, bodyOf('method-not-allowed', `${request.method} is not possible on ${path}, only ${allow}`))
    }
    return send(request, reply, bodyOf('no-such-route', `there is no ${request.method} ${path} here: GET / lists what there is`))
  })
}

const CLIENT_ERRORS: Record<string, [Code, string]> = {
  HPE_HEADER_OVERFLOW: ['headers-too-large', 'the request line and headers are larger than this server reads'],
  ERR_HTTP_REQUEST_TIMEOUT: ['request-timeout', 'the request took too long to arrive'],
}

let unreadable = 0

/** Answers invalid HTTP, on the bare socket. */
export function answerClientError(error: Error & { code?: string }, socket: Socket): void {
  const [code, message] = CLIENT_ERRORS[error.code ?? ''] ?? ['invalid-request', 'this is not an HTTP request that can be read']
  if (error.code === 'ECONNRESET') socket.destroy()
  else answerOnSocket(socket, code, message)
}

/** Answers on the bare socket, and closes it. If another answer is under way, it can only be closed. */
export function answerOnSocket(socket: Duplex, code: Code, message: string): void {
  if (socket.destroyed || !socket.writable || unanswered(socket) > 0) {
    socket.destroy()
    return
  }
  const statusCode = STATUSES[code]
  const body = JSON.stringify(bodyOf(code, message))
  socket.end(
    `HTTP/1.1 ${statusCode} ${STATUS_CODES[statusCode]}\r\nContent-Type: application/json; charset=utf-8\r\n`
    + `X-Request-Id: u${++unreadable}\r\nServer-Timing: ${NO_TIME}\r\n`
    + `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  )
  closeSoon(socket)
}

/** How long a connection that will be closed is still read, in ms. */
const LINGER_MS = 500

/** Closes a connection once the client has had time to read: if it were closed while the client still sends, the answer would be lost. */
export function closeSoon(socket: Duplex): void {
  socket.resume()
  socket.once('end', () => socket.destroy())
  setTimeout(() => socket.destroy(), LINGER_MS).unref()
}
