// What the server writes: its log, and where it listens. Lines go out as fast as standard output takes them, and nothing
// waits for it: where it is full, closed or read by no one, lines wait here up to a bound, and are counted beyond that.
import { Buffer } from 'node:buffer'
import { constants, openSync, writeSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'

/** Bytes that wait at most. */
const MOST_WAITING = 1024 * 1024
/** How long after a failed write the next one is tried; twice that after each further one. */
const FIRST_RETRY_MS = 20
const LONGEST_RETRY_MS = 2000
const LOOK_MS = 20

const STDOUT = 1
const STDERR = 2

export class Output {
  /** How many lines were dropped. */
  dropped = 0
  /** Called once it works again after it failed or lines were dropped, with the number of those. */
  onWorking: (dropped: number) => void = () => {}
  readonly #open: () => number
  #fd: number | null = null
  #waiting: Buffer[] = []
  #bytes = 0
  #retry: NodeJS.Timeout | null = null
  #patience = FIRST_RETRY_MS
  /** Why writing failed last; `null` if it did not, or if its reader is slow. */
  #failure: string | null = null
  #droppedNow = 0

  /** `open` gives the file descriptor, and has it non-blocking where it can block. */
  constructor(open: () => number) {
    this.#open = open
  }

  /** Write a line, its end included, or have it wait. Never throws. */
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
      // Then there is nowhere to say it.
    }
  }

  #onEmpty(): void {
    const dropped = this.#droppedNow
    const failed = this.#failure !== null
    this.#failure = null
    this.#droppedNow = 0
    if (failed || dropped > 0) this.onWorking(dropped)
  }

  /** Wait at most `ms` until all that waits is written; where writing fails, there is nothing to wait for. */
  async drain(ms: number): Promise<void> {
    for (const end = performance.now() + ms; this.#bytes > 0 && this.#failure === null && performance.now() < end;) {
      await pause(LOOK_MS)
      if (this.#retry !== null) clearTimeout(this.#retry)
      this.#flush()
    }
  }
}

/** Standard output as a file descriptor that does not block, where the system has such a thing. */
function openStdout(): number {
  // To have these streams makes pipes and sockets non-blocking. What others write to them may fail, and is not worth an end.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
  if (!process.stdout.isTTY) return STDOUT
  try {
    // A terminal that was stopped with Ctrl-S blocks. What is opened again is ours alone: others keep theirs as it is.
    return openSync('/dev/stdout', constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY)
  } catch {
    return STDOUT
  }
}

/** The server's standard output. */
export const output = new Output(openStdout)
