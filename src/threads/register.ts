// Gives the runtime its threads on Node. Importing this starts none.
import { workerData } from 'node:worker_threads'
import { setThreads } from '../runtime/threads.ts'
import { MainThreads, type ThreadOptions } from './main-threads.ts'
import type { Plain } from './exports.ts'
import type { ThreadsState } from './state.ts'

const main = new MainThreads()

/** Whether this is a worker thread of ours, one that runs the program's functions. */
export function isOwnThread(): boolean {
  return typeof workerData === 'object' && workerData !== null && 'loopscopeThread' in workerData
}

/** Register the threads, but in a worker thread of ours, which has been given the other side of them. */
export function registerThreads(): void {
  if (!isOwnThread()) setThreads(main)
}

/** Set the sizes and bounds of the threads; before the first call, or after `closeThreads`. */
export function configureThreads(options: ThreadOptions): void {
  main.configure(options)
}

/** Start the pool and the sensitive thread and look up `functions` now, so that the first call is as fast as any. */
export function prepareThreads(functions: readonly Plain[] = []): Promise<void> {
  return main.prepare(functions)
}

/** The threads and every call that has not ended: queued, running, or orphaned by a cancellation. */
export function threadsState(): ThreadsState {
  return main.state()
}

/**
 * Wait at most `seconds` for the open calls to end, then end all threads; a call that is cut off fails with a
 * BrokenThread. Calls after that start threads anew.
 */
export function closeThreads(seconds = 0): Promise<void> {
  return main.close(seconds)
}
