// Middleware: cancels the application when its client disconnects. In ASGI a disconnect is a message, and an application that
// does not receive it goes on. Here a second task receives in its place, and passes the other messages on.
import type { Application, ReceiveEvent, Send, SendEvent } from '../../src/asgi/index.ts'
import { CancelledError, createTask, currentTask, Queue, QueueShutDown, type Coroutine } from '../../src/index.ts'

export function cancelAtDisconnect(app: Application): Application {
  return function* cancellable(scope, receive, send) {
    const task = currentTask()
    if (scope.type === 'lifespan' || task === null) return yield* app(scope, receive, send)
    const before = task.cancelling()
    let gone = false
    // With room for one message, a large body is still read as the application takes it. The disconnect comes after the body.
    const messages = new Queue<ReceiveEvent>(1)

    const watcher = createTask((function* watch(): Coroutine<void> {
      while (!gone) {
        const message = yield* receive()
        gone = message.type === 'http.disconnect' || message.type === 'websocket.disconnect'
        if (gone) task.cancel('the client has disconnected')
        else yield* messages.put(message)
      }
    })(), { name: 'disconnect' })
    watcher.addDoneCallback(() => messages.shutdown())

    function* take(): Coroutine<ReceiveEvent> {
      try {
        return yield* messages.get()
      } catch (error) {
        if (!(error instanceof QueueShutDown)) throw error
        return yield* receive()
      }
    }

    const pass: Send = (event) => {
      // A request that has been answered gets a disconnect as well: what the application does afterwards goes on.
      if (ends(event)) watcher.cancel()
      return send(event)
    }

    try {
      yield* app(scope, take, pass)
    } catch (error) {
      // A cancellation from elsewhere passes through.
      if (!gone || !(error instanceof CancelledError) || task.cancelling() > before + 1) throw error
    } finally {
      watcher.cancel()
      if (gone) task.uncancel()
    }
  }
}

/** Whether this message is the last of the application. */
function ends(event: SendEvent): boolean {
  if (event.type === 'http.response.trailers') return event.more_trailers !== true
  return event.type === 'http.response.pathsend' || event.type === 'websocket.close' || (event.type === 'http.response.body' && event.more_body !== true)
}
