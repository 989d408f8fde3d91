// What a coroutine throws, as a value.
import type { Coroutine } from '../../src/index.ts'

/** Awaits `coro` and returns the error that it ended with, or `null`. */
export function* caught(coro: Coroutine<unknown>): Coroutine<unknown> {
  try {
    yield* coro
  } catch (error) {
    return error
  }
  return null
}
