// What these applications have in common: header fields as text, a whole response in one call, and a `send` that changes the
// header fields of a response.
import type { Bytes, ConnectionScope, Send } from '../../src/asgi/index.ts'
import type { Coroutine } from '../../src/index.ts'

export type Fields = (readonly [name: Bytes, value: Bytes])[]

export const bytes = (text: string): Bytes => Buffer.from(text)
export const text = (value: Bytes): string => Buffer.from(value).toString()
export const field = (name: string, value: string | number): Fields[number] => [bytes(name), bytes(String(value))]

/** The values of a header field, joined by commas; '' without one. */
export function header(headers: ConnectionScope['headers'] | Fields, name: string): string {
  return headers.filter(([one]) => text(one).toLowerCase() === name).map(([, value]) => text(value)).join(', ')
}

/** The fields without those of this name. */
export function without(headers: Fields, name: string): Fields {
  return headers.filter(([one]) => text(one).toLowerCase() !== name)
}

/** Adds a request header to those on which the response depends: a cache keeps one response for each of its values. */
export function varying(headers: Fields, on: string): Fields {
  const known = header(headers, 'vary').toLowerCase().split(',').map((one) => one.trim())
  return known.includes('*') || known.includes(on) ? headers : [...headers, field('vary', on)]
}

/** A `send` that changes the header fields of the response. */
export function changing(send: Send, change: (headers: Fields) => Fields): Send {
  return (event) => send(event.type === 'http.response.start' ? { ...event, headers: change([...event.headers ?? []]) } : event)
}

/** Sends a whole response of plain text. */
export function* respond(send: Send, status: number, body: string, headers: Fields = []): Coroutine<void> {
  const content = bytes(body)
  yield* send({ type: 'http.response.start', status, headers: [field('content-type', 'text/plain; charset=utf-8'), field('content-length', content.length), ...headers] })
  yield* send({ type: 'http.response.body', body: content })
}
