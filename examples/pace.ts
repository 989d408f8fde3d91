// How fast an example runs. `sleep` is the library's, and `blockingSleep` blocks the thread like Python's `time.sleep`; both
// are divided by the speed of the run, which is 1 by default.
import { ContextVar, getRunningLoop, sleep as pause, type Coroutine } from '../src/index.ts'

/** How many times faster than written the program goes. */
export const speed = new ContextVar('speed', { default: 1 })

export function sleep(seconds: number): Coroutine<void> {
  return pause(seconds / speed.get()) as Coroutine<void>
}

/** Blocks the loop's own thread: nothing else runs meanwhile. On a virtual clock the time just passes. */
export function blockingSleep(seconds: number): void {
  getRunningLoop().host.block(seconds / speed.get())
}
