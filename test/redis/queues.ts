// A program with shared queues, which are closed when it has ended.
import { RedisQueue, type RedisQueueOptions } from '../../src/redis/index.ts'
import { run, type Coroutine } from '../../src/index.ts'

export type Open = (options?: RedisQueueOptions & { name?: string }) => RedisQueue<unknown>

let names = 0

/** Runs a program with queues from `open`, all of one new name if it gives none, and closes them afterwards. */
export async function queueProgram(url: string, main: (open: Open) => Coroutine<void>): Promise<void> {
  const queues: RedisQueue<unknown>[] = []
  const fresh = `queue-${++names}`
  const open: Open = ({ name = fresh, ...options } = {}) => {
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
