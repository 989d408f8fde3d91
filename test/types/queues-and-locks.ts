// Queues carry one type of item; locks and their scopes give what is documented.
import {
  Barrier, BoundedSemaphore, Condition, Event, LifoQueue, Lock, PriorityQueue, Queue, Semaphore, type Coroutine,
} from '../../src/index.ts'
import { is } from './is.ts'

interface Job { name: string, priority: number }

export function* queues(): Coroutine<void> {
  const queue = new Queue<number>(2)
  is<number>()(yield* queue.get())
  is<number>()(queue.getNowait())
  is<void>()(yield* queue.put(1))
  is<void>()(yield* queue.join())
  is<number>()(queue.maxsize)
  is<number>()(queue.qsize())
  is<boolean>()(queue.full())
  queue.shutdown(true)

  yield* queue.put('a') // error: TS2345
  yield* queue.put(null) // error: TS2345
  yield* queue.put() // error: TS2554
  queue.putNowait('a') // error: TS2345
  queue.put(Promise.resolve(1)) // error: TS2345
  const text: string = yield* queue.get() // error: TS2322
  const unawaited: number = queue.get() // error: TS2322
  queue.maxsize = 5 // error: TS2540
  queue.shutdown('now') // error: TS2345
  queue.getNoWait() // error: TS2551
  queue.length // error: TS2339
  if (queue.empty) return // error: TS2774
  new Queue<number>('2') // error: TS2345
  new Queue<number>({ maxsize: 2 }) // error: TS2345
  new Queue<number>().put('a') // error: TS2345
  void [text, unawaited]
}

export function* otherQueues(): Coroutine<void> {
  const jobs = new PriorityQueue<Job>(0, { compare: (a, b) => a.priority - b.priority })
  is<Job>()(yield* jobs.get())
  is<string>()(yield* new LifoQueue<string>().get())
  const base: Queue<Job> = jobs
  yield* base.put({ name: 'a', priority: 1 })
  yield* jobs.put({ name: 'a' }) // error: TS2345
  is<PriorityQueue<Job>>()(new PriorityQueue(0, { compare: (a: Job, b: Job) => a.priority - b.priority }))
  is<PriorityQueue<bigint>>()(new PriorityQueue<bigint>(5))
  is<PriorityQueue<[number, string | number]>>()(new PriorityQueue<[number, string | number]>())

  new PriorityQueue<Job>(0, { compare: (a, b) => a.name - b.name }) // error: TS2362, TS2363
  new PriorityQueue<Job>(0, { compare: () => 'a' }) // error: TS2769
  new PriorityQueue<Job>(0, { comparer: () => 0 }) // error: TS2769
  new PriorityQueue<Job>() // error: TS2554
  new PriorityQueue<Job>(5) // error: TS2554
  new PriorityQueue<[number, Job]>() // error: TS2554
  new PriorityQueue<number | null>() // error: TS2554
  const wrong: Queue<string> = new Queue<number>() // error: TS2322
  void wrong
}

export function* locks(): Coroutine<void> {
  const lock = new Lock()
  is<true>()(yield* lock.acquire())
  is<boolean>()(lock.locked())
  is<number>()(yield* lock.with(function* () { return 5 as number }))
  {
    using held = yield* lock.guard()
    void held
  }
  lock.with(() => 5) // error: TS2322
  lock.with(async () => {}) // error: TS2345
  lock.with(function* () { yield 5 }) // error: TS2345
  if (lock.locked) return // error: TS2774

  const event = new Event()
  is<true>()(yield* event.wait())
  is<boolean>()(event.isSet())
  event.set(true) // error: TS2554

  const condition = new Condition(lock)
  is<true>()(yield* condition.wait())
  is<number>()(yield* condition.waitFor(() => 5 as number))
  is<string>()(yield* condition.with(function* () { return 'a' as string }))
  condition.notify(1)
  condition.notify('all') // error: TS2345
  new Condition(event) // error: TS2345

  const semaphore = new Semaphore(2)
  is<true>()(yield* semaphore.acquire())
  is<void>()(yield* semaphore.with(function* () {}))
  const bounded: Semaphore = new BoundedSemaphore(2)
  bounded.release()
  new Semaphore('2') // error: TS2345

  const barrier = new Barrier(2)
  is<number>()(yield* barrier.wait())
  is<string>()(yield* barrier.with(function* (index) { is<number>()(index); return 'a' as string }))
  is<boolean>()(barrier.broken)
  is<number>()(barrier.nWaiting)
  new Barrier() // error: TS2554
}
