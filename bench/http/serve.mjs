// One app, chosen by name, in a separate process: sends its parent its port, and on each request the processor time that it
// has used, in µs: of all threads, and of its loop's own.
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import Fastify from 'fastify'

const answer = { hello: 'world' }
const HELLO = Buffer.from(JSON.stringify(answer))
const TYPE = { 'content-type': 'application/json' }

async function served(handler, plugin) {
  const app = Fastify()
  if (plugin !== undefined) {
    const { loopscope } = await import('../../src/fastify/index.ts')
    await app.register(loopscope, plugin)
  }
  app.get('/', handler)
  return app
}

/** Node's server in the shape of a Fastify app. */
function listening(server) {
  return { server, listen: ({ port, host }) => new Promise((resolve) => server.listen(port, host, () => resolve(undefined))) }
}

/** A server for the comparison of ASGI: `/` says hello, `/echo` returns the body. */
function plain() {
  const server = createServer((request, response) => {
    if (request.url !== '/echo') {
      response.writeHead(200, { ...TYPE, 'content-length': HELLO.length }).end(HELLO)
      return
    }
    const parts = []
    request.on('data', (part) => parts.push(part)).on('end', () => {
      const body = Buffer.concat(parts)
      response.writeHead(200, { ...TYPE, 'content-length': body.length }).end(body)
    })
  })
  return listening(server)
}

/** The same app, watched. */
async function observed(app) {
  const { observe } = await import('../../src/observe/index.ts')
  await observe({ port: null })
  return app
}

/** A task for each request, and nothing else of ours: what is left of it is the price of an interface. */
async function inTasks() {
  const { EventLoop } = await import('../../src/index.ts')
  const loop = new EventLoop({ hold: false })
  void loop.runForever()
  function* reply(response) {
    response.writeHead(200, { ...TYPE, 'content-length': HELLO.length }).end(HELLO)
  }
  const server = createServer((_request, response) => { loop.createTask(reply(response)) })
  return listening(server)
}

function echoing() {
  const app = Fastify()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  app.get('/', (_request, reply) => { reply.type('application/json').send(HELLO) })
  app.post('/echo', (request, reply) => { reply.type('application/json').send(request.body) })
  return app
}

const bytes = (text) => Buffer.from(text)

function* application(scope, receive, send) {
  if (scope.type !== 'http') throw new Error(`no ${scope.type} here`)
  let body = HELLO
  if (scope.path === '/echo') {
    body = Buffer.alloc(0)
    for (;;) {
      const { body: part, more_body: more } = yield* receive()
      body = Buffer.concat([body, part])
      if (!more) break
    }
  }
  yield* send({ type: 'http.response.start', status: 200, headers: [[bytes('content-type'), bytes('application/json')], [bytes('content-length'), bytes(String(body.length))]] })
  yield* send({ type: 'http.response.body', body })
}

/** Without what the others do not do: no timing of its requests in a header. */
async function asgi() {
  const { serve } = await import('../../src/asgi/index.ts')
  let served
  return { listen: async ({ port, host }) => { served = await serve(application, { port, host, serverTiming: false }) }, get port() { return served.port } }
}

const apps = {
  node: plain,
  task: inTasks,
  fastify: echoing,
  asgi,
  bare: () => served((_request, reply) => { reply.send(answer) }),
  watched: () => observed(plain()),
  async: () => served(async () => answer),
  'async-watched': async () => observed(await served(async () => answer)),
  'async-plugin': () => served(async () => answer, { observer: { port: null } }),
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
process.send?.(app.port ?? app.server.address().port)
