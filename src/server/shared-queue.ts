// The queue of example 5 when its producers and consumers are in several processes: a RedisQueue, and the summary of a run at
// its end.
import type { Coroutine } from '../runtime/coroutine.ts'
import type { RedisQueue, RedisQueueCounts } from '../redis/index.ts'
import { CancelledError } from '../runtime/exceptions.ts'
import { fromPromise } from '../runtime/from-host.ts'
import { currentTask } from '../runtime/tasks.ts'
import type { Task } from '../runtime/task.ts'
import { Refusal } from '../http/refusals.ts'

export interface SharedOptions {
  url: string | undefined
  name: string
  maxsize: number
  /** Of this run. Without any it runs indefinitely: it cannot know whether others will put more. */
  producers: number
  /** Whether a value is an item: any program may put values to a queue in Redis. */
  isItem: (value: unknown) => boolean
}

export class SharedQueue<T> {
  readonly #queue: RedisQueue<T>
  readonly #isFed: boolean
  readonly #consumers = new WeakSet<Task<unknown>>()
  #onFailure: ((error: unknown) => void) | null = null

  private constructor(queue: RedisQueue<T>, producers: number) {
    this.#queue = queue
    this.#isFed = producers > 0
  }

  /** Throws a 503 if there is no Redis. */
  static *open<T>({ url, name, maxsize, producers, isItem }: SharedOptions): Coroutine<SharedQueue<T>> {
    if (url === undefined) throw new Refusal('redis-unavailable', 'queue=redis: this server has no Redis; start it with REDIS_URL set, for instance to redis://127.0.0.1:6379')
    // Loaded only when it is needed.
    const { RedisQueue } = yield* fromPromise(import('../redis/index.ts'))
    const queue = new RedisQueue<T>(name, { url, maxsize, isItem })
    try {
      yield* queue.qsize()
    } catch (error) {
      yield* queue.close()
      if (error instanceof CancelledError) throw error
      throw new Refusal('redis-unavailable', `queue=redis: ${(error as Error).message}`)
    }
    return new SharedQueue(queue, producers)
  }

  get name(): string {
    return this.#queue.name
  }

  put(item: T): Coroutine<void> {
    return this.#queue.put(item)
  }

  get(): Coroutine<T> {
    const task = currentTask()
    if (task !== null && !this.#consumers.has(task)) {
      this.#consumers.add(task)
      task.addDoneCallback(() => {
        const error = task.cancelled() ? null : task.exception()
        if (error !== null) this.#onFailure?.(error)
      })
    }
    return this.#queue.get()
  }

  /** Runs `main`, which ends with the first task that fails after it got an item: `main` might otherwise wait forever for that item. */
  *guard(main: Coroutine<void>): Coroutine<void> {
    const task = currentTask() as Task<unknown>
    const before = task.cancelling()
    const failures: unknown[] = []
    this.#onFailure = (error) => {
      if (failures.push(error) === 1) task.cancel()
    }
    try {
      yield* main
      if (failures.length > 0) task.uncancel()
    } catch (error) {
      // It was also cancelled from outside, and ends with that.
      if (failures.length === 0 || task.uncancel() > before || !(error instanceof CancelledError)) throw error
    } finally {
      this.#onFailure = null
    }
    if (failures.length > 0) throw failures[0] as Error
  }

  taskDone(): void {
    this.#queue.taskDone()
  }

  *join(): Coroutine<void> {
    if (this.#isFed) yield* this.#queue.join()
    else yield* fromPromise(function cancellation() {
      return new Promise<never>(() => {})
    })
  }

  close(): Coroutine<void> {
    return this.#queue.close()
  }

  get counts(): RedisQueueCounts {
    return this.#queue.counts
  }

  /** What this run did with the queue, in one line. */
  summary(): string {
    const { put, got, redelivered, lost, deadLetters } = this.counts
    const items = (count: number): string => `${count} item${count === 1 ? '' : 's'}`
    return `put ${items(put)}, got ${items(got)}, ${redelivered} delivered again${lost === 0 ? '' : `, ${lost} lost with Redis`}${deadLetters === 0 ? '' : `, ${deadLetters} became dead letters because they cannot be read`}`
  }
}
