import { createTask, print, type Coroutine } from '../src/index.ts'
import { sleep } from './pace.ts'

function* sayAfter(delay: number, what: string): Coroutine<void> {
  yield* sleep(delay)
  print(what)
}

export function* main(): Coroutine<void> {
  const task1 = createTask(sayAfter(3, 'hello'))
  const task2 = createTask(sayAfter(3, 'world'))
  yield* task1
  yield* task2
}
