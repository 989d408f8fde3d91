// `loopscope/register`: watches the program before which it is loaded, by `node --import loopscope/register` or by
// NODE_OPTIONS. Node loads such a module in each worker thread and child process, and in npm: there, little else is loaded.
import { isMainThread } from 'node:worker_threads'
import { isStarter } from './starters.ts'

/** One for all copies of the package: it may be named in NODE_OPTIONS and on the command line. */
const REGISTERED = Symbol.for('loopscope.registered')
const own = globalThis as { [REGISTERED]?: boolean }

if (isMainThread && own[REGISTERED] !== true && !isStarter(process.argv[1])) {
  own[REGISTERED] = true
  const { watchFromStart } = await import('./preload.ts')
  watchFromStart()
}
