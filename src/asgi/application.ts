// Checks applications and calls them.
import { isCoroutine, type Coroutine } from '../runtime/coroutine.ts'
import { describe } from '../runtime/describe.ts'
import type { Application, Receive, Scope, Send } from './types.ts'

/** Throws a TypeError for what cannot be an application. */
export function requireApplication(app: unknown): asserts app is Application {
  if (typeof app !== 'function') throw new TypeError(`an ASGI application is a coroutine function (scope, receive, send), got ${describe(app)}`)
  const kind = Object.prototype.toString.call(app)
  if (/^class\b/.test(Function.prototype.toString.call(app)) || (kind === '[object Function]' && app.length === 1)) {
    throw new TypeError(`an ASGI application is a coroutine function of three arguments (scope, receive, send); ${describe(app)} looks like one of ASGI 2, which is called twice`)
  }
  if (kind === '[object AsyncFunction]') {
    throw new TypeError(`an ASGI application is a coroutine function (function*, with yield*); ${describe(app)} is an async function, which cannot await receive and send`)
  }
}

/** Calls an application. Throws a TypeError if it returns no coroutine, as the result of asyncToSync does. */
export function call(app: Application, scope: Scope, receive: Receive, send: Send): Coroutine<void> {
  const coro = app(scope, receive, send) as unknown
  if (!isCoroutine(coro)) throw new TypeError(`an ASGI application is a coroutine function (function*); ${describe(app)} returned ${describe(coro)}`)
  return coro as Coroutine<void>
}
