// StreamWriter and the flow control behind `drain`. Follows CPython's Lib/asyncio/streams.py. What bytes are written to, a socket
// or a pipe, is a Transport; the host has the only ones.
import type { Coroutine } from './coroutine.ts'
import { Deque } from './deque.ts'
import { requireInteger } from './checks.ts'
import { describable } from './describe.ts'
import { ConnectionResetError } from './stream-errors.ts'
import { HostFuture } from './host-future.ts'
import { sleep } from './sleep.ts'
import type { ReadTransport, StreamReader } from './stream-reader.ts'
import { trackUnawaited } from './unawaited.ts'

/** The default of `high`, in bytes: `drain` waits above it. */
const HIGH_WATER = 65_536

/** The limits of a write buffer, in bytes. `drain` waits from above `high` until `low` or less is left. */
export interface WriteBufferLimits {
  high?: number
  /** Default: a quarter of `high`. */
  low?: number
}

/** Tasks that wait for the transport: until its buffer has room, or until it is closed. */
export class WriteFlow {
  high = HIGH_WATER
  low = HIGH_WATER / 4
  paused = false
  /** The connection is lost, with an error or, if it was closed, without. */
  lost: { error: unknown } | null = null
  readonly #peer: string
  readonly #drains = new Deque<HostFuture<void>>()
  readonly #closes = new Deque<HostFuture<void>>()

  constructor(peer: string) {
    this.#peer = peer
  }

  setLimits({ high, low }: WriteBufferLimits): void {
    const highest = high ?? (low === undefined ? HIGH_WATER : 4 * low)
    requireInteger(highest, 'setWriteBufferLimits: high', 0)
    const lowest = low ?? Math.floor(highest / 4)
    requireInteger(lowest, 'setWriteBufferLimits: low', 0)
    if (lowest > highest) throw new RangeError(`setWriteBufferLimits: low must be at most high, which is ${highest}, got ${lowest}`)
    this.high = highest
    this.low = lowest
  }

  /** The transport's buffer has `size` bytes now. */
  update(size: number): void {
    if (!this.paused) this.paused = size > this.high
    else if (size <= this.low) {
      this.paused = false
      for (const waiter of this.#drains) waiter.succeed()
    }
  }

  connectionLost(error: unknown): void {
    this.lost = { error }
    for (const waiters of [this.#drains, this.#closes]) {
      for (const waiter of waiters) {
        if (error === null) waiter.succeed()
        else waiter.reject(error)
      }
    }
  }

  /** Only if writing is paused, or the connection lost. */
  *drain(): Coroutine<void> {
    if (this.lost !== null) throw new ConnectionResetError(`the connection to ${this.#peer} is lost`, { code: 'ECONNRESET', cause: this.lost.error ?? undefined })
    yield* this.#wait(this.#drains, `${this.#peer} to take what was sent`)
  }

  *waitClosed(): Coroutine<void> {
    if (this.lost === null) yield* this.#wait(this.#closes, `the connection to ${this.#peer} to close`)
    else if (this.lost.error !== null) throw this.lost.error as Error
  }

  *#wait(waiters: Deque<HostFuture<void>>, what: string): Coroutine<void> {
    const waiter = new HostFuture<void>(what, 'send')
    waiters.push(waiter)
    try {
      yield* waiter
    } finally {
      waiter.close()
      waiters.remove(waiter)
    }
  }
}

/** What a StreamWriter writes to (asyncio's Transport). */
export interface Transport extends ReadTransport {
  /** @internal */
  readonly flow: WriteFlow
  isReading(): boolean
  write(data: Uint8Array): void
  writeEof(): void
  canWriteEof(): boolean
  /** Close once what was written is sent. */
  close(): void
  /** Close at once; what was written and not sent is dropped. */
  abort(): void
  isClosing(): boolean
  /** The number of bytes written and not sent. */
  getWriteBufferSize(): number
  getWriteBufferLimits(): { low: number; high: number }
  setWriteBufferLimits(limits?: WriteBufferLimits): void
  getExtraInfo(name: string): unknown
  /** @internal */
  startTls?(options: unknown, limits: TlsLimits): Coroutine<void>
  toString(): string
}

export interface TlsLimits {
  /** The name that the server's certificate must have. Default: the name that was connected to. */
  serverHostname?: string
  /** Seconds until a handshake that has not ended fails. Default 60. */
  sslHandshakeTimeout?: number
}

/** Writes bytes to a connection or a process. `write` never waits: `yield* writer.drain()` after it bounds what is buffered. */
export class StreamWriter {
  readonly #transport: Transport
  readonly #reader: StreamReader | null

  /** @internal */
  constructor(transport: Transport, reader: StreamReader | null) {
    this.#transport = transport
    this.#reader = reader
  }

  get transport(): Transport {
    return this.#transport
  }

  /** Send bytes, as soon as possible. They must not change afterwards. Does nothing once the connection is lost: `drain` says so. */
  write(data: Uint8Array): void {
    this.#transport.write(data)
  }

  /** Send several pieces. */
  writelines(data: Iterable<Uint8Array>): void {
    for (const one of data) this.#transport.write(one)
  }

  /** End what is sent; the other end can still send. Nothing can be written afterwards. */
  writeEof(): void {
    this.#transport.writeEof()
  }

  /** Whether one direction can be ended alone. With TLS it cannot. */
  canWriteEof(): boolean {
    return this.#transport.canWriteEof()
  }

  /** Close the connection once what was written is sent; `waitClosed` waits for it. */
  close(): void {
    this.#transport.close()
  }

  /** Whether the connection is closed, or about to be. */
  isClosing(): boolean {
    return this.#transport.isClosing()
  }

  /** Wait until the connection is closed. Throws its error if it was lost. Cancelling does not affect the connection. */
  waitClosed(): Coroutine<void> {
    return trackUnawaited(this.#transport.flow.waitClosed(), 'StreamWriter.waitClosed')
  }

  /**
   * Information about the connection: `peername`, `sockname` (`[host, port]`, or a path), `socket` (the host's), `sslcontext`,
   * `sslObject`, `cipher`, `peercert`. Returns `fallback` for what the connection does not have.
   */
  getExtraInfo(name: string, fallback: unknown = null): unknown {
    return this.#transport.getExtraInfo(name) ?? fallback
  }

  /**
   * Wait until the buffer has room: at once below the high water mark (64 KiB). Throws a ConnectionResetError once the connection
   * is lost, or the error that it was lost with.
   */
  drain(): Coroutine<void> {
    return trackUnawaited(this.#drain(), 'StreamWriter.drain')
  }

  *#drain(): Coroutine<void> {
    const error = this.#reader?.exception() ?? null
    if (error !== null) throw error as Error
    // A loop of `write` and `drain` would never leave the task, and the loss of the connection never be noticed.
    if (this.#transport.isClosing()) yield* sleep(0)
    const { flow } = this.#transport
    if (flow.paused || flow.lost !== null) yield* flow.drain()
  }

  /**
   * Continue with TLS on this connection: as the server if the connection came to one, which needs `ssl` with key and
   * certificate. What the reader has not read is taken as the beginning of TLS.
   */
  startTls(ssl: unknown, options: TlsLimits = {}): Coroutine<void> {
    return trackUnawaited(this.#startTls(ssl, options), 'StreamWriter.startTls')
  }

  *#startTls(ssl: unknown, options: TlsLimits): Coroutine<void> {
    const transport = this.#transport
    yield* this.#drain()
    if (transport.startTls === undefined) throw new TypeError(`${transport} cannot continue with TLS: only a connection can`)
    yield* transport.startTls(ssl, options)
  }

  toString(): string {
    return `<StreamWriter transport=${this.#transport}>`
  }
}

describable(StreamWriter)
