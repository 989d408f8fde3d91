import { print, type Coroutine } from '../src/index.ts'
import { sleep } from './pace.ts'

export function* main(): Coroutine<void> {
  print('hello')
  yield* sleep(1)
  print('world')
}
