// Adds `Server-Timing` to every response. A coroutine's task measures its own time. For everything else (plain handlers,
// files, errors) the time since the request was read is `run`.
import type { FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { serverTiming, type Timing } from '../http/request-timing.ts'
import { timingOf } from '../http/served-task.ts'
import { isCoroutineFunction } from './coroutines.ts'
import type { Served } from './served-request.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Created when the request was read, unless its handler is a coroutine. */
    timing: Timing | null
  }
}

/** Sets the headers that every response has, unless a coroutine's task sets its own. */
function stampPlain(request: FastifyRequest, reply: FastifyReply): void {
  if ((request.loopscope as Served | null | undefined) != null) return
  // A request that was refused before its handler began has none.
  const timing = (request.timing as Timing | null | undefined) ?? open(request)
  timing.run = request.server.loopscope.loop.time() - timing.since
  reply.header('x-request-id', request.id).header('server-timing', serverTiming(timing))
}

function open(request: FastifyRequest): Timing {
  return timingOf(request.raw, request.server.loopscope)
}

function listed<T>(hooks: T | T[] | undefined): T[] {
  return hooks === undefined ? [] : Array.isArray(hooks) ? hooks : [hooks]
}

/** Register before any route. */
export const timing = fp((app, _options, done) => {
  app.decorateRequest('timing', null)
  app.answersPlain = stampPlain
  app.addHook('onRoute', (route) => {
    if (isCoroutineFunction(route.handler)) return
    route.onRequest = [(request, _reply, next) => {
      request.timing = open(request)
      next()
    }, ...listed(route.onRequest)]
    route.onSend = [...listed(route.onSend), (request, reply, _payload, next) => {
      stampPlain(request, reply)
      next()
    }]
  })
  done()
}, { name: 'timing', fastify: '5.x' })
