// A Node program without a loop of loopscope that freezes in the way that its standard input says, one word a line:
// `kind ms`. It prints what it did, and for how long, as a JSON line.
import { execFileSync, spawn } from 'node:child_process'
import { openSync, readFileSync, rmSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { observe } from '../../../src/observe/index.ts'

const { url } = await observe({ port: 0 })
const FIFO = process.argv[2] ?? ''

function spin(ms: number): void {
  const end = performance.now() + ms
  while (performance.now() < end); // spins
}

/** Three functions, one after the other. */
function first(ms: number): void {
  const end = performance.now() + ms
  while (performance.now() < end); // first
}

function second(ms: number): void {
  const end = performance.now() + ms
  while (performance.now() < end); // second
}

function third(ms: number): void {
  const end = performance.now() + ms
  while (performance.now() < end); // third
}

function readPipe(ms: number): void {
  rmSync(FIFO, { force: true })
  execFileSync('mkfifo', [FIFO])
  // The writer is there before the reader blocks.
  spawn('sh', ['-c', `exec 3<> "$0"; sleep ${ms / 1000}; echo end >&3`, FIFO], { stdio: 'ignore' })
  readFileSync(openSync(FIFO, 'r'))
}

function waitInAtomics(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}

setFlagsFromString('--expose-gc')
const gc = runInNewContext('gc') as () => void

function collect(ms: number): void {
  const end = performance.now() + ms
  while (performance.now() < end) gc()
}

async function chain(ms: number): Promise<void> {
  const end = performance.now() + ms
  while (performance.now() < end) await Promise.resolve()
}

function ticks(end: number): void {
  if (performance.now() < end) process.nextTick(ticks, end)
}

const text = JSON.stringify(Array.from({ length: 600_000 }, (_, id) => ({ id, name: `name ${id}` })))

function parse(): void {
  JSON.parse(text)
}

const kinds: Record<string, (ms: number) => void | Promise<void>> = {
  javascript: spin,
  phases: (ms) => {
    first(ms * 150 / 3150)
    second(ms * 500 / 3150)
    third(ms * 2500 / 3150)
  },
  exec: (ms) => void execFileSync('sleep', [String(ms / 1000)]),
  pipe: readPipe,
  atomics: waitInAtomics,
  collect,
  chain,
  ticks: (ms) => ticks(performance.now() + ms),
  parse,
  // Each is too short to be a stall.
  immediates: (ms) => new Promise((resolve) => {
    for (let step = 0; step < ms / 10; step++) setImmediate(spin, 10)
    setImmediate(resolve)
  }),
  idle: (ms) => sleep(ms),
}

console.log(`observer ${url}`)
for await (const line of createInterface({ input: process.stdin })) {
  const [kind = '', ms = '0'] = line.split(' ')
  await sleep(100)
  const from = performance.now()
  await kinds[kind]?.(Number(ms))
  console.log(JSON.stringify({ kind, seconds: (performance.now() - from) / 1000, from: from / 1000 }))
}
