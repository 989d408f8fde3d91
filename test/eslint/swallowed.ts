// Every `catch` that a CancelledError does not get past: for no-swallowed-cancellations. Marks as in reported.ts.
import { CancelledError, currentTask, print, rethrowCancelled, sleep, TimeoutError, type Coroutine, type Future } from '../../src/index.ts'

declare const future: Future<number>
declare function isFatal(error: unknown): boolean
declare const plain: Iterable<number>

export function* swallows(): Coroutine<unknown> {
  try { yield* sleep(1) } catch {} // reports swallowed
  try { yield* sleep(1) } catch (error) { print(error) } // reports swallowed -> try { yield* sleep(1) } catch (error) { rethrowCancelled(error); print(error) }
  try {
    print(yield* future)
  } catch (failure) { // reports swallowed
    print(failure)
  }
  for (;;) {
    try {
      if (yield* future) for (;;) yield* sleep(1)
    } catch (error) { // reports swallowed
      if (error instanceof TimeoutError) throw error
    }
    try { yield* sleep(1) } catch (error) { if (!(error instanceof RangeError)) print(error); else throw error } // reports swallowed -> try { yield* sleep(1) } catch (error) { rethrowCancelled(error); if (!(error instanceof RangeError)) print(error); else throw error }
    try {
      yield* sleep(1)
    } catch (error) { // reports swallowed
      if (error instanceof TypeError && isFatal(error)) throw error
      print(() => { throw error })
    }
    try { yield* sleep(1) } catch ({ message }: any) { print(message) } // reports swallowed
  }
}

export function* letsThrough(): Coroutine<unknown> {
  try { yield* sleep(1) } catch (error) { rethrowCancelled(error); print(error) }
  try { yield* sleep(1) } catch (error) { throw new Error('in vain', { cause: error }) }
  try { yield* sleep(1) } catch (error) { if (!(error instanceof TimeoutError)) throw error }
  try { yield* sleep(1) } catch (error) { if (error instanceof TimeoutError) print(error); else throw error }
  try { yield* sleep(1) } catch (error) { if (error instanceof CancelledError) throw error }
  try { yield* sleep(1) } catch (error) { if (error instanceof CancelledError) currentTask()?.uncancel() }
  try { yield* sleep(1) } catch (error) { if (isFatal(error)) throw error }
  try { yield* sleep(1) } catch { if (currentTask()!.cancelling() > 0) return 1 }
  try { yield* sleep(1) } finally { print('cleaned up') }
  try { print(1) } catch (error) { print(error) }
  try { yield* (plain as Iterable<never>) } catch (error) { print(error) }
  try { print(function* () { yield* sleep(1) }) } catch (error) { print(error) }
  const done = future.getLoop().createFuture<void>()
  try { yield* sleep(1) } catch (error) { done.setException(error) }
  let kept: unknown
  try { yield* sleep(1) } catch (error) { kept = error }
  try { yield* sleep(1) } catch (error) { kept = { failed: true, error } }
  return kept
}
