// When a request can have arrived at the earliest: nobody tells when it reached the machine, only when it was read.
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Socket } from 'node:net'

/** The `Server-Timing` of what has taken no time, or none that anybody could account for, such as what is no request. */
export const NO_TIME = 'run;dur=0, ready;dur=0, wait;dur=0, thread;dur=0'

const answeredAt = Symbol('when the last response on this connection was sent')
type Answered = Socket & { [answeredAt]?: number }

/** Note from now on when each response of `app` was sent. */
export function noteAnswers(app: FastifyInstance): void {
  app.addHook('onResponse', (request, _reply, done) => {
    (request.raw.socket as Answered)[answeredAt] = performance.now()
    done()
  })
}

/**
 * How many seconds ago a request that is read now may have arrived at most: a client that keeps its connection sends the next
 * request after the response before it. Infinity where nothing is known: the first of a connection, and HTTP/2, which has many at once.
 */
export function arrivedWithin({ raw }: FastifyRequest): number {
  const at = raw.httpVersionMajor === 1 ? (raw.socket as Answered)[answeredAt] : undefined
  return at === undefined ? Infinity : (performance.now() - at) / 1000
}
