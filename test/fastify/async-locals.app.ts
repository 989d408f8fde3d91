// A task keeps the asynchronous context of its creation: stores of AsyncLocalStorage, request contexts, spans.
import { AsyncLocalStorage } from 'node:async_hooks'
import { fastifyRequestContext, requestContext } from '@fastify/request-context'
import { context, createContextKey, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import Fastify, { type FastifyInstance } from 'fastify'
import t from 'tap'
import { createTask, fromPromise, gather, getRunningLoop, run, sleep, VirtualClock, type Coroutine } from '../../src/index.ts'
import { loopscope } from '../../src/fastify/index.ts'

const CONCURRENT = 24
const ROUNDS = 50

/** What `read` returns at five points of one request. */
function* everywhere(read: () => unknown): Coroutine<unknown[]> {
  const seen = [read()]
  yield* sleep(0.001 * Math.random())
  seen.push(read())
  yield* fromPromise(new Promise((resolve) => setImmediate(resolve)))
  seen.push(read())
  seen.push(yield* child(read))
  seen.push(yield* createTask(child(read)))
  return seen
}

function* child(read: () => unknown): Coroutine<unknown> {
  const first = read()
  yield* sleep(0)
  return first === read() ? first : `${first as string}, then ${read() as string}`
}

/** Requests `path` for 24 users at once, fifty times; returns how many of 120 values were right each time. */
async function ask(app: FastifyInstance, path: string): Promise<Set<number>> {
  const right = new Set<number>()
  for (let round = 0; round < ROUNDS; round++) {
    const users = Array.from({ length: CONCURRENT }, (_, at) => `user ${round}.${at}`)
    const answers = await Promise.all(users.map(async (user) => (await app.inject({ url: path, headers: { 'x-user': user } })).json<unknown[]>()))
    right.add(answers.reduce<number>((sum, seen, at) => sum + seen.filter((one) => one === users[at]).length, 0))
  }
  return right
}

async function server(t: { teardown(fn: () => unknown): void }, prepare: (app: FastifyInstance) => unknown): Promise<FastifyInstance> {
  const app = Fastify()
  await prepare(app)
  await app.register(loopscope)
  t.teardown(() => app.close())
  return app
}

t.test('the store of a request', async (t) => {
  await t.test('of an AsyncLocalStorage that a hook enters', async (t) => {
    const store = new AsyncLocalStorage<string>()
    const app = await server(t, (app) => app.addHook('onRequest', (request, _reply, done) => {
      store.run(String(request.headers['x-user']), done)
    }))
    app.get('/', function* () {
      return yield* everywhere(() => store.getStore())
    })
    t.same(await ask(app, '/'), new Set([5 * CONCURRENT]))
  })

  await t.test('of @fastify/request-context', async (t) => {
    const app = await server(t, (app) => app.register(fastifyRequestContext))
    const user = 'user' as never
    app.addHook('onRequest', async (request) => {
      requestContext.set(user, request.headers['x-user'] as never)
    })
    app.get('/', function* () {
      return yield* everywhere(() => requestContext.get(user))
    })
    t.same(await ask(app, '/'), new Set([5 * CONCURRENT]))
  })

  await t.test('of OpenTelemetry\'s context manager', async (t) => {
    const manager = new AsyncLocalStorageContextManager().enable()
    context.setGlobalContextManager(manager)
    t.teardown(() => context.disable())
    const key = createContextKey('user')
    const app = await server(t, (app) => app.addHook('onRequest', (request, _reply, done) => {
      context.with(context.active().setValue(key, request.headers['x-user']), done)
    }))
    app.get('/', function* () {
      return yield* everywhere(() => context.active().getValue(key))
    })
    t.same(await ask(app, '/'), new Set([5 * CONCURRENT]))
    t.equal(trace.getActiveSpan(), undefined)
  })
})

t.test('a store in a program', async (t) => {
  const store = new AsyncLocalStorage<string>()

  await t.test('is its creator\'s, for a task, a handle, a timer and a done callback', async (t) => {
    const seen: string[] = []
    const note = (what: string): void => { seen.push(`${what}: ${String(store.getStore())}`) }
    function* one(name: string): Coroutine<void> {
      note(name)
      yield* sleep(0.01)
      note(name)
    }
    function* main(): Coroutine<void> {
      const loop = getRunningLoop()
      const tasks = ['a', 'b'].map((name) => store.run(name, () => createTask(one(name))))
      store.run('c', () => loop.callSoon(note, 'handle'))
      store.run('d', () => loop.callLater(0.001, note, 'timer'))
      store.run('e', () => tasks[0]!.addDoneCallback(() => note('done')))
      yield* gather(tasks)
      note('main')
      yield* sleep(0)
    }
    await store.run('outer', () => run(main(), { clock: new VirtualClock() }))
    t.same(seen, ['a: a', 'b: b', 'handle: c', 'timer: d', 'a: a', 'b: b', 'done: e', 'main: outer'])
  })

  await t.test('is limited to its tasks: what was made without a store sees none', async (t) => {
    let wake: (() => void) | null = null
    function* waiting(): Coroutine<unknown> {
      yield* fromPromise(new Promise<void>((resolve) => { wake = resolve }))
      return store.getStore()
    }
    const ended = run(waiting())
    while (wake === null) await new Promise((resolve) => setImmediate(resolve))
    store.run('somebody else', wake as () => void)
    t.equal(await ended, undefined)
  })
})

t.test('a program that enters no store pays nothing: no context is noted', async (t) => {
  const { execFileSync } = await import('node:child_process')
  const program = `
    import { AsyncLocalStorage } from 'node:async_hooks'
    import { run, createTask, sleep } from './src/index.ts'
    const own = ['run', 'enterWith'].map((name) => AsyncLocalStorage.prototype[name])
    function* child() { yield* sleep(0) }
    function* main() {
      const before = createTask(child())
      const store = new AsyncLocalStorage()
      console.log(before.hostContext === null)
      store.run(1, () => {})
      console.log(createTask(child()).hostContext !== null)
    }
    await run(main())
    console.log(['run', 'enterWith'].every((name) => AsyncLocalStorage.prototype[name] !== undefined && AsyncLocalStorage.prototype[name].name === name))
    console.log(['run', 'enterWith'].some((name, at) => AsyncLocalStorage.prototype[name] === own[at]))
  `
  const env = { PATH: process.env['PATH'] }
  const text = execFileSync(process.execPath, ['--import', './tools/ts.mjs', '--input-type=module', '-e', program], { cwd: new URL('../..', import.meta.url), env }).toString()
  t.same(text.trim().split('\n'), ['true', 'true', 'true', 'false'], 'methods are as they were after the first use')
})
