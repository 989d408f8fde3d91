// node bench/streams.mjs [--rounds N] [--seconds S] [--connections N] [--build DIR]: a server that echoes lines, on loopscope's
// streams, on node:net alone, on asyncio and on uvloop, each in a process of its own, in interleaved rounds. Medians, and the
// ratio to node:net within the same round.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { describeMachine, machine } from './lib/machine.mjs'
import { findPython } from './lib/peers.mjs'
import { buildAt, buildLoopscope } from './lib/prepare.mjs'
import { median } from './lib/summary.mjs'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' }, seconds: { type: 'string', default: '2' }, connections: { type: 'string', default: '32' }, build: { type: 'string' },
  },
})
const rounds = Number(values.rounds)
const seconds = Number(values.seconds)
const connections = Number(values.connections)
const LINE = Buffer.from(`${'x'.repeat(63)}\n`)
const WARM_UP_SECONDS = 2

const here = (name) => fileURLToPath(new URL(name, import.meta.url))
const build = values.build ? buildAt(values.build) : buildLoopscope()
const python = findPython()
const commands = {
  node: [process.execPath, here('streams/serve.mjs'), 'node'],
  loopscope: [process.execPath, here('streams/serve.mjs'), 'loopscope', build],
  ...(python && { asyncio: [python.path, here('streams/serve.py'), 'asyncio'] }),
  ...(python?.uvloop && { uvloop: [python.path, here('streams/serve.py'), 'uvloop'] }),
}

async function start([program, ...args]) {
  const server = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = createInterface({ input: server.stdout })[Symbol.asyncIterator]()
  const port = Number((await lines.next()).value)
  return {
    port,
    processorTime: async () => {
      server.stdin.write('cpu\n')
      return Number((await lines.next()).value)
    },
    stop: async () => {
      server.stdin.end()
      if (server.exitCode === null) await once(server, 'exit')
    },
  }
}

/** Sends the next line on each connection when the last one is back; how many were answered in that time. */
async function load(port, time) {
  let answered = 0
  let ended = false
  const sockets = Array.from({ length: connections }, () => {
    let missing = LINE.length
    const socket = connect({ port, host: '127.0.0.1', noDelay: true }, () => socket.write(LINE))
    socket.on('data', ({ length }) => {
      missing -= length
      if (missing > 0) return
      answered++
      missing = LINE.length
      if (!ended) socket.write(LINE)
    })
    return socket
  })
  const began = performance.now()
  await sleep(time * 1000)
  ended = true
  const rate = answered / ((performance.now() - began) / 1000)
  for (const socket of sockets) socket.destroy()
  return { answered, rate }
}

async function sample(command) {
  const server = await start(command)
  await load(server.port, WARM_UP_SECONDS)
  const before = await server.processorTime()
  const { answered, rate } = await load(server.port, seconds)
  const cpu = ((await server.processorTime()) - before) / answered
  await server.stop()
  return { rate, cpu }
}

const names = Object.keys(commands)
/** @type {Record<string, { rate: number, cpu: number }[]>} */
const samples = Object.fromEntries(names.map((name) => [name, []]))
for (let round = 0; round < rounds; round++) {
  for (const name of names.map((_, i) => names[(i + round) % names.length])) samples[name].push(await sample(commands[name]))
}

console.log(`Measured on: ${describeMachine(machine(names, values.build !== undefined))}. Medians of ${rounds} rounds of ${seconds} s, ${connections} connections, lines of ${LINE.length} bytes.\n`)
console.log('| server | lines/s | ÷ node | spread | CPU µs a line | ÷ node, CPU |\n| --- | --: | --: | --: | --: | --: |')
for (const name of names) {
  const by = (of) => samples[name].map((one, round) => of(one, samples.node[round]))
  const ratios = by((one, node) => one.rate / node.rate)
  const shown = (ratio) => `${ratio.toFixed(2)}×`
  const cells = [
    name, Math.round(median(by(({ rate }) => rate))).toLocaleString('en'), shown(median(ratios)), `${shown(Math.min(...ratios))} – ${shown(Math.max(...ratios))}`,
    median(by(({ cpu }) => cpu)).toFixed(1), shown(median(by((one, node) => node.cpu / one.cpu))),
  ]
  console.log(`| ${cells.join(' | ')} |`)
}
