// openConnection and openUnixConnection.
import { connect, type NetConnectOpts, type Socket } from 'node:net'
import { getRunningLoop } from '../runtime/abstract-loop.ts'
import type { Coroutine } from '../runtime/coroutine.ts'
import { requireInteger, requireKnown, type Names } from '../runtime/checks.ts'
import { describe } from '../runtime/describe.ts'
import { DEFAULT_LIMIT, StreamReader } from '../runtime/stream-reader.ts'
import { StreamWriter, type TlsLimits } from '../runtime/stream-writer.ts'
import { trackUnawaited } from '../runtime/unawaited.ts'
import { streamError } from './errors.ts'
import { established } from './established.ts'
import { addressOf, SocketTransport } from './socket-transport.ts'
import { requireClientOptions } from './tls.ts'

export interface UnixConnectionOptions extends TlsLimits {
  /** The longest line, in bytes; at most twice as much is buffered before the connection is paused. Default 65,536. */
  limit?: number
  /** TLS: `true`, or options of `tls.connect`. */
  ssl?: true | object
}

export interface ConnectionOptions extends UnixConnectionOptions {
  /** 4 or 6 for IPv4 or IPv6 only. Default: what the name has, both tried in turn. */
  family?: 4 | 6
  /** The local address, `[host, port]`. */
  localAddr?: [host: string, port: number]
}

const UNIX_OPTIONS: Names<Required<UnixConnectionOptions>> = { limit: true, ssl: true, serverHostname: true, sslHandshakeTimeout: true }
const OPTIONS: Names<Required<ConnectionOptions>> = { ...UNIX_OPTIONS, family: true, localAddr: true }

/** A port, as a number from 0 to 65535. */
export function requirePort(port: unknown, what: string): asserts port is number {
  requireInteger(port, what, 0)
  if (port > 65_535) throw new RangeError(`${what} must be at most 65535, got ${port}`)
}

export function requireText(value: unknown, what: string): asserts value is string {
  if (typeof value !== 'string') throw new TypeError(`${what} must be a text, got ${describe(value)}`)
}

/** The longest path of a UNIX socket, in bytes, on every system: Node would use its beginning. */
const LONGEST_PATH = 103

export function requireSocketPath(path: unknown, what: string): asserts path is string {
  requireText(path, what)
  const length = Buffer.byteLength(path)
  if (length > LONGEST_PATH) throw new RangeError(`${what} must have at most ${LONGEST_PATH} bytes, got ${length}`)
}

/**
 * Connect to a TCP server; returns its reader and writer. Throws a ConnectionRefusedError and the like, or the host's error, for a name
 * that is not known for instance. Cancelling gives the connection up.
 */
export function openConnection(host: string, port: number, options: ConnectionOptions = {}): Coroutine<[StreamReader, StreamWriter]> {
  return trackUnawaited(openTcp(host, port, options), 'openConnection')
}

function* openTcp(host: string, port: number, options: ConnectionOptions): Coroutine<[StreamReader, StreamWriter]> {
  requireText(host, 'openConnection: host')
  requirePort(port, 'openConnection: port')
  requireKnown('openConnection', options, OPTIONS)
  const { family, localAddr } = options
  const where: NetConnectOpts = {
    host, port, ...(family === undefined ? {} : { family }),
    ...(localAddr === undefined ? {} : { localAddress: localAddr[0], localPort: localAddr[1] }),
  }
  const named = options.ssl === undefined ? options : { serverHostname: host, ...options }
  return yield* open('openConnection', where, addressOf(host, port), undefined, named)
}

/** Connect to the UNIX socket at `path`; otherwise the same as `openConnection`. */
export function openUnixConnection(path: string, options: UnixConnectionOptions = {}): Coroutine<[StreamReader, StreamWriter]> {
  return trackUnawaited(openUnix(path, options), 'openUnixConnection')
}

function* openUnix(path: string, options: UnixConnectionOptions): Coroutine<[StreamReader, StreamWriter]> {
  requireSocketPath(path, 'openUnixConnection: path')
  requireKnown('openUnixConnection', options, UNIX_OPTIONS)
  return yield* open('openUnixConnection', { path }, path, path, options)
}

function* open(
  caller: string, where: NetConnectOpts, what: string, path: string | undefined, options: UnixConnectionOptions,
): Coroutine<[StreamReader, StreamWriter]> {
  const loop = getRunningLoop()
  const { limit = DEFAULT_LIMIT, ssl, ...limits } = options
  if (ssl !== undefined) requireClientOptions(ssl, caller)
  const reader = new StreamReader(limit, { loop })
  const transport = yield* established<SocketTransport>(`the connection to ${what}`, ({ succeed, reject }) => {
    const socket: Socket = connect({ ...where, allowHalfOpen: true, noDelay: true } as NetConnectOpts)
    const onError = (error: unknown): void => reject(streamError(error))
    socket.once('error', onError)
    socket.once('connect', () => {
      socket.off('error', onError)
      succeed(new SocketTransport(loop, socket, { reader, ...(path === undefined ? {} : { path }) }))
    })
    return () => socket.destroy()
  })
  if (ssl !== undefined) yield* transport.startTls(ssl, limits)
  return [reader, new StreamWriter(transport, reader)]
}
