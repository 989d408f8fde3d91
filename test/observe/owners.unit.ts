// Which tasks own what others wait for, on a real loop in virtual time: through the ring, in the model and in warnings.
import t from 'tap'
import {
  BoundedSemaphore, Condition, createTask, currentTask, getRunningLoop, Lock, Queue, run, Semaphore, sleep, taskGroup, timeout, VirtualClock, wait, type Coroutine, type Task,
} from '../../src/index.ts'
import type { EventLoop } from '../../src/index.ts'
import type { LoopEvent, Snapshot } from '../../src/events/schema.ts'
import type { Model } from '../../src/events/model.ts'
import { Recorder } from '../../src/events/recorder.ts'
import { watchInline } from './inline.ts'

interface Seen {
  /** What was reported, in one line each, with its time. */
  warnings: string[]
  /** What tasks wait for when the time is over: `Lock of A: B C`. */
  locks: string[]
  model: Model
}

/** Runs `main` for some seconds of its clock, watched, then cancels what is left. */
async function watch(main: () => Coroutine<unknown>, seconds: number): Promise<Seen> {
  let seen: Seen | null = null
  function* watched(): Coroutine<void> {
    const loop = getRunningLoop() as EventLoop
    const recorder = new Recorder(loop)
    const { observer, drain } = watchInline(loop)
    const task = createTask(main(), { name: 'main' })
    for (let polls = 0; polls < seconds * 10; polls++) {
      yield* sleep(0.1)
      drain()
      observer.poll()
    }
    const { history, model } = observer
    const warnings = Array.from({ length: history.last }, (_, at) => history.at(at + 1))
      .flatMap((event: LoopEvent) => (event.type === 'warning' ? [`${event.t.toFixed(1)} ${event.kind}: ${event.message}`] : []))
    seen = { warnings: warnings.map(unnumbered), locks: described(model.snapshot()), model }
    t.same(described(recorder.snapshot()), seen.locks, 'a recorder knows the same')
    const timeouts = ({ tasks }: Snapshot): number[] => tasks.flatMap(({ on }) => on?.timeout ?? [])
    t.same(timeouts(recorder.snapshot()), timeouts(model.snapshot()))
    for (const left of loop.liveTasks()) if (left !== currentTask()) left.cancel()
    yield* wait([task])
  }
  await run(watched(), { clock: new VirtualClock() })
  return seen as unknown as Seen
}

/** Locks are numbered in their process. */
const unnumbered = (text: string): string => text.replace(/<(\w+) \d+/g, '<$1')

function described({ tasks, locks = [] }: Snapshot): string[] {
  const name = (task: number): string => tasks.find((one) => one.task === task)?.name ?? `task ${task}`
  return locks.map(({ lock, owners, waiting }) => unnumbered(`${lock} of ${owners.map(name).sort().join(' ') || 'unknown'}: ${waiting.map(name).join(' ')}`))
}

function* dine(name: string, left: Lock, right: Lock): Coroutine<string> {
  yield* left.acquire()
  yield* sleep(0.01)
  yield* right.acquire()
  right.release()
  left.release()
  return name
}

const philosophers = (forks: Lock[]): Task<string>[] =>
  ['Plato', 'Kant', 'Hume', 'Hegel', 'Marx'].map((name, at) => createTask(dine(name, forks[at]!, forks[(at + 1) % forks.length]!), { name }))

const fork = (): Lock[] => Array.from({ length: 5 }, () => new Lock())

t.test('philosophers, in a program that otherwise goes on', async (t) => {
  const { warnings, locks } = await watch(function* () {
    philosophers(fork())
    for (;;) yield* sleep(0.05)
  }, 2)
  t.equal(warnings.length, 1, warnings.join('\n'))
  t.match(warnings[0], /^0\.\d await-cycle: a deadlock \(cycle of awaits\): Marx → Plato → Kant → Hume → Hegel → Marx; Marx waits for <Lock>, which Plato owns; Plato waits for <Lock>, which Kant owns/)
  t.same(locks, ['<Lock> of Kant: Plato', '<Lock> of Hume: Kant', '<Lock> of Hegel: Hume', '<Lock> of Marx: Hegel', '<Lock> of Plato: Marx'])
})

t.test('a deadlock that a timeout ends is none', async (t) => {
  const inTimeout: [what: string, main: (forks: Lock[]) => Coroutine<unknown>][] = [
    ['around one of its tasks', function* (forks) {
      createTask(timeout(9, () => dine('Plato', forks[0]!, forks[1]!)), { name: 'Plato' })
      createTask(dine('Kant', forks[1]!, forks[0]!), { name: 'Kant' })
      for (;;) yield* sleep(0.05)
    }],
    ['around the task that awaits them', (forks) => timeout(9, () => wait(philosophers(forks)))],
    ['around their group', (forks) => timeout(9, () => taskGroup(function* (group) {
      for (const [at, left] of forks.entries()) group.createTask(dine(`${at}`, left, forks[(at + 1) % 5]!), { name: `${at}` })
    }))],
    ['of an outer scope', (forks) => timeout(9, () => timeout(60, () => wait(philosophers(forks))))],
  ]
  for (const [what, main] of inTimeout) t.same((await watch(() => main(fork()), 3)).warnings, [], what)
  const { warnings } = await watch(() => timeout(null, () => wait(philosophers(fork()))), 3)
  t.match(warnings, [/await-cycle/], 'one without a deadline ends nothing')
})

t.test('semaphores', async (t) => {
  function* use(semaphore: Semaphore, seconds: number): Coroutine<void> {
    yield* semaphore.with(function* () {
      yield* sleep(seconds)
    })
  }

  await t.test('have owners, to which permits are passed on', async (t) => {
    const { warnings, locks } = await watch(function* () {
      const semaphore = new BoundedSemaphore(2)
      for (const [name, seconds] of [['A', 1], ['B', 9], ['C', 9], ['D', 9]] as const) createTask(use(semaphore, seconds), { name })
      yield* sleep(0.5)
      createTask(use(semaphore, 9), { name: 'E' }).cancel()
      for (;;) yield* sleep(0.05)
    }, 2)
    t.same(locks, ['<BoundedSemaphore> of B C: D'])
    t.same(warnings, [])
  })

  await t.test('are in a deadlock if all their owners are', async (t) => {
    function* twice(semaphore: Semaphore): Coroutine<void> {
      yield* semaphore.acquire()
      yield* sleep(0.01)
      yield* semaphore.acquire()
    }
    const { warnings } = await watch(function* () {
      const semaphore = new Semaphore(2)
      for (const name of ['A', 'B']) createTask(twice(semaphore), { name })
      for (;;) yield* sleep(0.05)
    }, 2)
    t.match(warnings, [/^1\.\d await-cycle: .*A waits for <Semaphore>, which A and B own/])
  })

  await t.test('that pass a signal from one task to another have none', async (t) => {
    const { warnings, locks } = await watch(function* () {
      const semaphore = new Semaphore(0)
      createTask((function* () {
        for (;;) yield* semaphore.acquire()
      })(), { name: 'consumer' })
      for (let times = 0; ; times++) {
        semaphore.release()
        yield* sleep(times < 3 ? 0.1 : 9)
      }
    }, 3)
    t.same(warnings, [])
    t.same(locks, ['<Semaphore> of unknown: consumer'])
  })
})

t.test('a condition is its lock\'s, and its waiters wait for a notify', async (t) => {
  const { locks } = await watch(function* () {
    const condition = new Condition()
    for (const name of ['A', 'B']) {
      createTask(condition.with(function* () {
        if (name === 'A') yield* condition.wait()
        else yield* sleep(9)
      }), { name })
    }
    yield* sleep(0.1)
    yield* condition.acquire()
  }, 1)
  t.same(locks, ['<Condition> of unknown: A', '<Lock> of B: main'])
})

t.test('a full queue', async (t) => {
  const put = (queue: Queue<number>) => function* (): Coroutine<void> {
    for (let item = 0; ; item++) yield* queue.put(item)
  }

  await t.test('that no task reads', async (t) => {
    const { warnings } = await watch(function* () {
      createTask(put(new Queue(2))(), { name: 'producer' })
      for (;;) yield* sleep(0.05)
    }, 2)
    t.match(warnings, [/^1\.\d queue-full: producer has waited 1 s and more for room in <Queue maxsize=2>: no task is known to have taken an item from it$/])
  })

  await t.test('that is no longer read is reported with its reader, and what that waits for', async (t) => {
    const { warnings, model } = await watch(function* () {
      const queue = new Queue<number>(2)
      const lock = new Lock()
      createTask(put(queue)(), { name: 'producer' })
      createTask((function* () {
        yield* queue.get()
        yield* lock.acquire()
      })(), { name: 'consumer' })
      yield* lock.acquire()
      for (;;) yield* sleep(0.05)
    }, 2)
    t.match(warnings, [/queue-full: producer has .*: consumer took the last item, and waits for <Lock>, which main owns$/])
    const [queue] = [...model.queues.values()]
    t.match(queue, { size: 2, putter: Number, getter: Number })
  })
})
