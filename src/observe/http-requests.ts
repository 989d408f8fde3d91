// Records the requests of HTTP servers: their beginning and end, and which of them the code that runs belongs to. Node
// announces each request to the subscribers of a channel, so this works in any framework, and no module is changed.
import diagnostics from 'node:diagnostics_channel'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { answered, arrivedWithin } from '../http/arrival.ts'
import { leftAgo } from '../http/request-timing.ts'
import type { Probe } from '../probe/probe.ts'
import type { Sender } from '../probe/record-schema.ts'
import { originStore, type Origin } from './current-request.ts'

/** What a recorder needs of its observer. */
export interface Recording {
  readonly probe: Probe | null
  /** For how many seconds a block may have delayed a request that is read now, but `within` at most. */
  readyFor(known: number, within: number): number
}

interface Facts {
  readonly id: number
  readonly method: string
  readonly url: string
  readonly sender: Sender
}

const REQUEST = Symbol('the request that is recorded')
type Watched = ServerResponse & { [REQUEST]?: HttpRequest | undefined }

/** A request that is under way. */
class HttpRequest implements Origin {
  readonly id: number
  readonly method: string
  readonly url: string
  readonly began = performance.now()

  constructor({ id, method, url }: Facts) {
    this.id = id
    this.method = method
    this.url = url
  }

  get name(): string {
    return `${this.method} ${this.url} #${this.id}`
  }
}

export class HttpRequests {
  readonly #recording: Recording
  readonly #store = originStore()
  #count = 0
  #started = false

  constructor(recording: Recording) {
    this.#recording = recording
  }

  /** The number of the request whose code runs, if every request is recorded; else 0. */
  get current(): number {
    return this.#started ? this.#store.getStore()?.id ?? 0 : 0
  }

  /** Records every request of every server on this thread from now on. */
  start(): void {
    this.#started = true
    diagnostics.subscribe('http.server.request.start', this.#onRequest)
    diagnostics.subscribe('net.server.socket', onConnection)
  }

  stop(): void {
    if (!this.#started) return
    this.#started = false
    diagnostics.unsubscribe('http.server.request.start', this.#onRequest)
    diagnostics.unsubscribe('net.server.socket', onConnection)
    // Until it is entered again, promises cost what they did before.
    this.#store.disable()
  }

  /** Records a request that is read now, and its end. Returns what its code belongs to. */
  begin(request: IncomingMessage, response: ServerResponse, facts: Facts): Origin {
    const origin = this.#begin(request, response, facts)
    // A response that no socket sends has no other end.
    response.on('finish', this.#ended)
    return origin
  }

  #begin(request: IncomingMessage, response: ServerResponse, facts: Facts): Origin {
    const { id, method, url, sender } = facts
    const origin = new HttpRequest(facts)
    const { probe } = this.#recording
    probe?.requestStarted(id, method, url, this.#waited(request), sender)
    ;(response as Watched)[REQUEST] = origin
    response.on('close', this.#ended)
    return origin
  }

  readonly #onRequest = (message: unknown): void => {
    const { request, response } = message as { request: IncomingMessage; response: ServerResponse }
    const { method = '', url = '' } = request
    const origin = this.#begin(request, response, { id: ++this.#count, method, url, sender: 'client' })
    this.#store.enterWith(origin)
    // From Node 24 on, the events of a body are not in the context of their request.
    if (method !== 'GET' && method !== 'HEAD') emitWithin(request, origin)
  }

  /** For how many seconds it may have waited to be read. */
  #waited(request: IncomingMessage): number {
    if (this.#recording.readyFor(0, Infinity) === 0) return 0
    return this.#recording.readyFor(0, Math.min(arrivedWithin(request), leftAgo(request.headers['x-request-start']) ?? Infinity))
  }

  /** A response was sent, or its client has disconnected. It is called once or twice, as the response. */
  readonly #ended = ((recorder: HttpRequests) => function (this: ServerResponse): void {
    const request = (this as Watched)[REQUEST]
    if (request === undefined) return
    ;(this as Watched)[REQUEST] = undefined
    recorder.#finish(this, request)
  })(this)

  #finish(response: ServerResponse, { id, method, url, began }: HttpRequest): void {
    const { statusCode: status } = response
    if (response.req.httpVersionMajor === 1) answered(response.req)
    const outcome = !response.writableFinished ? 'disconnected' : status >= 500 ? 'raised' : 'returned'
    this.#recording.probe?.requestFinished(id, method, url, { status, outcome, seconds: (performance.now() - began) / 1000 })
  }
}

/** A WebSocket, or another protocol that an HTTP connection was upgraded to. It is not a request: it has no number. */
function onUpgrade(request: IncomingMessage, socket: Socket): void {
  const origin = { id: 0, name: `WebSocket ${request.url}` }
  originStore().enterWith(origin)
  emitWithin(socket, origin)
}

/** Upgrades have no channel. A listener of ours is added where the program has one, and never alone: it would change what the server answers. */
function onConnection(message: unknown): void {
  const { server } = (message as { socket: Socket & { server?: Server } }).socket
  if (server === undefined || server.listenerCount('upgrade') === 0 || server.listeners('upgrade').includes(onUpgrade)) return
  server.prependListener('upgrade', onUpgrade)
  server.on('removeListener', function removed(event) {
    if (event !== 'upgrade' || server.listenerCount('upgrade') !== 1) return
    server.off('removeListener', removed)
    server.off('upgrade', onUpgrade)
  })
}

/** Lets the listeners of `emitter` run as code of `origin`. */
function emitWithin(emitter: IncomingMessage | Socket, origin: Origin): void {
  const store = originStore()
  const emit = emitter.emit.bind(emitter) as (...args: unknown[]) => boolean
  const value = (...args: unknown[]): boolean => store.run(origin, emit, ...args)
  Object.defineProperty(emitter, 'emit', { value, configurable: true, writable: true })
}
