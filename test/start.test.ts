// The packed package in programs that are started in other ways than `node app.js`: with preloads, with flags, bundled.
import { execFile } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { build } from 'esbuild'
import { packAndInstall } from './support/pack.ts'

const ROOT = join(import.meta.dirname, '..')
const folder = t.testdir()
const consumer = join(folder, 'consumer')
await packAndInstall(ROOT, folder, consumer)

const write = (path: string, text: string): void => {
  mkdirSync(dirname(join(consumer, path)), { recursive: true })
  writeFileSync(join(consumer, path), text)
}
write('package.json', '{ "type": "module" }')

interface Ended {
  code: number | string | null
  stdout: string
  stderr: string
}

/** Run a program in the consumer's folder. One that does not end is killed. Tap loads a module into each process by NODE_OPTIONS: not into this. */
function run(command: string, args: readonly string[], options = ''): Promise<Ended> {
  return new Promise((resolve) => {
    execFile('env', [`NODE_OPTIONS=${options}`, 'NODE_NO_WARNINGS=1', command, ...args], { cwd: consumer, timeout: 40_000, killSignal: 'SIGKILL' }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : error.code ?? error.signal ?? null, stdout, stderr })
    })
  })
}
const node = (args: readonly string[], options = ''): Promise<Ended> => run(process.execPath, args, options)

// Written past the streams, which would show nothing of a thread whose output goes nowhere.
const PRELOAD = `import { writeSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'
import { observe } from 'loopscope/observe'
const { url } = await observe({ port: 0 })
writeSync(1, JSON.stringify({ main: isMainThread, url }) + '\\n')
`
const PRELOADED = `import { Worker } from 'node:worker_threads'
import { closeThreads, run, toThread } from 'loopscope'
import { double } from './workers/double.mjs'
await new Promise((resolve) => setTimeout(resolve, 500)) // the observer is there, and has had time to start others
await once(new Worker(new URL('./thread.mjs', import.meta.url)), 'exit')
console.log(await run(toThread(double, 21)))
await closeThreads()
`
write('workers/double.mjs', 'export const double = (n) => n * 2\n')
write('thread.mjs', '')
write('preload.mjs', PRELOAD)
write('preload.cjs', "import('./preload.mjs')\n")
write('preloaded.mjs', PRELOADED)

t.test('observe() in a preload starts one observer, whatever threads there are', async t => {
  const ways: [string, string[], string][] = [
    ['--import', ['--import', './preload.mjs'], ''],
    ['--require', ['--require', './preload.cjs'], ''],
    ['NODE_OPTIONS', [], '--import ./preload.mjs'],
  ]
  for (const [way, flags, options] of ways) {
    const { code, stdout, stderr } = await node([...flags, 'preloaded.mjs'], options)
    const lines = stdout.trim().split('\n')
    const told = lines.filter(line => line.startsWith('{')).map(line => JSON.parse(line) as { main: boolean; url: string | null })
    const [first, ...others] = told
    t.equal(first?.main, true, way)
    t.match(first?.url, /^http:/, way)
    // What is required cannot be waited for: its thread may have ended before, and the address may not be known yet.
    const least = way === '--require' ? 0 : 2
    t.ok(others.length >= least && others.length <= 2, `${way}: ${others.length} threads more, the program's and one of ours`)
    for (const { main, url } of others) t.ok(!main && (url === first?.url || (url === null && least === 0)), `${way}: what is observed already, ${url}`)
    t.same([code, stderr, lines.filter(line => !line.startsWith('{'))], [0, '', ['42']], way)
  }
})

t.test('a thread that is observed is refused another observer, by another copy of the package too', async t => {
  write('twice.mjs', `import { observe } from 'loopscope/observe'
const first = await observe({ port: 0 })
for (const copy of ['loopscope/observe', './node_modules/loopscope/dist/src/observer/observe.js?copy']) {
  const { observe } = await import(copy)
  await observe({ port: 0 }).then(() => console.log('twice'), ({ message }) => console.log(message.replace(first.url, 'URL')))
}
await first.close()
await (await observe({ port: 0 })).close()
`)
  const refused = 'observe: this process is observed already, at URL: close() that one first\n'
  t.match(await node(['twice.mjs']), { code: 0, stdout: refused + refused, stderr: '' })
})

t.test('a program that writes to a slow pipe synchronously goes on doing so', async t => {
  write('pipe.mjs', `import { writeSync } from 'node:fs'
import { observe } from 'loopscope/observe'
await observe({ port: 0 })
const line = 'x'.repeat(1000) + '\\n'
for (let n = 0; n < 500; n++) writeSync(1, line)
writeSync(2, 'wrote all')
`)
  const { stdout, stderr } = await run('sh', ['-c', '"$0" pipe.mjs | (sleep 1; wc -c)', process.execPath])
  t.same([stdout.trim(), stderr], ['500500', 'wrote all'])
})

t.test('a program from the command line may have any flag', async t => {
  const program = `import { observe } from 'loopscope/observe'
import { closeThreads, run, toThread } from 'loopscope'
import { double } from './workers/double.mjs'
const { url } = await observe({ port: 0 })
console.log(typeof url, await run(toThread(double, 21)))
await closeThreads()`
  for (const flag of ['--expose-gc', '--max-old-space-size=300', '--title=it']) {
    t.match(await node([flag, '--input-type=module', '-e', program]), { code: 0, stdout: 'string 42\n', stderr: '' }, flag)
  }
})

t.test('a bundle of the package is told to leave it out, and runs no file of somebody else', async t => {
  write('bundled.mjs', "import { observe } from 'loopscope/observe'\nobserve({ port: 0 }).then(({ url }) => console.log(url), ({ message }) => console.log(message))\n")
  const make = (outfile: string, more: object = {}): Promise<unknown> => build({
    entryPoints: [join(consumer, 'bundled.mjs')], outfile: join(consumer, outfile), bundle: true, platform: 'node', logLevel: 'silent', ...more,
  })
  await make('out/app.cjs', { format: 'cjs' })
  await make('out/app.mjs', { format: 'esm', banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" } })
  write('out/worker.js', "console.log('the program\\'s own worker')")
  for (const file of ['out/app.cjs', 'out/app.mjs']) {
    const { code, stdout, stderr } = await node([file])
    t.match(stdout, /^loopscope .* bundle .*external:loopscope\n$/, file)
    t.same([code, stderr], [0, ''], file)
  }
  await make('out/outside.mjs', { format: 'esm', external: ['loopscope'] })
  t.match(await node(['out/outside.mjs']), { code: 0, stdout: /^http:.*\n$/, stderr: '' }, 'and then it is observed')
})
