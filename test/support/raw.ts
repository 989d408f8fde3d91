// Sends bytes on a socket, as no client library would, and returns the answer.
import { connect, type Socket } from 'node:net'

export interface RawOptions {
  /** The local address to connect from. */
  from?: string
  /** Stops waiting for the connection's end after this many ms, and closes it. */
  ms?: number
}

export interface RawAnswer {
  text: string
  /** The server closed the connection. */
  closed: boolean
}

/** Sends bytes, and returns everything until the server closes the connection. */
export function raw(port: number, bytes: string, { from, ms = 20_000 }: RawOptions = {}): Promise<RawAnswer> {
  return new Promise((resolve) => {
    let text = ''
    let closed = true
    const socket = open(port, bytes, from)
    const timer = setTimeout(() => {
      closed = false
      socket.destroy()
    }, ms)
    socket.on('data', (chunk) => { text += chunk.toString() })
    socket.on('close', () => {
      clearTimeout(timer)
      resolve({ text, closed })
    })
  })
}

/** Sends bytes, and leaves the rest to the caller. */
export function open(port: number, bytes: string, from = '127.0.0.1'): Socket {
  const socket = connect({ port, host: '127.0.0.1', localAddress: from }, () => socket.write(bytes))
  socket.on('error', () => {})
  return socket
}

/** The body of the one answer in `text`. */
export function bodyOf(text: string): unknown {
  const body = text.slice(text.indexOf('\r\n\r\n') + 4)
  const chunked = /^[0-9a-f]+\r\n([^]*?)\r\n0\r\n\r\n$/.exec(body)
  return JSON.parse(chunked?.[1] ?? body)
}

/** The head of a WebSocket handshake. */
export function handshake(path: string, headers = ''): string {
  return `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n`
    + `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n${headers}\r\n`
}
