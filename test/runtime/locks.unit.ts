// Lock, Event, Condition, Semaphore and Barrier: fairness, and a cancellation at each place where they wait.
import t from 'tap'
import {
  Barrier, BoundedSemaphore, BrokenBarrierError, Condition, createTask, Event, gather, getRunningLoop, Lock, Semaphore, sleep, waitFor, type Coroutine, type Task,
} from '../../src/index.ts'
import { recorded, thrown, thrownBy, type Log } from '../support/virtual.ts'

interface Acquirable {
  acquire(): Coroutine<true>
  release(): void
}

/** Holds `lock` for `seconds`. */
function* holder(log: Log, lock: Acquirable, name: string, seconds = 1): Coroutine<void> {
  try {
    yield* lock.acquire()
  } catch (error) {
    log(name, 'gets', error)
    return
  }
  log(name, 'has it at', getRunningLoop().time())
  yield* sleep(seconds)
  lock.release()
}

t.test('every lock', async (t) => {
  const locks: [string, () => Lock | Condition | Semaphore][] = [
    ['Lock', () => new Lock()], ['Condition', () => new Condition()], ['Semaphore', () => new Semaphore()], ['BoundedSemaphore', () => new BoundedSemaphore()],
  ]
  for (const [name, make] of locks) {
    t.test(`${name}: with releases however its body ends, and returns its value`, async (t) => {
      t.same(await recorded(function* (log) {
        const lock = make()
        log(yield* lock.with(function* () {
          yield* sleep(1)
          log(lock.locked())
          return 'value'
        }), lock.locked())
        log(yield* thrownBy(() => lock.with(function* () { throw new Error('body') })), lock.locked())
        const task = createTask(lock.with(function* () { yield* sleep(10) }))
        yield* sleep(1)
        task.cancel()
        log(yield* thrownBy(function* () { yield* task }), lock.locked())
      }), ['true', 'value false', 'Error: body false', 'CancelledError false'])
    })

    t.test(`${name}: guard releases at the end of a using block, once`, async (t) => {
      t.same(await recorded(function* (log) {
        const lock = make()
        {
          using guard = yield* lock.guard()
          log(lock.locked())
          guard[Symbol.dispose]()
          log(lock.locked())
          yield* lock.acquire()
        }
        log(lock.locked())
        lock.release()
        log(lock.locked())
      }), ['true', 'false', 'true', 'false'])
    })

    t.test(`${name}: acquire returns true, waiters get it in the order in which they came, and a cancelled one is skipped`, async (t) => {
      t.same(await recorded(function* (log) {
        const lock = make()
        log(yield* lock.acquire())
        const tasks = ['a', 'b', 'c'].map((name) => createTask(holder(log, lock, name)))
        yield* sleep(1)
        tasks[1]?.cancel()
        lock.release()
        yield* gather(tasks)
        log(lock.locked())
      }), ['true', 'b gets CancelledError', 'a has it at 1', 'c has it at 2', 'false'])
    })

    t.test(`${name}: a wake-up that meets a cancellation is passed on`, async (t) => {
      t.same(await recorded(function* (log) {
        const lock = make()
        yield* lock.acquire()
        const a = createTask(holder(log, lock, 'a'))
        const b = createTask(holder(log, lock, 'b'))
        yield* sleep(1)
        lock.release()
        a.cancel()
        yield* gather([a, b])
        log(lock.locked())
      }), ['a gets CancelledError', 'b has it at 1', 'false'])
    })

    t.test(`${name}: a newcomer does not overtake a woken waiter`, async (t) => {
      t.same(await recorded(function* (log) {
        const lock = make()
        yield* lock.acquire()
        const a = createTask(holder(log, lock, 'a'))
        yield* sleep(1)
        lock.release()
        yield* holder(log, lock, 'newcomer')
        yield* a
      }), ['a has it at 1', 'newcomer has it at 2'])
    })
  }
})

t.test('Lock', async (t) => {
  t.test('acquiring a free one does not suspend', async (t) => {
    t.same(await recorded(function* (log) {
      const lock = new Lock()
      getRunningLoop().callSoon(() => log('callback'))
      yield* lock.acquire()
      log(lock.locked())
      yield* sleep(0)
    }), ['true', 'callback'])
  })

  t.test('releasing one that is not locked is a RuntimeError', async (t) => {
    t.match(thrown(() => new Lock().release()), { name: 'RuntimeError', message: '<Lock unlocked> cannot be released: it is not locked' })
  })

  t.test('may be released by another task', async (t) => {
    t.same(await recorded(function* (log) {
      const lock = new Lock()
      yield* lock.acquire()
      getRunningLoop().callLater(1, () => lock.release())
      yield* lock.acquire()
      log(getRunningLoop().time())
    }), ['1'])
  })

  t.test('belongs to the loop in which tasks first waited for it', async (t) => {
    const lock = new Lock()
    await recorded(function* () {
      yield* lock.acquire()
      yield* thrownBy(() => waitFor(lock.acquire(), 1))
    })
    t.same(await recorded(function* (log) { log(yield* thrownBy(() => lock.acquire())) }),
      ['RuntimeError: <Lock locked> belongs to a different loop: tasks of another one wait for it already'])
  })
})

t.test('Event', async (t) => {
  t.test('wakes every waiter in order, and lets tasks pass while it is set', async (t) => {
    t.same(await recorded(function* (log) {
      const event = new Event()
      const waits = (name: string): Task<void> => createTask((function* () { log(name, yield* event.wait()) })())
      const tasks = ['a', 'b', 'c'].map(waits)
      yield* sleep(1)
      tasks[1]?.cancel()
      log(event.isSet())
      event.set()
      log(event.isSet(), yield* event.wait())
      yield* gather(tasks, { returnExceptions: true })
      event.clear()
      log(event.isSet())
      const late = waits('late')
      yield* sleep(1)
      log(late.done())
      event.set()
      yield* late
    }), ['false', 'true true', 'a true', 'c true', 'false', 'false', 'late true'])
  })

  t.test('a woken waiter continues even if it is cleared at once', async (t) => {
    t.same(await recorded(function* (log) {
      const event = new Event()
      const task = createTask((function* () { log(yield* event.wait(), event.isSet()) })())
      yield* sleep(1)
      event.set()
      event.clear()
      yield* task
    }), ['true false'])
  })
})

t.test('Condition', async (t) => {
  function* consumer(log: Log, condition: Condition, name: string): Coroutine<void> {
    yield* condition.with(function* () {
      try {
        log(name, yield* condition.wait(), condition.locked())
      } catch (error) {
        log(name, 'gets', error, condition.locked())
        throw error
      }
    })
  }

  t.test('notify wakes the given number, in order; notifyAll the rest; each continues with the lock', async (t) => {
    t.same(await recorded(function* (log) {
      const condition = new Condition()
      const tasks = ['a', 'b', 'c', 'd'].map((name) => createTask(consumer(log, condition, name)))
      yield* sleep(1)
      for (const act of [() => condition.notify(), () => condition.notify(1), () => condition.notifyAll()]) {
        yield* condition.with(function* () { act() })
        yield* sleep(1)
        log('-')
      }
      yield* gather(tasks)
    }), ['a true true', '-', 'b true true', '-', 'c true true', 'd true true', '-'])
  })

  t.test('wait acquires its lock again before it throws', async (t) => {
    t.same(await recorded(function* (log) {
      const condition = new Condition()
      const task = createTask(consumer(log, condition, 'a'))
      yield* sleep(1)
      yield* condition.acquire()
      task.cancel('go')
      yield* sleep(5)
      log('releasing', task.done())
      condition.release()
      log(yield* thrownBy(function* () { yield* task }), condition.locked())
    }), ['releasing false', 'a gets CancelledError: go true', 'CancelledError: go false'])
  })

  t.test('a cancel while wait acquires its lock again is thrown once it has it, and with the last message', async (t) => {
    t.same(await recorded(function* (log) {
      const condition = new Condition()
      const task = createTask(consumer(log, condition, 'a'))
      yield* sleep(1)
      yield* condition.acquire()
      condition.notify()
      yield* sleep(1)
      task.cancel('first')
      yield* sleep(1)
      task.cancel('second')
      yield* sleep(1)
      log('releasing', task.done())
      condition.release()
      log(yield* thrownBy(function* () { yield* task }), condition.locked())
    }), ['releasing false', 'a gets CancelledError: second true', 'CancelledError: second false'])
  })

  t.test('a notification that meets a cancellation is passed on', async (t) => {
    t.same(await recorded(function* (log) {
      const condition = new Condition()
      const a = createTask(consumer(log, condition, 'a'))
      const b = createTask(consumer(log, condition, 'b'))
      yield* sleep(1)
      yield* condition.acquire()
      condition.notify()
      condition.release()
      a.cancel()
      yield* gather([a, b], { returnExceptions: true })
    }), ['a gets CancelledError true', 'b true true'])
  })

  t.test('waitFor waits until its predicate is true, and gives its value', async (t) => {
    t.same(await recorded(function* (log) {
      const condition = new Condition()
      let n = 0
      const task = createTask(condition.with(function* () { return yield* condition.waitFor(() => n >= 3 && `n is ${n}`) }))
      for (const next of [1, 2, 3]) {
        yield* sleep(1)
        log(next, task.done())
        yield* condition.with(function* () {
          n = next
          condition.notifyAll()
        })
      }
      log(yield* task)
    }), ['1 false', '2 false', '3 false', 'n is 3'])
  })

  t.test('wait and notify without the lock are RuntimeErrors', async (t) => {
    t.same(await recorded(function* (log) {
      const condition = new Condition()
      log(yield* thrownBy(() => condition.wait()))
      log(thrown(() => condition.notify()))
      log(thrown(() => condition.notifyAll()).name)
    }), ['RuntimeError: <Condition unlocked>: wait needs its lock, acquire it first', 'RuntimeError: <Condition unlocked>: notify needs its lock, acquire it first', 'RuntimeError'])
  })

  t.test('may share a lock', async (t) => {
    t.same(await recorded(function* (log) {
      const lock = new Lock()
      const condition = new Condition(lock)
      yield* lock.acquire()
      log(condition.locked())
      condition.release()
      log(lock.locked())
      log(thrown(() => new Condition({} as never)))
    }), ['true', 'false', 'TypeError: Condition: a Lock is needed, got {}'])
  })
})

t.test('Semaphore', async (t) => {
  t.test('admits a limited number', async (t) => {
    t.same(await recorded(function* (log) {
      const semaphore = new Semaphore(2)
      const tasks = ['a', 'b', 'c', 'd', 'e'].map((name) => createTask(holder(log, semaphore, name)))
      yield* sleep(0.5)
      log(String(semaphore), semaphore.locked())
      yield* gather(tasks)
      log(String(semaphore), semaphore.locked())
    }), ['a has it at 0', 'b has it at 0', '<Semaphore locked waiters=3> true', 'c has it at 1', 'd has it at 1', 'e has it at 2', '<Semaphore unlocked value=2> false'])
  })

  t.test('may be released above its value; a BoundedSemaphore may not', async (t) => {
    const semaphore = new Semaphore(0)
    semaphore.release()
    t.equal(semaphore.locked(), false)
    t.match(thrown(() => new BoundedSemaphore(2).release()), {
      name: 'RangeError', message: '<BoundedSemaphore unlocked value=2> was released more often than acquired: its bound is 2',
    })
  })

  t.test('several releases at once wake several, even if one of them is cancelled', async (t) => {
    t.same(await recorded(function* (log) {
      const semaphore = new Semaphore(0)
      const tasks = ['a', 'b', 'c'].map((name) => createTask(holder(log, semaphore, name)))
      yield* sleep(1)
      semaphore.release()
      semaphore.release()
      tasks[0]?.cancel()
      yield* gather(tasks)
    }), ['a gets CancelledError', 'b has it at 1', 'c has it at 1'])
  })
})

t.test('Barrier', async (t) => {
  function* arrives(log: Log, barrier: Barrier, name: string): Coroutine<void> {
    try {
      log(name, yield* barrier.wait())
    } catch (error) {
      log(name, (error as Error).name)
    }
  }

  t.test('opens when all have arrived, gives each its index, and may be used again', async (t) => {
    t.same(await recorded(function* (log) {
      const barrier = new Barrier(3)
      for (const round of ['first', 'second']) {
        const tasks = ['a', 'b'].map((name) => createTask(arrives(log, barrier, name)))
        yield* sleep(1)
        log(round, barrier.nWaiting, barrier.parties, barrier.broken)
        yield* arrives(log, barrier, 'last')
        yield* gather(tasks)
      }
      log(barrier.nWaiting)
    }), ['first 2 3 false', 'last 2', 'a 0', 'b 1', 'second 2 3 false', 'last 2', 'a 0', 'b 1', '0'])
  })

  t.test('with passes its body the index, and returns the body\'s value', async (t) => {
    t.same(await recorded(function* (log) {
      const barrier = new Barrier(2)
      const body = function* (index: number): Coroutine<string> { return `place ${index}` }
      log(yield* gather([barrier.with(body), barrier.with(body)]))
    }), ['["place 0","place 1"]'])
  })

  t.test('reset sends waiters away, and it fills again', async (t) => {
    t.same(await recorded(function* (log) {
      const barrier = new Barrier(2)
      const task = createTask(arrives(log, barrier, 'a'))
      yield* sleep(1)
      yield* barrier.reset()
      yield* task
      log(barrier.broken)
      yield* gather([arrives(log, barrier, 'b'), arrives(log, barrier, 'c')])
    }), ['a BrokenBarrierError', 'false', 'c 1', 'b 0'])
  })

  t.test('abort breaks it for present and later waiters', async (t) => {
    t.same(await recorded(function* (log) {
      const barrier = new Barrier(2)
      const task = createTask(arrives(log, barrier, 'a'))
      yield* sleep(1)
      yield* barrier.abort()
      yield* task
      log(barrier.broken, String(barrier))
      const error = yield* thrownBy(() => barrier.wait())
      log(error instanceof BrokenBarrierError, error.message)
    }), ['a BrokenBarrierError', 'true <Barrier broken>', 'true <Barrier broken> was aborted'])
  })

  t.test('a cancelled waiter leaves its place to another', async (t) => {
    t.same(await recorded(function* (log) {
      const barrier = new Barrier(2)
      const a = createTask(arrives(log, barrier, 'a'))
      yield* sleep(1)
      a.cancel()
      yield* sleep(1)
      log(barrier.nWaiting)
      yield* gather([arrives(log, barrier, 'b'), arrives(log, barrier, 'c')])
    }), ['a CancelledError', '0', 'c 1', 'b 0'])
  })
})
