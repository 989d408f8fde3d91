// Queue, PriorityQueue and LifoQueue: order, waiting, join and shutdown, and a cancellation at each place where they wait.
import t from 'tap'
import {
  createTask, gather, getRunningLoop, LifoQueue, PriorityQueue, Queue, QueueEmpty, QueueFull, QueueShutDown, sleep, type Coroutine,
} from '../../src/index.ts'
import { heapPop } from '../../src/runtime/heapq.ts'
import { recorded, thrown, thrownBy, type Log } from '../support/virtual.ts'

function* getter(log: Log, queue: Queue<unknown>, name: string): Coroutine<void> {
  try {
    log(name, 'got', yield* queue.get())
  } catch (error) {
    log(name, 'failed', (error as Error).name)
  }
}

function* putter(log: Log, queue: Queue<unknown>, name: string, item: unknown = name): Coroutine<void> {
  try {
    yield* queue.put(item)
    log(name, 'has put')
  } catch (error) {
    log(name, 'failed', (error as Error).name)
  }
}

t.test('a queue without waiting', async (t) => {
  t.test('is first in, first out; knows its size, and raises when empty or full', async (t) => {
    const queue = new Queue<number>(2)
    t.same([queue.maxsize, queue.qsize(), queue.empty(), queue.full()], [2, 0, true, false])
    queue.putNowait(1)
    queue.putNowait(2)
    t.same([queue.qsize(), queue.empty(), queue.full()], [2, false, true])
    t.match(thrown(() => queue.putNowait(3)), { name: 'QueueFull', message: '<Queue maxsize=2 size=2 unfinished=2> is full' })
    t.ok(thrown(() => queue.putNowait(3)) instanceof QueueFull)
    t.same([queue.getNowait(), queue.getNowait()], [1, 2])
    t.ok(thrown(() => queue.getNowait()) instanceof QueueEmpty)
    const endless = new Queue<number>()
    for (let n = 0; n < 100; n++) endless.putNowait(n)
    t.same([endless.full(), endless.maxsize, endless.getNowait(), endless.qsize()], [false, 0, 0, 99])
  })

  t.test('LifoQueue is last in, first out', async (t) => {
    const queue = new LifoQueue<number>()
    for (const n of [1, 2, 3]) queue.putNowait(n)
    t.same([queue.getNowait(), queue.getNowait(), queue.getNowait()], [3, 2, 1])
    t.equal(String(queue), '<LifoQueue maxsize=0 size=0 unfinished=3>')
  })

  t.test('PriorityQueue orders numbers and strings as JavaScript does, arrays element by element, or by compare', async (t) => {
    function drained<T>(queue: PriorityQueue<T>, items: T[]): T[] {
      for (const item of items) queue.putNowait(item)
      return items.map(() => queue.getNowait())
    }
    t.same(drained(new PriorityQueue<number>(), [5, 1, 10, 3]), [1, 3, 5, 10])
    t.same(drained(new PriorityQueue<string>(), ['b', 'B', 'a', '10', '9']), ['10', '9', 'B', 'a', 'b'])
    t.same(drained(new PriorityQueue<(number | string)[]>(), [[2, 'a'], [1, 'z'], [1, 'b'], [1]]), [[1], [1, 'b'], [1, 'z'], [2, 'a']])
    t.same(drained(new PriorityQueue<{ n: number }>(0, { compare: (a, b) => b.n - a.n }), [{ n: 1 }, { n: 3 }, { n: 2 }]), [{ n: 3 }, { n: 2 }, { n: 1 }])
  })

  t.test('PriorityQueue refuses items without an order, or with a different one, and does not change', async (t) => {
    const without = (): PriorityQueue<unknown> => new PriorityQueue<number>() as unknown as PriorityQueue<unknown>
    for (const [first, second] of [[{ p: 3 }, { p: 1 }], [10, '9'], [1, null], [undefined, undefined], [[1, { n: 1 }], [1, { n: 0 }]], [new Date(1), new Date(0)], [[1], 1]]) {
      const queue = without()
      queue.putNowait(first)
      t.match(thrown(() => queue.putNowait(second)), { name: 'TypeError', message: /^PriorityQueue: .* have no order: .* give it \{ compare \}$/ })
      t.same([queue.qsize(), queue.unfinished, queue.getNowait()], [1, 1, first])
    }
    const kept = without()
    const same = { n: 1 }
    for (const item of [2n, 1, [1].length, 0.5]) kept.putNowait(item)
    t.same([kept.getNowait(), kept.getNowait(), kept.getNowait(), kept.getNowait()], [0.5, 1, 1, 2n])
    kept.putNowait([1, same])
    kept.putNowait([1, same, 2])
    t.same([kept.getNowait(), kept.getNowait()], [[1, same], [1, same, 2]])
  })

  t.test('PriorityQueue keeps all items if two are found to have no order only at a get', async (t) => {
    // As in heapq, an item that is put is compared only with those above it.
    const queue = new PriorityQueue<number>() as unknown as PriorityQueue<unknown>
    for (const item of [[0], [1], [3], [2, {}], [2, {}]]) queue.putNowait(item)
    for (let time = 1; time <= 2; time++) t.match(thrown(() => queue.getNowait()), { name: 'TypeError', message: /give it \{ compare \}$/ })
    t.same([queue.qsize(), queue.unfinished], [5, 5])

    for (let failing = 1; failing < 12; failing++) {
      const heap = [1, 2, 5, 3, 4, 6, 7, 8, 9, 10, 11, 12]
      let compared = 0
      const compare = (a: number, b: number): number => {
        if (++compared === failing) throw new Error('cannot be compared')
        return a - b
      }
      try {
        heapPop(heap, compare)
        t.ok(compared < failing)
      } catch {
        t.same(heap, [1, 2, 5, 3, 4, 6, 7, 8, 9, 10, 11, 12], `comparison ${failing}`)
      }
    }
  })

  t.test('PriorityQueue returns equals in heapq\'s order', async (t) => {
    // Results of CPython: heappush of these in turn, then heappop, with only priorities compared.
    const queue = new PriorityQueue<{ p: number; name: string }>(0, { compare: (a, b) => a.p - b.p })
    for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) queue.putNowait({ p: 1, name })
    t.equal([...'abcdef'].map(() => queue.getNowait().name).join(''), 'acfebd')
  })
})

t.test('waiting', async (t) => {
  t.test('getters wake in the order in which they came', async (t) => {
    t.same(await recorded(function* (log) {
      const queue = new Queue<number>()
      const getters = ['a', 'b', 'c'].map((name) => createTask(getter(log, queue, name)))
      yield* sleep(1)
      for (const n of [1, 2, 3]) queue.putNowait(n)
      yield* gather(getters)
    }), ['a got 1', 'b got 2', 'c got 3'])
  })

  t.test('putters wake in the order in which they came, one for each free place', async (t) => {
    t.same(await recorded(function* (log) {
      const queue = new Queue<unknown>(1)
      const putters = ['a', 'b', 'c'].map((name) => createTask(putter(log, queue, name)))
      yield* sleep(1)
      for (let n = 0; n < 3; n++) {
        log(String(queue))
        log(queue.getNowait())
        yield* sleep(1)
      }
      yield* gather(putters)
    }), ['a has put', '<Queue maxsize=1 size=1 putters=2 unfinished=1>', 'a', 'b has put', '<Queue maxsize=1 size=1 putters=1 unfinished=2>', 'b', 'c has put',
      '<Queue maxsize=1 size=1 unfinished=3>', 'c'])
  })

  t.test('a newcomer may take the item of a woken getter, which queues again at the tail', async (t) => {
    t.same(await recorded(function* (log) {
      const queue = new Queue<number>()
      const a = createTask(getter(log, queue, 'a'))
      const b = createTask(getter(log, queue, 'b'))
      yield* sleep(1)
      queue.putNowait(1)
      log('newcomer got', yield* queue.get())
      yield* sleep(1)
      queue.putNowait(2)
      queue.putNowait(3)
      yield* gather([a, b])
    }), ['newcomer got 1', 'b got 2', 'a got 3'])
  })

  t.test('get and put suspend only if they have to', async (t) => {
    t.same(await recorded(function* (log) {
      const queue = new Queue<number>()
      getRunningLoop().callSoon(() => log('callback'))
      yield* queue.put(1)
      log(yield* queue.get())
      yield* sleep(0)
    }), ['1', 'callback'])
  })

  t.test('no cancelled getter swallows an item: neither waiting nor woken', async (t) => {
    t.same(await recorded(function* (log) {
      const queue = new Queue<number>()
      const a = createTask(getter(log, queue, 'a'))
      const b = createTask(getter(log, queue, 'b'))
      const c = createTask(getter(log, queue, 'c'))
      yield* sleep(1)
      a.cancel()
      queue.putNowait(1)
      yield* sleep(1)
      queue.putNowait(2)
      c.cancel()
      yield* sleep(1)
      log(queue.qsize())
      yield* gather([a, b, c])
    }), ['a failed CancelledError', 'b got 1', 'c failed CancelledError', '1'])
  })

  t.test('a woken getter that is cancelled passes the wake-up on', async (t) => {
    t.same(await recorded(function* (log) {
      const queue = new Queue<number>()
      const a = createTask(getter(log, queue, 'a'))
      const b = createTask(getter(log, queue, 'b'))
      yield* sleep(1)
      queue.putNowait(1)
      a.cancel()
      yield* gather([a, b])
    }), ['a failed CancelledError', 'b got 1'])
  })

  t.test('a woken putter that is cancelled passes the free place on', async (t) => {
    t.same(await recorded(function* (log) {
      const queue = new Queue<unknown>(1)
      queue.putNowait('first')
      const a = createTask(putter(log, queue, 'a'))
      const b = createTask(putter(log, queue, 'b'))
      const c = createTask(putter(log, queue, 'c'))
      yield* sleep(1)
      c.cancel()
      queue.getNowait()
      a.cancel()
      yield* gather([a, b, c])
      log(queue.getNowait())
    }), ['c failed CancelledError', 'a failed CancelledError', 'b has put', 'b'])
  })
})

t.test('join', async (t) => {
  t.test('waits until every item that was put is reported done', async (t) => {
    t.same(await recorded(function* (log) {
      const queue = new Queue<number>()
      yield* queue.join()
      log('nothing to wait for')
      for (const n of [1, 2]) queue.putNowait(n)
      const joiners = ['a', 'b'].map((name) => createTask((function* () {
        yield* queue.join()
        log(name, 'joined')
      })()))
      for (const seconds of [1, 2]) {
        yield* queue.get()
        yield* sleep(seconds)
        log('done', queue.unfinished)
        queue.taskDone()
      }
      yield* gather(joiners)
    }), ['nothing to wait for', 'done 2', 'done 1', 'a joined', 'b joined'])
  })

  t.test('taskDone more often than items were put is a RangeError (asyncio\'s ValueError)', async (t) => {
    const queue = new Queue<number>()
    queue.putNowait(1)
    queue.taskDone()
    t.match(thrown(() => queue.taskDone()), { name: 'RangeError', message: '<Queue maxsize=0 size=1>: taskDone() was called more often than items were put' })
  })

  t.test('a cancelled join leaves the queue as it is', async (t) => {
    t.same(await recorded(function* (log) {
      const queue = new Queue<number>()
      queue.putNowait(1)
      const joining = createTask(queue.join())
      yield* sleep(1)
      joining.cancel()
      log(yield* thrownBy(function* () { yield* joining }), queue.unfinished)
    }), ['CancelledError 1'])
  })
})

t.test('shutdown', async (t) => {
  t.test('refuses puts at once and gets once the queue is empty', async (t) => {
    t.same(await recorded(function* (log) {
      const queue = new Queue<number>()
      queue.putNowait(1)
      queue.shutdown()
      log(thrown(() => queue.putNowait(2)))
      log((yield* thrownBy(() => queue.put(2))) instanceof QueueShutDown)
      log(yield* queue.get())
      log((yield* thrownBy(() => queue.get())).name, thrown(() => queue.getNowait()).name)
    }), ['QueueShutDown: <Queue maxsize=0 size=1 unfinished=1 shut down> was shut down', 'true', '1', 'QueueShutDown QueueShutDown'])
  })

  t.test('wakes waiters; a blocked put fails even when room becomes free', async (t) => {
    t.same(await recorded(function* (log) {
      const empty = new Queue<number>()
      const full = new Queue<unknown>(1)
      full.putNowait('item')
      const tasks = [createTask(getter(log, empty, 'getter')), createTask(putter(log, full, 'putter'))]
      yield* sleep(1)
      empty.shutdown()
      full.shutdown()
      log(full.getNowait())
      yield* gather(tasks)
    }), ['item', 'getter failed QueueShutDown', 'putter failed QueueShutDown'])
  })

  t.test('immediate drops the items, which count as done', async (t) => {
    t.same(await recorded(function* (log) {
      const queue = new Queue<number>()
      for (const n of [1, 2, 3]) queue.putNowait(n)
      const joining = createTask(queue.join())
      yield* sleep(1)
      queue.shutdown(true)
      yield* joining
      log('joined', queue.qsize(), (yield* thrownBy(() => queue.get())).name)
    }), ['joined 0 QueueShutDown'])
  })

  t.test('join still waits for what was taken before an immediate one', async (t) => {
    t.same(await recorded(function* (log) {
      const queue = new Queue<number>()
      for (const n of [1, 2]) queue.putNowait(n)
      queue.getNowait()
      queue.shutdown(true)
      getRunningLoop().callLater(5, () => queue.taskDone())
      yield* queue.join()
      log(getRunningLoop().time())
    }), ['5'])
  })
})

t.test('four producers and four consumers pass every item on exactly once', async (t) => {
  t.same(await recorded(function* (log) {
    const queue = new Queue<number>(3)
    const seen: number[] = []
    function* produce(from: number): Coroutine<void> {
      for (let n = from; n < 100; n += 4) {
        yield* queue.put(n)
        if (n % 3 === 0) yield* sleep(0.1)
      }
    }
    function* consume(): Coroutine<void> {
      for (;;) {
        seen.push(yield* queue.get())
        if (seen.length % 5 === 0) yield* sleep(0.1)
        queue.taskDone()
      }
    }
    const consumers = [1, 2, 3, 4].map(() => createTask(consume()))
    yield* gather([produce(0), produce(1), produce(2), produce(3)])
    yield* queue.join()
    for (const consumer of consumers) consumer.cancel()
    log(seen.length, new Set(seen).size, Math.min(...seen), Math.max(...seen))
  }), ['100 100 0 99'])
})

t.test('refuses to be awaited in a loop other than that of its waiters', async (t) => {
  const queue = new Queue<number>()
  await recorded(function* (log) {
    const waiting = createTask(getter(log, queue, 'a'))
    yield* sleep(1)
    waiting.cancel()
  })
  t.same(await recorded(function* (log) { log(yield* thrownBy(() => queue.get())) }),
    ['RuntimeError: <Queue maxsize=0 size=0> belongs to a different loop: tasks of another one wait for it already'])
})
