// Asynchronous generators and loops over them: items, ends, cancellations, and what is closed when the loop ends.
import { EventEmitter } from 'node:events'
import t from 'tap'
import {
  aiter, asCompleted, asyncFor, createTask, fromEvents, gather, GeneratorExit, getRunningLoop, rethrowCancelled, run, sleep, timeout, VirtualClock, wait, waitFor,
  type AsyncGen, type Coroutine,
} from '../../src/index.ts'
import { recorded, thrown, thrownBy, type Log } from '../support/virtual.ts'

function* ticks(n: number, log: Log): AsyncGen<number> {
  try {
    for (let tick = 0; tick < n; tick++) {
      yield tick
      yield* sleep(1)
    }
  } finally {
    yield* sleep(0.5)
    log('closed at', getRunningLoop().time())
  }
}

t.test('asyncFor', async (t) => {
  t.test('runs its body for each item, in the same task, and suspends only where one of them awaits', async (t) => {
    t.same(await recorded(function* (log) {
      createTask((function* () {
        for (let turn = 0; turn < 3; turn++) {
          log('other', turn)
          yield* sleep(0)
        }
      })())
      function* items(): AsyncGen<string> {
        yield 'a'
        yield 'b'
        yield* sleep(0)
        yield 'c'
      }
      log('result', yield* asyncFor(items(), function* (item) { log(item) }))
    }), ['a', 'b', 'other 0', 'c', 'result undefined', 'other 1'])
  })

  t.test('ends with the value that its body returns, and closes the generator first', async (t) => {
    t.same(await recorded(function* (log) {
      log(yield* asyncFor(ticks(9, log), function* (tick) {
        yield* sleep(0)
        if (tick === 2) return `found ${tick}`
      }))
    }), ['closed at 2.5', 'found 2'])
  })

  t.test('closes it when the body throws, and when the task is cancelled', async (t) => {
    t.same(await recorded(function* (log) {
      log(yield* thrownBy(() => asyncFor(ticks(9, log), function* (tick) {
        if (tick === 1) throw new Error('of the body')
      })))
      const task = createTask(asyncFor(ticks(9, log), function* () { yield* sleep(10) }))
      yield* sleep(1)
      task.cancel()
      yield* wait([task])
      log('cancelled', task.cancelled())
    }), ['closed at 1.5', 'Error: of the body', 'closed at 3', 'cancelled true'])
  })

  t.test('throws what the generator throws, which has then ended', async (t) => {
    t.same(await recorded(function* (log) {
      function* failing(): AsyncGen<number> {
        yield 1
        throw new Error('of the source')
      }
      const source = failing()
      log(yield* thrownBy(() => asyncFor(source, function* (item) { log(item) })))
      log(yield* aiter(source).next())
    }), ['1', 'Error: of the source', '{"done":true}'])
  })

  t.test('closes generators that delegate to others, from the inside out', async (t) => {
    t.same(await recorded(function* (log) {
      function* both(): AsyncGen<number> {
        try {
          yield* ticks(3, log)
          log('is not reached')
          yield* ticks(3, log)
        } finally {
          log('outer closed')
        }
      }
      yield* asyncFor(both(), function* (tick) { if (tick === 1) return tick })
    }), ['closed at 1.5', 'outer closed'])
  })

  t.test('iterates over the host\'s asynchronous iterables, and over events', async (t) => {
    t.same((await recorded(function* (log) {
      async function* host(): AsyncGenerator<string> {
        try {
          yield 'x'
          yield 'y'
        } finally {
          log('host closed')
        }
      }
      log(yield* asyncFor(host(), function* (item) { if (item === 'y') return item }))
      const emitter = new EventEmitter()
      const events = fromEvents(emitter, 'message')
      for (const n of [1, 2, 3]) emitter.emit('message', n)
      log(yield* asyncFor(events, function* ([n]) { if (n === 2) return n as number }))
      log('listeners', emitter.listenerCount('message'))
    })).sort(), ['2', 'host closed', 'listeners 0', 'y'], 'the host closes its own without being waited for')
  })

  t.test('says what cannot be iterated over, and that the body is a coroutine function', async (t) => {
    t.same(await recorded(function* (log) {
      log(yield* thrownBy(() => asyncFor([1] as never, function* () {})))
      log(yield* thrownBy(() => asyncFor(ticks as never, function* () {})))
      log(thrown(() => aiter(null as never)))
      log(yield* thrownBy(() => asyncFor(ticks(1, () => {}), (() => {}) as never)))
    }), [
      'TypeError: asyncFor: an asynchronous generator, or another asynchronous iterable, is needed, got [1 items]: iterate over it with `for`',
      'TypeError: asyncFor: an asynchronous generator, or another asynchronous iterable, is needed, got <function ticks>: call it',
      'TypeError: asyncFor: an asynchronous generator, or another asynchronous iterable, is needed, got null',
      'TypeError: asyncFor: a coroutine function is needed, got <function>, which returned undefined: write `function*`, and `yield*` for `await`',
    ])
  })

  t.test('is reported in debug mode if it is never awaited', async (t) => {
    const lines = await recorded(function* (log) {
      void asyncFor(ticks(1, log), function* () {})
      yield* asyncFor(ticks(1, log), function* (tick) { log(tick) })
    }, { debug: true })
    t.match(lines.join('\n'), /^0\nclosed at 1\.5\nreported: coroutine asyncFor\(\) was never awaited/)
  })
})

t.test('aiter', async (t) => {
  t.test('gives items by hand; next passes a value in, throw an error, and close ends it once', async (t) => {
    t.same(await recorded(function* (log) {
      function* echo(): AsyncGen<string> {
        for (;;) {
          try {
            log('got', yield 'item')
          } catch (error) {
            rethrowCancelled(error)
            log('caught', error)
          } finally {
            yield* sleep(1)
          }
        }
      }
      const items = aiter(echo())
      log(String(items), yield* items.next())
      log(yield* items.next('hello'))
      log(yield* items.throw(new Error('thrown in')))
      yield* items.close()
      yield* items.close()
      log(String(items), yield* items.next(), yield* thrownBy(() => items.throw(new Error('late'))))
    }), [
      '<AsyncGen not started> {"value":"item","done":false}', 'got hello', '{"value":"item","done":false}',
      'caught Error: thrown in', '{"value":"item","done":false}', '<AsyncGen closed> {"done":true} Error: late',
    ])
  })

  t.test('a generator that was never started is closed without a line of it', async (t) => {
    t.same(await recorded(function* (log) {
      const items = aiter(ticks(3, log))
      yield* items.close()
      log(yield* items.next())
    }), ['{"done":true}'])
  })

  t.test('a cancelled next ends the generator, as in Python', async (t) => {
    t.same(await recorded(function* (log) {
      const items = aiter(ticks(3, log))
      log(yield* items.next())
      log(yield* thrownBy(() => waitFor(items.next(), 0.25)))
      log(yield* items.next())
    }), ['{"value":0,"done":false}', 'closed at 0.75', 'TimeoutError: the deadline passed', '{"done":true}'])
  })

  t.test('two tasks cannot ask at the same time, nor close it meanwhile', async (t) => {
    t.same(await recorded(function* (log) {
      const source = ticks(3, log)
      yield* aiter(source).next()
      const first = createTask(aiter(source).next())
      yield* sleep(0)
      log(yield* thrownBy(() => aiter(source).next()))
      log(yield* thrownBy(() => aiter(source).close()))
      log(yield* first)
      yield* aiter(source).close()
    }), [
      'RuntimeError: next: <AsyncGen running> is already running: another task waits for its next item',
      'RuntimeError: close: <AsyncGen running> is already running: another task waits for its next item',
      '{"value":1,"done":false}', 'closed at 1.5',
    ])
  })

  t.test('an item in a `finally`, and a coroutine that is yielded without a star, are errors', async (t) => {
    t.same(await recorded(function* (log) {
      function* stubborn(): AsyncGen<number> {
        try {
          yield 1
        } finally {
          yield 2
        }
      }
      const items = aiter(stubborn())
      yield* items.next()
      log(yield* thrownBy(() => items.close()))
      function* starless(): AsyncGen<unknown> {
        try {
          yield sleep(1) as unknown
        } catch (error) {
          log(error)
        }
        yield 'after'
      }
      log(yield* aiter(starless()).next())
    }), [
      'RuntimeError: <AsyncGen suspended> yielded an item while it was closed: its `finally` blocks may await, but yield nothing',
      'RuntimeError: <AsyncGen suspended> got `yield` without a star with <coroutine sleep(1)>: use `yield*` to await it',
      '{"value":"after","done":false}',
    ])
  })

  t.test('a timeout within a generator is its own', async (t) => {
    t.same(await recorded(function* (log) {
      function* slow(): AsyncGen<string> {
        try {
          yield* timeout(1, function* () { yield* sleep(5) })
        } catch (error) {
          rethrowCancelled(error)
          yield `late: ${(error as Error).name}`
        }
      }
      yield* asyncFor(slow(), function* (item) { log(item) })
    }), ['late: TimeoutError'])
  })

  t.test('the items of one are of any kind, also undefined and tasks', async (t) => {
    t.same(await recorded(function* (log) {
      function* odd(): AsyncGen<unknown> {
        yield undefined
        yield null
        yield createTask(sleep(1, 'of a task'))
      }
      const kinds: unknown[] = []
      yield* asyncFor(odd(), function* (item) { kinds.push(item) })
      log(kinds.slice(0, 2), yield* kinds[2] as Coroutine<string>)
    }), ['[null,null] of a task'])
  })
})

t.test('at the end of the loop', async (t) => {
  t.test('generators that have not ended are closed, together, after the tasks; their errors are reported', async (t) => {
    t.same(await recorded(function* (log) {
      function* failing(): AsyncGen<number> {
        try {
          yield 1
        } finally {
          throw new Error('while closing')
        }
      }
      const left = [aiter(ticks(3, log)), aiter(failing()), aiter(ticks(3, log))]
      for (const items of left) yield* items.next()
      createTask((function* () { try { yield* sleep(9) } finally { log('task cancelled') } })())
      yield* sleep(0)
      log('main ends')
      Object.assign(globalThis, { left })
    }), ['main ends', 'task cancelled', 'closed at 0.5', 'closed at 0.5', 'reported: an error occurred while <AsyncGen closed> was closed (Error: while closing)'])
    delete (globalThis as { left?: unknown }).left
  })

  t.test('loop.shutdownAsyncgens closes them at once', async (t) => {
    t.same(await recorded(function* (log) {
      const items = aiter(ticks(3, log))
      yield* items.next()
      yield* getRunningLoop().shutdownAsyncgens()
      log(yield* items.next())
    }), ['closed at 0.5', '{"done":true}'])
  })
})

t.test('a generator that is dropped before its end is reported when it is collected', async (t) => {
  const reports: string[] = []
  await run((function* () {
    getRunningLoop().setExceptionHandler((_loop, { message }) => reports.push(message))
    yield* (function* (): Coroutine<void> { yield* aiter(ticks(3, () => {})).next() })()
    for (let tries = 0; tries < 100 && reports.length === 0; tries++) {
      globalThis.gc!()
      yield* sleep(0.01)
    }
  })())
  t.match(reports, [/^an asynchronous generator was dropped before its end, so its `finally` blocks did not run/])
})

t.test('asCompleted, iterated asynchronously, gives the tasks themselves', async (t) => {
  t.same(await recorded(function* (log) {
    const slow = createTask(sleep(2, 'slow'), { name: 'slow' })
    const quick = createTask(sleep(1, 'quick'), { name: 'quick' })
    yield* asyncFor(asCompleted([slow, quick]), function* (task) {
      log(task.getName(), task.result(), task === slow || task === quick)
    })
    yield* asyncFor(asCompleted([sleep(1, 'of a coroutine')]), function* (task) { log(task.result()) })
    log(yield* thrownBy(() => asyncFor(asCompleted([sleep(1), sleep(9)], { timeout: 2 }), function* (task) { log(String(task)) })))
  }), [
    'quick quick true', 'slow slow true', 'of a coroutine', '<Task finished name="Task-3" result=undefined>', 'TimeoutError: asCompleted: not all were done after 2 s',
  ])
})

t.test('many items take no stack and no memory', async (t) => {
  function* numbers(n: number): AsyncGen<number> {
    for (let i = 0; i < n; i++) yield i
  }
  let sum = 0
  await run((function* () {
    yield* gather([asyncFor(numbers(200_000), function* (n) { sum += n })])
  })(), { clock: new VirtualClock() })
  t.equal(sum, 19_999_900_000)
})

t.test('a GeneratorExit is a cancellation, so that rethrowCancelled lets it through', (t) => {
  const exit = new GeneratorExit('closed')
  t.throws(() => rethrowCancelled(exit), exit)
  t.equal(String(exit), 'GeneratorExit: closed')
  t.end()
})
