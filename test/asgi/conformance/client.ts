// A client that hides nothing: HTTP/1 and WebSockets as bytes on a socket. Every wait is bounded.
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'

/** How long something may take that has to happen, in ms. */
export const PATIENCE = 5000

/** Where a server listens; `tls` if it speaks TLS there. */
export interface Address {
  host: string
  port: number
  tls: boolean
}

export interface Response {
  status: number
  /** In their order, names in lower case. */
  headers: [name: string, value: string][]
  /** Without the encoding of the transfer. */
  body: string
  trailers: [name: string, value: string][]
  /** The body came whole, as its length or its last chunk says, or up to the end of the connection if it has neither. */
  whole: boolean
  /** The statuses and headers of informational responses before it. */
  early: { status: number; headers: [name: string, value: string][] }[]
}

/** What did not arrive in time, or not at all. */
export class NoAnswer extends Error {}

export class Connection {
  readonly socket: Socket
  /** What has arrived and is not yet read, one character a byte. */
  #text = ''
  ended = false
  readonly #changed = new Set<() => void>()

  constructor({ host, port, tls }: Address) {
    this.socket = tls ? connectTls({ host, port, rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] }) : connect({ host, port })
    this.socket.on('data', (part: Buffer) => {
      this.#text += part.toString('latin1')
      this.#wake()
    })
    for (const event of ['end', 'close'] as const) {
      this.socket.on(event, () => {
        this.ended = true
        this.#wake()
      })
    }
    this.socket.on('error', () => {})
  }

  get unread(): string {
    return this.#text
  }

  write(bytes: string): void {
    this.socket.write(bytes, 'latin1')
  }

  /** The address and port of this end. */
  async local(): Promise<[address: string | undefined, port: number | undefined]> {
    if (this.socket.connecting) await once(this.socket, 'connect').catch(() => {})
    return [this.socket.localAddress, this.socket.localPort]
  }

  /** Closes it. For TCP the server may still send. */
  close(): void {
    this.socket.destroy()
  }

  /** Ends it as a client that is gone, by a reset: no server can take that for one that still reads. */
  leave(): void {
    this.socket.resetAndDestroy()
  }

  #wake(): void {
    for (const wake of [...this.#changed]) wake()
  }

  /** Waits until `look` gives something; null if it has not after `ms`. */
  async #until<T>(look: () => T | null, ms: number): Promise<T | null> {
    const late = performance.now() + ms
    for (;;) {
      const found = look()
      const left = late - performance.now()
      if (found !== null || left <= 0) return found
      await new Promise<void>((resolve) => {
        const done = (): void => {
          clearTimeout(timer)
          this.#changed.delete(done)
          resolve()
        }
        const timer = setTimeout(done, left)
        this.#changed.add(done)
      })
    }
  }

  /** Takes the first match of what has arrived; null if none comes within `ms`, or before the end. */
  async take(wanted: RegExp, ms = PATIENCE): Promise<RegExpExecArray | null> {
    const found = await this.#until(() => wanted.exec(this.#text) ?? (this.ended ? 'ended' as const : null), ms)
    if (found === null || found === 'ended') return null
    this.#text = this.#text.slice(found.index + found[0].length)
    return found
  }

  /** Whether the server ends the connection within `ms`. */
  async ends(ms = PATIENCE): Promise<boolean> {
    return (await this.#until(() => (this.ended ? true : null), ms)) === true
  }

  /** The next response. `method` is that of its request. */
  async response(method = 'GET', ms = PATIENCE): Promise<Response> {
    const early: Response['early'] = []
    for (;;) {
      const head = await this.take(/^HTTP\/1\.[01] (\d{3})[^\r\n]*\r\n([^]*?\r\n)??\r\n/, ms)
      if (head === null) throw new NoAnswer(this.#text === '' ? `no response${this.ended ? ', the connection was closed' : ''}` : `no HTTP response but ${JSON.stringify(this.#text.slice(0, 200))}`)
      const status = Number(head[1])
      const headers = fields(head[2] ?? '')
      if (status >= 200 || status === 101) return { status, headers, early, ...await this.#body(method, status, headers, ms) }
      early.push({ status, headers })
    }
  }

  async #body(method: string, status: number, headers: Response['headers'], ms: number): Promise<Pick<Response, 'body' | 'trailers' | 'whole'>> {
    const none = { body: '', trailers: [], whole: true }
    if (method === 'HEAD' || status === 101 || status === 204 || status === 304) return none
    if (valuesOf(headers, 'transfer-encoding').at(-1)?.toLowerCase().endsWith('chunked') === true) return this.#chunks(ms)
    const length = valuesOf(headers, 'content-length')[0]
    const wanted = length === undefined ? Infinity : Number(length)
    await this.#until(() => (this.ended || this.#text.length >= wanted ? true : null), ms)
    const body = this.#text.slice(0, wanted)
    this.#text = this.#text.slice(body.length)
    return { body, trailers: [], whole: length === undefined ? this.ended : body.length === wanted }
  }

  async #chunks(ms: number): Promise<Pick<Response, 'body' | 'trailers' | 'whole'>> {
    let body = ''
    for (;;) {
      const size = await this.take(/^([0-9a-f]+)[^\r\n]*\r\n/i, ms)
      if (size === null) return { body, trailers: [], whole: false }
      const length = Number.parseInt(size[1] as string, 16)
      if (length === 0) {
        const end = await this.take(/^([^]*?\r\n)??\r\n/, ms)
        return { body, trailers: fields(end?.[1] ?? ''), whole: end !== null }
      }
      await this.#until(() => (this.ended || this.#text.length >= length + 2 ? true : null), ms)
      if (this.#text.length < length + 2) return { body: body + this.#text.slice(0, length), trailers: [], whole: false }
      body += this.#text.slice(0, length)
      this.#text = this.#text.slice(length + 2)
    }
  }
}

function fields(lines: string): [name: string, value: string][] {
  return lines.split('\r\n').filter((line) => line !== '').map((line) => {
    const at = line.indexOf(':')
    return [line.slice(0, at).toLowerCase(), line.slice(at + 1).trim()]
  })
}

/** The text of bytes that are UTF-8. */
export function utf8(text: string): string {
  return Buffer.from(text, 'latin1').toString('utf8')
}

/** The values of the fields of a name. */
export function valuesOf(headers: [name: string, value: string][], name: string): string[] {
  return headers.filter(([one]) => one === name).map(([, value]) => value)
}

export const TEXT = 1
export const BINARY = 2
export const CLOSE = 8
export const PING = 9
export const PONG = 10

export interface Frame {
  opcode: number
  final: boolean
  payload: string
}

/** A frame of a client, masked as it has to be. */
export function frame(opcode: number, payload: string, final = true): string {
  const mask = [0x12, 0x34, 0x56, 0x78]
  const bytes = Buffer.from(payload, 'latin1')
  if (bytes.length > 125) throw new RangeError(`a frame of the suite has at most 125 bytes, got ${bytes.length}`)
  const head = Buffer.from([(final ? 0x80 : 0) | opcode, 0x80 | bytes.length, ...mask])
  return Buffer.concat([head, bytes.map((byte, at) => byte ^ (mask[at % 4] as number))]).toString('latin1')
}

/** The payload of a close frame. */
export function closing(code: number, reason = ''): string {
  return String.fromCharCode(code >> 8, code & 255) + reason
}

/** The next frame of the server, apart from pings; null if none comes before the end of the connection. */
export async function nextFrame(connection: Connection, ms = PATIENCE): Promise<Frame | null> {
  for (;;) {
    const head = await connection.take(/^([^])([\x00-\x7d]|\x7e[^]{2})/, ms)
    if (head === null) return null
    const [first, length] = [(head[1] as string).charCodeAt(0), head[2] as string]
    const size = length.length === 1 ? length.charCodeAt(0) : length.charCodeAt(1) * 256 + length.charCodeAt(2)
    const payload = size === 0 ? '' : (await connection.take(new RegExp(`^[^]{${size}}`), ms))?.[0]
    if (payload === undefined) return null
    if ((first & 15) !== PING) return { opcode: first & 15, final: first >= 128, payload }
  }
}

/** The code and reason of a close frame; 1005 without a code. */
export function closeOf({ payload }: Frame): { code: number; reason: string } {
  return { code: payload.length < 2 ? 1005 : payload.charCodeAt(0) * 256 + payload.charCodeAt(1), reason: payload.slice(2) }
}
