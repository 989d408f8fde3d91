// Whether loopscope/register watches this process. Node loads it in each worker thread and child process, and in npm.
import { isMainThread } from 'node:worker_threads'
import { isStarter } from './starters.ts'

/** One for all copies of the package: it may be named in NODE_OPTIONS and on the command line. */
const REGISTERED = Symbol.for('loopscope.registered')
const own = globalThis as { [REGISTERED]?: boolean }

/** True once, on the main thread of any program but those that only start others. */
export function mayWatch(): boolean {
  if (!isMainThread || own[REGISTERED] === true || isStarter(process.argv[1])) return false
  own[REGISTERED] = true
  return true
}
