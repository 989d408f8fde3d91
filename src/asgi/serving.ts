// Runs an application for each request and WebSocket of a server: each is a task on one loop, with its time measured and its
// messages recorded.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { constants, type Http2ServerResponse } from 'node:http2'
import type { Socket } from 'node:net'
import { Readable, type Duplex } from 'node:stream'
import type { Coroutine } from '../runtime/coroutine.ts'
import { Context } from '../runtime/context.ts'
import type { EventLoop } from '../runtime/loop.ts'
import type { Task } from '../runtime/task.ts'
import { describe } from '../runtime/describe.ts'
import { serverTiming, type BlockLog } from '../http/request-timing.ts'
import { answered, arrivedWithin } from '../http/arrival.ts'
import { PAGE_HEADER } from '../http/paths.ts'
import { ServedTask, ServedTasks, type RequestOutcome } from '../http/served-task.ts'
import { responseFor } from '../http/upgrades.ts'
import type { ObserverClient } from '../observe/client.ts'
import { call } from './application.ts'
import { byName, http2Stream, HttpConnection, type HttpHost, type OnMessage } from './http-connection.ts'
import { httpScope, webSocketScope, type Place } from './scope.ts'
import { OSError, type Application } from './types.ts'
import { PING_SECONDS, WebSocketConnection } from './websocket-connection.ts'

/** How long tasks that were cancelled may take to clean up, in ms. */
export const CLEANUP_MS = 1000
const MOST_PING_SECONDS = 86_400

/** Throws a RangeError unless it is a number of seconds that a timer can wait. */
export function requirePings(where: string, seconds: number | undefined): void {
  if (seconds === undefined || (seconds >= 0 && seconds <= MOST_PING_SECONDS)) return
  throw new RangeError(`${where}: pingSeconds must be from 0, for no pings, to ${MOST_PING_SECONDS}, got ${String(seconds)}`)
}

export interface ServingOptions {
  app: Application
  loop: EventLoop
  place: Place
  blocks: BlockLog
  observer: ObserverClient | null
  /** The most requests and WebSockets at the same time. */
  maxRequests: number
  /** Whether responses have `Server-Timing`. Default true. */
  serverTiming: boolean | undefined
  /** As PING_SECONDS, which is the default; 0 for no pings. */
  pingSeconds: number | undefined
  /** Gives a request or WebSocket its number in events. */
  takeId: () => number
  /** An application failed, or broke the rules. */
  log: (message: string, error: unknown) => void
}

export class Serving {
  readonly options: ServingOptions
  readonly #active = new ServedTasks<Served>()
  #onIdle: (() => void) | null = null
  /** Nothing more is kept open. */
  closing = false

  constructor(options: ServingOptions) {
    this.options = options
  }

  /** Serves a request, whose number in events is `id`. */
  request(request: IncomingMessage, response: ServerResponse, id: number, expectsContinue = false): void {
    if (this.#active.size >= this.options.maxRequests) {
      response.writeHead(503, { 'content-type': 'text/plain; charset=utf-8', 'retry-after': '1' }).end('Service Unavailable')
      return
    }
    if (this.closing) response.shouldKeepAlive = false
    this.#begin(new ServedRequest(this, id, request, response, expectsContinue))
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, id: number): void {
    const refused = refusal(request)
    if (refused !== null) answerOnly(request, socket, ...refused)
    else if (this.#active.size >= this.options.maxRequests || this.closing) answerOnly(request, socket, 503, {})
    else this.#begin(new ServedWebSocket(this, id, request, socket, head))
  }

  /** WebSockets get a close frame; requests may finish. */
  goAway(): void {
    this.closing = true
    for (const one of this.#active) one.goAway()
  }

  /** As `ServedTasks.cancelAfter`. */
  cancelAfter(seconds: number): () => void {
    return this.#active.cancelAfter(seconds)
  }

  /** Cancels the tasks that are left. */
  cancel(): void {
    this.#active.cancel()
  }

  /** Resolves when nothing is served any more. */
  idle(): Promise<void> {
    return new Promise((resolve) => {
      this.#onIdle = resolve
      if (this.#active.size === 0) resolve()
    })
  }

  #begin(served: Served): void {
    this.#active.add(served)
    served.start()
  }

  /** @internal */
  ended(served: Served): void {
    this.#active.delete(served)
    if (this.#active.size === 0) this.#onIdle?.()
  }
}

/** One call of the application. */
abstract class Served extends ServedTask {
  protected readonly serving: Serving
  protected readonly request: IncomingMessage
  protected readonly id: number
  protected readonly method: string
  readonly #began: number

  constructor(serving: Serving, id: number, request: IncomingMessage, method: string) {
    super(request, serving.options)
    this.serving = serving
    this.request = request
    this.id = id
    this.method = method
    this.#began = this.timing.since
  }

  abstract goAway(): void
  /** Calls the application. */
  protected abstract open(): Coroutine<void>
  /** The application has ended: answers what it left unanswered. */
  protected abstract finish(failed: boolean): { status: number; disconnected: boolean }

  start(): void {
    const { observer } = this.serving.options
    const { method, request, id } = this
    const url = request.url as string
    observer?.watchThread()
    observer?.probe?.requestStarted(id, method, url, observer.readyFor(this.timing.ready, arrivedWithin(request)), request.headers[PAGE_HEADER] === undefined ? 'client' : 'page')
    observer?.probe?.nextTask({ request: id })
    this.run(this.#opened(), `${method} ${url.split('?', 1)[0] as string} #${id}`, new Context())
  }

  /** An application that throws where it is called, or is no coroutine function, fails as one that raises. */
  #opened(): Coroutine<void> {
    try {
      return this.open()
    } catch (error) {
      return raising(error)
    }
  }

  /** @internal */
  get onMessage(): OnMessage | null {
    const { observer } = this.serving.options
    const { id } = this
    return observer === null ? null : (direction, type, bytes, more, code) => observer.probe?.message(id, direction, type, bytes, more, code)
  }

  protected ended(task: Task<unknown>, outcome: RequestOutcome, failure: unknown): void {
    const { observer, log } = this.serving.options
    this.timing.over = true
    const { status, disconnected } = this.finish(outcome !== 'returned')
    if (outcome === 'raised' && !(disconnected && failure instanceof OSError)) log(`${task.getName()}: the application failed`, failure)
    this.serving.ended(this)
    const seconds = this.loop.time() - this.#began
    observer?.probe?.requestFinished(this.id, this.method, this.request.url as string, { task, status, outcome: disconnected ? 'disconnected' : outcome, seconds })
  }
}

class ServedRequest extends Served implements HttpHost {
  readonly #response: ServerResponse
  readonly #connection: HttpConnection

  constructor(serving: Serving, id: number, request: IncomingMessage, response: ServerResponse, expectsContinue: boolean) {
    super(serving, id, request, request.method as string)
    this.#response = response
    this.#connection = new HttpConnection(request, response, this, expectsContinue)
    response.on('close', () => {
      answered(request)
      this.#connection.closed()
    })
  }

  goAway(): void {
    const { socket, httpVersionMajor } = this.request
    if (!this.#response.headersSent) this.#response.shouldKeepAlive = false
    // The response has said that the connection is kept.
    else if (httpVersionMajor === 1) this.#response.once('finish', () => socket.destroySoon())
  }

  protected open(): Coroutine<void> {
    const { app, place } = this.serving.options
    return call(app, httpScope(this.request, place), this.#connection.receive, this.#connection.send)
  }

  /** @internal A pushed response is made by the application, as if its request had been received (HTTP/2). A client may take none. */
  onPush(path: string, headers: string[]): void {
    const { socket, httpVersion, httpVersionMajor, headers: { ':authority': authority } } = this.request
    const response = this.#response as unknown as Http2ServerResponse
    // The streams of a server have even numbers, and a pushed response pushes no others.
    if (!response.stream.pushAllowed || (response.stream.id ?? 0) % 2 === 0) return
    const url = escaped(path)
    const pushed = { ...byName(headers), ':path': url, ':authority': String(authority) }
    response.createPushResponse(pushed, (error, pushedResponse) => {
      // The client may refuse it.
      if (error !== null && error !== undefined) return
      const rawHeaders = [':authority', String(authority), ...headers]
      const request = Object.assign(Readable.from([]), { method: 'GET', url, rawHeaders, headers: pushed, socket, httpVersion, httpVersionMajor, complete: true })
      this.serving.request(request as unknown as IncomingMessage, pushedResponse as unknown as ServerResponse, this.serving.options.takeId())
    })
  }

  /** @internal */
  onStart(headers: string[]): void {
    const { serverTiming: wanted = true, loop } = this.serving.options
    if (!wanted) return
    this.timing.measure(loop.time())
    headers.push('server-timing', serverTiming(this.timing))
  }

  protected finish(failed: boolean): { status: number; disconnected: boolean } {
    const connection = this.#connection
    const response = this.#response
    const { disconnected } = connection
    if (!connection.complete && !disconnected) {
      if (!failed) this.serving.options.log(`${describe(this.task)}: the application returned ${connection.started ? 'before its response was complete' : 'without a response'}`, null)
      if (response.headersSent) cutOff(response)
      else response.writeHead(this.task?.cancelled() === true ? 503 : 500, { 'content-type': 'text/plain; charset=utf-8' }).end('Internal Server Error')
    }
    connection.closed()
    return { status: response.statusCode, disconnected }
  }
}

class ServedWebSocket extends Served {
  readonly #connection: WebSocketConnection

  constructor(serving: Serving, id: number, request: IncomingMessage, socket: Duplex, head: Buffer) {
    super(serving, id, request, 'WebSocket')
    this.#connection = new WebSocketConnection(request, socket, head, this.onMessage, serving.options.pingSeconds ?? PING_SECONDS)
  }

  goAway(): void {
    this.#connection.goAway()
  }

  protected open(): Coroutine<void> {
    const { app, place } = this.serving.options
    return call(app, webSocketScope(this.request, place), this.#connection.receive, this.#connection.send)
  }

  protected finish(failed: boolean): { status: number; disconnected: boolean } {
    const { disconnected } = this.#connection
    this.#connection.finish(failed)
    return { status: this.#connection.status, disconnected }
  }
}

/** A path that an application gives with its escapes decoded, as HTTP sends it. Escapes that it contains stay. */
function escaped(path: string): string {
  return path.replace(/[^\x21-\x7e]+/gu, encodeURIComponent)
}

/** Ends a response in the middle, after what was sent, so that it is not mistaken for a whole one. */
function cutOff(response: ServerResponse): void {
  // Node passes what was written to the socket only at the end of this turn.
  process.nextTick(() => {
    const stream = http2Stream(response)
    if (stream === null) (response.socket as (Socket & { destroySoon(): void }) | null)?.destroySoon()
    else stream.close(constants.NGHTTP2_INTERNAL_ERROR)
  })
}

/** The answer to what is no handshake of a WebSocket (RFC 6455, 4.2.1 and 4.4); null if it is one. */
function refusal({ method, headers }: IncomingMessage): [status: number, headers: Record<string, string>] | null {
  if (headers['sec-websocket-version'] !== '13') return [426, { 'sec-websocket-version': '13' }]
  return method === 'GET' && /^[+/0-9A-Za-z]{22}==$/.test(headers['sec-websocket-key'] ?? '') ? null : [400, {}]
}

function answerOnly(request: IncomingMessage, socket: Duplex, status: number, headers: Record<string, string>): void {
  responseFor(request, socket).writeHead(status, headers).end()
}

function* raising(error: unknown): Coroutine<void> {
  throw error
}
