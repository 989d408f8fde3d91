// Waiting for several things, and scopes around them: sleep, gather, wait, waitFor, asCompleted, shield, timeout, taskGroup.
import t from 'tap'
import {
  ALL_COMPLETED, asCompleted, CancelledError, createTask, currentTask, EventLoop, ExceptionGroup, FIRST_COMPLETED, FIRST_EXCEPTION, fromPromise, Future, gather,
  getRunningLoop, Lock, Queue, rethrowCancelled, run, shield, sleep, taskGroup, timeout, timeoutAt, TimeoutError, VirtualClock, wait, waitFor, wrapFuture, type Awaitable, type Coroutine, type Task,
  type TaskGroup, type Timeout,
} from '../../src/index.ts'
import { recorded, thrown, thrownBy, type Log } from '../support/virtual.ts'

function* after<T>(seconds: number, value: T): Coroutine<T> {
  yield* sleep(seconds)
  return value
}

function* failAfter(seconds: number, message: string): Coroutine<never> {
  yield* sleep(seconds)
  throw new Error(message)
}

/** Logs when it begins, when it is cancelled, and when it has cleaned up, which takes `cleanup` seconds. */
function* worker(log: Log, name: string, seconds: number, cleanup = 0): Coroutine<string> {
  log(name, 'begins')
  try {
    yield* sleep(seconds)
    log(name, 'ends')
    return name
  } catch (error) {
    log(name, 'gets', error)
    if (cleanup > 0) yield* sleep(cleanup)
    throw error
  }
}

/** Refuses its first cancellation. */
function* stubborn(log: Log, seconds: number): Coroutine<string> {
  try {
    yield* sleep(seconds)
  } catch (error) {
    log('refuses', error)
  }
  return 'stubborn'
}

const now = (): number => getRunningLoop().time()

t.test('sleep', async (t) => {
  t.test('waits seconds on the loop\'s clock and returns its value', async (t) => {
    t.same(await recorded(function* (log) {
      log(yield* sleep(10, 'late'), now())
      log(yield* sleep(0.5), now())
      log(yield* sleep(0, 'zero'), now())
    }), ['late 10', 'undefined 10.5', 'zero 10.5'])
  })

  t.test('of zero is one pass through the ready queue, and of less the same', async (t) => {
    t.same(await recorded(function* (log) {
      function* walk(name: string, delay: number): Coroutine<void> {
        for (let step = 1; step <= 3; step++) {
          log(name, step)
          yield* sleep(delay)
        }
      }
      yield* gather([walk('a', 0), walk('b', -1), walk('c', 0)])
    }), ['a 1', 'b 1', 'c 1', 'a 2', 'b 2', 'c 2', 'a 3', 'b 3', 'c 3'])
  })

  t.test('is lazy: its time begins when it is awaited', async (t) => {
    t.same(await recorded(function* (log) {
      const nap = sleep(5)
      yield* sleep(10)
      yield* nap
      log(now())
    }), ['15'])
  })

  t.test('drops its timer when it is cancelled', async (t) => {
    t.same(await recorded(function* (log) {
      const task = createTask(sleep(1000))
      yield* sleep(1)
      task.cancel()
      log(yield* thrownBy(function* () { yield* task }), now())
    }), ['CancelledError 1'])
  })

  t.test('sleepers with one deadline wake in the order in which they went to sleep, after what is ready', async (t) => {
    t.same(await recorded(function* (log) {
      const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g']
      const tasks = names.map((name) => createTask(worker(log, name, 1)))
      yield* sleep(0)
      log('-')
      yield* gather(tasks)
    }), ['a begins', 'b begins', 'c begins', 'd begins', 'e begins', 'f begins', 'g begins', '-',
      'a ends', 'b ends', 'c ends', 'd ends', 'e ends', 'f ends', 'g ends'])
  })
})

t.test('from the end of a child to the next step of its awaiter', async (t) => {
  /** How many iterations are between the end of the child and the step after `await`. */
  async function iterations(awaiting: (child: () => Coroutine<void>) => Coroutine<unknown>): Promise<string[]> {
    return recorded(function* (log) {
      const loop = getRunningLoop()
      let count = 0
      let ended = 0
      let ticking = true
      // The first entry of every iteration.
      const tick = (): void => {
        count++
        if (ticking) loop.callSoon(tick)
      }
      loop.callSoon(tick)
      yield* awaiting(function* () {
        for (let step = 0; step < 3; step++) yield* sleep(0)
        ended = count
      })
      log(count - ended)
      ticking = false
    })
  }
  t.same(await iterations(function* (child) { yield* child() }), ['0'], 'a coroutine is awaited in the same step')
  t.same(await iterations(function* (child) { yield* createTask(child()) }), ['1'], 'a task takes one iteration')
  t.same(await iterations(function* (child) { yield* gather([child()]) }), ['2'], 'gather takes two')
  t.same(await iterations(function* (child) { yield* wait([createTask(child())]) }), ['2'], 'wait takes two')
  t.same(await iterations(function* (child) { yield* taskGroup(function* (tg) { tg.createTask(child()) }) }), ['2'], 'taskGroup takes two')
  t.same(await iterations(function* (child) { yield* shield(child()) }), ['2'], 'shield takes two')
  t.same(await iterations(function* (child) { yield* waitFor(child(), 10) }), ['0'], 'waitFor of a coroutine runs it in the same task')
})

t.test('awaiting a finished task does not suspend', async (t) => {
  t.same(await recorded(function* (log) {
    const task = createTask(after(0, 'done'))
    yield* sleep(1)
    getRunningLoop().callSoon(() => log('callback'))
    log(yield* task, yield* task)
    yield* sleep(0)
  }), ['done done', 'callback'])
})

t.test('lazy functions do nothing until they are awaited', async (t) => {
  t.same(await recorded(function* (log) {
    const queue = new Queue<number>()
    const lock = new Lock()
    const lazy = [
      waitFor(worker(log, 'waitFor', 1), 0.5), timeout(1, () => worker(log, 'timeout', 1)), taskGroup(() => worker(log, 'taskGroup', 1)),
      queue.put(1), lock.acquire(), lock.with(() => worker(log, 'with', 1)), queue.join(), sleep(-1), wait([]),
    ]
    yield* sleep(5)
    log(lazy.length, queue.qsize(), lock.locked(), now())
  }), ['9 0 false 5'])
})

t.test('gather', async (t) => {
  t.test('returns a Future, also of nothing', async (t) => {
    t.same(await recorded(function* (log) {
      for (const all of [gather([]), gather([sleep(1)])]) {
        log(all instanceof Future, all.done())
        yield* all
      }
    }), ['true true', 'true false'])
  })

  t.test('returns results in the order given, in whatever order they end', async (t) => {
    t.same(await recorded(function* (log) {
      log(yield* gather([after(3, 'a'), createTask(after(1, 'b')), after(2, 'c')]), now())
      log(yield* gather([]))
    }), ['["a","b","c"] 3', '[]'])
  })

  t.test('acts when it is called, not when it is awaited', async (t) => {
    t.same(await recorded(function* (log) {
      const all = gather([worker(log, 'a', 1), worker(log, 'b', 1)])
      yield* sleep(0)
      log('awaiting')
      yield* all
    }), ['a begins', 'b begins', 'awaiting', 'a ends', 'b ends'])
  })

  t.test('runs a coroutine that is given twice only once', async (t) => {
    t.same(await recorded(function* (log) {
      const coroutine = worker(log, 'twin', 1)
      const task = createTask(worker(log, 'task', 1))
      log(yield* gather([coroutine, task, coroutine, task]))
    }), ['task begins', 'twin begins', 'task ends', 'twin ends', '["twin","task","twin","task"]'])
  })

  t.test('passes on the first exception at once, and the others run on', async (t) => {
    t.same(await recorded(function* (log) {
      const all = gather([worker(log, 'a', 2), failAfter(1, 'oh'), failAfter(1.5, 'second')])
      log(yield* thrownBy(function* () { yield* all }), now())
      yield* sleep(5)
      log(all)
    }), ['a begins', 'Error: oh 1', 'a ends', '<GatheringFuture finished exception=Error: oh children=3>'])
  })

  t.test('with returnExceptions counts exceptions and cancellations as results', async (t) => {
    t.same(await recorded(function* (log) {
      const cancelled = createTask(sleep(10))
      getRunningLoop().callLater(0.5, () => cancelled.cancel())
      log(yield* gather([after(2, 'a'), failAfter(1, 'oh'), cancelled], { returnExceptions: true }), now())
    }), ['["a","Error: oh","CancelledError"] 2'])
  })

  t.test('cancelling it cancels the children and waits for them, also with returnExceptions', async (t) => {
    for (const returnExceptions of [false, true]) {
      t.same(await recorded(function* (log) {
        function* main(): Coroutine<void> {
          yield* gather([worker(log, 'a', 10, 1), worker(log, 'b', 10, 2)], { returnExceptions })
        }
        const task = createTask(main())
        yield* sleep(1)
        task.cancel()
        log(yield* thrownBy(function* () { yield* task }), now())
        yield* sleep(5)
      }), ['a begins', 'b begins', 'a gets CancelledError', 'b gets CancelledError', `CancelledError ${returnExceptions ? 3 : 2}`])
    }
  })

  t.test('a child that is cancelled alone cancels no other, and its error reaches the waiter', async (t) => {
    t.same(await recorded(function* (log) {
      const a = createTask(worker(log, 'a', 2))
      const all = gather([a, worker(log, 'b', 2)])
      yield* sleep(1)
      a.cancel('alone')
      log(yield* thrownBy(function* () { yield* all }), all.cancelled())
      yield* sleep(5)
    }), ['a begins', 'b begins', 'a gets CancelledError: alone', 'CancelledError: alone false', 'b ends'])
  })

  t.test('of finished futures is done at once', async (t) => {
    t.same(await recorded(function* (log) {
      const future = getRunningLoop().createFuture<number>()
      future.setResult(1)
      const all = gather([future, future])
      log(all.done(), all.result())
    }), ['true [1,1]'])
  })
})

t.test('wait', async (t) => {
  t.test('returns two sets, and cancels nothing', async (t) => {
    t.same(await recorded(function* (log) {
      const a = createTask(after(1, 'a'), { name: 'a' })
      const b = createTask(after(3, 'b'), { name: 'b' })
      const names = (tasks: Set<Task<string>>): string => [...tasks].map((task) => task.getName()).join('+')
      const first = yield* wait([a, b], { timeout: 2 })
      log(names(first.done), '|', names(first.pending), now())
      const second = yield* wait(new Set([a, b]), { timeout: null, returnWhen: ALL_COMPLETED })
      log(names(second.done), '|', names(second.pending), now())
    }), ['a | b 2', 'a+b |  3'])
  })

  t.test('FIRST_COMPLETED returns with the first, FIRST_EXCEPTION with the first failure', async (t) => {
    t.same(await recorded(function* (log) {
      const make = (): Task<unknown>[] => [createTask(after(1, 'a')), createTask(failAfter(2, 'oh')), createTask(after(3, 'c'))]
      const counts = ({ done, pending }: { done: Set<unknown>; pending: Set<unknown> }): string => `${done.size} ${pending.size}`
      const one = make()
      log(counts(yield* wait(one, { returnWhen: FIRST_COMPLETED })), now())
      const two = make()
      log(counts(yield* wait(two, { returnWhen: FIRST_EXCEPTION })), now())
      const three = [createTask(after(1, 'a')), createTask(after(2, 'b'))]
      log(counts(yield* wait(three, { returnWhen: FIRST_EXCEPTION })), now())
      yield* gather([...one, ...two], { returnExceptions: true })
    }), ['1 2 1', '2 1 3', '2 0 5'])
  })

  t.test('leaves its tasks alone when it is cancelled', async (t) => {
    t.same(await recorded(function* (log) {
      const a = createTask(worker(log, 'a', 3))
      const waiting = createTask(wait([a]))
      yield* sleep(1)
      waiting.cancel()
      log(yield* thrownBy(function* () { yield* waiting }))
      yield* a
    }), ['a begins', 'CancelledError', 'a ends'])
  })

  t.test('is lazy: a wait that is never awaited checks and waits for nothing', async (t) => {
    t.same(await recorded(function* (log) {
      const never = wait([])
      log(typeof never.next)
      yield* sleep(0)
    }), ['function'])
  })

  t.test('refuses coroutines, an empty list and a lone task', async (t) => {
    t.same(await recorded(function* (log) {
      const coroutine = sleep(1)
      log(yield* thrownBy(function* () { yield* wait([coroutine as never]) }))
      log(yield* thrownBy(function* () { yield* wait([]) }))
      const task = createTask(sleep(1))
      log(yield* thrownBy(function* () { yield* wait(task as never) }))
      log(yield* thrownBy(function* () { yield* wait([task], { returnWhen: 'SOON' as never }) }))
    }), [
      'TypeError: wait: tasks or futures are needed, got <coroutine sleep(1)>: make a task of a coroutine with createTask',
      'RangeError: wait: at least one task or future is needed, got none',
      'TypeError: wait: a list of tasks or futures is needed, got <Task pending name="Task-2" coro=sleep> alone: put it in brackets',
      'RangeError: wait: returnWhen must be FIRST_COMPLETED, FIRST_EXCEPTION or ALL_COMPLETED, got "SOON"',
    ])
  })
})

t.test('waitFor', async (t) => {
  t.test('runs a coroutine in the current task and returns its value', async (t) => {
    t.same(await recorded(function* (log) {
      const main = currentTask()
      log(yield* waitFor((function* () {
        yield* sleep(1)
        return currentTask() === main
      })(), 2))
      log(yield* waitFor(createTask(after(1, 'task')), null))
    }), ['true', 'task'])
  })

  t.test('cancels a late one, waits for its clean-up, and throws a TimeoutError caused by the CancelledError', async (t) => {
    t.same(await recorded(function* (log) {
      const error = yield* thrownBy(function* () { yield* waitFor(worker(log, 'a', 10, 3), 1) })
      log(error.name, error instanceof TimeoutError, error.cause instanceof CancelledError, now(), currentTask()?.cancelling())
      const task = createTask(worker(log, 'b', 10))
      log((yield* thrownBy(function* () { yield* waitFor(task, 1) })).name, task.cancelled())
    }), ['a begins', 'a gets CancelledError', 'TimeoutError true true 4 0', 'b begins', 'b gets CancelledError', 'TimeoutError true'])
  })

  t.test('with zero never starts a coroutine, and returns the result of a finished one', async (t) => {
    t.same(await recorded(function* (log) {
      log((yield* thrownBy(function* () { yield* waitFor(worker(log, 'a', 1), 0) })).name)
      log((yield* thrownBy(function* () { yield* waitFor(worker(log, 'b', 1), -1) })).name)
      const task = createTask(after(0, 'done'))
      yield* sleep(1)
      log(yield* waitFor(task, 0))
    }), ['TimeoutError', 'TimeoutError', 'done'])
  })

  t.test('lets a cancellation from outside through', async (t) => {
    t.same(await recorded(function* (log) {
      const task = createTask(waitFor(worker(log, 'a', 10), 5))
      yield* sleep(1)
      task.cancel('outside')
      log(yield* thrownBy(function* () { yield* task }), task.cancelled())
    }), ['a begins', 'a gets CancelledError: outside', 'CancelledError: outside true'])
  })

  t.test('returns the value of one that refuses to be cancelled', async (t) => {
    t.same(await recorded(function* (log) {
      log(yield* waitFor(stubborn(log, 10), 1), now())
    }), ['refuses CancelledError', 'stubborn 1'])
  })
})

t.test('asCompleted', async (t) => {
  t.test('yields awaitables in the order in which they end', async (t) => {
    t.same(await recorded(function* (log) {
      for (const next of asCompleted([after(3, 'a'), after(1, 'b'), createTask(after(2, 'c'))])) log(yield* next, now())
    }), ['b 1', 'c 2', 'a 3'])
  })

  t.test('acts when it is called', async (t) => {
    t.same(await recorded(function* (log) {
      const results = asCompleted([worker(log, 'a', 1)])
      yield* sleep(0)
      log('awaiting')
      for (const next of results) log(yield* next)
    }), ['a begins', 'awaiting', 'a ends', 'a'])
  })

  t.test('throws an error in its turn, and a TimeoutError for what is left', async (t) => {
    t.same(await recorded(function* (log) {
      const late = createTask(after(9, 'late'))
      for (const next of asCompleted([failAfter(1, 'oh'), after(2, 'b'), late], { timeout: 5 })) {
        try {
          log(yield* next)
        } catch (error) {
          log((error as Error).name, now())
        }
      }
      log(yield* late)
    }), ['Error 1', 'b', 'TimeoutError 5', 'late'])
  })
})

t.test('shield', async (t) => {
  t.test('the awaiter is cancelled, the awaited one runs on', async (t) => {
    t.same(await recorded(function* (log) {
      const inner = createTask(worker(log, 'inner', 3))
      const outer = createTask((function* () { yield* shield(inner) })())
      yield* sleep(1)
      outer.cancel()
      log(yield* thrownBy(function* () { yield* outer }), now())
      log(yield* inner, now())
    }), ['inner begins', 'CancelledError 1', 'inner ends', 'inner 3'])
  })

  t.test('acts when it is called, and returns a done future unchanged', async (t) => {
    t.same(await recorded(function* (log) {
      const shielded = shield(worker(log, 'a', 1))
      yield* sleep(0)
      log('awaiting')
      log(yield* shielded)
      const done = createTask(after(0, 1))
      yield* done
      log(shield(done) === done)
    }), ['a begins', 'awaiting', 'a ends', 'a', 'true'])
  })

  t.test('a later failure without an awaiter is reported', async (t) => {
    t.same(await recorded(function* (log) {
      const inner = createTask(failAfter(2, 'unheard'), { name: 'inner' })
      const outer = createTask((function* () { yield* shield(inner) })())
      yield* sleep(1)
      outer.cancel()
      yield* sleep(5)
      log('over')
    }), [
      'reported: <Task finished name="inner" coro=failAfter exception=Error: unheard> failed under a shield whose awaiter was cancelled (Error: unheard)',
      'over',
    ])
  })
})

t.test('timeout', async (t) => {
  t.test('returns the body\'s value in time, and throws a TimeoutError caused by the CancelledError when late', async (t) => {
    t.same(await recorded(function* (log) {
      log(yield* timeout(5, function* () { return yield* after(1, 'in time') }))
      const error = yield* thrownBy(function* () {
        yield* timeout(5, function* () { yield* worker(log, 'a', 10, 2) })
      })
      log(error.name, error.cause, now(), currentTask()?.cancelling())
    }), ['in time', 'a begins', 'a gets CancelledError', 'TimeoutError CancelledError 8 0'])
  })

  t.test('of zero runs its body to the first suspension', async (t) => {
    t.same(await recorded(function* (log) {
      log((yield* thrownBy(function* () {
        yield* timeout(0, function* () {
          log('first')
          yield* sleep(0)
          log('second')
          yield* sleep(1)
          log('never')
        })
      })).name)
    }), ['first', 'TimeoutError'])
  })

  t.test('of null sets no deadline', async (t) => {
    t.same(await recorded(function* (log) {
      yield* timeout(null, function* (t) {
        yield* sleep(1e6)
        log(t.when(), t.expired(), now())
      })
    }), ['null false 1000000'])
  })

  t.test('turns only its own cancellation into a TimeoutError', async (t) => {
    t.same(await recorded(function* (log) {
      const task = createTask(timeout(5, function* () { yield* worker(log, 'a', 10) }))
      yield* sleep(1)
      task.cancel('outside')
      log(yield* thrownBy(function* () { yield* task }))
      const both = createTask(timeout(5, function* () { yield* worker(log, 'b', 10, 3) }))
      yield* sleep(6)
      both.cancel('outside')
      log(yield* thrownBy(function* () { yield* both }))
    }), ['a begins', 'a gets CancelledError: outside', 'CancelledError: outside', 'b begins', 'b gets CancelledError', 'CancelledError: outside'])
  })

  t.test('a body that swallows it ends without an error, and expired() is true', async (t) => {
    t.same(await recorded(function* (log) {
      let scope: Timeout | null = null
      log(yield* timeout(1, function* (t) {
        scope = t
        return yield* stubborn(log, 10)
      }))
      log((scope as Timeout | null)?.expired(), currentTask()?.cancelling())
    }), ['refuses CancelledError', 'stubborn', 'true 0'])
  })

  t.test('an error of the body passes through', async (t) => {
    t.same(await recorded(function* (log) {
      log(yield* thrownBy(function* () { yield* timeout(5, () => failAfter(1, 'own')) }))
    }), ['Error: own'])
  })

  t.test('can be rescheduled, later, sooner, to never and into the past', async (t) => {
    t.same(await recorded(function* (log) {
      yield* timeout(1, function* (t) {
        t.reschedule(now() + 5)
        yield* sleep(3)
        log(t.when(), t.expired())
        t.reschedule(null)
        yield* sleep(100)
        log(t.when(), t.expired())
      })
      log((yield* thrownBy(function* () {
        yield* timeout(null, function* (t) {
          t.reschedule(now() - 1)
          yield* sleep(1)
        })
      })).name, now())
      let kept: Timeout | null = null
      yield* timeoutAt(now() + 1, function* (t) {
        kept = t
        yield* sleep(0.5)
      })
      log(thrown(() => (kept as Timeout | null)?.reschedule(null)))
    }), ['5 false', 'null false', 'TimeoutError 103', 'RuntimeError: <Timeout finished when=104.000> cannot be rescheduled: it is finished'])
  })

  t.test('timeoutAt takes a time on the loop\'s clock', async (t) => {
    t.same(await recorded(function* (log) {
      yield* sleep(2)
      log((yield* thrownBy(function* () { yield* timeoutAt(7, function* () { yield* sleep(10) }) })).name, now())
    }), ['TimeoutError 7'])
  })

  t.test('nested: the scope whose deadline passed throws', async (t) => {
    t.same(await recorded(function* (log) {
      log((yield* thrownBy(function* () {
        yield* timeout(1, function* () {
          try {
            yield* timeout(5, () => worker(log, 'a', 10))
          } catch (error) {
            log('inner scope throws', error)
            throw error
          }
        })
      })).name, now())
    }), ['a begins', 'a gets CancelledError', 'inner scope throws CancelledError', 'TimeoutError 1'])
  })
})

t.test('taskGroup', async (t) => {
  const errorsOf = (error: Error): string => (error as ExceptionGroup).exceptions.map(String).join(', ')

  t.test('ends when its tasks have, and returns the body\'s value', async (t) => {
    t.same(await recorded(function* (log) {
      log(yield* taskGroup(function* (tg) {
        tg.createTask(worker(log, 'a', 2))
        tg.createTask(worker(log, 'b', 1))
        yield* sleep(0)
        log('body ends')
        return 'value'
      }), now())
    }), ['a begins', 'b begins', 'body ends', 'b ends', 'a ends', 'value 2'])
  })

  t.test('the first failure cancels the siblings in the order of their creation, waits for them, and one group is thrown', async (t) => {
    t.same(await recorded(function* (log) {
      const error = yield* thrownBy(function* () {
        yield* taskGroup(function* (tg) {
          for (const name of ['a', 'b', 'c', 'd', 'e']) tg.createTask(worker(log, name, 10, 1))
          tg.createTask(failAfter(1, 'oh'))
          yield* worker(log, 'body', 10)
        })
      })
      log(error.name, error instanceof ExceptionGroup, error instanceof AggregateError, errorsOf(error), now(), currentTask()?.cancelling())
    }), ['body begins', 'a begins', 'b begins', 'c begins', 'd begins', 'e begins',
      'a gets CancelledError', 'b gets CancelledError', 'c gets CancelledError', 'd gets CancelledError', 'e gets CancelledError',
      'body gets CancelledError', 'ExceptionGroup true true Error: oh 2 0'])
  })

  t.test('an error of the body cancels the tasks and is part of the group', async (t) => {
    t.same(await recorded(function* (log) {
      const error = yield* thrownBy(function* () {
        yield* taskGroup(function* (tg) {
          tg.createTask(worker(log, 'a', 10))
          yield* sleep(1)
          throw new Error('body')
        })
      })
      log(error.name, errorsOf(error), now())
    }), ['a begins', 'a gets CancelledError', 'ExceptionGroup Error: body 1'])
  })

  t.test('a child\'s own cancellation is not a failure', async (t) => {
    t.same(await recorded(function* (log) {
      yield* taskGroup(function* (tg) {
        const a = tg.createTask(worker(log, 'a', 10))
        tg.createTask(worker(log, 'b', 2))
        yield* sleep(1)
        a.cancel()
      })
      log('no error')
    }), ['a begins', 'b begins', 'a gets CancelledError', 'b ends', 'no error'])
  })

  t.test('cancelled from outside, it cancels its tasks and throws the cancellation', async (t) => {
    t.same(await recorded(function* (log) {
      const task = createTask(taskGroup(function* (tg) {
        tg.createTask(worker(log, 'a', 10, 1))
      }))
      yield* sleep(1)
      task.cancel('outside')
      log(yield* thrownBy(function* () { yield* task }), now())
    }), ['a begins', 'a gets CancelledError', 'CancelledError: outside 2'])
  })

  t.test('failing while cancelled from outside: the group is thrown, cancelling() stays 1, the next await is cancelled', async (t) => {
    t.same(await recorded(function* (log) {
      function* failsInCleanup(): Coroutine<void> {
        try {
          yield* sleep(10)
        } finally {
          throw new Error('clean-up')
        }
      }
      const task = createTask((function* () {
        try {
          yield* taskGroup(function* (tg) { tg.createTask(failsInCleanup()) })
        } catch (error) {
          log((error as Error).name, errorsOf(error as Error), currentTask()?.cancelling())
        }
        yield* worker(log, 'next', 5)
      })())
      yield* sleep(1)
      task.cancel()
      log(yield* thrownBy(function* () { yield* task }), now())
    }), ['ExceptionGroup Error: clean-up 1', 'next begins', 'next gets CancelledError', 'CancelledError 1'])
  })

  t.test('nested groups that fail together both throw', async (t) => {
    t.same(await recorded(function* (log) {
      const error = yield* thrownBy(function* () {
        yield* taskGroup(function* (outer) {
          outer.createTask(failAfter(1, 'outer'))
          yield* taskGroup(function* (inner) { inner.createTask(failAfter(1, 'inner')) })
        })
      })
      const [first, second] = (error as ExceptionGroup).exceptions
      log(first, '|', (second as Error).name, errorsOf(second as Error))
    }), ['Error: outer | ExceptionGroup Error: inner'])
  })

  t.test('cancel() ends it without an error', async (t) => {
    t.same(await recorded(function* (log) {
      const value = yield* taskGroup(function* (tg) {
        tg.createTask(worker(log, 'a', 10, 1))
        getRunningLoop().callLater(1, () => tg.cancel())
        yield* worker(log, 'body', 10)
        return 'value'
      })
      log(value, now(), currentTask()?.cancelling())
    }), ['body begins', 'a begins', 'a gets CancelledError', 'body gets CancelledError', 'undefined 2 0'])
  })

  t.test('cancel() swallows no cancellation from outside, no matter which task calls it and when it comes', async (t) => {
    function* slowToEnd(): Coroutine<void> {
      try {
        yield* sleep(3600)
      } finally {
        yield* sleep(1)
      }
    }
    const inBody = function* (tg: TaskGroup): Coroutine<void> {
      tg.createTask(slowToEnd())
      yield* sleep(0.25)
      tg.cancel()
    }
    const byChild = function* (tg: TaskGroup): Coroutine<void> {
      tg.createTask(slowToEnd())
      tg.createTask((function* () {
        yield* sleep(0.25)
        tg.cancel()
      })())
    }
    t.same(await recorded(function* (log) {
      for (const body of [inBody, byChild]) {
        log(yield* thrownBy(() => timeout(0.5, () => taskGroup(body))), now())
        const task = createTask(taskGroup(body))
        yield* sleep(0.5)
        task.cancel('from outside')
        log(yield* thrownBy(function* () { yield* task }), task.cancelling(), now())
        // Without an error of its own, it ends normally.
        yield* taskGroup(body)
        log('ended', currentTask()?.cancelling(), now())
      }
    }), [
      'TimeoutError: the deadline passed 1.25', 'CancelledError: from outside 1 2.5', 'ended 0 3.75',
      'TimeoutError: the deadline passed 5', 'CancelledError: from outside 1 6.25', 'ended 0 7.5',
    ])
  })

  t.test('cancel() also cancels the child that calls it in its first step, which starts eagerly', async (t) => {
    t.same(await recorded(function* (log) {
      yield* taskGroup(function* (tg) {
        tg.createTask((function* () {
          tg.cancel()
          try {
            yield* new Future()
          } catch (error) {
            log('the child gets', error)
            throw error
          }
        })(), { eagerStart: true })
      })
      log('ended', currentTask()?.cancelling())
    }), ['the child gets CancelledError', 'ended 0'])
  })

  t.test('cancel() after the end does nothing', async (t) => {
    t.same(await recorded(function* (log) {
      let kept: TaskGroup | null = null
      yield* taskGroup(function* (tg) {
        kept = tg
        yield* sleep(0)
      })
      ;(kept as TaskGroup | null)?.cancel()
      yield* sleep(0)
      log(currentTask()?.cancelling())
    }), ['0'])
  })

  t.test('takes no further tasks once it shuts down or is finished', async (t) => {
    t.same(await recorded(function* (log) {
      let kept: { createTask(coro: Coroutine<unknown>): unknown } | null = null
      yield* taskGroup(function* (tg) {
        kept = tg
        tg.createTask(sleep(1))
        tg.cancel()
        log(thrown(() => tg.createTask(sleep(1))))
        yield* sleep(0)
      })
      log(thrown(() => (kept as { createTask(coro: Coroutine<unknown>): unknown } | null)?.createTask(sleep(1))))
    }), [
      'RuntimeError: <TaskGroup tasks=1 cancelling> is shutting down and takes no further tasks',
      'RuntimeError: <TaskGroup cancelling> is finished and takes no further tasks',
    ])
  })

  t.test('a task may start siblings', async (t) => {
    t.same(await recorded(function* (log) {
      yield* taskGroup(function* (tg) {
        tg.createTask((function* () {
          yield* sleep(1)
          tg.createTask(worker(log, 'sibling', 1))
        })())
      })
      log(now())
    }), ['sibling begins', 'sibling ends', '2'])
  })
})

t.test('whether something failed does not depend on the thrown value: null and undefined are thrown like any error', async (t) => {
  for (const reason of [undefined, null, 0, '']) {
    const name = JSON.stringify(reason) ?? 'undefined'
    function* fails(): Coroutine<never> {
      yield* sleep(0.01)
      throw reason as unknown as Error
    }
    const rejects = (): Coroutine<never> => fromPromise(() => new Promise<never>((_resolve, reject) => setImmediate(reject, reason)))
    for (const [kind, failing] of [['throw', fails], ['reject', rejects]] as const) {
      await t.test(`${kind} ${name}`, async (t) => {
        t.same(await recorded(function* (log) {
          const outcome = function* (what: string, body: () => Awaitable<unknown>): Coroutine<void> {
            try {
              log(what, 'gives', yield* body())
            } catch (error) {
              log(what, error instanceof ExceptionGroup ? [error.message, ...error.exceptions] : `throws ${String(error)}`)
            }
          }
          yield* outcome('await', () => createTask(failing()))
          yield* outcome('gather', () => gather([failing(), sleep(0.02)]))
          yield* outcome('returnExceptions', function* () {
            const [first, second] = yield* gather([createTask(failing()), sleep(0.02, 'b')], { returnExceptions: true })
            return Object.is(first, reason) && second === 'b'
          })
          yield* outcome('shield', () => shield(failing()))
          yield* outcome('waitFor', () => waitFor(createTask(failing()), 1))
          yield* outcome('timeout', () => timeout(1, failing))
          yield* outcome('taskGroup', () => taskGroup(function* (tg) {
            tg.createTask(failing())
            yield* sleep(1)
            log('the siblings ran on')
          }))
          yield* outcome('the body of a taskGroup', () => taskGroup(failing))
          yield* outcome('asCompleted', function* () {
            for (const next of asCompleted([failing()])) yield* next
          })
          const { done, pending } = yield* wait([createTask(failing()), createTask(sleep(9))], { returnWhen: FIRST_EXCEPTION })
          log('wait', done.size, pending.size)
          const ofPromise = wrapFuture(new Promise<never>((_resolve, reject) => setImmediate(reject, reason)))
          yield* outcome('wrapFuture', () => ofPromise)
          const outer = shield(failing())
          yield* sleep(0)
          outer.cancel()
          yield* sleep(0.02)
          yield* fromPromise(new Promise((resolve) => setImmediate(setImmediate, resolve)))
          yield* sleep(0)
        }), [
          `await throws ${String(reason)}`, `gather throws ${String(reason)}`, 'returnExceptions gives true', `shield throws ${String(reason)}`,
          `waitFor throws ${String(reason)}`, `timeout throws ${String(reason)}`,
          `taskGroup ${JSON.stringify(['1 error in a taskGroup', reason])}`, `the body of a taskGroup ${JSON.stringify(['1 error in a taskGroup', reason])}`,
          `asCompleted throws ${String(reason)}`, 'wait 1 1', `wrapFuture throws ${String(reason)}`,
          `reported: <Task finished name="Task-13" coro=${kind === 'throw' ? 'fails' : 'promiseSteps'} exception=${name}> failed under a shield whose awaiter was cancelled (${String(reason)})`,
        ])
      })
    }
  }

  await t.test('a task that is left at the end of run and fails without a reason is reported, and run ends', async (t) => {
    for (const reason of [undefined, null, 0, '']) {
      const told: unknown[] = []
      const loop = new EventLoop({ clock: new VirtualClock() })
      loop.setExceptionHandler((_loop, context) => told.push(['exception' in context, context.exception, / failed while run\(\) was shutting down$/.test(context.message)]))
      t.equal(await run((function* (): Coroutine<string> {
        createTask((function* (): Coroutine<void> {
          try {
            yield* sleep(9)
          } catch {
            throw reason as unknown as Error
          }
        })())
        yield* sleep(0)
        return 'ended'
      })(), { loopFactory: () => loop }), 'ended')
      t.same(told, [[true, reason, true]])
    }
  })
})

t.test('rethrowCancelled throws cancellations on, and nothing else', async (t) => {
  t.same(await recorded(function* (log) {
    function* catchAll(awaitable: Awaitable<unknown>): Coroutine<void> {
      try {
        yield* awaitable
      } catch (error) {
        rethrowCancelled(error)
        log('handles', error)
      }
    }
    yield* catchAll(failAfter(1, 'oh'))
    const task = createTask(catchAll(sleep(10)))
    yield* sleep(1)
    task.cancel()
    log(yield* thrownBy(function* () { yield* task }))
  }), ['handles Error: oh', 'CancelledError'])
})
