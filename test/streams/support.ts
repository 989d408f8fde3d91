// Parts of programs on streams: an echo server, raw clients, certificates.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { EventLoop, run, startServer, type ClientConnected, type Coroutine, type Server, type StreamReader, type StreamWriter } from '../../src/index.ts'

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
export const text = (data: Uint8Array | null): string | null => data === null ? null : new TextDecoder().decode(data)

const certificates = join(import.meta.dirname, '../asgi/conformance')
/** For conformance.test and 127.0.0.1, signed by itself. */
export const TLS = { key: readFileSync(join(certificates, 'key.pem')), cert: readFileSync(join(certificates, 'certificate.pem')) }

export function* echo(reader: StreamReader, writer: StreamWriter): Coroutine<void> {
  for (;;) {
    const line = yield* reader.readline()
    if (line.length === 0) break
    writer.write(line)
    yield* writer.drain()
  }
  writer.close()
  yield* writer.waitClosed()
}

/** Runs `body` beside a server on a free port, which is closed afterwards with its clients. */
export function* serving<T>(connected: ClientConnected, body: (port: number, server: Server) => Coroutine<T>): Coroutine<T> {
  const server = yield* startServer(connected, '127.0.0.1', 0)
  try {
    return yield* body(portOf(server), server)
  } finally {
    server.close()
    server.abortClients()
    yield* server.waitClosed()
  }
}

export function portOf(server: Server): number {
  return Number(server.sockets[0]?.getsockname()[1])
}

/** Runs `main`; returns its result, and what the exception handler got. */
export async function handled<T>(main: () => Coroutine<T>): Promise<{ value: T; reports: string[] }> {
  const reports: string[] = []
  const loopFactory = (): EventLoop => {
    const loop = new EventLoop()
    loop.setExceptionHandler((_loop, { message, exception }) => reports.push(`${message} (${String(exception)})`))
    return loop
  }
  const value = await run(main(), { loopFactory })
  return { value, reports }
}
