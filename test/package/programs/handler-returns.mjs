// Anything that a handler returns without `yield*` is awaited; a handler that throws `undefined` gives a 500.
import assert from 'node:assert/strict'
import Fastify from 'fastify'
import { gather, sleep } from 'loopscope'
import loopscope from 'loopscope/fastify'

const app = Fastify()
await app.register(loopscope)
const items = () => sleep(0.01, ['item'])
const handlers = {
  promise: function* () { return Promise.resolve(['item']) },
  gather: function* () { return gather([sleep(0, 'item')]) },
  coroutine: function* () { return items() },
  arrow: () => items(),
  async: async () => items(),
}
for (const [name, handler] of Object.entries(handlers)) app.get(`/${name}`, handler)
for (const thrown of [null, undefined]) app.get(`/throws-${thrown}`, function* () { throw thrown })

for (const name of Object.keys(handlers)) {
  const { statusCode, body } = await app.inject(`/${name}`)
  assert.deepEqual([name, statusCode, body], [name, 200, '["item"]'])
}
for (const thrown of [null, undefined]) assert.equal((await app.inject(`/throws-${thrown}`)).statusCode, 500, `throw ${thrown}`)
await app.close()
