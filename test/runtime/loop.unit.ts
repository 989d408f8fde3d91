// The event loop by itself: callbacks, timers, running and stopping, executors, and where errors are reported.
import t from 'tap'
import {
  asyncToSync, ContextVar, copyContext, createTask, EventLoop, Future, gather, getRunningLoop, Handle, run, shield, sleep, TimerHandle, VirtualClock, wait, waitFor, wrapFuture, type Coroutine, type ExceptionContext, type Executor,
} from '../../src/index.ts'
import { recorded, thrown, thrownBy } from '../support/virtual.ts'

/** A virtual clock that keeps the console's output. */
class QuietClock extends VirtualClock {
  readonly reports: string[] = []

  override report(text: string): void {
    this.reports.push(text)
  }
}

t.test('callbacks', async (t) => {
  t.test('callSoon calls in order, with arguments, in the next iteration', async (t) => {
    t.same(await recorded(function* (log) {
      const loop = getRunningLoop()
      const handle = loop.callSoon(log, 'a', 1)
      loop.callSoonThreadsafe(log, 'b', 2)
      loop.callSoon((...words: number[]) => log(words), 3, 4)
      log(handle instanceof Handle, 'now')
      yield* sleep(0)
    }), ['true now', 'a 1', 'b 2', '[3,4]'])
  })

  t.test('callLater and callAt call by time, and in the order of the calls where times are equal', async (t) => {
    t.same(await recorded(function* (log) {
      const loop = getRunningLoop()
      yield* sleep(10)
      loop.callLater(3, log, 'c')
      loop.callAt(13, log, 'd')
      loop.callLater(1, log, 'a')
      loop.callAt(12, log, 'b')
      loop.callAt(5, log, 'past')
      loop.callLater(-1, log, 'negative')
      loop.callLater(0, log, 'zero')
      const handle = loop.callLater(3, log, 'e')
      log(handle instanceof TimerHandle, handle.when(), loop.time())
      yield* sleep(5)
    }), ['true 13 10', 'past', 'negative', 'zero', 'a', 'b', 'c', 'd', 'e'])
  })

  t.test('due timers queue after what is ready', async (t) => {
    const clock = new VirtualClock()
    t.same(await recorded(function* (log) {
      const loop = getRunningLoop()
      loop.callLater(1, log, 'timer')
      loop.callSoon(() => {
        clock.advance(2)
        loop.callSoon(log, 'ready before it was due')
      })
      loop.callSoon(log, 'same iteration')
      yield* sleep(0)
      log('main')
      yield* sleep(0)
      log('main')
    }, { clock }), ['same iteration', 'main', 'ready before it was due', 'main', 'timer'])
  })

  t.test('a cancelled handle is not called, and shows that it is cancelled', async (t) => {
    t.same(await recorded(function* (log) {
      const loop = getRunningLoop()
      const handles = [loop.callSoon(log, 'soon'), loop.callLater(1, log, 'later'), loop.callAt(2, log, 'at')]
      log(handles.map((handle) => handle.cancelled()))
      for (const handle of handles) handle.cancel()
      for (const handle of handles) handle.cancel()
      log(handles.map((handle) => handle.cancelled()), String(handles[0]), String(handles[1]))
      yield* sleep(5)
      log(loop.time())
    }), ['[false,false,false]', '[true,true,true] <Handle cancelled> <TimerHandle cancelled when=1>', '5'])
  })

  t.test('cancelled by a callback of the same iteration, it is not called either', async (t) => {
    t.same(await recorded(function* (log) {
      const loop = getRunningLoop()
      const timers: TimerHandle[] = []
      loop.callLater(1, () => {
        log('first')
        for (const timer of timers) timer.cancel()
      })
      timers.push(loop.callLater(1, log, 'second'), loop.callLater(1, log, 'third'))
      yield* sleep(2)
    }), ['first'])
  })

  t.test('thousands of timers fire in the order of their times, whatever is cancelled between', async (t) => {
    const fired: number[] = []
    let expected: number[] = []
    await recorded(function* () {
      const loop = getRunningLoop()
      const timers = Array.from({ length: 5000 }, (_, n) => {
        const when = 1 + (n * 7919) % 1000
        return loop.callAt(when, () => fired.push(when))
      })
      const left = timers.filter((_, n) => n % 3 !== 0)
      for (const timer of timers) if (!left.includes(timer)) timer.cancel()
      expected = left.map((timer) => timer.when()).sort((a, b) => a - b)
      yield* sleep(2000)
    })
    t.equal(fired.length, 3333)
    t.same(fired, expected)
  })

  t.test('cancelled timers are dropped in a loop that is never idle', async (t) => {
    await run((function* () {
      let most = 0
      for (let round = 0; round < 20_000; round++) {
        yield* waitFor(sleep(0), 3600)
        most = Math.max(most, getRunningLoop().timers.size)
      }
      t.ok(most < 500, `at most ${most} timers`)
    })())
  })

  t.test('an error in one is reported with its handle, and the loop goes on', async (t) => {
    const contexts: ExceptionContext[] = []
    t.same(await recorded(function* (log) {
      const loop = getRunningLoop()
      loop.setExceptionHandler((_loop, context) => contexts.push(context))
      const handle = loop.callSoon(function faulty() { throw new RangeError('oops') })
      loop.callSoon(log, 'next')
      yield* sleep(0)
      log(contexts[0]?.message, contexts[0]?.exception, contexts[0]?.handle === handle)
    }), ['next', 'Exception in callback <Handle <function faulty>> RangeError: oops true'])
  })
})

t.test('running', async (t) => {
  t.test('runForever ends with stop, after the iteration, and may be called again', async (t) => {
    const loop = new EventLoop({ clock: new VirtualClock() })
    const lines: string[] = []
    const log = (line: string): void => void lines.push(line)
    t.same([loop.isRunning(), loop.isClosed()], [false, false])
    loop.callSoon(() => {
      log(`first, running ${loop.isRunning()}`)
      loop.stop()
      loop.callSoon(log, 'next iteration')
    })
    loop.callSoon(log, 'same iteration')
    await loop.runForever()
    log(`stopped, running ${loop.isRunning()}`)
    loop.callLater(5, () => loop.stop())
    await loop.runForever()
    log(`stopped at ${loop.time()}`)
    loop.close()
    log(`closed ${loop.isClosed()}`)
    loop.close()
    t.same(lines, ['first, running true', 'same iteration', 'stopped, running false', 'next iteration', 'stopped at 5', 'closed true'])
  })

  t.test('runUntilComplete returns the result, or throws the error, and what was ready still runs', async (t) => {
    const loop = new EventLoop({ clock: new VirtualClock() })
    t.equal(await loop.runUntilComplete(sleep(3, 'slept')), 'slept')
    const future = loop.createFuture<string>()
    loop.callLater(1, () => future.setResult('set'))
    t.equal(await loop.runUntilComplete(future), 'set')
    await t.rejects(loop.runUntilComplete((function* () { throw new TypeError('bad') })()), { name: 'TypeError', message: 'bad' })
    const never = loop.createFuture()
    loop.callSoon(() => loop.stop())
    await t.rejects(loop.runUntilComplete(never), { name: 'RuntimeError', message: /was stopped before <Future pending> was done$/ })
    loop.close()
  })

  t.test('refuses to run twice, when closed, or to be closed while it runs', async (t) => {
    const loop = new EventLoop({ clock: new VirtualClock() })
    const runs = loop.runForever()
    t.match(thrown(() => loop.runForever()), { name: 'RuntimeError', message: /runs already$/ })
    t.match(thrown(() => loop.close()), { name: 'RuntimeError', message: /cannot be closed while it runs: stop\(\) it first$/ })
    loop.stop()
    await runs
    loop.close()
    t.match(thrown(() => loop.runForever()), { name: 'RuntimeError', message: /is closed$/ })
    const late = sleep(1)
    for (const act of [() => loop.callLater(1, () => {}), () => loop.callAt(1, () => {}), () => loop.createTask(late), () => loop.runInExecutor(null, () => 1)]) {
      t.match(thrown(act), { name: 'RuntimeError', message: /is closed$/ })
    }
  })

  t.test('two loops in one thread keep their order each', async (t) => {
    const lines: string[] = []
    function* count(name: string): Coroutine<void> {
      const loop = getRunningLoop()
      for (let n = 0; n < 3; n++) {
        yield* sleep(1)
        lines.push(`${name} ${loop.time()} ${loop === getRunningLoop()}`)
      }
    }
    const loops = ['a', 'b'].map((name) => ({ name, loop: new EventLoop({ clock: new VirtualClock() }) }))
    await Promise.all(loops.map(({ name, loop }) => loop.runUntilComplete(count(name))))
    for (const { loop } of loops) loop.close()
    t.same(lines.filter((line) => line.startsWith('a')), ['a 1 true', 'a 2 true', 'a 3 true'])
    t.same(lines.filter((line) => line.startsWith('b')), ['b 1 true', 'b 2 true', 'b 3 true'])
  })
})

t.test('an awaitable that is returned without yield* is awaited where the result leaves the loop', async (t) => {
  const user = new ContextVar<string>('user')
  function* named(): Coroutine<string> {
    yield* sleep(1)
    return `${user.get()} at ${getRunningLoop().time()}`
  }
  const bodies: Record<string, () => unknown> = {
    'a task': () => createTask(named()),
    'a gather': () => gather([named(), sleep(0.5, 'b')]),
    'a shield': () => shield(named()),
    'a done future': () => wrapFuture(createTask(sleep(0, 'done'))),
    'a coroutine': () => named(),
    'a coroutine that returns a task': () => (function* (): Coroutine<unknown> { return createTask(named()) })(),
    'a promise': () => new Promise((resolve) => setTimeout(resolve, 1, 'kept')),
    'an array of them, as it is': () => [1, [Promise.resolve(2)]].length,
  }
  const expected = ['ann at 1', ['ann at 1', 'b'], 'ann at 1', 'done', 'ann at 1', 'ann at 1', 'kept', 2]
  const returning = (body: () => unknown): Coroutine<unknown> => (function* (): Coroutine<unknown> {
    user.set('ann')
    yield* sleep(0)
    return body()
  })()
  for (const [at, [name, body]] of Object.entries(bodies).entries()) {
    await t.test(`${name}: run, runUntilComplete, asyncToSync`, async (t) => {
      t.same(await run(returning(body), { clock: new VirtualClock() }), expected[at])
      const loop = new EventLoop({ clock: new VirtualClock() })
      t.same(await loop.runUntilComplete(returning(body)), expected[at])
      loop.close()
      if (name === 'a promise') return
      t.same(await run((function* () {
        return { value: asyncToSync(() => returning(body))() }
      })(), { clock: new VirtualClock() }), { value: expected[at] })
    })
  }

  await t.test('its failure is run\'s, and a signal cancels it', async (t) => {
    await t.rejects(run((function* () {
      return createTask((function* (): Coroutine<void> { throw new RangeError('late') })())
    })()), { name: 'RangeError', message: 'late' })
    const controller = new AbortController()
    await t.rejects(run((function* () {
      getRunningLoop().callLater(1, () => controller.abort())
      return gather([sleep(3600)])
    })(), { clock: new VirtualClock(), signal: controller.signal }), { name: 'CancelledError' })
  })
})

t.test('host code that awaits a future after its loop was closed gets its result, or an error, and never waits forever', async (t) => {
  let pending: Future<unknown> | undefined
  const { done, failed } = await run((function* () {
    const tasks = { done: createTask(sleep(0, 'value')), failed: createTask((function* (): Coroutine<never> { throw new Error('failed') })()) }
    yield* wait(Object.values(tasks))
    pending = new Future()
    return tasks
  })())
  t.equal(await done, 'value')
  await t.rejects(Promise.resolve(failed), { message: 'failed' })
  await t.rejects(Promise.resolve(pending), { name: 'RuntimeError', message: /^<Future pending> was awaited after its loop was closed/ })
})

t.test('the exception handler', async (t) => {
  t.test('is given the loop and a context; null restores the default, which writes to the log', async (t) => {
    const clock = new QuietClock()
    const loop = new EventLoop({ clock })
    const heard: unknown[] = []
    const handler = (given: EventLoop, context: ExceptionContext): void => void heard.push(given === loop, context.message)
    t.equal(loop.getExceptionHandler(), null)
    loop.setExceptionHandler(handler)
    t.equal(loop.getExceptionHandler(), handler)
    loop.callExceptionHandler({ message: 'first' })
    loop.setExceptionHandler(null)
    loop.callExceptionHandler({ message: 'second', exception: 5, future: loop.createFuture() })
    t.same(heard, [true, 'first'])
    t.same(clock.reports, ['second\n  future: <Future pending>\n5'])
    loop.defaultExceptionHandler({ message: 'third' })
    t.equal(clock.reports[1], 'third')
    t.match(thrown(() => loop.setExceptionHandler(5 as never)), { name: 'TypeError' })
    loop.close()
  })

  t.test('that throws is reported itself, with its own report', async (t) => {
    const clock = new QuietClock()
    const loop = new EventLoop({ clock })
    loop.setExceptionHandler(() => { throw new Error('broken handler') })
    loop.callExceptionHandler({ message: 'original' })
    t.match(clock.reports, [/^the exception handler itself threw\nError: broken handler/, /^original$/])
    loop.close()
  })
})

t.test('executors', async (t) => {
  t.test('without threads the default one calls on a later turn of the host, on the same thread', async (t) => {
    t.same(await recorded(function* (log) {
      const loop = getRunningLoop()
      const future = loop.runInExecutor(null, (a: number, b: number) => {
        log('called')
        return a + b
      }, 1, 2)
      log(future instanceof Future, future.done())
      yield* sleep(0)
      log('not yet', future.done())
      log(yield* future)
      log(yield* thrownBy(function* () { yield* loop.runInExecutor(null, () => { throw new RangeError('bad') }) }))
      log(loop.time())
    }), ['true false', 'not yet false', 'called', '3', 'RangeError: bad', '0'])
  })

  t.test('debug mode says that such a call blocks the loop', async (t) => {
    const clock = new QuietClock()
    await recorded(function* () { yield* getRunningLoop().runInExecutor(null, function heavy() {}) }, { clock, debug: true })
    t.same(clock.reports, ['runInExecutor: there are no threads here, <function heavy> will run on the loop\'s own thread and block it'])
  })

  t.test('a custom one is used, by name or as the default, and waited for at the end', async (t) => {
    t.same(await recorded(function* (log) {
      const loop = getRunningLoop()
      const own = (name: string): Executor => ({
        submit<A extends unknown[], R>(loop: EventLoop, fn: (...args: A) => R, args: A): Future<Awaited<R>> {
          log(name, 'runs', args)
          const future = new Future<Awaited<R>>({ loop })
          future.setResult(fn(...args) as Awaited<R>)
          return future
        },
        *shutdown() {
          yield* sleep(1)
          log(name, 'is shut down')
        },
      })
      loop.setDefaultExecutor(own('default'))
      log(yield* loop.runInExecutor(null, Math.max, 1, 2))
      log(yield* loop.runInExecutor(own('given'), Math.min, 1, 2))
      yield* loop.shutdownDefaultExecutor()
      log(thrown(() => loop.runInExecutor(null, Math.max)).message.endsWith('its default executor was shut down'))
    }), ['default runs [1,2]', '2', 'given runs [1,2]', '1', 'default is shut down', 'true'])
  })

  t.test('run waits for the calls of the default one', async (t) => {
    t.same(await recorded(function* (log) {
      getRunningLoop().runInExecutor(null, () => log('called'))
      log('main ends')
    }), ['main ends', 'called'])
  })

  t.test('its shutdown can be cancelled, which does not cancel the calls that it waits for', async (t) => {
    t.same(await recorded(function* (log) {
      const loop = getRunningLoop()
      const call = loop.runInExecutor(null, () => 'called')
      const shutdown = createTask(loop.shutdownDefaultExecutor())
      yield* sleep(0)
      shutdown.cancel()
      yield* wait([shutdown])
      log('shutdown cancelled', shutdown.cancelled())
      log(yield* call)
    }), ['shutdown cancelled true', 'called'])
  })
})

t.test('callbacks run in the context that they are given, and their handles have it', async (t) => {
  t.same(await recorded(function* (log) {
    const loop = getRunningLoop()
    const name = new ContextVar<string>('name', { default: 'none' })
    const context = copyContext()
    context.run(() => name.set('given'))
    const show = (how: string): void => log(how, name.get())
    const handle = loop.callSoon({ context }, show, 'callSoon')
    log(handle.getContext() === context)
    loop.callSoonThreadsafe({ context }, show, 'callSoonThreadsafe')
    loop.callLater(1, { context }, show, 'callLater')
    loop.callAt(2, { context }, (value: string) => { name.set(value) }, 'changed')
    loop.callSoon(show, 'without')
    name.set('later')
    yield* sleep(3)
    log(context.run(() => name.get()), loop.callSoon(show, 'copied').getContext().run(() => name.get()))
    log(thrown(() => loop.callSoon({ context: 5 } as never, show, '')))
    log(thrown(() => loop.callSoon({ context } as never)))
    yield* sleep(0)
  }), [
    'true', 'callSoon given', 'callSoonThreadsafe given', 'without none', 'callLater given', 'changed later',
    'TypeError: callSoon: context must be a Context, got 5', 'TypeError: callSoon: a function is needed, got undefined', 'copied later',
  ])
})

t.test('debug mode', async (t) => {
  t.test('is off by default, and a property', async (t) => {
    t.equal(new EventLoop().debug, false)
    t.equal(new EventLoop({ debug: true }).debug, true)
  })

  t.test('reports a step and a callback that block the loop for slowCallbackDuration', async (t) => {
    const clock = new VirtualClock()
    t.same((await recorded(function* () {
      const loop = getRunningLoop()
      loop.slowCallbackDuration = 0.5
      loop.callSoon(function quick() { clock.advance(0.25) })
      loop.callSoon(function slow() { clock.advance(0.5) })
      yield* createTask((function* () { clock.advance(2) })(), { name: 'greedy' })
    }, { clock, debug: true })).map((line) => line.replace(/ created at \S+/, '>')), [
      'reported: Executing <Handle <function slow>> took 0.500 seconds, and delayed everything else on the loop',
      'reported: Executing <Task finished name="greedy" result=undefined> took 2.000 seconds, and delayed everything else on the loop',
    ])
  })
})
