// The bridges: values from the host (promises, asynchronous iterables, events), and plain functions (syncToAsync,
// asyncToSync).
import { EventEmitter } from 'node:events'
import { setTimeout as hostSleep } from 'node:timers/promises'
import t from 'tap'
import {
  asyncToSync, CancelledError, ContextVar, createTask, currentTask, Event, EventLoop, fromAsyncIterable, fromEvent, fromEvents, fromPromise, getRunningLoop, Queue, run, runCoroutineThreadsafe,
  sleep, syncToAsync, ThreadSensitiveContext, timeout, TimeoutError, toThread, VirtualClock, wait, waitFor, type Coroutine, type Task,
} from '../../src/index.ts'
import { recorded, thrown, thrownBy } from '../support/virtual.ts'

t.test('fromPromise', async (t) => {
  t.test('returns the promise\'s value, or throws its rejection', async (t) => {
    t.same(await recorded(function* (log) {
      log(yield* fromPromise(Promise.resolve('value')))
      log(yield* thrownBy(() => fromPromise(Promise.reject(new RangeError('bad')))))
      log(yield* fromPromise(async () => 'from a function'))
      log(yield* thrownBy(() => fromPromise(() => { throw new Error('thrown while starting') })))
    }), ['value', 'RangeError: bad', 'from a function', 'Error: thrown while starting'])
  })

  t.test('calls its function when it is awaited', async (t) => {
    t.same(await recorded(function* (log) {
      const coroutine = fromPromise(async () => log('started'))
      yield* sleep(1)
      log('awaiting')
      yield* coroutine
    }), ['awaiting', 'started'])
  })

  t.test('a cancel aborts the signal, the task continues at once, and the outcome is dropped', async (t) => {
    t.same(await recorded(function* (log) {
      let settle = (_value: string): void => {}
      const task = createTask(fromPromise((signal) => {
        signal.addEventListener('abort', () => log('aborted with', signal.reason))
        return new Promise<string>((resolve) => { settle = resolve })
      }))
      yield* sleep(0)
      task.cancel('enough')
      log(yield* thrownBy(function* () { yield* task }))
      settle('too late')
      yield* fromPromise(hostSleep(1))
      log(getRunningLoop().time())
    }), ['aborted with CancelledError: enough', 'CancelledError: enough', '0'])
  })

  t.test('does not abort the signal if the promise ends by itself', async (t) => {
    t.same(await recorded(function* (log) {
      let signal: AbortSignal | null = null
      yield* fromPromise(async (given) => { signal = given })
      log((signal as AbortSignal | null)?.aborted)
      yield* thrownBy(() => fromPromise(async (given) => {
        signal = given
        throw new Error('failed')
      }))
      log((signal as AbortSignal | null)?.aborted)
    }), ['false', 'false'])
  })

  t.test('under a timeout the signal is aborted too', async (t) => {
    let reason: unknown = null
    await run((function* () {
      const error = yield* thrownBy(() => waitFor(fromPromise((signal) => new Promise(() => {
        signal.addEventListener('abort', () => { reason = signal.reason })
      })), 0.005))
      t.equal(error.name, 'TimeoutError')
    })())
    t.match(reason, { name: 'CancelledError' })
  })

  t.test('other tasks run meanwhile', async (t) => {
    t.same(await recorded(function* (log) {
      createTask((function* () {
        yield* sleep(0)
        log('other task')
      })())
      log(yield* fromPromise(hostSleep(2, 'promise')))
    }), ['other task', 'promise'])
  })
})

t.test('fromAsyncIterable', async (t) => {
  async function* count(log: (...words: unknown[]) => void, end = Infinity): AsyncGenerator<number> {
    try {
      for (let n = 1; n <= end; n++) {
        await hostSleep(0)
        yield n
      }
    } finally {
      log('closed')
    }
  }

  t.test('yields item by item, and then done', async (t) => {
    t.same(await recorded(function* (log) {
      const items = fromAsyncIterable(count(log, 2))
      for (let n = 0; n < 3; n++) log(yield* items.next())
    }), ['{"value":1,"done":false}', '{"value":2,"done":false}', 'closed', '{"done":true}'])
  })

  t.test('forEach runs its body for each, one after another', async (t) => {
    t.same(await recorded(function* (log) {
      yield* fromAsyncIterable(count(log, 3)).forEach(function* (n) {
        log('begin', n)
        yield* sleep(1)
        log('end', n)
      })
      log(getRunningLoop().time())
    }), ['begin 1', 'end 1', 'begin 2', 'end 2', 'begin 3', 'end 3', 'closed', '3'])
  })

  t.test('a body that throws or is cancelled closes the iterable', async (t) => {
    t.same(await recorded(function* (log) {
      log(yield* thrownBy(() => fromAsyncIterable(count(log)).forEach(function* (n) { if (n === 2) throw new Error('enough') })))
      yield* fromPromise(hostSleep(1))
      const task = createTask(fromAsyncIterable(count(log)).forEach(function* () { yield* sleep(10) }))
      yield* sleep(5)
      task.cancel()
      log(yield* thrownBy(function* () { yield* task }))
      yield* fromPromise(hostSleep(1))
    }), ['Error: enough', 'closed', 'CancelledError', 'closed'])
  })

  t.test('close shows the iterable that no further items are wanted', async (t) => {
    t.same(await recorded(function* (log) {
      const items = fromAsyncIterable(count(log))
      yield* items.next()
      yield* items.close()
      log(yield* items.next())
      log(thrown(() => fromAsyncIterable([1, 2] as never)))
    }), ['closed', '{"done":true}', 'TypeError: fromAsyncIterable: an asynchronous iterable is needed, got [2 items]'])
  })
})

t.test('an item that a cancelled next() asked for goes to the next one', async (t) => {
  await t.test('whatever was cancelled, all items arrive, in order', async (t) => {
    async function* ticks(): AsyncGenerator<number> {
      for (let n = 0; n < 5; n++) {
        await hostSleep(5)
        yield n
      }
    }
    t.same(await run((function* () {
      const source = fromAsyncIterable(ticks())
      const items: unknown[] = []
      for (;;) {
        try {
          const result = yield* waitFor(source.next(), 0.001)
          if (result.done === true) return items
          items.push(result.value)
        } catch (error) {
          if (!(error instanceof TimeoutError)) throw error
        }
      }
    })()), [0, 1, 2, 3, 4])
  })

  await t.test('among several waiting tasks each gets its own', async (t) => {
    const given: ((result: IteratorResult<string>) => void)[] = []
    const iterable = { [Symbol.asyncIterator]: () => ({ next: () => new Promise<IteratorResult<string>>((resolve) => given.push(resolve)) }) }
    t.same(await recorded(function* (log) {
      const source = fromAsyncIterable(iterable)
      const tasks = ['first', 'second', 'third'].map((name) => createTask(source.next(), { name }))
      yield* sleep(0)
      tasks[1]?.cancel()
      tasks[0]?.cancel()
      yield* sleep(0)
      const again = [createTask(source.next()), createTask(source.next())]
      yield* sleep(0)
      for (const [at, value] of ['a', 'b', 'c'].entries()) given[at]?.({ done: false, value })
      for (const task of [...again, tasks[2] as Task<unknown>]) log(yield* task)
      log(given.length)
    }), ['{"done":false,"value":"a"}', '{"done":false,"value":"b"}', '{"done":false,"value":"c"}', '3'])
  })

  await t.test('an item that arrives together with the cancellation is kept, and an error of the iterable is thrown once', async (t) => {
    t.same(await recorded(function* (log) {
      const given: { resolve(result: IteratorResult<string>): void; reject(error: Error): void }[] = []
      const next = (): Promise<IteratorResult<string>> => new Promise((resolve, reject) => given.push({ resolve, reject }))
      const source = fromAsyncIterable({ [Symbol.asyncIterator]: () => ({ next }) })
      const task = createTask(source.next())
      setTimeout(() => {
        given[0]?.resolve({ done: false, value: 'kept' })
        void Promise.resolve().then(() => task.cancel())
      }, 1)
      yield* wait([task])
      log(task.cancelled(), yield* source.next())
      const failing = createTask(source.next())
      yield* sleep(0)
      given[1]?.reject(new CancelledError('the iterable\'s own'))
      yield* wait([failing])
      const last = createTask(source.next())
      yield* sleep(0)
      given[2]?.resolve({ done: true, value: undefined })
      log(failing.cancelled(), yield* last)
    }), ['true {"done":false,"value":"kept"}', 'true {"done":true}'])
  })
})

t.test('fromEvents', async (t) => {
  await t.test('keeps what arrives while no task waits', async (t) => {
    const emitter = new EventEmitter()
    t.same(await recorded(function* (log) {
      using events = fromEvents(emitter, 'message')
      setTimeout(() => {
        for (const n of [0, 1, 2]) emitter.emit('message', n, 'x')
      }, 1)
      setTimeout(() => emitter.emit('message', 'last'), 5)
      for (let n = 0; n < 4; n++) {
        log(yield* events.next())
        yield* sleep(0)
      }
      log(emitter.listenerCount('message'), emitter.listenerCount('error'))
    }), ['[0,"x"]', '[1,"x"]', '[2,"x"]', '["last"]', '1 1'])
    t.equal(emitter.listenerCount('message') + emitter.listenerCount('error'), 0)
  })

  await t.test('loses none to a cancellation, neither a timed-out one nor one that arrives together with the event', async (t) => {
    const emitter = new EventEmitter()
    t.same(await recorded(function* (log) {
      using events = fromEvents(emitter, 'data')
      log(yield* thrownBy(() => timeout(0, () => events.next())))
      const task = createTask(events.next())
      const other = createTask(events.next())
      yield* sleep(0)
      emitter.emit('data', 1)
      task.cancel()
      log(yield* other)
      emitter.emit('data', 2)
      log(yield* events.next())
    }), ['TimeoutError: the deadline passed', '[1]', '[2]'])
  })

  await t.test('an error of the emitter is thrown in its place, and what overflows is counted', async (t) => {
    const emitter = new EventEmitter()
    t.same(await recorded(function* (log) {
      using events = fromEvents(emitter, 'data', { maxsize: 3 })
      emitter.emit('data', 1)
      emitter.emit('error', new Error('broken'))
      for (const n of [2, 3, 4]) emitter.emit('data', n)
      log(yield* events.next())
      log(yield* thrownBy(() => events.next()))
      log(yield* events.next())
      log(yield* thrownBy(() => events.next()))
      emitter.emit('data', 5)
      log(yield* events.next())
      log(thrown(() => fromEvents(emitter, 'data', { maxsize: 0 })))
    }), [
      '[1]', 'Error: broken', '[2]',
      'QueueFull: fromEvents: 2 events "data" came while 3 waited to be taken, and are lost: take them faster, or give more room with { maxsize }',
      '[5]', 'RangeError: fromEvents: maxsize must be an integer of at least 1, got 0',
    ])
  })

  await t.test('forEach runs its body for each, and stops listening when it is cancelled', async (t) => {
    const target = new EventTarget()
    t.same(await recorded(function* (log) {
      const events = fromEvents(target, 'ping')
      for (let n = 0; n < 3; n++) target.dispatchEvent(new globalThis.Event('ping'))
      const task = createTask(events.forEach(function* (event) {
        log((event as globalThis.Event).type)
        yield* sleep(0)
      }))
      yield* fromPromise(hostSleep(1))
      task.cancel()
      yield* wait([task])
      target.dispatchEvent(new globalThis.Event('ping'))
      log(task.cancelled(), yield* thrownBy(() => timeout(0, () => events.next())))
    }), ['ping', 'ping', 'ping', 'true TimeoutError: the deadline passed'])
  })
})

t.test('fromEvent', async (t) => {
  t.test('returns the arguments of an emitter\'s next event, and stops listening', async (t) => {
    const emitter = new EventEmitter()
    t.same(await recorded(function* (log) {
      setTimeout(() => {
        emitter.emit('other')
        emitter.emit('data', 1, 'two')
        emitter.emit('data', 3)
      }, 1)
      log(yield* fromEvent(emitter, 'data'))
      log(emitter.listenerCount('data'), emitter.listenerCount('error'))
    }), ['[1,"two"]', '0 0'])
  })

  t.test('throws an emitter\'s error meanwhile, unless it was asked for', async (t) => {
    const emitter = new EventEmitter()
    t.same(await recorded(function* (log) {
      setTimeout(() => emitter.emit('error', new Error('broken')), 1)
      log(yield* thrownBy(() => fromEvent(emitter, 'data')))
      setTimeout(() => emitter.emit('error', new Error('asked for')), 1)
      log(yield* fromEvent(emitter, 'error'))
      log(emitter.listenerCount('data'), emitter.listenerCount('error'))
    }), ['Error: broken', '["Error: asked for"]', '0 0'])
  })

  t.test('takes an EventTarget, and stops listening when it is cancelled', async (t) => {
    const target = new EventTarget()
    const emitter = new EventEmitter()
    t.same(await recorded(function* (log) {
      setTimeout(() => target.dispatchEvent(new globalThis.Event('ping')), 1)
      const [event] = yield* fromEvent(target, 'ping')
      log((event as globalThis.Event).type)
      const task = createTask(fromEvent(emitter, 'data'))
      yield* sleep(0)
      log(emitter.listenerCount('data'))
      task.cancel()
      yield* sleep(0)
      log(emitter.listenerCount('data'), emitter.listenerCount('error'))
    }), ['ping', '1', '0 0'])
  })
})

t.test('syncToAsync on the loop\'s thread', async (t) => {
  t.test('returns the function\'s value or throws its error, without a suspension', async (t) => {
    t.same(await recorded(function* (log) {
      const add = syncToAsync((a: number, b: number) => a + b)
      const fail = syncToAsync(() => { throw new RangeError('bad') }, { thread: 'inline' })
      getRunningLoop().callSoon(() => log('callback'))
      log(yield* add(1, 2))
      log(yield* thrownBy(fail))
      yield* sleep(0)
    }), ['3', 'RangeError: bad', 'callback'])
  })

  t.test('is lazy, and runs in the current task and context', async (t) => {
    t.same(await recorded(function* (log) {
      const variable = new ContextVar<string>('variable', { default: 'nothing' })
      const call = syncToAsync(() => {
        log('called', currentTask()?.getName(), variable.get())
        variable.set('function')
      })()
      variable.set('main')
      log('made')
      yield* call
      log(variable.get())
    }, { name: 'main' }), ['made', 'called main main', 'function'])
  })

  t.test('everything else waits for a slow one', async (t) => {
    const clock = new VirtualClock()
    t.same(await recorded(function* (log) {
      const loop = getRunningLoop()
      loop.callLater(1, () => log('timer of 1 s at', loop.time()))
      yield* syncToAsync(() => clock.block(5))()
      yield* sleep(0)
      yield* sleep(0)
    }, { clock }), ['timer of 1 s at 5'])
  })

  t.test('refuses values that are not functions, and unknown threads', async (t) => {
    t.equal(String(thrown(() => syncToAsync(5 as never))), 'TypeError: syncToAsync: a function is needed, got 5')
    t.match(thrown(() => syncToAsync(() => 1, { thread: 'other' as never })), { name: 'RangeError', message: 'syncToAsync: thread must be \'inline\', \'sensitive\' or \'pool\', got "other"' })
  })
})

t.test('asyncToSync on the loop\'s thread', async (t) => {
  t.test('runs a coroutine to its end outside of a loop', async (t) => {
    const add = asyncToSync(function* (a: number, b: number): Coroutine<number> {
      yield* sleep(0.001)
      return a + b
    })
    t.equal(add(1, 2), 3)
    t.match(thrown(asyncToSync(function* () { throw new RangeError('bad') })), { name: 'RangeError', message: 'bad' })
  })

  t.test('inside a loop drives its own loop and blocks the thread, timers included', async (t) => {
    t.same(await recorded(function* (log) {
      const loop = getRunningLoop()
      const other = createTask((function* () { log('other task at', loop.time()) })())
      const nested = asyncToSync(function* (): Coroutine<string> {
        const child = createTask(sleep(2, 'child'))
        yield* sleep(3)
        log('nested loop', getRunningLoop() !== loop)
        return yield* child
      })
      log(nested(), loop.time())
      log(getRunningLoop() === loop, currentTask()?.getName())
      yield* other
    }, { name: 'main' }), ['nested loop true', 'child 3', 'true main', 'other task at 3'])
  })

  t.test('a wait that only the outer loop or the host could end is an error that says so, never a deadlock', async (t) => {
    t.same((await recorded(function* (log) {
      const queue = new Queue<number>()
      const event = new Event()
      log(thrown(asyncToSync(() => queue.get())))
      log(thrown(asyncToSync(() => event.wait())))
      log(thrown(asyncToSync(() => fromPromise(new Promise(() => {})))))
    })).map((line) => line.replace(/<EventLoop[^>]*>/, 'the loop')), [
      'RuntimeError: the loop is deadlocked: nothing is ready, no timer is set, and nothing of the host is awaited (host work must be awaited through fromPromise). ' +
        'Task-1 waits for queue.get <Queue maxsize=0 size=0 getters=1>',
      'RuntimeError: the loop is deadlocked: nothing is ready, no timer is set, and nothing of the host is awaited (host work must be awaited through fromPromise). ' +
        'Task-1 waits for event <Event unset waiters=1>',
      'RuntimeError: the loop is deadlocked: only the host could end the wait (a promise, a thread or an event), and it cannot while this thread is blocked. Task-1 waits for promise promise',
    ])
  })

  t.test('awaiting a task of the outer loop inside is an error of a different loop', async (t) => {
    t.same((await recorded(function* (log) {
      const outer = createTask(sleep(1), { name: 'outer' })
      log(thrown(asyncToSync(function* () { yield* outer })).message.includes('which belongs to a different loop'))
      yield* outer
    })), ['true'])
  })

  t.test('strict refuses to be called where a loop runs', async (t) => {
    t.same(await recorded(function* (log) {
      log(thrown(asyncToSync(function* named(): Coroutine<void> {}, { strict: true })))
    }), ['RuntimeError: asyncToSync: <function named> was called on the thread of a running event loop, which it would block: await the coroutine with `yield*`'])
    t.equal(asyncToSync(function* () { return 5 }, { strict: true })(), 5)
  })

  t.test('what the coroutine leaves behind is cancelled and waited for', async (t) => {
    t.same(await recorded(function* (log) {
      asyncToSync(function* () {
        createTask((function* () {
          try {
            yield* sleep(100)
          } finally {
            yield* sleep(1)
            log('cleaned up at', getRunningLoop().time())
          }
        })())
        yield* sleep(1)
      })()
      log('back at', getRunningLoop().time())
    }), ['cleaned up at 2', 'back at 2'])
  })

  t.test('context goes in and comes back', async (t) => {
    t.same(await recorded(function* (log) {
      const variable = new ContextVar<string>('variable', { default: 'nothing' })
      variable.set('outside')
      asyncToSync(function* () {
        log(variable.get())
        variable.set('inside')
        yield* sleep(1)
      })()
      log(variable.get())
    }), ['outside', 'inside'])
  })

  t.test('through syncToAsync and back: both bridges in one call', async (t) => {
    t.same(await recorded(function* (log) {
      const inner = asyncToSync(function* (n: number) {
        yield* sleep(1)
        return n * 2
      })
      log(yield* syncToAsync((n: number) => inner(n) + 1)(20), getRunningLoop().time())
    }), ['41 1'])
  })

  t.test('refuses values that are not functions', async (t) => {
    t.equal(String(thrown(() => asyncToSync(5 as never))), 'TypeError: asyncToSync: a coroutine function is needed, got 5')
  })
})

t.test('functions that need threads exist by name', async (t) => {
  t.same([toThread, runCoroutineThreadsafe, ThreadSensitiveContext].map((fn) => typeof fn), ['function', 'function', 'function'])
  t.equal(typeof new ThreadSensitiveContext().with, 'function')
})

t.test('host code that outlives its loop does no harm', async (t) => {
  let settle = (): void => {}
  const loop = new EventLoop({ clock: new VirtualClock() })
  await run((function* () {
    createTask(fromPromise(new Promise<void>((resolve) => { settle = resolve })))
    yield* sleep(0)
  })(), { loopFactory: () => loop })
  settle()
  await hostSleep(1)
  t.equal(loop.isClosed(), true)
})
