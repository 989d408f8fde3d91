// A socket or pipe of Node as the transport of a StreamReader and a StreamWriter: CPython's _SelectorSocketTransport and
// StreamReaderProtocol in one.
import { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { AbstractEventLoop } from '../runtime/abstract-loop.ts'
import type { Coroutine } from '../runtime/coroutine.ts'
import { requireBytes } from '../runtime/checks.ts'
import { describable } from '../runtime/describe.ts'
import { CancelledError, RuntimeError } from '../runtime/exceptions.ts'
import type { StreamReader } from '../runtime/stream-reader.ts'
import { WriteFlow, type TlsLimits, type Transport, type WriteBufferLimits } from '../runtime/stream-writer.ts'
import { streamError } from './errors.ts'
import { secureAsClient, secureAsServer } from './tls.ts'

/** `[host, port]` of IP, the path of a UNIX socket, '' for one without a name. */
export type SocketName = [host: string, port: number] | string

export interface SocketTransportOptions {
  reader: StreamReader | null
  /** The other end, for observers and errors. Default: the socket's. */
  peer?: string
  /** The path of a UNIX socket, which Node's sockets do not know. */
  path?: string
  /** Whether the connection came to a server. */
  isServer?: boolean
  /** Called once the connection is lost. */
  onLost?: () => void
}

/** `host:port`, with the brackets that IPv6 needs. */
export function addressOf(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

export class SocketTransport implements Transport {
  readonly peer: string
  readonly flow: WriteFlow
  readonly #loop: AbstractEventLoop
  readonly #reader: StreamReader | null
  readonly #isServer: boolean
  readonly #path: string | undefined
  readonly #onLost: (() => void) | undefined
  readonly #peername: SocketName
  readonly #sockname: SocketName
  /** Closes the socket if the loop closes before. */
  readonly #forget: () => void
  #socket: Socket
  #error: unknown = null
  #readingPaused = false
  #eofWritten = false
  #closing = false

  constructor(loop: AbstractEventLoop, socket: Socket, { reader, peer, path, isServer = false, onLost }: SocketTransportOptions) {
    this.#loop = loop
    this.#socket = socket
    this.#reader = reader
    this.#isServer = isServer
    this.#path = path
    this.#onLost = onLost
    // A socket forgets its addresses when it closes; programs log them then.
    const { remoteAddress, remotePort, localAddress, localPort } = socket
    this.#peername = remoteAddress === undefined ? (isServer ? '' : path ?? '') : [remoteAddress, remotePort as number]
    this.#sockname = localAddress === undefined ? (isServer ? path ?? '' : '') : [localAddress, localPort as number]
    this.peer = peer ?? (remoteAddress === undefined ? path ?? 'a socket' : addressOf(remoteAddress, remotePort as number))
    this.flow = new WriteFlow(this.peer)
    this.#forget = loop.onClose(() => this.#socket.destroy())
    this.#listen()
    reader?.setTransport(this)
  }

  #listen(): void {
    const socket = this.#socket
    socket.on('error', this.#onError)
    socket.on('close', this.#onClose)
    if (this.#reader === null) return
    socket.on('data', this.#onData)
    socket.on('end', this.#onEnd)
  }

  readonly #onData = (data: Uint8Array): void => {
    if (this.#closing) return
    try {
      this.#reader?.feedData(data)
    } catch (error) {
      // The program has ended the stream itself.
      this.#loop.callExceptionHandler({ message: `${this} is closed: its data cannot be fed`, exception: error })
      this.abort()
      return
    }
    // Node lets the pipes of a process flow when it has ended.
    if (this.#readingPaused) this.#socket.pause()
  }

  readonly #onEnd = (): void => {
    if (this.#closing) return
    this.#reader?.feedEof()
    // TLS has no end of one direction.
    if (this.#socket instanceof TLSSocket) this.close()
  }

  readonly #onError = (error: unknown): void => {
    this.#error ??= streamError(error)
  }

  readonly #onClose = (): void => {
    this.#closing = true
    this.#forget()
    if (this.#error === null) this.#reader?.feedEof()
    else this.#reader?.setException(this.#error)
    this.flow.connectionLost(this.#error)
    this.#onLost?.()
  }

  readonly #onWritten = (error?: Error | null): void => {
    if (error == null && this.flow.paused) this.flow.update(this.#socket.writableLength)
  }

  pauseReading(): void {
    this.#readingPaused = true
    this.#socket.pause()
  }

  resumeReading(): void {
    this.#readingPaused = false
    this.#socket.resume()
  }

  isReading(): boolean {
    return !this.#readingPaused && !this.#closing
  }

  write(data: Uint8Array): void {
    requireBytes(data, 'write: data')
    if (this.#eofWritten) throw new RuntimeError(`${this}: write was called after writeEof`)
    if (this.isClosing() || data.length === 0) return
    this.#socket.write(data, this.#onWritten)
    if (!this.flow.paused) this.flow.update(this.#socket.writableLength)
  }

  writeEof(): void {
    if (!this.canWriteEof()) throw new RuntimeError(`${this}: TLS cannot end one direction alone; close() ends both`)
    if (this.#closing || this.#eofWritten) return
    this.#eofWritten = true
    this.#socket.end()
  }

  canWriteEof(): boolean {
    return !(this.#socket instanceof TLSSocket)
  }

  close(): void {
    if (this.#closing) return
    this.#closing = true
    this.#socket.destroySoon()
  }

  abort(): void {
    this.#closing = true
    this.#socket.destroy()
  }

  isClosing(): boolean {
    // Node has destroyed a socket some time before it says so; a loop of `write` and `drain` has to leave it that time.
    return this.#closing || this.#socket.destroyed
  }

  getWriteBufferSize(): number {
    return this.#socket.writableLength
  }

  getWriteBufferLimits(): { low: number; high: number } {
    return { low: this.flow.low, high: this.flow.high }
  }

  setWriteBufferLimits(limits: WriteBufferLimits = {}): void {
    this.flow.setLimits(limits)
    this.flow.update(this.#socket.writableLength)
  }

  getExtraInfo(name: string): unknown {
    const tls = this.#socket instanceof TLSSocket ? this.#socket : null
    switch (name) {
      case 'peername': return this.#peername
      case 'sockname': return this.#sockname
      case 'socket': return this.#socket
      case 'sslcontext': case 'sslObject': return tls
      case 'cipher': return tls?.getCipher()
      case 'peercert': return tls?.getPeerCertificate()
      default: return undefined
    }
  }

  *startTls(ssl: unknown, limits: TlsLimits): Coroutine<void> {
    const plain = this.#socket
    if (plain instanceof TLSSocket) throw new RuntimeError(`${this} uses TLS already`)
    if (this.#closing) throw new RuntimeError(`${this} is closed: TLS cannot begin on it`)
    plain.pause()
    plain.off('data', this.#onData).off('end', this.#onEnd).off('error', this.#onError).off('close', this.#onClose)
    // Bytes of TLS may have come with the last bytes before it.
    const unread = this.#reader?.takeUnread()
    if (unread !== undefined && unread.length > 0) plain.unshift(unread)
    const onSecure = (socket: TLSSocket): void => {
      this.#socket = socket
      this.#listen()
      if (this.#readingPaused) socket.pause()
    }
    try {
      yield* this.#isServer ? secureAsServer(plain, ssl, limits, this.peer, onSecure) : secureAsClient(plain, ssl, limits, this.peer, onSecure)
    } catch (error) {
      // In the middle of a handshake, no bytes of the program can be sent.
      if (this.#socket === plain) {
        plain.destroy()
        this.#error = error instanceof CancelledError ? null : error
        this.#onClose()
      }
      throw error
    }
  }

  toString(): string {
    return `<SocketTransport ${this.peer}${this.#closing ? ' closing' : ''}${this.#readingPaused ? ' paused' : ''}>`
  }
}

describable(SocketTransport)
