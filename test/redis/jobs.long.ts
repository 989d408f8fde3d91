// The shared queue as a queue of jobs, on a real redis-server: delays, priorities, names, tries and dead letters, and what is
// left when processes die and connections break.
import t, { type Test } from 'tap'
import { createTask, fromPromise, gather, getRunningLoop, run, sleep, type Coroutine } from '../../src/index.ts'
import { RedisQueue } from '../../src/redis/index.ts'
import { noRedis, slowProxy, startRedis } from '../support/redis.ts'
import { thrownBy } from '../support/virtual.ts'
import { bundleMember, Member } from './members.ts'
import { queueProgram, type Open } from './queues.ts'

t.test('a queue of jobs', { skip: noRedis }, async (t) => {
  const redis = await startRedis(t)
  const test = (t: Test, title: string, main: (t: Test, open: Open) => Coroutine<void>): Promise<unknown> =>
    t.test(title, (t) => queueProgram(redis.url, (open) => main(t, open)))
  /** Gets without waiting until there is nothing. */
  function* rest(queue: RedisQueue<unknown>): Coroutine<unknown[]> {
    const got: unknown[] = []
    try {
      for (;;) got.push(yield* queue.getNowait())
    } catch {
      return got
    }
  }
  const reports = (): string[] => {
    const said: string[] = []
    getRunningLoop().setExceptionHandler((_loop, { message }) => void said.push(message))
    return said
  }

  await test(t, 'a delayed item is got when it is due, and others before it', function* (t, open) {
    const queue = open()
    yield* queue.put('late', { delay: 0.6 })
    yield* queue.put('later', { delay: 0.7 })
    yield* queue.put('now')
    t.same(yield* rest(queue), ['now'])
    t.match(yield* queue.stats(), { unfinished: 3, ready: 0, delayed: 2, taken: 1 })
    t.equal(yield* queue.qsize(), 2)
    const others = [createTask(queue.get()), createTask(open().get())]
    t.same((yield* gather(others)).sort(), ['late', 'later'])
    t.match(yield* queue.stats(), { ready: 0, delayed: 0, taken: 3 })
  })

  await test(t, 'delayed items take room', function* (t, open) {
    const queue = open({ maxsize: 1 })
    yield* queue.put('a', { delay: 60 })
    t.match(yield* thrownBy(() => queue.putNowait('b')), { name: 'QueueFull' })
    t.equal(yield* queue.full(), true)
  })

  await test(t, 'the lowest priority is got first, and items of one priority in order', function* (t, open) {
    const queue = open()
    for (const [item, priority] of [['b1', 0], ['c', 5], ['a1', -1], ['b2', 0], ['a2', -1]] as const) yield* queue.put(item, { priority })
    yield* queue.put('first', { priority: -2, delay: 0.05 })
    yield* queue.put('second', { priority: -1, delay: 0.05 })
    while ((yield* queue.stats()).delayed > 0) {
      yield* sleep(0.1)
      // A get moves what is due.
      const item = yield* queue.get()
      queue.giveBack(item)
    }
    t.same(yield* rest(queue), ['first', 'a1', 'a2', 'second', 'b1', 'b2', 'c'])
  })

  await test(t, 'of one name there is one unfinished item', function* (t, open) {
    const queue = open({ tries: 1 })
    reports()
    yield* queue.put('a', { name: 'mail 7' })
    yield* queue.put('b', { name: 'mail 7' })
    t.match(queue.counts, { put: 1, duplicates: 1 })
    t.same(yield* rest(queue), ['a'])
    yield* queue.put('c', { name: 'mail 7', delay: 1 })
    t.equal((yield* queue.stats()).unfinished, 1, 'also while a consumer has it')
    queue.taskDone('a')
    yield* queue.join()
    yield* queue.put('d', { name: 'mail 7' })
    t.equal(yield* queue.get(), 'd')
    queue.taskFailed('no', 'd')
    yield* queue.join()
    yield* queue.put('e', { name: 'mail 7' })
    t.same(yield* rest(queue), ['e'], 'the name of a dead letter is free')
  })

  await test(t, 'a failed try is repeated after the back-off; after the last the item is a dead letter with the reason', function* (t, open) {
    const said = reports()
    const asked: number[] = []
    const queue = open({ tries: 3, backoff: (failures) => { asked.push(failures); return failures / 100 } })
    yield* queue.put('a', { priority: 3 })
    const seen = []
    for (let attempt = 1; attempt <= 3; attempt++) {
      const item = yield* queue.get()
      seen.push(queue.delivery(item))
      queue.taskFailed(new Error(`no ${attempt}`), item)
    }
    yield* queue.join()
    t.same(asked, [1, 2, 3])
    t.same(seen.map(({ deliveries, failures }) => [deliveries, failures]), [[1, 0], [2, 1], [3, 2]])
    t.equal(new Set(seen.map(({ id }) => id)).size, 1)
    t.match(said, [/an item became a dead letter in loopscope:queue:\{.*\}:dead: Error: no 3/])
    t.match(queue.counts, { put: 1, got: 3, redelivered: 2, done: 0, failed: 3, deadLetters: 1 })
    t.match(yield* queue.stats(), { unfinished: 0, deadLetters: 1, done: 0, failed: 3 })
    const [letter] = yield* queue.deadLetters.list()
    t.match(letter, { item: 'a', json: '"a"', why: 'Error: no 3', failures: 3 })
    t.type(letter!.at, Date)

    t.equal(yield* queue.deadLetters.redrive(letter!.id, letter!.id), 1)
    t.equal(yield* queue.get(), 'a')
    t.match(queue.delivery(), { deliveries: 1, failures: 0 })
    queue.taskDone()
    yield* queue.join()
    t.match(yield* queue.stats(), { deadLetters: 0, done: 1 })
  })

  await test(t, 'dead letters are listed in parts, and removed', function* (t, open) {
    reports()
    const queue = open({ tries: 1 })
    for (let n = 0; n < 5; n++) yield* queue.put(n)
    for (let n = 0; n < 5; n++) queue.taskFailed('no', yield* queue.get())
    yield* queue.join()
    const first = yield* queue.deadLetters.list({ limit: 3 })
    const second = yield* queue.deadLetters.list({ after: first[2]!.id })
    t.same([...first, ...second].map(({ item }) => item), [0, 1, 2, 3, 4])
    t.equal(yield* queue.deadLetters.remove(...[...first, ...second].map(({ id }) => id)), 5)
    t.same(yield* queue.deadLetters.list(), [])
    t.match(yield* thrownBy(() => queue.deadLetters.list({ limit: 0 })), { name: 'RangeError', message: /from 1 to 256, got 0/ })
    t.match(yield* thrownBy(() => queue.deadLetters.redrive('x')), { name: 'TypeError', message: /takes the id of a dead letter, got "?x/ })
  })

  await test(t, 'an item is given back for a while, in one step, and no try fails', function* (t, open) {
    const [queue, other] = [open({ tries: 1, lease: 60 }), open({ tries: 1, lease: 60 })]
    const changes: string[] = []
    getRunningLoop().instruments.add({ queueChanged: (queue, op) => changes.push(`${op} ${queue.qsize()} ${queue.unfinished}`) })
    yield* queue.put('a')
    const item = yield* queue.get()
    queue.giveBack(item, { after: 0.3 })
    while ((yield* queue.stats()).taken > 0) yield* sleep(0.01)
    t.match(yield* queue.stats(), { unfinished: 1, failed: 0 })
    t.equal(yield* other.get(), 'a')
    t.match(other.delivery(), { deliveries: 2, failures: 0 })
    t.same(changes, ['put 1 1', 'get 0 1', 'put 1 1', 'get 0 1'])
  })

  await test(t, 'an unknown option or a wrong value is refused, with what is allowed', function* (t, open) {
    const queue = open()
    for (const [options, message] of [
      [{ delay: -1 }, /delay must be 0 to 315360000 seconds, got -1/], [{ delay: Number.NaN }, /delay/], [{ priority: 0.5 }, /integer from -1000000 to 1000000, got 0.5/],
      [{ name: 'x'.repeat(257) }, /1 to 256 characters/], [{ prio: 1 }, /put has no option prio: it has delay, priority, name/],
    ] as const) t.match(yield* thrownBy(() => queue.put('a', options as object)), { message })
    t.equal(yield* queue.qsize(), 0)
    t.throws(() => new RedisQueue('a', { tries: -1 }), { message: /tries must be an integer of at least 0 \(0 means any number\), got -1/ })
    t.throws(() => new RedisQueue('a', { backoff: -1 }), { message: /backoff must be 0 to/ })
    t.throws(() => new RedisQueue('a', { retries: 1 } as object), { message: /RedisQueue has no option retries: it has url, maxsize, lease, tries, backoff, isItem/ })
    t.throws(() => queue.giveBack('a', { after: -1 }), { message: /giveBack: after must be/ })
    t.throws(() => queue.taskFailed('no', 'a'), { message: /taskFailed\(\) was called for "?'?a'?"?, which no task here has got/ })
  })

  await t.test('shut down', async (t) => {
    await test(t, 'it takes nothing for any process, and ends when the last item is done, also one that came back', function* (t, open) {
      const [queue, other] = [open({ backoff: 0 }), open({ backoff: 0, maxsize: 1 })]
      yield* queue.put('a')
      yield* queue.put('b', { delay: 0.2 })
      const item = yield* queue.get()
      const putting = createTask(other.put('waits for room'))
      yield* sleep(0.1)
      const got: unknown[] = []
      const consumer = createTask((function* () {
        for (;;) {
          got.push(yield* other.get())
          other.taskDone()
        }
      })())
      yield* queue.shutdown()
      t.match(yield* thrownBy(function* () { yield* putting }), { name: 'QueueShutDown', message: /was shut down/ })
      t.match(yield* thrownBy(() => other.put('c')), { name: 'QueueShutDown' })
      queue.taskFailed('not here', item)
      t.match(yield* thrownBy(function* () { yield* consumer }), { name: 'QueueShutDown', message: /was shut down, and is empty/ })
      t.same(got.sort(), ['a', 'b'])
      t.match(yield* queue.stats(), { unfinished: 0, isShutDown: true })
      yield* queue.join()
      yield* queue.reopen()
      yield* other.put('d')
      t.equal(yield* queue.get(), 'd')
    })

    await test(t, 'at once, it drops what no consumer has', function* (t, open) {
      const queue = open()
      for (let n = 0; n < 2500; n += 50) yield* gather(Array.from({ length: 50 }, (_, at) => queue.put(n + at, { delay: at % 2 })))
      const item = yield* queue.get()
      const joining = createTask(queue.join())
      yield* queue.shutdown(true)
      t.match(yield* queue.stats(), { unfinished: 1, taken: 1, ready: 0, delayed: 0 })
      queue.taskDone(item)
      yield* joining
    })
  })

  await t.test('with processes that die: an item that kills its consumers is a dead letter after its tries', async (t) => {
    const program = await bundleMember(t.testdir())
    await queueProgram(redis.url, function* (open) {
      const said = reports()
      const queue = open({ name: 'poison', lease: 0.5, tries: 2 })
      yield* queue.put('poison')
      for (let victim = 0; victim < 2; victim++) {
        const member = new Member(program, redis.url)
        member.tell({ do: 'open', name: 'poison', lease: 0.5, tries: 2 })
        member.tell({ do: 'get' })
        yield* fromPromise(member.said('got poison'))
        yield* fromPromise(member.kill())
      }
      const getting = createTask(queue.get())
      yield* queue.join()
      getting.cancel()
      const [letter] = yield* queue.deadLetters.list()
      t.match(letter, { item: 'poison', failures: 2, why: 'its consumer died, or was blocked for longer than its lease' })
      t.equal(said.length, 1)
    })
  })

  await t.test('with connections that break and a Redis that is slow: each item is done once or a dead letter, and nothing is left', async (t) => {
    const proxy = await slowProxy(t, redis.port, 3)
    await queueProgram(proxy.url, function* (open) {
      reports()
      const ITEMS = 60
      const queue = open({ tries: 2, backoff: 0.01, lease: 5 })
      const done = new Map<unknown, number>()
      const failed = new Map<number, number>()
      function* consume(): Coroutine<void> {
        for (;;) {
          const item = (yield* queue.get()) as number
          yield* sleep(Math.random() * 0.01)
          if (item % 10 === 3 || (item % 10 === 4 && !failed.has(item))) {
            failed.set(item, (failed.get(item) ?? 0) + 1)
            queue.taskFailed('no', item)
          } else if (item % 10 === 5 && queue.delivery(item).deliveries === 1) {
            queue.giveBack(item, { after: 0.02 })
          } else {
            done.set(item, (done.get(item) ?? 0) + 1)
            queue.taskDone(item)
          }
        }
      }
      const consumers = Array.from({ length: 4 }, () => createTask(consume()))
      const cutter = createTask((function* () {
        for (let cuts = 0; cuts < 15; cuts++) {
          yield* sleep(0.04)
          proxy.cut()
        }
      })())
      for (let item = 0; item < ITEMS; item++) yield* queue.put(item, { delay: (item % 3) / 50, priority: item % 2, name: `n${item}` })
      yield* queue.join()
      cutter.cancel()
      for (const task of consumers) task.cancel()
      t.equal(done.size, ITEMS * 0.9)
      t.same([...done.values()].filter((times) => times !== 1), [], 'nothing is done twice while its consumer lives')
      t.match(yield* queue.stats(), { unfinished: 0, deadLetters: ITEMS / 10, done: ITEMS * 0.9, failed: ITEMS * 0.3 })
      t.same((yield* queue.deadLetters.list()).map(({ item }) => Number(item) % 10), Array.from({ length: ITEMS / 10 }, () => 3))
    })
  })

  await t.test('without a Redis, a program ends with one error that says so', async (t) => {
    const queue = new RedisQueue('none', { url: 'redis://127.0.0.1:1' })
    await t.rejects(run(queue.put('a')), { message: /<RedisQueue none maxsize=0>: cannot use Redis at 127\.0\.0\.1:1: .*ECONNREFUSED/ })
    await queue[Symbol.asyncDispose]()
  })
})
