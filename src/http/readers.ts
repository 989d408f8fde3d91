// Limits the cost of readers of long answers: event streams, downloads such as traces, and answers that are made whole. A
// download is made while it is read, and only a few are read at a time. Answers that are made whole may have a limited number
// of unread bytes, over all connections. The connection of a reader that has stopped reading is closed.
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Socket } from 'node:net'
import { Readable } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import type { Texts } from './monitor.ts'
import { Refusal } from './refusals.ts'

/** The most downloads at once. */
const MOST_DOWNLOADS = 4
/** A connection may be stuck for this many milliseconds with something to write. */
const UNREAD_MS = 60_000
/** How often a connection is checked in that time. The thread may have been blocked, and then one check proves nothing. */
const LOOKS = 4
/** With this many unread bytes over all connections, no further answer is made whole. */
const MOST_UNREAD = 64 * 1024 ** 2
/** A smaller answer is always sent: its request has cost about as much. */
const SMALL = 4096
/** A download is made in pieces of this many characters; between them the thread does other work. */
const PIECE = 16 * 1024

export interface ReadersOptions {
  /** The most downloads at once. Default 4. */
  downloads?: number
  /** How many milliseconds a connection may be stuck with something to write. Default 60,000. */
  unreadMs?: number
  /** The most unread bytes over all connections before no further answer is made whole. Default 64 MiB. */
  unreadBytes?: number
}

export class Readers {
  readonly #most: number
  readonly #mostUnread: number
  readonly #lookMs: number
  #downloads = 0
  readonly #watched = new Set<Socket>()

  constructor({ downloads = MOST_DOWNLOADS, unreadMs = UNREAD_MS, unreadBytes = MOST_UNREAD }: ReadersOptions = {}) {
    this.#most = downloads
    this.#mostUnread = unreadBytes
    this.#lookMs = unreadMs / LOOKS
  }

  /** A 503 if there is too much unread to make a large answer; `null` if there is room. */
  get full(): Refusal | null {
    let unread = 0
    for (const socket of this.#watched) unread += socket.writableLength
    if (unread < this.#mostUnread) return null
    return new Refusal('too-many-unread', `clients have not read ${unread} bytes of answers, which is the limit: try again in a moment`)
  }

  /** Watches the reader of an answer that is made whole. Returns a 503 if there is no room for it. */
  take(socket: Socket, payload: unknown): Refusal | null {
    if (typeof payload !== 'string' || payload.length < SMALL) return null
    this.watch(socket)
    return this.full
  }

  /** Takes a download slot until the response is over. Throws a 503 if none is free. */
  enter(request: FastifyRequest, reply: FastifyReply): void {
    if (this.#downloads >= this.#most) {
      throw new Refusal('too-many-downloads', `${this.#downloads} downloads of traces and events are under way, which is the limit: try again in a moment`)
    }
    const { socket } = request.raw
    if (socket.destroyed) return
    this.watch(socket)
    this.#downloads++
    const ends = [[reply.raw, 'finish'], [reply.raw, 'close'], [socket, 'close']] as const
    const leave = (): void => {
      for (const [emitter, event] of ends) emitter.off(event, leave)
      this.#downloads--
    }
    for (const [emitter, event] of ends) emitter.on(event, leave)
  }

  /** These texts as a response's body, each made when it is read. */
  body(texts: Texts): Readable {
    return Readable.from(pieces(texts), { objectMode: false, highWaterMark: PIECE })
  }

  /** Closes the connection when something has waited too long to be written: its reader has stopped reading. */
  watch(socket: Socket): void {
    // An injected request has no connection.
    if (!(socket instanceof Socket) || socket.destroyed || this.#watched.has(socket)) return
    this.#watched.add(socket)
    let written = -1
    let looks = 0
    const timer = setInterval(() => {
      const now = socket.bytesWritten - socket.writableLength
      looks = socket.writableLength > 0 && now === written ? looks + 1 : 0
      written = now
      if (looks >= LOOKS) socket.destroy()
    }, this.#lookMs)
    timer.unref()
    socket.once('close', () => {
      clearInterval(timer)
      this.#watched.delete(socket)
    })
  }
}

/** Texts in pieces that are large enough for a write; between them the thread does other work. */
export async function* pieces(texts: Texts): AsyncGenerator<string> {
  let piece = ''
  for await (const text of texts) {
    piece += text
    if (piece.length < PIECE) continue
    yield piece
    piece = ''
    await setImmediate()
  }
  if (piece !== '') yield piece
}
