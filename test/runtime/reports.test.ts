// What is never awaited is reported: coroutines never awaited, tasks dropped while pending, exceptions never retrieved. None
// of it ends the process.
import { setImmediate as hostTurn } from 'node:timers/promises'
import t from 'tap'
import {
  allTasks, createTask, EventLoop, ExceptionGroup, fromPromise, Future, gather, getRunningLoop, Lock, Queue, run, shield, sleep, taskGroup, timeout, VirtualClock, wait, waitFor, type Coroutine,
  type ExceptionContext,
} from '../../src/index.ts'
import type { Host } from '../../src/runtime/host.ts'
import { reportContext } from '../../src/runtime/exception-handler.ts'
import { runProgram } from '../support/program.ts'
import { recorded } from '../support/virtual.ts'

if (globalThis.gc === undefined) throw new Error('these tests need --expose-gc')
const { gc } = globalThis

/** Collects garbage until `happened`, for a bounded number of rounds. */
async function collectUntil(happened: () => boolean): Promise<void> {
  for (let round = 0; round < 50 && !happened(); round++) {
    gc?.()
    await hostTurn()
  }
}

/** A loop that keeps the reports of its exception handler. */
function listening(debug = false, clock: VirtualClock | null = new VirtualClock()): { loop: EventLoop; contexts: ExceptionContext[] } {
  const contexts: ExceptionContext[] = []
  const loop = new EventLoop({ clock: clock ?? undefined, debug })
  loop.setExceptionHandler((_loop, context) => contexts.push(context))
  return { loop, contexts }
}

function* fails(message: string): Coroutine<never> {
  throw new Error(message)
}

const inThisFile = /reports\.test\.ts$/

t.test('never awaited', async (t) => {
  t.test('in debug mode every dropped coroutine of the runtime is reported when the loop closes, with its location', async (t) => {
    const { loop, contexts } = listening(true)
    await run((function* () {
      const task = createTask(sleep(0))
      const queue = new Queue<number>()
      const lock = new Lock()
      void [sleep(1), queue.get(), queue.put(1), queue.join(), lock.acquire(), wait([task]), waitFor(task, 1), timeout(1, () => sleep(1)), taskGroup(() => sleep(1))]
      void lock.with(function* () {})
      yield* task
    })(), { loopFactory: () => loop })
    t.same(contexts.map(({ message }) => /^coroutine ([\w.]+)\(\) was never awaited \(called at .*reports\.test\.ts:\d+\): use `yield\* [\w.]+\(…\)`, or createTask\(\)$/.exec(message)?.[1]), [
      'sleep', 'Queue.get', 'Queue.put', 'Queue.join', 'Lock.acquire', 'wait', 'waitFor', 'timeout', 'taskGroup', 'Lock.with',
    ])
    t.match(contexts[0]?.createdAt?.[0]?.file, inThisFile)
  })

  t.test('at once when it is collected', async (t) => {
    const { loop, contexts } = listening(true, null)
    const runs = loop.runForever()
    loop.callSoon(() => void sleep(1))
    await collectUntil(() => contexts.length > 0)
    t.match(contexts, [{ message: /^coroutine sleep\(\) was never awaited/ }])
    loop.stop()
    await runs
    loop.close()
    t.equal(contexts.length, 1, 'and once only')
  })

  t.test('a coroutine that is awaited, made a task, or gathered is not reported', async (t) => {
    t.same(await recorded(function* () {
      yield* sleep(1)
      yield* createTask(sleep(1))
      yield* gather([sleep(1), new Queue<number>().put(1)])
      yield* waitFor(sleep(1), 5)
    }, { debug: true }), [])
  })

  t.test('outside debug mode nothing is watched', async (t) => {
    t.same(await recorded(function* () { void sleep(1) }), [])
  })
})

t.test('dropped while pending', async (t) => {
  t.test('a task that is pending when its loop closes is reported, in debug mode with its location', async (t) => {
    for (const debug of [false, true]) {
      const { loop, contexts } = listening(debug)
      const task = loop.createTask(sleep(10), { name: 'left' })
      await loop.runUntilComplete(sleep(1))
      loop.close()
      t.equal(contexts.length, 1)
      t.match(contexts[0], { message: 'Task was destroyed but it is pending: the loop closes under it', task })
      t.equal(inThisFile.test(contexts[0]?.createdAt?.[0]?.file ?? ''), debug)
    }
  })

  t.test('the loop keeps strong references to pending tasks, so the program need not', async (t) => {
    const lines: string[] = []
    await run((function* () {
      for (let n = 0; n < 3; n++) {
        // Only the loop keeps the task and what it waits for.
        void createTask((function* () {
          try {
            yield* getRunningLoop().createFuture()
          } finally {
            lines.push(`cancelled ${n}`)
          }
        })())
      }
      yield* sleep(0)
      yield* fromPromise(collectUntil(() => false))
      lines.push(`${allTasks().size} tasks`)
    })())
    t.same(lines, ['4 tasks', 'cancelled 0', 'cancelled 1', 'cancelled 2'])
  })
})

t.test('never retrieved', async (t) => {
  t.test('is reported when the loop closes, with the exception and, in debug mode, the location', async (t) => {
    for (const debug of [false, true]) {
      const { loop, contexts } = listening(debug)
      const tasks = [loop.createTask(fails('of a task'), { name: 'failing' })]
      const future = loop.createFuture<void>()
      future.setException(new RangeError('of a future'))
      await loop.runUntilComplete(sleep(1))
      t.equal(contexts.length, 0, 'while somebody may still look')
      loop.close()
      t.match(contexts, [
        { message: /^Future exception was never retrieved: <Future finished exception=RangeError: of a future/, exception: { message: 'of a future' } },
        { message: /^Task exception was never retrieved: <Task finished name="failing"/, exception: { message: 'of a task' } },
      ])
      t.same(contexts.map(({ createdAt }) => inThisFile.test(createdAt?.[0]?.file ?? '')), [debug, debug])
      t.equal(tasks.length, 1)
    }
  })

  t.test('is reported when the future is collected, while the loop still runs', async (t) => {
    const { loop, contexts } = listening(false, null)
    const runs = loop.runForever()
    loop.callSoon(() => void loop.createTask(fails('unheard')))
    await collectUntil(() => contexts.length > 0)
    t.match(contexts, [{ message: /^Task exception was never retrieved/, exception: { message: 'unheard' } }])
    loop.stop()
    await runs
    loop.close()
    t.equal(contexts.length, 1, 'and once only')
  })

  t.test('is reported when the process ends in the middle of a run, as a coroutine is that was never awaited', async (t) => {
    const { lines, errors, code } = await runProgram(`
      const kept = []
      await run((function* () {
        kept.push(createTask((function* () { throw new Error('of a task') })()), new Queue().put(1))
        yield* sleep(0)
        console.log('ends')
        process.exit(3)
      })(), { debug: true })`)
    t.same(lines, ['ends'])
    t.match(errors, /Task exception was never retrieved: [^]*Error: of a task[^]*coroutine Queue\.put\(\) was never awaited/)
    t.equal(code, 3)
  })

  t.test('is reported in debug mode before memory is needed, as a coroutine is that was never awaited', async (t) => {
    const { lines } = await runProgram(`
      await run((function* () {
        const reported = []
        const both = new Event()
        getRunningLoop().setExceptionHandler((_loop, { message }) => { if (/never/.test(message) && reported.push(message) === 2) both.set() })
        createTask((function* () { throw new Error('of a task') })())
        void new Queue().put(1)
        yield* both.wait()
        for (const message of reported.sort()) console.log(message.slice(0, 33))
      })(), { debug: true })`)
    t.same(lines, ['Task exception was never retrieved'.slice(0, 33), 'coroutine Queue.put() was never awaited'.slice(0, 33)])
  })

  t.test('looking at it in any way retrieves it', async (t) => {
    t.same(await recorded(function* (log) {
      const looks: [string, (future: Future<never>) => unknown][] = [
        ['exception', (future) => future.exception()],
        ['result', (future) => {
          try {
            return future.result()
          } catch (error) {
            return error
          }
        }],
        ['then', (future) => future.then(null, () => {})],
      ]
      for (const [, look] of looks) {
        const task = createTask(fails('seen'))
        yield* sleep(0)
        look(task)
      }
      for (const awaits of [
        function* (task: Future<never>) { yield* task },
        function* (task: Future<never>) { yield* gather([task]) },
        function* (task: Future<never>) { yield* shield(task) },
        function* (task: Future<never>) { yield* waitFor(task, 5) },
      ]) {
        try {
          yield* awaits(createTask(fails('seen')))
        } catch (error) {
          log(error)
        }
      }
      yield* gather([fails('seen')], { returnExceptions: true })
    }), ['Error: seen', 'Error: seen', 'Error: seen', 'Error: seen'])
  })

  t.test('a gather that failed and is not awaited is reported once, its children not again', async (t) => {
    t.same(await recorded(function* () {
      gather([fails('gathered')])
      yield* sleep(1)
    }), ['reported: Future exception was never retrieved: <GatheringFuture finished exception=Error: gathered children=1> (Error: gathered)'])
  })

  t.test('a second failure after a gather has failed counts as seen, as in asyncio', async (t) => {
    t.same(await recorded(function* (log) {
      try {
        yield* gather([fails('first'), fails('second')])
      } catch (error) {
        log(error)
      }
      yield* sleep(1)
    }), ['Error: first'])
  })

  t.test('a cancelled task is no failure', async (t) => {
    t.same(await recorded(function* () {
      createTask(sleep(10)).cancel()
      yield* sleep(1)
    }), [])
  })

  t.test('a task that fails while run() shuts down is reported', async (t) => {
    t.same(await recorded(function* () {
      createTask((function* () {
        try {
          yield* sleep(10)
        } finally {
          throw new Error('clean-up failed')
        }
      })(), { name: 'left' })
      yield* sleep(1)
    }), ['reported: <Task finished name="left" exception=Error: clean-up failed> failed while run() was shutting down (Error: clean-up failed)'])
  })
})

t.test('nothing crashes the process', async (t) => {
  t.test('unretrieved failures end up in the log, and the program runs to its end', async (t) => {
    const { lines, errors, code } = await runProgram(`
      function* fails(message) { yield* sleep(0); throw new Error(message) }
      process.on('unhandledRejection', () => console.log('unhandled rejection'))
      await run((function* () {
        void createTask(fails('task'))
        void gather([fails('gathered')])
        void shield(fails('shielded'))
        getRunningLoop().createFuture().setException(new Error('future'))
        getRunningLoop().callSoon(() => { throw new Error('callback') })
        createTask(fromPromise(Promise.reject(new Error('promise'))))
        createTask(fromPromise(() => Promise.reject(new Error('started promise'))))
        void fromPromise(Promise.reject(new Error('promise of a coroutine that is never awaited')))
        const cancelled = createTask(fromPromise(signal => new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('after abort'))))))
        yield* sleep(0)
        cancelled.cancel()
        yield* fromPromise(new Promise(resolve => setTimeout(resolve, 20)))
        console.log('main ends')
      })())
      console.log('end')
    `)
    t.same({ lines, code }, { lines: ['main ends', 'end'], code: 0 })
    for (const message of ['task', 'gathered', 'shielded', 'future', 'callback', 'promise', 'started promise']) t.match(errors, `Error: ${message}\n`)
    t.notMatch(errors, /after abort/)
  })

  t.test('an error of main is the caller\'s, as that of any promise', async (t) => {
    const { code, errors } = await runProgram('run((function* () { throw new Error("of main") })())')
    t.equal(code, 1)
    t.match(errors, /Error: of main/)
  })
})

t.test('a future with a closed loop can be dropped without a report', async (t) => {
  const { loop, contexts } = listening()
  await loop.runUntilComplete((function* () { getRunningLoop().createFuture() })())
  loop.close()
  t.same(contexts, [])
})

/** What the default handler writes for a context. */
function written(context: ExceptionContext): string {
  const texts: string[] = []
  const loop = new EventLoop({ clock: new VirtualClock() })
  reportContext(Object.assign(Object.create(loop.host) as Host, { report: (text: string) => texts.push(text) }), context)
  return texts.join('\n')
}

t.test('the default report', async (t) => {
  await t.test('shows what was thrown, even null or undefined', async (t) => {
    t.same([undefined, null, 0, ''].map((exception) => written({ message: 'failed', exception })), ['failed\nundefined', 'failed\nnull', 'failed\n0', 'failed\n""'])
    t.equal(written({ message: 'only said' }), 'only said')
  })

  await t.test('shows every error of a group and every cause, with their stacks, indented', async (t) => {
    const bare = (error: Error): Error => Object.assign(error, { stack: `${String(error)}\n    at f (file.ts:1:2)` })
    const deepest = bare(new RangeError('port is 0'))
    const refused = bare(new Error('connection refused', { cause: deepest }))
    const inner = bare(new ExceptionGroup('2 errors in a taskGroup', [refused, 'a word']))
    const group = bare(new ExceptionGroup('1 error in a taskGroup', [inner]))
    Object.assign(group, { cause: refused })
    t.equal(written({ message: 'failed', exception: group }), `failed
ExceptionGroup: 1 error in a taskGroup
    at f (file.ts:1:2)
  1 of 1: ExceptionGroup: 2 errors in a taskGroup
      at f (file.ts:1:2)
    1 of 2: Error: connection refused
        at f (file.ts:1:2)
      caused by: RangeError: port is 0
          at f (file.ts:1:2)
    2 of 2: "a word"
  caused by: Error: connection refused (see above)`)
  })

  await t.test('is bounded, and ends at a cycle of causes', async (t) => {
    const one = new Error('one')
    one.cause = new Error('two', { cause: one })
    t.match(written({ message: 'failed', exception: one }), /caused by: Error: one \(see above\)$/)
    const many = new ExceptionGroup('many', Array.from({ length: 1000 }, (_, at) => Object.assign(new Error(`error ${at}`), { stack: '' })))
    const lines = written({ message: 'failed', exception: many }).split('\n')
    t.equal(lines.filter((line) => /^ {2}\d+ of 1000: Error: error \d+$/.test(line)).length, 49)
    t.equal(lines.at(-1), '  … and 951 more of 1000 errors')
  })

  await t.test('of a dropped task says what failed in it', async (t) => {
    const { code, errors } = await runProgram(`
      function* connect() { yield* sleep(0.001); throw new Error('refused', { cause: new Error('by 10.0.0.7') }) }
      function* main() { createTask(taskGroup(function* (tg) { tg.createTask(connect()) })); yield* sleep(0.05) }
      await run(main())`)
    t.equal(code, 0)
    t.match(errors, /1 of 1: Error: refused\n.* at connect [^]* caused by: Error: by 10\.0\.0\.7/)
  })

  await t.test('names locations in full, however long their path is', async (t) => {
    const { loop, contexts } = listening(true)
    await run((function* () {
      createTask(fails('lost'), { name: 'a name of more than the usual length' })
      yield* sleep(0)
      loop.callExceptionHandler({ message: 'told', future: new Future() })
    })(), { loopFactory: () => loop })
    t.match(contexts.map(written), [
      /^told\n {2}future: <Future pending created at \/.*reports\.test\.ts:\d+>$/,
      /^Task exception was never retrieved: <Task finished name="a name of more than the usual length" coro=fails exception=Error: lost created at \/.*reports\.test\.ts:\d+>\n {2}created at \//,
    ])
  })
})
