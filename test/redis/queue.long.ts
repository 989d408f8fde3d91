// The shared queue, on a real redis-server: like asyncio.Queue in one process, then among several, then when Redis fails.
import { rm } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'
import { createClient } from '@redis/client'
import t, { type Test } from 'tap'
import { RedisQueue, type RedisQueueOptions } from '../../src/redis/index.ts'
import { createTask, fromPromise, gather, getRunningLoop, Queue, sleep, timeout, type Coroutine, type Task } from '../../src/index.ts'
import { runProgram } from '../support/program.ts'
import { freePort, noRedis, slowProxy, startRedis } from '../support/redis.ts'
import { thrownBy } from '../support/virtual.ts'
import { bundleMember, Member } from './members.ts'
import { queueProgram as program } from './queues.ts'

t.test('the shared queue', { skip: noRedis }, async (t) => {
  const redis = await startRedis(t)
  const test = (t: Test, title: string, main: (t: Test, open: (options?: RedisQueueOptions & { name?: string }) => RedisQueue<unknown>) => Coroutine<void>): Promise<unknown> =>
    t.test(title, (t) => program(redis.url, (open) => main(t, open)))

  await t.test('in one process, like asyncio.Queue', async (t) => {
    await test(t, 'gives first what came first, whatever JSON can say', function* (t, open) {
      const queue = open()
      const items = ['a', 1, null, [2, { x: 'y' }], 'ä\n"', true, '']
      for (const item of items) yield* queue.put(item)
      t.equal(yield* queue.qsize(), items.length)
      const got = []
      for (let n = 0; n < items.length; n++) got.push(yield* queue.get())
      t.same(got, items)
      t.equal(yield* queue.qsize(), 0)
      t.equal(yield* queue.unfinished(), items.length)
      for (let n = 0; n < items.length; n++) queue.taskDone()
      yield* queue.join()
      t.equal(yield* queue.unfinished(), 0)
      t.same(queue.counts, { put: 7, duplicates: 0, got: 7, redelivered: 0, done: 7, failed: 0, lost: 0, deadLetters: 0 })
    })

    // The same program on both queues, and the same record.
    function* shared(queue: Pick<Queue<unknown>, 'put' | 'get' | 'taskDone' | 'join'>): Coroutine<{ got: string[]; put: string[] }> {
      const record = { got: [] as string[], put: [] as string[] }
      function* get(name: string): Coroutine<void> {
        record.got.push(`${name} ${String(yield* queue.get())}`)
        queue.taskDone()
      }
      function* put(item: string): Coroutine<void> {
        yield* queue.put(item)
        record.put.push(item)
      }
      const getters = ['A', 'B', 'C'].map((name) => createTask(get(name)))
      yield* sleep(0)
      for (const item of ['1', '2', '3']) yield* put(item)
      yield* gather(getters)
      const putters = ['4', '5', '6', '7'].map((item) => createTask(put(item)))
      yield* sleep(0)
      for (let n = 0; n < 4; n++) yield* get('D')
      yield* gather(putters)
      yield* queue.join()
      return record
    }

    await test(t, 'wakes getters and putters in the order in which they came', function* (t, open) {
      const theirs = yield* shared(new Queue(2))
      t.same(theirs, { got: ['A 1', 'B 2', 'C 3', 'D 4', 'D 5', 'D 6', 'D 7'], put: ['1', '2', '3', '4', '5', '6', '7'] })
      t.same(yield* shared(open({ maxsize: 2 })), theirs)
    })

    await test(t, 'has a put and a get that do not wait', function* (t, open) {
      const queue = open({ maxsize: 1 })
      t.match(yield* thrownBy(() => queue.getNowait()), { name: 'QueueEmpty', message: /<RedisQueue queue-\d+ maxsize=1> is empty/ })
      t.equal(yield* queue.empty(), true)
      yield* queue.putNowait('a')
      t.match(yield* thrownBy(() => queue.putNowait('b')), { name: 'QueueFull', message: /is full/ })
      t.equal(yield* queue.full(), true)
      t.equal(yield* queue.getNowait(), 'a')
      t.equal(yield* queue.full(), false)
    })

    await test(t, 'refuses what it cannot keep, and names it', function* (t, open) {
      const queue = open()
      t.match(yield* thrownBy(() => queue.put(undefined)), { name: 'TypeError', message: /JSON cannot say undefined/ })
      t.match(yield* thrownBy(() => queue.put(() => 1)), { name: 'TypeError' })
      t.match(yield* thrownBy(() => queue.put('ä'.repeat(500_000))), { name: 'RangeError', message: /got 1000002/ })
      t.match(yield* thrownBy(() => queue.put('x'.repeat(1_000_000))), { name: 'RangeError', message: /may be 1000000 bytes of JSON, got 1000002/ })
      t.equal(yield* queue.qsize(), 0)
      for (const name of ['', 'a b', 'x'.repeat(65), '{}']) t.throws(() => new RedisQueue(name), { name: 'RangeError' })
      t.throws(() => new RedisQueue('a', { maxsize: -1 }), { name: 'RangeError', message: /maxsize/ })
      t.throws(() => new RedisQueue('a', { lease: 0 }), { name: 'RangeError', message: /lease/ })
    })

    await test(t, 'knows which item a task has done', function* (t, open) {
      const queue = open()
      for (const item of [1, 2, 3, { x: 1 }]) yield* queue.put(item)
      t.throws(() => queue.taskDone(), { name: 'RangeError', message: /called more often than this task got items/ })
      t.equal(yield* queue.get(), 1)
      const [second] = yield* gather([createTask(queue.get())])
      queue.taskDone()
      t.throws(() => queue.taskDone(), { name: 'RangeError' }, 'the second is another task\'s')
      t.throws(() => queue.taskDone(7), { name: 'RangeError', message: /for 7, which no task here has got/ })
      queue.taskDone(second)
      t.throws(() => queue.taskDone(second), { name: 'RangeError' })
      yield* queue.get()
      const object = yield* queue.get()
      queue.taskDone(object)
      queue.taskDone()
      yield* queue.join()
      t.equal(yield* queue.unfinished(), 0)
    })

    await test(t, 'gives an item back, and tells that it came again', function* (t, open) {
      const queue = open()
      yield* queue.put('a')
      yield* queue.get()
      queue.giveBack()
      t.equal(yield* queue.get(), 'a')
      t.match(queue.counts, { put: 1, got: 2, redelivered: 1, done: 0 })
      queue.taskDone()
      yield* queue.join()
    })

    await test(t, 'makes dead letters of what it cannot read, reports and counts them, and goes on', function* (t, open) {
      const reports: string[] = []
      getRunningLoop().setExceptionHandler((_loop, { message }) => void reports.push(message))
      const queue = open({ isItem: (value) => typeof value === 'string' || (value as { no: { such: boolean } }).no.such })
      const key = `loopscope:queue:{${queue.name}}`
      const got = gather([queue.get(), queue.get(), queue.get()])
      yield* queue.put('a')
      const client = yield* fromPromise(createClient({ url: redis.url }).on('error', () => {}).connect())
      const hostile = [{ item: '{broken' }, { item: '7' }, { item: 'null' }, { other: '"b"' }, { item: '' }, { item: `"${'x'.repeat(50_000_000)}"` }]
      for (const fields of hostile) yield* fromPromise(client.xAdd(key, '*', fields))
      for (const item of ['b', 'c']) yield* queue.put(item)
      t.same(yield* got, ['a', 'b', 'c'])
      for (const item of ['a', 'b', 'c']) queue.taskDone(item)
      yield* queue.join()
      t.match(queue.counts, { put: 3, got: 3, deadLetters: hostile.length })
      t.match(reports.join('\n'), /became dead letters? in loopscope:queue:\{.*\}:dead: .*not JSON: "\{broken"/)
      const letters = yield* queue.deadLetters.list()
      t.same(letters.map(({ bytes }) => bytes).sort(), [0, 1, 3, 4, 50_000_002, 7])
      t.match(letters.find(({ bytes }) => bytes === 50_000_002), { why: /longer than 1000000 bytes/, json: `"${'x'.repeat(65_535)}`, item: undefined }, 'of a long one the beginning is kept')
      t.match(letters.find(({ json }) => json === '7'), { item: 7, why: /could not be looked at|not what is expected/ })
      client.destroy()
    })

    await test(t, 'keeps the last 1000 dead letters', function* (t, open) {
      getRunningLoop().setExceptionHandler(() => {})
      const queue = open()
      const key = `loopscope:queue:{${queue.name}}`
      const client = yield* fromPromise(createClient({ url: redis.url }).on('error', () => {}).connect())
      const transaction = client.multi()
      for (let n = 0; n < 1040; n++) transaction.xAdd(key, '*', { text: String(n) })
      yield* fromPromise(transaction.exec())
      t.match(yield* thrownBy(() => queue.getNowait()), { name: 'QueueEmpty' })
      yield* queue.join()
      t.equal(queue.counts.deadLetters, 1040)
      t.equal((yield* queue.stats()).deadLetters, 1000)
      t.equal((yield* queue.deadLetters.list({ limit: 1 }))[0]?.json, '40')
      t.equal(Number(yield* fromPromise(client.hGet(`${key}:state`, 'bytes'))), 60 * 2 + 900 * 3 + 40 * 4, 'and counts their bytes')
      client.destroy()
    })

    await test(t, 'says which key has a value of another type', function* (t, open) {
      const client = yield* fromPromise(createClient({ url: redis.url }).on('error', () => {}).connect())
      for (const key of ['', ':ready', ':leases', ':waiting']) {
        const queue = open({ name: `text${key.slice(1)}` })
        yield* fromPromise(client.set(`loopscope:queue:{${queue.name}}${key}`, 'not a stream'))
        t.match(yield* thrownBy(() => queue.get()), { message: /cannot use Redis at .*: a key that is needed here has a value of another type.*WRONGTYPE/ })
      }
      const wrong = open({ name: 'text' })
      t.match(yield* thrownBy(() => wrong.qsize()), { message: /WRONGTYPE/ })
      t.match(yield* thrownBy(() => wrong.put(1)), { message: /^<RedisQueue text maxsize=0>: cannot use Redis at .*WRONGTYPE/ })
      client.destroy()
    })

    await test(t, 'is seen by whoever watches the loop', function* (t, open) {
      const seen: string[] = []
      const loop = getRunningLoop()
      const waits: string[] = []
      loop.instruments.add({
        queueChanged: (queue, op) => seen.push(`${op} ${queue.qsize()} ${queue.unfinished} ${queue.maxsize}`),
        taskSuspended: (_task, { kind, label }) => waits.push(`${kind} ${label}`),
      })
      const queue = open({ maxsize: 3 })
      yield* queue.put('a')
      yield* queue.put('b')
      yield* queue.get()
      queue.taskDone()
      while (queue.counts.done === 0) yield* sleep(0.01)
      t.same(seen, ['put 1 1 3', 'put 2 2 3', 'get 1 2 3', 'done 1 1 3'])
      t.match(waits[0], /^queue.put <RedisQueue queue-\d+ maxsize=3( away)?>$/)
    })
  })

  await t.test('cancelled', async (t) => {
    /** Cancels `what` once it waits, or once `ready`. */
    function* cancelled(what: Coroutine<unknown>, ready?: () => boolean): Coroutine<string> {
      const task = createTask(what)
      yield* sleep(0)
      while (ready?.() === false) yield* sleep(0.002)
      task.cancel()
      try {
        yield* task
        return 'it returned'
      } catch (error) {
        return (error as Error).name
      }
    }

    await test(t, 'while it waits for an item: nothing is taken', function* (t, open) {
      const queue = open()
      yield* queue.qsize()
      const others = [createTask(queue.get()), createTask(queue.get())]
      yield* sleep(0.05)
      t.equal(yield* cancelled(queue.get()), 'CancelledError')
      yield* queue.put('a')
      yield* queue.put('b')
      t.same(yield* gather(others), ['a', 'b'])
    })

    await test(t, 'while its item is on the way: it goes to the next here, or to another consumer, and is not counted as delivered', function* (t, open) {
      const queue = open({ lease: 60 })
      const other = open({ lease: 60 })
      yield* queue.put('a')
      // The question is sent and not answered.
      t.equal(yield* cancelled(queue.get()), 'CancelledError')
      t.equal(yield* other.get(), 'a')
      yield* queue.put('b')
      const first = createTask(queue.get())
      const second = createTask(queue.get())
      yield* sleep(0)
      first.cancel()
      t.equal(yield* second, 'b')
      t.match(other.counts, { got: 1, redelivered: 0 })
      t.match(queue.counts, { got: 1, redelivered: 0 })
    })

    await test(t, 'when its item has come and it has not run yet: the item goes back', function* (t, open) {
      const queue = open()
      yield* queue.put('a')
      const task: Task<unknown> = createTask(queue.get())
      let started = false
      getRunningLoop().instruments.add({
        taskSuspended: (one) => { started ||= one === task },
        // It is woken; this is called before its step.
        taskReady: (one) => { if (one === task && started) queueMicrotask(() => task.cancel()) },
      })
      while (!task.done()) yield* sleep(0.002)
      t.equal(task.cancelled(), true)
      t.equal(yield* queue.get(), 'a')
      t.match(queue.counts, { got: 1, redelivered: 0 })
    })

    await test(t, 'while it waits for room: the item is not put', function* (t, open) {
      const queue = open({ maxsize: 1 })
      yield* queue.put('a')
      t.equal(yield* cancelled(queue.put('b')), 'CancelledError')
      const third = createTask(queue.put('c'))
      t.equal(yield* queue.get(), 'a')
      yield* third
      t.equal(yield* queue.get(), 'c')
      t.equal(yield* queue.qsize(), 0)
      t.match(queue.counts, { put: 2, got: 2 })
    })

    await test(t, 'while Redis is told of the item: it is taken back, and who waits for room or for the end hears of it', function* (t, open) {
      const queue = open({ maxsize: 1 })
      const other = open({ maxsize: 1 })
      yield* queue.qsize()
      t.equal(yield* cancelled(queue.put('a')), 'CancelledError')
      yield* other.put('b')
      t.equal(yield* other.get(), 'b')
      other.taskDone()
      yield* queue.join()
      t.equal(yield* queue.unfinished(), 0)
    })

    await test(t, 'while it waits for the end, or for Redis\'s answer', function* (t, open) {
      const queue = open()
      yield* queue.put('a')
      t.equal(yield* cancelled(queue.join()), 'CancelledError')
      t.equal(yield* cancelled(queue.qsize()), 'CancelledError')
      t.match(yield* thrownBy(() => timeout(0.05, () => queue.join())), { name: 'TimeoutError' })
      yield* queue.get()
      queue.taskDone()
      yield* queue.join()
    })

    await t.test('while Redis is away: at once, and nothing of it is left when Redis is back', async (t) => {
      const redis = await startRedis(t)
      const proxy = await slowProxy(t, redis.port, 0)
      await program(proxy.url, function* (open) {
        const queue = open()
        yield* queue.put('a')
        proxy.refuse = true
        proxy.cut()
        for (const what of [() => queue.put('b'), () => queue.get(), () => queue.join(), () => queue.qsize()]) {
          t.equal(yield* cancelled(what(), () => String(queue).includes('away')), 'CancelledError')
        }
        proxy.refuse = false
        t.equal(yield* queue.get(), 'a')
        t.equal(yield* queue.qsize(), 0)
      })
    })
  })

  await t.test('between consumers', async (t) => {
    await test(t, 'a slow one that is alive keeps its item, for many leases', function* (t, open) {
      const slow = open()
      const other = open()
      yield* slow.put('a')
      yield* slow.get()
      const waiting = createTask(other.get())
      yield* sleep(1.2)
      t.equal(waiting.done(), false)
      slow.taskDone()
      yield* other.join()
      waiting.cancel()
    })

    await test(t, 'one that closes gives back what it has at once; it refuses everything then, and who waits there hears of it', function* (t, open) {
      const [leaving, staying] = [open({ lease: 60 }), open({ lease: 60 })]
      for (const item of ['a', 'b']) yield* leaving.put(item)
      t.equal(yield* leaving.get(), 'a')
      const got = createTask(staying.get())
      t.equal(yield* got, 'b')
      const waiting = [createTask(leaving.get()), createTask(leaving.join())]
      yield* sleep(0.05)
      yield* leaving.close()
      yield* leaving.close()
      t.same((yield* gather(waiting, { returnExceptions: true })).map((error) => (error as Error).name), ['QueueShutDown', 'QueueShutDown'])
      t.equal(yield* staying.get(), 'a')
      t.equal(staying.counts.redelivered, 1)
      const hasty = open({ lease: 60 })
      yield* hasty.qsize()
      const interrupted = gather([hasty.put('c'), hasty.put('d')], { returnExceptions: true })
      yield* sleep(0)
      yield* sleep(0)
      yield* hasty.close()
      t.same((yield* interrupted).map((error) => (error as Error).name), ['QueueShutDown', 'QueueShutDown'])
      t.equal(yield* staying.qsize(), 0, 'what was on its way in is taken back')
      for (const what of [() => leaving.put(1), () => leaving.get(), () => leaving.join(), () => leaving.qsize()]) {
        t.match(yield* thrownBy(what), { name: 'QueueShutDown', message: /closed/ })
      }
    })
  })

  await t.test('across processes', async (t) => {
    const program = await bundleMember(t.testdir())
    const start = async (...names: string[]): Promise<Member[]> => {
      const members = names.map(() => new Member(program, redis.url))
      t.teardown(() => Promise.all(members.map((member) => member.kill())))
      for (const [at, member] of members.entries()) member.tell({ do: 'open', name: names[at]!, lease: 0.5, maxsize: 2 })
      await Promise.all(members.map((member) => member.said('opened')))
      return members
    }

    await t.test('maxsize makes putters wait, and the end is the end everywhere', async (t) => {
      const [a, b, c] = await start('bound', 'bound', 'bound') as [Member, Member, Member]
      a.tell({ do: 'put', item: '1' })
      await a.said('put 1')
      b.tell({ do: 'put', item: '2' })
      await b.said('put 2')
      a.tell({ do: 'put', item: '3' })
      c.tell({ do: 'join' })
      await pause(300)
      t.equal(a.count('put 3'), 0, 'it is full for those that did not fill it')
      for (const item of ['1', '2', '3']) {
        c.tell({ do: 'get' })
        await c.said(`got ${item}`)
        if (item === '1') await a.said('put 3')
        t.equal(c.count('joined'), 0)
        c.tell({ do: 'done', item })
      }
      await c.said('joined')
    })

    await t.test('a process that is stopped for longer than its lease counts as dead: its item is delivered twice, and done once', async (t) => {
      const [stalled, other] = await start('stall', 'stall') as [Member, Member]
      stalled.tell({ do: 'put', item: 'a' })
      stalled.tell({ do: 'get' })
      await stalled.said('got a')
      stalled.signal('SIGSTOP')
      other.tell({ do: 'get' })
      await other.said('got a')
      stalled.signal('SIGCONT')
      stalled.tell({ do: 'done', item: 'a' })
      stalled.tell({ do: 'join' })
      await stalled.said('joined')
      other.tell({ do: 'done', item: 'a' })
      for (const member of [stalled, other]) member.tell({ do: 'close' })
      await other.said('closed')
      await stalled.said('closed')
      t.match(other.lines.at(-1), /"redelivered":1/)
      t.equal([...stalled.lines, ...other.lines].filter((line) => line.startsWith('failed')).length, 0)
    })

    await t.test('a program that ends without closing it ends by itself', async (t) => {
      const ended = await runProgram(`
        import { RedisQueue } from './src/redis/index.ts'
        function* main() {
          const queue = new RedisQueue('ends', { url: '${redis.url}' })
          yield* queue.put('a')
          print(yield* queue.get())
        }
        await run(main())`)
      t.match(ended, { lines: ['a'], code: 0, errors: '' })
    })
  })

  await t.test('when Redis', async (t) => {
    await t.test('goes away and returns, all tasks wait and continue by themselves, and nothing is put or got twice', async (t) => {
      const redis = await startRedis(t)
      const proxy = await slowProxy(t, redis.port, 0)
      await program(proxy.url, function* (open) {
        const queue = open({ maxsize: 5, lease: 5 })
        const got: unknown[] = []
        function* consume(): Coroutine<void> {
          for (;;) {
            got.push(yield* queue.get())
            queue.taskDone()
          }
        }
        const consumers = [createTask(consume()), createTask(consume())]
        const cutter = createTask((function* () {
          for (;;) {
            yield* sleep(0.03)
            proxy.cut()
          }
        })())
        const items = Array.from({ length: 80 }, (_, n) => n)
        for (const item of items) {
          yield* queue.put(item)
          if (item % 10 === 0) yield* sleep(0.02)
        }
        cutter.cancel()
        yield* queue.join()
        t.same([...got].sort((a, b) => Number(a) - Number(b)), items)
        t.match(queue.counts, { put: 80, got: 80, redelivered: 0, lost: 0 })
        for (const task of consumers) task.cancel()
      })
    })

    await t.test('restarts empty, the queue starts again and the loss is reported, whichever process notices it first', async (t) => {
      const redis = await startRedis(t)
      await program(redis.url, function* (open) {
        const reports: string[] = []
        getRunningLoop().setExceptionHandler((_loop, { message }) => void reports.push(message))
        const [queue, other] = [open(), open()]
        for (const item of ['a', 'b', 'c']) yield* queue.put(item)
        yield* other.qsize()
        t.equal(yield* queue.get(), 'a')
        const waiting = createTask(queue.join())
        yield* sleep(0.05)
        yield* fromPromise(redis.stop())
        yield* sleep(0.3)
        t.match(String(queue), / away>$/)
        const putting = createTask(queue.put('d'))
        yield* fromPromise(redis.start())
        yield* putting
        queue.taskDone()
        t.equal(yield* other.get(), 'd')
        other.taskDone()
        yield* waiting
        t.match([queue.counts.lost, other.counts.lost], [2, 3], 'all but what is in hand here; all that the other had heard of')
        t.match(reports.filter((report) => /Redis has lost the queue/.test(report)), [/last known 3 unfinished items, (2|3) are lost/, /last known 3 unfinished items, (2|3) are lost/])
        t.equal(reports.length, 2)
      })
    })

    await t.test('has lost only some of the keys, the queue continues', async (t) => {
      await program(redis.url, function* (open) {
        getRunningLoop().setExceptionHandler(() => {})
        const queue = open()
        const client = yield* fromPromise(createClient({ url: redis.url }).on('error', () => {}).connect())
        const lose = (...keys: string[]): Coroutine<unknown> => fromPromise(client.del(keys.map((key) => `loopscope:queue:{${queue.name}}:${key}`)))
        yield* queue.put('a')
        yield* lose('state')
        t.equal(yield* queue.get(), 'a')
        queue.taskDone()
        yield* queue.put('b')
        yield* lose('about')
        t.equal(yield* queue.get(), 'b')
        yield* lose('about')
        queue.giveBack()
        t.equal(yield* queue.get(), 'b')
        queue.taskDone()
        yield* queue.put('c')
        yield* lose('items')
        yield* queue.put('d')
        t.equal(yield* queue.get(), 'd')
        queue.taskDone()
        yield* queue.put('e')
        yield* fromPromise(client.flushAll())
        yield* queue.put('f')
        t.equal(yield* queue.get(), 'f')
        queue.taskDone()
        yield* queue.join()
        client.destroy()
      })
    })

    await t.test('is slow, the loop is not', async (t) => {
      const redis = await startRedis(t)
      const proxy = await slowProxy(t, redis.port, 200)
      await program(proxy.url, function* (open) {
        const queue = open({ lease: 5 })
        let turns = 0
        let longest = 0
        const ticker = createTask((function* () {
          const loop = getRunningLoop()
          for (;;) {
            const before = loop.time()
            yield* sleep(0.005)
            longest = Math.max(longest, loop.time() - before)
            turns++
          }
        })())
        yield* queue.put('a')
        const atPut = turns
        t.equal(yield* queue.get(), 'a')
        queue.taskDone()
        yield* queue.join()
        t.ok(atPut > 10 && turns - atPut > 10, `${turns} turns, the longest ${longest.toFixed(3)} s`)
        ticker.cancel()
      })
    })

    await t.test('is full, puts are refused with the reason, and consumers empty it, keep their leases and make room', async (t) => {
      const redis = await startRedis(t, ['--maxmemory-policy', 'noeviction'])
      await program(redis.url, function* (open) {
        const client = yield* fromPromise(createClient({ url: redis.url }).on('error', () => {}).connect())
        const [queue, other] = [open({ lease: 0.5 }), open({ lease: 0.5 })]
        const items = Array.from({ length: 40 }, (_, n) => `${n} ${'x'.repeat(1000)}`)
        for (const item of items) yield* queue.put(item)
        yield* fromPromise(client.configSet('maxmemory', '1'))
        const full = /^<RedisQueue .*>: cannot use Redis at 127\.0\.0\.1:\d+: this Redis is full .*OOM/
        t.match(yield* thrownBy(() => queue.put('more')), { message: full })
        t.match(yield* thrownBy(() => open({ name: 'fresh' }).put('more')), { message: full }, 'and so is a queue that is not there yet')
        const kept = yield* queue.get()
        const waiting = createTask(other.get())
        t.equal(yield* waiting, items[1])
        yield* sleep(1.5)
        t.equal(other.counts.redelivered + queue.counts.redelivered, 0, 'the lease is renewed')
        other.giveBack(items[1])
        const got = [kept]
        const joining = createTask(other.join())
        while (got.length < items.length) got.push(yield* queue.get())
        t.match(yield* thrownBy(() => queue.getNowait()), { name: 'QueueEmpty' })
        t.same(got.map(String).sort(), [...items].sort())
        for (const item of got) queue.taskDone(item)
        yield* joining
        t.equal(yield* queue.unfinished(), 0)
        t.match(queue.counts, { got: 40, done: 40 })
        yield* other.close()
        yield* fromPromise(client.configSet('maxmemory', '0'))
        yield* queue.put('more')
        t.equal(yield* queue.get(), 'more')
        client.destroy()
      })
    })

    await t.test('is a read-only replica, that is reported', async (t) => {
      const redis = await startRedis(t)
      const replica = await startRedis(t, ['--replicaof', '127.0.0.1', String(redis.port)])
      await program(replica.url, function* (open) {
        for (const what of ['put', 'get', 'qsize', 'join'] as const) {
          t.match(yield* thrownBy(() => open()[what](1)), { message: /: this Redis is a read-only replica, and the address has to be that of its primary .*READONLY/ }, what)
        }
      })
    })

    await t.test('takes no writes for a while, all tasks wait, it is reported once, and all continue', async (t) => {
      const redis = await startRedis(t)
      await program(redis.url, function* (open) {
        const client = yield* fromPromise(createClient({ url: redis.url }).on('error', () => {}).connect())
        const send = (...words: string[]): Coroutine<string> => fromPromise(client.sendCommand<string>(words))
        const reports: string[] = []
        getRunningLoop().setExceptionHandler((_loop, { message }) => void reports.push(message))
        const queue = open()
        yield* queue.put('a')
        function* until(said: RegExp, over: () => Coroutine<unknown>): Coroutine<void> {
          const [getting, putting] = [createTask(queue.get()), createTask(queue.put('b'))]
          const times = (): number => reports.filter((report) => said.test(report)).length
          while (times() === 0) yield* sleep(0.05)
          yield* sleep(0.5)
          t.equal(times(), 1)
          t.equal(getting.done() || putting.done(), false)
          yield* over()
          yield* putting
          t.type(yield* getting, 'string')
        }
        yield* send('REPLICAOF', '127.0.0.1', '1')
        yield* until(/read-only replica.*READONLY.*waits until that is over/, () => send('REPLICAOF', 'NO', 'ONE'))

        // It cannot save without its folder.
        yield* fromPromise(rm(redis.folder, { recursive: true }))
        yield* send('CONFIG', 'SET', 'save', '3600 1')
        yield* send('BGSAVE')
        while (!(yield* send('INFO', 'persistence')).includes('rdb_last_bgsave_status:err')) yield* sleep(0.05)
        t.match(yield* thrownBy(() => open({ name: 'fresh' }).put('b')), { message: /this Redis refuses writes because it cannot save to its disk/ }, 'one that begins then is told at once')
        yield* until(/cannot save to its disk .*MISCONF.*waits until that is over/, () => send('CONFIG', 'SET', 'save', ''))
        client.destroy()
      })
    })

    await t.test('is paused, missing, or refuses the login: it is given up, with the reason', async (t) => {
      const locked = await startRedis(t, ['--requirepass', 'secret'])
      const hung = await startRedis(t)
      await Promise.all([
        program(`redis://127.0.0.1:${await freePort()}`, function* (open) {
          t.match(yield* thrownBy(() => open().get()), { message: /<RedisQueue .*>: cannot use Redis at 127\.0\.0\.1:\d+: .*ECONNREFUSED/ })
        }),
        program(locked.url, function* (open) {
          t.match(yield* thrownBy(() => open().put(1)), { message: /cannot use Redis at .*NOAUTH/ })
        }),
        program(locked.url.replace('//', '//:wrong@'), function* (open) {
          t.match(yield* thrownBy(() => open().get()), { message: /cannot use Redis at 127\.0\.0\.1:\d+: this Redis does not accept the user name and password of the address .*WRONGPASS/ })
        }),
        program(locked.url.replace('//', '//:secret@'), function* (open) {
          const queue = open()
          yield* queue.put(1)
          t.equal(yield* queue.get(), 1)
        }),
        program(hung.url, function* (open) {
          const queue = open()
          yield* queue.put('a')
          hung.pause()
          const putting = createTask(queue.put('b'))
          while (!String(queue).includes('away')) yield* sleep(0.05)
          hung.resume()
          yield* putting
          t.same([yield* queue.get(), yield* queue.get(), yield* queue.qsize()], ['a', 'b', 0], 'what was sent twice is put once')
        }),
      ])
    })
  })
})
