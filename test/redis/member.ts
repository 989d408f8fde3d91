// One process of several around a shared queue, without a server: it runs commands, one on each line, and reports each result
// at once, before it can be killed.
import { writeSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { RedisQueue } from '../../src/redis/index.ts'
import { CancelledError, createTask, fromAsyncIterable, run, sleep, type Coroutine, type Task } from '../../src/index.ts'

export interface Command {
  do: 'open' | 'put' | 'get' | 'done' | 'join' | 'produce' | 'consume' | 'close'
  name?: string
  lease?: number
  maxsize?: number
  tries?: number
  /** What is put or done. */
  item?: string
  /** For `produce`: the number of items, whose names begin with `item`. */
  items?: number
  /** For `produce` and `consume`: the longest pause, in seconds. */
  pace?: number
}

const say = (...words: unknown[]): void => void writeSync(1, `${words.join(' ')}\n`)

let queue = new RedisQueue<string>('none')
let tasks: Task<unknown>[] = []

function* obey({ do: what, name = '', lease = 5, maxsize = 0, tries = 0, item = '', items = 0, pace = 0 }: Command): Coroutine<void> {
  switch (what) {
    case 'open':
      queue = new RedisQueue<string>(name, { url: process.argv[2] as string, lease, maxsize, tries })
      say('opened', yield* queue.qsize())
      break
    case 'put':
      yield* queue.put(item)
      say('put', item)
      break
    case 'get':
      say('got', yield* queue.get())
      break
    case 'done':
      queue.taskDone(item)
      break
    case 'join':
      yield* queue.join()
      say('joined')
      break
    case 'produce':
      for (let made = 0; made < items; made++) {
        yield* sleep(Math.random() * pace)
        yield* queue.put(`${item}${made}`)
        say('put', `${item}${made}`)
      }
      say('made', item)
      break
    case 'consume':
      for (;;) {
        const got = yield* queue.get()
        yield* sleep(Math.random() * pace)
        say('got', got)
        queue.taskDone()
      }
    case 'close':
      for (const task of tasks) task.cancel()
      tasks = []
      yield* queue.close()
      say('closed', JSON.stringify(queue.counts))
  }
}

function* main(): Coroutine<void> {
  say('ready')
  const commands = fromAsyncIterable(createInterface({ input: process.stdin }))
  yield* commands.forEach(function* (line) {
    const command = JSON.parse(line) as Command
    const task = createTask(obey(command))
    if (command.do === 'close' || command.do === 'open') yield* task
    else tasks.push(task)
    task.addDoneCallback(() => {
      const error = task.cancelled() ? null : task.exception()
      if (error !== null && !(error instanceof CancelledError)) say('failed', String(error))
    })
  })
}

await run(main())
