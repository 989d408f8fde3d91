// The packed package in programs that are started in other ways than `node app.js`: with preloads, with flags, bundled, as
// workers of a cluster, under the permission model, through tsx.
import { execFile } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { once } from 'node:events'
import t from 'tap'
import { build } from 'esbuild'
import { packAndInstall } from './support/pack.ts'

const ROOT = join(import.meta.dirname, '..')
const folder = t.testdir()
const consumer = join(folder, 'consumer')
await packAndInstall(consumer)

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

/**
 * Runs a program in the consumer's folder, and kills it if it does not end. Without NODE_OPTIONS, with which tap loads a
 * module into each process.
 */
function run(command: string, args: readonly string[], options = ''): Promise<Ended> {
  return new Promise((resolve) => {
    execFile('env', [`NODE_OPTIONS=${options}`, 'NODE_NO_WARNINGS=1', command, ...args], { cwd: consumer, timeout: 40_000, killSignal: 'SIGKILL' }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : error.code ?? error.signal ?? null, stdout, stderr })
    })
  })
}
const node = (args: readonly string[], options = ''): Promise<Ended> => run(process.execPath, args, options)

// Written directly to the descriptor: the streams show nothing of a thread without output.
const PRELOAD = `import { writeSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'
import { observe } from 'loopscope/observe'
const { url } = await observe({ port: 0, logStalls: false })
writeSync(1, JSON.stringify({ main: isMainThread, url }) + '\\n')
`
const PRELOADED = `import { Worker } from 'node:worker_threads'
import { once } from 'node:events'
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

t.test('observe() in a preload starts one observer, with any threads', async (t) => {
  const ways: [string, string[], string][] = [
    ['--import', ['--import', './preload.mjs'], ''],
    ['--require', ['--require', './preload.cjs'], ''],
    ['NODE_OPTIONS', [], '--import ./preload.mjs'],
  ]
  for (const [way, flags, options] of ways) {
    const { code, stdout, stderr } = await node([...flags, 'preloaded.mjs'], options)
    const lines = stdout.trim().split('\n')
    const told = lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as { main: boolean; url: string | null })
    // Each thread writes for itself, so their order proves nothing.
    const [first, ...more] = told.filter(({ main }) => main)
    const others = told.filter(({ main }) => !main)
    t.same(more, [], `${way}: one main thread`)
    t.match(first?.url, /^http:/, way)
    // Required code cannot be awaited: its thread may have ended before, and the address may not be known yet.
    const least = way === '--require' ? 0 : 2
    t.ok(others.length >= least && others.length <= 2, `${way}: ${others.length} threads more, the program's and one of ours`)
    for (const { url } of others) t.ok((url === first?.url || (url === null && least === 0)), `${way}: what is observed already, ${url}`)
    t.same([code, stderr, lines.filter((line) => !line.startsWith('{'))], [0, '', ['42']], way)
  }
})

t.test('an observed thread is refused another observer, even by another copy of the package', async (t) => {
  write('twice.mjs', `import { observe } from 'loopscope/observe'
const first = await observe({ port: 0, logStalls: false })
for (const copy of ['loopscope/observe', './node_modules/loopscope/dist/lib/observe.js?copy']) {
  const { observe } = await import(copy)
  await observe({ port: 0, logStalls: false }).then(() => console.log('twice'), ({ message }) => console.log(message.replace(first.url, 'URL')))
}
await first.close()
await (await observe({ port: 0, logStalls: false })).close()
`)
  const refused = 'observe: this process is observed already, at URL: close() that one first\n'
  t.match(await node(['twice.mjs']), { code: 0, stdout: refused + refused, stderr: '' })
})

t.test('a program that writes to a slow pipe synchronously continues to do so', async (t) => {
  write('pipe.mjs', `import { writeSync } from 'node:fs'
import { observe } from 'loopscope/observe'
await observe({ port: 0, logStalls: false })
const line = 'x'.repeat(1000) + '\\n'
for (let n = 0; n < 500; n++) writeSync(1, line)
writeSync(2, 'wrote all')
`)
  const { stdout, stderr } = await run('sh', ['-c', '"$0" pipe.mjs | (sleep 1; wc -c)', process.execPath])
  t.same([stdout.trim(), stderr], ['500500', 'wrote all'])
})

t.test('a program from the command line may have any flag', async (t) => {
  const program = `import { observe } from 'loopscope/observe'
import { closeThreads, run, toThread } from 'loopscope'
import { double } from './workers/double.mjs'
const { url } = await observe({ port: 0, logStalls: false })
console.log(typeof url, await run(toThread(double, 21)))
await closeThreads()`
  for (const flag of ['--expose-gc', '--max-old-space-size=300', '--title=it']) {
    t.match(await node([flag, '--input-type=module', '-e', program]), { code: 0, stdout: 'string 42\n', stderr: '' }, flag)
  }
})

t.test('a bundle of the package gets an error that says to leave it out, and runs no file of another package', async (t) => {
  write('bundled.mjs', "import { observe } from 'loopscope/observe'\nobserve({ port: 0, logStalls: false }).then(({ url }) => console.log(url), ({ message }) => console.log(message))\n")
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

t.test('workers of a cluster listen on a port each, from the configured one on', async (t) => {
  write('cluster.mjs', `import cluster from 'node:cluster'
import { observe } from 'loopscope/observe'
if (cluster.isPrimary) {
  const found = []
  for (let n = 0; n < 3; n++) cluster.fork()
  cluster.on('message', (_worker, { url }) => {
    found.push(url)
    if (found.length < 3) return
    console.log(JSON.stringify(found))
    for (const worker of Object.values(cluster.workers)) worker.disconnect()
  })
} else {
  const { url } = await observe({ port: Number(process.argv[2]) })
  process.send({ url })
}
`)
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  probe.close()
  const { code, stdout, stderr } = await node(['cluster.mjs', String(port)])
  t.equal(code, 0, stderr)
  const ports = (JSON.parse(stdout) as string[]).map((url) => Number(new URL(url).port)).sort((a, b) => a - b)
  t.equal(ports[0], port)
  t.equal(new Set(ports).size, 3)
  const told = stderr.trim().split('\n').map((line) => /^process \d+ is observed at http:\/\/127\.0\.0\.1:(\d+): port (\d+) is taken$/.exec(line)?.slice(1).map(Number))
  t.same(told.sort((a, b) => a![0]! - b![0]!), ports.slice(1).map((one) => [one, port]), 'those that have another one say where')
})

t.test('what a flag prevents the observer from doing is reported in one line', async (t) => {
  write('flags.mjs', `import { observe } from 'loopscope/observe'
await observe({ port: 0, logStalls: false }).then(({ close }) => close(), ({ message }) => console.log(message))
`)
  const has = (flag: string): boolean => process.allowedNodeEnvironmentFlags.has(flag)
  const model = [has('--permission') ? '--permission' : '--experimental-permission', '--allow-fs-read=*']
  const net = has('--allow-net') ? ['--allow-net'] : []
  const inspector = has('--allow-inspector') ? ['--allow-inspector'] : []

  t.match(await node(['flags.mjs']), { code: 0, stdout: '', stderr: '' })
  t.match(await node([...model, 'flags.mjs']), { code: 0, stdout: 'observe: the permission model keeps it from a thread of its own: start Node with --allow-worker\n' })
  if (net.length > 0) t.match(await node([...model, '--allow-worker', 'flags.mjs']), { code: 0, stdout: 'observe: the permission model keeps it from listening: start Node with --allow-net\n' })
  const withoutStacks = await node([...model, '--allow-worker', ...net, 'flags.mjs'])
  t.match(withoutStacks, { code: 0, stdout: '', stderr: /^stalls are reported without stacks: the permission model .*--allow-inspector\n$/ })
  t.match(await node(['--frozen-intrinsics', 'flags.mjs']), { code: 0, stdout: '', stderr: /^stalls are reported without stacks: with --frozen-intrinsics .*\n$/ })
  if (inspector.length > 0) {
    const all = [...model, '--allow-worker', ...net, ...inspector]
    t.match(await node([...all, 'flags.mjs']), { code: 0, stdout: '', stderr: '' })
  }
})

t.test('a thread has the program\'s permissions, wherever they are set', async (t) => {
  write('stall.mjs', `import { observe } from 'loopscope/observe'
import http from 'node:http'
const { url } = await observe({ port: 0, logStalls: false })
const stall = (end = Date.now() + 500) => { while (Date.now() < end); }
const stalls = () => new Promise((resolve) => http.get(url + '/stalls', async (response) => {
  let text = ''
  for await (const chunk of response) text += chunk
  resolve(JSON.parse(text).stalls.filter(({ ended }) => ended))
}))
let all = []
// A machine that takes the processor away for a while is an excuse.
for (let times = 0; times < 10 && all.length === 0; times++) {
  await new Promise((resolve) => setTimeout(resolve, 200))
  stall()
  await new Promise((resolve) => setTimeout(resolve, 200))
  all = await stalls()
}
console.log(all.length > 0 ? all[0].stack?.[0].function ?? 'no stack' : 'no stall')
`)
  const has = (flag: string): boolean => process.allowedNodeEnvironmentFlags.has(flag)
  const model = [has('--permission') ? '--permission' : '--experimental-permission', '--allow-fs-read=*', '--allow-worker', ...has('--allow-net') ? ['--allow-net'] : []]
  const open = has('--allow-inspector') ? [...model, '--allow-inspector'] : null
  for (const [flags, expected] of [[model, 'no stack'], ...open === null ? [] : [[open, 'stall'] as const]] as const) {
    t.match(await node([...flags, 'stall.mjs']), { code: 0, stdout: `${expected}\n` })
    t.match(await node(['stall.mjs'], [...flags, '--max-old-space-size=400'].join(' ')), { code: 0, stdout: `${expected}\n` })
  }
})

t.test('a program that runs through tsx calls functions of its TypeScript on threads', async (t) => {
  const app = `import { closeThreads, run, toThread } from 'loopscope'
import { double } from './workers/double.ts'
void run(toThread(double, 21)).then(console.log).then(() => closeThreads())
`
  const cli = join(ROOT, 'node_modules/tsx/dist/cli.mjs')
  for (const [kind, manifest] of [['modules', '{ "type": "module" }'], ['CommonJS', '{}']] as const) {
    const path = `tsx-${kind}`
    write(`${path}/package.json`, manifest)
    write(`${path}/app.ts`, app)
    write(`${path}/workers/double.ts`, 'enum By { two = 2 }\nexport function double(n: number): number {\n  return n * By.two\n}\n')
    t.match(await node([cli, `${path}/app.ts`]), { code: 0, stdout: '42\n', stderr: '' }, `tsx, ${kind}`)
    t.match(await node(['--import', 'tsx', `${path}/app.ts`]), { code: 0, stdout: '42\n', stderr: '' }, `--import tsx, ${kind}`)
    t.match(await node([`${path}/app.ts`], '--import tsx'), { code: 0, stdout: '42\n', stderr: '' }, `NODE_OPTIONS, ${kind}`)
  }
})

t.test('a thread without its program\'s loader reports what to do', async (t) => {
  write('hooked/workers/double.odd', 'export const double = (n) => n * 2\n')
  const hooks = `export async function load(url, context, next) {
  return url.endsWith('.odd') ? next(url, { ...context, format: 'module' }) : next(url, context)
}`
  write('hooked/app.mjs', `import { register } from 'node:module'
import { closeThreads, run, toThread } from 'loopscope'
register(${JSON.stringify(`data:text/javascript,${encodeURIComponent(hooks)}`)})
const { double } = await import('./workers/double.odd')
await run(toThread(double, 21)).then(console.log, ({ message }) => console.log(message))
await closeThreads()
`)
  const { code, stdout } = await node(['hooked/app.mjs'])
  t.equal(code, 0)
  // Some versions of Node give their threads the hooks of the main thread: 22 and 24 do, 20 and 26 do not.
  t.match(stdout, /^42\n$|Unknown file extension ".odd" .*: the worker thread has not the loader .* --import/)
})
