// Coroutines and `yield*`: what may be yielded, and what awaiting gives.
import {
  aiter, asyncFor, createTask, currentTask, ensureFuture, Future, getRunningLoop, isCoroutine, isFuture, run, Runner, sleep, Task, wrapFuture,
  type AsyncGen, type Awaitable, type Coroutine, type Result,
} from '../../src/index.ts'
import { is } from './is.ts'

declare const future: Future<number>
declare const task: Task<string>
declare const awaitable: Awaitable<boolean>
declare const value: unknown

function* count(n: number): Coroutine<number> {
  yield* sleep(1)
  return n
}

function* greet() {
  yield* sleep(1)
  return 'hello'
}

function* nothingToWaitFor() {
  return 5
}

export function* gives() {
  is<number>()(yield* count(1))
  is<string>()(yield* greet())
  is<number>()(yield* nothingToWaitFor())
  is<number>()(yield* future)
  is<string>()(yield* task)
  is<boolean>()(yield* awaitable)
  is<void>()(yield* sleep(1))
  is<string>()(yield* sleep(1, 'late'))
  is<number>()(yield* createTask(count(1)))
  is<number>()(yield* createTask(nothingToWaitFor()))
  is<number>()(yield* ensureFuture(count(1)))
  is<string>()(yield* wrapFuture(Promise.resolve('a')))

  const n = yield* count(1)
  n.toFixed()
  n.length // error: TS2339
  const text: string = yield* count(1) // error: TS2322
  return text
}

function* feed(): AsyncGen<number> {
  yield 1
  yield* sleep(1)
  yield yield* count(2)
  yield* feed()
  yield 'text' // error: TS2322
  yield sleep(1) // error: TS2322
}

function* undeclared() {
  yield 'a'
  yield* sleep(1)
  yield 'b'
}

export function* iterates(): Coroutine<void> {
  is<undefined>()(yield* asyncFor(feed(), function* (n) { is<number>()(n) }))
  is<string | undefined>()(yield* asyncFor(feed(), function* (n) { if (n > 1) return String(n) }))
  is<undefined>()(yield* asyncFor(undeclared(), function* (text) { is<string>()(text) }))
  yield* asyncFor((async function* () { yield new Date() })(), function* (date) { is<Date>()(date) })
  is<IteratorResult<number, undefined>>()(yield* aiter(feed()).next())
  is<void>()(yield* aiter(feed()).close())
  yield* asyncFor([1, 2], function* () {}) // error: TS2345
  yield* asyncFor(feed(), () => 5) // error: TS2322
  yield* feed() // error: TS2322
}

export function makes(): void {
  is<Coroutine<number>>()(count(1))
  is<Task<string>>()(createTask(greet()))
  is<Task<number>>()(createTask(count(1), { name: 'counter', eagerStart: true }))
  is<Task<number>>()(getRunningLoop().createTask(count(1)))
  is<Future<Date>>()(getRunningLoop().createFuture<Date>())
  is<Future<number>>()(ensureFuture(count(1)))
  is<Promise<number>>()(run(count(1)))
  is<Promise<string>>()(new Runner().run(greet()))
  is<Promise<number>>()(getRunningLoop().runUntilComplete(future))
  is<Task<unknown> | null>()(currentTask())
  is<number>()(future.result())
  is<Result<Task<Date>>>()(new Date())
  future.addDoneCallback(done => { is<number>()(done.result()) })
  task.addDoneCallback(done => { is<string>()(done.getName()) })
  if (isCoroutine(value)) is<Coroutine<unknown>>()(value)
  if (isFuture(value)) is<Future<unknown>>()(value)
}

export async function fromTheHost(): Promise<void> {
  is<number>()(await future)
  is<string>()(await task)
  is<number>()(await run(count(1)))
  is<Coroutine<number>>()(await count(1))
  const n: number = await count(1) // error: TS2322
  void n
}

function* awaits(): Coroutine<void> {
  yield 5 // error: TS2322
  yield // error: TS2322
  yield 'a' // error: TS2322
  yield null // error: TS2322
  yield {} // error: TS2741
  yield count(1) // error: TS2741
  yield task // error: TS2741
  yield future // error: TS2741
  yield Promise.resolve(1) // error: TS2741
  yield* [1] // error: TS2322
  yield* 'a' // error: TS2322
  yield* new Set([1]) // error: TS2322
  yield* 5 // error: TS2488
  yield* Promise.resolve(1) // error: TS2488
  yield* count // error: TS2488
  yield* null // error: TS2488
}

// Without an annotation the body says nothing; what takes the coroutine does.
function* yieldsNumber() {
  yield 5
  yield* sleep(1)
}
function* yieldsFromList() {
  yield* [1]
}
function* yieldsCoroutine() {
  yield sleep(1)
}

export function refused(): void {
  createTask(yieldsNumber()) // error: TS2345
  createTask(yieldsFromList()) // error: TS2345
  createTask(yieldsCoroutine()) // error: TS2345
  void run(yieldsNumber()) // error: TS2345
  void run(yieldsCoroutine()) // error: TS2345
  ensureFuture(yieldsNumber()) // error: TS2345

  createTask(awaits) // error: TS2345
  void run(awaits) // error: TS2345
  createTask(Promise.resolve(1)) // error: TS2345
  createTask(async () => {}) // error: TS2345
  createTask(task) // error: TS2345
  createTask(5) // error: TS2345
  void run() // error: TS2554
  void run(Promise.resolve(1)) // error: TS2345

  const n: number = count(1) // error: TS2322
  const m: number = createTask(count(1)) // error: TS2322
  count(1) + 1 // error: TS2365
  future + 1 // error: TS2365
  greet().length // error: TS2339
  task.length // error: TS2339
  if (task === 'hello') return // error: TS2367
  void [n, m]

  count('1') // error: TS2345
  sleep() // error: TS2554
  sleep('1') // error: TS2345
  sleep(null) // error: TS2345
  createTask(count(1), { nme: 'counter' }) // error: TS2561
  createTask(count(1), { eagerStart: 1 }) // error: TS2322
  createTask(count(1), 'counter') // error: TS2559
  void run(count(1), { clok: null }) // error: TS2561
  void run(count(1), { debug: 'yes' }) // error: TS2322
  new Future<number>().setResult('1') // error: TS2345
  new Future<number>({ lop: null }) // error: TS2561
  future.cancel(1) // error: TS2345
  const other: Future<string> = future // error: TS2322
  const wrongTask: Task<number> = task // error: TS2322
  const notTask: Task<number> = future // error: TS2740
  const fromGenerator: Coroutine<number> = (function* () { yield 1; return 1 })() // error: TS2322
  void [other, wrongTask, notTask, fromGenerator]
}
