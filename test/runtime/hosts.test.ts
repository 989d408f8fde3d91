// run() and Runner on their hosts: the virtual clock that jumps, the real one, and the one for browsers.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import {
  CancelledError, createTask, currentTask, EventLoop, Event, fromPromise, gather, getRunningLoop, Queue, run, Runner, RuntimeError, sleep, VirtualClock, type Coroutine,
} from '../../src/index.ts'
import { runProgram } from '../support/program.ts'
import { recorded, thrownBy } from '../support/virtual.ts'

t.test('run', async (t) => {
  t.test('returns main\'s result, or rejects with its error', async (t) => {
    t.equal(await run(sleep(5, 'slept'), { clock: new VirtualClock() }), 'slept')
    const error = new TypeError('bad')
    t.equal(await run((function* () { throw error })()).catch((caught: unknown) => caught), error)
    await t.rejects(run((function* () { throw new CancelledError('own') })()), { name: 'CancelledError', message: 'own' })
  })

  t.test('when main returns one more iteration runs, then what is left is cancelled in the order of its creation, waited for, and the loop closes', async (t) => {
    let loop: EventLoop | null = null
    function* left(log: (line: string) => void, name: string, cleanup: number): Coroutine<void> {
      try {
        yield* sleep(100)
      } catch (error) {
        log(`${name} gets ${String(error)}`)
        yield* sleep(cleanup)
        log(`${name} has cleaned up at ${getRunningLoop().time()}`)
        throw error
      }
    }
    t.same(await recorded(function* (log) {
      loop = getRunningLoop()
      for (const [name, cleanup] of [['a', 3], ['b', 1], ['c', 2]] as const) createTask(left(log, name, cleanup))
      yield* sleep(1)
      getRunningLoop().callSoon(() => {
        log('next iteration')
        getRunningLoop().callSoon(log, 'and the one after that')
      })
      log('main ends')
    }), ['main ends', 'next iteration', 'and the one after that', 'a gets CancelledError', 'b gets CancelledError', 'c gets CancelledError',
      'b has cleaned up at 2', 'c has cleaned up at 3', 'a has cleaned up at 4'])
    t.equal((loop as EventLoop | null)?.isClosed(), true)
  })

  t.test('its signal cancels main, whose clean-up is waited for', async (t) => {
    const controller = new AbortController()
    const lines: string[] = []
    const result = run((function* () {
      const task = currentTask()
      try {
        getRunningLoop().callLater(3, () => controller.abort(new Error('enough')))
        yield* sleep(100)
      } finally {
        lines.push(`cancelling ${task?.cancelling()} at ${getRunningLoop().time()}`)
        yield* sleep(2)
        lines.push(`cleaned up at ${getRunningLoop().time()}`)
      }
    })(), { signal: controller.signal, clock: new VirtualClock() })
    await t.rejects(result, { name: 'CancelledError', message: 'enough' })
    t.same(lines, ['cancelling 1 at 3', 'cleaned up at 5'])
    let ran = false
    await t.rejects(run((function* () { ran = true })(), { signal: AbortSignal.abort() }), { name: 'CancelledError' })
    t.equal(ran, false, 'with a signal that has aborted main never starts')
  })

  t.test('takes a loopFactory, a name and debug', async (t) => {
    const loop = new EventLoop({ clock: new VirtualClock(7) })
    t.same(await run((function* () { return [getRunningLoop() === loop, currentTask()?.getName()] })(), { loopFactory: () => loop, name: 'main' }), [true, 'main'])
    t.equal(loop.isClosed(), true)
    t.equal(await run((function* () { return getRunningLoop().debug })(), { debug: true }), true)
  })
})

t.test('Runner', async (t) => {
  t.test('keeps its loop and its context for several runs, and closes it', async (t) => {
    const lines: unknown[] = []
    let loop: EventLoop
    {
      await using runner = new Runner({ clock: new VirtualClock() })
      loop = runner.getLoop()
      createLater(loop)
      lines.push(await runner.run((function* () { return getRunningLoop() === loop })()))
      lines.push(await runner.run(sleep(2, 'second'), { name: 'named' }), loop.time(), loop.isClosed())
    }
    function createLater(loop: EventLoop): void {
      loop.createTask((function* () {
        try {
          yield* sleep(100)
        } finally {
          lines.push('left behind, and cancelled')
        }
      })())
    }
    t.same(lines, [true, 'second', 2, false, 'left behind, and cancelled'])
    t.equal(loop.isClosed(), true)
  })

  t.test('refuses to be used once it is closed', async (t) => {
    const runner = new Runner()
    await runner.close()
    await runner.close()
    t.throws(() => runner.getLoop(), { name: 'RuntimeError', message: 'this Runner is closed' })
    const coroutine = sleep(0)
    t.throws(() => runner.run(coroutine), { name: 'RuntimeError', message: 'this Runner is closed' })
  })

  t.test('main runs in the context given for this run', async (t) => {
    await using runner = new Runner({ clock: new VirtualClock() })
    t.equal(await runner.run((function* () { return currentTask()?.getName() })()), 'Task-1')
    t.equal(await runner.run((function* () { return currentTask()?.getName() })()), 'Task-2')
  })
})

t.test('the virtual clock', async (t) => {
  t.test('jumps to the next timer when nothing is ready, and starts at a given time', async (t) => {
    const clock = new VirtualClock(1000)
    t.same(await recorded(function* (log) {
      const loop = getRunningLoop()
      yield* gather([1e6, 5, 3600].map((seconds) => (function* () {
        yield* sleep(seconds)
        log(loop.time())
      })()))
    }, { clock }), ['1005', '4600', '1001000'])
    t.equal(clock.now(), 1001000)
  })

  t.test('reaches timers far away, where rounding loses nanoseconds', async (t) => {
    for (const start of [0, -1e12, 1e15]) {
      const clock = new VirtualClock(start)
      t.same(await recorded(function* (log) {
        const loop = getRunningLoop()
        for (const seconds of [1e8, 1e9, 1e12 + 1 / 3]) yield* sleep(seconds)
        loop.callAt(loop.time(), () => log('due now'))
        yield* sleep(1)
        yield* sleep(1)
      }, { clock }), ['due now'])
      t.ok(clock.now() >= start + 1e12)
    }
  })

  t.test('does not move while a task waits for the host', async (t) => {
    t.same(await recorded(function* (log) {
      const loop = getRunningLoop()
      const sleeper = createTask((function* () {
        yield* sleep(1)
        log('timer at', loop.time())
      })())
      yield* sleep(0)
      yield* fromPromise(new Promise((resolve) => setTimeout(resolve, 5)))
      log('promise at', loop.time())
      yield* sleeper
    }), ['promise at 0', 'timer at 1'])
  })

  t.test('advance lets time pass at once, like a call that blocks the thread', async (t) => {
    const clock = new VirtualClock()
    t.same(await recorded(function* (log) {
      const loop = getRunningLoop()
      loop.callLater(2, () => log('due at 2, called at', loop.time()))
      yield* sleep(1)
      clock.advance(5)
      log(loop.time())
      clock.block(4)
      log(loop.time())
      yield* sleep(0)
      yield* sleep(1)
      log(loop.time())
    }, { clock }), ['6', '10', 'due at 2, called at 10', '11'])
  })

  t.test('when nothing can happen any longer it reports every task and what it waits for', async (t) => {
    const result = run((function* () {
      createTask(new Queue<number>().get(), { name: 'getter' })
      createTask(new Event().wait(), { name: 'waiter' })
      yield* getRunningLoop().createFuture()
    })(), { clock: new VirtualClock(), name: 'main' }).catch((error: unknown) => error as Error)
    const error = await result
    t.ok(error instanceof RuntimeError)
    t.equal((error as Error).message.replace(/^<.*?>/, 'the loop'), 'the loop is deadlocked: nothing is ready, no timer is set, and nothing of the host is awaited (host work must be awaited ' +
      'through fromPromise). main waits for future <Future pending>; getter waits for queue.get <Queue maxsize=0 size=0 getters=1>; waiter waits for event <Event unset waiters=1>')
  })

  t.test('a day of work takes no time: ten thousand tasks that sleep for hours', async (t) => {
    t.same(await recorded(function* (log) {
      let done = 0
      yield* gather(Array.from({ length: 10_000 }, (_, n) => (function* () {
        yield* sleep(n * 8.64)
        done++
      })()))
      log(done, getRunningLoop().time())
    }), ['10000 86391.36'])
  })

  // Every program here runs until the host has had its turns, and gives up after this many steps, within which it must have
  // had them.
  const MOST_STEPS = 3_000_000
  const programs: Record<string, () => Coroutine<unknown>> = {
    'that jumps again and again': () => sleep(1),
    'that always has something ready': () => sleep(0),
    'that is woken by promises': () => fromPromise(Promise.resolve()),
  }
  for (const [what, step] of Object.entries(programs)) {
    t.test(`two loops yield to the host repeatedly, and to each other: ${what}`, async (t) => {
      const host = watchHost()
      const steps: Record<string, number> = { a: 0, b: 0 }
      await Promise.all(Object.keys(steps).map((name) => run((function* () {
        for (; host.turns < 50 && (steps[name] as number) < MOST_STEPS; steps[name]!++) {
          host.saw(name)
          yield* step()
        }
      })(), { clock: new VirtualClock() })))
      host.stop()
      t.ok(host.turns >= 50, `the host had ${host.turns} turns`)
      t.ok(Math.min(...Object.values(steps)) > 0)
    })
  }

  t.test('a turn is over after some real time, although the clock does not move', async (t) => {
    const host = watchHost()
    await run((function* () {
      for (let step = 0; step < 2000; step++) {
        const began = performance.now()
        while (performance.now() - began < 0.05);
        yield* sleep(0)
      }
    })(), { clock: new VirtualClock() })
    host.stop()
    // Each 64 steps have taken more than the 2 ms of a turn.
    t.ok(host.turns >= 2000 / 64 - 1, `the host had ${host.turns} turns`)
  })

  t.test('many loops delay the host as little as one does: one of them runs between two of its turns, each in turn', async (t) => {
    const names = ['a', 'b', 'c', 'd', 'e']
    const host = watchHost()
    let steps = 0
    await Promise.all(names.map((name) => run((function* () {
      for (; host.turns < 60 && steps < MOST_STEPS; steps++) {
        host.saw(name)
        yield* sleep(1)
      }
    })(), { clock: new VirtualClock() })))
    host.stop()
    // All of them began at once.
    const order = host.seen.slice(1, 51)
    t.same(order.filter((seen) => seen.length !== 1), [], 'between two turns of the host ran one')
    const round = order.slice(0, names.length)
    t.same(round.flat().sort(), names)
    t.same(order, Array.from({ length: 50 }, (_, n) => round[n % names.length]))
  })
})

/** Counts the turns of the host, and notes which loops ran between them. */
function watchHost(): { turns: number; readonly seen: string[][]; saw: (name: string) => void; stop: () => void } {
  let current = new Set<string>()
  const seen: string[][] = []
  const onTurn = (): void => {
    watched.turns++
    seen.push([...current])
    current = new Set()
    immediate = setImmediate(onTurn)
  }
  let immediate = setImmediate(onTurn)
  const watched = { turns: 0, seen, saw: (name: string) => { current.add(name) }, stop: () => clearImmediate(immediate) }
  return watched
}

t.test('the real clock', async (t) => {
  t.test('timers fire in the order of their times, never early', async (t) => {
    const lines: string[] = []
    let early = 0
    await run((function* () {
      const loop = getRunningLoop()
      const began = loop.time()
      yield* gather([0.03, 0.01, 0.02, 0].map((seconds) => (function* () {
        yield* sleep(seconds)
        lines.push(String(seconds))
        if (loop.time() < began + seconds - 1e-6) early++
      })()))
      const order: string[] = []
      loop.callLater(0.02, () => order.push('c'))
      loop.callLater(0.01, () => order.push('a'))
      loop.callAt(loop.time() + 0.015, () => order.push('b'))
      yield* sleep(0.03)
      lines.push(order.join(''))
    })())
    t.same(lines, ['0', '0.01', '0.02', '0.03', 'abc'])
    t.equal(early, 0)
  })

  t.test('callSoonThreadsafe wakes an idle loop, and so does a future that the host sets', async (t) => {
    t.equal(await run((function* () {
      const loop = getRunningLoop()
      const future = loop.createFuture<string>()
      setTimeout(() => loop.callSoonThreadsafe(() => future.setResult('woken')), 5)
      const other = loop.createFuture<string>()
      setTimeout(() => other.setResult('set'), 10)
      return `${yield* future}, ${yield* other}`
    })()), 'woken, set')
  })

  t.test('a sooner timer set by the host while the loop sleeps is not late', async (t) => {
    t.same(await run((function* () {
      const loop = getRunningLoop()
      const order: string[] = []
      const woken = new Event()
      setTimeout(() => loop.callLater(0.001, () => {
        order.push('sooner')
        woken.set()
      }), 1)
      const long = createTask(sleep(1000))
      yield* woken.wait()
      long.cancel()
      return order
    })()), ['sooner'])
  })

  t.test('endless sleep(0) leaves an HTTP server in the same process answering', async (t) => {
    let answered = 0
    const server = createServer((_request, response) => {
      answered++
      response.end(`answer ${answered}`)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const { texts, rounds } = await run((function* () {
      let rounds = 0
      const busy = createTask((function* () {
        for (;;) {
          rounds++
          yield* sleep(0)
        }
      })())
      const texts: string[] = []
      for (let n = 0; n < 20; n++) {
        texts.push(yield* fromPromise(async () => {
          const response = await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: 'close' } })
          return response.text()
        }))
      }
      busy.cancel()
      return { texts, rounds }
    })())
    t.same(texts, Array.from({ length: 20 }, (_, n) => `answer ${n + 1}`))
    t.ok(rounds > 20, 'and the busy task went on meanwhile')
    await new Promise((resolve) => server.close(resolve))
  })

  t.test('settled promises, awaited endlessly, leave the host its turns', async (t) => {
    t.equal(await run((function* () {
      const busy = createTask((function* () {
        for (;;) yield* fromPromise(Promise.resolve())
      })())
      const result = yield* fromPromise(new Promise<string>((resolve) => setTimeout(() => setImmediate(resolve, 'host had its turn'), 1)))
      busy.cancel()
      return result
    })()), 'host had its turn')
  })

  t.test('a chain of callSoon, or of futures set at once, leaves the host its turns too', async (t) => {
    t.equal(await run((function* () {
      const loop = getRunningLoop()
      let stopped = false
      const again = (): void => {
        if (!stopped) loop.callSoon(again)
      }
      again()
      const pings = new Queue<number>(1)
      const pongs = new Queue<number>(1)
      const players = [[pings, pongs], [pongs, pings]].map(([from, to]) => createTask((function* () {
        for (;;) yield* (to as Queue<number>).put(yield* (from as Queue<number>).get())
      })()))
      pings.putNowait(1)
      const result = yield* fromPromise(new Promise<string>((resolve) => setTimeout(() => setImmediate(resolve, 'host had its turn'), 1)))
      stopped = true
      for (const player of players) player.cancel()
      return result
    })()), 'host had its turn')
  })
})

t.test('the browser\'s host drives the same loop', async (t) => {
  const { lines, errors } = await runProgram(`
    import './src/browser.ts'
    await run((function* () {
      const loop = getRunningLoop()
      loop.callSoon(() => print('callback'))
      yield* gather([0.02, 0.01, 0, 0.005].map(function* (seconds) {
        yield* sleep(seconds)
        print(seconds)
      }))
      let busy = true
      const task = createTask((function* () { while (busy) yield* sleep(0) })())
      print(yield* fromPromise(new Promise(resolve => setTimeout(resolve, 5, 'the host has its turns'))))
      busy = false
      yield* task
      setTimeout(() => loop.callSoonThreadsafe(() => print('woken')), 1)
      yield* sleep(0.01)
      print({ a: 1 }, [1, 'b'], new RangeError('x'), null, new Queue(2))
    })())
    console.log(await run(sleep(1e9, 'virtual'), { clock: new VirtualClock() }))
    process.exit()
  `)
  t.same(lines, ['callback', '0', '0.005', '0.01', '0.02', 'the host has its turns', 'woken', '{"a":1} [1,"b"] RangeError: x null <Queue maxsize=2 size=0>', 'virtual'])
  t.equal(errors, '')
})

t.test('an interrupted wait for a task that refuses still ends', async (t) => {
  t.same(await recorded(function* (log) {
    const task = createTask((function* () {
      for (let n = 0; n < 2; n++) {
        try {
          yield* sleep(5)
        } catch (error) {
          log('refuses', error)
        }
      }
      return 'refused'
    })())
    const waiting = createTask((function* () { return yield* task })())
    yield* sleep(1)
    waiting.cancel('once')
    yield* sleep(1)
    waiting.cancel('again')
    log(yield* waiting)
    log((yield* thrownBy(function* () { throw new Error('checked') })).message)
  }), ['refuses CancelledError: once', 'refuses CancelledError: again', 'refused', 'checked'])
})
