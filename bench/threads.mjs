// node bench/threads.mjs [--rounds N] [--calls N]: the price of a call on a worker thread, loopscope's own pool against
// Piscina and against two bare workers, in interleaved rounds of one process. Medians; wall and processor time for a call, and
// the ratio to loopscope.
import { existsSync, rmSync } from 'node:fs'
import { spawnSync } from 'node:child_process'
import { cpus } from 'node:os'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { median } from './lib/summary.mjs'
import { bareMemory, bareMessages } from './threads/bare.mjs'
import { echo } from './threads/workers/echo.mjs'

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '9' }, calls: { type: 'string', default: '3000' }, build: { type: 'string' } } })
const rounds = Number(values.rounds)
const calls = Number(values.calls)
const AT_ONCE = 100

const here = fileURLToPath(new URL('.', import.meta.url))
const { run, toThread, gather, closeThreads } = await import(values.build ? pathToFileURL(resolve(values.build, 'src/index.js')).href : build())

/** Compiles src/ and returns the address of its index: the code that users get is measured. */
function build() {
  const out = resolve(here, '.build-threads')
  rmSync(out, { recursive: true, force: true })
  const tsc = resolve(here, '../node_modules/typescript/bin/tsc')
  spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json', '--outDir', out], { cwd: resolve(here, '..'), stdio: 'ignore' })
  return pathToFileURL(resolve(out, 'src/index.js')).href
}

/** One implementation: `one()` makes the calls one after another, `many()` AT_ONCE of them together. */
function withPromises(call) {
  return {
    one: async () => {
      for (let i = 0; i < calls; i++) await call(i)
    },
    many: async () => {
      for (let i = 0; i < calls; i += AT_ONCE) await Promise.all(Array.from({ length: AT_ONCE }, (_, j) => call(i + j)))
    },
  }
}

const loopscope = {
  one: () => run((function* () {
    for (let i = 0; i < calls; i++) yield* toThread(echo, i)
  })()),
  many: () => run((function* () {
    for (let i = 0; i < calls; i += AT_ONCE) yield* gather(Array.from({ length: AT_ONCE }, (_, j) => toThread(echo, i + j)))
  })()),
}

const memory = bareMemory()
const messages = bareMessages()
const peers = { loopscope, 'bare shared memory': { one: withPromises(memory.call).one }, 'bare postMessage': withPromises(messages.call) }
const closers = [memory.close, messages.close, closeThreads]

if (existsSync(resolve(here, 'node_modules/piscina'))) {
  const { Piscina } = await import('piscina')
  for (const atomics of ['sync', 'async', 'disabled']) {
    const pool = new Piscina({ filename: new URL('./threads/workers/echo.mjs', import.meta.url).href, atomics, minThreads: cpus().length, maxThreads: cpus().length })
    peers[`Piscina (atomics ${atomics})`] = withPromises((value) => pool.run(value))
    closers.push(() => pool.destroy())
  }
} else {
  console.log('Piscina is not there: npm ci in bench/ brings it')
}

const samples = new Map()
for (let round = -1; round < rounds; round++) {
  for (const [name, peer] of Object.entries(peers)) {
    for (const [way, work] of Object.entries(peer)) {
      const cpu = process.cpuUsage()
      const began = performance.now()
      await work()
      const wall = ((performance.now() - began) * 1000) / calls
      const { user, system } = process.cpuUsage(cpu)
      if (round < 0) continue // warm-up
      const key = `${way === 'one' ? 'one after another' : `${AT_ONCE} at once`} | ${name}`
      samples.set(key, [...(samples.get(key) ?? []), { wall, cpu: (user + system) / calls }])
    }
  }
}

console.log(`${cpus()[0]?.model.trim()}, ${cpus().length} cores, Node ${process.versions.node}; µs a call, medians of ${rounds} rounds of ${calls} calls`)
for (const [key, taken] of [...samples].sort(([a], [b]) => (a.split(' | ')[0] < b.split(' | ')[0] ? 1 : -1))) {
  const walls = taken.map(({ wall }) => wall)
  const of = (numbers) => median(numbers).toFixed(1).padStart(7)
  // Paired within each round, since a busy machine slows both: above 1, loopscope is faster.
  const own = samples.get(`${key.split(' | ')[0]} | loopscope`)
  const ratio = median(walls.map((wall, round) => wall / own[round].wall))
  console.log(`${key.padEnd(48)} ${ratio.toFixed(2)}×  wall ${of(walls)} (${Math.min(...walls).toFixed(1)}–${Math.max(...walls).toFixed(1)})  cpu ${of(taken.map(({ cpu }) => cpu))}`)
}
for (const close of closers) await close()
