// A server that echoes lines: prints its port, and then, for each line that it reads, the processor time that it has used, in µs.
// By name: `node` on node:net alone, `loopscope` on startServer of the build that is named after it.
import { createServer } from 'node:net'
import { createInterface } from 'node:readline'

const [kind, build] = process.argv.slice(2)
const NEWLINE = 10

/** What a program on node:net does to answer line by line: keep what has no end yet. */
function onNode() {
  const server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
    let rest = null
    socket.on('error', () => socket.destroy()).on('end', () => socket.end())
    socket.on('data', (data) => {
      let bytes = rest === null ? data : Buffer.concat([rest, data])
      for (;;) {
        const at = bytes.indexOf(NEWLINE)
        if (at === -1) break
        if (!socket.write(bytes.subarray(0, at + 1))) {
          socket.pause()
          socket.once('drain', () => socket.resume())
        }
        bytes = bytes.subarray(at + 1)
      }
      rest = bytes.length === 0 ? null : bytes
    })
  })
  server.listen(0, '127.0.0.1', () => console.log(/** @type {import('node:net').AddressInfo} */ (server.address()).port))
}

async function onLoopscope() {
  const { ConnectionError, run, startServer } = await import(build)

  function* echo(reader, writer) {
    try {
      for (;;) {
        const line = yield* reader.readline()
        if (line.length === 0) break
        writer.write(line)
        yield* writer.drain()
      }
    } catch (error) {
      if (!(error instanceof ConnectionError)) throw error
    }
    writer.close()
  }

  await run((function* () {
    const server = yield* startServer(echo, '127.0.0.1', 0)
    console.log(server.sockets[0].getsockname()[1])
    yield* server.serveForever()
  })())
}

createInterface({ input: process.stdin }).on('line', () => {
  const { user, system } = process.cpuUsage()
  console.log(user + system)
}).on('close', () => process.exit())
await (kind === 'node' ? onNode() : onLoopscope())
