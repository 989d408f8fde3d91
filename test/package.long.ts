// The package as users get it: packed, installed, type-checked, run on Node, bundled for browsers.
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import t, { type Test } from 'tap'
import { bundle, foreignModules } from './support/bundle.ts'
import { importsOf } from './support/imports.ts'
import { NODES, nodeOf } from './support/nodes.ts'
import { execute, linkPackages, ofProject, packAndInstall } from './support/pack.ts'

const ROOT = join(import.meta.dirname, '..')
const TSC = join(ROOT, 'node_modules/typescript/bin/tsc')

const CONSUMER = `import { gather, getRunningLoop, print, Queue, run, sleep, VirtualClock, type Coroutine } from 'loopscope'

function* produce(queue: Queue<string>): Coroutine<void> {
  for (const letter of ['a', 'b']) {
    yield* sleep(1)
    yield* queue.put(letter)
  }
}

function* main(): Coroutine<number> {
  const queue = new Queue<string>(1)
  const [, first] = yield* gather([produce(queue), queue.get()])
  const text: string = first
  print('got', text, 'at', getRunningLoop().time())
  print('got', yield* queue.get(), 'at', getRunningLoop().time())
  return 7
}

const seven: number = await run(main(), { clock: new VirtualClock() })
print('main gave', seven)
`
const MISTAKE = `import { run, sleep } from 'loopscope'
const text: string = await run(sleep(1, 7))
export default text
`

// Each thread loads the job's module for itself, so a counter on one thread is unknown on another.
const WITH_THREADS = `import { closeThreads, print, run, toThread, type Coroutine } from 'loopscope'
import { count } from './workers/count.js'

function* main(): Coroutine<void> {
  const there: number = yield* toThread(count, 'a')
  print('here', count('b'), count('c'), 'there', there)
}

await run(main())
await closeThreads()
`
const JOB = `const seen: string[] = []

export function count(name: string): number {
  return seen.push(name)
}
`

// It runs a hundred programs, one after the other.
t.setTimeout(600_000)

const folder = t.testdir()
const consumer = join(folder, 'consumer')
const packed = await packAndInstall(consumer)

mkdirSync(join(consumer, 'src/workers'), { recursive: true })
writeFileSync(join(consumer, 'package.json'), '{ "type": "module" }')
writeFileSync(join(consumer, 'src/main.ts'), CONSUMER)
writeFileSync(join(consumer, 'src/mistake.ts'), MISTAKE)
writeFileSync(join(consumer, 'src/threads.ts'), WITH_THREADS)
writeFileSync(join(consumer, 'src/workers/count.ts'), JOB)
writeFileSync(join(consumer, 'index.html'), '<!doctype html><script type="module" src="./src/main.ts"></script>')

type Target = string | { [condition: string]: Target }

function filesOf(target: Target): string[] {
  return typeof target === 'string' ? [target] : Object.values(target).flatMap(filesOf)
}

t.test('the tarball', async (t) => {
  await t.test('contains every file that the exports name', async (t) => {
    const manifest = JSON.parse(readFileSync(join(packed.folder, 'package.json'), 'utf8')) as { exports: Target }
    const targets = filesOf(manifest.exports)
    t.ok(targets.length > 5)
    t.same(targets.filter((target) => !packed.files.includes(target.slice('./'.length))), [])
  })

  await t.test('has its commands', async (t) => {
    const { bin } = JSON.parse(readFileSync(join(packed.folder, 'package.json'), 'utf8')) as { bin: Record<string, string> }
    t.same(Object.keys(bin), ['loopscope'])
    const run = (...args: string[]): Promise<string> => execute(process.execPath, [join(packed.folder, bin['loopscope']!), ...args])
      .then(({ stdout }) => stdout, (error: { stderr: string; code: number }) => `${error.code}: ${error.stderr}`)
    t.match(await run('load', '--help'), /^loopscope load \[options\] URL/)
    t.match(await run('load', 'http://127.0.0.1:1/'), /^1: load: cannot reach http:\/\/127\.0\.0\.1:1: connection refused/)
    t.match(await run('load', 'lab'), '1: load: `load lab` without a URL works only in a source checkout; pass a URL')
    t.match(await run('lift'), /^2: loopscope has no command lift; it has:\n +loopscope run …[^\n]*\n +loopscope view …[^\n]*\n +loopscope load …[^\n]*\n +loopscope ps …[^\n]*\n +loopscope pstree …[^\n]*\n +loopscope asgi …/)
  })

  await t.test('contains what is built and the documents, and nothing else', async (t) => {
    const READ = ['README.md', 'CHANGELOG.md', 'SECURITY.md', 'LICENSE', 'THIRD-PARTY-LICENSES', 'package.json']
    t.same(packed.files.filter((path) => !/^(dist\/lib\/[\w-]+(\.d\.ts|\.js)|dist\/ui\/.*|docs\/.*\.(md|png))$/.test(path) && !READ.includes(path)), [])
    t.same(READ.filter((path) => !packed.files.includes(path)), [])
    const page = packed.files.filter((path) => path.startsWith('dist/ui/'))
    t.ok(page.includes('dist/ui/index.html') && page.length > 5, 'the page is there')
    const sizes = packed.files.map((path) => statSync(join(packed.folder, path)).size)
    t.ok(sizes.reduce((sum, size) => sum + size, 0) < 13e6, 'it is no larger than 13 MB')
  })

  await t.test('has no dependency, and the peers are optional', async (t) => {
    const { dependencies, peerDependencies, peerDependenciesMeta, scripts } = JSON.parse(readFileSync(join(packed.folder, 'package.json'), 'utf8')) as Record<string, Record<string, unknown>>
    t.same([dependencies, scripts], [undefined, undefined])
    t.same(peerDependenciesMeta, Object.fromEntries(Object.keys(peerDependencies!).map((name) => [name, { optional: true }])))
    const scriptFiles = packed.files.filter((path) => /^dist\/lib\/.*\.(js|ts)$/.test(path))
    const imported = scriptFiles.flatMap((path) => importsOf(path, readFileSync(join(packed.folder, path), 'utf8'))).map(({ target }) => target)
    t.same([...new Set(imported.filter((target) => target.startsWith('npm:')))].filter((target) => !(target.slice('npm:'.length) in peerDependencies!)), [])
  })

  await t.test('links to nothing that it does not contain', async (t) => {
    const leading = packed.files.filter((path) => path.endsWith('.md')).flatMap((path) => {
      const text = readFileSync(join(packed.folder, path), 'utf8').replace(/^```.*?^```/gms, '')
      const targets = [...text.matchAll(/\]\(([^)#\s]+)[^)]*\)|(?:src|href|srcset)="([^"#]+)"/g)].map(([, link, attribute]) => link ?? attribute!)
      return targets.filter((target) => !/^[a-z]+:/.test(target)).map((target) => ({ path, target: join(dirname(path), target) }))
    })
    t.ok(leading.length > 20)
    t.same(leading.filter(({ target }) => !packed.files.includes(target)), [])
  })

  await t.test('names the licence of everything that is in it', async (t) => {
    const text = readFileSync(join(packed.folder, 'THIRD-PARTY-LICENSES'), 'utf8')
    for (const name of ['fastify', 'zod', 'prom-client', 'undici', 'preact', 'typescript', '@codemirror/view']) t.match(text, new RegExp(`^    ${name} [\\d.]+ \\([\\w.-]+\\)$`, 'm'))
    t.notMatch(text, ROOT)
  })

  await t.test('keeps the names of the runtime\'s classes', async (t) => {
    const exported = await import(pathToFileURL(join(packed.folder, 'dist/lib/index.js')).href) as Record<string, unknown>
    const classes = Object.entries(exported).filter(([name, value]) => typeof value === 'function' && /^[A-Z]/.test(name)) as [string, { name: string }][]
    t.ok(classes.length > 30)
    t.same(classes.filter(([name, value]) => value.name !== name).map(([name]) => name), [])
  })
})

t.test('a program that uses it', async (t) => {
  const check = async (moduleResolution: 'nodenext' | 'bundler'): Promise<string> => {
    writeFileSync(join(consumer, `${moduleResolution}.json`), JSON.stringify({
      compilerOptions: {
        target: 'es2022', lib: ['es2023', 'esnext.disposable', 'dom'], types: [], moduleResolution,
        module: moduleResolution === 'nodenext' ? 'nodenext' : 'esnext',
        strict: true, exactOptionalPropertyTypes: true, outDir: moduleResolution, rootDir: 'src',
      },
      files: ['src/main.ts', 'src/threads.ts', 'src/mistake.ts'],
    }))
    return execute(process.execPath, [TSC, '-p', `${moduleResolution}.json`], { cwd: consumer })
      .then(() => 'no error', (error: { stdout: string }) => error.stdout)
  }

  for (const resolution of ['nodenext', 'bundler'] as const) {
    await t.test(`is type-checked with moduleResolution ${resolution}, the declarations with it`, async (t) => {
      const errors = (await check(resolution)).split('\n').filter((line) => line.includes('error TS'))
      t.same(errors, ["src/mistake.ts(2,7): error TS2322: Type 'number' is not assignable to type 'string'."])
    })
  }

  await t.test('runs on Node', async (t) => {
    const { stdout, stderr } = await execute(process.execPath, ['nodenext/main.js'], { cwd: consumer })
    t.same(stdout.split('\n'), ['got a at 2', 'got b at 2', 'main gave 7', ''])
    t.equal(stderr, '')
  })

  await t.test('calls a function on a worker thread', async (t) => {
    const { stdout, stderr } = await execute(process.execPath, ['nodenext/threads.js'], { cwd: consumer })
    t.equal(stdout, 'here 1 2 there 1\n')
    t.equal(stderr, '')
  })

  await t.test('gets the entry for browsers from a bundler for browsers, and nothing of Node', async (t) => {
    const { scripts, complaints } = await bundle(consumer, join(folder, 'bundled'))
    t.same(complaints, [])
    t.same(foreignModules(scripts), [])
    const text = [...scripts.values()].join('\n')
    t.match(text, /class BrowserHost|BrowserHost = class/)
    t.notMatch(text, 'NodeHost')
  })

  await t.test('may ask for the entry for browsers by name', async (t) => {
    writeFileSync(join(consumer, 'src/named.ts'), CONSUMER.replace("'loopscope'", "'loopscope/browser'"))
    const { scripts, complaints } = await bundle(consumer, join(folder, 'bundled-by-name'), {
      build: { rollupOptions: { input: join(consumer, 'src/named.ts') } },
    })
    t.same(complaints, [])
    t.match([...scripts.values()].join('\n'), /class BrowserHost|BrowserHost = class/)
  })
})

// Small programs for past faults. Each checks its own results and reports by its exit code.
const PROGRAMS = join(import.meta.dirname, 'package/programs')

// Outside this tree, so that only a user's packages are found beside the package, and none of this project's.
const stranger = mkdtempSync(join(tmpdir(), 'loopscope-stranger-'))
process.once('exit', () => rmSync(stranger, { recursive: true, force: true }))
cpSync(PROGRAMS, stranger, { recursive: true })
writeFileSync(join(stranger, 'package.json'), '{ "type": "module" }')
cpSync(packed.folder, join(stranger, 'node_modules/loopscope'), { recursive: true })
linkPackages(stranger, ofProject('fastify', '@fastify/request-context', '@fastify/websocket', 'ws', 'esbuild', '@redis/client', 'eslint', 'tsx', '@types/node'))

/** The ways to run a program, from its first lines: `// node:` and flags, or `// args:` and arguments, a line for each. */
function waysOf(program: string): string[][] {
  const ways = [...readFileSync(join(PROGRAMS, program), 'utf8').matchAll(/^\/\/ (node|args):(.*)$/gm)].map(([, kind, text]) => {
    const words = text!.split(' ').filter((word) => word !== '')
    return kind === 'node' ? [...words, program] : [program, ...words]
  })
  return ways.length === 0 ? [[program]] : ways
}

const programs = readdirSync(PROGRAMS).filter((name) => name.endsWith('.mjs'))

async function runPrograms(t: Test, node: string): Promise<void> {
  for (const way of programs.flatMap(waysOf)) {
    // Without NODE_OPTIONS, with which tap loads a module into each process.
    const complaint = await execute('env', ['-u', 'NODE_OPTIONS', node, ...way], { cwd: stranger, timeout: 60_000 })
      .then(() => '', ({ stdout, stderr, signal }: { stdout: string; stderr: string; signal: string | null }) => `${signal ?? ''} ${stdout}${stderr}`)
    t.equal(complaint, '', way.join(' '))
  }
}

t.test(`example programs give the right results on this Node (${process.version})`, (t) => runPrograms(t, process.execPath))

for (const [which, version] of Object.entries(NODES)) {
  if (process.versions.node.startsWith(`${version}.`)) continue
  const node = await nodeOf(version)
  t.test(`example programs give the right results on the ${which} Node`, { skip: 'missing' in node && node.missing }, (t) => runPrograms(t, 'path' in node ? node.path : ''))
}
