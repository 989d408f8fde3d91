// What gives items one by one, each of which may be waited for; and the loop over it.
import type { Coroutine } from './coroutine.ts'
import { callBody } from './awaitable.ts'

/** What gives items one by one, each of which may be waited for: Python's asynchronous iterator. */
export interface CoroutineIterator<T> extends CoroutineIterable<T> {
  /** Wait for the next item: `{ done: false, value }`, or `{ done: true }` at the end. */
  next(): Coroutine<IteratorResult<T, undefined>>
  /** End the iteration early: what it has open is closed. */
  close(): Coroutine<void>
  /** @internal End it without waiting, for what may never end. `asyncFor` calls it in place of `close`. */
  abandon?(): void
}

/** What has a `CoroutineIterator`, as Python's `__aiter__` gives one. */
export interface CoroutineIterable<T> {
  aiter(): CoroutineIterator<T>
}

/** Run `body` for each item, until it returns a value, and close the iterator; `caller` is named in errors. */
export function* forEachItem<T, R>(iterator: CoroutineIterator<T>, caller: string, body: (item: T) => Coroutine<R>): Coroutine<R | undefined> {
  let ended = false
  try {
    for (;;) {
      const result = yield* iterator.next()
      if (result.done === true) {
        ended = true
        return undefined
      }
      const value = yield* callBody(caller, body, result.value)
      if (value !== undefined) return value
    }
  } finally {
    if (!ended) {
      if (iterator.abandon !== undefined) iterator.abandon()
      else yield* iterator.close()
    }
  }
}
