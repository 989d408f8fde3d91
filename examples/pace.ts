// How fast an example goes. `sleep` is the library's, and `blockingSleep` holds the thread as Python's `time.sleep` does;
// both are divided by the speed of the run that they are called in, which is 1 unless somebody asked for more.
import { ContextVar, getRunningLoop, sleep as pause, type Coroutine } from '../src/index.ts'

/** How many times faster than written the program goes. */
export const speed = new ContextVar('speed', { default: 1 })

export function sleep(seconds: number): Coroutine<void> {
  return pause(seconds / speed.get()) as Coroutine<void>
}

/** Hold the loop's own thread: nothing else runs meanwhile. On a virtual clock the time just passes. */
export function blockingSleep(seconds: number): void {
  getRunningLoop().host.block(seconds / speed.get())
}
