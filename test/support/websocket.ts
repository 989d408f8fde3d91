// A WebSocket by hand: its client reads when it wants, and sends what no library would.
import { once } from 'node:events'
import type { Socket } from 'node:net'
import type { Readable } from 'node:stream'
import { handshake, open } from './raw.ts'

export const TEXT = 1
export const PING = 9
export const PONG = 10

/** A frame of a client, masked with zeros. */
export function frame(payload: string, opcode = TEXT): Buffer {
  const body = Buffer.from(payload)
  const head = body.length < 126 ? Buffer.from([0x80 | opcode, 0x80 | body.length]) : Buffer.from([0x80 | opcode, 0x80 | 126, body.length >> 8, body.length & 255])
  return Buffer.concat([head, Buffer.alloc(4), body])
}

/** Opens a WebSocket; only the handshake is read from it. */
export async function openSocket(port: number, path: string): Promise<Socket> {
  const socket = open(port, handshake(path))
  await once(socket, 'readable')
  return socket
}

/** A connection is over, however it ended. */
export function over(connection: Readable): Promise<void> {
  return new Promise((resolve) => {
    if (connection.closed) resolve()
    else connection.once('close', () => resolve())
  })
}

/** All that a server has sent, and will send until it closes. */
export async function rest(socket: Socket): Promise<Buffer> {
  const parts: Buffer[] = []
  socket.on('data', (chunk: Buffer) => { parts.push(chunk) })
  await over(socket)
  return Buffer.concat(parts)
}
