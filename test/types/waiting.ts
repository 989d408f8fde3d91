// Waiting for several things: what goes into gather, wait, waitFor, asCompleted and shield comes out with its own type.
import {
  ALL_COMPLETED, asCompleted, asyncFor, createTask, FIRST_COMPLETED, gather, shield, sleep, wait, waitFor,
  type Coroutine, type Future, type Task,
} from '../../src/index.ts'
import { is } from './is.ts'

declare const future: Future<boolean>
declare const task: Task<string>
declare const tasks: Task<number>[]
declare const mixed: (Task<number> | Task<string>)[]
declare const isStrict: boolean

function* count(n: number): Coroutine<number> {
  yield* sleep(1)
  return n
}

function* greet(): Coroutine<string> {
  yield* sleep(1)
  return 'hello'
}

export function* gathered(): Coroutine<void> {
  is<[number, string]>()(yield* gather([count(1), greet()]))
  is<[number, string, boolean, void]>()(yield* gather([count(1), task, future, sleep(1)]))
  is<number[]>()(yield* gather([1, 2, 3].map(n => count(n))))
  is<number[]>()(yield* gather(tasks))
  is<[number, ...number[]]>()(yield* gather([count(0), ...tasks]))
  is<(number | string)[]>()(yield* gather(mixed))
  is<[]>()(yield* gather([]))
  is<Future<[number, string]>>()(gather([count(1), greet()]))
  is<[number, string]>()(yield* gather([count(1), greet()], { returnExceptions: false }))
  is<[number | Error, string | Error]>()(yield* gather([count(1), greet()], { returnExceptions: true }))
  is<(number | Error)[]>()(yield* gather(tasks, { returnExceptions: true }))

  const [n, text] = yield* gather([count(1), greet()])
  n.toFixed()
  text.length
  n.length // error: TS2339
  const swapped: [string, number] = yield* gather([count(1), greet()]) // error: TS2322
  const tooMany: [number, string, number] = yield* gather([count(1), greet()]) // error: TS2322
  const [either] = yield* gather([count(1)], { returnExceptions: true })
  either.toFixed() // error: TS2339
  if (!(either instanceof Error)) either.toFixed()
  gather(count(1), greet()) // error: TS2769
  gather([count(1), 5]) // error: TS2322
  gather([count, greet]) // error: TS2322, TS2322
  gather([Promise.resolve(1)]) // error: TS2741
  gather([count(1)], { returnException: true }) // error: TS2769
  gather([count(1)], { returnExceptions: 'yes' }) // error: TS2769
  void [swapped, tooMany]
}

export function* waited(): Coroutine<void> {
  is<{ done: Set<Task<number>>; pending: Set<Task<number>> }>()(yield* wait(tasks))
  is<{ done: Set<Future<boolean>>; pending: Set<Future<boolean>> }>()(yield* wait([future]))
  const { done } = yield* wait(new Set(tasks), { timeout: 1, returnWhen: FIRST_COMPLETED })
  for (const one of done) is<number>()(one.result())
  yield* wait(tasks, { timeout: null, returnWhen: ALL_COMPLETED })
  const both = yield* wait(mixed)
  for (const one of both.done) is<number | string>()(one.result())
  const pair = yield* wait([createTask(count(1)), createTask(greet())])
  for (const one of pair.done) is<number | string>()(one.result())
  wait([count(1)]) // error: TS2345
  wait(task) // error: TS2345
  wait(tasks, { timout: 1 }) // error: TS2561
  wait(tasks, { returnWhen: 'first' }) // error: TS2322
  wait(tasks, 1) // error: TS2559
}

export function* waitedFor(): Coroutine<void> {
  is<number>()(yield* waitFor(count(1), 5))
  is<string>()(yield* waitFor(task, null))
  is<[number, string]>()(yield* waitFor(gather([count(1), greet()]), 5))
  is<Coroutine<number>>()(waitFor(count(1), 5))
  const text: string = yield* waitFor(count(1), 5) // error: TS2322
  waitFor(count(1)) // error: TS2554
  waitFor(count, 5) // error: TS2345
  waitFor(5, 5) // error: TS2345
  waitFor(count(1), '5') // error: TS2345
  waitFor(count(1), { timeout: 5 }) // error: TS2345
  void text
}

export function* completed(): Coroutine<void> {
  for (const next of asCompleted(tasks)) is<number>()(yield* next)
  for (const next of asCompleted([count(1), count(2)])) is<number>()(yield* next)
  for (const next of asCompleted(new Set([count(1)]), { timeout: 5 })) is<number>()(yield* next)
  for (const next of asCompleted(mixed)) is<number | string>()(yield* next)
  for (const next of asCompleted([count(1), greet()])) is<number | string>()(yield* next)
  for (const next of asCompleted(tasks)) {
    const text: string = yield* next // error: TS2322
    next.toFixed() // error: TS2339
    void text
  }
  yield* asyncFor(asCompleted(tasks), function* (task) { is<Task<number>>()(task) })
  yield* asyncFor(asCompleted([count(1), greet()]), function* (task) { is<Task<number> | Task<string>>()(task) })
  asCompleted(count(1)) // error: TS2345
  asCompleted([5]) // error: TS2345
  asCompleted(tasks, { timeot: 5 }) // error: TS2561
}

export function* shielded(): Coroutine<void> {
  is<Future<number>>()(shield(count(1)))
  is<string>()(yield* shield(task))
  const text: string = yield* shield(count(1)) // error: TS2322
  shield(count) // error: TS2345
  is<[number | Error]>()(yield* gather([count(1)], { returnExceptions: isStrict }))
  void text
}
