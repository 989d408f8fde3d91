// An app is closed while a long poll waits: the handler is cancelled, and the app closes.
import assert from 'node:assert/strict'
import Fastify from 'fastify'
import { sleep } from 'loopscope'
import loopscope from 'loopscope/fastify'

const app = Fastify()
await app.register(loopscope)
let entered
const waiting = new Promise(resolve => { entered = resolve })
let cancelled = false
app.get('/poll', function* () {
  entered()
  try {
    yield* sleep(3600)
  } catch (error) {
    cancelled = true
    throw error
  }
})
const url = await app.listen({ port: 0 })
const answer = fetch(`${url}/poll`).then(() => {}, () => {})
await waiting
await app.close()
await answer
assert.ok(cancelled)
