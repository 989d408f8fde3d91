// The entry for browsers without a browser: on Node, in a simulated page or an edge runtime without MessageChannel, or with
// half of one. And which entry a bundler or runtime gets by its conditions.
import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createContext, runInContext } from 'node:vm'
import { build, type BuildOptions } from 'esbuild'
import t from 'tap'

const ROOT = join(import.meta.dirname, '..')
const execute = promisify(execFile)

/** `many` runs for longer than a loop may delay its host; then it sleeps. */
const PROGRAM = `import { run, sleep } from './src/browser.ts'
function* many() {
  for (let end = performance.now() + 100, n = 0; n < 20_000 || performance.now() < end; n++) yield* sleep(0)
  yield* sleep(0.02)
  return 'done'
}
export const ended = () => run(many())
`

async function bundled(contents: string, options: BuildOptions): Promise<string> {
  const { outputFiles } = await build({ stdin: { contents, resolveDir: ROOT, loader: 'ts' }, bundle: true, write: false, platform: 'browser', target: 'es2022', ...options })
  return outputFiles![0]!.text
}

t.test('without a MessageChannel, or with half of one', async (t) => {
  const script = await bundled(PROGRAM, { format: 'iife', globalName: 'program' })
  class Half {
    port1 = {}
    port2 = {}
  }
  class Broken {
    constructor() {
      throw new TypeError('Illegal constructor')
    }
  }
  class NoListeners {
    port1: { onmessage?: () => void } = {}
    port2 = { postMessage: () => void setTimeout(() => this.port1.onmessage?.(), 0) }
  }
  for (const [name, channel] of Object.entries({ none: undefined, Half, Broken, NoListeners, whole: MessageChannel })) {
    let made = 0
    const counted = channel === undefined ? undefined : new Proxy(channel, {
      construct: (target, args) => {
        made++
        return Reflect.construct(target as new () => object, args) as object
      },
    })
    const context = createContext({ MessageChannel: counted, setTimeout, clearTimeout, queueMicrotask, performance, console, AbortController, AbortSignal })
    runInContext(script, context)
    t.equal(made, 0, `${name}: importing makes none`)
    t.equal(await (runInContext('program.ended()', context) as Promise<string>), 'done', name)
    t.equal(made, channel === undefined ? 0 : 1, `${name}: one is made when it is needed`)
  }
})

t.test('on Node it keeps the process alive no longer than its loop runs', async (t) => {
  const folder = t.testdir()
  const run = async (name: string, contents: string): Promise<string> => {
    writeFileSync(join(folder, name), await bundled(contents, { format: 'esm' }))
    return (await execute(process.execPath, [join(folder, name)], { timeout: 30_000 })).stdout
  }
  t.equal(await run('imported.mjs', "import './src/browser.ts'\nconsole.log('imported')\n"), 'imported\n')
  t.equal(await run('ran.mjs', `${PROGRAM}\nended().then(console.log)\n`), 'done\n')
})

type Target = string | { [condition: string]: Target }

t.test('conditions: Node has its own entry whatever else is asked for, and environments without Node get the one for browsers', async (t) => {
  const { exports } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { exports: Record<string, Target> }
  /** The first condition that was asked for counts. */
  const resolve = (target: Target, asked: readonly string[]): string | undefined => {
    if (typeof target === 'string') return target
    for (const [condition, inner] of Object.entries(target)) {
      const found = condition === 'default' || asked.includes(condition) ? resolve(inner, asked) : undefined
      if (found !== undefined) return found
    }
    return undefined
  }
  const entries: [who: string, asked: string[], entry: 'index' | 'browser'][] = [
    ['Node', ['node', 'import'], 'index'],
    ['a bundle for a worker thread of Node', ['worker', 'node', 'import'], 'index'],
    ['a bundle for Electron', ['electron', 'node', 'browser', 'import'], 'index'],
    ['Deno', ['deno', 'node', 'import'], 'index'],
    ['Bun', ['bun', 'node', 'import'], 'index'],
    ['vitest in a simulated page', ['node', 'import', 'development'], 'index'],
    ['nothing that is known', ['import'], 'index'],
    ['a page', ['browser', 'import', 'module'], 'browser'],
    ['a Web Worker', ['worker', 'import'], 'browser'],
    ['jest in a simulated page', ['browser', 'require', 'default'], 'browser'],
    ['Cloudflare', ['workerd', 'worker', 'browser', 'import'], 'browser'],
    ['Cloudflare with its Node', ['workerd', 'worker', 'browser', 'node', 'import'], 'browser'],
    ['Next.js at the edge', ['edge-light', 'worker', 'browser', 'import'], 'browser'],
    ['TypeScript for Node', ['types', 'node', 'import'], 'index'],
    ['TypeScript for a bundler', ['types', 'import'], 'index'],
    ['TypeScript for a page', ['types', 'browser', 'import'], 'browser'],
  ]
  for (const [who, asked, entry] of entries) {
    t.equal(resolve(exports['.']!, asked), `./dist/lib/${entry}.${asked.includes('types') ? 'd.ts' : 'js'}`, who)
  }
  const { stdout } = await execute(process.execPath, ['-C', 'workerd', '--input-type=module', '-e', "console.log(import.meta.resolve('loopscope'))"], { cwd: ROOT })
  t.match(stdout, /\/dist\/lib\/browser\.js\n$/, 'Node itself, asked for another one')
})
