// Where a request comes from, and the earliest time at which it can have arrived: it is known only when it was read, not when
// it reached the machine.
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { PAGE_HEADER } from './paths.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Only the live page calls it: the browser sets no header there. */
    ofPage?: boolean
  }
}

/** The `Server-Timing` of a response that took no time, or whose time cannot be measured, such as that to an invalid request. */
export const NO_TIME = 'run;dur=0, ready;dur=0, wait;dur=0, thread;dur=0'

const answeredAt = Symbol('when the last response on this connection was sent')
type Answered = Socket & { [answeredAt]?: number }

/** Notes from now on when each response of `app` was sent. */
export function noteAnswers(app: FastifyInstance): void {
  app.addHook('onResponse', (request, _reply, done) => {
    answered(request.raw)
    done()
  })
}

/** The response to this request was sent now. */
export function answered({ socket }: IncomingMessage): void {
  (socket as Answered)[answeredAt] = performance.now()
}

/**
 * The most seconds ago that a request which is read now may have arrived: on a kept connection, the client sends it after
 * the previous response. Infinity if nothing is known: for the first request of a connection, and for HTTP/2, which has many
 * at once.
 */
export function arrivedWithin({ httpVersionMajor, socket }: IncomingMessage): number {
  const at = httpVersionMajor === 1 ? (socket as Answered)[answeredAt] : undefined
  return at === undefined ? Infinity : (performance.now() - at) / 1000
}

/** Whether the live page has sent a request. */
export function isOfPage({ headers, routeOptions }: FastifyRequest): boolean {
  return headers[PAGE_HEADER] !== undefined || routeOptions.config.ofPage === true
}
