// Waits for what Node starts and then reports by events: a connection, a handshake, a server, a process.
import type { Coroutine } from '../runtime/coroutine.ts'
import { HostFuture } from '../runtime/host-future.ts'

export interface Outcome<T> {
  succeed: (value: T) => void
  reject: (error: unknown) => void
}

/** Wait for the outcome that `start` will report. `start` returns what undoes it, called if it fails or the wait is cancelled. */
export function* established<T>(what: string, start: (outcome: Outcome<T>) => () => void): Coroutine<T> {
  const future = new HostFuture<T>(what)
  let undo = (): void => {}
  try {
    undo = start({ succeed: (value) => future.succeed(value), reject: (error) => future.reject(error) })
    return yield* future
  } catch (error) {
    undo()
    throw error
  } finally {
    future.close()
  }
}
