// Coroutines as hooks, as handlers of errors and of unknown routes.
import assert from 'node:assert/strict'
import Fastify from 'fastify'
import { sleep } from 'loopscope'
import loopscope from 'loopscope/fastify'

const app = Fastify()
await app.register(loopscope)
app.register(async part => {
  part.addHook('preHandler', function* (request) {
    yield* sleep(0.001)
    request.prepared = true
  })
  part.get('/hook', function* (request) { return String(request.prepared) })
})
app.register(async part => {
  part.setErrorHandler(function* (error) {
    yield* sleep(0.001)
    return `handled ${error.message}`
  })
  part.get('/error', function* () { throw new Error('it') })
})
app.setNotFoundHandler(function* () {
  yield* sleep(0.001)
  return 'unknown'
})
const bodies = []
for (const path of ['/hook', '/error', '/elsewhere']) bodies.push((await app.inject(path)).body)
assert.deepEqual(bodies, ['true', 'handled it', 'unknown'])
await app.close()
