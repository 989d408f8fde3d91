// Three users ask at the same time. A coroutine handler sees the request context of its own request after a wait, as an
// async handler does; and without a server a task has the store that it was created in.
import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'
import { fastifyRequestContext, requestContext } from '@fastify/request-context'
import Fastify from 'fastify'
import { createTask, gather, run, sleep } from 'loopscope'
import loopscope from 'loopscope/fastify'

const USERS = ['ada', 'bea', 'cleo']
const app = Fastify()
await app.register(fastifyRequestContext)
await app.register(loopscope)
app.addHook('onRequest', async request => { requestContext.set('user', request.headers['x-user']) })
app.get('/coroutine', function* () {
  yield* sleep(0.01)
  return requestContext.get('user')
})
app.get('/async', async () => {
  await new Promise(resolve => setTimeout(resolve, 10))
  return requestContext.get('user')
})
const url = await app.listen({ port: 0 })
for (const path of ['coroutine', 'async']) {
  const seen = await Promise.all(USERS.map(user => fetch(`${url}/${path}`, { headers: { 'x-user': user } }).then(response => response.text())))
  assert.deepEqual(seen, USERS, path)
}
await app.close()

const store = new AsyncLocalStorage()
function* job() {
  const before = store.getStore()
  yield* sleep(0.005)
  return [before, store.getStore()]
}
function* main() {
  return yield* gather(['a', 'b'].map(name => store.run(name, () => createTask(job()))))
}
assert.deepEqual(await store.run('outside', () => run(main())), [['a', 'a'], ['b', 'b']])
