// One HTTP request as an application sees it: what it receives, and what it sends. The rules are those of the HTTP part of the
// specification; the bytes are those of Node's http.
import { createReadStream } from 'node:fs'
import { isAbsolute } from 'node:path'
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import type { Http2ServerResponse, ServerHttp2Stream } from 'node:http2'
import type { Readable } from 'node:stream'
import type { Coroutine } from '../runtime/coroutine.ts'
import { RuntimeError } from '../runtime/exceptions.ts'
import { fromPromise } from '../runtime/from-host.ts'
import { trackUnawaited } from '../runtime/unawaited.ts'
import { headerTexts, latin1, requireMessage } from './messages.ts'
import { ClientDisconnected, type Bytes, type HttpDisconnectEvent, type HttpRequestEvent, type HttpSendEvent, type SendEvent } from './types.ts'
import { Waits } from './waits.ts'

const NOTHING = new Uint8Array(0)
/** A body of more bytes is not copied, to be sent together with the head. */
const MOST_JOINED = 4096
/** HTTP/2 has no such fields; in HTTP/1 they are the server's. */
const OF_CONNECTION = new Set(['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade'])

/** Called with each message, for observers: the bytes of a body, whether more of it follows, and a status or close code or 0. */
export type OnMessage = (direction: 'receive' | 'send', type: string, bytes: number, more: boolean, code: number) => void

/** What a connection needs of its server. */
export interface HttpHost {
  /** The response begins; it may add header fields. */
  onStart(headers: string[]): void
  readonly onMessage: OnMessage | null
  /** The application pushes a response to a request for `path` with these headers, which has not been made. */
  onPush(path: string, headers: string[]): void
}

/** The state of a response: `start` is sent together with the first part of the body. */
const BEFORE_START = 0
const STARTED = 1
const IN_BODY = 2
const IN_TRAILERS = 3
const COMPLETE = 4

export class HttpConnection {
  readonly #request: IncomingMessage
  readonly #response: ServerResponse
  readonly #host: HttpHost
  readonly #onMessage: OnMessage | null
  readonly #waits = new Waits()
  #state = BEFORE_START
  #status = 200
  /** Name, value, name, value …. */
  #headers: string[] = []
  /** The trailers so far. */
  readonly #fields: [name: string, value: string][] = []
  /** Trailers follow the body. */
  #trailers = false
  /** How many bytes of the body are left to send by the Content-Length of the application; NaN without one. */
  #left = NaN
  /** All of the request's body was received. */
  #whole: boolean
  /** How many bytes of the request's body are left, by its Content-Length; NaN without one. */
  #unread: number
  #reads = false
  /** The client has disconnected. */
  #gone = false
  #expectsContinue: boolean

  /** `expectsContinue`: the client waits for "100 Continue" before it sends the body. */
  constructor(request: IncomingMessage, response: ServerResponse, host: HttpHost, expectsContinue: boolean) {
    this.#request = request
    this.#response = response
    this.#expectsContinue = expectsContinue
    this.#host = host
    this.#onMessage = host.onMessage
    const { 'content-length': length, 'transfer-encoding': encoding } = request.headers
    this.#unread = length === undefined ? NaN : Number(length)
    this.#whole = request.httpVersionMajor === 1 && encoding === undefined && !(this.#unread > 0)
  }

  /** Whether the response has begun, for the application. */
  get started(): boolean {
    return this.#state !== BEFORE_START
  }

  /** Whether the response is complete, for the application. */
  get complete(): boolean {
    return this.#state === COMPLETE
  }

  /** Whether the client disconnected before the response was complete. */
  get disconnected(): boolean {
    return this.#gone
  }

  readonly receive = (): Coroutine<HttpRequestEvent | HttpDisconnectEvent> => trackUnawaited(this.#receive(), 'receive')

  readonly send = (event: SendEvent): Coroutine<void> => trackUnawaited(this.#send(event as HttpSendEvent), 'send')

  /** The connection is closed: from now on `receive` gives the disconnect, and `send` throws. */
  closed(): void {
    if (this.#state !== COMPLETE) this.#gone = true
    this.#waits.wake()
  }

  *#receive(): Coroutine<HttpRequestEvent | HttpDisconnectEvent> {
    if (this.#expectsContinue && !this.#gone) {
      this.#expectsContinue = false
      this.#response.writeContinue()
    }
    while (!this.#gone && this.#state !== COMPLETE) {
      if (!this.#whole) {
        const body = this.#read()
        if (body !== null) {
          this.#onMessage?.('receive', 'http.request', body.length, !this.#whole, 0)
          return { type: 'http.request', body, more_body: !this.#whole }
        }
        yield* this.#waits.wait('receive', 'the body of the request')
      } else if (!this.#reads) {
        // A request without a body has one message, too.
        this.#reads = true
        this.#onMessage?.('receive', 'http.request', 0, false, 0)
        return { type: 'http.request', body: NOTHING, more_body: false }
      } else yield* this.#waits.wait('receive', 'the end of the connection')
    }
    this.#onMessage?.('receive', 'http.disconnect', 0, false, 0)
    return { type: 'http.disconnect' }
  }

  /** The next part of the request's body; null if it has not arrived. */
  #read(): Bytes | null {
    const request = this.#request
    if (!this.#reads) {
      this.#reads = true
      // A stream with this listener is read only when it is asked to.
      request.on('readable', () => this.#waits.wake())
      request.on('end', () => this.#waits.wake())
    }
    const part = request.read() as Bytes | null
    if (part !== null) {
      this.#unread -= part.length
      this.#whole = this.#unread === 0
      return part
    }
    if (!request.readableEnded && !(request.complete && request.readableLength === 0)) return null
    this.#whole = true
    return NOTHING
  }

  *#send(event: HttpSendEvent): Coroutine<void> {
    requireMessage(event, 'http')
    if (this.#gone) throw new ClientDisconnected()
    switch (event.type) {
      case 'http.response.start':
        this.#expect(BEFORE_START, event)
        this.#takeHeaders(headerTexts(event.headers))
        this.#status = event.status
        this.#trailers = event.trailers ?? false
        this.#state = STARTED
        this.#onMessage?.('send', event.type, 0, true, event.status)
        return
      case 'http.response.body':
        this.#expectBody(event)
        if (!this.#body(event.type, event.body ?? NOTHING, event.more_body ?? false)) yield* this.#room()
        return
      case 'http.response.trailers':
        this.#expect(IN_TRAILERS, event)
        this.#onMessage?.('send', event.type, 0, event.more_trailers ?? false, 0)
        this.#sendTrailers(headerTexts(event.headers), event.more_trailers ?? false)
        return
      case 'http.response.early_hint':
        this.#expect(STARTED, event)
        this.#onMessage?.('send', event.type, 0, true, 0)
        this.#response.writeEarlyHints({ link: Array.from(event.links, latin1) })
        return
      case 'http.response.pathsend':
        this.#expect(STARTED, event)
        if (!isAbsolute(event.path)) throw new TypeError(`send: http.response.pathsend needs an absolute path, got ${event.path}`)
        return yield* this.#file(event.type, createReadStream(event.path), false)
      case 'http.response.zerocopysend': {
        const { file, offset, count, more_body = false } = event
        const fd = typeof file === 'number' ? file : file.fd
        this.#expectBody(event)
        if (count === 0) {
          this.#body(event.type, NOTHING, more_body)
          return
        }
        // The application closes the file. Without an offset, reading goes on from the file's position.
        const range = { ...(offset === undefined ? {} : { start: offset }), ...(count === undefined ? {} : { end: (offset ?? 0) + count - 1 }) }
        return yield* this.#file(event.type, createReadStream('', { fd, autoClose: false, ...range }), more_body)
      }
      case 'http.response.push':
        if (this.#request.httpVersionMajor === 1) throw new RuntimeError('send: http.response.push needs HTTP/2')
        this.#expectBody(event)
        this.#onMessage?.('send', event.type, 0, true, 0)
        this.#host.onPush(event.path, headerTexts(event.headers))
    }
  }

  /** Takes the fields that an application may set: those of the connection are the server's. An application may ask to close it. */
  #takeHeaders(headers: string[]): void {
    for (let at = 0; at < headers.length; at += 2) {
      const [name, value] = [headers[at] as string, headers[at + 1] as string]
      const lower = name.toLowerCase()
      if (OF_CONNECTION.has(lower) && value.toLowerCase() !== 'close') continue
      this.#headers.push(name, value)
      if (lower === 'content-length') this.#left = Number(value)
    }
  }

  #expect(state: number, { type }: HttpSendEvent): void {
    if (this.#state === state) return
    throw new RuntimeError(`send: ${type} cannot be sent ${this.#where()}`)
  }

  #expectBody(event: HttpSendEvent): void {
    if (this.#state !== IN_BODY) this.#expect(STARTED, event)
  }

  #where(): string {
    return ['before http.response.start', 'after http.response.start', 'after the body has begun', 'before http.response.trailers', 'after the response is complete'][this.#state] as string
  }

  /** Sends a part of the body. Returns whether there is room for more. */
  #body(type: string, body: Bytes, more: boolean): boolean {
    this.#begin(body.length, more)
    this.#onMessage?.('send', type, body.length, more, 0)
    if (!more && !this.#trailers) {
      this.#end(body)
      return true
    }
    const room = body.length === 0 || this.#response.write(body)
    if (!more) this.#state = IN_TRAILERS
    return room
  }

  /** Waits until the client has taken what was sent, as far as the buffers say. */
  *#room(): Coroutine<void> {
    if (this.#response.listenerCount('drain') === 0) this.#response.on('drain', () => this.#waits.wake())
    const writable = http2Stream(this.#response) ?? this.#response
    while (writable.writableNeedDrain && !this.#gone) yield* this.#waits.wait('send', 'the client to take what was sent')
  }

  /** A file as a part of the body, or all of it. */
  *#file(type: string, stream: Readable, more: boolean): Coroutine<void> {
    const chunks = stream[Symbol.asyncIterator]() as AsyncIterator<Bytes, undefined>
    try {
      for (;;) {
        // A file that cannot be opened throws before anything is sent.
        const part: IteratorResult<Bytes, undefined> = yield* fromPromise(chunks.next())
        if (this.#gone) throw new ClientDisconnected()
        if (part.done === true) {
          this.#body(type, NOTHING, more)
          return
        }
        if (!this.#body(type, part.value, true)) yield* this.#room()
      }
    } finally {
      void chunks.return?.()
    }
  }

  /** Sends the head of the response with the first part of its body, of this many bytes, and counts them. */
  #begin(bytes: number, more: boolean): void {
    if (this.#request.method !== 'HEAD') {
      const left = this.#left - bytes
      if (left < 0) throw new RuntimeError(`send: the body is ${-left} bytes longer than the Content-Length`)
      if (!more && left > 0) throw new RuntimeError(`send: the body is ${left} bytes shorter than the Content-Length`)
      this.#left = left
    }
    if (this.#state !== STARTED) return
    this.#state = IN_BODY
    this.#host.onStart(this.#headers)
    writeHead(this.#request, this.#response, this.#status, this.#headers)
  }

  #end(last: Bytes): void {
    this.#state = COMPLETE
    // Node sends the head together with a text, and bytes after it.
    if (last.length <= MOST_JOINED) this.#response.end(latin1(last), 'latin1')
    else this.#response.end(last)
    this.#waits.wake()
  }

  /** Trailers are sent if the client takes them. */
  #sendTrailers(trailers: string[], more: boolean): void {
    const { te = '' } = this.#request.headers
    if (/\btrailers\b/i.test(String(te))) {
      for (let at = 0; at < trailers.length; at += 2) this.#fields.push([trailers[at] as string, trailers[at + 1] as string])
    }
    if (more) return
    // Node takes all of them at once, and those of HTTP/2 by their names.
    if (this.#request.httpVersionMajor === 1) this.#response.addTrailers(this.#fields)
    else this.#response.addTrailers(byName(this.#fields.flat()) as OutgoingHttpHeaders)
    this.#end(NOTHING)
  }
}

/** The stream that Node's response for HTTP/2 writes to; null for HTTP/1. */
export function http2Stream(response: ServerResponse): ServerHttp2Stream | null {
  return (response as unknown as Partial<Http2ServerResponse>).stream ?? null
}

/** Header fields, given as name, value, name, value …, as Node's HTTP/2 takes them: the values of each name. */
export function byName(headers: string[]): Record<string, string[]> {
  const all: Record<string, string[]> = {}
  for (let at = 0; at < headers.length; at += 2) (all[(headers[at] as string).toLowerCase()] ??= []).push(headers[at + 1] as string)
  return all
}

/** Headers of a response, as name, value, name, value …, besides those that are set already, for example by a Fastify app. */
function writeHead({ httpVersionMajor }: IncomingMessage, response: ServerResponse, status: number, headers: string[]): void {
  if (httpVersionMajor === 1 && response.getHeaderNames().length === 0) {
    response.writeHead(status, headers)
    return
  }
  for (let at = 0; at < headers.length; at += 2) response.removeHeader(headers[at] as string)
  for (let at = 0; at < headers.length; at += 2) response.appendHeader(headers[at] as string, headers[at + 1] as string)
  response.writeHead(status)
}
