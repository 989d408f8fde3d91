// Shows the messages of ASGI: answers with the scope and with each message that it receives, as lines of JSON. A WebSocket gets
// each message back.
import type { Application, Bytes, ConnectionScope, ReceiveEvent } from '../../src/asgi/index.ts'
import { bytes, field, text } from './responses.ts'

/** How many characters of a text are shown. */
const MOST_SHOWN = 200

export const messages: Application = function* (scope, receive, send) {
  if (scope.type === 'lifespan') throw new Error('this application needs no lifespan')
  if (scope.type === 'websocket') {
    for (;;) {
      const event = yield* receive()
      if (event.type === 'websocket.disconnect') return
      if (event.type === 'websocket.connect') {
        yield* send({ type: 'websocket.accept' })
        yield* send({ type: 'websocket.send', text: lineOf(summaryOf(scope)) })
      }
      yield* send({ type: 'websocket.send', text: lineOf(event) })
    }
  }
  yield* send({ type: 'http.response.start', status: 200, headers: [field('content-type', 'application/x-ndjson')] })
  yield* send({ type: 'http.response.body', body: bytes(`${lineOf(summaryOf(scope))}\n`), more_body: true })
  for (;;) {
    const event = yield* receive()
    if (event.type !== 'http.request') return
    yield* send({ type: 'http.response.body', body: bytes(`${lineOf(event)}\n`), more_body: event.more_body })
    if (!event.more_body) return
  }
}

function summaryOf({ type, http_version, scheme, path, root_path, query_string, extensions, ...scope }: ConnectionScope): object {
  return { type, http_version, ...('method' in scope ? { method: scope['method'] } : {}), scheme, path, root_path, query_string, extensions: Object.keys(extensions) }
}

/** Byte strings as text, and long texts cut. */
function lineOf(value: ReceiveEvent | object): string {
  const shown = (one: unknown): unknown => (one instanceof Uint8Array ? text((one as Bytes).subarray(0, MOST_SHOWN)) : typeof one === 'string' ? one.slice(0, MOST_SHOWN) : one)
  return JSON.stringify(Object.fromEntries(Object.entries(value).map(([name, one]) => [name, shown(one)])))
}
