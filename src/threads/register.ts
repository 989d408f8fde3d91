// Gives the runtime its threads on Node. The import itself starts none.
import { workerData } from 'node:worker_threads'
import { setThreads } from '../runtime/threads.ts'
import { MainThreads, type ThreadOptions } from './main-threads.ts'
import type { Plain } from './exports.ts'
import type { ThreadsState } from './state.ts'

const main = new MainThreads()

/** Whether this is one of loopscope's worker threads, which run the program's functions. */
export function isOwnThread(): boolean {
  return typeof workerData === 'object' && workerData !== null && 'loopscopeThread' in workerData
}

/** Registers the threads, except in one of loopscope's worker threads, which has the other side of them. */
export function registerThreads(): void {
  if (!isOwnThread()) setThreads(main)
}

/** Sets the sizes and limits of the threads; before the first call, or after `closeThreads`. */
export function configureThreads(options: ThreadOptions): void {
  main.configure(options)
}

/** Starts the pool and the sensitive thread and looks up `functions` now, so that the first call is as fast as any. */
export function prepareThreads(functions: readonly Plain[] = []): Promise<void> {
  return main.prepare(functions)
}

/** The threads and every call that has not ended: queued, running, or detached by a cancellation (`orphaned`). */
export function threadsState(): ThreadsState {
  return main.state()
}

/**
 * Waits at most `seconds` for the open calls to end, then ends all threads; a call that is cut off fails with a
 * BrokenThread. Later calls start threads again.
 */
export function closeThreads(seconds = 0): Promise<void> {
  return main.close(seconds)
}
