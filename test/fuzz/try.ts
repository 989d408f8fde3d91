// One try: what is sent to which port, how the client behaves, and what must follow. It depends only on a seed, a number and
// the surface of the server.
import type { Random } from '../conformance/random.ts'

export type Port = 'app' | 'observer'
export const PORTS: readonly Port[] = ['app', 'observer']

/**
 * How a client continues once it has sent all.
 * - `answered`: every request must be answered in full.
 * - `begun`: the same, but of the last answer only the head; then the client leaves, as from a stream.
 * - `over`: the number of requests is not known. When nothing more arrives, the client ends its half, and the connection must close.
 * - `left`: the client leaves at once, or after a moment.
 */
export type Ending = 'answered' | 'begun' | 'over' | 'left'

export interface Try {
  to: Port
  /** What is sent, in the pieces in which it is written. */
  pieces: Buffer[]
  /** The methods of the requests, in their order, as far as they are known. */
  methods: string[]
  ending: Ending
  /** The most answers that there may be. */
  most: number
  /** Frames, once the server has switched to WebSocket; and whether it must switch. */
  frames?: Buffer[]
  key?: string
  /** Nothing may be reached by this: each answer must be an error. */
  refused?: boolean
  /** What the message of each answer must contain. */
  echoes?: string[]
  /** The client asked for `100 Continue`. */
  expects?: boolean
  /** It leaves with a reset, not an end. */
  resets?: boolean
  /** The connection may be used again after it. */
  reuse?: boolean
}

export interface Parameter {
  name: string
  in: string
  schema: Schema
}

export interface Schema {
  type?: string
  enum?: unknown[]
  minimum?: number
  maximum?: number
  pattern?: string
  anyOf?: Schema[]
}

export interface Route {
  method: string
  path: string
  parameters: Parameter[]
  /** Its body's schema is that of a lab. */
  body: boolean
}

export interface Surface {
  routes: Route[]
  /** The Host of each port. */
  hosts: Record<Port, string>
  /** Host and port of a server that must never be called, and a word that only it sends. */
  sentinel: { host: string; says: string }
  /** How the sentinel would be called from this try: the path shows which try it was. */
  calling: string
}

export type Maker = (random: Random, surface: Surface) => Try

export interface Request {
  method?: string
  target?: string
  version?: string
  /** Lines, each without its end. */
  headers?: string[]
  body?: string | Buffer
}

/** The bytes of a request; the Host is among `headers`. */
export function bytesOf({ method = 'GET', target = '/ping', version = 'HTTP/1.1', headers = [], body = '' }: Request): Buffer {
  const head = Buffer.from(`${method} ${target} ${version}\r\n${headers.map((line) => `${line}\r\n`).join('')}\r\n`, 'latin1')
  return body.length === 0 ? head : Buffer.concat([head, Buffer.from(body)])
}

/** Cuts bytes into pieces, at random places; mostly not at all. */
export function cut(random: Random, bytes: Buffer, probability = 0.25): Buffer[] {
  if (!random.chance(probability) || bytes.length < 2) return [bytes]
  const places = new Set(Array.from({ length: random.int(1, 6) }, () => random.int(1, bytes.length - 1)))
  const pieces: Buffer[] = []
  let from = 0
  for (const place of [...places].sort((a, b) => a - b)) {
    pieces.push(bytes.subarray(from, place))
    from = place
  }
  return [...pieces, bytes.subarray(from)]
}
