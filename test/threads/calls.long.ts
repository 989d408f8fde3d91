// Plain functions on worker threads: real threads, lined up through shared memory.
import t from 'tap'
import { spawn } from 'node:child_process'
import {
  BrokenThread, CancelledError, closeThreads, configureThreads, createTask, fromPromise, gather, getRunningLoop, QueueFull, run, sleep,
  syncToAsync, Task, ThreadSensitiveContext, threadsState, toThread, VirtualClock, type Coroutine, type ExceptionContext, type Instrument,
} from '../../src/index.ts'
import { caught } from '../support/caught.ts'
import { exit, exitWhenTold, throwAfterwards, throwOutside } from './workers/die.ts'
import { odd, rename, renameAndFail, user, visits, whoAmI } from './workers/context.ts'
import { hold, meet, pass, whichThread } from './workers/meet.ts'
import { coroutine, echo, fail, giveFunction, later, makeClosure, Refused } from './workers/values.ts'

const shared = (): Int32Array => new Int32Array(new SharedArrayBuffer(16))

/** Waits until a worker has set `words[index]` to at least `least`. */
function* until(words: Int32Array, index: number, least = 1): Coroutine<void> {
  while (Atomics.load(words, index) < least) yield* sleep(0.001)
}

function release(words: Int32Array): void {
  Atomics.store(words, 1, 1)
  Atomics.notify(words, 1)
}

t.before(() => configureThreads({ poolSize: 2, maxQueue: 3 }))
t.after(() => closeThreads())

t.test('a call', async (t) => {
  await t.test('starts no thread before it is awaited', (t) => run((function* () {
    const call = toThread(echo, 1)
    t.equal(threadsState().pool.threads, 0)
    t.equal(yield* call, 1)
    t.equal(threadsState().pool.threads, 1)
    t.equal(threadsState().pool.idle, 1)
  })()))

  await t.test('copies what a structured clone copies, small and large', (t) => run((function* () {
    const values = [
      undefined, null, true, '', 'é漢🙂\u0000"', '\ud800', 0, -0, NaN, Infinity, 1e-7, 12345678901234567890n, new Date(5), /a/g, [undefined], [1, [2]],
      { a: 1, b: { c: [null] } }, { u: undefined }, new Map([[1, { a: 2 }]]), new Set(['x']), new Uint8Array([1, 2]), new Error('as a value'),
      'x'.repeat(100_000), Array.from({ length: 5000 }, (_, i) => i), JSON.parse('{"__proto__": 1}'),
    ]
    for (const value of values) t.strictSame(yield* toThread(echo, value), structuredClone(value))
    const ring: { self?: unknown } = {}
    ring.self = ring
    const copy = (yield* toThread(echo, ring)) as typeof ring
    t.equal(copy.self, copy)
    const holes = [, 1]
    t.notOk(0 in ((yield* toThread(echo, holes)) as unknown[]))
  })()))

  await t.test('keeps the order of messages of all sizes', (t) => run((function* () {
    const sizes = Array.from({ length: 3 }, (_, i) => (i % 2 === 0 ? 'small' : 'x'.repeat(50_000)))
    const both = syncToAsync(echo<string>, { thread: 'sensitive' })
    t.same(yield* gather(sizes.map((text) => both(text))), sizes)
  })()))

  await t.test('waits for a promise that the function returns', (t) => run((function* () {
    t.equal(yield* toThread(later, 1), 2)
    t.equal(yield* toThread(echo, 'next'), 'next')
  })()))

  await t.test('is a wait of kind thread with the name of the function', (t) => run((function* () {
    const words = shared()
    const waits: unknown[] = []
    const instrument: Instrument = { taskSuspended: (_, on) => waits.push([on.kind, on.label]) }
    const task = createTask(toThread(hold, words))
    getRunningLoop().instruments.add(instrument)
    yield* until(words, 0)
    t.ok(waits.some((wait) => JSON.stringify(wait) === '["thread","hold"]'))
    release(words)
    yield* task
  })()))

  await t.test('reports to instruments when it starts and how it ends', (t) => run((function* () {
    const seen: unknown[] = []
    getRunningLoop().instruments.add({
      threadStarted: (call) => seen.push(['started', call.function, call.mode, call.status, call.task?.getName()]),
      threadFinished: (call) => seen.push(['finished', call.function, call.ending, call.finishedAt! >= call.startedAt!]),
    })
    getRunningLoop()
    yield* createTask(toThread(echo, 1), { name: 'caller' })
    yield* caught(syncToAsync(fail, { thread: 'sensitive' })('range'))
    t.same(seen, [
      ['started', 'echo', 'pool', 'running', 'caller'], ['finished', 'echo', 'returned', true],
      ['started', 'fail', 'sensitive', 'running', 'Task-1'], ['finished', 'fail', 'raised', true],
    ])
  })()))

  await t.test('takes no virtual time', (t) => run((function* () {
    const loop = getRunningLoop()
    const ticks = createTask(sleep(5))
    yield* toThread(later, 1)
    t.equal(loop.time(), 0)
    yield* ticks
    t.equal(loop.time(), 5)
  })(), { clock: new VirtualClock() }))
})

t.test('values that cannot be copied', async (t) => {
  const refuses = (name: string, fn: () => unknown, what: RegExp): Promise<unknown> =>
    t.test(name, (t) => run((function* () {
      const error = (yield* caught(toThread(fn))) as Error
      t.ok(error instanceof TypeError)
      t.match(error.message, what)
      t.match(error.message, /put it into a module under workers\/, export it there/)
      t.same(threadsState().pool.calls, [])
    })()))

  await refuses('a closure', () => 1, /not under a workers\/ folder/)
  await refuses('a function of a module elsewhere', run as never, /<function run>.*not under a workers\/ folder/)
  await refuses('a function of the platform', Math.random, /is in no module/)
  await refuses('a function bound to something', echo.bind(null, 1), /is in no module/)
  await refuses('a function that its module makes, and does not export', makeClosure(), /its module file:.* does not export it/)

  await t.test('an argument, a result, a coroutine', (t) => run((function* () {
    t.match(yield* caught(toThread(echo, () => {})), { name: 'TypeError', message: /echo\(\): an argument.*cannot be copied/ })
    t.match(yield* caught(toThread(giveFunction)), { name: 'TypeError', message: /giveFunction\(\) returned <function>.*cannot be copied/ })
    t.match(yield* caught(toThread(coroutine)), { name: 'TypeError', message: /coroutine\(\) returned <coroutine>.*a coroutine runs on a loop/ })
    t.equal(yield* toThread(echo, 'still there'), 'still there')
  })()))

  await t.test('values that are not functions', (t) => run((function* () {
    t.throws(() => toThread(5 as never), { name: 'TypeError', message: 'toThread: a function is needed, got 5' })
    yield* sleep(0)
  })()))

  await t.test('runInExecutor refuses a closure in the same way', (t) => run((function* () {
    const error = yield* caught(getRunningLoop().runInExecutor(null, () => 1)[Symbol.iterator]())
    t.match(error, { name: 'TypeError', message: /runInExecutor: .*put it into a module under workers/ })
  })()))
})

t.test('an error of the function', async (t) => {
  await t.test('has class, message and stack', (t) => run((function* () {
    const error = (yield* caught(toThread(fail, 'range'))) as Error
    t.ok(error instanceof RangeError)
    t.equal(error.message, 'too far')
    t.match(error.stack, /^RangeError: too far\n.*values\.ts/)
    t.match(error.stack, /at fail\(\) on a worker thread \(pool\)/)
  })()))

  await t.test('is of the class that its module exports, with its own properties', (t) => run((function* () {
    const error = (yield* caught(toThread(fail, 'refused'))) as Refused
    t.ok(error instanceof Refused)
    t.equal(error.code, 7)
    t.equal(error.name, 'Refused')
  })()))

  await t.test('of an unknown class has its name', (t) => run((function* () {
    const error = (yield* caught(toThread(fail, 'hidden'))) as Error
    t.equal(error.constructor, Error)
    t.equal(error.name, 'Hidden')
  })()))

  await t.test('brings its cause, and the errors of a group', (t) => run((function* () {
    const error = (yield* caught(toThread(fail, 'cause'))) as Error
    t.ok(error.cause instanceof TypeError)
    const group = (yield* caught(toThread(fail, 'group'))) as AggregateError
    t.ok(group instanceof AggregateError)
    t.ok(group.errors[0] instanceof RangeError && group.errors[1] instanceof Refused)
  })()))

  await t.test('may be any value', (t) => run((function* () {
    t.equal(yield* caught(toThread(fail, 'string')), 'just text')
  })()))
})

t.test('how many at once', async (t) => {
  await t.test('as many as the pool is large', (t) => run((function* () {
    const words = shared()
    t.same(yield* gather([toThread(meet, words, 2), toThread(meet, words, 2)]), [true, true])
    t.equal(threadsState().pool.threads, 2)
  })()))

  await t.test('and not one more', (t) => run((function* () {
    const words = shared()
    const calls = [1, 2, 3].map(() => createTask(toThread(hold, words)))
    yield* until(words, 0, 2)
    yield* sleep(0.02)
    t.equal(Atomics.load(words, 0), 2)
    t.match(threadsState().pool, { running: 2, queued: 1 })
    t.same(threadsState().pool.calls.map((call) => call.status), ['running', 'running', 'queued'])
    release(words)
    yield* gather(calls)
  })()))

  await t.test('one of the sensitive calls, in their order, all on one thread', (t) => run((function* () {
    const words = shared()
    const one = syncToAsync(pass, { thread: 'sensitive' })
    const where = syncToAsync(whichThread, { thread: 'sensitive' })
    t.same(yield* gather([one(words), one(words), one(words)]), [0, 1, 2])
    t.equal(Atomics.load(words, 1), 1)
    t.equal(yield* where(), yield* where())
    t.not(yield* where(), yield* toThread(whichThread))
  })()))

  await t.test('a sensitive thread for each context', (t) => run((function* () {
    const where = syncToAsync(whichThread, { thread: 'sensitive' })
    const request = (): Coroutine<number[]> => new ThreadSensitiveContext().with(function* () {
      const inner = yield* new ThreadSensitiveContext().with(where)
      return [yield* where(), inner, yield* createTask(where())]
    })
    const [one, two, outside] = yield* gather([request(), request(), where()])
    t.equal(new Set(one).size, 1)
    t.equal(new Set(two).size, 1)
    t.equal(new Set([one[0], two[0], outside]).size, 3)
    while (threadsState().contexts.length > 0) yield* sleep(0.001)
    t.match(threadsState().sensitive, { threads: 1, idle: 1 })
  })()))

  await t.test('a full queue refuses, and takes calls again', (t) => run((function* () {
    const words = shared()
    const calls = [1, 2, 3, 4, 5].map(() => createTask(toThread(hold, words)))
    yield* until(words, 0, 2)
    const error = (yield* caught(toThread(hold, words))) as Error
    t.ok(error instanceof QueueFull)
    t.match(error.message, 'toThread: 3 calls wait for one of 2 threads (pool) already, hold() finds no room')
    release(words)
    yield* gather(calls)
    t.equal(yield* toThread(echo, 1), 1)
  })()))
})

t.test('cancelling', async (t) => {
  await t.test('a queued call: it never starts', (t) => run((function* () {
    const [words, other] = [shared(), shared()]
    const one = syncToAsync(hold, { thread: 'sensitive' })
    const first = createTask(one(words))
    const second = createTask(one(other))
    yield* until(words, 0)
    second.cancel()
    t.ok((yield* caught(second[Symbol.iterator]())) instanceof CancelledError)
    t.match(threadsState().sensitive, { queued: 0, running: 1 })
    release(words)
    yield* first
    t.equal(yield* syncToAsync(echo, { thread: 'sensitive' })('next'), 'next')
    t.equal(Atomics.load(other, 0), 0)
  })()))

  await t.test('a running call: at once; it runs on, orphaned, keeps its place, and is seen', (t) => run((function* () {
    const words = shared()
    const seen: unknown[] = []
    getRunningLoop().instruments.add({ threadFinished: (call) => seen.push([call.function, call.ending]) })
    const task = createTask(syncToAsync(hold, { thread: 'sensitive' })(words), { name: 'impatient' })
    yield* until(words, 0)
    task.cancel()
    t.ok((yield* caught(task[Symbol.iterator]())) instanceof CancelledError)
    t.equal(Atomics.load(words, 2), 0, 'the function has not ended')
    const { orphaned, calls } = threadsState().sensitive
    t.equal(orphaned, 1)
    t.match(calls, [{ function: 'hold', status: 'orphaned', task: Task, mode: 'sensitive' }])
    t.ok(calls[0]!.since <= getRunningLoop().time())
    const behind = createTask(syncToAsync(echo, { thread: 'sensitive' })('behind'))
    yield* sleep(0.02)
    t.notOk(behind.done())
    release(words)
    t.equal(yield* behind, 'behind')
    t.equal(Atomics.load(words, 2), 1)
    t.same(seen, [['hold', 'orphaned'], ['echo', 'returned']])
    t.match(threadsState().sensitive, { orphaned: 0, calls: [] })
  })()))

  await t.test('shutdownDefaultExecutor waits for what was submitted, even if it was cancelled', (t) => run((function* () {
    const words = shared()
    const loop = getRunningLoop()
    const future = loop.runInExecutor(null, hold, words)
    yield* until(words, 0)
    future.cancel()
    const shutdown = createTask(loop.shutdownDefaultExecutor())
    yield* sleep(0.01)
    t.notOk(shutdown.done())
    release(words)
    yield* shutdown
    t.equal(Atomics.load(words, 2), 1)
    t.throws(() => loop.runInExecutor(null, echo, 1), /was shut down/)
  })()))
})

t.test('a thread that ends', async (t) => {
  await t.test('by process.exit() fails its call and is replaced', (t) => run((function* () {
    const error = (yield* caught(toThread(exit, 3))) as Error
    t.ok(error instanceof BrokenThread)
    t.equal(error.message, 'exit(): its worker thread exited with code 3')
    t.equal(yield* toThread(echo, 'another'), 'another')
  })()))

  await t.test('by an uncaught error fails its call and is replaced', (t) => run((function* () {
    const error = (yield* caught(syncToAsync(throwOutside, { thread: 'sensitive' })())) as Error
    t.ok(error instanceof BrokenThread)
    t.match(error.message, 'throwOutside(): its worker thread crashed: Error: outside of any call')
    t.ok(error.cause instanceof Error)
    t.equal(yield* syncToAsync(echo, { thread: 'sensitive' })('another'), 'another')
  })()))

  for (const how of ['throw', 'reject'] as const) {
    await t.test(`while idle, by an uncaught error (${how}), is replaced, and the exception handler gets the error, once`, (t) => run((function* () {
      const reported: ExceptionContext[] = []
      getRunningLoop().setExceptionHandler((_loop, context) => reported.push(context))
      const words = shared()
      yield* toThread(throwAfterwards, words, how)
      yield* until(words, 0)
      while (threadsState().pool.threads > 0) yield* sleep(0.001)
      t.equal(yield* toThread(echo, 'another'), 'another')
      t.equal(reported.length, 1)
      t.match(reported[0], { message: 'a worker thread (pool) crashed: Error: after the call; no call failed with it', exception: Error })
      t.match((reported[0]!.exception as Error).stack, /^Error: after the call\n.*die\.ts/)
    })()))
  }

  await t.test('by process.exit() while idle, or under a call that was cancelled, is reported as well', (t) => run((function* () {
    const reported: string[] = []
    getRunningLoop().setExceptionHandler((_loop, { message }) => reported.push(message))
    const words = shared()
    const task = createTask(toThread(exitWhenTold, words))
    yield* until(words, 0)
    task.cancel()
    yield* caught(task[Symbol.iterator]())
    release(words)
    while (threadsState().pool.threads > 0) yield* sleep(0.001)
    t.same(reported, ['a worker thread (pool) exited with code 4; no call failed with it'])
  })()))

  await t.test('because the threads are closed is not reported', (t) => run((function* () {
    const reported: unknown[] = []
    getRunningLoop().setExceptionHandler((_loop, context) => reported.push(context))
    yield* toThread(echo, 1)
    yield* fromPromise(closeThreads())
    t.same(reported, [])
  })()))

  await t.test('fails only its own call', (t) => run((function* () {
    const words = shared()
    const holding = createTask(toThread(hold, words))
    yield* until(words, 0)
    const queued = [createTask(toThread(exit, 1)), createTask(toThread(echo, 'queued'))] as const
    t.ok((yield* caught(queued[0][Symbol.iterator]())) instanceof BrokenThread)
    t.equal(yield* queued[1], 'queued')
    release(words)
    t.type(yield* holding, 'number')
  })()))

  await t.test('because the threads are closed says so', (t) => run((function* () {
    const words = shared()
    const [running, queued] = [1, 2].map(() => createTask(syncToAsync(hold, { thread: 'sensitive' })(words)))
    yield* until(words, 0)
    void closeThreads()
    t.match(yield* caught(running![Symbol.iterator]()), { name: 'BrokenThread', message: 'hold(): its worker thread was closed' })
    t.match(yield* caught(queued![Symbol.iterator]()), { name: 'BrokenThread', message: /closed before it began/ })
    t.equal(yield* syncToAsync(echo, { thread: 'sensitive' })('anew'), 'anew')
  })()))

  await t.test('closing waits for running calls, as long as it may', (t) => run((function* () {
    const words = shared()
    const holding = createTask(toThread(hold, words))
    yield* until(words, 0)
    const closed = closeThreads(20)
    release(words)
    t.type(yield* holding, 'number')
    void closed
  })()))
})

t.test('context variables', async (t) => {
  await t.test('that the module of the function exports are sent with it, and back', (t) => run((function* () {
    user.set('ada')
    t.equal(yield* toThread(whoAmI), 'ada')
    t.equal(yield* syncToAsync(rename, { thread: 'sensitive' })('grace'), 'ada')
    t.equal(user.get(), 'grace')
    t.equal(visits.get(), 1)
  })()))

  await t.test('stay the task\'s own, and leave nothing in the thread', (t) => run((function* () {
    const one = function* (name: string): Coroutine<[string, string]> {
      user.set(name)
      const before = yield* syncToAsync(rename, { thread: 'sensitive' })(`${name}!`)
      return [before, user.get()]
    }
    t.same(yield* gather([one('a'), one('b')]), [['a', 'a!'], ['b', 'b!']])
    t.equal(yield* syncToAsync(whoAmI, { thread: 'sensitive' })(), 'nobody')
  })()))

  await t.test('come back from a function that fails', (t) => run((function* () {
    yield* caught(toThread(renameAndFail, 'eve'))
    t.equal(user.get(), 'eve')
  })()))

  await t.test('that cannot be copied fail the call', (t) => run((function* () {
    odd.set(() => {})
    t.match(yield* caught(toThread(whoAmI)), { name: 'TypeError', message: /whoAmI\(\): an argument, or a context variable.*cannot be copied/ })
  })()))

  await t.test('are not sent by runInExecutor, as in asyncio', (t) => run((function* () {
    user.set('ada')
    t.equal(yield* getRunningLoop().runInExecutor(null, whoAmI), 'nobody')
  })()))
})

t.test('a program', async (t) => {
  const program = (body: string): Promise<{ code: number | null; signal: string | null; output: string }> => {
    const root = new URL('../../', import.meta.url).href
    const source = `
      import { run, toThread, createTask, sleep } from '${root}src/index.ts'
      import { spin } from '${root}workers/spin.ts'
      import { hold } from '${root}test/threads/workers/meet.ts'
      ${body}`
    return new Promise((resolve) => {
      const child = spawn(process.execPath, ['--import', './tools/ts.mjs', '--input-type=module', '-e', source], {
        cwd: new URL(root), stdio: ['ignore', 'pipe', 'pipe'], timeout: 60_000,
      })
      let output = ''
      for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += String(chunk)))
      child.on('close', (code, signal) => resolve({ code, signal, output }))
    })
  }

  await t.test('ends by itself when its threads are idle', async (t) => {
    t.same(await program('await run((function* () { console.log((yield* toThread(spin, 1)) > 0) })())'), { code: 0, signal: null, output: 'true\n' })
  })

  await t.test('ends only after an orphaned call has', async (t) => {
    const { code, output } = await program(`
      const words = new Int32Array(new SharedArrayBuffer(16))
      await run((function* () {
        const task = createTask(toThread(hold, words))
        while (words[0] === 0) yield* sleep(0.001)
        task.cancel()
        setTimeout(() => { Atomics.store(words, 1, 1); Atomics.notify(words, 1) }, 50)
      })())
      console.log('over', words[2])
      process.on('exit', () => console.log('exit', words[2]))`)
    t.equal(output, 'over 0\nexit 1\n')
    t.equal(code, 0)
  })

  await t.test('can be ended by process.exit() while a thread calculates', async (t) => {
    const { code } = await program('void run((function* () { createTask(toThread(spin, 60000)); yield* sleep(0.5); process.exit(5) })())')
    t.equal(code, 5)
  })
})
