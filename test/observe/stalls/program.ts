// Stalls of many kinds: blocks its main thread in one way after the other, as its arguments say, and prints what the asker on
// its worker thread saw of each, as JSON lines.
import { execSync } from 'node:child_process'
import { once } from 'node:events'
import { writeSync } from 'node:fs'
import { join } from 'node:path'
import vm from 'node:vm'
import { Worker } from 'node:worker_threads'
import { endSessions } from '../../../src/observe/inspector-lock.ts'
import { spin } from '../../../workers/spin.ts'
import type { Order } from './asker.ts'

const sessions = new Int32Array(new SharedArrayBuffer(4))
const notes: string[] = []

/** Set by the asker when it has asked for everything: a stall in JavaScript lasts until then, 10 s at most. */
const asked = new Int32Array(new SharedArrayBuffer(4))
let deadline = 0

function hold(): void {
  while (Atomics.load(asked, 0) === 0 && performance.now() < deadline) { /* nothing else */ }
}

class Report {
  *rows(): Generator<number> {
    hold() // in rows
    yield 1
  }

  render(): number[] {
    return [...this.rows()]
  }
}

function dive(depth: number): void {
  if (depth === 0) hold()
  else dive(depth - 1)
}

/** What an installed template engine or parser does. */
function usePackage(): void {
  const code = `(function walk(depth, asked, deadline) {
    if (depth > 0) return walk(depth - 1, asked, deadline) + 1
    while (Atomics.load(asked, 0) === 0 && performance.now() < deadline);
    return 0
  })`
  const walk = vm.runInThisContext(code, { filename: join(process.cwd(), 'node_modules/walker/index.js') }) as (depth: number, word: Int32Array, until: number) => void
  walk(500, asked, deadline)
}

function search(): boolean {
  return /^(a+)+$/.test(`${'a'.repeat(25)}b`)
}

function sleepInShell(): void {
  execSync('sleep 0.6')
}

function sleepLongInShell(): void {
  execSync('sleep 1.3')
}

function waitInAtomics(): void {
  Atomics.wait(asked, 0, 0, 10_000)
}

function stopAtDebugger(): void {
  while (Atomics.load(asked, 0) === 0 && performance.now() < deadline) {
    debugger
  }
}

function throwAndCatch(): void {
  while (Atomics.load(asked, 0) === 0 && performance.now() < deadline) {
    try {
      throw new Error('thrown and caught')
    } catch { /* again */ }
  }
}

function settleNothing(): void {
  let ran = ''
  void Promise.resolve().then(() => { ran += 'job ' })
  process.nextTick(() => { ran += 'tick ' })
  hold()
  notes.push(`ran meanwhile: ${ran === '' ? 'nothing' : ran}`)
}

function ownFormatter(): void {
  const calls: unknown[] = []
  const format = (error: Error): string => {
    calls.push(error)
    return 'formatted'
  }
  Error.prepareStackTrace = format
  Error.stackTraceLimit = 3
  hold()
  notes.push(`formatter called ${calls.length} times, kept ${Error.prepareStackTrace === format}, limit ${Error.stackTraceLimit}`)
  Error.prepareStackTrace = undefined as never
  Error.stackTraceLimit = 10
}

function formatStacks(): void {
  while (Atomics.load(asked, 0) === 0 && performance.now() < deadline) String(new Error('to be formatted').stack)
}

/** What a custom loader would do: the map is only in the text that V8 was given. Scripts must be listed to find it. */
function loadedElsewhere(): void {
  // Its second line is line 4 of the source.
  const map = { version: 3, sources: ['view.ts'], names: [], mappings: 'AAAA;AAGA' }
  const comment = `//# sourceMappingURL=data:application/json;base64,${Buffer.from(JSON.stringify(map)).toString('base64')}`
  const code = `function render(asked, deadline) {\nwhile (Atomics.load(asked, 0) === 0 && performance.now() < deadline) { debugger } }\nrender\n${comment}`
  const render = vm.runInThisContext(code, { filename: join(process.cwd(), 'view.built.ts') }) as (word: Int32Array, until: number) => void
  render(asked, deadline)
}

const stalls: Record<string, { order: Order; block: () => void }> = {
  spin: { order: { after: 20, times: 20, every: 5 }, block: () => void spin(1500) },
  report: { order: { after: 20 }, block: () => void new Report().render() },
  dive: { order: { after: 20 }, block: () => dive(1000) },
  package: { order: { after: 20 }, block: usePackage },
  search: { order: { after: 20 }, block: () => void search() },
  shell: { order: { after: 20, times: 2, every: 200 }, block: sleepInShell },
  long: { order: { after: 20 }, block: sleepLongInShell },
  atomics: { order: { after: 20 }, block: waitInAtomics },
  together: { order: { after: 20, together: 5 }, block: () => hold() },
  debugger: { order: { after: 20, times: 5, every: 20 }, block: stopAtDebugger },
  thrown: { order: { after: 20, times: 5, every: 20 }, block: throwAndCatch },
  jobs: { order: { after: 20, times: 5, every: 10 }, block: settleNothing },
  formatter: { order: { after: 20, times: 5, every: 10 }, block: ownFormatter },
  format: { order: { after: 50, times: 3, every: 20 }, block: formatStacks },
  elsewhere: { order: { after: 20, times: 2, every: 20 }, block: loadedElsewhere },
  idle: { order: { after: 50 }, block: () => { /* nothing blocks the thread */ } },
  close: { order: { after: 20, close: 50 }, block: sleepInShell },
  die: { order: { after: 20, die: 50 }, block: sleepInShell },
  exit: {
    order: { after: 20 },
    block() {
      sleepInShell()
      process.exit(7)
    },
  },
}

process.on('exit', () => endSessions(sessions))
const { options = '{}', names = '' } = JSON.parse(process.argv[2] ?? '{}') as { options?: string; names?: string }
const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js'
const worker = new Worker(new URL(`./asker${extension}`, import.meta.url), {
  workerData: { asked, options: { ...JSON.parse(options) as object, sessions } },
})
worker.setMaxListeners(0)
let gone = false
worker.on('exit', () => { gone = true })
await once(worker, 'message')
for (const name of names.split(' ')) {
  const seen: unknown[] = []
  const done = new Promise<void>((resolve) => {
    worker.once('exit', resolve)
    worker.on('message', function onMessage(message: unknown) {
      if (message !== 'done') {
        seen.push(message)
        return
      }
      worker.off('message', onMessage)
      resolve()
    })
  })
  const { order, block } = stalls[name]!
  Atomics.store(asked, 0, 0)
  deadline = performance.now() + 10_000
  worker.postMessage(order)
  const from = performance.now()
  block()
  const ms = performance.now() - from
  await done
  writeSync(1, `${JSON.stringify({ name, ms, seen, notes: notes.splice(0) })}\n`)
  if (gone) break
}
worker.unref()
