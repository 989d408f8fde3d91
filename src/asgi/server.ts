// Serves an ASGI application on Node's http, and ends it well.
import { createServer as createHttp, type IncomingMessage, type Server as HttpServer, type ServerResponse } from 'node:http'
import { createSecureServer } from 'node:http2'
import { createServer as createHttps } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import type { TlsOptions } from 'node:tls'
import { EventLoop } from '../runtime/loop.ts'
import '../index.ts'
import { BlockLog, BlockWatch } from '../http/request-timing.ts'
import { began, inTurn, unanswered } from '../http/connections.ts'
import { serveWithout } from '../http/upgrades.ts'
import { OBSERVER_OPTIONS, ObserverClient, type ObserverOptions } from '../observe/client.ts'
import { requireKnown, type Names } from '../observe/options.ts'
import { requireApplication } from './application.ts'
import { Lifespan, type LifespanMode } from './lifespan.ts'
import { CLEANUP_MS, requirePings, Serving } from './serving.ts'
import type { Application } from './types.ts'

export interface ServeOptions {
  /** Default 8000; 0 for a free port. */
  port?: number
  /** Default 127.0.0.1. */
  host?: string
  /** The path of a UNIX socket to listen on, instead of host and port, for a proxy on the same machine. It must not exist, and has at most 103 bytes. */
  uds?: string
  /**
   * Where the application is mounted, without a slash at the end. It is the `root_path` of its scopes, and their paths begin with
   * it: a proxy has taken it from the requests, as for uvicorn's option of this name. Default ''.
   */
  rootPath?: string
  /** Whether the application has a life of its own: see the lifespan part of the specification. Default `auto`. */
  lifespan?: LifespanMode
  /** Key and certificate, for HTTPS and WSS, as in Node's `tls`. */
  tls?: TlsOptions
  /** HTTP/2 besides HTTP/1.1; needs `tls`. Default false. */
  http2?: boolean
  /** The most requests and WebSockets at the same time; beyond that a 503. Default 10,000. */
  maxRequests?: number
  /** How many seconds requests may continue when the server closes; then their tasks are cancelled. Default 2. */
  graceSeconds?: number
  /** Whether responses have `Server-Timing`. Default true. */
  serverTiming?: boolean
  /**
   * After this many seconds, again and again, an open WebSocket is sent a ping, and is lost if nothing has arrived by the next one: the application
   * receives the disconnect, with the code 1006. Default 20; 0 for no pings.
   */
  pingSeconds?: number
  /** Watches the server from a second thread, which serves the live view on its own port; `true` means all defaults. */
  observer?: ObserverOptions | boolean
  /** The loop, which runs already or will. Default: a new one, which runs as long as the server. */
  loop?: EventLoop
  /** Failures of the application. Default: `console.error`. */
  log?: (message: string, error: unknown) => void
}

const OPTIONS: Names<Required<ServeOptions>> = {
  port: true, host: true, uds: true, rootPath: true, lifespan: true, tls: true, http2: true, maxRequests: true, graceSeconds: true, serverTiming: true,
  pingSeconds: true, observer: true, loop: true, log: true,
}

/** The longest path of a UNIX socket, in bytes, on every system. */
export const LONGEST_UDS = 103

export interface AsgiServer {
  /** Its address, such as `http://127.0.0.1:8000`, or `unix:` and a path. */
  readonly url: string
  /** NaN if it listens on a UNIX socket. */
  readonly port: number
  readonly loop: EventLoop
  /** The address of the live view; null without an observer. */
  readonly observer: string | null
  /**
   * Takes no further connection, lets requests finish, cancels what is left after `graceSeconds`, then shuts the application
   * down. Rejects with a LifespanFailed if the application says that it failed.
   */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * Serves an application: each request and each WebSocket is a task on one event loop. Resolves when it listens. Rejects with a
 * TypeError for what is no application or no option, with a LifespanFailed if the application cannot start, and with Node's
 * error if the address cannot be used.
 */
export async function serve(app: Application, options: ServeOptions = {}): Promise<AsgiServer> {
  requireApplication(app)
  requireKnown('serve', options, OPTIONS)
  requirePings('serve', options.pingSeconds)
  if (!isRootPath(options.rootPath ?? '')) throw new TypeError(`serve: rootPath begins with a slash and does not end with one, got ${JSON.stringify(options.rootPath)}`)
  if (typeof options.observer === 'object') requireKnown('serve: observer', options.observer, OBSERVER_OPTIONS)
  if (options.uds !== undefined && (options.port !== undefined || options.host !== undefined)) throw new TypeError('serve: uds is instead of port and host')
  if (options.uds !== undefined && !isSocketPath(options.uds)) throw new RangeError(`serve: uds is a path of at most ${LONGEST_UDS} bytes, got ${Buffer.byteLength(options.uds)}`)
  const { host = '127.0.0.1', port = 8000, rootPath = '', uds = null, graceSeconds = 2, log = (message, error) => console.error(message, error ?? '') } = options
  const own = options.loop === undefined
  const loop = options.loop ?? new EventLoop({ hold: false })
  const ended = own ? loop.runForever() : null
  const observer = options.observer === undefined || options.observer === false ? null : new ObserverClient(options.observer === true ? {} : options.observer, ['requests'])
  const blocks = new BlockLog()
  const recorded = observer?.watch(loop) === true
  const lifespan = new Lifespan(options.lifespan ?? 'auto')

  // The loop does not keep the process alive; while there is no open server, the application's own life has to.
  let release = loop.host.hold()

  async function end(): Promise<void> {
    release()
    await observer?.close('the server is closing')
    if (ended === null) return
    for (const task of loop.liveTasks()) task.cancel('the server is closing')
    loop.stop()
    await ended
    loop.close()
  }

  try {
    await observer?.ready
    await lifespan.startup(app, loop)
  } catch (error) {
    await end()
    throw error
  }
  let requests = 0
  const serving = new Serving({
    app, loop, blocks, observer, place: { rootPath, taken: rootPath, socketPath: uds, state: lifespan.state }, maxRequests: options.maxRequests ?? 10_000,
    serverTiming: options.serverTiming, pingSeconds: options.pingSeconds, log, takeId: () => ++requests,
  })
  const server = listener(options)
  attach(server, serving)
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      if (uds === null) server.listen(port, host, resolve)
      else server.listen({ path: uds }, resolve)
    })
  } catch (error) {
    await lifespan.shutdown(loop)
    await end()
    throw error
  }
  // What blocked the loop while the application started delayed no request.
  if (observer !== null && recorded) observer.onBlock = (from, to, name) => blocks.note(from, to, name)
  else new BlockWatch(loop, blocks)
  release()
  const address = uds === null ? server.address() as AddressInfo : null
  let closed: Promise<void> | null = null

  async function close(): Promise<void> {
    release = loop.host.hold()
    const down = new Promise((resolve) => server.close(resolve))
    serving.goAway()
    server.closeIdleConnections?.()
    const finish = serving.cancelAfter(graceSeconds)
    const late = setTimeout(() => server.closeAllConnections?.(), graceSeconds * 1000 + CLEANUP_MS)
    await serving.idle()
    finish()
    clearTimeout(late)
    server.closeAllConnections?.()
    await down
    try {
      await lifespan.shutdown(loop)
    } finally {
      await end()
    }
  }

  return {
    url: address === null ? `unix:${uds}` : `${options.tls === undefined ? 'http' : 'https'}://${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}`,
    port: address?.port ?? NaN, loop, observer: observer?.url ?? null,
    close: () => (closed ??= close()),
    [Symbol.asyncDispose]: () => (closed ??= close()),
  }
}

/** Whether paths can begin with it. */
export function isRootPath(path: string): boolean {
  return /^(\/.*[^/])?$/.test(path)
}

/** Longer ones do not fit on every system, and some Nodes cut them off without a word. */
export function isSocketPath(path: string): boolean {
  return Buffer.byteLength(path) <= LONGEST_UDS
}

function listener({ tls, http2 = false }: ServeOptions): HttpServer {
  if (http2 && tls === undefined) throw new TypeError('serve: http2 needs tls, as browsers do')
  const limits = { maxHeaderSize: 16 * 1024, requestTimeout: 0 }
  if (tls === undefined) return createHttp(limits)
  return http2 ? createSecureServer({ ...tls, allowHTTP1: true }) as unknown as HttpServer : createHttps({ ...limits, ...tls })
}

/** Passes what a server reads to the application. */
function attach(server: HttpServer, serving: Serving): void {
  const { takeId } = serving.options
  const serve = (expectsContinue: boolean) => (request: IncomingMessage, response: ServerResponse): void => {
    if (request.httpVersionMajor === 1) began(request, response)
    inTurn(request, response, () => serving.request(request, response, takeId(), expectsContinue))
  }
  server.on('request', serve(false))
  server.on('checkContinue', serve(true))
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy())
    // Other answers are under way on this connection, and Node no longer handles them.
    if (unanswered(socket) > 0) socket.destroy()
    else if (request.headers.upgrade?.toLowerCase() === 'websocket') serving.upgrade(request, socket, head, takeId())
    else serveWithout(server, request, socket)
  })
}
