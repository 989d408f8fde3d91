// The interface between a server and an application: ASGI 3.0, with the HTTP and WebSocket messages of version 2.5. Names are
// those of the specification (asgi.readthedocs.io), so that its text, and code that is ported from Python, can be followed.
import type { Coroutine } from '../runtime/coroutine.ts'

/** A byte string. Do not change one that you were given. */
export type Bytes = Uint8Array
/** Header fields in their order, with duplicates; names in lower case. */
export type HeaderList = [name: Bytes, value: Bytes][]

/** What every scope of a connection has. Middleware may copy it and add keys. */
export interface ConnectionScope {
  asgi: { version: string; spec_version: string }
  http_version: '1.0' | '1.1' | '2'
  /** `http` or `https`, `ws` or `wss`. */
  scheme: string
  /** Percent escapes and UTF-8 are decoded. It begins with `root_path`. */
  path: string
  /** The path as received, without the query. */
  raw_path: Bytes
  /** What follows the first `?`, as received. */
  query_string: Bytes
  /** Where the application is mounted; '' at the root. */
  root_path: string
  headers: HeaderList
  /** The client's address and port. */
  client: [host: string, port: number] | null
  /** The address and port that the server listens on; for a UNIX socket, its path and null. */
  server: [host: string, port: number | null] | null
  /** A copy of what the application put into the state of its lifespan: shallow, one for each connection. */
  state?: Record<string, unknown>
  /** What the server can do besides: `http.response.trailers` and others. */
  extensions: Record<string, object>
  [key: string]: unknown
}

export interface HttpScope extends ConnectionScope {
  type: 'http'
  /** In upper case. */
  method: string
}

export interface WebSocketScope extends ConnectionScope {
  type: 'websocket'
  /** What the client offers, in its order. */
  subprotocols: string[]
}

export interface LifespanScope {
  type: 'lifespan'
  asgi: { version: string; spec_version: string }
  /** What the application adds here, each connection has a copy of. */
  state: Record<string, unknown>
  [key: string]: unknown
}

/** What an application is called with: once for each request or WebSocket, and once for its own life. */
export type Scope = HttpScope | WebSocketScope | LifespanScope

export interface HttpRequestEvent { type: 'http.request'; body: Bytes; more_body: boolean }
export interface HttpDisconnectEvent { type: 'http.disconnect' }
export interface WebSocketConnectEvent { type: 'websocket.connect' }
/** Exactly one of `bytes` and `text` is not null. */
export interface WebSocketReceiveEvent { type: 'websocket.receive'; bytes: Bytes | null; text: string | null }
export interface WebSocketDisconnectEvent { type: 'websocket.disconnect'; code: number; reason: string }
export interface LifespanEvent { type: 'lifespan.startup' | 'lifespan.shutdown' }

export type ReceiveEvent =
  | HttpRequestEvent | HttpDisconnectEvent | WebSocketConnectEvent | WebSocketReceiveEvent | WebSocketDisconnectEvent | LifespanEvent

type SentHeaders = Iterable<readonly [name: Bytes, value: Bytes]>

export type HttpSendEvent =
  | { type: 'http.response.start'; status: number; headers?: SentHeaders; trailers?: boolean }
  | { type: 'http.response.body'; body?: Bytes; more_body?: boolean }
  | { type: 'http.response.trailers'; headers?: SentHeaders; more_trailers?: boolean }
  | { type: 'http.response.early_hint'; links: Iterable<Bytes> }
  | { type: 'http.response.pathsend'; path: string }
  /** `file` is a file descriptor, or has one as `fd`. The application closes it. */
  | { type: 'http.response.zerocopysend'; file: number | { readonly fd: number }; offset?: number; count?: number; more_body?: boolean }
  | { type: 'http.response.push'; path: string; headers: SentHeaders }

export type WebSocketSendEvent =
  | { type: 'websocket.accept'; subprotocol?: string | null; headers?: SentHeaders }
  | { type: 'websocket.send'; bytes?: Bytes | null; text?: string | null }
  | { type: 'websocket.close'; code?: number; reason?: string | null }
  | { type: 'websocket.http.response.start'; status: number; headers?: SentHeaders }
  | { type: 'websocket.http.response.body'; body?: Bytes; more_body?: boolean }

export type LifespanSendEvent =
  | { type: 'lifespan.startup.complete' | 'lifespan.shutdown.complete' }
  | { type: 'lifespan.startup.failed' | 'lifespan.shutdown.failed'; message?: string }

export type SendEvent = HttpSendEvent | WebSocketSendEvent | LifespanSendEvent

/** Waits for the next message. */
export type Receive = () => Coroutine<ReceiveEvent>
/**
 * Sends a message; returns when it is in the send buffer. Throws a TypeError or RangeError for a message that is not valid, a
 * RuntimeError for one that may not be sent now, a ClientDisconnected once the connection is closed.
 */
export type Send = (event: SendEvent) => Coroutine<void>

/** An application, or middleware around one: a coroutine function. */
export type Application = (scope: Scope, receive: Receive, send: Send) => Coroutine<void>

/** An error of the operating system, as Python names it. */
export class OSError extends Error {
  override name = 'OSError'
}

/** Thrown by `send` once the connection is closed. A server ignores it if it leaves the application. */
export class ClientDisconnected extends OSError {
  override name = 'ClientDisconnected'

  constructor() {
    super('the connection is closed')
  }
}
