// One WebSocket as an application sees it: it is opened when the application accepts it.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { WebSocketServer, type WebSocket } from 'ws'
import type { Coroutine } from '../runtime/coroutine.ts'
import { responseFor } from '../http/upgrades.ts'
import { Deque } from '../runtime/deque.ts'
import { RuntimeError } from '../runtime/exceptions.ts'
import { trackUnawaited } from '../runtime/unawaited.ts'
import type { OnMessage } from './http-connection.ts'
import { headerTexts, requireMessage } from './messages.ts'
import { ClientDisconnected, type SendEvent, type WebSocketConnectEvent, type WebSocketDisconnectEvent, type WebSocketReceiveEvent, type WebSocketSendEvent } from './types.ts'
import { Waits } from './waits.ts'

/** The largest message that a client may send, in bytes. */
const MESSAGE_LIMIT = 16 * 1024 * 1024
/** A connection is not read while this many messages, or bytes of them, have not been taken. */
const MOST_MESSAGES = 64
const MOST_BYTES = 1024 * 1024
/** `send` waits while more bytes than this have not been taken by the client. */
const MOST_BUFFERED = 64 * 1024
/** What a client may send before the application has accepted, in bytes. */
const MOST_EARLY = 64 * 1024
/** How long a client has to answer the close frame, in ms. */
const CLOSING_MS = 2000
/** The most bytes of a reason (RFC 6455, 5.5). */
const LONGEST_REASON = 123

/** After this many seconds, again and again, an open WebSocket is sent a ping, and is lost if nothing has arrived by the next one, as in uvicorn. */
export const PING_SECONDS = 20

const CONNECTING = 0
const DENYING = 1
const OPEN = 2
const CLOSED = 3

type Received = WebSocketReceiveEvent & { readonly size: number }

export class WebSocketConnection {
  readonly #request: IncomingMessage
  readonly #socket: Duplex
  readonly #onMessage: OnMessage | null
  readonly #pingSeconds: number
  readonly #waits = new Waits()
  readonly #messages = new Deque<Received>()
  #bytes = 0
  #early: Buffer[]
  #state = CONNECTING
  #connectGiven = false
  #webSocket: WebSocket | null = null
  #denial: ServerResponse | null = null
  #closedByApp = false
  /** How many bytes had been received, or sent, at the last ping; -1 if there was none. */
  #progress = -1
  /** How it was closed. */
  #closed: { code: number; reason: string } | null = null
  /** The status with which it was answered: 101 if it was accepted. */
  status = 0

  /** `pingSeconds`: as PING_SECONDS; 0 for no pings. */
  constructor(request: IncomingMessage, socket: Duplex, head: Buffer, onMessage: OnMessage | null, pingSeconds: number) {
    this.#request = request
    this.#socket = socket
    this.#onMessage = onMessage
    this.#pingSeconds = pingSeconds
    this.#early = [head]
    let size = head.length
    // It is read, so that the end of the connection is noticed. A client must not send before it is accepted.
    socket.on('data', this.#keep = (part: Buffer) => {
      this.#early.push(part)
      size += part.length
      if (size > MOST_EARLY) socket.destroy()
    })
    socket.once('end', () => {
      if (this.#state === CONNECTING) socket.destroy()
    })
    socket.once('close', () => {
      // An open WebSocket says itself how it was closed.
      if (this.#webSocket === null) this.#end(1006, '')
    })
  }

  readonly #keep: (part: Buffer) => void

  readonly receive = (): Coroutine<WebSocketConnectEvent | WebSocketReceiveEvent | WebSocketDisconnectEvent> => trackUnawaited(this.#receive(), 'receive')

  readonly send = (event: SendEvent): Coroutine<void> => trackUnawaited(this.#send(event as WebSocketSendEvent), 'send')

  /** Whether the client has disconnected, or the connection was lost, while the application was still using it. */
  get disconnected(): boolean {
    return this.#closed !== null && !this.#closedByApp
  }

  /** The application has ended, well or not: closes what it left open. */
  finish(failed: boolean): void {
    if (this.#state === CONNECTING) this.#answer(500, 'Internal Server Error')
    else if (this.#state === DENYING) this.#socket.destroy()
    else this.#webSocket?.close(failed ? 1011 : 1000)
  }

  /** The server closes. */
  goAway(): void {
    if (this.#state === CONNECTING || this.#state === DENYING) this.#socket.destroy()
    else this.#webSocket?.close(1012)
  }

  #end(code: number, reason: string): void {
    if (this.#closed !== null) return
    this.#closed = { code, reason }
    this.#state = CLOSED
    this.#waits.wake()
  }

  *#receive(): Coroutine<WebSocketConnectEvent | WebSocketReceiveEvent | WebSocketDisconnectEvent> {
    if (!this.#connectGiven) {
      this.#connectGiven = true
      this.#onMessage?.('receive', 'websocket.connect', 0, false, 0)
      return { type: 'websocket.connect' }
    }
    for (;;) {
      const message = this.#messages.shift()
      if (message !== undefined) {
        const { size, ...event } = message
        this.#bytes -= size
        if (this.#webSocket?.isPaused === true && this.#messages.length < MOST_MESSAGES / 2 && this.#bytes < MOST_BYTES / 2) {
          this.#progress = -1
          this.#webSocket.resume()
        }
        this.#onMessage?.('receive', event.type, size, false, 0)
        return event
      }
      if (this.#closed !== null) {
        this.#onMessage?.('receive', 'websocket.disconnect', 0, false, this.#closed.code)
        return { type: 'websocket.disconnect', ...this.#closed }
      }
      yield* this.#waits.wait('receive', 'a message of the client')
    }
  }

  *#send(event: WebSocketSendEvent): Coroutine<void> {
    requireMessage(event, 'websocket')
    if (this.#closed !== null) throw new ClientDisconnected()
    switch (event.type) {
      case 'websocket.accept':
        this.#expect(CONNECTING, event)
        this.#accept(event.subprotocol ?? null, headerTexts(event.headers))
        this.#onMessage?.('send', event.type, 0, false, 0)
        return
      case 'websocket.send': {
        this.#expect(OPEN, event)
        const data = event.bytes ?? event.text ?? null
        if (data === null || (event.bytes ?? null) !== null && (event.text ?? null) !== null) {
          throw new TypeError('send: websocket.send needs exactly one of bytes and text')
        }
        const webSocket = this.#webSocket as WebSocket
        webSocket.send(data, () => this.#waits.wake())
        this.#onMessage?.('send', event.type, typeof data === 'string' ? Buffer.byteLength(data) : data.length, false, 0)
        while (webSocket.bufferedAmount > MOST_BUFFERED && this.#closed === null) yield* this.#waits.wait('send', 'the client to take what was sent')
        return
      }
      case 'websocket.close': {
        const { code = 1000 } = event
        const reason = event.reason ?? ''
        if (Buffer.byteLength(reason) > LONGEST_REASON) throw new RangeError(`send: websocket.close allows a reason of ${LONGEST_REASON} bytes, got ${Buffer.byteLength(reason)}`)
        this.#onMessage?.('send', event.type, 0, false, code)
        this.#closedByApp = true
        if (this.#state === CONNECTING) this.#answer(403, 'Forbidden')
        else {
          this.#expect(OPEN, event)
          this.#webSocket?.close(code, reason)
          this.#end(code, reason)
        }
        return
      }
      case 'websocket.http.response.start':
        this.#expect(CONNECTING, event)
        this.#deny(event.status, headerTexts(event.headers))
        this.#onMessage?.('send', event.type, 0, true, event.status)
        return
      case 'websocket.http.response.body': {
        this.#expect(DENYING, event)
        const denial = this.#denial as ServerResponse
        const { body = new Uint8Array(0), more_body: more = false } = event
        this.#onMessage?.('send', event.type, body.length, more, 0)
        const room = body.length === 0 || denial.write(body)
        if (!more) denial.end()
        else if (!room) while (denial.writableNeedDrain && this.#closed === null) yield* this.#waits.wait('send', 'the client to take what was sent')
      }
    }
  }

  #expect(state: number, { type }: WebSocketSendEvent): void {
    if (this.#state === state) return
    throw new RuntimeError(`send: ${type} cannot be sent ${['before the WebSocket is accepted', 'after websocket.http.response.start', 'after the WebSocket is accepted', 'after the WebSocket is closed'][this.#state] as string}`)
  }

  #accept(subprotocol: string | null, headers: string[]): void {
    if (headers.some((name, at) => at % 2 === 0 && name.toLowerCase() === 'sec-websocket-protocol')) {
      throw new TypeError('send: websocket.accept takes the subprotocol as subprotocol, not as a header')
    }
    const options = { noServer: true, clientTracking: false, perMessageDeflate: false, maxPayload: MESSAGE_LIMIT, closeTimeout: CLOSING_MS, handleProtocols: () => subprotocol ?? false }
    const socketServer = new WebSocketServer(options)
    socketServer.on('headers', (lines) => {
      for (let at = 0; at < headers.length; at += 2) lines.push(`${headers[at] as string}: ${headers[at + 1] as string}`)
      if (subprotocol !== null && !lines.some((line) => line.startsWith('Sec-WebSocket-Protocol'))) lines.push(`Sec-WebSocket-Protocol: ${subprotocol}`)
    })
    this.#socket.off('data', this.#keep)
    this.#socket.pause()
    this.#state = OPEN
    this.status = 101
    socketServer.handleUpgrade(this.#request, this.#socket, Buffer.concat(this.#early), (webSocket) => this.#opened(webSocket))
    this.#early = []
    if (this.#webSocket === null) {
      // The client has vanished, or its handshake was none, which has been answered.
      this.status = 0
      this.#end(1006, '')
      throw new ClientDisconnected()
    }
    this.#socket.resume()
  }

  #opened(webSocket: WebSocket): void {
    this.#webSocket = webSocket
    this.#watchOver(webSocket)
    webSocket.on('message', (data, binary) => {
      const bytes = Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data as Buffer)
      this.#messages.push({ type: 'websocket.receive', bytes: binary ? bytes : null, text: binary ? null : bytes.toString('utf8'), size: bytes.length })
      this.#bytes += bytes.length
      if (this.#messages.length >= MOST_MESSAGES || this.#bytes >= MOST_BYTES) webSocket.pause()
      this.#waits.wake()
    })
    webSocket.on('close', (code, reason) => this.#end(code, reason.toString('utf8')))
    // A frame that cannot be read ends the connection with a code of its own.
    webSocket.on('error', () => {})
  }

  /** Ends the connection of a client that is silent, and does not answer a ping: it has vanished, and the application should know. */
  #watchOver(webSocket: WebSocket): void {
    if (this.#pingSeconds === 0) return
    const socket = this.#socket as Socket & { _handle?: { bytesWritten: number; writeQueueSize: number } | null }
    // A part of a long message counts, too; and while the client takes one slowly, the ping is behind it.
    const progress = (): number => {
      const { bytesWritten = 0, writeQueueSize = 0 } = socket._handle ?? {}
      return socket.bytesRead + (webSocket.bufferedAmount > 0 ? bytesWritten - writeQueueSize : 0)
    }
    const look = (): void => {
      // What is not read cannot answer.
      if (webSocket.isPaused || webSocket.readyState !== webSocket.OPEN) return
      if (progress() === this.#progress) webSocket.terminate()
      else {
        webSocket.ping()
        this.#progress = progress()
      }
    }
    // After a long block, what has arrived is read before anything is concluded from its absence.
    const timer = setInterval(() => setImmediate(look), this.#pingSeconds * 1000).unref()
    webSocket.once('close', () => clearInterval(timer))
  }

  /** Answers the handshake by HTTP, at once. */
  #answer(status: number, text: string): void {
    this.#deny(status, ['content-type', 'text/plain; charset=utf-8'])
    this.#denial?.end(text)
  }

  #deny(status: number, headers: string[]): void {
    this.#socket.off('data', this.#keep)
    this.#socket.resume()
    const response = responseFor(this.#request, this.#socket)
    response.once('finish', () => this.#end(1006, ''))
    response.on('drain', () => this.#waits.wake())
    response.writeHead(status, headers)
    this.#denial = response
    this.#state = DENYING
    this.status = status
  }
}
