// A Fastify app, with an ordinary handler that blocks, before and after its first await, and a coroutine beside it.
import Fastify from 'fastify'
import { loopscope } from '../../../src/fastify/index.ts'
import { sleep } from '../../../src/index.ts'

function busyWait(ms: number): void {
  const end = performance.now() + ms
  while (performance.now() < end); // at once
}

function lateWork(ms: number): void {
  const end = performance.now() + ms
  while (performance.now() < end); // later
}

const app = Fastify()
await app.register(loopscope, { observer: { port: 0 } })
app.get('/at-once', async () => {
  busyWait(400)
  return 'done'
})
app.get('/later', async () => {
  await new Promise((resolve) => setTimeout(resolve, 20))
  lateWork(400)
  return 'done'
})
app.get('/quick', async () => 'quick')
app.get('/coroutine', function* () {
  yield* sleep(0.01)
  return 'slept'
})
process.on('SIGTERM', () => void app.close())
await app.listen({ port: 0 })
console.log(`app ${app.listeningOrigin} observer ${app.observer.url}`)
