// All entries share one runtime: the plugin's loop is of the package's class, a handler is cancelled by the package's error,
// and an observer sees the loop of a program that knows nothing of it.
import assert from 'node:assert/strict'
import Fastify from 'fastify'
import { CancelledError, EventLoop, fromPromise, getRunningLoop, run, sleep } from 'loopscope'
import loopscope from 'loopscope/fastify'
import { observe } from 'loopscope/observe'

const app = Fastify()
await app.register(loopscope)
let cancelled = null
app.get('/', function* (request) {
  request.loopscope.task.cancel()
  try {
    yield* sleep(60)
  } catch (error) {
    cancelled = error
  }
  return { same: getRunningLoop() === app.loopscope.loop }
})
assert.ok(app.loopscope.loop instanceof EventLoop)
await app.inject('/')
assert.ok(cancelled instanceof CancelledError)
await app.close()

const { url, close } = await observe({ port: 0 })
function* main() {
  return yield* fromPromise(fetch(`${url}/tasks`).then(response => response.text()))
}
assert.match(await run(main()), /^1 live task\n.* waits for promise/)
await close()
