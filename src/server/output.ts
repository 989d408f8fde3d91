// What the server writes: its log, and its address. Lines are written as fast as standard output takes them, and nothing waits
// for that: if it is full, closed or not read, lines wait here up to a limit and are counted beyond it.
import { Buffer } from 'node:buffer'
import { constants, openSync, writeSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'

/** The most bytes that wait. */
const MOST_WAITING = 1024 * 1024
/** The wait after a failed write; it doubles with each further failure. */
const FIRST_RETRY_MS = 20
const LONGEST_RETRY_MS = 2000
const LOOK_MS = 20

const STDOUT = 1
const STDERR = 2

export class Output {
  /** How many lines were dropped. */
  dropped = 0
  /** Called when writing works again after a failure or dropped lines, with the number of those lines. */
  onWorking: (dropped: number) => void = () => {}
  readonly #open: () => number
  #fd: number | null = null
  #waiting: Buffer[] = []
  #bytes = 0
  #retry: NodeJS.Timeout | null = null
  #patience = FIRST_RETRY_MS
  /** Why the last write failed; `null` if it did not, or only because the reader is slow. */
  #failure: string | null = null
  #droppedNow = 0

  /** `open` returns the file descriptor, made non-blocking if it could block. */
  constructor(open: () => number) {
    this.#open = open
  }

  /** Writes a line, which includes its end, or lets it wait. Never throws. */
  write(line: string): void {
    const bytes = Buffer.from(line)
    if (this.#bytes + bytes.length > MOST_WAITING) {
      this.dropped++
      this.#droppedNow++
      return
    }
    this.#waiting.push(bytes)
    this.#bytes += bytes.length
    if (this.#retry === null) this.#flush()
  }

  #flush(): void {
    this.#retry = null
    let rest = Buffer.concat(this.#waiting)
    try {
      this.#fd ??= this.#open()
      while (rest.length > 0) {
        rest = rest.subarray(writeSync(this.#fd, rest))
        this.#patience = FIRST_RETRY_MS
      }
    } catch (error) {
      this.#onFailure(error as NodeJS.ErrnoException)
    }
    this.#waiting = rest.length === 0 ? [] : [rest]
    this.#bytes = rest.length
    if (rest.length === 0) this.#onEmpty()
  }

  #onFailure({ code, message }: NodeJS.ErrnoException): void {
    this.#retry = setTimeout(() => this.#flush(), this.#patience).unref()
    this.#patience = Math.min(this.#patience * 2, LONGEST_RETRY_MS)
    if (code === 'EAGAIN' || this.#failure !== null) return
    this.#failure = message
    try {
      writeSync(STDERR, `standard output cannot be written to: ${message}; the log waits, and what is beyond ${MOST_WAITING} bytes is dropped\n`)
    } catch {
      // There is no other place to report it.
    }
  }

  #onEmpty(): void {
    const dropped = this.#droppedNow
    const failed = this.#failure !== null
    this.#failure = null
    this.#droppedNow = 0
    if (failed || dropped > 0) this.onWorking(dropped)
  }

  /** Waits at most `ms` until everything is written; not at all if writing fails. */
  async drain(ms: number): Promise<void> {
    for (const end = performance.now() + ms; this.#bytes > 0 && this.#failure === null && performance.now() < end;) {
      await pause(LOOK_MS)
      if (this.#retry !== null) clearTimeout(this.#retry)
      this.#flush()
    }
  }
}

/** Standard output as a file descriptor that does not block, if the system has one. */
function openStdout(): number {
  // Accessing these streams makes pipes and sockets non-blocking. Writes of other code to them may then fail, which must not
  // end the process.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
  if (!process.stdout.isTTY) return STDOUT
  try {
    // A terminal that was stopped with Ctrl-S blocks. A descriptor that is opened again is ours alone: that of others does not
    // change.
    return openSync('/dev/stdout', constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY)
  } catch {
    return STDOUT
  }
}

/** The server's standard output. */
export const output = new Output(openStdout)
