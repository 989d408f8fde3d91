// The installed package: the tarball, by each package manager, on the oldest and the newest Node, in an empty folder; what its
// declarations need from TypeScript and from the user's packages; and how much of it ends up in a bundle.
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import t from 'tap'
import { NODES, nodeOf, packaged, type Fetched } from './support/nodes.ts'
import { execute, linkPackages, ofProject, packAndInstall } from './support/pack.ts'

const BIN = join(import.meta.dirname, '../node_modules/.bin')

// Outside this tree, so that nothing of this project is found beside the package.
const outside = mkdtempSync(join(tmpdir(), 'loopscope-installed-'))
process.once('exit', () => rmSync(outside, { recursive: true, force: true }))

let folders = 0
function emptyFolder(): string {
  const folder = join(outside, String(++folders))
  mkdirSync(folder)
  writeFileSync(join(folder, 'package.json'), '{ "name": "app", "version": "1.0.0", "license": "MIT", "private": true, "type": "module" }')
  return folder
}

const user = emptyFolder()
const { tarball, folder: installed } = await packAndInstall(user)
const manifest = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as { exports: Record<string, unknown>; peerDependencies: Record<string, string> }
const entries = Object.keys(manifest.exports).filter((entry) => entry !== './package.json').map((entry) => `loopscope${entry.slice(1)}`)

/** The end of a program: both its outputs, and a code or signal if it failed. */
function told(command: string, args: readonly string[], cwd: string, env: Record<string, string> = {}): Promise<string> {
  // Without NODE_OPTIONS, with which tap loads a module into each process.
  return execute('env', ['-u', 'NODE_OPTIONS', command, ...args], { cwd, env: { ...process.env, NO_COLOR: '1', ...env }, timeout: 120_000 }).then(
    ({ stdout, stderr }) => stdout + stderr,
    ({ stdout, stderr, code, signal }: { stdout: string; stderr: string; code?: number; signal?: string }) => `${stdout}${stderr}\nfailed: ${signal ?? code}`,
  )
}

const PROGRAM = `import { run, sleep } from 'loopscope'
import { observe } from 'loopscope/observe'
const { url, close } = await observe({ port: 0, logStalls: false })
const page = await fetch(url, { headers: { accept: 'text/html' } }).then(response => response.text())
console.log(await run(sleep(0.01, 'ran')), page.includes('<script'))
await close()
`

interface Manager {
  name: string
  /** Its own script, to be run by that Node. */
  script: Promise<Fetched>
  install: string[]
}

const managers: Manager[] = [
  {
    name: 'npm', script: execute('sh', ['-c', 'command -v npm']).then(({ stdout }) => ({ path: realpathSync(stdout.trim()) })),
    install: ['install', '--offline', '--no-audit', '--no-fund', '--cache', join(outside, 'npm')],
  },
  { name: 'pnpm', script: packaged('pnpm', '10.34.8', 'bin/pnpm.cjs'), install: ['add', '--offline', '--store-dir', join(outside, 'pnpm')] },
  { name: 'yarn', script: packaged('yarn', '1.22.22', 'bin/yarn.js'), install: ['add', '--offline', '--cache-folder', join(outside, 'yarn')] },
]

for (const [which, version] of Object.entries(NODES)) {
  const node = await nodeOf(version)
  for (const { name, script, install } of managers) {
    const found = await script
    const missing = [node, found].flatMap((one) => ('missing' in one ? [one.missing] : [])).join('; ')
    t.test(`${name} on the ${which} Node installs one package, without a warning`, { skip: missing }, async (t) => {
      if (!('path' in node) || !('path' in found)) return
      const folder = emptyFolder()
      const PATH = `${dirname(node.path)}${delimiter}${process.env['PATH']}`
      const output = await told(node.path, [found.path, ...install, tarball], folder, { PATH, NO_UPDATE_NOTIFIER: '1', npm_config_update_notifier: 'false' })
      t.notMatch(output, /\bwarn|EBADENGINE|deprecated|^failed:/im)
      t.same(readdirSync(join(folder, 'node_modules')).filter((entry) => !entry.startsWith('.')), ['loopscope'])
      writeFileSync(join(folder, 'program.js'), PROGRAM)
      t.equal(await told(node.path, ['program.js'], folder), 'ran true\n')
    })
  }
}

t.test('publint and attw find nothing', async (t) => {
  t.match(await told(join(BIN, 'publint'), ['run', tarball, '--strict'], outside), /All good!\n$/)
  const found = await told(join(BIN, 'attw'), [tarball, '--profile', 'esm-only', '--no-definitely-typed', '--no-emoji', '--format', 'ascii'], outside)
  t.equal(found.match(/bundler: OK/g)?.length, entries.length + 1)
  t.notMatch(found, /^failed:/m)
})

t.test('declarations', async (t) => {
  const types = ofProject('@types/node')
  const apps: [what: string, peers: Record<string, Fetched>][] = [
    ['the lowest of each peer', {
      fastify: await packaged('fastify', lowest('fastify')), eslint: await packaged('eslint', lowest('eslint')), '@redis/client': await packaged('@redis/client', lowest('@redis/client')),
    }],
    ['the peers that this project has', Object.fromEntries(Object.entries(ofProject(...Object.keys(manifest.peerDependencies))).map(([name, path]) => [name, { path }]))],
  ]
  const compilers: [version: string, found: Fetched][] = [
    ['5.6', await packaged('typescript', '5.6.3', 'bin/tsc')], ['newest', await packaged('typescript', '7.0.2', 'bin/tsc')], ['own', { path: join(BIN, 'tsc') }],
  ]
  for (const [what, peers] of apps) {
    const paths = Object.entries(peers).flatMap(([name, found]) => ('path' in found ? [[name, found.path] as const] : []))
    const folder = emptyFolder()
    cpSync(installed, join(folder, 'node_modules/loopscope'), { recursive: true })
    linkPackages(folder, { ...types, ...Object.fromEntries(paths) })
    writeFileSync(join(folder, 'app.mts'), `${entries.map((entry, at) => `export * as entry${at} from '${entry}'`).join('\n')}
import Fastify from 'fastify'
import { EventLoop, getRunningLoop, sleep, type Task } from 'loopscope'
import loopscope from 'loopscope/fastify'
import { observe } from 'loopscope/observe'
import { RedisQueue } from 'loopscope/redis'
const app = Fastify({ logger: true })
await app.register(loopscope, { observer: true })
app.get('/', function* (request) { yield* sleep(1); return request.loopscope?.id })
export const loop: EventLoop = app.loopscope.loop
export class Own extends EventLoop {}
export const loops = (task: Task<void>): EventLoop[] => [new Own(), getRunningLoop(), task.getLoop(), loop.callSoon(() => {}).loop]
const { url } = await observe({ port: 0 })
console.log(url satisfies string | null, new RedisQueue<string>('letters', { maxsize: 1 }))
`)
    for (const [version, compiler] of compilers) {
      const missing = [...Object.values(peers), compiler].flatMap((one) => ('missing' in one ? [one.missing] : [])).join('; ')
      await t.test(`are complete for TypeScript ${version} with ${what}`, { skip: missing }, async (t) => {
        if (!('path' in compiler)) return
        const options = ['--noEmit', '--strict', '--target', 'es2022', '--module', 'nodenext', '--skipLibCheck', 'false', '--types', 'node']
        t.equal(await told(process.execPath, [compiler.path, ...options, 'app.mts'], folder), '')
      })
    }
  }

  await t.test('contain no internals, and name no package but peers', async (t) => {
    const files = readdirSync(join(installed, 'dist/lib')).filter((file) => file.endsWith('.d.ts'))
    t.ok(files.length > 5)
    for (const file of files) {
      const text = readFileSync(join(installed, 'dist/lib', file), 'utf8')
      t.notMatch(text, /@internal|boundLoop|from ['"](?!\.\/|node:|fastify['"]|eslint['"]|@redis\/client['"])/, file)
    }
  })
})

/** The lowest version in a peer's range. */
function lowest(name: string): string {
  return manifest.peerDependencies[name]!.split(' ')[0]!.slice(1)
}

t.test('a missing peer is named in one line with what to install, when its entry is imported', async (t) => {
  const imported = async (entry: string): Promise<string> => told(process.execPath, ['-e', `import('${entry}').then(() => console.log('here'), ({ message }) => console.log(message))`], user)
  for (const entry of entries) {
    // The packages of an app or a linter are needed only for their types.
    const expected = entry === 'loopscope/redis' ? 'loopscope/redis needs a package that is not installed: npm install @redis/client@6\n' : 'here\n'
    t.equal(await imported(entry), expected, entry)
  }
})

/** A program like the tutorial's, in bytes of gzip; the goal is 13 KB. */
const MOST_BYTES = 20_000

t.test('a bundle contains only what is used of the package', async (t) => {
  const bundled = async (contents: string): Promise<string> => {
    const { outputFiles, warnings } = await build({ stdin: { contents, resolveDir: user }, bundle: true, minify: true, format: 'esm', target: 'es2022', write: false, logLevel: 'silent' })
    t.same(warnings, [])
    return outputFiles[0]!.text
  }
  const program = await bundled(`import { gather, getRunningLoop, print, Queue, run, sleep } from 'loopscope'
function* produce(queue) {
  for (const letter of ['a', 'b']) {
    yield* sleep(1)
    yield* queue.put(letter)
  }
}
function* main() {
  const queue = new Queue(1)
  const [, first] = yield* gather([produce(queue), queue.get()])
  print('got', first, 'at', getRunningLoop().time())
}
await run(main())
`)
  const bytes = gzipSync(program).length
  t.comment(`a typical program: ${bytes} bytes of gzip`)
  t.ok(bytes <= MOST_BYTES, `${bytes} bytes of gzip`)
  t.notOk(program.includes('<Barrier '), 'what is not used is left out')
})
