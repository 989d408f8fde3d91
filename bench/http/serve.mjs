// One app, chosen by name, in a separate process: sends its parent its port, and on each request the processor time that it
// has used, in µs: of all threads, and of its loop's own.
import { readFileSync } from 'node:fs'
import Fastify from 'fastify'

const answer = { hello: 'world' }

async function served(handler, plugin) {
  const app = Fastify()
  if (plugin !== undefined) {
    const { loopscope } = await import('../../src/fastify/index.ts')
    await app.register(loopscope, plugin)
  }
  app.get('/', handler)
  return app
}

const apps = {
  bare: () => served((_request, reply) => { reply.send(answer) }),
  async: () => served(async () => answer),
  coroutine: () => served(function* () { return answer }, {}),
  observed: () => served(function* () { return answer }, { observer: { port: null } }),
  server: async () => {
    const { buildApp } = await import('../../src/server/app.ts')
    const { readConfig } = await import('../../src/server/config.ts')
    return buildApp(readConfig({ LOG_LEVEL: 'silent', OBSERVER_PORT: '0' }))
  },
}

const app = await apps[process.argv[2]]()
await app.listen({ port: 0, host: '127.0.0.1' })
/** µs of the main thread, which has the process's id; only Linux has the figure. */
function ownTime() {
  if (process.platform !== 'linux') return NaN
  return Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ')[0]) / 1000
}

process.on('message', () => {
  const { user, system } = process.cpuUsage()
  process.send?.({ all: user + system, own: ownTime() })
})
process.on('disconnect', () => process.exit())
process.send?.(app.server.address().port)
