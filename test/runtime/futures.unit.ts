// Futures, and the public names: each name that the runtime promises is exported and does what it promises.
import t from 'tap'
import * as loopscope from '../../src/index.ts'
import {
  CancelledError, createTask, ensureFuture, EventLoop, ExceptionGroup, Future, gather, getRunningLoop, isFuture, run, sleep, waitFor, wrapFuture,
  type Coroutine, type Task,
} from '../../src/index.ts'
import { recorded, thrown, thrownBy } from '../support/virtual.ts'

t.test('every name of the API is exported, and no other', async (t) => {
  const promised = `
    run Runner EventLoop getRunningLoop VirtualClock Handle TimerHandle
    Future ensureFuture wrapFuture isFuture isCoroutine
    Task createTask currentTask allTasks eagerTaskFactory createEagerTaskFactory
    sleep gather wait FIRST_COMPLETED FIRST_EXCEPTION ALL_COMPLETED waitFor asCompleted shield
    timeout timeoutAt Timeout taskGroup TaskGroup
    Queue PriorityQueue LifoQueue Lock Event Condition Semaphore BoundedSemaphore Barrier
    ContextVar Token copyContext Context
    CancelledError TimeoutError InvalidStateError QueueEmpty QueueFull QueueShutDown BrokenBarrierError ExceptionGroup RuntimeError
    KeyboardInterrupt rethrowCancelled IncompleteReadError LimitOverrunError
    ConnectionError ConnectionResetError ConnectionAbortedError ConnectionRefusedError BrokenPipeError ProcessLookupError
    openConnection openUnixConnection startServer startUnixServer Server StreamReader StreamWriter
    createSubprocessExec createSubprocessShell Process PIPE STDOUT DEVNULL
    GeneratorExit aiter asyncFor asyncExitStack AsyncExitStack
    syncToAsync asyncToSync toThread runCoroutineThreadsafe ThreadSensitiveContext
    configureThreads prepareThreads threadsState workerFunction closeThreads BrokenThread NoThread
    fromPromise fromAsyncIterable fromEvent fromEvents print printTo captureCallGraph printCallGraph Instruments`.trim().split(/\s+/)
  const missing = promised.filter((name) => !(name in loopscope))
  const more = Object.keys(loopscope).filter((name) => !promised.includes(name))
  t.same({ missing, more }, { missing: [], more: [] })
})

t.test('every method and property that asyncio has there exists', async (t) => {
  const loop = new EventLoop()
  const has = (object: object, names: string): string[] => names.trim().split(/\s+/).filter((name) => !(name in object))
  t.same(has(loop, `callSoon callLater callAt callSoonThreadsafe time createTask createFuture runInExecutor setDefaultExecutor
    shutdownDefaultExecutor shutdownAsyncgens setExceptionHandler getExceptionHandler defaultExceptionHandler callExceptionHandler setTaskFactory
    getTaskFactory runForever runUntilComplete stop close isRunning isClosed addSignalHandler removeSignalHandler debug slowCallbackDuration instruments`), [])
  t.same(has(loopscope.Future.prototype, 'setResult setException cancel cancelled done result exception addDoneCallback removeDoneCallback getLoop then'), [])
  t.same(has(loopscope.Task.prototype, 'cancelling uncancel getName setName getCoro getStack printStack getContext cancel'), [])
  t.ok(Object.getOwnPropertyDescriptor(loopscope.Task.prototype, 'signal'))
  t.same(has(new loopscope.Queue(), 'put get putNowait getNowait join taskDone qsize empty full maxsize shutdown'), [])
  t.same(has(new loopscope.Lock(), 'acquire release locked with guard'), [])
  t.same(has(new loopscope.Event(), 'wait set clear isSet'), [])
  t.same(has(new loopscope.Condition(), 'acquire release locked wait waitFor notify notifyAll with guard'), [])
  t.same(has(new loopscope.Semaphore(), 'acquire release locked with guard'), [])
  t.same(has(new loopscope.BoundedSemaphore(), 'acquire release locked with guard'), [])
  t.same(has(new loopscope.Barrier(1), 'wait with reset abort parties nWaiting broken'), [])
  t.same(has(new loopscope.Runner(), 'run getLoop close'), [])
  t.ok(Symbol.asyncDispose in loopscope.Runner.prototype)
  t.equal(loop.slowCallbackDuration, 0.1)
  loop.close()
})

t.test('the constants are asyncio\'s words', async (t) => {
  t.same([loopscope.FIRST_COMPLETED, loopscope.FIRST_EXCEPTION, loopscope.ALL_COMPLETED], ['FIRST_COMPLETED', 'FIRST_EXCEPTION', 'ALL_COMPLETED'])
})

t.test('every error class has its name, takes a message, and is an Error', async (t) => {
  for (const name of ['CancelledError', 'TimeoutError', 'InvalidStateError', 'QueueEmpty', 'QueueFull', 'QueueShutDown', 'BrokenBarrierError', 'RuntimeError', 'KeyboardInterrupt'] as const) {
    const error = new loopscope[name]('why')
    t.match(error, { name, message: 'why' })
    t.ok(error instanceof Error)
    t.equal(String(error), `${name}: why`)
    t.equal(new loopscope[name]().message, '')
  }
  t.ok(new loopscope.BrokenBarrierError() instanceof loopscope.RuntimeError, 'a broken barrier is a RuntimeError, as in asyncio')
})

t.test('ExceptionGroup', async (t) => {
  const type = new TypeError('type')
  const range = new RangeError('range')
  const plain = new Error('plain')
  const inner = new ExceptionGroup('inner', [range, plain])
  const group = new ExceptionGroup('outer', [type, inner])

  t.test('is an AggregateError with its errors in order', async (t) => {
    t.ok(group instanceof AggregateError)
    t.equal(String(group), 'ExceptionGroup: outer')
    t.same(group.exceptions, [type, inner])
    t.equal(group.errors[0], type)
    t.match(thrown(() => new ExceptionGroup('empty', [])), { name: 'RangeError' })
  })

  t.test('split parts it down into nested groups, by class or by predicate', async (t) => {
    const [matched, rest] = group.split(RangeError)
    t.same(shape(matched), { outer: [{ inner: ['range'] }] })
    t.same(shape(rest), { outer: ['type', { inner: ['plain'] }] })
    const [byWord] = group.split((error) => error === plain)
    t.same(shape(byWord), { outer: [{ inner: ['plain'] }] })
  })

  t.test('split returns the same group if all of it matches, and null for nothing', async (t) => {
    const [all, none] = group.split(Error)
    t.equal(all, group)
    t.equal(none, null)
    const [nothing, everything] = group.split(SyntaxError)
    t.equal(nothing, null)
    t.equal(everything, group)
  })

  t.test('subgroup returns the part that matches', async (t) => {
    t.same(shape(group.subgroup(TypeError)), { outer: ['type'] })
    t.equal(group.subgroup(SyntaxError), null)
  })

  function shape(error: unknown): unknown {
    return error instanceof ExceptionGroup ? { [error.message]: error.exceptions.map(shape) } : (error as Error | null)?.message
  }
})

t.test('a future', async (t) => {
  t.test('finishes once, with a result or an exception or a cancellation', async (t) => {
    t.same(await recorded(function* (log) {
      const loop = getRunningLoop()
      const state = (future: Future<unknown>): unknown => [future.done(), future.cancelled()]
      const good = loop.createFuture<number>()
      log(state(good))
      good.setResult(1)
      log(state(good), good.result(), good.exception(), good.cancel())
      const bad = new Future<number>()
      bad.setException(new TypeError('bad'))
      log(state(bad), bad.exception(), thrown(() => bad.result()), bad.cancel())
      const cancelled = new Future<number>({ loop })
      log(cancelled.cancel('why'), state(cancelled), thrown(() => cancelled.result()), thrown(() => cancelled.exception()), cancelled.cancel())
      log(cancelled.getLoop() === loop)
      yield* sleep(0)
    }), ['[false,false]', '[true,false] 1 null false', '[true,false] TypeError: bad TypeError: bad false',
      'true [true,true] CancelledError: why CancelledError: why false', 'true'])
  })

  t.test('takes an error class for a new instance of it', async (t) => {
    t.same(await recorded(function* (log) {
      const future = new Future<void>()
      future.setException(RangeError)
      log(yield* thrownBy(function* () { yield* future }))
    }), ['RangeError'])
  })

  t.test('calls its callbacks through the ready queue, in the order in which they were added', async (t) => {
    t.same(await recorded(function* (log) {
      const future = new Future<string>()
      future.addDoneCallback((done) => log('first', done === future))
      const task = createTask((function* () { log('awaiter', yield* future) })())
      yield* sleep(0)
      future.addDoneCallback(() => log('third'))
      future.setResult('value')
      log('set')
      future.addDoneCallback(() => log('fourth, though it was done'))
      yield* task
    }), ['set', 'first true', 'awaiter value', 'third', 'fourth, though it was done'])
  })

  t.test('removeDoneCallback removes every one of them and returns the count', async (t) => {
    t.same(await recorded(function* (log) {
      const future = new Future<void>()
      const callback = (): void => log('called')
      const other = (): void => log('other')
      future.addDoneCallback(callback)
      future.addDoneCallback(other)
      future.addDoneCallback(callback)
      log(future.removeDoneCallback(callback), future.removeDoneCallback(callback))
      future.setResult()
      yield* sleep(0)
    }), ['2 0', 'other'])
  })

  t.test('a callback that throws is reported, and the others are called', async (t) => {
    t.same(await recorded(function* (log) {
      const future = new Future<void>()
      future.addDoneCallback(function broken() { throw new Error('oops') })
      future.addDoneCallback(() => log('called'))
      future.setResult()
      yield* sleep(0)
    }), ['reported: Exception in callback <done callback <function broken>> (Error: oops)', 'called'])
  })

  t.test('may be awaited by several tasks, which continue in the order in which they came', async (t) => {
    t.same(await recorded(function* (log) {
      const future = new Future<string>()
      const tasks = ['a', 'b', 'c'].map((name) => createTask((function* () { log(name, yield* future) })()))
      yield* sleep(1)
      future.setResult('x')
      yield* gather(tasks)
    }), ['a x', 'b x', 'c x'])
  })

  t.test('setException reaches the awaiter; cancelling the awaiter cancels it', async (t) => {
    t.same(await recorded(function* (log) {
      const future = new Future<void>()
      const awaits = (): Coroutine<Error> => thrownBy(function* () { yield* future })
      const first = createTask(awaits())
      yield* sleep(0)
      future.setException(new Error('bad'))
      log(yield* first)
      const other = new Future<void>()
      const second = createTask((function* () { yield* other })())
      yield* sleep(0)
      second.cancel('go')
      log(other.cancelled())
      log(yield* thrownBy(function* () { yield* second }))
    }), ['Error: bad', 'true', 'CancelledError: go'])
  })

  t.test('is a thenable: host code can await a task', async (t) => {
    // On the real clock: a virtual one would not move, because a task waits for host code here.
    const seen = await run((function* () {
      const task = createTask((function* () {
        yield* sleep(0.001)
        return 'slept'
      })())
      const failing = createTask((function* () { throw new RangeError('bad') })())
      const cancelled = createTask(sleep(10))
      cancelled.cancel()
      const host = (async () => [await task, await failing.then(null, String), await cancelled.then(null, (error: unknown) => error instanceof CancelledError)])()
      return yield* loopscope.fromPromise(host)
    })())
    t.same(seen, ['slept', 'RangeError: bad', true])
  })
})

t.test('ensureFuture', async (t) => {
  t.same(await recorded(function* (log) {
    const future = new Future<number>()
    log(ensureFuture(future) === future)
    const task = ensureFuture(sleep(1, 'slept')) as Task<string>
    log(isFuture(task), task.getName())
    const awaitable = { *[Symbol.iterator](): Coroutine<string> { return yield* sleep(1, 'own awaitable') } }
    log(yield* ensureFuture(awaitable), yield* task)
    log(thrown(() => ensureFuture(Promise.resolve(1) as never)))
    log(thrown(() => ensureFuture([sleep(1)] as never)))
    log(thrown(() => ensureFuture(5 as never)))
    log(thrown(() => ensureFuture(new Map() as never)))
  }), [
    'true', 'true Task-2', 'own awaitable slept',
    'TypeError: ensureFuture: a coroutine, a task or a future is needed, got <Promise>: wrap a promise with fromPromise(promise); a coroutine function is `function*`, not `async`',
    'TypeError: ensureFuture: a coroutine, a task or a future is needed, got [1 items]: await several with gather([…])',
    'TypeError: ensureFuture: a coroutine, a task or a future is needed, got 5',
    'TypeError: ensureFuture: a coroutine, a task or a future is needed, got <Map>',
  ])
})

t.test('wrapFuture', async (t) => {
  t.test('makes a future of a promise, and returns a future of this loop unchanged', async (t) => {
    t.same(await recorded(function* (log) {
      log(yield* wrapFuture(Promise.resolve('value')))
      log(yield* thrownBy(function* () { yield* wrapFuture(Promise.reject(new Error('bad'))) }))
      const future = new Future<number>()
      log(wrapFuture(future) === future)
      log(thrown(() => wrapFuture(5 as never)))
    }), ['value', 'Error: bad', 'true', 'TypeError: wrapFuture: a promise or a future is needed, got 5'])
  })

  t.test('brings the result of another loop\'s future here, and the cancellation there', async (t) => {
    const other = new EventLoop()
    const theirs = other.createFuture<string>()
    const cancelled = other.createFuture<string>()
    const otherRuns = other.runForever()
    t.same(await recorded(function* (log) {
      other.callSoonThreadsafe(() => theirs.setResult('from the other'))
      log(yield* wrapFuture(theirs))
      const wrapped = wrapFuture(cancelled)
      log((yield* thrownBy(() => waitFor(wrapped, 0))).name)
      yield* sleep(0)
      log(cancelled.cancelled())
    }), ['from the other', 'TimeoutError', 'true'])
    other.stop()
    await otherRuns
    other.close()
  })
})
