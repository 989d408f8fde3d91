// Instruments: what the loop reports to them, in which order; and what debug mode knows of positions in the source.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import {
  asCompleted, Barrier, captureCallGraph, Condition, createTask, currentTask, Event, EventLoop, fromPromise, Future, gather, getRunningLoop, Instruments, Lock, print, printCallGraph, Queue,
  run, Runner, Semaphore, shield, sleep, taskGroup, timeout, VirtualClock, wait, waitFor, type Coroutine, type ExceptionContext, type Instrument, type Task, type Wait,
} from '../../src/index.ts'
import { onLoopStart } from '../../src/runtime/loop.ts'
import { nameOf as nameForWatchers } from '../../src/runtime/names.ts'
import { framesOf } from '../../src/runtime/origins.ts'
import { recorded, thrownBy, type Log } from '../support/virtual.ts'

/** A virtual clock that keeps the console's output. */
class QuietClock extends VirtualClock {
  readonly lines: string[] = []

  override write(line: string): void {
    this.lines.push(line)
  }

  override report(text: string): void {
    this.lines.push(text)
  }
}

const nameOf = (task: Task<unknown> | null): string => task?.getName() ?? 'nobody'

function wording(wait: Wait): string {
  const tasks = wait.tasks === undefined ? '' : ` tasks=${wait.tasks.map(nameOf).join('+')}`
  return `${wait.kind}${tasks}${wait.deadline === undefined ? '' : ` deadline=${wait.deadline}`}`
}

/** Writes down every hook about tasks, queues and printing. */
function writesDown(log: Log): Instrument {
  return {
    loopStarted: () => log('loopStarted'),
    loopClosed: () => log('loopClosed'),
    taskCreated: (task, parent) => log('created', nameOf(task), 'by', nameOf(parent)),
    taskReady: (task, by) => log('ready', nameOf(task), 'by', nameOf(by)),
    taskRunning: (task) => log('running', nameOf(task)),
    taskSuspended: (task, on) => log('suspended', nameOf(task), 'on', wording(on)),
    taskCancelling: (task, by, message) => log('cancelling', nameOf(task), 'by', nameOf(by), message),
    taskFinished: (task, outcome, error) => log('finished', nameOf(task), outcome, error),
    printed: (task, text) => log('printed', nameOf(task), text),
    queueChanged: (queue, op, by) => log('queue', op, queue.qsize(), queue.unfinished, queue.maxsize, 'by', nameOf(by)),
  }
}

/** Without the tasks in which run() closes down: they have no names of their own. */
function ofNamed(lines: string[]): string[] {
  return lines.filter((line) => !/Task-\d/.test(line))
}

/** Runs `main` with an instrument from before the loop starts until after it is closed; returns what both logged. */
async function watched(main: (log: Log) => Coroutine<unknown>, instrument = writesDown): Promise<string[]> {
  const lines: string[] = []
  const log: Log = (...words) => void lines.push(words.map(String).join(' '))
  const loop = new EventLoop({ clock: new QuietClock() })
  loop.instruments.add(instrument(log))
  await run(main(log), { loopFactory: () => loop, name: 'main' }).catch((error) => log('run rejects:', error))
  return ofNamed(lines)
}

t.test('the hooks of a small program, in order', async (t) => {
  t.same(await watched(function* () {
    const child = createTask((function* () {
      yield* sleep(1)
      print('half', 1)
      yield* sleep(0)
      return 'result'
    })(), { name: 'child' })
    yield* child
  }), [
    'created main by nobody', 'ready main by nobody', 'loopStarted',
    'running main', 'created child by main', 'ready child by main', 'suspended main on task tasks=child',
    'running child', 'suspended child on sleep deadline=1',
    'ready child by nobody', 'running child', 'printed child half 1', 'suspended child on yield', 'ready child by child',
    'running child', 'finished child returned null', 'ready main by child',
    'running main', 'finished main returned null',
    'loopClosed',
  ])
})

t.test('a cancellation and a failure, in order', async (t) => {
  t.same(await watched(function* () {
    const child = createTask(sleep(10), { name: 'child' })
    yield* sleep(1)
    child.cancel('go')
    yield* sleep(0)
    throw new Error('oh')
  }), [
    'created main by nobody', 'ready main by nobody', 'loopStarted',
    'running main', 'created child by main', 'ready child by main', 'suspended main on sleep deadline=1',
    'running child', 'suspended child on sleep deadline=10',
    'ready main by nobody', 'running main', 'cancelling child by main go', 'ready child by main', 'suspended main on yield', 'ready main by main',
    'running child', 'finished child cancelled null',
    'running main', 'finished main raised Error: oh',
    'loopClosed', 'run rejects: Error: oh',
  ])
})

t.test('taskYielded replaces the two hooks of a sleep(0), if an instrument has it', async (t) => {
  const instrument = (log: Log): Instrument => ({ ...writesDown(log), taskYielded: (task) => log('yielded', nameOf(task)) })
  const main = function* (): Coroutine<void> {
    createTask(sleep(0), { name: 'child' })
    yield* sleep(0)
    yield* sleep(1)
  }
  const told = await watched(main, instrument)
  t.same(told.filter((line) => line.startsWith('yielded')), ['yielded main', 'yielded child'])
  t.same(
    told.flatMap((line) => line.startsWith('yielded') ? [line.replace('yielded', 'suspended') + ' on yield', `ready ${line.slice(8)} by ${line.slice(8)}`] : [line]),
    await watched(main), 'and all else is as it would be without',
  )
})

t.test('queueChanged reports the operation, the size after it, and the task that did it', async (t) => {
  const instrument = (log: Log): Instrument => ({
    queueChanged: (queue, op, by) => log(op, `size=${queue.qsize()} unfinished=${queue.unfinished} maxsize=${queue.maxsize} by ${nameOf(by)}`),
  })
  t.same(await watched(function* (log) {
    const queue = new Queue<number>(1)
    const child = createTask((function* () {
      yield* queue.put(1)
      yield* queue.put(2)
    })(), { name: 'child' })
    yield* sleep(1)
    yield* queue.get()
    yield* child
    queue.getNowait()
    queue.taskDone()
    getRunningLoop().callSoon(() => queue.putNowait(3))
    yield* sleep(0)
    queue.shutdown(true)
    const ids = new Set([queue.id, queue.id, new Queue().id])
    log(ids.size)
  }, instrument), [
    'put size=1 unfinished=1 maxsize=1 by child', 'get size=0 unfinished=1 maxsize=1 by main', 'put size=1 unfinished=2 maxsize=1 by child',
    'get size=0 unfinished=2 maxsize=1 by main', 'done size=0 unfinished=1 maxsize=1 by main',
    'put size=1 unfinished=2 maxsize=1 by nobody', 'get size=0 unfinished=1 maxsize=1 by main', '2',
  ])
})

t.test('what a task waits for: its kind, and its object', async (t) => {
  /** The first wait of a task that runs `body`. */
  async function firstWait(body: () => Coroutine<unknown>): Promise<Wait> {
    let first: Wait | null = null
    const instrument = { taskSuspended: (task: Task<unknown>, on: Wait) => { if (task.getName() === 'waits') first ??= { ...on, label: on.label! } } }
    await recorded(function* () {
      getRunningLoop().instruments.add(instrument)
      const task = createTask(body(), { name: 'waits' })
      yield* sleep(0)
      yield* sleep(0)
      task.cancel()
      yield* wait([task])
    })
    if (first === null) throw new Error('it never waited')
    return first
  }
  const child = (): Task<void> => createTask(sleep(50), { name: 'child' })
  const locked = function* (lock: Lock): Coroutine<void> {
    yield* lock.acquire()
    yield* lock.acquire()
  }
  const cases: [string, () => Coroutine<unknown>, string, RegExp?][] = [
    ['sleep', () => sleep(5), 'sleep deadline=5'],
    ['sleep(0)', () => sleep(0), 'yield'],
    ['a future', function* () { yield* getRunningLoop().createFuture() }, 'future', /^<Future pending>$/],
    ['a task', function* () { yield* child() }, 'task tasks=child', /^child$/],
    ['gather', function* () { yield* gather([child(), child()]) }, 'gather tasks=child+child', /^2 of 2$/],
    ['wait', function* () { yield* wait([child(), child()]) }, 'gather tasks=child+child', /2/],
    ['taskGroup', () => taskGroup(function* (tg) { tg.createTask(sleep(9), { name: 'member' }) }), 'gather tasks=member', /^taskGroup/],
    ['shield', function* () { yield* shield(child()) }, 'future'],
    ['timeout', () => timeout(3, function* () { yield* sleep(7) }), 'sleep deadline=7'],
    ['waitFor a task', function* () { yield* waitFor(child(), 3) }, 'task tasks=child'],
    ['Queue.get', () => new Queue().get(), 'queue.get', /^<Queue maxsize=0 size=0 getters=1>$/],
    ['Queue.put', function* () {
      const queue = new Queue<number>(1)
      queue.putNowait(1)
      yield* queue.put(2)
    }, 'queue.put', /^<Queue maxsize=1 size=1 putters=1 unfinished=1>$/],
    ['Queue.join', function* () {
      const queue = new Queue<number>()
      queue.putNowait(1)
      yield* queue.join()
    }, 'queue.join', /^<Queue maxsize=0 size=1 unfinished=1>$/],
    ['Lock', () => locked(new Lock()), 'lock', /^<Lock locked waiters=1>$/],
    ['Event', () => new Event().wait(), 'event', /^<Event unset waiters=1>$/],
    ['Condition', () => {
      const condition = new Condition()
      return condition.with(() => condition.wait())
    }, 'condition', /^<Condition unlocked waiters=1>$/],
    ['Semaphore', () => new Semaphore(0).acquire(), 'semaphore', /^<Semaphore locked waiters=1>$/],
    ['Barrier', () => new Barrier(2).wait(), 'barrier', /^<Barrier filling waiting=1\/2>$/],
    ['a promise', () => fromPromise(function download() { return new Promise(() => {}) }), 'promise', /^download$/],
  ]
  for (const [name, body, expected, label] of cases) {
    const on = await firstWait(body)
    t.equal(wording(on), expected, name)
    if (label !== undefined) t.match(on.label, label, `${name}: its label`)
  }
})

t.test('callbacks are reported as they begin and end', async (t) => {
  const instrument = (log: Log): Instrument => ({ callbackRunning: (callback) => log('begins', callback), callbackFinished: (callback) => log('ends', callback) })
  t.same((await watched(function* (log) {
    getRunningLoop().callSoon(function tick() { log('tick') })
    yield* sleep(0)
  }, instrument)).slice(0, 3), ['begins <Handle <function tick>>', 'tick', 'ends <Handle <function tick>>'])
})

t.test('the set of instruments', async (t) => {
  t.test('nothing registered, nothing called: also after delete, and on another loop', async (t) => {
    t.same(await recorded(function* (log) {
      const { instruments } = getRunningLoop()
      const instrument = writesDown(log)
      log(instruments instanceof Instruments, instruments.size, instruments.has(instrument))
      yield* createTask(sleep(0), { name: 'unwatched' })
      log(instruments.add(instrument).has(instrument), instruments.size, [...instruments].length)
      instruments.add(instrument)
      log('twice is once', instruments.size)
      log(instruments.delete(instrument), instruments.delete(instrument), instruments.size)
      yield* createTask(sleep(0), { name: 'unwatched' })
    }), ['true 0 false', 'true 1 1', 'twice is once 1', 'true false 0'])
  })

  t.test('several are called in the order in which they were added', async (t) => {
    t.same(ofNamed(await recorded(function* (log) {
      const { instruments } = getRunningLoop()
      for (const name of ['a', 'b']) instruments.add({ taskCreated: (task) => log(name, task.getName()) })
      createTask(sleep(0), { name: 'x' })
      instruments.delete([...instruments][0] as Instrument)
      createTask(sleep(0), { name: 'y' })
    })), ['a x', 'b x', 'b y'])
  })

  t.test('one that throws is removed and reported, and no task is affected', async (t) => {
    const contexts: ExceptionContext[] = []
    class Faulty implements Instrument {
      taskRunning(): void {
        throw new Error('instrument broke')
      }
    }
    t.same(ofNamed(await recorded(function* (log) {
      const loop = getRunningLoop()
      loop.setExceptionHandler((_loop, context) => contexts.push(context))
      const faulty = new Faulty()
      loop.instruments.add(faulty)
      loop.instruments.add({ taskRunning: (task) => log('the other sees', task.getName()) })
      log(yield* createTask(sleep(0, 'result'), { name: 'child' }), loop.instruments.has(faulty), loop.instruments.size)
    }, { name: 'main' })), ['the other sees child', 'the other sees child', 'the other sees main', 'result false 1'])
    t.equal(contexts.length, 1)
    t.match(contexts[0], { message: 'instrument <Faulty> threw in taskRunning and was removed', exception: { message: 'instrument broke' } })
  })

  t.test('may change during a hook: an added one gets the next hook, a deleted one still gets this one', async (t) => {
    t.same(ofNamed(await recorded(function* (log) {
      const { instruments } = getRunningLoop()
      const late: Instrument = { taskCreated: (task) => log('late', task.getName()) }
      const second: Instrument = { taskCreated: (task) => log('second', task.getName()) }
      instruments.add({
        taskCreated: (task) => {
          log('first', task.getName())
          instruments.add(late).delete(second)
        },
      })
      instruments.add(second)
      createTask(sleep(0), { name: 'x' })
      createTask(sleep(0), { name: 'y' })
    })), ['first x', 'second x', 'first y', 'late y'])
  })

  t.test('one that wants the location of a task is called before it suspends, its coroutine still on the stack', async (t) => {
    const stacks: string[] = []
    t.same(ofNamed(await recorded(function* (log) {
      function* readsBelow(): Coroutine<void> {
        yield* sleep(1)
      }
      function* reads(): Coroutine<void> {
        yield* readsBelow()
        yield* createTask(sleep(0), { name: 'other' })
      }
      getRunningLoop().instruments.add({
        wantsLocation: (task) => task.getName() === 'wanted',
        taskSuspending: (task) => {
          log('suspending', task.getName())
          stacks.push(new Error().stack ?? '')
        },
        taskSuspended: (task, on) => log('suspended', task.getName(), on.kind),
      })
      yield* gather([createTask(reads(), { name: 'wanted' }), createTask(sleep(0), { name: 'unwanted' })])
    }, { name: 'main' })).filter((line) => !line.includes('main')), [
      'suspending wanted', 'suspended wanted sleep', 'suspended unwanted yield', 'suspending wanted', 'suspended wanted task', 'suspended other yield',
    ])
    t.match(stacks[0], /readsBelow[^]*reads/)
    t.notMatch(stacks[1], /readsBelow/)
  })

  t.test('one receives every report, by its kind, with any handler', async (t) => {
    const told: ExceptionContext[] = []
    const handled: ExceptionContext[] = []
    await run((function* () {
      const loop = getRunningLoop()
      loop.setExceptionHandler((_loop, context) => handled.push(context))
      loop.instruments.add({ reported: (context) => told.push(context) })
      loop.callSoon(() => {
        throw new Error('in a callback')
      })
      createTask((function* (): Coroutine<void> {
        throw new Error('unseen')
      })())
      yield* sleep(0.01)
    })(), { debug: true })
    t.same(told.map(({ kind }) => kind), [undefined, 'never-retrieved'])
    t.same(told, handled)
  })

  t.test('a listener is called for each loop that begins to run, until it is removed', async (t) => {
    const heard: EventLoop[] = []
    const off = onLoopStart((loop) => heard.push(loop))
    const loop = new EventLoop()
    await loop.runUntilComplete(sleep(0))
    await loop.runUntilComplete(sleep(0))
    off()
    await loop.runUntilComplete(sleep(0))
    t.same(heard, [loop, loop])
    loop.close()
  })

  t.test('an instrument added while the loop runs receives what happens from then on', async (t) => {
    t.same((await recorded(function* (log) {
      const child = createTask(sleep(1), { name: 'child' })
      yield* sleep(0.5)
      getRunningLoop().instruments.add(writesDown(log))
      yield* child
      getRunningLoop().instruments.delete([...getRunningLoop().instruments][0] as Instrument)
    }, { name: 'main' })), ['suspended main on task tasks=child', 'ready child by nobody', 'running child', 'finished child returned null', 'ready main by child', 'running main'])
  })
})

t.test('print writes a line as the console would, also outside of tasks', async (t) => {
  const clock = new QuietClock()
  await run((function* () {
    print('a', 1, { b: [2] }, '100%', null)
    getRunningLoop().callSoon(() => print('callback'))
    yield* sleep(0)
  })(), { clock })
  t.same(clock.lines, ['a 1 { b: [ 2 ] } 100% null', 'callback'])
})

// The next tests look for lines of this very file: a comment marks each line.
const source = readFileSync(fileURLToPath(import.meta.url), 'utf8').split('\n')
const lineOf = (mark: string): number => source.findIndex((line) => line.endsWith(`// ${mark}`)) + 1

function* inner(): Coroutine<void> {
  yield* sleep(1) // inner
}
function* middle(): Coroutine<void> {
  yield* sleep(0) // first wait
  yield* inner() // middle
}
function* outer(): Coroutine<void> {
  yield* timeout(5, function* within() {
    yield* middle() // within
  }) // outer
}

t.test('debug mode', async (t) => {
  t.test('reads the stacks of every engine', async (t) => {
    const frames = [['inner', 'app/main.ts', 4, 11], ['', 'app/main.ts', 9, 3]]
    for (const stack of [
      'Error: trace\n    at inner (file://app/main.ts:4:11)\n    at app/main.ts:9:3',
      'inner@file://app/main.ts:4:11\n@app/main.ts:9:3\n',
    ]) t.same(framesOf(stack).map(({ function: name, file, line, column }) => [name, file, line, column]), frames)
    t.same(framesOf(''), [])
  })

  const place = ({ function: name, line }: { function: string; line: number }): [string, number] => [name, line]

  t.test('getStack gives the whole yield* chain, oldest first, with names and lines', async (t) => {
    t.plan(3)
    await recorded(function* () {
      const task = createTask(outer(), { name: 'child' })
      yield* sleep(0)
      t.same(task.getStack().filter(({ file }) => file.endsWith('instruments.unit.ts')).map(place).slice(-2), [['within', lineOf('within')], ['middle', lineOf('first wait')]])
      yield* sleep(0.5)
      const stack = task.getStack()
      t.same(stack.map(place), [['outer', lineOf('outer') - 2], ['within', lineOf('within')], ['middle', lineOf('middle')], ['inner', lineOf('inner')]])
      yield* task
      t.same(task.getStack(), [])
    }, { debug: true })
  })

  t.test('an instrument finds the stack in taskSuspended', async (t) => {
    t.same(await recorded(function* (log) {
      getRunningLoop().instruments.add({ taskSuspended: (task, on) => log(on.kind, task.getStack().at(-1)?.line) })
      yield* inner()
      yield* new Queue<number>(1).put(1)
    }, { debug: true }), [`sleep ${lineOf('inner')}`])
  })

  t.test('printStack writes it', async (t) => {
    let text = ''
    await recorded(function* () {
      const task = createTask(outer(), { name: 'child' })
      yield* sleep(0.5)
      task.printStack((written) => { text = written })
    }, { debug: true })
    const [first, ...lines] = text.split('\n')
    t.match(first, /^Stack for <Task pending name="child" coro=outer .*> \(oldest frame first\):$/)
    t.equal(lines.length, 4)
    t.match(lines[3], new RegExp(`instruments\\.unit\\.ts:${lineOf('inner')}:\\d+, in inner$`))
  })

  t.test('a task, a future and a handle know where they were made', async (t) => {
    t.same(await recorded(function* (log) {
      const task = createTask(sleep(0)) // origin of task
      const future = getRunningLoop().createFuture() // origin of future
      for (const object of [task, future]) log(/created at .*instruments\.unit\.ts:(\d+)>$/.exec(String(object))?.[1])
      yield* task
    }, { debug: true }), [String(lineOf('origin of task')), String(lineOf('origin of future'))])
  })

  t.test('a CancelledError has a stack only in debug mode', async (t) => {
    for (const debug of [false, true]) {
      await recorded(function* () {
        const task = createTask(inner())
        yield* sleep(0.5)
        task.cancel()
        const [error] = yield* gather([task], { returnExceptions: true })
        t.equal(/instruments\.unit\.ts|runtime/.test((error as Error).stack ?? ''), debug)
      }, { debug })
    }
  })

  t.test('warns of a task that swallowed its cancellation and waits again', async (t) => {
    const contexts: ExceptionContext[] = []
    await recorded(function* () {
      const loop = getRunningLoop()
      loop.setExceptionHandler((_loop, context) => contexts.push(context))
      const task = createTask((function* () {
        for (let n = 0; n < 2; n++) {
          try {
            yield* sleep(10)
          } catch {
            // A common mistake: it is meant for failures only.
          }
        }
      })(), { name: 'deaf' })
      yield* sleep(1)
      task.cancel()
      yield* task
    }, { debug: true })
    t.equal(contexts.length, 1)
    t.match(contexts[0]?.message, /^<Task .*name="deaf".* swallowed its cancellation and waits again at .*: begin a `catch` that is meant for failures with rethrowCancelled\(error\)/s)
  })

  t.test('does not warn of a clean-up that awaits, of rethrowCancelled, nor of uncancel', async (t) => {
    t.same(await recorded(function* () {
      const bodies = [
        function* () {
          try {
            yield* sleep(10)
          } finally {
            yield* sleep(1)
          }
        },
        function* () {
          try {
            yield* sleep(10)
          } catch {
            currentTask()?.uncancel()
          }
          yield* sleep(1)
        },
        function* () { yield* timeout(1, function* () { yield* sleep(10) }) },
      ]
      const tasks = bodies.map((body) => createTask(body()))
      yield* sleep(0.5)
      for (const task of tasks.slice(0, 2)) task.cancel()
      yield* gather(tasks, { returnExceptions: true })
    }, { debug: true }), [])
  })
})

t.test('debug mode and a cancellation that the runtime itself catches and passes on', async (t) => {
  function* slowToEnd(): Coroutine<void> {
    try {
      yield* sleep(100)
    } finally {
      yield* sleep(1)
    }
  }
  const atTheEndOfAGroup = (): Coroutine<unknown> => taskGroup(function* (tg) {
    tg.createTask(slowToEnd())
  })
  const inABody = (): Coroutine<unknown> => taskGroup(function* (tg) {
    tg.createTask(slowToEnd())
    yield* sleep(100)
  })
  function* inACondition(): Coroutine<void> {
    const condition = new Condition()
    createTask((function* () {
      yield* sleep(0.5)
      yield* condition.acquire()
      yield* sleep(3)
      condition.release()
    })())
    yield* condition.with(function* () { yield* condition.wait() })
  }
  const bodies = { atTheEndOfAGroup, inABody, inACondition }
  for (const [name, body] of Object.entries(bodies)) {
    await t.test(`${name}: nothing was swallowed`, async (t) => {
      t.same(await recorded(function* (log) {
        const task = createTask(body(), { name })
        for (const seconds of [1, 0.25]) {
          yield* sleep(seconds)
          task.cancel()
        }
        log(yield* thrownBy(function* () { yield* task }), task.cancelled())
      }, { debug: true }), ['CancelledError true'])
    })

    await t.test(`${name}: a later swallow is reported`, async (t) => {
      const told: string[] = []
      await recorded(function* () {
        getRunningLoop().setExceptionHandler((_loop, { message }) => told.push(message))
        const task = createTask((function* () {
          try {
            yield* body()
          } catch {
            // A common mistake: it is meant for failures only.
          }
          yield* sleep(1)
        })(), { name })
        yield* sleep(1)
        task.cancel()
        yield* task
      }, { debug: true })
      t.match(told, [/ swallowed its cancellation and waited again at .*, and then returned/])
    })
  }
})

t.test('captureCallGraph and printCallGraph', async (t) => {
  t.test('show where a task is suspended and what awaits it, also through gather and a group', async (t) => {
    let text = ''
    await recorded(function* () {
      const leaf = createTask(inner(), { name: 'leaf' })
      const parents = [
        createTask((function* direct() { yield* leaf })(), { name: 'direct' }),
        createTask((function* gathering() { yield* gather([leaf]) })(), { name: 'gathering' }),
      ]
      const top = createTask((function* top() { yield* parents[0] as Task<void> })(), { name: 'top' })
      yield* sleep(0.5)
      const graph = captureCallGraph(leaf)
      t.equal(graph?.future, leaf)
      t.same(graph?.callStack.map(({ function: name, line }) => [name, line]), [['inner', lineOf('inner')]])
      t.same(graph?.awaitedBy.map(({ future }) => future), parents)
      t.same(graph?.awaitedBy[0]?.awaitedBy.map(({ future }) => future), [top])
      printCallGraph(leaf, (written) => { text = written })
    }, { debug: true })
    t.same(text.split('\n').map((line) => line.replace(/, at .*:(\d+)$/, ', at line $1')).filter((line) => !line.includes('gathering,') && !line.includes('direct,') && !line.includes('top,') && !line.includes('Call stack')), [
      '* Task(name="leaf")',
      `  |   inner, at line ${lineOf('inner')}`,
      '  + Awaited by:',
      '     * Task(name="direct")',
      '       + Awaited by:',
      '          * Task(name="top")',
      '     * Task(name="gathering")',
    ])
  })

  t.test('show what awaits a task or a plain future in every way to wait', async (t) => {
    await recorded(function* () {
      for (const target of [createTask(sleep(600)), new Future<void>()]) {
        const ways: Record<string, () => Coroutine<unknown>> = {
          await: function* () { yield* target },
          asCompleted: function* () { for (const next of asCompleted([target])) yield* next },
          gather: function* () { yield* gather([target]) },
          shield: function* () { yield* shield(target) },
          wait: function* () { yield* wait([target]) },
          waitFor: function* () { yield* waitFor(target, 600) },
          nested: function* () { yield* gather([shield(gather([target])), sleep(600)]) },
        }
        for (const [name, way] of Object.entries(ways)) createTask(way(), { name })
        yield* sleep(0.1)
        t.same(captureCallGraph(target)?.awaitedBy.map(({ future }) => future.label()), Object.keys(ways))
      }
    })
  })

  t.test('show each task once, with a reference where it occurs again', async (t) => {
    let text = ''
    await recorded(function* () {
      const leaf = createTask(sleep(600), { name: 'leaf' })
      const lower = ['a', 'b'].map((name) => createTask((function* () { yield* leaf })(), { name }))
      const upper = ['c', 'd'].map((name) => createTask((function* () { yield* gather(lower) })(), { name }))
      createTask((function* () { yield* gather(upper) })(), { name: 'top' })
      yield* sleep(0.1)
      printCallGraph(leaf, (written) => { text = written })
      t.same(captureCallGraph(leaf)?.awaitedBy[1]?.awaitedBy.map(({ repeated, awaitedBy }) => [repeated, awaitedBy.length]), [[true, 0], [true, 0]])
    })
    t.same(text.split('\n').filter((line) => line.includes('*')).map((line) => line.trim()), [
      '* Task(name="leaf")', '* Task(name="a")', '* Task(name="c")', '* Task(name="top")', '* Task(name="d")', '* Task(name="top") (see above)',
      '* Task(name="b")', '* Task(name="c") (see above)', '* Task(name="d") (see above)',
    ])
  })

  t.test('end if tasks await each other', async (t) => {
    await recorded(function* () {
      const tasks: Task<void>[] = []
      for (const [name, other] of [['a', 1], ['b', 0]] as const) tasks.push(createTask((function* () { yield* shield(tasks[other]!) })(), { name }))
      yield* sleep(0.1)
      const graph = captureCallGraph(tasks[0]!)
      t.same(graph?.awaitedBy[0]?.awaitedBy.map(({ future, repeated }) => [future === tasks[0], repeated]), [[true, true]])
      tasks[0]!.cancel()
    })
  })

  t.test('take the current task by default; null outside a task', async (t) => {
    t.equal(captureCallGraph(), null)
    t.same(await recorded(function* (log) { log(captureCallGraph()?.future === currentTask()) }), ['true'])
  })
})

t.test('watched code runs in the same order as unwatched code', async (t) => {
  function* program(log: Log): Coroutine<void> {
    const queue = new Queue<number>(2)
    yield* taskGroup(function* (tg) {
      tg.createTask((function* () {
        for (let n = 0; n < 6; n++) {
          yield* queue.put(n)
          log('put', n)
        }
      })())
      for (const name of ['a', 'b']) {
        tg.createTask((function* () {
          for (let n = 0; n < 3; n++) {
            log(name, yield* queue.get())
            yield* sleep(n * 0.1)
          }
        })())
      }
    })
  }
  const plain = await recorded(program)
  const watching = await recorded(function* (log) {
    getRunningLoop().instruments.add({ taskReady() {}, taskRunning() {}, taskSuspended() {}, queueChanged() {} })
    yield* program(log)
  })
  const debugging = await recorded(program, { debug: true })
  t.equal(plain.length, 12)
  t.same(watching, plain)
  t.same(debugging, plain)
})

t.test('a Runner\'s loop can be watched between runs', async (t) => {
  const lines: string[] = []
  await using runner = new Runner({ clock: new VirtualClock() })
  runner.getLoop().instruments.add({ taskCreated: (task) => void lines.push(task.getName()) })
  await runner.run(sleep(1), { name: 'first' })
  await runner.run(sleep(1), { name: 'second' })
  t.same(lines, ['first', 'second'])
})

t.test('a waited-for object has a name that does not change', async (t) => {
  const queue = new Queue<number>(2)
  const [lock, other] = [new Lock(), new Lock()]
  t.match(nameForWatchers(queue), { text: /^<Queue \d+ maxsize=2>$/, queue: queue.id })
  queue.putNowait(1)
  t.equal(nameForWatchers(queue), nameForWatchers(queue))
  t.match(nameForWatchers(lock).text, /^<Lock \d+>$/)
  t.not(nameForWatchers(lock).text, nameForWatchers(other).text)
  t.equal(nameForWatchers(lock).queue, undefined)
})
