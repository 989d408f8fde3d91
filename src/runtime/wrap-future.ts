// wrapFuture(): a future of this loop for a result from elsewhere.
import { describe } from './describe.ts'
import { Future, isFuture } from './future.ts'
import { getRunningLoop, type AbstractEventLoop } from './abstract-loop.ts'

/** A future of `loop` (by default the running one) for a promise, or for a future of another loop. A future of this loop is returned unchanged. */
export function wrapFuture<T>(source: PromiseLike<T>, options?: { loop?: AbstractEventLoop }): Future<T> {
  const loop = options?.loop ?? getRunningLoop()
  if (isFuture(source) && source.getLoop() === loop) return source as Future<T>
  if (typeof (source as PromiseLike<T> | null)?.then !== 'function') {
    throw new TypeError(`wrapFuture: a promise or a future is needed, got ${describe(source)}`)
  }
  const future = new Future<T>({ loop })
  loop.addHostWork(1)
  const settle = (finish: () => void): void => {
    loop.addHostWork(-1)
    if (!future.done() && !loop.isClosed()) finish()
  }
  source.then(
    (value) => settle(() => future.setResult(value)),
    (error: unknown) => settle(() => future.fail(error)),
  )
  if (isFuture(source)) {
    future.addDoneCallback(() => {
      if (future.cancelled()) source.cancel()
    })
  }
  return future
}
