// A server in one of several frameworks, watched by `observe()`. `/guilty?by=…` blocks the thread, at once or later; `/innocent`
// is under way meanwhile. Without a framework, `/status?404` has this status, and `/silent` is not answered. MODULE is where the
// framework is.
import { createRequire } from 'node:module'
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pathToFileURL } from 'node:url'
import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import { observe, withName } from '../../../src/observe/index.ts'

/** This long on a processor, however busy the machine is. */
function block(ms = 120): void {
  const { user, system } = process.cpuUsage()
  for (let used = 0; used < ms * 1000;) {
    const now = process.cpuUsage()
    used = now.user + now.system - user - system
  }
}

const later: Record<string, () => Promise<void>> = {
  wait: async () => {
    await sleep(20)
    block()
  },
  timer: () => new Promise((resolve) => {
    setTimeout(() => {
      block()
      resolve()
    }, 20)
  }),
  microtask: async () => {
    await setImmediate()
    await Promise.resolve()
    block()
  },
}

/** What a handler does: nothing, or block the thread by the time it returns a promise or after it. */
async function work(url: string): Promise<string> {
  const by = /^\/guilty\?by=(\w+)/.exec(url)?.[1]
  if (by === undefined) await sleep(60)
  else if (later[by] === undefined) block()
  else await later[by]()
  return 'done'
}

/** What is used of any framework. */
type Loose = Record<string, (...args: unknown[]) => unknown>
interface Context { url: string; body: unknown }

const load = async (): Promise<{ default: (() => Loose) & (new () => Loose) } & Loose> =>
  await import(pathToFileURL(process.env['MODULE'] as string).href) as never

async function bodyOf(request: IncomingMessage): Promise<void> {
  // By events, as body parsers read it.
  await new Promise((resolve) => request.on('data', () => {}).on('end', resolve))
}

const plain: RequestListener = (request, response) => {
  const status = /^\/status\?(\d+)/.exec(request.url as string)?.[1]
  if (status !== undefined) response.writeHead(Number(status)).end()
  if (status !== undefined || request.url === '/silent') return
  const answer = (): void => void work(request.url as string).then((text) => response.end(text))
  if (request.method === 'POST') request.on('data', () => {}).on('end', answer)
  else answer()
}

const FRAMEWORKS: Record<string, () => Promise<Server>> = {
  plain: async () => createServer(plain),
  fastify: async () => {
    const { default: fastify } = await import('fastify')
    const app = fastify()
    app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body))
    app.all('/*', ({ url }) => work(url))
    await app.ready()
    return app.server
  },
  coroutines: async () => {
    const [{ default: fastify }, { loopscope }, { sleep: wait, createTask }] = await Promise.all([import('fastify'), import('../../../src/fastify/index.ts'), import('../../../src/index.ts')])
    const app = fastify()
    await app.register(loopscope)
    app.get('/*', function* () {
      return yield* createTask(wait(0.02, 'done'), { name: 'child' })
    })
    await app.ready()
    return app.server
  },
  express: async () => {
    const { default: express } = await load()
    const app = express()
    app['use']!((express as unknown as Loose)['text']!({ type: () => true }))
    app['use']!((request: Context, response: { send: (text: string) => void }) => void work(request.url).then((text) => response.send(text)))
    return createServer(app as unknown as RequestListener)
  },
  koa: async () => {
    const { default: Koa } = await load()
    const app = new Koa()
    app['use']!(async (context: Context & { req: IncomingMessage }) => {
      if (context.req.method === 'POST') await bodyOf(context.req)
      context.body = await work(context.url)
    })
    return createServer(app['callback']!() as RequestListener)
  },
  hapi: async () => {
    const hapi = await load()
    const server = hapi['server']!({ port: 0, host: '127.0.0.1' }) as Loose & { listener: Server }
    server['route']!({ method: '*', path: '/{any*}', handler: ({ raw }: { raw: { req: IncomingMessage } }) => work(raw.req.url as string) })
    await server['initialize']!()
    return server.listener
  },
  nest: async () => {
    // Its parts are beside it; decorators are functions that can be called.
    const from = createRequire(process.env['MODULE'] as string)
    const { NestFactory } = from('@nestjs/core') as { NestFactory: { create: (module: unknown, options: object) => Promise<Loose> } }
    const { All, Controller, Module, Req } = from('@nestjs/common') as Record<string, (...of: unknown[]) => (...decorated: unknown[]) => void>
    class Reports {
      answer({ url }: { url: string }): Promise<string> {
        return work(url)
      }
    }
    Controller!()(Reports)
    All!('*any')(Reports.prototype, 'answer', Object.getOwnPropertyDescriptor(Reports.prototype, 'answer'))
    Req!()(Reports.prototype, 'answer', 0)
    class Root {}
    Module!({ controllers: [Reports] })(Root)
    const app = await NestFactory.create(Root, { logger: false })
    await (app['init']!() as Promise<void>)
    return app['getHttpServer']!() as Server
  },
  ws: async () => {
    const { WebSocketServer } = await load() as unknown as { WebSocketServer: new (options: object) => { on: (event: string, fn: (socket: Loose) => void) => void } }
    const server = createServer(plain)
    new WebSocketServer({ server }).on('connection', (socket) => {
      socket['on']!('message', () => {
        block()
        socket['send']!('done')
      })
    })
    return server
  },
  named: async () => {
    withName('nightly report', () => { setTimeout(() => void work('/guilty?by=wait'), 100) })
    return createServer(plain)
  },
}

const { url } = await observe({ port: 0 })
process.on('SIGTERM', () => server.close())
const server = await FRAMEWORKS[process.argv[2] as string]!()
server.listen(0, '127.0.0.1', () => console.log(`app http://127.0.0.1:${(server.address() as AddressInfo).port} observer ${url}`))
