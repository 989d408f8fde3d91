// Many viewers of an event stream in one process of their own: bare sockets that speak just enough WebSocket to count the
// messages that arrive, so that the clients cost as little as they can. node viewers.mjs PORT COUNT SECONDS
import { randomBytes } from 'node:crypto'
import { connect } from 'node:net'

/** Counts the frames in a stream of bytes that comes in pieces, without looking into them. */
class FrameCounter {
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

function view(port) {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    const counter = new FrameCounter()
    let greeting = Buffer.alloc(0)
    socket.once('error', reject)
    socket.write(
      `GET /events HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n`
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

const [port, count, seconds] = process.argv.slice(2).map(Number)
const viewers = []
for (let n = 0; n < count; n += 50) {
  viewers.push(...(await Promise.all(Array.from({ length: Math.min(50, count - n) }, () => view(port)))))
}
const total = () => viewers.reduce((sum, { counter }) => sum + counter.frames, 0)
process.send({ ready: viewers.length })
await new Promise((resolve) => setTimeout(resolve, 1000))
const [before, cpu, from] = [total(), process.cpuUsage(), performance.now()]
await new Promise((resolve) => setTimeout(resolve, seconds * 1000))
const elapsed = (performance.now() - from) / 1000
const { user, system } = process.cpuUsage(cpu)
const each = viewers.map(({ counter }) => counter.frames)
process.send({ messages: total() - before, seconds: elapsed, cpu: (user + system) / 1e6, least: Math.min(...each), most: Math.max(...each) })
for (const { socket } of viewers) socket.destroy()
process.disconnect()
