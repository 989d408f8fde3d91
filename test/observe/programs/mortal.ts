// A program with an observer that has little memory: it continues to count, however often the observer dies, and ends when it
// has counted enough.
import { createTask, run, sleep, type Coroutine } from '../../../src/index.ts'
import { observe } from '../../../src/observe/index.ts'

const observer = await observe({ port: 0, memoryMb: Number(process.env['MEMORY_MB'] ?? 64) })
console.log(`observer ${observer.url}`)

function* tick(): Coroutine<never> {
  for (;;) yield* sleep(0.05)
}

function* main(): Coroutine<void> {
  createTask(tick(), { name: 'the ticker' })
  yield* sleep(Number(process.env['SECONDS'] ?? 600))
}

await run(main())
console.log('done')
