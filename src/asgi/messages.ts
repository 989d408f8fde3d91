// Checks the messages that applications send: types, fields, and what is in them. Fields that are not in the specification are
// let through, as it asks for ("Error Handling").
import { validateHeaderName, validateHeaderValue } from 'node:http'
import { describe } from '../runtime/describe.ts'
import type { Bytes, SendEvent } from './types.ts'

interface Field {
  readonly name: string
  readonly required: boolean
  readonly wanted: string
  readonly valid: (value: unknown) => boolean
}

type Make = (name: string, required?: 'required') => Field

const field = (wanted: string, valid: (value: unknown) => boolean): Make => (name, required) => ({ name, required: required !== undefined, wanted, valid })

const bytes = field('a Uint8Array', (value) => value instanceof Uint8Array)
const bytesOrNull = field('a Uint8Array or null', (value) => value === null || value instanceof Uint8Array)
const text = field('a string', (value) => typeof value === 'string')
const textOrNull = field('a string or null', (value) => value === null || typeof value === 'string')
const flag = field('true or false', (value) => typeof value === 'boolean')
const count = field('an integer from 0', (value) => Number.isSafeInteger(value) && (value as number) >= 0)
const status = field('an integer from 200 to 999', (value) => Number.isInteger(value) && (value as number) >= 200 && (value as number) <= 999)
const closeCode = field('1000, 1001 to 1014 without those that are reserved, or 3000 to 4999', isCloseCode)
const list = field('an array', (value) => typeof value === 'object' && value !== null && Symbol.iterator in value)
const file = field('a file descriptor, or an object that has one as fd', (value) => Number.isInteger((value as { fd?: unknown } | null)?.fd ?? value))

/** The fields of every message that can be sent. */
const FIELDS: Record<SendEvent['type'], readonly Field[]> = {
  'http.response.start': [status('status', 'required'), list('headers'), flag('trailers')],
  'http.response.body': [bytes('body'), flag('more_body')],
  'http.response.trailers': [list('headers'), flag('more_trailers')],
  'http.response.early_hint': [list('links', 'required')],
  'http.response.pathsend': [text('path', 'required')],
  'http.response.zerocopysend': [file('file', 'required'), count('offset'), count('count'), flag('more_body')],
  'http.response.push': [text('path', 'required'), list('headers', 'required')],
  'websocket.accept': [textOrNull('subprotocol'), list('headers')],
  'websocket.send': [bytesOrNull('bytes'), textOrNull('text')],
  'websocket.close': [closeCode('code'), textOrNull('reason')],
  'websocket.http.response.start': [status('status', 'required'), list('headers')],
  'websocket.http.response.body': [bytes('body'), flag('more_body')],
  'lifespan.startup.complete': [],
  'lifespan.startup.failed': [text('message')],
  'lifespan.shutdown.complete': [],
  'lifespan.shutdown.failed': [text('message')],
}

const ofProtocol = (protocol: string): ReadonlyMap<unknown, readonly Field[]> => new Map(Object.entries(FIELDS).filter(([type]) => type.split('.')[0] === protocol))
const OF_PROTOCOL = { http: ofProtocol('http'), websocket: ofProtocol('websocket'), lifespan: ofProtocol('lifespan') }

/** Codes that an endpoint may send in a close frame (RFC 6455, 7.4). */
function isCloseCode(code: unknown): boolean {
  if (!Number.isInteger(code)) return false
  const number = code as number
  return (number >= 1000 && number <= 1014 && ![1004, 1005, 1006].includes(number)) || (number >= 3000 && number <= 4999)
}

/** Throws a TypeError unless `event` is a message of this protocol with all its fields. */
export function requireMessage(event: unknown, protocol: 'http' | 'websocket' | 'lifespan'): void {
  const type = (event as { type?: unknown } | null | undefined)?.type
  const fields = OF_PROTOCOL[protocol].get(type)
  if (fields === undefined) {
    const known = [...OF_PROTOCOL[protocol].keys()].join(', ')
    throw new TypeError(`send: a message needs a type, one of ${known}; got ${typeof event === 'object' && event !== null ? describe(type) : describe(event)}`)
  }
  for (let at = 0; at < fields.length; at++) {
    const { name, required, wanted, valid } = fields[at] as Field
    const value = (event as Record<string, unknown>)[name]
    if (value === undefined ? required : !valid(value)) throw new TypeError(`send: ${String(type)} needs ${name} to be ${wanted}, got ${describe(value)}`)
  }
}

/** Header fields as text, in their order: name, value, name, value …. Throws a TypeError for one that HTTP does not allow. */
export function headerTexts(headers: Iterable<readonly [name: Bytes, value: Bytes]> | undefined): string[] {
  const texts: string[] = []
  for (const pair of headers ?? []) {
    const [name, value] = pair as readonly unknown[]
    if (!(name instanceof Uint8Array) || !(value instanceof Uint8Array)) throw new TypeError(`send: a header is a pair of Uint8Arrays, got ${describe(pair)}`)
    const [nameText, valueText] = [latin1(name), latin1(value)]
    validateHeaderName(nameText)
    validateHeaderValue(nameText, valueText)
    texts.push(nameText, valueText)
  }
  return texts
}

/** Bytes as text of one character each. */
export function latin1(bytes: Bytes): string {
  return (Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)).toString('latin1')
}
