// Middleware: lets pages of other sites read the answers (CORS, in the Fetch standard).
import type { Application, HttpScope, Send } from '../../src/asgi/index.ts'
import type { Coroutine } from '../../src/index.ts'
import { changing, field, header, respond, varying, type Fields } from './responses.ts'

export interface CorsOptions {
  /** Such as `https://example.org`; `*` is any. */
  origins: readonly string[]
  methods?: readonly string[]
  /** Request headers that such a page may set. */
  headers?: readonly string[]
  /** Response headers that such a page may read. */
  expose?: readonly string[]
  /** Whether cookies are sent. Then `origins` must name them. */
  credentials?: boolean
  /** How long a browser may remember the answer to a preflight, in seconds. */
  maxAge?: number
}

export function cors(app: Application, { origins, methods = ['GET', 'HEAD', 'POST'], headers = [], expose = [], credentials = false, maxAge = 600 }: CorsOptions): Application {
  const any = origins.includes('*')
  if (any && credentials) throw new TypeError('cors: with credentials, name the origins: any site could act for your users')

  function allowing(origin: string, more: Fields): Fields {
    if (!any && !origins.includes(origin)) return []
    return [field('access-control-allow-origin', any ? '*' : origin), ...(credentials ? [field('access-control-allow-credentials', 'true')] : []), ...more]
  }

  /** A browser asks whether the page may send its request. */
  function* preflight(scope: HttpScope, send: Send, origin: string): Coroutine<void> {
    const vary = field('vary', 'origin, access-control-request-method, access-control-request-headers')
    const asked = header(scope.headers, 'access-control-request-headers').toLowerCase().split(',').map((one) => one.trim()).filter((one) => one !== '')
    const allowed = headers.map((one) => one.toLowerCase())
    const method = header(scope.headers, 'access-control-request-method')
    const more = [field('access-control-allow-methods', methods.join(', ')), field('access-control-allow-headers', headers.join(', ')), field('access-control-max-age', maxAge)]
    const wrong = allowing(origin, []).length === 0 ? 'origin' : !methods.includes(method) ? 'method' : asked.some((one) => !allowed.includes(one)) ? 'header' : null
    if (wrong !== null) return yield* respond(send, 400, `CORS: this ${wrong} is not allowed here\n`, [vary, ...allowing(origin, [])])
    yield* send({ type: 'http.response.start', status: 204, headers: [vary, ...allowing(origin, more)] })
    yield* send({ type: 'http.response.body' })
  }

  return function* withCors(scope, receive, send) {
    // A browser does not apply CORS to WebSockets: an application checks their `Origin` itself.
    if (scope.type !== 'http') return yield* app(scope, receive, send)
    const origin = header(scope.headers, 'origin')
    if (origin !== '' && scope.method === 'OPTIONS' && header(scope.headers, 'access-control-request-method') !== '') return yield* preflight(scope, send, origin)
    const own = origin === '' ? [] : allowing(origin, expose.length === 0 ? [] : [field('access-control-expose-headers', expose.join(', '))])
    yield* app(scope, receive, changing(send, (fields) => (any ? [...fields, ...own] : varying([...fields, ...own], 'origin'))))
  }
}
