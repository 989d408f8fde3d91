// WebSocket frames: made as a client would not make them, and read as strictly as possible.
import { createHash } from 'node:crypto'

export interface FrameOptions {
  opcode: number
  payload?: Buffer | string
  fin?: boolean
  /** The three reserved bits. */
  reserved?: number
  masked?: boolean
  /** The length in the head, if it is wrong. */
  claims?: number
}

const MASK = Buffer.from([0x37, 0xfa, 0x21, 0x3d])

export function frame({ opcode, payload = '', fin = true, reserved = 0, masked = true, claims }: FrameOptions): Buffer {
  const bytes = Buffer.from(payload)
  const length = claims ?? bytes.length
  const head = Buffer.alloc(length < 126 ? 2 : length < 65_536 ? 4 : 10)
  head[0] = (fin ? 0x80 : 0) | (reserved << 4) | opcode
  head[1] = (masked ? 0x80 : 0) | (length < 126 ? length : length < 65_536 ? 126 : 127)
  if (head.length === 4) head.writeUInt16BE(length, 2)
  if (head.length === 10) head.writeBigUInt64BE(BigInt(length), 2)
  if (!masked) return Buffer.concat([head, bytes])
  return Buffer.concat([head, MASK, bytes.map((byte, at) => byte ^ (MASK[at % 4] as number))])
}

/** A close frame. */
export function close(code: number, reason = ''): Buffer {
  const payload = Buffer.alloc(2 + Buffer.byteLength(reason))
  payload.writeUInt16BE(code)
  payload.write(reason, 2)
  return frame({ opcode: 8, payload })
}

/** The server's answer to this key. */
export function acceptOf(key: string): string {
  return createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
}

const CODES = new Set([1000, 1001, 1002, 1003, 1007, 1008, 1009, 1011, 1012, 1013])

/** What a server sends after a handshake. */
export class Frames {
  problem: string | null = null
  /** The types of the first messages, in their order. */
  readonly types: string[] = []
  /** The code of the close frame; `null`: none came. */
  closed: number | null = null
  #rest: Buffer = Buffer.alloc(0)

  push(bytes: Buffer): void {
    this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes])
    while (this.problem === null && this.#one());
  }

  #one(): boolean {
    const bytes = this.#rest
    if (bytes.length < 2) return false
    const [first, second] = bytes as unknown as [number, number]
    const size = (second & 0x7f) === 126 ? 4 : (second & 0x7f) === 127 ? 10 : 2
    if (bytes.length < size) return false
    const length = size === 2 ? second & 0x7f : size === 4 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2))
    const opcode = first & 0x0f
    if ((first & 0xf0) !== 0x80 || second > 0x7f || ![1, 8, 9, 10].includes(opcode) || (opcode > 7 && length > 125) || length > 2 ** 24) {
      this.problem = `no frame that a server may send: ${JSON.stringify(bytes.subarray(0, 40).toString('latin1'))}`
      return false
    }
    if (bytes.length < size + length) return false
    this.#rest = bytes.subarray(size + length)
    this.#take(opcode, bytes.subarray(size, size + length))
    return true
  }

  #take(opcode: number, payload: Buffer): void {
    if (this.closed !== null) this.problem = 'a frame after the close frame'
    else if (opcode === 8) {
      this.closed = payload.length === 0 ? 1005 : payload.readUInt16BE(0)
      if (this.closed !== 1005 && !CODES.has(this.closed) && (this.closed < 3000 || this.closed > 4999)) this.problem = `a close frame with the code ${this.closed}`
    } else if (opcode === 1) {
      try {
        const { type } = JSON.parse(payload.toString()) as { type?: unknown }
        if (typeof type !== 'string') this.problem = `a message without a type: ${payload.toString().slice(0, 200)}`
        else if (this.types.length < 20) this.types.push(type)
      } catch {
        this.problem = `a message that is no JSON: ${payload.toString().slice(0, 200)}`
      }
    }
  }
}
