// A coroutine handles a WebSocket. If the order of plugins prevents it from ever running, the registration fails with that
// reason.
import assert from 'node:assert/strict'
import websocket from '@fastify/websocket'
import Fastify from 'fastify'
import { sleep } from 'loopscope'
import loopscope from 'loopscope/fastify'
import { WebSocket } from 'ws'

const app = Fastify()
await app.register(loopscope)
await app.register(websocket)
app.get('/greeting', { websocket: true }, function* (socket) {
  yield* sleep(0.01)
  socket.send('good day')
})
const url = await app.listen({ port: 0 })
const client = new WebSocket(`${url.replace('http', 'ws')}/greeting`)
const first = await new Promise((resolve, reject) => {
  client.on('message', text => resolve(String(text)))
  client.on('close', code => reject(new Error(`closed with ${code}`)))
})
assert.equal(first, 'good day')
client.terminate()
await app.close()

const wrong = Fastify()
await wrong.register(websocket)
await assert.rejects(async () => { await wrong.register(loopscope) }, /register it before @fastify\/websocket/)
