// Tasks: when they run, how they are cancelled, what is known about them; and the context they run in.
import t from 'tap'
import {
  allTasks, CancelledError, Context, ContextVar, copyContext, createEagerTaskFactory, createTask, currentTask, eagerTaskFactory, getRunningLoop,
  isCoroutine, isFuture, print, printTo, rethrowCancelled, run, sleep, Task, Token, VirtualClock, type Coroutine,
} from '../../src/index.ts'
import { recorded, thrown, thrownBy, type Log } from '../support/virtual.ts'

function* say(log: Log, ...words: unknown[]): Coroutine<void> {
  log(...words)
}

function* waits(log: Log, seconds = 10): Coroutine<string> {
  try {
    yield* sleep(seconds)
    return 'waited'
  } catch (error) {
    log('gets', error)
    throw error
  }
}

t.test('running', async (t) => {
  t.test('calling a coroutine function runs none of it', async (t) => {
    t.same(await recorded(function* (log) {
      const coroutine = say(log, 'runs')
      yield* sleep(1)
      log('awaiting')
      yield* coroutine
    }), ['awaiting', 'runs'])
  })

  t.test('createTask schedules the first step, in the order of the calls, and does not run it', async (t) => {
    t.same(await recorded(function* (log) {
      createTask(say(log, 'a'))
      getRunningLoop().callSoon(() => log('callback'))
      getRunningLoop().createTask(say(log, 'b'))
      new Task(say(log, 'c'))
      log('created')
      yield* sleep(0)
      log('main')
    }), ['created', 'a', 'callback', 'b', 'c', 'main'])
  })

  t.test('one iteration runs exactly what was ready when it began', async (t) => {
    t.same(await recorded(function* (log) {
      const loop = getRunningLoop()
      loop.callSoon(() => {
        log('a 1')
        loop.callSoon(() => log('a 2'))
      })
      loop.callSoon(() => {
        log('b 1')
        loop.callSoon(() => log('b 2'))
      })
      yield* sleep(0)
      log('main')
      yield* sleep(0)
      log('main')
    }), ['a 1', 'b 1', 'main', 'a 2', 'b 2', 'main'])
  })

  t.test('eagerStart runs the first step inside createTask; a coroutine that ends there is done at once', async (t) => {
    t.same(await recorded(function* (log) {
      const main = currentTask()
      const task = createTask((function* () {
        log('first step', currentTask() === main)
        yield* sleep(1)
        log('second step')
      })(), { eagerStart: true })
      log('created', task.done(), currentTask() === main)
      log(createTask((function* () { return 5 })(), { eagerStart: true }).result())
      yield* task
    }), ['first step false', 'created false true', '5', 'second step'])
  })

  t.test('eagerTaskFactory makes every task start at once, and createEagerTaskFactory does so for a custom class', async (t) => {
    class OwnTask<T> extends Task<T> {}
    t.same(await recorded(function* (log) {
      const loop = getRunningLoop()
      loop.setTaskFactory(eagerTaskFactory)
      createTask(say(log, 'eager'))
      log('created', loop.getTaskFactory() === eagerTaskFactory)
      loop.setTaskFactory(createEagerTaskFactory(OwnTask))
      log(createTask(say(log, 'own')) instanceof OwnTask)
      loop.setTaskFactory((loop, coro, options) => new OwnTask(coro, { ...options, loop, name: `made ${String(options?.name)}` }))
      log(createTask(say(log, 'named'), { name: 'x' }).getName())
      loop.setTaskFactory(null)
      log(createTask(say(log, 'plain')) instanceof OwnTask, loop.getTaskFactory())
      yield* sleep(0)
    }), ['eager', 'created true', 'own', 'true', 'made x', 'false null', 'named', 'plain'])
  })
})

t.test('cancelling', async (t) => {
  t.test('throws at the suspension point, on the next step', async (t) => {
    t.same(await recorded(function* (log) {
      const task = createTask(waits(log))
      yield* sleep(1)
      log(task.cancel(), task.cancelled(), task.cancelling())
      yield* sleep(0)
      log(task.done(), task.cancelled(), task.cancel())
    }), ['true false 1', 'gets CancelledError', 'true true false'])
  })

  t.test('before the first step means the body never runs', async (t) => {
    t.same(await recorded(function* (log) {
      const task = createTask(say(log, 'runs'))
      task.cancel('early')
      log(yield* thrownBy(function* () { yield* task }), task.cancelled())
    }), ['CancelledError: early true'])
  })

  t.test('twice delivers the first message once, and cancelling() is 2', async (t) => {
    t.same(await recorded(function* (log) {
      const task = createTask(waits(log))
      yield* sleep(1)
      task.cancel('a')
      task.cancel('b')
      log(task.cancelling())
      log(yield* thrownBy(function* () { yield* task }))
    }), ['2', 'gets CancelledError: a', 'CancelledError: a'])
  })

  t.test('oneself takes effect at the next await; uncancel() to 0 before that prevents it', async (t) => {
    t.same(await recorded(function* (log) {
      const felt = createTask((function* () {
        currentTask()?.cancel()
        log('goes on')
        yield* waits(log)
      })())
      log(yield* thrownBy(function* () { yield* felt }))
      const survives = createTask((function* () {
        currentTask()?.cancel()
        log(currentTask()?.uncancel())
        yield* sleep(1)
        return 'survived'
      })())
      log(yield* survives)
    }), ['goes on', 'gets CancelledError', 'CancelledError', '0', 'survived'])
  })

  t.test('oneself in the last step wins over the result', async (t) => {
    t.same(await recorded(function* (log) {
      const task = createTask((function* () {
        currentTask()?.cancel('last')
        return 'result'
      })())
      log(yield* thrownBy(function* () { yield* task }), task.cancelled())
    }), ['CancelledError: last true'])
  })

  t.test('together with a result in one iteration, before the waiter steps: the waiter gets the CancelledError', async (t) => {
    t.same(await recorded(function* (log) {
      const future = getRunningLoop().createFuture<string>()
      const task = createTask((function* () { log(yield* future) })())
      yield* sleep(0)
      future.setResult('result')
      task.cancel()
      log(yield* thrownBy(function* () { yield* task }), future.result())
    }), ['CancelledError result'])
  })

  t.test('an awaiter cancels what it awaits, down the whole chain', async (t) => {
    t.same(await recorded(function* (log) {
      const inner = createTask(waits(log))
      const middle = createTask((function* () { yield* inner })())
      const outer = createTask((function* () { yield* middle })())
      yield* sleep(1)
      outer.cancel('down')
      log(yield* thrownBy(function* () { yield* outer }))
      log(inner.cancelled(), middle.cancelled(), inner.cancelling(), middle.cancelling(), outer.cancelling())
    }), ['gets CancelledError: down', 'CancelledError: down', 'true true 1 1 1'])
  })

  t.test('if the child swallows it, the awaiter gets the value', async (t) => {
    t.same(await recorded(function* (log) {
      const child = createTask((function* () {
        try {
          yield* sleep(10)
        } catch {
          return 'refused'
        }
        return 'slept'
      })())
      const awaiter = createTask((function* () { return yield* child })())
      yield* sleep(1)
      awaiter.cancel()
      log(yield* awaiter, awaiter.cancelled(), awaiter.cancelling())
    }), ['refused false 1'])
  })

  t.test('a clean-up that awaits is run to its end, and a second cancel interrupts it', async (t) => {
    t.same(await recorded(function* (log) {
      function* main(): Coroutine<void> {
        try {
          yield* sleep(10)
        } finally {
          log('cleaning up')
          yield* sleep(5)
          log('cleaned up')
        }
      }
      const once = createTask(main())
      yield* sleep(1)
      once.cancel()
      log(yield* thrownBy(function* () { yield* once }), getRunningLoop().time())
      const twice = createTask(main())
      yield* sleep(1)
      twice.cancel('first')
      yield* sleep(1)
      twice.cancel('second')
      log(yield* thrownBy(function* () { yield* twice }), getRunningLoop().time())
    }), ['cleaning up', 'cleaned up', 'CancelledError 6', 'cleaning up', 'CancelledError: second 8'])
  })

  t.test('a task may end in another way than it was asked to', async (t) => {
    t.same(await recorded(function* (log) {
      const task = createTask((function* () {
        try {
          yield* sleep(10)
        } catch {
          throw new Error('instead')
        }
      })())
      yield* sleep(1)
      task.cancel()
      log(yield* thrownBy(function* () { yield* task }), task.cancelled(), task.exception())
    }), ['Error: instead false Error: instead'])
  })

  t.test('task.signal aborts on cancel, is aborted if it is first used later, and new after uncancel', async (t) => {
    t.same(await recorded(function* (log) {
      const task = createTask((function* () {
        const task = currentTask() as Task<unknown>
        try {
          yield* sleep(10)
        } catch {
          log('late', task.signal.aborted)
          task.uncancel()
          log('after uncancel', task.signal.aborted)
        }
      })())
      yield* sleep(1)
      const { signal } = task
      signal.addEventListener('abort', () => log('abort', signal.reason))
      log(signal.aborted, task.signal === signal)
      task.cancel('go')
      log(signal.aborted)
      yield* task
    }), ['false true', 'abort CancelledError: go', 'true', 'late true', 'after uncancel false'])
  })

  t.test('rethrowCancelled in a catch-all keeps a cancellation going', async (t) => {
    t.same(await recorded(function* (log) {
      const task = createTask((function* () {
        for (;;) {
          try {
            yield* sleep(1)
            throw new Error('work failed')
          } catch (error) {
            rethrowCancelled(error)
            log('goes on after', error)
          }
        }
      })())
      yield* sleep(2.5)
      task.cancel()
      yield* sleep(0)
      log(task.cancelled())
    }), ['goes on after Error: work failed', 'goes on after Error: work failed', 'true'])
  })
})

t.test('what is known about a task', async (t) => {
  t.test('names are Task-1, Task-2 …, setName takes anything, RunOptions.name names main', async (t) => {
    t.same(await recorded(function* (log) {
      const names = [currentTask() as Task<unknown>, createTask(sleep(0)), createTask(sleep(0), { name: 'own' }), createTask(sleep(0))]
      log(names.map((task) => task.getName()))
      names[1]?.setName(42)
      log(names[1]?.getName())
      yield* sleep(1)
    }, { name: 'main' }), ['["main","Task-1","own","Task-2"]', '42'])
    t.same(await recorded(function* (log) { log(currentTask()?.getName()) }), ['Task-1'])
  })

  t.test('currentTask is null in a callback, and outside of a loop', async (t) => {
    t.same(await recorded(function* (log) {
      const task = createTask((function* () { log(currentTask()?.getName()) })(), { name: 'a' })
      getRunningLoop().callSoon(() => log(currentTask()))
      yield* task
    }), ['a', 'null'])
    t.equal(currentTask(), null)
  })

  t.test('allTasks is a Set of the tasks that are not done, in the order of their creation', async (t) => {
    t.same(await recorded(function* (log) {
      const a = createTask(sleep(1), { name: 'a' })
      const b = createTask(sleep(2), { name: 'b' })
      const names = (): string[] => [...allTasks()].map((task) => task.getName())
      log(names(), allTasks() instanceof Set, allTasks(getRunningLoop()).has(b))
      yield* a
      log(names())
      yield* b
      log(names())
    }, { name: 'main' }), ['["main","a","b"] true true', '["main","b"]', '["main"]'])
  })

  t.test('getCoro returns the coroutine until it has ended, getContext the context, getLoop the loop', async (t) => {
    t.same(await recorded(function* (log) {
      const coroutine = sleep(1)
      const context = new Context()
      const task = createTask(coroutine, { context })
      log(task.getCoro() === coroutine, task.getContext() === context, task.getLoop() === getRunningLoop())
      log(createTask(sleep(1)).getContext() instanceof Context)
      yield* task
      log(task.getCoro())
    }), ['true true true', 'true', 'null'])
  })

  t.test('isFuture and isCoroutine distinguish tasks, futures and coroutines', async (t) => {
    t.same(await recorded(function* (log) {
      const coroutine = waits(log, 0)
      const task = createTask(coroutine)
      log(isFuture(task), isFuture(coroutine), isFuture(Promise.resolve()), isFuture(null))
      log(isCoroutine(coroutine), isCoroutine(task), isCoroutine(sleep), isCoroutine([]), isCoroutine(undefined))
      yield* task
    }), ['true false false false', 'true false false false false'])
  })

  t.test('is a future: result, exception and callbacks', async (t) => {
    t.same(await recorded(function* (log) {
      const good = createTask(waits(log, 1))
      good.addDoneCallback((task) => log('done', task === good, task.result(), task.exception()))
      const bad = createTask((function* () { throw new RangeError('bad') })())
      yield* sleep(2)
      log(bad.done(), bad.exception())
      log(thrown(() => bad.result()))
    }), ['done true waited null', 'true RangeError: bad', 'RangeError: bad'])
  })
})

t.test('context', async (t) => {
  t.test('a task runs in a copy of its creator\'s context', async (t) => {
    t.same(await recorded(function* (log) {
      const variable = new ContextVar<string>('variable', { default: 'nothing' })
      variable.set('main')
      const task = createTask((function* () {
        log('task sees', variable.get())
        variable.set('task')
        yield* sleep(1)
        log('task sees', variable.get())
      })())
      variable.set('main, later')
      yield* task
      log('main sees', variable.get())
    }), ['task sees main', 'task sees task', 'main sees main, later'])
  })

  t.test('an awaited coroutine shares its awaiter\'s', async (t) => {
    t.same(await recorded(function* (log) {
      const variable = new ContextVar<number>('variable')
      yield* (function* () {
        yield* sleep(0)
        variable.set(1)
      })()
      log(variable.get())
    }), ['1'])
  })

  t.test('createTask with a context runs in that one', async (t) => {
    t.same(await recorded(function* (log) {
      const variable = new ContextVar<number>('variable')
      const context = copyContext()
      yield* createTask((function* () { variable.set(7) })(), { context })
      log(context.get(variable), context.has(variable), context.size, variable.get(0))
    }), ['7 true 1 0'])
  })

  t.test('callbacks run in the context they were added in, or in the one given', async (t) => {
    t.same(await recorded(function* (log) {
      const variable = new ContextVar<string>('variable', { default: 'nothing' })
      const loop = getRunningLoop()
      const future = loop.createFuture<void>()
      variable.set('first')
      loop.callSoon(() => log('callSoon', variable.get()))
      loop.callLater(1, () => log('callLater', variable.get()))
      future.addDoneCallback(() => log('done callback', variable.get()))
      const other = copyContext()
      other.run(() => variable.set('other'))
      future.addDoneCallback(() => log('in a context', variable.get()), { context: other })
      variable.set('second')
      future.setResult()
      yield* sleep(2)
    }), ['callSoon first', 'done callback first', 'in a context other', 'callLater first'])
  })

  t.test('run of a context keeps what is set in it, returns the result, and refuses to be entered twice', async (t) => {
    const variable = new ContextVar<number>('variable')
    const context = new Context()
    t.equal(context.run((a: number, b: number) => {
      variable.set(a + b)
      return variable.get() * 2
    }, 1, 2), 6)
    t.equal(context.get(variable), 3)
    t.equal(variable.get(-1), -1)
    t.match(thrown(() => context.run(() => context.run(() => {}))), { name: 'RuntimeError', message: '<Context 1 variable> is entered already: run a copy of it (copyContext)' })
    t.same([...context], [[variable, 3]])
  })

  t.test('get returns the value, the fallback, the default, or throws', async (t) => {
    const variable = new ContextVar<number>('limit')
    t.equal(variable.get(5), 5)
    t.equal(new ContextVar('limit', { default: 6 }).get(), 6)
    t.equal(new ContextVar('limit', { default: 6 }).get(5), 5)
    t.equal(variable.name, 'limit')
    t.match(thrown(() => variable.get()), { name: 'RangeError', message: '<ContextVar limit> has no value in this context: set it, give it a default, or call get(fallback)' })
  })

  t.test('a token resets the value once, in its own context, and by `using`', async (t) => {
    t.same(await recorded(function* (log) {
      const variable = new ContextVar<string>('variable', { default: 'nothing' })
      const first = variable.set('a')
      const second = variable.set('b')
      log(first instanceof Token, first.oldValue, second.oldValue)
      variable.reset(second)
      log(variable.get())
      variable.reset(first)
      log(variable.get())
      log(thrown(() => variable.reset(first)))
      log(thrown(() => new ContextVar<string>('other').reset(variable.set('c'))))
      const foreign = new Context().run(() => variable.set('d'))
      log(thrown(() => variable.reset(foreign)))
      {
        using _token = variable.set('scoped')
        log(variable.get())
      }
      log(variable.get())
      yield* sleep(0)
    }), [
      'true undefined a', 'a', 'nothing', 'RuntimeError: <ContextVar variable default="nothing">: this token was used already',
      'RangeError: <ContextVar other>: this token is of <ContextVar variable default="nothing">',
      'RangeError: <ContextVar variable default="nothing">: this token was made in another context', 'scoped', 'c',
    ])
  })

  t.test('run takes a context for main', async (t) => {
    const variable = new ContextVar<string>('variable')
    const context = new Context()
    context.run(() => variable.set('given'))
    t.equal(await run((function* () { return variable.get() })(), { context, clock: new VirtualClock() }), 'given')
  })
})

t.test('a failed task throws the same error to each task that awaits it', async (t) => {
  t.same(await recorded(function* (log) {
    const error = new Error('shared')
    const task = createTask((function* () { throw error })())
    const awaiters = [1, 2].map(() => createTask((function* () {
      try {
        yield* task
      } catch (caught) {
        log(caught === error, caught instanceof CancelledError)
      }
    })()))
    for (const awaiter of awaiters) yield* awaiter
  }), ['true false', 'true false'])
})

t.test('printTo: a task and those that it creates print there, and no other', async (t) => {
  t.same(await recorded(function* (log) {
    function* redirected(): Coroutine<void> {
      const lines = printTo((line) => log('inner', line))
      print('a', 1)
      yield* createTask((function* () { print('child') })())
      lines.variable.reset(lines)
      print('after')
    }
    printTo((line) => log('outer', line))
    const task = createTask(redirected())
    print('meanwhile')
    yield* task
  }), ['outer meanwhile', 'inner a 1', 'inner child', 'outer after'])
})
