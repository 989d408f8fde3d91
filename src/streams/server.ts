// startServer, startUnixServer and Server. Follows CPython's Lib/asyncio/base_events.py `Server`.
import { createServer, type ListenOptions, type Server as NetServer, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { getRunningLoop, type AbstractEventLoop } from '../runtime/abstract-loop.ts'
import { callBody } from '../runtime/awaitable.ts'
import { copyContext, type Context } from '../runtime/context.ts'
import { isCoroutine, type Coroutine } from '../runtime/coroutine.ts'
import { requireFinite, requireInteger, requireKnown, type Names } from '../runtime/checks.ts'
import { Deque } from '../runtime/deque.ts'
import { describable, describe } from '../runtime/describe.ts'
import { CancelledError, RuntimeError } from '../runtime/exceptions.ts'
import { HostFuture } from '../runtime/host-future.ts'
import { DEFAULT_LIMIT, StreamReader } from '../runtime/stream-reader.ts'
import { StreamWriter } from '../runtime/stream-writer.ts'
import { trackUnawaited } from '../runtime/unawaited.ts'
import { requirePort, requireSocketPath, requireText } from './connection.ts'
import { streamError } from './errors.ts'
import { established } from './established.ts'
import { addressOf, SocketTransport, type SocketName } from './socket-transport.ts'
import { HANDSHAKE_SECONDS, requireServerOptions } from './tls.ts'

/** Called for each connection. A coroutine that it returns becomes a task. */
export type ClientConnected = (reader: StreamReader, writer: StreamWriter) => Coroutine<unknown> | void

export interface UnixServerOptions {
  /** The longest line, in bytes; at most twice as much of a connection is buffered before it is paused. Default 65,536. */
  limit?: number
  /** TLS: options of Node's `tls`, with key and certificate. */
  ssl?: object
  /** Seconds until a handshake that has not ended fails. Default 60. */
  sslHandshakeTimeout?: number
  /** The most connections that wait to be accepted. Default 100. */
  backlog?: number
  /** Whether to accept connections at once; else `startServing` or `serveForever` does. Default true. */
  startServing?: boolean
}

export interface ServerOptions extends UnixServerOptions {
  /** On an IPv6 address: whether IPv4 is left out. Default true for an address, false for `null`. */
  ipv6Only?: boolean
}

const UNIX_OPTIONS: Names<Required<UnixServerOptions>> = { limit: true, ssl: true, sslHandshakeTimeout: true, backlog: true, startServing: true }
const OPTIONS: Names<Required<ServerOptions>> = { ...UNIX_OPTIONS, ipv6Only: true }

/** A socket that listens. */
export interface ListeningSocket {
  /** `[host, port]`, or the path of a UNIX socket. */
  getsockname(): SocketName
}

/** Listens for connections. `startServer` and `startUnixServer` make one. */
export class Server {
  readonly #loop: AbstractEventLoop
  readonly #context: Context
  readonly #connected: ClientConnected
  readonly #limit: number
  /** Where to listen, one for each address; `null` once closed. */
  #places: ListenOptions[] | null
  readonly #options: UnixServerOptions
  readonly #listening = new Set<NetServer>()
  readonly #clients = new Set<SocketTransport>()
  readonly #waiters = new Deque<HostFuture<void>>()
  readonly #forget: () => void
  #serving = false
  #forever: HostFuture<void> | null = null

  /** @internal */
  constructor(caller: string, connected: ClientConnected, places: ListenOptions[], options: UnixServerOptions) {
    if (typeof connected !== 'function') throw new TypeError(`${caller}: a function of a reader and a writer is needed, got ${describe(connected)}`)
    const { limit = DEFAULT_LIMIT, ssl, sslHandshakeTimeout = HANDSHAKE_SECONDS, backlog = 100 } = options
    requireInteger(limit, `${caller}: limit`, 1)
    requireInteger(backlog, `${caller}: backlog`, 1)
    requireFinite(sslHandshakeTimeout, `${caller}: sslHandshakeTimeout`, 'seconds')
    if (ssl !== undefined) requireServerOptions(ssl, caller)
    this.#loop = getRunningLoop()
    this.#context = copyContext()
    this.#connected = connected
    this.#limit = limit
    this.#options = options
    this.#places = places.map((place) => ({ backlog, ...place }))
    this.#forget = this.#loop.onClose(() => this.close())
  }

  getLoop(): AbstractEventLoop {
    return this.#loop
  }

  /** Whether connections are accepted. */
  isServing(): boolean {
    return this.#serving
  }

  /** The sockets that listen; none before it serves and once it is closed. */
  get sockets(): readonly ListeningSocket[] {
    return [...this.#listening].map((server) => ({ getsockname: () => nameOf(server) }))
  }

  /** Accept connections. Throws Node's error if an address cannot be used, a RuntimeError once the server is closed. */
  startServing(): Coroutine<void> {
    return trackUnawaited(this.#startServing(), 'Server.startServing')
  }

  *#startServing(): Coroutine<void> {
    if (this.#places === null) throw new RuntimeError(`${this} is closed`)
    if (this.#serving) return
    this.#serving = true
    try {
      for (const place of this.#places) yield* this.#listen(place)
    } catch (error) {
      this.close()
      throw error
    }
  }

  #listen(place: ListenOptions): Coroutine<void> {
    return established<void>(`${place.path ?? addressOf(place.host ?? '*', place.port as number)} to listen`, ({ succeed, reject }) => {
      const { ssl, sslHandshakeTimeout = HANDSHAKE_SECONDS } = this.#options
      const server = ssl === undefined
        ? createServer({ allowHalfOpen: true, noDelay: true })
        : createTlsServer({ noDelay: true, handshakeTimeout: sslHandshakeTimeout * 1000, ...ssl })
      const onError = (error: unknown): void => reject(streamError(error))
      server.once('error', onError)
      server.on(ssl === undefined ? 'connection' : 'secureConnection', (socket: Socket) => this.#onConnection(socket, place.path))
      server.once('listening', () => {
        server.off('error', onError)
        server.on('error', (error) => this.#loop.callExceptionHandler({ message: `${this} could not accept a connection`, exception: error }))
        succeed()
      })
      this.#listening.add(server)
      server.listen(place)
      return () => this.#unlisten(server)
    })
  }

  #unlisten(server: NetServer): void {
    this.#listening.delete(server)
    server.close()
  }

  #onConnection(socket: Socket, path: string | undefined): void {
    const loop = this.#loop
    // What was accepted before `close` and comes after it.
    if (this.#places === null || loop.isClosed()) {
      socket.destroy()
      return
    }
    const reader = new StreamReader(this.#limit, { loop })
    const transport: SocketTransport = new SocketTransport(loop, socket, {
      reader, isServer: true, ...(path === undefined ? {} : { path }),
      onLost: () => {
        this.#clients.delete(transport)
        this.#wakeIfClosed()
      },
    })
    this.#clients.add(transport)
    this.#context.run(() => loop.callSoon(() => this.#serve(reader, new StreamWriter(transport, reader))))
  }

  #serve(reader: StreamReader, writer: StreamWriter): void {
    const made = this.#connected(reader, writer)
    if (!isCoroutine(made)) return
    const task = this.#loop.createTask(made)
    task.addDoneCallback(() => {
      if (task.cancelled()) writer.close()
      else if (task.failed()) {
        this.#loop.callExceptionHandler({ message: `the handler of a connection failed: ${task}`, exception: task.exception(), task })
        writer.close()
      } else closeWhenCollected(writer)
    })
  }

  /** Accept no further connections. Those that are open stay open. */
  close(): void {
    if (this.#places === null) return
    this.#places = null
    this.#serving = false
    this.#forget()
    for (const server of this.#listening) this.#unlisten(server)
    this.#forever?.cancel()
    this.#wakeIfClosed()
  }

  /** Close each connection once what was written to it is sent. */
  closeClients(): void {
    for (const transport of [...this.#clients]) transport.close()
  }

  /** Close each connection at once. */
  abortClients(): void {
    for (const transport of [...this.#clients]) transport.abort()
  }

  #isClosed(): boolean {
    return this.#places === null && this.#clients.size === 0
  }

  #wakeIfClosed(): void {
    if (this.#isClosed()) for (const waiter of this.#waiters) waiter.succeed()
  }

  /** Wait until the server is closed and each of its connections is. */
  waitClosed(): Coroutine<void> {
    return trackUnawaited(this.#waitClosed(), 'Server.waitClosed')
  }

  *#waitClosed(): Coroutine<void> {
    if (this.#isClosed()) return
    const waiter = new HostFuture<void>(`${this} to close, with its connections`)
    this.#waiters.push(waiter)
    try {
      yield* waiter
    } finally {
      waiter.close()
      this.#waiters.remove(waiter)
    }
  }

  /** Accept connections until the task is cancelled or the server is closed; then close it, and wait for its connections. */
  serveForever(): Coroutine<never> {
    return trackUnawaited(this.#serveForever(), 'Server.serveForever')
  }

  *#serveForever(): Coroutine<never> {
    if (this.#forever !== null) throw new RuntimeError(`${this}: serveForever is awaited by another task already`)
    yield* this.#startServing()
    const forever = this.#forever = new HostFuture<never>(`${this} to be closed`)
    try {
      return yield* forever
    } catch (error) {
      if (error instanceof CancelledError) {
        this.close()
        yield* this.#waitClosed()
      }
      throw error
    } finally {
      forever.close()
      this.#forever = null
    }
  }

  /** Run `body`, then close the server and wait for its connections, however it ends: asyncio's `async with`. Returns the body's value. */
  with<T>(body: (server: Server) => Coroutine<T>): Coroutine<T> {
    return trackUnawaited(this.#with(body), 'Server.with')
  }

  *#with<T>(body: (server: Server) => Coroutine<T>): Coroutine<T> {
    try {
      return yield* callBody('Server.with', body, this as Server)
    } finally {
      this.close()
      yield* this.#waitClosed()
    }
  }

  toString(): string {
    const names = [...this.#listening].map((server) => placeOf(nameOf(server)))
    return `<Server ${this.#places === null ? 'closed' : names.length === 0 ? 'not serving' : names.join(' ')} connections=${this.#clients.size}>`
  }
}

function placeOf(name: SocketName): string {
  return typeof name === 'string' ? name : addressOf(...name)
}

function nameOf(server: NetServer): SocketName {
  const address = server.address()
  if (address === null) return ''
  return typeof address === 'string' ? address : [address.address, address.port]
}

/** A writer that its handler has left open and nothing refers to can be closed by nothing else. CPython closes it then, too. */
function closeWhenCollected(writer: StreamWriter): void {
  if (!writer.isClosing()) left.register(writer, writer.transport)
}

const left = new FinalizationRegistry<{ close(): void }>((transport) => transport.close())

/**
 * Listen on a TCP port. `connected` is called with a reader and a writer for each connection; a coroutine that it returns becomes a
 * task. Its failure goes to the loop's exception handler, and closes the connection. `host`: an address, several, or `null` for
 * all. Throws Node's error if an address cannot be used.
 */
export function startServer(connected: ClientConnected, host: string | readonly string[] | null, port: number, options: ServerOptions = {}): Coroutine<Server> {
  return trackUnawaited(startTcp(connected, host, port, options), 'startServer')
}

function* startTcp(connected: ClientConnected, host: string | readonly string[] | null, port: number, options: ServerOptions): Coroutine<Server> {
  const hosts = host === null || host === '' ? [null] : typeof host === 'string' ? [host] : host
  for (const one of hosts) if (one !== null) requireText(one, 'startServer: host')
  requirePort(port, 'startServer: port')
  requireKnown('startServer', options, OPTIONS)
  const places = hosts.map((one) => ({ port, ...(one === null ? {} : { host: one, ipv6Only: true }), ...(options.ipv6Only === undefined ? {} : { ipv6Only: options.ipv6Only }) }))
  return yield* started(new Server('startServer', connected, places, options), options)
}

/** Listen on a UNIX socket at `path`, which must not exist; otherwise the same as `startServer`. Closing removes it. */
export function startUnixServer(connected: ClientConnected, path: string, options: UnixServerOptions = {}): Coroutine<Server> {
  return trackUnawaited(startUnix(connected, path, options), 'startUnixServer')
}

function* startUnix(connected: ClientConnected, path: string, options: UnixServerOptions): Coroutine<Server> {
  requireSocketPath(path, 'startUnixServer: path')
  requireKnown('startUnixServer', options, UNIX_OPTIONS)
  return yield* started(new Server('startUnixServer', connected, [{ path }], options), options)
}

function* started(server: Server, { startServing = true }: UnixServerOptions): Coroutine<Server> {
  if (startServing) yield* server.startServing()
  return server
}

describable(Server)
