// A router: an application that passes each call on to the first route that fits.
import type { Application, ConnectionScope, Scope, Send } from '../../src/asgi/index.ts'
import type { Coroutine } from '../../src/index.ts'
import { field, respond } from './responses.ts'

interface Route {
  /** `GET` includes HEAD, `WS` is a WebSocket; null fits all. */
  method: string | null
  path: RegExp
  app: Application
}

/**
 * Routes such as `{ 'GET /items/{id}': item, 'WS /live': live, '/static/*': files }`. `{id}` is one segment, which the
 * application finds in `scope.path_params`. An application below `/*` is mounted there: its `root_path` is that much longer.
 */
export function router(routes: Record<string, Application>): Application {
  const table = Object.entries(routes).map(([pattern, app]) => routeOf(pattern, app))
  return function* route(scope, receive, send) {
    if (scope.type === 'lifespan') throw new Error('this application needs no lifespan')
    // Without a slash, the place where the application is mounted is its root, too.
    const path = scope.path.slice(scope.root_path.length) || '/'
    const fitting = table.filter((one) => one.path.test(path))
    const found = fitting.find(({ method }) => method === null || method === methodOf(scope))
    if (found === undefined) return yield* refuse(scope, send, fitting)
    const { rest, ...params } = found.path.exec(path)?.groups ?? {}
    yield* found.app({ ...scope, path_params: params, root_path: rest === undefined ? scope.root_path : scope.root_path + path.slice(0, path.length - rest.length) }, receive, send)
  }
}

function routeOf(pattern: string, app: Application): Route {
  const [, method = null, path = ''] = /^(?:([A-Z]+) )?(\/.*)$/.exec(pattern) ?? []
  if (path === '') throw new TypeError(`a route is a path, or a method and a path: got ${pattern}`)
  const source = path.replace(/[.+?^$()|[\]\\]/g, '\\$&').replace(/\/\*$/, '(?<rest>/.*|)').replace(/\{(\w+)\}/g, '(?<$1>[^/]+)')
  return { method, path: new RegExp(`^${source}$`, 's'), app }
}

function methodOf(scope: Exclude<Scope, { type: 'lifespan' }>): string {
  if (scope.type === 'websocket') return 'WS'
  return scope.method === 'HEAD' ? 'GET' : scope.method
}

function* refuse(scope: ConnectionScope & { type: string }, send: Send, fitting: Route[]): Coroutine<void> {
  // Before it is accepted: the client gets a 403.
  if (scope.type === 'websocket') return yield* send({ type: 'websocket.close' })
  const allowed = fitting.flatMap(({ method }) => (method === 'WS' ? [] : method === 'GET' ? ['GET', 'HEAD'] : [method as string]))
  if (allowed.length > 0) return yield* respond(send, 405, `${scope.path} allows ${allowed.join(', ')}\n`, [field('allow', allowed.join(', '))])
  yield* respond(send, 404, fitting.length > 0 ? `at ${scope.path} is only a WebSocket\n` : `there is nothing at ${scope.path}\n`)
}
