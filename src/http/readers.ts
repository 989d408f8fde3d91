// Readers of what is long: event streams, downloads such as traces, and answers that are made whole. A download is made as it
// is read, and few are read at a time; what is made whole may lie unread up to a number of bytes, of all connections together; and
// the connection of a reader that has stopped reading is closed. So what readers cost is bounded in bytes and time.
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Socket } from 'node:net'
import { Readable } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import type { Texts } from './monitor.ts'
import { Refusal } from './refusals.ts'

/** How many downloads are read at once. */
const MOST_DOWNLOADS = 4
/** For how many milliseconds something may wait to be written while nothing can be. */
const UNREAD_MS = 60_000
/** In that time a connection is looked at so often: the thread may have been blocked, and then one look says nothing. */
const LOOKS = 4
/** So many bytes may lie unread, of all connections together, before no more is made whole. */
const MOST_UNREAD = 64 * 1024 ** 2
/** Something smaller is said in any case: its request has cost about as much. */
const SMALL = 4096
/** A download is made in pieces of so many characters; in between, whatever else this thread serves gets its turn. */
const PIECE = 16 * 1024

export interface ReadersOptions {
  /** How many downloads are read at once. Default 4. */
  downloads?: number
  /** For how many milliseconds something may wait to be written while nothing can be. Default 60,000. */
  unreadMs?: number
  /** How many bytes may lie unread, of all connections together, before no more is made whole. Default 64 MiB. */
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

  /** A 503 where so much lies unread that nothing large is made any more; `null`: there is room. */
  get full(): Refusal | null {
    let unread = 0
    for (const socket of this.#watched) unread += socket.writableLength
    if (unread < this.#mostUnread) return null
    return new Refusal('too-many-unread', `clients have not read ${unread} bytes of answers, which is the limit: try again in a moment`)
  }

  /** Watch over the reader of an answer that is made whole. Gives a 503 where there is no room for it. */
  take(socket: Socket, payload: unknown): Refusal | null {
    if (typeof payload !== 'string' || payload.length < SMALL) return null
    this.watch(socket)
    return this.full
  }

  /** Take a place among the downloads until the response is over. Throws a 503 where all are taken. */
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

  /** Close the connection when something has waited for too long to be written and nothing could be: its reader has stopped reading. */
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

/** Texts in pieces that are worth a write; in between, whatever else this thread does gets its turn. */
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
