// A recording: the events of a loop in a file, one JSON a line, as a subscriber of the stream receives them. Each batch is
// written at once, so that a process that is killed leaves all but the last moments. When the file is full, it becomes
// FILE.1, in place of an earlier one, and FILE goes on with a snapshot: together they have the last events.
import { closeSync, openSync, renameSync, writeSync } from 'node:fs'
import type { Fanout, Message, Sink, Subscription } from '../events/fanout.ts'

/** The most bytes of both files together: more events than the view shows. */
export const MOST_BYTES = 64 * 1024 ** 2

/** Where the events before those in `path` are. */
export function earlierPart(path: string): string {
  return `${path}.1`
}

export class EventFile implements Sink {
  readonly #path: string
  readonly #mostBytes: number
  readonly #fanout: Fanout
  /** Receives the error that has ended the recording. */
  readonly #onFailed: (error: Error) => void
  #file: number | null = null
  #bytes = 0
  #subscription: Subscription | null = null

  /** Writes what `fanout` sends, beginning with the first event that is kept, to the file at `path`. An earlier recording there becomes FILE.1. */
  constructor(path: string, fanout: Fanout, onFailed: (error: Error) => void, mostBytes = MOST_BYTES) {
    this.#path = path
    this.#mostBytes = mostBytes
    this.#fanout = fanout
    this.#onFailed = onFailed
    this.#contained(() => this.#begin('first'))
  }

  /** Writes what is there. To be called now and then: only here the next file begins. */
  poll(): void {
    if (this.#file === null || this.#bytes < this.#mostBytes / 2) return
    this.#contained(() => {
      this.flush()
      this.#subscription?.close()
      closeSync(this.#file as number)
      this.#begin()
    })
  }

  /** Writes all events that are kept and not yet written. */
  flush(): void {
    this.#subscription?.pump(Infinity)
  }

  write(batch: readonly Message[]): boolean {
    // A bookmark is a sign of life, once a second.
    const text = batch.filter(({ type }) => type !== 'stream.bookmark').map(({ json }) => `${json}\n`).join('')
    if (this.#file !== null && text !== '') {
      this.#contained(() => {
        const bytes = Buffer.from(text)
        for (let at = 0; at < bytes.length;) at += writeSync(this.#file as number, bytes, at)
        this.#bytes += bytes.length
      })
    }
    return true
  }

  end(): void {
    if (this.#file !== null) closeSync(this.#file)
    this.#file = null
  }

  #begin(since?: 'first'): void {
    try {
      renameSync(this.#path, earlierPart(this.#path))
    } catch { /* no such file */ }
    this.#file = openSync(this.#path, 'w')
    this.#bytes = 0
    this.#subscription = this.#fanout.subscribe(this, { since })
  }

  /** A full disk ends the recording, and nothing else. */
  #contained(what: () => void): void {
    try {
      what()
    } catch (error) {
      this.#file = null
      this.#subscription?.close()
      this.#onFailed(error as Error)
    }
  }
}
