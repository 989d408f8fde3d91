// A viewer of an event stream, as a bare socket with just enough WebSocket to count the messages that arrive, so that it costs
// as little as possible.
import { randomBytes } from 'node:crypto'
import { connect } from 'node:net'

/** Counts the frames in a stream of bytes that arrives in pieces, without decoding them. */
export class FrameCounter {
  frames = 0
  /** Bytes of the present frame that are still to come. */
  #rest = 0
  #header = Buffer.alloc(0)

  take(chunk) {
    let at = 0
    while (at < chunk.length) {
      if (this.#rest > 0) {
        const step = Math.min(this.#rest, chunk.length - at)
        this.#rest -= step
        at += step
        continue
      }
      // At most 10 bytes of header; a piece may end in the middle of them.
      const head = this.#header.length === 0 ? chunk.subarray(at, at + 10) : Buffer.concat([this.#header, chunk.subarray(at, at + 10)])
      const size = head.length < 2 ? 0 : (head[1] & 127) === 126 ? 4 : (head[1] & 127) === 127 ? 10 : 2
      if (size === 0 || head.length < size) {
        this.#header = Buffer.from(head)
        return
      }
      at += size - this.#header.length
      this.#header = Buffer.alloc(0)
      const short = head[1] & 127
      this.#rest = short === 126 ? head.readUInt16BE(2) : short === 127 ? Number(head.readBigUInt64BE(2)) : short
      if ((head[0] & 15) === 1) this.frames++
    }
  }
}

/** Connects to the stream at `port`; resolves when it is open. */
export function view(port, path = '/events') {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    const counter = new FrameCounter()
    let greeting = Buffer.alloc(0)
    socket.once('error', reject)
    socket.write(
      `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n`
      + `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n\r\n`,
    )
    socket.on('data', function open(chunk) {
      greeting = Buffer.concat([greeting, chunk])
      const end = greeting.indexOf('\r\n\r\n')
      if (end < 0) return
      if (!greeting.subarray(0, end).toString().startsWith('HTTP/1.1 101')) {
        reject(new Error(`the stream refused a viewer: ${greeting.subarray(0, end)}`))
        return
      }
      socket.off('data', open)
      counter.take(greeting.subarray(end + 4))
      socket.on('data', (piece) => counter.take(piece))
      resolve({ socket, counter })
    })
  })
}
