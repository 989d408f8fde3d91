// What a coroutine throws, as a value.
import type { Coroutine } from '../../src/index.ts'

/** Await `coro` and give the error that it ended with, `null` if there was none. */
export function* caught(coro: Coroutine<unknown>): Coroutine<unknown> {
  try {
    yield* coro
  } catch (error) {
    return error
  }
  return null
}
