// Loaded with --import: lets Node run the project's TypeScript, also in worker threads, without a compiler in each process.
// The build is what runs: an import of src/a.ts loads dist/src/a.js. The program and its tests are compiled here first, if
// they have changed. Other TypeScript is compiled when it is loaded.
import * as nodeModule from 'node:module'
import { isMainThread } from 'node:worker_threads'
import { build } from './build.mjs'
import * as hooks from './ts-hooks.mjs'

if (isMainThread) {
  const why = await build({ page: false, tests: true })
  if (why !== null) throw new Error(why)
}
process.setSourceMapsEnabled(true)
/** Newer than the types of the oldest Node. @type {any} */
const { registerHooks } = nodeModule
if (registerHooks !== undefined) registerHooks(hooks)
else nodeModule.register('./ts-hooks.mjs', import.meta.url)
