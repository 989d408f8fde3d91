// Functions from any module, which `workerFunction` names; and modules in TypeScript, however Node loads them.
import { threadId } from 'node:worker_threads'
import { join } from 'node:path'
import t from 'tap'
import { copyContext, run, syncToAsync, toThread, workerFunction } from '../../src/index.ts'
import { caught } from '../support/caught.ts'
import { nodeOf, SUPPORTED } from '../support/nodes.ts'
import { runNode } from '../support/server-process.ts'
import unnamed, { language, outside, secret, shout, thereAndBack, throughLoop } from './elsewhere/functions.ts'

const root = new URL('../..', import.meta.url).pathname
const IMPORT = `import { run, syncToAsync, workerFunction } from '${join(root, 'dist/src/index.js')}'`

t.test('workerFunction', async (t) => {
  await t.test('a function of any module runs on a thread, with the context variables of its module', (t) => run((function* () {
    language.set('en')
    const { text, thread, language: its } = yield* toThread(shout, 'hello')
    t.same([text, its], ['HELLO', 'en'])
    t.not(thread, threadId)
    t.not(yield* syncToAsync(unnamed, { thread: 'sensitive' })(), threadId)
    t.equal(yield* toThread(outside), 'renamed', 'the name is that of the export')
    t.equal(shout('here').thread, threadId, 'called directly, it runs here')
  })(), { context: copyContext() }))

  await t.test('in a thread, it names coroutines for the main loop, and calls come back to their thread', (t) => run((function* () {
    t.equal(yield* toThread(throughLoop, 'it is'), 'it is on the main loop')
    const [outer, inner] = yield* syncToAsync(thereAndBack, { thread: 'sensitive' })()
    t.equal(outer, inner)
  })()))

  await t.test('refuses what a thread could not load, and says what to do', (t) => run((function* () {
    t.match(yield* caught(toThread(secret[0])), { name: 'TypeError', message: /<function hidden> cannot run on another thread, its module file:.*functions\.ts does not export it/ })
    t.match(yield* caught(toThread(() => 1)), { message: /or name the module that exports it: workerFunction\(import\.meta, fn\)/ })
    for (const [module, fn, message] of [
      [import.meta, 5, /a function is needed, got 5/], [null, unnamed, /import\.meta of a module in a file, or __filename in CommonJS/],
      ['functions.ts', unnamed, /got "?'?functions\.ts/], [{ url: 'https://example.org/a.js' }, unnamed, /example\.org/],
    ] as const) t.throws(() => workerFunction(module as never, fn as never), { name: 'TypeError', message })
  })()))
})

t.test('a module that awaits a call of its own function at its top level gets an error, and no deadlock', async (t) => {
  const folder = t.testdir({
    'main.mjs': "import './lib.mjs'",
    'lib.mjs': `${IMPORT.replace('syncToAsync', 'syncToAsync, toThread')}
      export const job = workerFunction(import.meta, function job() {})
      await run(toThread(job)).catch((error) => console.log(String(error)))`,
  })
  const { ended, log } = runNode(t, [join(folder, 'main.mjs')])
  t.equal(await ended, 0)
  t.match(log(), /TypeError: toThread: <function job> cannot run on another thread, its module file:.*lib\.mjs has not finished loading after 10 s, because it awaits something at its top level/)
})

const CALLS = `
run((function* () {
  for (const thread of ['pool', 'sensitive'] as const) console.log(thread, (yield* syncToAsync(job, { thread })(21)).n)
})()).catch((error: unknown) => console.log(String(error)))`
/** With types that are only removed, a helper, and for a thread of its own. */
const JOB = `import { threadId } from 'node:worker_threads'
import type { Result } from './types.ts'
import { helper } from './helper.ts'
export function job(n: number): Result {
  if (threadId === 0) throw new Error('on the main thread')
  return { n: helper(n) }
}
`
const files = {
  'package.json': '{ "type": "module" }',
  'workers': { 'job.ts': JOB, 'types.ts': 'export interface Result { n: number }', 'helper.ts': 'export const helper = (n: number): number => n * 2', 'job.cts': 'module.exports = { job: (n: number) => ({ n: n * 2 }) }' },
  'lib': {
    'job.ts': `${IMPORT}\n${JOB}workerFunction(import.meta, job)\n`, 'types.ts': 'export interface Result { n: number }', 'helper.ts': 'export const helper = (n: number): number => n * 2',
    'job.cts': 'module.exports = { file: __filename, job: (n: number) => ({ n: n * 2 }) }',
  },
  'module.ts': `${IMPORT}\nimport { job } from './workers/job.ts'${CALLS}`,
  'elsewhere.ts': `${IMPORT}\nimport { job } from './lib/job.ts'${CALLS}`,
  'commonjs.ts': `${IMPORT}\nimport { createRequire } from 'node:module'\nconst { job } = createRequire(import.meta.url)('./workers/job.cts') as { job: (n: number) => { n: number } }${CALLS}`,
  'commonjs-elsewhere.ts': `${IMPORT}\nimport { createRequire } from 'node:module'\nconst lib = createRequire(import.meta.url)('./lib/job.cts') as { file: string; job: (n: number) => { n: number } }\nconst job = workerFunction(lib.file, lib.job)${CALLS}`,
  'itself.ts': `${IMPORT}\nexport function job(n: number) { return { n } }\ntry { workerFunction(import.meta, job) } catch (error) { console.log(String(error)) }`,
}
const PROGRAMS = ['module.ts', 'elsewhere.ts', 'commonjs.ts', 'commonjs-elsewhere.ts']

for (const version of SUPPORTED) {
  const found = await nodeOf(version)
  t.test(`modules in TypeScript on Node ${version}`, { skip: 'missing' in found && found.missing }, async (t) => {
    if (!('path' in found)) return
    const node = found.path
    const folder = t.testdir(files)
    const ways = [['tsx', ['--import', 'tsx']], ...(Number.parseInt(version) >= 22 ? [['types that Node removes', []] as const] : [])] as const
    for (const [way, flags] of ways) {
      await t.test(way, async (t) => {
        for (const program of PROGRAMS) {
          const { ended, log } = runNode(t, [...flags, join(folder, program)], {}, { node })
          await ended
          t.match(log(), 'pool 42\nsensitive 42\n', program)
        }
        const { ended, log } = runNode(t, [...flags, join(folder, 'itself.ts')], {}, { node })
        await ended
        t.match(log(), /TypeError: workerFunction: file:.*itself\.ts is what the program begins with, and each thread would run it again: put <function job> into another module/)
      })
    }
  })
}
