// Scopes: timeout and taskGroup give their body's value, and hand the body what they are.
import { sleep, taskGroup, timeout, timeoutAt, type Coroutine, type Task, type TaskGroup, type Timeout } from '../../src/index.ts'
import { is } from './is.ts'

function* count(n: number): Coroutine<number> {
  yield* sleep(1)
  return n
}

export function* timed(): Coroutine<void> {
  is<number>()(yield* timeout(1, function* () { return yield* count(1) }))
  is<string>()(yield* timeout(null, function* () { return 'done' as string }))
  is<void>()(yield* timeout(1, function* () { yield* sleep(2) }))
  is<number>()(yield* timeoutAt(10, () => count(1)))
  is<Coroutine<number>>()(timeout(1, () => count(1)))
  is<[number, string]>()(yield* timeout(1, function* (): Coroutine<[number, string]> { return [yield* count(1), 'a'] }))
  yield* timeout(1, function* (t) {
    is<Timeout>()(t)
    is<number | null>()(t.when())
    is<boolean>()(t.expired())
    t.reschedule(5)
    t.reschedule(null)
    t.reschedule('5') // error: TS2345
    t.reshedule(5) // error: TS2551
    yield* sleep(1)
  })
  const text: string = yield* timeout(1, () => count(1)) // error: TS2322
  timeout('1', () => count(1)) // error: TS2345
  timeout(1) // error: TS2554
  timeout(1, count(1)) // error: TS2345
  timeout(1, async () => {}) // error: TS2345
  timeout(1, () => 5) // error: TS2322
  timeout(1, function* () { yield 5 }) // error: TS2345
  timeout(1, function* () { yield sleep(1) }) // error: TS2345
  timeout(1, count) // error: TS2345
  void text
}

export function* grouped(): Coroutine<void> {
  const total = yield* taskGroup(function* (group) {
    is<TaskGroup>()(group)
    const first = group.createTask(count(1))
    is<Task<number>>()(first)
    is<Task<number>>()(group.createTask(count(2), { name: 'second' }))
    group.cancel()
    group.createTask(count) // error: TS2345
    group.createTask(Promise.resolve(1)) // error: TS2345
    group.createTask(count(1), { title: 'second' }) // error: TS2353
    group.creatTask(count(1)) // error: TS2551
    return yield* first
  })
  is<number>()(total)
  is<Coroutine<string>>()(taskGroup(function* () { return 'a' as string }))
  const text: string = yield* taskGroup(() => count(1)) // error: TS2322
  taskGroup() // error: TS2554
  taskGroup(async group => { group.cancel() }) // error: TS2345
  taskGroup(function* () { yield 5 }) // error: TS2345
  taskGroup(count) // error: TS2345
  void text
}
