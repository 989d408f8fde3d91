// Worker threads that ask the main loop for something: asyncToSync and runCoroutineThreadsafe.
import t from 'tap'
import {
  closeThreads, configureThreads, createTask, gather, getRunningLoop, run, runCoroutineThreadsafe, sleep, syncToAsync, threadsState, toThread,
  type EventLoop,
} from '../../src/index.ts'
import { caught } from '../support/caught.ts'
import {
  addOnMain, alternating, askForClosure, callThreadFromHere, catchRefused, nested, nestedTogether, poolInPool, refuse, threadsafe, waitForEver,
} from './workers/bridge.ts'
import { renameThroughMain, user } from './workers/context.ts'
import { Refused } from './workers/values.ts'

const shared = (): Int32Array => new Int32Array(new SharedArrayBuffer(16))

t.before(() => configureThreads({ poolSize: 2, maxQueue: 10 }))
t.after(() => closeThreads())

t.test('asyncToSync in a worker', async (t) => {
  await t.test('runs the coroutine on the main loop and blocks the worker', (t) => run((function* () {
    const ticks: number[] = []
    const ticker = createTask((function* () {
      for (let i = 0; ; i++) {
        ticks.push(i)
        yield* sleep(0)
      }
    })())
    t.same(yield* toThread(addOnMain, 2, 3), { sum: 5, onMain: true, inWorker: true })
    t.ok(ticks.length > 1, 'the main loop went on')
    ticker.cancel()
  })()))

  await t.test('throws the coroutine\'s error, of its class', (t) => run((function* () {
    t.equal(yield* syncToAsync(catchRefused, { thread: 'sensitive' })(), 'true 3')
  })()))

  await t.test('refuses a coroutine function that no module exports', (t) => run((function* () {
    t.match(yield* caught(toThread(askForClosure)), { name: 'TypeError', message: /asyncToSync: <function local> cannot run on another thread.*under workers/ })
  })()))

  await t.test('carries context variables there and back, and on to the caller', (t) => run((function* () {
    user.set('ada')
    t.same(yield* toThread(renameThroughMain, 'grace'), ['ada', 'ada in the worker', 'grace'])
    t.equal(user.get(), 'grace')
  })()))

  await t.test('lets sensitive calls of its coroutine run on the thread that waits', (t) => run((function* () {
    const threads = yield* syncToAsync(nested, { thread: 'sensitive' })(3)
    t.equal(threads.length, 4)
    t.equal(new Set(threads).size, 1)
    const together = yield* syncToAsync(nestedTogether, { thread: 'sensitive' })()
    t.equal(together.length, 4)
    t.equal(new Set(together).size, 1)
    t.match(threadsState().sensitive, { threads: 1, idle: 1, calls: [] })
  })()))

  await t.test('lets them run there through calls on other threads too', (t) => run((function* () {
    const outermost = syncToAsync(alternating, { thread: 'sensitive' })
    for (const between of ['pool', 'executor'] as const) {
      const [first, other, second, ...more] = yield* outermost([between, 'sensitive'])
      t.same([second, more], [first, []], between)
      t.not(other, first)
    }
    const twice = yield* outermost(['pool', 'sensitive', 'pool', 'sensitive'])
    t.same([twice[2], twice[4]], [twice[0], twice[0]])
    const through = yield* outermost(['pool', 'threadsafe', 'sensitive'])
    t.same(through[2], through[0], 'runCoroutineThreadsafe, whose result the pool waits for')
    t.match(threadsState().sensitive, { threads: 1, idle: 1, calls: [] })
  })()))

  await t.test('does not starve a pool in which all threads wait', (t) => run((function* () {
    t.same(yield* gather([toThread(poolInPool, 3), toThread(poolInPool, 3), toThread(poolInPool, 3)]), [3, 3, 3])
    t.match(threadsState().pool, { threads: 2, calls: [] })
  })()))

  await t.test('ends with a cancellation when its call is cancelled', (t) => run((function* () {
    const words = shared()
    const task = createTask(toThread(waitForEver, words))
    while (Atomics.load(words, 0) === 0) yield* sleep(0.001)
    task.cancel()
    yield* caught(task[Symbol.iterator]())
    while (Atomics.load(words, 2) === 0) yield* sleep(0.001)
    t.equal(Atomics.load(words, 1), 1, 'the coroutine cleaned up')
    t.equal(Atomics.load(words, 2), 1, 'the worker saw a CancelledError')
    while (threadsState().pool.calls.length > 0) yield* sleep(0.001)
  })()))

  await t.test('ends when the loop of its call is shut down', async (t) => {
    const words = shared()
    await run((function* () {
      createTask(toThread(waitForEver, words))
      while (Atomics.load(words, 0) === 0) yield* sleep(0.001)
    })())
    t.equal(Atomics.load(words, 1), 1)
    while (Atomics.load(words, 2) === 0) await new Promise((resolve) => setTimeout(resolve, 1))
    t.equal(Atomics.load(words, 2), 1)
  })
})

t.test('runCoroutineThreadsafe', async (t) => {
  await t.test('in a worker gives a promise with a blocking result, a deadline and a cancel', (t) => run((function* () {
    t.match(yield* toThread(threadsafe, shared()), [
      3, 7, false, 'TimeoutError', true, 'CancelledError', /a coroutine cannot leave its thread/,
    ])
  })()))

  await t.test('on the main thread runs a coroutine on a loop, from outside of it', async (t) => {
    let finish = (): void => {}
    let loop: EventLoop | null = null
    const ended = run((function* () {
      loop = getRunningLoop()
      const done = loop.createFuture<void>()
      finish = () => done.setResult()
      yield* done
    })())
    await new Promise((resolve) => setImmediate(resolve))
    const future = runCoroutineThreadsafe((function* () {
      yield* sleep(0)
      return 'result'
    })(), loop!)
    t.notOk(future.done())
    t.throws(() => future.result(), /would block the thread of the loop/)
    t.equal(await future, 'result')
    t.equal(future.result(), 'result')
    const failing = runCoroutineThreadsafe(refuse(), loop!)
    await t.rejects(Promise.resolve(failing), Refused)
    const endless = runCoroutineThreadsafe(sleep(3600), loop!)
    t.ok(endless.cancel())
    await t.rejects(Promise.resolve(endless), { name: 'CancelledError' })
    t.throws(() => runCoroutineThreadsafe(refuse as never), /takes a coroutine and its loop, runCoroutineThreadsafe\(refuse\(…\), loop\)/)
    t.throws(() => runCoroutineThreadsafe(refuse(), 5 as never), /an EventLoop is needed, got 5/)
    finish()
    await ended
  })
})

t.test('threads are called from the main loop only', (t) => run((function* () {
  t.match(yield* caught(toThread(callThreadFromHere)), { name: 'RuntimeError', message: /this is a worker thread/ })
})()))
