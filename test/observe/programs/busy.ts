// A program with a loop that is never idle: many tasks that only yield, and at each SIGUSR2 another one that blocks the loop.
import { createTask, run, sleep, type Coroutine } from '../../../src/index.ts'
import { observe } from '../../../src/observe/index.ts'

const TASKS = 50
const HOLD_MS = 400
/** The task that blocks the loop next. */
let next = -1
let times = 0

function hold(): void {
  const end = performance.now() + HOLD_MS
  while (performance.now() < end);
}

function* hurries(task: number): Coroutine<never> {
  for (;;) {
    yield* sleep(0)
    if (next !== task) continue
    next = -1
    hold()
  }
}

function* main(): Coroutine<never> {
  for (let task = 0; task < TASKS; task++) createTask(hurries(task), { name: `hurries ${task}` })
  console.log(`observer ${url}`)
  for (;;) yield* sleep(3600)
}

process.on('SIGUSR2', () => {
  next = (++times * 17) % TASKS
  console.log(`held by hurries ${next}`)
})
/** Limits its life. */
setTimeout(() => process.exit(), 60_000)
const { url } = await observe({ port: 0 })
await run(main())
