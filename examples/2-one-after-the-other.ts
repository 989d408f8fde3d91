import { print, type Coroutine } from '../src/index.ts'
import { sleep } from './pace.ts'

function* sayAfter(delay: number, what: string): Coroutine<void> {
  yield* sleep(delay)
  print(what)
}

export function* main(): Coroutine<void> {
  yield* sayAfter(2, 'hello')
  yield* sayAfter(6, 'world')
}
