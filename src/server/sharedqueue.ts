// The queue of example 5 where its producers and consumers are in several processes: a RedisQueue, and what a run of this
// server says of it at its end.
import type { Coroutine } from '../runtime/coroutine.ts'
import type { RedisQueue, RedisQueueCounts } from '../cluster/queue.ts'
import { CancelledError } from '../runtime/exceptions.ts'
import { fromPromise } from '../runtime/fromhost.ts'
import { HttpError } from './errors.ts'

export interface SharedOptions {
  url: string | undefined
  name: string
  maxsize: number
  /** Of this run. Without any it goes on for ever: it cannot know whether others will put more. */
  producers: number
}

export class SharedQueue<T> {
  readonly #queue: RedisQueue<T>
  readonly #isFed: boolean

  private constructor(queue: RedisQueue<T>, producers: number) {
    this.#queue = queue
    this.#isFed = producers > 0
  }

  /** Throws a 503 where there is no Redis. */
  static *open<T>({ url, name, maxsize, producers }: SharedOptions): Coroutine<SharedQueue<T>> {
    if (url === undefined) throw new HttpError(503, 'queue=redis: this server has no Redis; start it with REDIS_URL set, for instance to redis://127.0.0.1:6379')
    // Loaded only where somebody asks for it.
    const { RedisQueue } = yield* fromPromise(import('../cluster/queue.ts'))
    const queue = new RedisQueue<T>(name, { url, maxsize })
    try {
      yield* queue.qsize()
    } catch (error) {
      yield* queue.close()
      if (error instanceof CancelledError) throw error
      throw new HttpError(503, `queue=redis: ${(error as Error).message}`)
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
    return this.#queue.get()
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
    const { put, got, redelivered, lost } = this.counts
    const items = (count: number): string => `${count} item${count === 1 ? '' : 's'}`
    return `put ${items(put)}, got ${items(got)}, ${redelivered} delivered again${lost === 0 ? '' : `, ${lost} lost with Redis`}`
  }
}
