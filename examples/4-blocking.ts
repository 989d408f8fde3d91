import { gather, print, type Coroutine } from '../src/index.ts'
import { blockingSleep, sleep } from './pace.ts'

function* count(): Coroutine<void> {
  print('One')
  blockingSleep(1)
  yield* sleep(1)
  print('Two')
}

export function* main(): Coroutine<void> {
  yield* gather([count(), count(), count()])
}
