// StreamReader: bytes that something feeds, such as a socket, and a task reads. Follows CPython's Lib/asyncio/streams.py, step
// by step.
import { getRunningLoop, type AbstractEventLoop } from './abstract-loop.ts'
import { callBody } from './awaitable.ts'
import { ByteBuffer } from './byte-buffer.ts'
import { requireBytes, requireInteger } from './checks.ts'
import type { Coroutine } from './coroutine.ts'
import { describable, describe } from './describe.ts'
import { RuntimeError } from './exceptions.ts'
import { IncompleteReadError, LimitOverrunError } from './stream-errors.ts'
import { Future } from './future.ts'
import { trackUnawaited } from './unawaited.ts'
import type { WaitDescription } from './waitable.ts'

/** The default limit of a StreamReader, in bytes. */
export const DEFAULT_LIMIT = 65_536

const NOTHING = new Uint8Array()
const NEWLINE = Uint8Array.of(10)

/** What feeds a reader, and can be paused. */
export interface ReadTransport {
  /** The other end, for observers: an address, a path, a process. */
  readonly peer: string
  pauseReading(): void
  resumeReading(): void
}

/** The wait for data or the end. */
class DataWait extends Future<void> {
  readonly #reader: StreamReader

  constructor(reader: StreamReader, loop: AbstractEventLoop) {
    super(undefined, loop)
    this.#reader = reader
  }

  override describeWait(): WaitDescription {
    return { kind: 'receive', label: `data from ${this.#reader.source}` }
  }
}

/** What `readuntil` found, or how many bytes certainly precede it. */
interface Search {
  start: number
  end: number
}

/** The first separator in the buffer; if several end at the same byte, the first of `separators`. */
function find(buffer: ByteBuffer, separators: readonly Uint8Array[], from: number): Search | null {
  let found: Search | null = null
  for (const separator of separators) {
    const start = buffer.indexOf(separator, from)
    if (start !== -1 && (found === null || start + separator.length < found.end)) found = { start, end: start + separator.length }
  }
  return found
}

/** Reads bytes from a connection, a process, or whatever calls `feedData`. One task at a time may wait in it. */
export class StreamReader {
  readonly #limit: number
  readonly #loop: AbstractEventLoop
  readonly #buffer = new ByteBuffer()
  #eof = false
  #waiter: DataWait | null = null
  #failure: { error: unknown } | null = null
  #transport: ReadTransport | null = null
  #paused = false

  /** `limit`: the longest line, in bytes. What feeds the reader is paused above twice as much. */
  constructor(limit = DEFAULT_LIMIT, options?: { loop?: AbstractEventLoop }) {
    requireInteger(limit, 'StreamReader: limit', 1)
    this.#limit = limit
    this.#loop = options?.loop ?? getRunningLoop()
  }

  /** @internal Where the data comes from. */
  get source(): string {
    return this.#transport?.peer ?? String(this)
  }

  /** @internal */
  setTransport(transport: ReadTransport): void {
    this.#transport = transport
  }

  /** @internal Remove and return what was fed and not read. */
  takeUnread(): Uint8Array {
    return this.#buffer.take(this.#buffer.length)
  }

  /** Whether the end was fed and everything before it is read. */
  atEof(): boolean {
    return this.#eof && this.#buffer.length === 0
  }

  /** The error that reads throw, or `null`. */
  exception(): unknown {
    return this.#failure?.error ?? null
  }

  /** Let reads fail with `error` (an error class means a new instance of it), also the one that waits now. */
  setException(error: unknown): void {
    const isClass = typeof error === 'function' && error.prototype instanceof Error
    const thrown = isClass ? new (error as new () => Error)() : error
    this.#failure = { error: thrown }
    const waiter = this.#waiter
    this.#waiter = null
    if (waiter !== null && !waiter.cancelled()) waiter.setException(thrown)
  }

  /** Add bytes. The array must not change afterwards. Throws a RuntimeError after `feedEof()`. */
  feedData(data: Uint8Array): void {
    requireBytes(data, 'StreamReader.feedData')
    if (this.#eof) throw new RuntimeError(`${this}: feedData was called after feedEof`)
    if (data.length === 0) return
    this.#buffer.push(data)
    this.#wakeUp()
    if (this.#transport === null || this.#paused || this.#buffer.length <= 2 * this.#limit) return
    this.#paused = true
    this.#transport.pauseReading()
  }

  /** Mark the end of the stream. */
  feedEof(): void {
    this.#eof = true
    this.#wakeUp()
  }

  #wakeUp(): void {
    const waiter = this.#waiter
    this.#waiter = null
    if (waiter !== null && !waiter.cancelled()) waiter.setResult()
  }

  #resume(): void {
    if (!this.#paused) return
    this.#paused = false
    this.#transport?.resumeReading()
  }

  #resumeIfRead(): void {
    if (this.#buffer.length <= this.#limit) this.#resume()
  }

  /** Wait for data or the end. */
  *#wait(method: string): Coroutine<void> {
    if (this.#waiter !== null) {
      throw new RuntimeError(`${this}: ${method} was called while another task waits for data: one task at a time can read`)
    }
    // A read of more than the limit would otherwise wait for a paused transport.
    this.#resume()
    const waiter = this.#waiter = new DataWait(this, this.#loop)
    const fromHost = this.#transport !== null
    if (fromHost) this.#loop.addHostWork(1)
    try {
      yield* waiter
    } finally {
      // Whichever waiter is there now, as in CPython: reads of two tasks at a time are a mistake, with the same effect.
      this.#waiter = null
      if (fromHost) this.#loop.addHostWork(-1)
    }
  }

  #throwIfFailed(): void {
    if (this.#failure !== null) throw this.#failure.error
  }

  /**
   * Read up to `n` bytes: as soon as there are any, or none at the end. `-1` reads until the end. Cancelling leaves the data to the
   * next read, unless `n` is -1.
   */
  read(n = -1): Coroutine<Uint8Array> {
    return trackUnawaited(this.#read(n), 'StreamReader.read')
  }

  *#read(n: number): Coroutine<Uint8Array> {
    requireInteger(n, 'StreamReader.read: n', -1)
    this.#throwIfFailed()
    if (n === 0) return NOTHING
    if (n < 0) return yield* this.#readAll()
    if (this.#buffer.length === 0 && !this.#eof) yield* this.#wait('read')
    const data = this.#buffer.take(Math.min(n, this.#buffer.length))
    this.#resumeIfRead()
    return data
  }

  *#readAll(): Coroutine<Uint8Array> {
    const all = new ByteBuffer()
    for (;;) {
      const block = yield* this.#read(this.#limit)
      if (block.length === 0) return all.take(all.length)
      all.push(block)
    }
  }

  /** Read exactly `n` bytes. Throws an IncompleteReadError at the end of the stream. Cancelling loses nothing. */
  readexactly(n: number): Coroutine<Uint8Array> {
    return trackUnawaited(this.#readexactly(n), 'StreamReader.readexactly')
  }

  *#readexactly(n: number): Coroutine<Uint8Array> {
    requireInteger(n, 'StreamReader.readexactly: n', 0)
    this.#throwIfFailed()
    if (n === 0) return NOTHING
    while (this.#buffer.length < n) {
      if (this.#eof) throw new IncompleteReadError(this.takeUnread(), n)
      yield* this.#wait('readexactly')
    }
    const data = this.#buffer.take(n)
    this.#resumeIfRead()
    return data
  }

  /**
   * Read until `separator`, which is part of the result; of several separators, until the one that ends first. Throws an
   * IncompleteReadError at the end of the stream, and a LimitOverrunError if more than the limit precedes the separator; the data
   * is then still there. Cancelling loses nothing.
   */
  readuntil(separator: Uint8Array | readonly Uint8Array[] = NEWLINE): Coroutine<Uint8Array> {
    return trackUnawaited(this.#readuntil(separator), 'StreamReader.readuntil')
  }

  *#readuntil(separator: Uint8Array | readonly Uint8Array[]): Coroutine<Uint8Array> {
    const separators = separatorsOf(separator)
    const shortest = separators[0]!.length
    const longest = separators.at(-1)!.length
    this.#throwIfFailed()
    // No separator begins before this position.
    let from = 0
    for (;;) {
      const { length } = this.#buffer
      if (length - from >= shortest) {
        const found = find(this.#buffer, separators, from)
        if (found !== null) return this.#takeFound(found)
        from = Math.max(0, length + 1 - longest)
        if (from > this.#limit) throw new LimitOverrunError(`${this}: no separator within the limit of ${this.#limit} bytes`, from)
      }
      if (this.#eof) throw new IncompleteReadError(this.takeUnread(), null)
      yield* this.#wait('readuntil')
    }
  }

  #takeFound({ start, end }: Search): Uint8Array {
    if (start > this.#limit) {
      throw new LimitOverrunError(`${this}: ${start} bytes precede the separator, and the limit is ${this.#limit}`, start)
    }
    const data = this.#buffer.take(end)
    this.#resumeIfRead()
    return data
  }

  /**
   * Read a line, with its `\n`; at the end of the stream what is left, which may be nothing. Throws a RangeError if the line is
   * longer than the limit, and drops it. Cancelling loses nothing.
   */
  readline(): Coroutine<Uint8Array> {
    return trackUnawaited(this.#readline(), 'StreamReader.readline')
  }

  *#readline(): Coroutine<Uint8Array> {
    try {
      return yield* this.#readuntil(NEWLINE)
    } catch (error) {
      if (error instanceof IncompleteReadError) return error.partial
      if (!(error instanceof LimitOverrunError)) throw error
      if (this.#buffer.hasAt(NEWLINE, error.consumed)) this.#buffer.drop(error.consumed + NEWLINE.length)
      else this.#buffer.clear()
      this.#resumeIfRead()
      throw new RangeError(error.message)
    }
  }

  /** Run `body` for each line, one after another, until the end: asyncio's `async for`. */
  forEach(body: (line: Uint8Array) => Coroutine<void>): Coroutine<void> {
    return trackUnawaited(this.#forEach(body), 'StreamReader.forEach')
  }

  *#forEach(body: (line: Uint8Array) => Coroutine<void>): Coroutine<void> {
    for (;;) {
      const line = yield* this.#readline()
      if (line.length === 0) return
      yield* callBody('StreamReader.forEach', body, line)
    }
  }

  toString(): string {
    const parts = ['<StreamReader']
    if (this.#buffer.length > 0) parts.push(`${this.#buffer.length} bytes`)
    if (this.#eof) parts.push('eof')
    if (this.#limit !== DEFAULT_LIMIT) parts.push(`limit=${this.#limit}`)
    if (this.#waiter !== null) parts.push('waiting')
    if (this.#failure !== null) parts.push(`exception=${describe(this.#failure.error)}`)
    if (this.#transport !== null) parts.push(`of ${this.#transport.peer}`)
    if (this.#paused) parts.push('paused')
    return `${parts.join(' ')}>`
  }
}

/** The separators, shortest first. */
function separatorsOf(separator: Uint8Array | readonly Uint8Array[]): readonly Uint8Array[] {
  if (separator === NEWLINE) return [NEWLINE]
  const separators = Array.isArray(separator) ? separator as readonly Uint8Array[] : [separator as Uint8Array]
  for (const one of separators) requireBytes(one, 'StreamReader.readuntil: a separator')
  if (separators.length === 0 || separators.some(({ length }) => length === 0)) {
    throw new RangeError(`StreamReader.readuntil: separators of at least one byte are needed, got ${describe(separator)}`)
  }
  return [...separators].sort((a, b) => a.length - b.length)
}

describable(StreamReader)
