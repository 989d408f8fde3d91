// Middleware: a request that takes too long is cancelled and answered with a 504.
import type { Application, Send } from '../../src/asgi/index.ts'
import { timeout, TimeoutError, type Timeout } from '../../src/index.ts'
import { respond } from './responses.ts'

export function withTimeout(app: Application, seconds: number): Application {
  return function* limited(scope, receive, send) {
    if (scope.type !== 'http') return yield* app(scope, receive, send)
    let started = false
    let deadline: Timeout | undefined
    const noting: Send = (event) => {
      started ||= event.type === 'http.response.start'
      return send(event)
    }
    try {
      yield* timeout(seconds, (own) => {
        deadline = own
        return app(scope, receive, noting)
      })
    } catch (error) {
      // The application may have timeouts of its own. A response that has begun cannot be replaced: the server breaks it off.
      if (!(error instanceof TimeoutError) || deadline?.expired() !== true || started) throw error
      yield* respond(send, 504, `not done within ${seconds} s\n`)
    }
  }
}
