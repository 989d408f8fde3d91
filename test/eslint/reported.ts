// Every line that the rule has to report says so at its end, with the message and, after ->, the line that its
// suggestion makes of it. A line that says nothing must not be reported.
import { asyncFor, createTask, getRunningLoop, Lock, Queue, sleep, type AsyncGen, type Coroutine, type Future } from '../../src/index.ts'

const queue = new Queue<number>(1)
const lock = new Lock()
declare const maybeQueue: Queue<number> | undefined
declare const items: number[]
declare const isLate: boolean
declare const future: Future<number>

function* work(n: number) {
  yield* sleep(n)
  return n
}

function* nothingToWaitFor() {
  return 1
}

class Store {
  *save(n: number): Coroutine<void> {
    yield* sleep(n)
  }

  *saveTwice(n: number): Coroutine<void> {
    this.save(n) // reports dropped -> yield* this.save(n)
    yield* this.save(n)
  }

  touch(): void {
    this.save(1) // reports droppedOutside
  }
}

export function* statements(): Coroutine<void> {
  sleep(1) // reports dropped -> yield* sleep(1)
  queue.put(1) // reports dropped -> yield* queue.put(1)
  work(1) // reports dropped -> yield* work(1)
  nothingToWaitFor() // reports dropped -> yield* nothingToWaitFor()
  new Store().save(1) // reports dropped -> yield* new Store().save(1)
  lock.acquire() // reports dropped -> yield* lock.acquire()
  maybeQueue?.put(1) // reports dropped
  maybeQueue!.put(1)! // reports dropped -> (yield* maybeQueue!.put(1))!
  ;(sleep(1) as Coroutine<void>) // reports dropped -> ;((yield* sleep(1)) as Coroutine<void>)
  ;(function* () { yield* sleep(1) })() // reports dropped -> ;yield* (function* () { yield* sleep(1) })()
  yield* sleep(0)
}

export function* partsOfStatements(): Coroutine<void> {
  isLate && sleep(1) // reports dropped -> isLate && (yield* sleep(1))
  isLate || queue.put(1) // reports dropped -> isLate || (yield* queue.put(1))
  sleep(1) && isLate // reports dropped -> (yield* sleep(1)) && isLate
  isLate ? sleep(1) : future.cancel() // reports dropped -> isLate ? yield* sleep(1) : future.cancel()
  isLate ? sleep(1) : queue.put(1) // reports dropped, dropped
  sleep(1), yield* sleep(2) // reports dropped -> yield* sleep(1), yield* sleep(2)
  yield* sleep(1), sleep(2) // reports dropped -> yield* sleep(1), yield* sleep(2)
  const last = (sleep(1), 2) // reports dropped -> const last = (yield* sleep(1), 2)
  for (sleep(1); isLate; sleep(2)) yield* sleep(last) // reports dropped, dropped
  if (isLate) sleep(1) // reports dropped -> if (isLate) yield* sleep(1)
  else for (const n of items) queue.put(n) // reports dropped -> else for (const n of items) yield* queue.put(n)
}

export function* variables(): Coroutine<void> {
  const unread = sleep(1) // reports unused -> const unread = yield* sleep(1)
  let assigned: Coroutine<number>
  assigned = work(1) // reports unused -> assigned = yield* work(1)
  const either = isLate ? sleep(1) : null // reports unused -> const either = isLate ? yield* sleep(1) : null
  using held = lock.guard() // reports unused -> using held = yield* lock.guard()
  const kept = work(2)
  kept // reports dropped -> yield* kept
  yield* sleep(1)
}

export function* yieldWithoutStar() {
  yield sleep(1) // reports yielded -> yield* sleep(1)
  const item = (yield queue.get()) as number // reports yielded -> const item = (yield* queue.get()) as number
  yield* sleep(item)
}

export async function* yieldInAsyncGenerator() {
  yield sleep(1) // reports yielded
  sleep(1) // reports droppedOutside
}

export async function awaitOfCoroutine(): Promise<void> {
  await sleep(1) // reports awaited
  const n = await work(1) // reports awaited
  if (n !== undefined) await queue.put(1) // reports awaited
  sleep(1) // reports droppedOutside
}

export function plainFunction(): void {
  sleep(1) // reports droppedOutside
  items.forEach(n => queue.put(n)) // reports callback
  items.forEach(n => isLate && queue.put(n)) // reports callback
  items.forEach(n => isLate ? future.cancel() : queue.put(n)) // reports callback
  items.forEach(work) // reports coroutineFunction
  items.forEach(function* (n) { yield* queue.put(n) }) // reports coroutineFunction
  items.forEach(n => { return queue.put(n) }) // reports coroutineFunction
  items.forEach(n => { queue.put(n) }) // reports droppedOutside
  setTimeout(() => sleep(1), 10) // reports callback
  new EventTarget().addEventListener('a', () => sleep(1)) // reports callback
  getRunningLoop().callSoon(() => sleep(1)) // reports callback
  getRunningLoop().callSoon(nothingToWaitFor) // reports coroutineFunction
  future.addDoneCallback(() => queue.put(1)) // reports callback
}

export function* callbacksInCoroutines(): Coroutine<void> {
  items.forEach(n => queue.put(n)) // reports callback
  const onDone: () => void = () => sleep(1) // reports callback
  const hooks: { onDone: () => void } = { onDone: () => sleep(1) } // reports callback
  onDone()
  hooks.onDone()
  yield* createTask(work(1))
}

export function* classesInCoroutines(): Coroutine<void> {
  class Local {
    static {
      sleep(1) // reports droppedOutside
    }
    readonly late = (sleep(1), 1) // reports droppedOutside
    readonly hook: () => void = () => sleep(1) // reports callback
  }
  yield* sleep(new Local().late)
}

export function* generic<C extends Coroutine<void>>(coroutine: C, list: C[]): Coroutine<void> {
  coroutine // reports dropped -> yield* coroutine
  list[0] // reports dropped
  list.pop()! // reports dropped
  yield* coroutine
}

export class Fields {
  readonly held = sleep(1)
  static {
    sleep(1) // reports droppedOutside
  }
}

sleep(1) // reports droppedOutside

function* feed(): AsyncGen<number> {
  yield 1
  // @ts-expect-error no number
  yield sleep(1) // reports yielded -> yield* sleep(1)
}

export function* iterates(): Coroutine<void> {
  asyncFor(feed(), function* (n) { yield* queue.put(n) }) // reports dropped -> yield* asyncFor(feed(), function* (n) { yield* queue.put(n) })
  yield* asyncFor(feed(), function* (n) { yield* queue.put(n) })
}
