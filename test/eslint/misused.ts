// Coroutines where their results are meant: for no-misused-coroutines, and arrays of them for no-floating-coroutines. Marks as in reported.ts.
import { asCompleted, createTask, fromPromise, gather, print, Queue, sleep, type Coroutine, type Future, type Task } from '../../src/index.ts'

declare const items: number[]
declare const isLate: boolean
declare const task: Task<boolean>
declare const future: Future<number>
declare const promise: Promise<number>
declare const maybe: Coroutine<boolean> | undefined
declare const either: Coroutine<boolean> | boolean
declare function use(...values: unknown[]): void
const queue = new Queue<number>()

function* ready(n: number): Coroutine<boolean> {
  yield* sleep(n)
  return false
}

function* many(): Coroutine<number[]> {
  yield* sleep(1)
  return [1]
}

function* atOnce() {
  return false
}

export function* conditions(): Coroutine<unknown> {
  if (ready(1)) return 1 // reports condition -> if (yield* ready(1)) return 1
  if (!ready(1)) return 1 // reports condition -> if (!(yield* ready(1))) return 1
  if (atOnce()) return 1 // reports condition -> if (yield* atOnce()) return 1
  if (isLate && ready(1)) return 1 // reports condition -> if (isLate && (yield* ready(1))) return 1
  if (ready(1) || isLate) return 1 // reports condition -> if ((yield* ready(1)) || isLate) return 1
  while (ready(1)) yield* sleep(1) // reports condition -> while (yield* ready(1)) yield* sleep(1)
  do yield* sleep(1); while (!ready(1)) // reports condition -> do yield* sleep(1); while (!(yield* ready(1)))
  for (; ready(1);) yield* sleep(1) // reports condition -> for (; yield* ready(1);) yield* sleep(1)
  const word = ready(1) ? 'yes' : 'no' // reports condition -> const word = (yield* ready(1)) ? 'yes' : 'no'
  const kept = ready(1)
  if (kept) return word // reports condition -> if (yield* kept) return word
  if (yield* ready(1)) return 2
  if (maybe && isLate) return yield* maybe
  if (maybe) return yield* maybe
  if (either) return 3
  if (task) return yield* task
  return maybe ?? isLate
}

export function* texts(): Coroutine<void> {
  print(ready(1)) // reports text -> print(yield* ready(1))
  console.log('ready:', ready(1)) // reports text -> console.log('ready:', yield* ready(1))
  print(`ready: ${ready(1)}`) // reports text -> print(`ready: ${yield* ready(1)}`)
  print('ready: ' + String(ready(1))) // reports text -> print('ready: ' + String(yield* ready(1)))
  print(JSON.stringify(ready(1))) // reports text -> print(JSON.stringify(yield* ready(1)))
  print('ready: ' + (yield* ready(1)), `${yield* ready(1)}`, `${task}`, task, String(future))
}

export function* predicates(): Coroutine<void> {
  print(items.filter((n) => ready(n))) // reports predicate
  print(items.some(ready)) // reports predicate
  print(items.find((n) => { return ready(n) })) // reports predicate
  print(items.every(function* (n) { return yield* ready(n) })) // reports predicate
  print(items.filter((n) => n > 1), items.some((n) => isLate && n > 1))
  const answers = yield* gather(items.map((n) => ready(n)))
  print(items.filter((_n, index) => answers[index]))
}

declare const jobs: { filter(fn: (n: number) => Coroutine<boolean>): Coroutine<void> }

export function* promises(): Coroutine<void> {
  use(yield* fromPromise(Promise.all([ready(1), ready(2)]))) // reports promises
  use(yield* fromPromise(Promise.race(items.map(ready)))) // reports promises
  use(yield* fromPromise(Promise.resolve(ready(1)))) // reports promises
  use(yield* fromPromise(promise.then((n) => ready(n)))) // reports then
  use(yield* fromPromise(promise.then(ready))) // reports then
  use(yield* fromPromise(promise.catch(() => ready(1)))) // reports then
  print(yield* fromPromise(promise.then((n) => createTask(ready(n)))))
  print(yield* fromPromise(Promise.all([createTask(ready(1)), promise])))
  yield* jobs.filter(ready)
}

export function* awaitsPromises(): Coroutine<void> {
  // @ts-expect-error a promise is no awaitable
  print(yield* promise) // reports promise -> print(yield* fromPromise(promise))
  // @ts-expect-error the same
  yield* fetch('http://127.0.0.1') // reports promise -> yield* fromPromise(fetch('http://127.0.0.1'))
  print(yield* fromPromise(promise), yield* future)
}

export async function returned(): Promise<unknown> {
  if (isLate) return ready(1) // reports async
  if (items.length > 1) return createTask(ready(1))
  return promise
}
export const arrow = async (): Promise<unknown> => ready(1) // reports async

export function* iterated(): Coroutine<void> {
  for (const n of many()) print(n) // reports iterated -> for (const n of yield* many()) print(n)
  print([...many()]) // reports iterated -> print([...yield* many()])
  for (const n of yield* many()) print(n)
  for (const next of asCompleted(items.map(ready))) print(yield* next)
}

export function* arrays(): Coroutine<void> {
  items.map((n) => queue.put(n)) // reports droppedArray
  ;[ready(1), ready(2)] // reports droppedArray
  const unread = items.map(ready) // reports unusedArray
  void items.map(ready)
  const tasks = items.map((n) => createTask(ready(n)))
  const read = items.map(ready)
  yield* gather(read)
}

export function* yields() {
  yield task // reports yieldedFuture -> yield* task
  const n = (yield future) as number // reports yieldedFuture -> const n = (yield* future) as number
  yield* sleep(n)
}

export function* generatesTasks() {
  yield task
  yield createTask(ready(1))
}
