// TLS on a connection that exists, as the client or as the server.
import { isIP, type Socket } from 'node:net'
import { connect, createServer, type ConnectionOptions, type TLSSocket, type TlsOptions } from 'node:tls'
import type { Coroutine } from '../runtime/coroutine.ts'
import { requireFinite } from '../runtime/checks.ts'
import { describe } from '../runtime/describe.ts'
import { ConnectionAbortedError } from '../runtime/stream-errors.ts'
import type { TlsLimits } from '../runtime/stream-writer.ts'
import { streamError } from './errors.ts'
import { established } from './established.ts'

/** asyncio's SSL_HANDSHAKE_TIMEOUT. */
export const HANDSHAKE_SECONDS = 60

/** `ssl` of a server: options of Node's `tls`, with key and certificate. */
export function requireServerOptions(ssl: unknown, caller: string): TlsOptions {
  if (typeof ssl === 'object' && ssl !== null) return ssl
  throw new TypeError(`${caller}: ssl must be the options of node:tls for a server, with key and cert, got ${describe(ssl)}`)
}

/** `ssl` of a client: `true`, or options of Node's `tls`. */
export function requireClientOptions(ssl: unknown, caller: string): ConnectionOptions {
  if (ssl === true) return {}
  if (typeof ssl === 'object' && ssl !== null) return ssl
  throw new TypeError(`${caller}: ssl must be true or the options of node:tls for a client, got ${describe(ssl)}`)
}

export function secureAsClient(plain: Socket, ssl: unknown, limits: TlsLimits, peer: string, onSecure: (socket: TLSSocket) => void): Coroutine<void> {
  const options = requireClientOptions(ssl, 'TLS')
  const { serverHostname = '' } = limits
  return handshake(plain, limits, peer, onSecure, (succeed, fail) => {
    // An IP address cannot be sent as the name, but the certificate must be for it.
    const name = { host: serverHostname, ...(isIP(serverHostname) === 0 && serverHostname !== '' ? { servername: serverHostname } : {}) }
    const socket = connect({ ...name, ...options, socket: plain })
    socket.on('error', fail).once('close', fail)
    socket.once('secureConnect', () => succeed(socket))
  })
}

export function secureAsServer(plain: Socket, ssl: unknown, limits: TlsLimits, peer: string, onSecure: (socket: TLSSocket) => void): Coroutine<void> {
  const options = requireServerOptions(ssl, 'startTls')
  return handshake(plain, limits, peer, onSecure, (succeed, fail) => {
    const server = createServer(options)
    server.once('secureConnection', succeed)
    server.once('tlsClientError', fail)
    // The documented way to give a connection to a server of node:tls.
    server.emit('connection', plain)
  })
}

function handshake(
  plain: Socket, { sslHandshakeTimeout = HANDSHAKE_SECONDS }: TlsLimits, peer: string, onSecure: (socket: TLSSocket) => void,
  start: (succeed: (socket: TLSSocket) => void, fail: (error?: unknown) => void) => void,
): Coroutine<void> {
  requireFinite(sslHandshakeTimeout, 'sslHandshakeTimeout', 'seconds')
  return established<void>(`the TLS handshake with ${peer}`, ({ succeed, reject }) => {
    const late = `the TLS handshake with ${peer} took longer than ${sslHandshakeTimeout} s`
    const lost = `the connection to ${peer} was lost during the TLS handshake`
    const timer = setTimeout(() => reject(new ConnectionAbortedError(late, { code: 'ETIMEDOUT' })), sslHandshakeTimeout * 1000)
    const fail = (error?: unknown): void => {
      clearTimeout(timer)
      reject(error instanceof Error ? streamError(error) : new ConnectionAbortedError(lost, { code: 'ECONNABORTED' }))
    }
    plain.on('error', fail).once('close', fail)
    start((socket) => {
      clearTimeout(timer)
      onSecure(socket)
      succeed()
    }, fail)
    return () => {
      clearTimeout(timer)
      plain.destroy()
    }
  })
}
