// Tasks that wait for each other and for a lock, and what debug mode says of where each waits. It ends with its standard input.
import { getRunningLoop, Lock, Queue, run, sleep, taskGroup, type Coroutine } from '../../../src/index.ts'
import { observe } from '../../../src/observe/index.ts'

const { url } = await observe({ port: 0 })
const lock = new Lock()
const queue = new Queue<number>()

function* leaf(): Coroutine<void> {
  yield* sleep(600)
}

function* owner(): Coroutine<void> {
  yield* lock.acquire()
  if (lock.locked()) {
    yield* leaf()
  }
}

function* album(): Coroutine<number> {
  yield* sleep(0)
  for (;;) yield* queue.get()
}

function* main(): Coroutine<void> {
  yield* taskGroup(function* (group) {
    group.createTask(owner(), { name: 'owner' })
    group.createTask(album(), { name: 'album\u001b[31m' })
    group.createTask((function* waiter() {
      yield* lock.acquire()
    })(), { name: 'waiter' })
    yield* sleep(0.3)
    const stacks = [...getRunningLoop().liveTasks()].map((task) => [task.getName(), task.getStack()[0] ?? null])
    console.log(JSON.stringify({ pid: process.pid, url, stacks }))
  })
}

process.stdin.on('end', () => process.exit()).resume()
await run(main(), { debug: process.env['DEBUG'] === '1' })
