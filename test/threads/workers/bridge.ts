// Worker functions that need something from the main loop.
import { isMainThread, threadId } from 'node:worker_threads'
import { asyncToSync, createTask, gather, getRunningLoop, runCoroutineThreadsafe, sleep, syncToAsync, toThread, type Coroutine } from '../../../src/index.ts'
import { whichThread } from './meet.ts'
import { Refused } from './values.ts'

export function* add(a: number, b: number): Coroutine<{ sum: number; onMain: boolean }> {
  yield* sleep(0.001)
  return { sum: a + b, onMain: isMainThread }
}

export function addOnMain(a: number, b: number): { sum: number; onMain: boolean; inWorker: boolean } {
  return { ...asyncToSync(add)(a, b), inWorker: !isMainThread }
}

export function* refuse(): Coroutine<never> {
  yield* sleep(0)
  throw new Refused(3)
}

export function catchRefused(): string {
  try {
    asyncToSync(refuse)()
    return 'no error'
  } catch (error) {
    return `${error instanceof Refused} ${(error as Refused).code}`
  }
}

/** The thread of the function, of a sensitive call inside the coroutine that it waits for, and of one inside that. */
export function nested(depth: number): number[] {
  return depth === 0 ? [threadId] : [threadId, ...asyncToSync(nest)(depth - 1)]
}

export function* nest(depth: number): Coroutine<number[]> {
  return yield* syncToAsync(nested, { thread: 'sensitive' })(depth)
}

export function* three(): Coroutine<number[]> {
  const one = syncToAsync(whichThread, { thread: 'sensitive' })
  return yield* gather([one(), createTask(one()), one()])
}

export function nestedTogether(): number[] {
  return [threadId, ...asyncToSync(three)()]
}

/** On a pool with only threads that wait for their coroutines, whose calls need the pool. */
export function poolInPool(depth: number): number {
  return depth === 0 ? 0 : 1 + asyncToSync(poolAgain)(depth - 1)
}

export function* poolAgain(depth: number): Coroutine<number> {
  return yield* toThread(poolInPool, depth)
}

/** The thread of the function, and of what runs inside it: sensitive and pool, or an executor, in turn. */
export function alternating(lanes: readonly ('sensitive' | 'pool' | 'executor' | 'threadsafe')[]): number[] {
  if (lanes[0] === 'threadsafe') return [threadId, ...runCoroutineThreadsafe(alternate, [lanes.slice(1)]).result()]
  return lanes.length === 0 ? [threadId] : [threadId, ...asyncToSync(alternate)(lanes)]
}

export function* alternate(lanes: readonly ('sensitive' | 'pool' | 'executor' | 'threadsafe')[]): Coroutine<number[]> {
  const [lane, ...rest] = lanes
  if (lane === 'executor') return yield* getRunningLoop().runInExecutor(null, alternating, rest)
  return yield* syncToAsync(alternating, { thread: lane as 'sensitive' | 'pool' })(rest)
}

export function* forEver(words: Int32Array): Coroutine<void> {
  Atomics.store(words, 0, 1)
  try {
    yield* sleep(3600)
  } finally {
    Atomics.store(words, 1, 1)
  }
}

/** Waits for what never ends; notes in `words[2]` how its wait ended. */
export function waitForEver(words: Int32Array): void {
  try {
    asyncToSync(forEver)(words)
  } catch (error) {
    Atomics.store(words, 2, (error as Error).name === 'CancelledError' ? 1 : 2)
    Atomics.notify(words, 2)
    throw error
  }
}

/** A promise, a blocking result, a deadline that passes, a cancellation. */
export async function threadsafe(words: Int32Array): Promise<unknown[]> {
  const first = await runCoroutineThreadsafe(add, [1, 2])
  const second = runCoroutineThreadsafe(add, [3, 4]).result(20)
  const endless = runCoroutineThreadsafe(forEver, [words])
  const found: unknown[] = [first.sum, second.sum, endless.done()]
  try {
    endless.result(0.01)
  } catch (error) {
    found.push((error as Error).name)
  }
  found.push(endless.cancel())
  try {
    await endless
  } catch (error) {
    found.push((error as Error).name)
  }
  try {
    runCoroutineThreadsafe(add(1, 2), null as never)
  } catch (error) {
    found.push((error as Error).message)
  }
  return found
}

export function askForClosure(): void {
  asyncToSync(function* local() {
    yield* sleep(0)
  })()
}

export function callThreadFromHere(): void {
  toThread(whichThread).next()
}
