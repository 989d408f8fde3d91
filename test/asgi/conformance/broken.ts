// Servers that break the specification in one point each: what the suite has to find.
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { Future, type Coroutine } from '../../../src/index.ts'
import type { HeaderList, HttpScope, ReceiveEvent, Scope, Send, SendEvent, WebSocketScope } from '../../../src/asgi/index.ts'
import type { InProcessOptions } from './in-process.ts'

export interface Broken extends InProcessOptions {
  title: string
  /** The requirements that it breaks: cases of each have to fail. */
  breaks: string[]
}

type Middleware = NonNullable<InProcessOptions['middleware']>

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1')

/** Changes the scopes of connections. */
function scopes(change: (scope: HttpScope | WebSocketScope) => Scope): Middleware {
  return (app) => (scope, receive, send) => app(scope.type === 'lifespan' ? scope : change(scope), receive, send)
}

/** Changes, or loses, what an application receives in one call. */
function receives(change: () => (event: ReceiveEvent) => Coroutine<ReceiveEvent>): Middleware {
  return (app) => {
    return function* broken(scope, receive, send) {
      const changed = change()
      yield* app(scope, function* () { return yield* changed(yield* receive()) }, send)
    }
  }
}

/** Changes how messages are sent in one call. */
function sends(change: () => (event: SendEvent, send: Send) => Coroutine<void>): Middleware {
  return (app) => {
    return function* broken(scope, receive, send) {
      const changed = change()
      yield* app(scope, receive, (event) => changed(event, send))
    }
  }
}

/** A proxy that changes what the client sends, part by part. */
function rewriting(change: (part: Buffer) => Buffer): NonNullable<InProcessOptions['proxy']> {
  return async (port) => {
    const sockets = new Set<Socket>()
    const proxy = createServer((client) => {
      const server = connect(port, '127.0.0.1')
      client.on('data', (part: Buffer) => server.write(change(part)))
      server.pipe(client)
      for (const [one, other] of [[client, server], [server, client]] as const) {
        sockets.add(one)
        one.on('error', () => other.destroy()).on('close', () => {
          sockets.delete(one)
          other.destroy()
        })
      }
    }).listen(0, '127.0.0.1')
    await once(proxy, 'listening')
    const close = async (): Promise<void> => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => proxy.close(resolve))
    }
    return { port: (proxy.address() as AddressInfo).port, close }
  }
}

const withHeaders = (scope: HttpScope | WebSocketScope, headers: HeaderList): Scope => ({ ...scope, headers })
const shared: { scope: Record<string, unknown>; state: Record<string, unknown> | null } = { scope: {}, state: null }

export const BROKEN: Broken[] = [
  {
    title: 'header names keep capital letters', breaks: ['H1', 'W1'],
    middleware: scopes((scope) => withHeaders(scope, Array.from(scope.headers, ([name, value]) => [Buffer.from(text(name).replace(/\b[a-z]/g, (one) => one.toUpperCase())), value]))),
  },
  {
    title: 'of repeated headers the last one stays', breaks: ['H1', 'W1'],
    middleware: scopes((scope) => withHeaders(scope, [...new Map(Array.from(scope.headers, ([name, value]) => [text(name), [name, value]])).values()] as HeaderList)),
  },
  {
    title: 'query_string is decoded', breaks: ['H1', 'W1'],
    middleware: scopes((scope) => ({ ...scope, query_string: Buffer.from(decodeURIComponent(text(scope.query_string))) })),
  },
  {
    title: 'the scope is one object for all requests', breaks: ['C2'],
    middleware: scopes((scope) => (scope.type === 'http' ? Object.assign(shared.scope, scope) as HttpScope : scope)),
  },
  {
    title: 'http.disconnect is given once', breaks: ['H10'],
    middleware: receives(() => {
      let given = false
      return function* (event) {
        if (event.type === 'http.disconnect' && given) yield* new Future<void>()
        given ||= event.type === 'http.disconnect'
        return event
      }
    }),
  },
  {
    title: '1006 instead of 1005', breaks: ['W8'],
    middleware: receives(() => function* (event) {
      yield* []
      return event.type === 'websocket.disconnect' && event.code === 1005 ? { ...event, code: 1006 } : event
    }),
  },
  {
    title: 'the body of an event is no byte string', breaks: ['C4', 'H4'],
    middleware: receives(() => function* (event) {
      yield* []
      return event.type === 'http.request' ? { ...event, body: new DataView(new ArrayBuffer(event.body.length)) as never } : event
    }),
  },
  {
    title: 'errors of send are swallowed', breaks: ['C5', 'H9', 'W6', 'W9'],
    middleware: sends(() => function* (event, send) {
      try {
        yield* send(event)
      } catch {
        // Lost, on purpose.
      }
    }),
  },
  {
    title: 'a body is kept until its end', breaks: ['H7'],
    middleware: sends(() => {
      const parts: Uint8Array[] = []
      return function* (event, send) {
        if (event.type !== 'http.response.body') return yield* send(event)
        parts.push(event.body ?? new Uint8Array(0))
        if (event.more_body !== true) yield* send({ ...event, body: Buffer.concat(parts) })
      }
    }),
  },
  {
    title: 'Set-Cookie is joined by commas', breaks: ['H3'],
    middleware: sends(() => function* (event, send) {
      if (event.type !== 'http.response.start') return yield* send(event)
      const headers = Array.from(event.headers ?? [])
      const cookies = headers.filter(([name]) => text(name) === 'set-cookie').map(([, value]) => text(value))
      const others = headers.filter(([name]) => text(name) !== 'set-cookie')
      yield* send({ ...event, headers: cookies.length === 0 ? headers : [...others, [Buffer.from('set-cookie'), Buffer.from(cookies.join(', '))]] })
    }),
  },
  {
    title: 'a WebSocket that is refused has the status 500', breaks: ['W4'],
    middleware: sends(() => {
      let accepted = false
      return function* (event, send) {
        accepted ||= event.type === 'websocket.accept'
        yield* send(event.type !== 'websocket.close' || accepted ? event : { type: 'websocket.http.response.start', status: 500 })
        if (event.type === 'websocket.close' && !accepted) yield* send({ type: 'websocket.http.response.body' })
      }
    }),
  },
  {
    title: 'the state is one object for all requests', breaks: ['L5'],
    middleware: scopes((scope) => ({ ...scope, state: shared.state ??= scope.state ?? {} })),
  },
  { title: 'there is no lifespan', breaks: ['L1'], options: { lifespan: 'off' } },
  {
    title: 'startup is not waited for', breaks: ['L1'],
    middleware: (app) => {
      return function* broken(scope, receive, send) {
        if (scope.type !== 'lifespan') return yield* app(scope, receive, send)
        const first = yield* receive()
        yield* send({ type: 'lifespan.startup.complete' })
        let given = false
        yield* app(scope, function* () {
          if (given) return yield* receive()
          given = true
          return first
        }, function* (event) { if (event.type !== 'lifespan.startup.complete') yield* send(event) })
      }
    },
  },
  { title: 'a response to HEAD has a body', breaks: ['H12'], proxy: rewriting((part) => (part.toString('latin1').startsWith('HEAD ') ? Buffer.from(part.toString('latin1').replace('HEAD ', 'GET '), 'latin1') : part)) },
  {
    title: 'fragments are not joined', breaks: ['W5'],
    // Each fragment says that it is a whole message.
    proxy: rewriting((part) => (part.length > 1 && (part[0] === 0x01 || part[0] === 0x80) ? Buffer.concat([Buffer.from([0x81]), part.subarray(1)]) : part)),
  },
]
