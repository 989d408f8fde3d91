// A loop that takes events one by one, and a loop whose waits for items time out: neither loses any.
import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { fromAsyncIterable, fromEvents, run, sleep, TimeoutError, waitFor } from 'loopscope'

async function* slowItems() {
  for (let at = 0; at < 4; at++) {
    await new Promise(resolve => setTimeout(resolve, 30))
    yield at
  }
}

await run((function* () {
  const emitter = new EventEmitter()
  const events = []
  setTimeout(() => { for (const at of [0, 1, 2]) emitter.emit('message', at) }, 10)
  setTimeout(() => emitter.emit('message', 'last'), 30)
  const messages = fromEvents(emitter, 'message')
  while (events.at(-1) !== 'last') {
    const [message] = yield* messages.next()
    events.push(message)
    yield* sleep(0)
  }
  messages.close()
  assert.deepEqual(events, [0, 1, 2, 'last'])

  const source = fromAsyncIterable(slowItems())
  const items = []
  let timeouts = 0
  for (;;) {
    try {
      const result = yield* waitFor(source.next(), 0.01)
      if (result.done) break
      items.push(result.value)
    } catch (error) {
      if (!(error instanceof TimeoutError)) throw error
      timeouts++
    }
  }
  assert.deepEqual(items, [0, 1, 2, 3])
  assert.ok(timeouts > 0)
})())
