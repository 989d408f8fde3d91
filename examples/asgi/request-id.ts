// Middleware: gives each request an id, which the client may have chosen. It is in the response, in the scope, and in a
// context variable, for the log of whatever the request calls.
import { randomUUID } from 'node:crypto'
import type { Application } from '../../src/asgi/index.ts'
import { ContextVar } from '../../src/index.ts'
import { changing, field, header, without } from './responses.ts'

export const requestId = new ContextVar('requestId', { default: '' })

export function withRequestId(app: Application): Application {
  return function* identified(scope, receive, send) {
    if (scope.type === 'lifespan') return yield* app(scope, receive, send)
    const given = header(scope.headers, 'x-request-id')
    // It goes into logs: only what can do no harm there.
    const id = /^[\w.-]{1,64}$/.test(given) ? given : randomUUID()
    requestId.set(id)
    yield* app({ ...scope, request_id: id }, receive, changing(send, (fields) => [...without(fields, 'x-request-id'), field('x-request-id', id)]))
  }
}
