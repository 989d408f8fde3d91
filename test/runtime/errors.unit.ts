// Errors that teach: each names the object, what it got, and what to do. And every object describes itself in one line.
import { inspect } from 'node:util'
import t from 'tap'
import {
  asCompleted, asyncToSync, Barrier, BoundedSemaphore, Condition, Context, ContextVar, createTask, currentTask, Event, EventLoop, ExceptionGroup, fromPromise, gather, getRunningLoop, LifoQueue, Lock, PriorityQueue,
  Queue, run, Runner, Semaphore, shield, sleep, taskGroup, timeout, VirtualClock, wait, waitFor, type Coroutine, type Suspension, type Task, type TaskGroup, type Timeout,
} from '../../src/index.ts'
import { recorded, thrown, thrownBy } from '../support/virtual.ts'

/** Yields a value that the type checker forbids. */
function* yields(value: unknown): Coroutine<unknown> {
  return yield value as Suspension
}

function* named(): Coroutine<void> {
  yield* sleep(1)
}

t.test('a yield that is not an await', async (t) => {
  t.test('without a star before a coroutine, a task or a future', async (t) => {
    t.same(await recorded(function* (log) {
      const coroutine = named()
      log(yield* thrownBy(() => yields(coroutine)))
      log(yield* thrownBy(() => yields(sleep(1))))
      const task = createTask(coroutine, { name: 'child' })
      log(yield* thrownBy(() => yields(task)))
      log(yield* thrownBy(() => yields(getRunningLoop().createFuture())))
    }), [
      'RuntimeError: <Task pending name="Task-1"> got `yield` without a star with <coroutine>: use `yield*` to await it',
      'RuntimeError: <Task pending name="Task-1"> got `yield` without a star with <coroutine sleep(1)>: use `yield*` to await it',
      'RuntimeError: <Task pending name="Task-1"> got `yield` without a star with <Task pending name="child" coro=named>: use `yield*` to await it',
      'RuntimeError: <Task pending name="Task-1"> got `yield` without a star with <Future pending>: use `yield*` to await it',
    ])
  })

  t.test('of nothing, of a promise, and of other values', async (t) => {
    t.same(await recorded(function* (log) {
      function* main(): Coroutine<void> {
        for (const value of [undefined, Promise.resolve(), 5, 'text', [sleep], null]) log(yield* thrownBy(() => yields(value)))
      }
      yield* createTask(main(), { name: 'main' })
    }), [
      'RuntimeError: <Task pending name="main" coro=main> got a bare `yield`: to let others run, use `yield* sleep(0)`',
      'RuntimeError: <Task pending name="main" coro=main> got a bad yield, a promise: use `yield* fromPromise(promise)`',
      ...['5', '"text"', '[1 items]', 'null'].map((value) =>
        `RuntimeError: <Task pending name="main" coro=main> got a bad yield: ${value}. Only \`yield*\` of a coroutine, a task or a future can be awaited; the items of an asynchronous generator come from asyncFor`),
    ])
  })
})

t.test('a coroutine awaited twice', async (t) => {
  t.test('given to two tasks', async (t) => {
    t.same(await recorded(function* (log) {
      const coroutine = named()
      yield* createTask(coroutine)
      log(thrown(() => createTask(coroutine)))
    }), ['RuntimeError: <coroutine> was awaited already: a coroutine runs once, call its function again for a new one'])
  })

  t.test('one of the runtime\'s own', async (t) => {
    t.same(await recorded(function* (log) {
      const nap = sleep(1)
      yield* nap
      log(yield* thrownBy(function* () { yield* nap }))
      const zero = sleep(0)
      yield* zero
      log(yield* thrownBy(function* () { yield* zero }))
      const queue = new Queue<number>()
      queue.putNowait(1)
      const get = queue.get()
      yield* get
      log(yield* thrownBy(function* () { yield* get }))
    }), [
      'RuntimeError: <coroutine sleep> was awaited already: a coroutine runs once, call sleep() again for a new one',
      'RuntimeError: <coroutine sleep(0)> was awaited already: a coroutine runs once, call sleep() again for a new one',
      'RuntimeError: <coroutine Queue.get> was awaited already: a coroutine runs once, call its method again for a new one',
    ])
  })

  t.test('by two tasks at the same time', async (t) => {
    t.same(await recorded(function* (log) {
      const coroutine = named()
      const first = createTask((function* () { yield* coroutine })())
      const second = createTask((function* () { yield* coroutine })(), { name: 'second' })
      const [, outcome] = yield* gather([first, second], { returnExceptions: true })
      log(outcome)
    }), ['RuntimeError: <Task pending name="second"> awaits a coroutine that <Task pending name="Task-2" waiting for sleep> awaits already: a coroutine runs once, call its function again for a new one'])
  })

  t.test('in debug mode, at the second yield*', async (t) => {
    t.same(await recorded(function* (log) {
      const coroutine = named()
      yield* coroutine
      log(yield* thrownBy(function* () { yield* coroutine }))
      const nap = sleep(1)
      yield* nap
      log(yield* thrownBy(function* () { yield* nap }))
    }, { debug: true }), [
      'RuntimeError: a coroutine was awaited already: a coroutine runs once, call its function again for a new one',
      'RuntimeError: sleep() was awaited already: a coroutine runs once, call its function again for a new one',
    ])
  })

  t.test('debug mode ignores generators that are not coroutines', async (t) => {
    t.same(await recorded(function* (log) {
      function* numbers(): Generator<number> {
        yield 1
        yield 2
        yield 3
      }
      const generator = numbers()
      const [first] = generator
      log(first, [...numbers()], [...generator])
      const slow = numbers()
      for (const n of slow) {
        log(n)
        yield* sleep(1)
        if (n === 3) break
      }
    }, { debug: true }), ['1 [1,2,3] []', '1', '2', '3'])
  })
})

t.test('a future', async (t) => {
  t.test('of another loop', async (t) => {
    const other = new EventLoop()
    const future = other.createFuture<number>()
    t.same(await recorded(function* (log) {
      log(yield* thrownBy(function* () { yield* future }))
    }), ['RuntimeError: <Task pending name="Task-1" waiting for future> awaits <Future pending>, which belongs to a different loop: ' +
      `only ${String(other)} could end that wait`])
    other.close()
  })

  t.test('that is finished twice, or asked too early', async (t) => {
    t.same(await recorded(function* (log) {
      const future = getRunningLoop().createFuture<number>()
      log(thrown(() => future.result()))
      log(thrown(() => future.exception()))
      future.setResult(1)
      log(thrown(() => future.setResult(2)))
      log(thrown(() => future.setException(new Error('late'))))
      yield* sleep(0)
    }), [
      'InvalidStateError: <Future pending> has no result yet: await it with `yield*`',
      'InvalidStateError: <Future pending> has no exception yet: await it with `yield*`',
      'InvalidStateError: setResult(2): <Future finished result=1> is done already, and a future finishes once',
      'InvalidStateError: setException(Error: late): <Future finished result=1> is done already, and a future finishes once',
    ])
  })

  t.test('a task\'s result cannot be set', async (t) => {
    t.same(await recorded(function* (log) {
      const task = createTask(named(), { name: 'child' })
      log(thrown(() => task.setResult()))
      log(thrown(() => task.setException(new Error('x'))))
      yield* task
    }), [
      'RuntimeError: <Task pending name="child" coro=named>: setResult is not for tasks, the result is what the coroutine returns',
      'RuntimeError: <Task pending name="child" coro=named>: setException is not for tasks, the exception is what the coroutine throws',
    ])
  })

  t.test('a task that awaits itself', async (t) => {
    t.same(await recorded(function* (log) {
      function* selfish(): Coroutine<void> {
        const task = currentTask()
        if (task !== null) yield* task
      }
      log(yield* thrownBy(function* () { yield* createTask(selfish(), { name: 'selfish' }) }))
    }), ['RuntimeError: <Task pending name="selfish" coro=selfish waiting for task> awaits itself and would never end'])
  })
})

t.test('running', async (t) => {
  t.test('run inside run', async (t) => {
    t.same(await recorded(function* (log) {
      log(thrown(() => void run(named())))
      log(thrown(() => new Runner().run(named())))
      log(thrown(() => new EventLoop().runForever()))
      yield* sleep(0)
    }), [
      'RuntimeError: run() was called inside a running event loop: in a coroutine use `yield*`, or createTask()',
      'RuntimeError: run() was called inside a running event loop: in a coroutine use `yield*`, or createTask()',
      'RuntimeError: an event loop runs on this thread already: inside a coroutine use `yield*`, or createTask(), instead of running a loop',
    ])
  })

  t.test('run of a value that is not a coroutine', async (t) => {
    t.match(thrown(() => void run(named as never)), { name: 'TypeError', message: 'run: a coroutine is needed, got <function named>: call it, run(named(…))' })
    t.match(thrown(() => void run(Promise.resolve() as never)), { name: 'TypeError', message: 'run: a coroutine is needed, got <Promise>' })
  })

  t.test('createTask of a value that is not a coroutine', async (t) => {
    t.same(await recorded(function* (log) {
      log(thrown(() => createTask(named as never)))
      log(thrown(() => createTask(Promise.resolve() as never)))
      log(thrown(() => createTask(getRunningLoop().createFuture() as never)))
      log(thrown(() => createTask(5 as never)))
    }), [
      'TypeError: createTask: a coroutine is needed, got <function named>: call it, createTask(named(…))',
      'TypeError: createTask: a coroutine is needed, got <Promise>: wrap a promise with fromPromise(promise); a coroutine function is `function*`, not `async`',
      'TypeError: createTask: a coroutine is needed, got <Future pending>: a future runs by itself, await it with `yield*`',
      'TypeError: createTask: a coroutine is needed, got 5',
    ])
  })

  t.test('functions that need a running loop, outside of one', async (t) => {
    t.match(thrown(() => getRunningLoop()), { name: 'RuntimeError', message: /^no running event loop: call this from a coroutine.*loop\.createTask\(…\)/ })
    for (const act of [() => createTask(named()), () => gather([named()])]) t.match(thrown(act), { name: 'RuntimeError', message: /^no running event loop/ })
    // eslint-disable-next-line loopscope/no-misused-coroutines -- the mistake that is tested
    t.match(thrown(() => void [...sleep(1)]), { name: 'RuntimeError', message: '<coroutine sleep(1)> was awaited outside of a task: give the coroutine to run() or createTask()' })
  })

  t.test('createTask in a listener, and what its error says to write', async (t) => {
    const lines = await run((function* () {
      const lines: string[] = []
      const loop = getRunningLoop()
      const made = loop.createFuture<Task<number>>()
      setImmediate(() => {
        lines.push(thrown(() => createTask(named())).name)
        made.setResult(loop.createTask(sleep(0, 5)))
      })
      lines.push(String(yield* yield* made))
      return lines
    })())
    t.same(lines, ['RuntimeError', '5'])
  })

  t.test('`yield*` of a promise, and of other values that cannot be awaited', async (t) => {
    const promise = Promise.resolve(1)
    const holder = { promise }
    const bodies: (() => Coroutine<unknown>)[] = [
      function* () { return yield* promise as unknown as Coroutine<number> },
      function* () { return yield* holder.promise as unknown as Coroutine<number> },
      function* () { return yield* named as unknown as Coroutine<number> },
    ]
    for (const body of bodies) {
      const error = await run(body()).then(() => null, (error: unknown) => error as TypeError)
      t.match(error, { name: 'TypeError', message: /is not iterable.*: `yield\*` awaits .*`yield\* fromPromise\(promise\)`/ })
      t.match(error?.stack, error?.message)
      t.match(error?.stack, /errors\.unit\.ts/)
    }
    const other = await run((function* () { return [...promise as unknown as number[]] })()).catch(String)
    t.notMatch(other, 'yield*', 'an iteration by other means is left as it is')
  })

  t.test('async and plain functions as bodies', async (t) => {
    // The promise that it returns is dropped, and ends nothing although it fails.
    async function asynchronous(): Promise<never> { throw new Error('of a body') }
    const plain = (): number => 5
    t.same(await recorded(function* (log) {
      for (const body of [asynchronous, plain] as unknown as (() => Coroutine<void>)[]) {
        const scopes: (() => Coroutine<unknown>)[] = [
          () => taskGroup(body), () => timeout(1, body), () => new Lock().with(body), () => new Semaphore().with(body),
          () => new Barrier(1).with(body),
        ]
        for (const scope of scopes) {
          try {
            yield* scope()
          } catch (error) {
            log(String(error instanceof ExceptionGroup ? error.exceptions[0] : error).replace(/: write .*/, ''))
          }
        }
      }
      log(yield* thrownBy(() => waitFor(Promise.resolve() as never, 1)))
      log(thrown(() => createTask(asynchronous as never)))
      log(thrown(() => asyncToSync(asynchronous as never)()))
    }), [
      ...['taskGroup', 'timeout', 'Lock.with', 'Semaphore.with', 'Barrier.with']
        .map((name) => `TypeError: ${name}: a coroutine function is needed, got <function asynchronous>, which returned <Promise>`),
      ...['taskGroup', 'timeout', 'Lock.with', 'Semaphore.with', 'Barrier.with']
        .map((name) => `TypeError: ${name}: a coroutine function is needed, got <function plain>, which returned 5`),
      'TypeError: waitFor: a coroutine, a task or a future is needed, got <Promise>: wrap a promise with fromPromise(promise); a coroutine function is `function*`, not `async`',
      'TypeError: createTask: a coroutine is needed, got <function asynchronous>: an async function is no coroutine function, write `function*` for `async`, and `yield*` for `await`',
      'TypeError: asyncToSync: a coroutine function is needed, got <function asynchronous>, which returned <Promise>: write `function*`, and `yield*` for `await`',
    ])
  })

  t.test('gather of a value that is not an array', async (t) => {
    t.same(await recorded(function* (log) {
      log(thrown(() => (gather as (...args: unknown[]) => unknown)(sleep(1), sleep(1))))
    }), ['TypeError: gather: an array of awaitables is needed, got <coroutine sleep(1)>: put them in brackets, gather([a, b])'])
  })

  t.test('what gather, shield and asCompleted name is themselves', async (t) => {
    t.same(await recorded(function* (log) {
      log(thrown(() => gather([Promise.resolve() as never])))
      log(thrown(() => gather([named as never])))
      log(thrown(() => shield(named as never)))
      log(thrown(() => asCompleted([(async function* () { yield 1 })() as never])))
    }), [
      'TypeError: gather: a coroutine, a task or a future is needed, got <Promise>: wrap a promise with fromPromise(promise); a coroutine function is `function*`, not `async`',
      'TypeError: gather: a coroutine, a task or a future is needed, got <function named>: call it, gather([named(…)])',
      'TypeError: shield: a coroutine, a task or a future is needed, got <function named>: call it, shield(named(…))',
      'TypeError: asCompleted: a coroutine, a task or a future is needed, got <AsyncGenerator>: iterate over it with fromAsyncIterable; a coroutine function is `function*`, not `async function*`',
    ])
  })

  t.test('a `yield*` of an array, a set or a text', async (t) => {
    const values = [[sleep(1), sleep(1)], new Set([sleep(1)]), 'text'] as unknown as Coroutine<void>[]
    for (const value of values) {
      const body = function* (): Coroutine<void> { yield* value }
      await t.rejects(run(body(), { name: 'main' }), {
        name: 'RuntimeError',
        message: '<Task pending name="main" coro=body> got a `yield*` of an array, a set or a text: that yields the items, and awaits none. For several awaitables write `yield* gather([…])`',
      })
    }
  })

  t.test('a coroutine in place of a body, and in place of a promise', async (t) => {
    t.same(await recorded(function* (log) {
      log(yield* thrownBy(() => timeout(1, sleep(1) as never)))
      log(thrown(() => fromPromise(sleep(1) as never)))
      log(yield* thrownBy(() => fromPromise(named as never)))
    }), [
      'TypeError: timeout: a coroutine function is needed, got <coroutine sleep(1)>: give it the function itself, `function* () { … }`; for one coroutine with a timeout there is waitFor(coroutine, seconds)',
      'TypeError: fromPromise: a promise, or a function that returns one, is needed, got <coroutine sleep(1)>: it is awaited with `yield*` alone',
      'TypeError: fromPromise: a promise is needed, got <coroutine>: it is awaited with `yield*` alone',
    ])
  })

  t.test('a coroutine function as a callback, in debug mode', async (t) => {
    t.same(await recorded(function* (log) {
      const loop = getRunningLoop()
      for (const schedule of [() => loop.callSoon(named as never), () => loop.callLater(1, named as never), () => loop.callAt(1, named as never)]) log(thrown(schedule))
    }, { debug: true }), ['callSoon', 'callLater', 'callAt'].map((method) =>
      `TypeError: ${method}: a plain function is needed, got <function named>, a coroutine function: start a task in it, ${method}(() => loop.createTask(named()))`))
  })

  t.test('a loop that is closed, or is running', async (t) => {
    const loop = new EventLoop()
    loop.close()
    t.match(thrown(() => loop.callSoon(() => {})), { name: 'RuntimeError', message: '<EventLoop running=false closed=true debug=false> is closed' })
    t.same(await recorded(function* (log) {
      log(thrown(() => getRunningLoop().close()))
    }), ['RuntimeError: <EventLoop running=true closed=false debug=false> cannot be closed while it runs: stop() it first'])
  })

  t.test('a scope outside of a task', async (t) => {
    t.same(await recorded(function* (log) {
      getRunningLoop().callSoon(() => {
        log(thrown(() => timeout(1, named).next()))
        log(thrown(() => taskGroup(named).next()))
      })
      yield* sleep(1)
    }), [
      'RuntimeError: timeout: only a task can be interrupted, and none is running here',
      'RuntimeError: taskGroup: a group belongs to a task, and none is running here',
    ])
  })
})

t.test('wrong values are RangeErrors, wrong types TypeErrors', async (t) => {
  const cases: [() => unknown, string][] = [
    [() => new Queue(-1), 'RangeError: Queue: maxsize must be an integer of at least 0 (0 means unbounded), got -1'],
    [() => new LifoQueue(1.5), 'RangeError: LifoQueue: maxsize must be an integer of at least 0 (0 means unbounded), got 1.5'],
    [() => new PriorityQueue<number>('3' as never), 'TypeError: PriorityQueue: maxsize must be an integer of at least 0 (0 means unbounded), got "3"'],
    [() => new Semaphore(-1), 'RangeError: Semaphore: the value must be an integer of at least 0, got -1'],
    [() => new BoundedSemaphore(-2), 'RangeError: BoundedSemaphore: the value must be an integer of at least 0, got -2'],
    [() => new Semaphore('1' as never), 'TypeError: Semaphore: the value must be an integer, got "1"'],
    [() => new Barrier(0), 'RangeError: Barrier: parties must be an integer of at least 1, got 0'],
    [() => new VirtualClock(NaN), 'RangeError: VirtualClock: start must be a finite number of seconds, got NaN'],
    [() => new VirtualClock().advance(-1), 'RangeError: VirtualClock.advance: seconds must be a finite number of at least 0, got -1'],
    [() => fromPromise(5 as never), 'TypeError: fromPromise: a promise, or a function that returns one, is needed, got 5'],
    [() => new EventLoop().callLater(NaN, () => {}), 'RangeError: callLater: delay must be a finite number of seconds, got NaN'],
    [() => new EventLoop().callLater(Infinity, () => {}), 'RangeError: callLater: delay must be a finite number of seconds, got Infinity'],
    [() => new EventLoop().callAt('soon' as never, () => {}), 'TypeError: callAt: when must be a number of seconds on the clock of loop.time(), got "soon"'],
    [() => new EventLoop().callSoon(5 as never), 'TypeError: callSoon: a function is needed, got 5'],
  ]
  for (const [act, message] of cases) t.equal(String(thrown(act)), message)
  t.same(await recorded(function* (log) {
    for (const coroutine of [
      () => sleep(NaN), () => sleep(Infinity), () => sleep('1' as never), () => waitFor(named(), NaN), () => timeout(Infinity, named),
      () => wait([createTask(sleep(0))], { timeout: NaN }),
    ]) log(yield* thrownBy(coroutine))
  }), [
    'RangeError: sleep: the delay must be a finite number of seconds, got NaN',
    'RangeError: sleep: the delay must be a finite number of seconds, got Infinity',
    'TypeError: sleep: the delay must be a number of seconds, got "1"',
    'RangeError: waitFor: the timeout must be a finite number of seconds, or null for none, got NaN',
    'RangeError: timeout: the delay must be a finite number of seconds, or null for none, got Infinity',
    'RangeError: wait: timeout must be a finite number of seconds, or null for none, got NaN',
  ])
})

t.test('every object describes itself in one line, in strings and in the inspector', async (t) => {
  t.same(await recorded(function* (log) {
    const loop = getRunningLoop()
    let group: TaskGroup | null = null
    let scope: Timeout | null = null
    const queue = new Queue<string>(2)
    const lock = new Lock()
    yield* lock.acquire()
    const done = createTask((function* quick() { return 'x'.repeat(200) })())
    const failed = createTask((function* broken() { throw new RangeError('bad\nworse') })())
    const cancelled = createTask(sleep(1))
    cancelled.cancel()
    const waits = createTask(queue.get(), { name: 'getter' })
    const shielded = createTask((function* () {
      yield* taskGroup(function* (tg) {
        group = tg
        yield* timeout(50, function* (t) {
          scope = t
          yield* lock.acquire()
        })
      })
    })(), { name: 'locked out' })
    yield* sleep(0)
    yield* sleep(0)
    const objects = [
      loop.createFuture(), done, failed, cancelled, waits, shielded, queue, new PriorityQueue<number>(), lock, new Event(), new Condition(lock), new Semaphore(3),
      new Barrier(2), group, scope, new ContextVar('user', { default: 'nobody' }), new Context(), loop, loop.callSoon(function tick() {}),
      loop.callLater(5, function later() {}), new VirtualClock(3), sleep(5), queue.put('x'), loop.instruments,
    ]
    for (const object of objects) {
      log(object)
      if (inspect(object) !== String(object)) log('inspected', inspect(object))
    }
    log(failed.exception() === null)
    waits.cancel()
    shielded.cancel()
  }), [
    '<Future pending>',
    `<Task finished name="Task-2" coro=quick result="${'x'.repeat(78)}…>`.replace(' coro=quick', ''),
    '<Task finished name="Task-3" coro=broken exception=RangeError: bad worse>',
    '<Task cancelled name="Task-4">',
    '<Task pending name="getter" coro=Queue.get waiting for queue.get>',
    '<Task pending name="locked out" waiting for lock>',
    '<Queue maxsize=2 size=0 getters=1>',
    '<PriorityQueue maxsize=0 size=0>',
    '<Lock locked waiters=1>',
    '<Event unset>',
    '<Condition locked>',
    '<Semaphore unlocked value=3>',
    '<Barrier filling waiting=0/2>',
    '<TaskGroup>',
    '<Timeout active when=50.000>',
    '<ContextVar user default="nobody">',
    '<Context 0 variables>',
    '<EventLoop running=true closed=false debug=false>',
    '<Handle <function tick>>',
    '<TimerHandle <function later> when=5>',
    '<VirtualClock 3 s>',
    '<coroutine sleep(5)>',
    '<coroutine Queue.put>',
    '<Instruments 0>',
    'false',
  ])
})

t.test('a description names the object\'s own class', async (t) => {
  class Jobs extends Queue<number> {}
  t.equal(String(new Jobs(3)), '<Jobs maxsize=3 size=0>')
})

t.test('stacks', async (t) => {
  function* innermost(): Coroutine<void> {
    yield* sleep(1)
    throw new Error('deep')
  }
  function* middle(): Coroutine<void> {
    yield* innermost()
  }
  function* outermost(): Coroutine<void> {
    yield* middle()
  }
  const functionsIn = (error: unknown): string[] =>
    ((error as Error).stack ?? '').split('\n').map((line) => /^ {4}at (?:(await of .*)|(innermost|middle|outermost)\b.*\berrors\.unit\.ts:\d+:\d+)/.exec(line)).flatMap((match) => match === null ? [] : [match[1] ?? match[2] ?? ''])

  t.test('of an error keep the whole yield* chain, even after a suspension', async (t) => {
    t.same(await recorded(function* (log) {
      log(functionsIn(yield* thrownBy(outermost)))
    }), ['["innermost","middle","outermost"]'])
  })

  t.test('of an error that crosses tasks name the task that awaited it and the task it came from', async (t) => {
    t.same(await recorded(function* (log) {
      const child = createTask(outermost(), { name: 'child' })
      const parent = createTask((function* () { yield* child })(), { name: 'parent' })
      log(functionsIn(yield* thrownBy(function* () { yield* parent })))
    }, { name: 'main' }), ['["innermost","middle","outermost","await of child in parent","await of parent in main"]'])
  })

  t.test('of an error that comes through gather and through a future do so too', async (t) => {
    t.same(await recorded(function* (log) {
      log(functionsIn(yield* thrownBy(function* () { yield* gather([outermost()]) })))
      const future = getRunningLoop().createFuture<void>()
      future.setException(new Error('set'))
      log(functionsIn(yield* thrownBy(function* () { yield* future })))
    }, { name: 'main' }), [
      '["innermost","middle","outermost","await of <GatheringFuture finished exception=Error: deep children=1> in main"]',
      '["await of <Future finished exception=Error: set> in main"]',
    ])
  })

  t.test('awaiting one error in many tasks, or repeatedly, keeps its stack short', async (t) => {
    t.same(await recorded(function* (log) {
      const child = createTask(outermost(), { name: 'child' })
      for (let n = 0; n < 50; n++) yield* thrownBy(function* () { yield* createTask((function* () { yield* child })()) })
      const error = yield* thrownBy(function* () { yield* child })
      log(functionsIn(error).length < 30)
    }), ['true'])
  })
})
