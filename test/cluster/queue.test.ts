// The shared queue, on a real redis-server: as asyncio.Queue in one process, then among several, then where Redis fails.
import { setTimeout as pause } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { RedisQueue, type RedisQueueOptions } from '../../src/cluster/queue.ts'
import { CancelledError, createTask, gather, getRunningLoop, Queue, run, sleep, timeout, type Coroutine } from '../../src/index.ts'
import { noRedis, slowProxy, startRedis } from '../support/redis.ts'
import { thrownBy } from '../support/virtual.ts'

let names = 0

/** Run a program whose queues are made by `open`, and closed after. */
async function program(url: string, main: (open: (options?: RedisQueueOptions & { name?: string }) => RedisQueue<unknown>) => Coroutine<void>): Promise<void> {
  const queues: RedisQueue<unknown>[] = []
  const fresh = `queue-${++names}`
  const open = ({ name = fresh, ...options }: RedisQueueOptions & { name?: string } = {}): RedisQueue<unknown> => {
    const queue = new RedisQueue<unknown>(name, { url, lease: 0.3, ...options })
    queues.push(queue)
    return queue
  }
  try {
    await run(main(open))
  } finally {
    await Promise.all(queues.map((queue) => queue[Symbol.asyncDispose]()))
  }
}

t.test('the shared queue', { skip: noRedis }, async (t) => {
  const redis = await startRedis(t)
  const test = (t: Test, title: string, main: (t: Test, open: (options?: RedisQueueOptions & { name?: string }) => RedisQueue<unknown>) => Coroutine<void>): Promise<unknown> =>
    t.test(title, (t) => program(redis.url, (open) => main(t, open)))

  await t.test('in one process, as asyncio.Queue', async (t) => {
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
      t.same(queue.counts, { put: 7, got: 7, redelivered: 0, done: 7, lost: 0 })
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
  })
})
void [pause, CancelledError, getRunningLoop, timeout, slowProxy, thrownBy]
