// Server-sent events: an application that sends what `source` emits, as it comes. `emit` waits while the client does not
// read, and the source is cancelled when the client disconnects.
import type { Application } from '../../src/asgi/index.ts'
import { createTask, sleep, type Coroutine } from '../../src/index.ts'
import { cancelAtDisconnect } from './cancel-at-disconnect.ts'
import { bytes, field, header } from './responses.ts'

export interface ServerSentEvent {
  data: string
  event?: string
  id?: string
}

/** `lastId` is that of the last event which the client has, '' at first: browsers connect again by themselves. */
export type Source = (emit: (event: ServerSentEvent) => Coroutine<void>, lastId: string) => Coroutine<void>

/** A proxy may close a connection on which nothing is sent for so long, in seconds. */
const QUIET_SECONDS = 15

export function events(source: Source): Application {
  return cancelAtDisconnect(function* (scope, _receive, send) {
    if (scope.type !== 'http') throw new Error(`events are sent by HTTP, not to the scope ${scope.type}`)
    const write = (text: string): Coroutine<void> => send({ type: 'http.response.body', body: bytes(text), more_body: true })
    yield* send({ type: 'http.response.start', status: 200, headers: [field('content-type', 'text/event-stream'), field('cache-control', 'no-store')] })
    // The first body sends the head: the client knows that it is connected.
    yield* write(':\n\n')
    const quiet = createTask((function* comments(): Coroutine<void> {
      for (;;) {
        yield* sleep(QUIET_SECONDS)
        yield* write(':\n\n')
      }
    })(), { name: 'keep alive' })
    try {
      yield* source((event) => write(encode(event)), header(scope.headers, 'last-event-id'))
    } finally {
      quiet.cancel()
    }
    yield* send({ type: 'http.response.body' })
  })
}

function encode({ data, event, id }: ServerSentEvent): string {
  for (const value of [event, id]) if (value !== undefined && /[\r\n\0]/.test(value)) throw new TypeError(`an event's name and id are one line, got ${JSON.stringify(value)}`)
  const lines = [...(event === undefined ? [] : [`event: ${event}`]), ...(id === undefined ? [] : [`id: ${id}`]), ...data.split(/\r\n|\r|\n/).map((line) => `data: ${line}`)]
  return `${lines.join('\n')}\n\n`
}
