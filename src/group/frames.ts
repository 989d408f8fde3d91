// Messages over a socket between two processes of a group. Each is a frame: the length of its text in four bytes, one byte for
// its kind, and the text. A frame that is longer than its reader allows ends the connection.
import type { Socket } from 'node:net'
import type { z } from 'zod'

/** `events`: a batch, the numbers of its first and last event before it. */
export const KIND = { json: 1, events: 2 } as const

export interface Frame {
  kind: number
  text: string
}

export type Frames = AsyncGenerator<Frame, void, void>

const HEAD_BYTES = 5

export function encode(kind: number, text: string): Buffer {
  const length = Buffer.byteLength(text)
  const bytes = Buffer.allocUnsafe(HEAD_BYTES + length)
  bytes.writeUInt32BE(length)
  bytes[4] = kind
  bytes.write(text, HEAD_BYTES)
  return bytes
}

export function sendJson(socket: Socket, message: object): void {
  socket.write(encode(KIND.json, JSON.stringify(message)))
}

/** The frames that arrive, until the connection ends. Throws a RangeError at one with more than `most()` bytes. */
export async function* framesOf(socket: Socket, most: () => number): Frames {
  let parts: Buffer[] = []
  let bytes = 0
  let needed = HEAD_BYTES
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    parts.push(chunk)
    bytes += chunk.length
    if (bytes < needed) continue
    let all = parts.length === 1 ? parts[0] as Buffer : Buffer.concat(parts, bytes)
    for (;;) {
      needed = HEAD_BYTES
      if (all.length < needed) break
      const length = all.readUInt32BE()
      if (length > most()) throw new RangeError(`a message of ${length} bytes, and ${most()} are allowed`)
      needed += length
      if (all.length < needed) break
      yield { kind: all[4] as number, text: all.toString('utf8', HEAD_BYTES, needed) }
      all = all.subarray(needed)
    }
    parts = [all]
    bytes = all.length
  }
}

/** The next frame, if it is JSON of this form. Throws an Error otherwise, also at the end of the connection. */
export async function nextOf<T extends z.ZodType>(frames: Frames, schema: T): Promise<z.output<T>> {
  const { value } = await frames.next()
  if (value?.kind !== KIND.json) throw new Error('the connection has ended, or sends something else')
  return schema.parse(JSON.parse(value.text))
}
