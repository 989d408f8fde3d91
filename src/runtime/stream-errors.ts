// The errors of streams and processes: Python's, with the words and codes of the host.

/** A stream ended before a read was complete. */
export class IncompleteReadError extends Error {
  static {
    this.prototype.name = 'IncompleteReadError'
  }

  /** The bytes that came before the end. */
  readonly partial: Uint8Array
  /** How many bytes were to be read; `null` if a separator was. */
  readonly expected: number | null

  constructor(partial: Uint8Array, expected: number | null) {
    super(`the stream ended after ${partial.length} ${expected === null ? 'bytes, before the separator' : `of ${expected} bytes`}`)
    this.partial = partial
    this.expected = expected
  }
}

/** There is no separator within the limit of a StreamReader. */
export class LimitOverrunError extends Error {
  static {
    this.prototype.name = 'LimitOverrunError'
  }

  /** How many bytes of the buffer certainly precede the separator. */
  readonly consumed: number

  constructor(message: string, consumed: number) {
    super(message)
    this.consumed = consumed
  }
}

/** A connection failed or is lost. `code` is the system's name for the reason, such as `ECONNRESET`; `cause` is the host's error. */
export class ConnectionError extends Error {
  static {
    this.prototype.name = 'ConnectionError'
  }

  readonly code: string

  constructor(message: string, options: { code: string; cause?: unknown }) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = options.code
  }
}

/** The other end broke the connection off, or it is lost already. */
export class ConnectionResetError extends ConnectionError {
  static {
    this.prototype.name = 'ConnectionResetError'
  }
}

/** The system broke the connection off. */
export class ConnectionAbortedError extends ConnectionError {
  static {
    this.prototype.name = 'ConnectionAbortedError'
  }
}

/** Nothing listens at the address. */
export class ConnectionRefusedError extends ConnectionError {
  static {
    this.prototype.name = 'ConnectionRefusedError'
  }
}

/** The other end no longer reads. */
export class BrokenPipeError extends ConnectionError {
  static {
    this.prototype.name = 'BrokenPipeError'
  }
}

/** A signal for a process that has ended. */
export class ProcessLookupError extends Error {
  static {
    this.prototype.name = 'ProcessLookupError'
  }
}
