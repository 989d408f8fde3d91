// The packed package, in the ways in which programs are started: watched by NODE_OPTIONS, each behaves as it does unwatched, on
// each Node.
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import { nodeOf, SUPPORTED } from '../support/nodes.ts'
import { packAndInstall } from '../support/pack.ts'
import { startNode, type Ended } from './support.ts'

t.setTimeout(600_000)
const consumer = join(t.testdir(), 'consumer')
const { folder } = await packAndInstall(consumer)

function write(path: string, text: string): void {
  mkdirSync(dirname(join(consumer, path)), { recursive: true })
  writeFileSync(join(consumer, path), text)
}

write('package.json', '{ "type": "module", "scripts": { "start": "node app.mjs", "nested": "npm start --silent" } }')
// A process that is watched goes on until its view can be reached: only then it says where that is.
write('watched.mjs', `export async function watched() {
  for (;;) {
    const observing = globalThis[Symbol.for('loopscope.observing')]
    if (observing === undefined || observing.url !== null) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
`)
write('app.mjs', "import { watched } from './watched.mjs'\nawait watched()\nconsole.log('app', process.argv.length)\nprocess.exitCode = 3\n")
write('app.cjs', "import('./watched.mjs').then(({ watched }) => watched()).then(() => { console.log('app'); process.exit(4) })\n")
write('cluster.mjs', `import cluster from 'node:cluster'
import { createServer } from 'node:http'
import { watched } from './watched.mjs'
await watched()
if (cluster.isPrimary) {
  let left = 4
  for (let n = 0; n < 4; n++) cluster.fork().on('message', () => {
    if (--left > 0) return
    console.log('four')
    for (const worker of Object.values(cluster.workers)) worker.disconnect()
  })
} else createServer().listen(0, () => process.send('listens'))
`)
write('threads.mjs', `import { execFileSync, fork } from 'node:child_process'
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { watched } from './watched.mjs'
await watched()
await Promise.all([1, 2, 3, 4].map(() => once(new Worker(new URL('./thread.mjs', import.meta.url)), 'exit')))
console.log(execFileSync(process.execPath, ['-p', '6 * 7'], { stdio: ['ignore', 'pipe', 'ignore'] }).toString())
console.log('forked', (await once(fork('./app.mjs'), 'exit'))[0])
`)
write('thread.mjs', "console.log('thread')\n")
write('tests/one.test.mjs', "import { test } from 'node:test'\nimport { watched } from '../watched.mjs'\ntest('one', watched)\n")
write('tests/two.test.mjs', "import { test } from 'node:test'\nimport { watched } from '../watched.mjs'\ntest('two', async () => { await watched(); await new Promise(setImmediate); throw new Error('wrong') })\n")
write('throws.mjs', "import { watched } from './watched.mjs'\nawait watched()\nsetImmediate(() => { throw new RangeError('out') })\n")
// A program that a package manager or a user starts in the foreground finds this Node first.
chmodSync(join(folder, 'dist/lib/loopscope.js'), 0o755)
mkdirSync(join(consumer, 'node_modules/.bin'), { recursive: true })
symlinkSync(join(folder, 'dist/lib/loopscope.js'), join(consumer, 'node_modules/.bin/loopscope'))

const LINE = /^(?:# )?loopscope: (?:process (\d+) is observed at http:\/\/127\.0\.0\.1:(\d+)(?:: port \d+ is taken)?|(?:[\w.-]+: )?blocked for .*)$/

/** The processes that serve a view, each with its port. */
function watchedIn({ out, err }: Ended): { pid: string; port: string }[] {
  return `${out}\n${err}`.split('\n').flatMap((line) => {
    const match = LINE.exec(line)
    return match?.[1] === undefined ? [] : [{ pid: match[1], port: match[2]! }]
  })
}

interface Way {
  args: string[]
  /** How many views there are: the processes of one program have one. */
  views: number
  /** What differs from one run to the next. */
  differs?: RegExp
  npm?: boolean
}

const WAYS: Record<string, Way> = {
  'a module': { args: ['app.mjs', 'x'], views: 1 },
  'CommonJS': { args: ['app.cjs'], views: 1 },
  'an error that nothing catches': { args: ['throws.mjs'], views: 1 },
  'a debugger': { args: ['--inspect=0', 'app.mjs'], views: 1, differs: /^Debugger listening on .*$/m },
  'a cluster of four': { args: ['cluster.mjs'], views: 1 },
  'threads and child processes': { args: ['threads.mjs'], views: 1 },
  'the test runner': { args: ['--test', '--test-reporter=tap', 'tests/one.test.mjs', 'tests/two.test.mjs'], views: 2, differs: /duration_ms.*$|^# loopscope: .*\n|^# \n/gm },
  'npm': { args: ['start', '--silent'], views: 1, npm: true },
  'npm in npm': { args: ['run', 'nested', '--silent'], views: 1, npm: true },
}

async function tryWays(t: Test, node: string): Promise<void> {
  const PATH = [dirname(node), process.env['PATH']].join(delimiter)
  const run = async ({ args, npm = false }: Way, options: string): Promise<Ended> => {
    const env = { PATH, ...(options === '' ? {} : { NODE_OPTIONS: options }), LOOPSCOPE_PORT: '0', NODE_NO_WARNINGS: '1', NO_COLOR: '1' }
    if (!npm) return startNode(t, args, { env, cwd: consumer, node }).ended
    return startNode(t, args, { env, cwd: consumer, node: 'npm' }).ended
  }
  for (const [name, way] of Object.entries(WAYS)) {
    await t.test(name, async (t) => {
      const bare = await run(way, '')
      const seen = await run(way, '--import=loopscope/register')
      const plain = (text: string): string => (way.differs === undefined ? text : text.replace(way.differs, ''))
      t.same([seen.code, seen.signal, plain(seen.out)], [bare.code, bare.signal, plain(bare.out)])
      t.equal(plain(seen.err.split('\n').filter((line) => !LINE.test(line)).join('\n')), plain(bare.err))
      const found = watchedIn(seen)
      t.equal(found.length, way.views, seen.err)
      t.equal(new Set(found.map(({ pid }) => pid)).size, way.views, 'one in each program')
      t.equal(new Set(found.map(({ port }) => port)).size, way.views, 'at ports of their own')
    })
  }

  await t.test('--require', async (t) => {
    for (const name of ['CommonJS', 'threads and child processes', 'npm']) {
      const way = WAYS[name]!
      const [bare, seen] = [await run(way, ''), await run(way, '--require=loopscope/register')]
      t.same([seen.code, seen.signal, seen.out], [bare.code, bare.signal, bare.out], name)
      t.equal(watchedIn(seen).length, way.views, `${name}: ${seen.err}`)
    }
  })

  await t.test('the permission model', async (t) => {
    const has = async (flag: string): Promise<boolean> => (await startNode(t, ['-p', `process.allowedNodeEnvironmentFlags.has('${flag}')`], { node }).ended).out === 'true\n'
    const model = [await has('--permission') ? '--permission' : '--experimental-permission', '--allow-fs-read=*']
    const allowed = [...model, '--allow-worker', ...await has('--allow-net') ? ['--allow-net'] : []]
    const without = await run({ args: [...model, 'app.mjs'], views: 0 }, '--import=loopscope/register')
    t.match(without, { code: 3, out: 'app 2\n', err: /^loopscope: process \d+ is not watched: observe: the permission model keeps it from a thread of its own: start Node with --allow-worker\n$/ })
    const seen = await run({ args: [...allowed, 'app.mjs'], views: 1 }, '--import=loopscope/register')
    t.match(seen, { code: 3, signal: null, out: 'app 2\n' })
    t.equal(watchedIn(seen).length, 1)
    t.equal(seen.err.split('\n').length, 3, 'and one line about stacks')
  })

  await t.test('the command', async (t) => {
    const ended = await startNode(t, ['run', 'app.mjs', 'x'], { env: { PATH, LOOPSCOPE_PORT: '0' }, cwd: consumer, node: join(consumer, 'node_modules/.bin/loopscope') }).ended
    t.match(ended, { code: 3, out: 'app 3\n' })
    t.equal(watchedIn(ended).length, 1)
  })
}

t.test(`on this Node (${process.version})`, (t) => tryWays(t, process.execPath))

for (const version of SUPPORTED) {
  if (process.versions.node.startsWith(`${version}.`)) continue
  const found = await nodeOf(version)
  t.test(`on Node ${version}`, { skip: 'missing' in found && found.missing }, (t) => tryWays(t, 'path' in found ? found.path : ''))
}
