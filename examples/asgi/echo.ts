// A WebSocket that sends back what it receives. `send` waits while the client does not read, and then nothing more is received.
import type { Application } from '../../src/asgi/index.ts'

export const echo: Application = function* (scope, receive, send) {
  if (scope.type !== 'websocket') throw new Error(`echo is a WebSocket, not for the scope ${scope.type}`)
  for (;;) {
    const event = yield* receive()
    if (event.type === 'websocket.connect') yield* send({ type: 'websocket.accept' })
    else if (event.type === 'websocket.receive') yield* send({ type: 'websocket.send', bytes: event.bytes, text: event.text })
    else return
  }
}
