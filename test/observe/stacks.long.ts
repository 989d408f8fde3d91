// Stacks of a blocked main thread: whole processes, each with a worker thread that asks while they are blocked.
import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import ts from 'typescript'
import { WebSocket } from 'undici'
import { culpritOf, Stacks, type Frame, type StacksOptions } from '../../src/observe/stacks.ts'
import { SourceMaps } from '../../src/observe/source-maps.ts'
import type { Seen } from './stalls/asker.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const PROGRAM = 'test/observe/stalls/program.ts'
const WITH_TSX = ['--import', './tools/ts.mjs']

interface Stall {
  name: string
  /** How long the main thread took for it. */
  ms: number
  seen: Seen[]
  notes: string[]
}

interface Ended {
  stalls: Record<string, Stall>
  errors: string
  code: number | null
}

interface Settings {
  options?: Omit<StacksOptions, 'sessions'>
  /** Node's options and the program; default: the sources through tsx. */
  run?: string[]
  cwd?: string
  onError?: (text: string) => void
}

function stall(names: string, { options = {}, run = [...WITH_TSX, PROGRAM], cwd = root, onError }: Settings = {}): Promise<Ended> {
  // Through env, because tap adds a module to every process that it sees started.
  const args = JSON.stringify({ names, options: JSON.stringify(options) })
  const program = spawn('env', ['-u', 'NODE_OPTIONS', process.execPath, ...run, args], { cwd })
  let text = ''
  let errors = ''
  program.stdout.on('data', (chunk) => { text += String(chunk) })
  program.stderr.on('data', (chunk) => {
    errors += String(chunk)
    onError?.(errors)
  })
  return new Promise((resolve, reject) => {
    program.on('error', reject)
    program.on('close', (code) => {
      const lines = text.trim().split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as Stall)
      resolve({ stalls: Object.fromEntries(lines.map((one) => [one.name, one])), errors, code })
    })
  })
}

const lines = readFileSync(join(root, PROGRAM), 'utf8').split('\n')

/** The line of the program that contains `text`, from 1. */
function lineWith(text: string): number {
  const at = lines.findIndex((line) => line.includes(text))
  if (at === -1) throw new Error(`the program has no line with ${text}`)
  return at + 1
}

const place = (frame: Frame | null | undefined): string => frame == null ? 'nowhere' : `${frame.function} ${frame.file}:${frame.line}`
const inProgram = (name: string, text: string): string => `${name} ${PROGRAM}:${lineWith(text)}`
const HOLD = inProgram('hold', '/* nothing else */')

t.test('a thread that runs JavaScript', async (t) => {
  const { stalls, errors, code } = await stall('spin report dive package search atomics together debugger thrown jobs formatter format')

  await t.test('has the function, file and line of the source, twenty times of twenty', async (t) => {
    const { seen } = stalls['spin']!
    const spinning = readFileSync(join(root, 'workers/spin.ts'), 'utf8').split('\n').findIndex((line) => line.includes('while (')) + 1
    t.equal(seen.length, 20)
    for (const { culprit } of seen) t.equal(place(culprit), `spin workers/spin.ts:${spinning}`)
    const [first] = seen
    t.equal(place(first!.frames?.[1]), inProgram('block', 'void spin('))
    t.ok(first!.frames!.every(({ column }) => column > 0))
  })

  await t.test('names methods, and goes through generators', async (t) => {
    const frames = stalls['report']!.seen[0]!.frames!
    t.same(frames.slice(0, 3).map(place), [
      HOLD, inProgram('Report.rows', 'hold() // in rows'), inProgram('Report.render', '[...this.rows()]'),
    ])
  })

  await t.test('has 16 frames of a deep stack, the innermost', async (t) => {
    const frames = stalls['dive']!.seen[0]!.frames!
    t.equal(frames.length, 16)
    t.equal(place(frames[0]), HOLD)
    t.equal(place(frames[15]), inProgram('dive', 'else dive(depth - 1)'))
  })

  await t.test("keeps the program's own frames where a package calls deeper than 16", async (t) => {
    const frames = stalls['package']!.seen[0]!.frames!
    t.equal(frames.length, 16)
    t.match(frames[0], { function: 'walk', file: /node_modules/ })
    t.equal(place(frames.find(({ file }) => file === PROGRAM)), inProgram('usePackage', 'walk(500, asked, deadline)'))
  })

  await t.test('is seen inside a regular expression and in Atomics.wait()', async (t) => {
    t.equal(place(stalls['search']!.seen[0]!.culprit), inProgram('search', 'return /^(a+)+$/'))
    t.equal(place(stalls['atomics']!.seen[0]!.culprit), inProgram('waitInAtomics', 'Atomics.wait('))
  })

  await t.test('is seen while it formats a stack, when it cannot format ours', async (t) => {
    t.ok(stalls['format']!.seen.length === 3)
    for (const { culprit } of stalls['format']!.seen) t.equal(place(culprit), inProgram('formatStacks', "'to be formatted'"))
  })

  await t.test('answers once for all calls at the same time', async (t) => {
    const [seen] = stalls['together']!.seen
    t.equal(place(seen!.culprit), HOLD)
    t.ok(seen!.same)
  })

  await t.test('stops at no debugger statement and no exception', async (t) => {
    for (const name of ['debugger', 'thrown']) {
      t.equal(stalls[name]!.seen.length, 5)
      for (const { culprit } of stalls[name]!.seen) t.not(culprit, null)
    }
  })

  await t.test('runs no promise job in the middle of a function', async (t) => {
    t.equal(stalls['jobs']!.seen.filter(({ frames }) => frames !== null).length, 5)
    t.same(stalls['jobs']!.notes, ['ran meanwhile: nothing'])
  })

  await t.test('calls no stack formatter of the program, and leaves it in place', async (t) => {
    t.equal(place(stalls['formatter']!.seen[0]!.culprit), HOLD)
    t.same(stalls['formatter']!.notes, ['formatter called 0 times, kept true, limit 3'])
  })

  await t.test('ends, with nothing to report', async (t) => {
    t.equal(code, 0)
    t.equal(errors, '')
  })
})

t.test('a thread inside a native function', async (t) => {
  await t.test('answers when the function returns, with the line that called it', async (t) => {
    const { stalls } = await stall('shell')
    const [first, second] = stalls['shell']!.seen
    t.equal(place(first!.culprit), inProgram('sleepInShell', "execSync('sleep 0.6')"))
    t.ok(first!.frames!.every(({ file }) => !file.startsWith('node:')), "Node's own frames are left out")
    t.equal(second!.frames, null, 'and afterwards, when nothing runs, there is no stack')
  })

  await t.test('answers then however long it took', async (t) => {
    const { stalls, code } = await stall('long')
    const [seen] = stalls['long']!.seen
    t.equal(place(seen!.culprit), inProgram('sleepLongInShell', "execSync('sleep 1.3')"))
    t.ok(seen!.ms > 1000, `after ${seen!.ms} ms`)
    t.equal(code, 0)
  })

  await t.test('continues when the stacks are closed meanwhile, or their thread ends', async (t) => {
    for (const name of ['close', 'die']) {
      const { stalls, errors, code } = await stall(name)
      t.same(stalls[name]!.seen.map(({ frames }) => frames), name === 'close' ? [null] : [])
      if (name === 'close') t.ok(stalls[name]!.seen[0]!.ms < stalls[name]!.ms, 'who waited is told while it lasts')
      t.equal(errors, '')
      t.equal(code, 0)
    }
  })

  await t.test('may end the process right after it: Node reports no debugger', async (t) => {
    for (const { errors, code } of await Promise.all([stall('exit'), stall('exit'), stall('exit')])) {
      t.equal(errors, '')
      t.equal(code, 7)
    }
  })
})

t.test('a thread that is not blocked has no stack', async (t) => {
  const { stalls } = await stall('idle')
  t.same(stalls['idle']!.seen.map(({ frames, culprit }) => [frames, culprit]), [[null, null]])
})

t.test('enabled: false leaves the inspector alone', async (t) => {
  const { stalls } = await stall('jobs', { options: { enabled: false } })
  t.same(stalls['jobs']!.seen.map(({ frames }) => frames), [null, null, null, null, null])
})

t.test('the main thread cannot ask for its own', async (t) => {
  t.throws(() => new Stacks(), /for a worker thread/)
})

t.test('a debugger that is attached sees no pause, and what it paused stays paused', async (t) => {
  const paused: (string | undefined)[] = []
  let socket: WebSocket | undefined
  const { stalls, code } = await stall('spin debugger', {
    run: ['--inspect=127.0.0.1:0', ...WITH_TSX, PROGRAM],
    onError(text) {
      const url = /ws:\/\/\S+/.exec(text)?.[0]
      if (text.includes('Waiting for the debugger to disconnect')) socket?.close()
      if (url === undefined || socket !== undefined) return
      let id = 0
      const client = socket = new WebSocket(url)
      const send = (method: string): void => client.send(JSON.stringify({ id: ++id, method }))
      client.onopen = () => send('Debugger.enable')
      client.onmessage = ({ data }) => {
        const { method, params } = JSON.parse(String(data)) as { method?: string; params?: { callFrames: { functionName: string }[] } }
        if (method !== 'Debugger.paused') return
        paused.push(params?.callFrames[0]?.functionName)
        // A person at a breakpoint takes some time, in which stacks are asked for.
        setTimeout(() => {
          send('Debugger.resume')
          send('Debugger.disable')
        }, 300)
      }
    },
  })
  t.equal(stalls['spin']!.seen.filter(({ frames }) => frames !== null).length, 20)
  t.same(stalls['spin']!.seen.filter(({ paused }) => paused), [], 'a thread that runs is not paused')
  t.ok(stalls['debugger']!.seen.some(({ paused }) => paused), 'one that is, is said to be')
  // It may stop there again before the debugger is disabled.
  t.same([...new Set(paused)], ['stopAtDebugger'], 'where the program says so, and for no stack')
  t.equal(stalls['debugger']!.seen.length, 5)
  t.ok(stalls['debugger']!.ms >= 290, `it stood for ${stalls['debugger']!.ms} ms`)
  t.equal(code, 0)
})

t.test('built files', async (t) => {
  const built = t.testdir()
  build(built, [PROGRAM, 'test/observe/stalls/asker.ts', 'workers/spin.ts', 'workers/checks.ts', 'src/own-code.ts',
    ...['stacks', 'stack-probe', 'inspector-lock', 'source-maps'].map((name) => `src/observe/${name}.ts`)])
  const run = [join(built, 'test/observe/stalls/program.js')]

  await t.test('lead to the source by the map beside them', async (t) => {
    const { stalls, errors, code } = await stall('report shell', { run })
    t.same(stalls['report']!.seen[0]!.frames!.slice(0, 2).map(place), [HOLD, inProgram('Report.rows', 'hold() // in rows')])
    t.equal(place(stalls['shell']!.seen[0]!.culprit), inProgram('sleepInShell', "execSync('sleep 0.6')"))
    t.equal(errors, '')
    t.equal(code, 0)
  })

  await t.test('name the source in full if it is not below the working directory', async (t) => {
    const { stalls } = await stall('report', { run, cwd: built })
    t.equal(stalls['report']!.seen[0]!.culprit!.file, join(root, PROGRAM))
  })

  await t.test('lead to the source by maps that only the loaded script has, past its debugger statements', async (t) => {
    const { stalls, errors, code } = await stall('elsewhere', { run })
    t.equal(stalls['elsewhere']!.seen.length, 2)
    for (const { culprit } of stalls['elsewhere']!.seen) t.equal(place(culprit), 'render view.ts:4')
    t.equal(errors, '')
    t.equal(code, 0)
  })

  await t.test('are their own source if the map is missing or damaged', async (t) => {
    const dir = t.testdir({
      'none.js': 'one()\n', 'gone.js': 'one()\n//# sourceMappingURL=gone.js.map\n',
      'damaged.js': 'one()\n//# sourceMappingURL=damaged.js.map\n', 'damaged.js.map': '{"version":3',
      'rooted.js': 'one()\n//# sourceMappingURL=maps/rooted.js.map\n',
      'maps': { 'rooted.js.map': '{"version":3,"sourceRoot":"../sources","sources":["a.ts"],"names":[],"mappings":"AAEA"}' },
    })
    const maps = new SourceMaps()
    for (const name of ['none', 'gone', 'damaged']) t.equal(maps.find(join(dir, `${name}.js`), 1, 1), null, name)
    t.equal(maps.find('node:fs', 1, 1), null)
    t.equal(maps.find('https://example.org/a.js', 1, 1), null)
    t.same(maps.find(`file://${dir}/rooted.js`, 1, 1), { url: `file://${dir}/sources/a.ts`, line: 3, column: 1 })
  })
})

/** Compiles files of the tree into a folder, each with its map, as tsc would. */
function build(into: string, files: string[]): void {
  writeFileSync(join(into, 'package.json'), '{"type":"module"}')
  for (const file of files) {
    const to = join(into, file.replace(/\.ts$/, '.js'))
    const { outputText, sourceMapText } = ts.transpileModule(readFileSync(join(root, file), 'utf8'), {
      fileName: file,
      compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022, sourceMap: true, rewriteRelativeImportExtensions: true },
    })
    const map = JSON.parse(sourceMapText!) as { sources: string[] }
    map.sources = [relative(dirname(to), join(root, file))]
    mkdirSync(dirname(to), { recursive: true })
    writeFileSync(to, outputText)
    writeFileSync(`${to}.map`, JSON.stringify(map))
  }
}

t.test('the culprit', async (t) => {
  const at = (file: string): Frame => ({ function: 'f', file, line: 1, column: 1 })

  await t.test('is the innermost frame that belongs neither to Node nor to the runtime', async (t) => {
    const frames = ['node:fs', 'src/runtime/task.ts', join(root, 'src/hosts/node.ts'), 'workers/spin.ts', 'app.ts'].map(at)
    t.equal(culpritOf(frames), frames[3])
  })

  await t.test('can be a route of the server, a package, or a folder with a name like the runtime\'s', async (t) => {
    for (const file of ['routes/handlers.ts', '/srv/node_modules/ejs/lib/ejs.js', '/srv/src/runtime/task.ts', 'src/runtimes/a.ts']) {
      t.equal(culpritOf([at(file)])?.file, file)
    }
  })

  await t.test('is missing if all frames are ours', async (t) => {
    t.equal(culpritOf(['node:fs', 'src/probe/ring.ts', 'src/threads/worker-queue.ts'].map(at)), null)
    t.equal(culpritOf([]), null)
  })
})
