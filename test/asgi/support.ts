// Shared by the tests of the ASGI server: an application under test, served on a free port.
import { createTask, type Coroutine } from '../../src/index.ts'
import { serve, type Application, type AsgiServer, type HttpScope, type Receive, type Scope, type Send, type SendEvent, type ServeOptions, type WebSocketScope } from '../../src/asgi/index.ts'

interface Test {
  teardown(fn: () => unknown): void
}

export const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1')
export const text = (value: Uint8Array): string => Buffer.from(value).toString('latin1')

export interface Served extends AsgiServer {
  /** What the server has logged. */
  log: string[]
}

/** Serves an application until the test ends. */
export async function served(t: Test, app: Application, options: ServeOptions = {}): Promise<Served> {
  const log: string[] = []
  const server = await serve(app, { ...(options.uds === undefined ? { port: 0 } : {}), log: (message, error) => log.push(error === null ? message : `${message}: ${String(error)}`), ...options })
  t.teardown(() => server.close())
  return Object.assign(Object.create(server) as AsgiServer, { log })
}

/** An application for HTTP alone. */
export function http(handle: (scope: HttpScope, receive: Receive, send: Send) => Coroutine<void>): Application {
  return function* app(scope, receive, send) {
    if (scope.type !== 'http') throw new Error(`no ${scope.type} here`)
    yield* handle(scope, receive, send)
  }
}

/** An application for WebSockets alone. */
export function webSocket(handle: (scope: WebSocketScope, receive: Receive, send: Send) => Coroutine<void>): Application {
  return function* app(scope: Scope, receive, send) {
    if (scope.type !== 'websocket') throw new Error(`no ${scope.type} here`)
    yield* handle(scope, receive, send)
  }
}

export function* respond(send: Send, body: string, status = 200, headers: [string, string][] = []): Coroutine<void> {
  yield* send({ type: 'http.response.start', status, headers: headers.map(([name, value]) => [bytes(name), bytes(value)]) })
  yield* send({ type: 'http.response.body', body: bytes(body) })
}

/** The error that a message causes; null if it is sent. */
export function* refusal(send: Send, event: unknown): Coroutine<Error | null> {
  try {
    yield* send(event as SendEvent)
    return null
  } catch (error) {
    return error as Error
  }
}

export { createTask }
