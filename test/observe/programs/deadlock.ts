// Two tasks of a program that otherwise goes on wait for each other: each has the lock that the other needs.
import { observe } from '../../../src/observe/index.ts'
import { createTask, Lock, run, sleep, type Coroutine } from '../../../src/index.ts'

const observer = await observe({ port: 0 })
const stock = new Lock()
const ledger = new Lock()

function* both(first: Lock, second: Lock): Coroutine<void> {
  yield* first.acquire()
  yield* sleep(0.05)
  yield* second.acquire()
  second.release()
  first.release()
}

function* tick(): Coroutine<void> {
  for (;;) yield* sleep(0.2)
}

function* main(): Coroutine<void> {
  yield* sleep(0.3)
  const tasks = [createTask(both(stock, ledger), { name: 'pack the parcel' }), createTask(both(ledger, stock), { name: 'write the invoice' }), createTask(tick(), { name: 'clock' })]
  console.log(`observer ${observer.url}`)
  for (const task of tasks) yield* task
}

await run(main())
