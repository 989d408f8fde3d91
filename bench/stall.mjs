// The delay of a ping while a handler blocks, lane by lane, against the real server in a separate process: two seconds, with
// the culprit's name, or none. Ends within a minute.
//
//   node bench/stall.mjs [--json]
import { spawn } from 'node:child_process'
import { Agent, get } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { build } from '../tools/build.mjs'

const MOST_MS = 60_000
const HELD_MS = 2000
const PINGS = 50
/** The interval between pings, answered or not. */
const EVERY_MS = 10

const { values: options } = parseArgs({ options: { json: { type: 'boolean', default: false } } })
await build()
const server = spawn(process.execPath, ['--enable-source-maps', 'dist/src/server/main.js'], {
  cwd: new URL('..', import.meta.url), stdio: ['ignore', 'pipe', 'inherit'],
  env: { ...process.env, PORT: '0', OBSERVER_PORT: '0', RATE_LIMIT: '0', LOG_LEVEL: 'warn' },
})
process.on('exit', () => server.kill())
setTimeout(() => {
  console.error(`not done after ${MOST_MS / 1000} s`)
  process.exit(1)
}, MOST_MS).unref()

const base = await new Promise((resolve, reject) => {
  let text = ''
  server.stdout.on('data', (chunk) => {
    text += chunk
    const address = /loopscope listens on (\S+)/.exec(text)
    if (address !== null) resolve(address[1])
  })
  server.once('exit', (code) => reject(new Error(`the server ended with ${code}: ${text}`)))
})
server.removeAllListeners('exit')

const agent = new Agent({ keepAlive: true })

/** A request: its answer, its Server-Timing, and how many milliseconds it took. */
function call(path) {
  const began = performance.now()
  return new Promise((resolve, reject) => {
    get(base + path, { agent }, (response) => {
      let body = ''
      response.setEncoding('utf8').on('data', (chunk) => { body += chunk }).on('end', () => {
        if (response.statusCode !== 200) reject(new Error(`${path}: ${response.statusCode} ${body}`))
        else resolve({ ms: performance.now() - began, timing: response.headers['server-timing'], body })
      })
    }).on('error', reject)
  })
}

function quantile(values, q) {
  const sorted = [...values].sort((a, b) => a - b)
  return round(sorted[Math.min(sorted.length - 1, Math.ceil(q * sorted.length) - 1)])
}

function round(ms) {
  return Math.round(ms * 10) / 10
}

/** How many of these name `path` as what delayed them. */
function blamed(pings, path) {
  return pings.filter(({ timing }) => new RegExp(`desc="[^"]*${path} #\\d+"`).test(timing)).length
}

function rowOf(lane, pings, path) {
  const times = pings.map(({ ms }) => ms)
  return {
    'while it runs': lane, pings: pings.length, 'p50 ms': quantile(times, 0.5), 'p99 ms': quantile(times, 0.99), 'max ms': quantile(times, 1),
    'name the culprit': blamed(pings, path),
  }
}

/** Pings on a schedule while a call is under way. */
async function beside(path) {
  let over = false
  const held = call(path).finally(() => { over = true })
  await pause(100)
  const pings = []
  for (let next = performance.now(); !over; next += EVERY_MS) {
    pings.push(call('/ping'))
    await pause(Math.max(0, next + EVERY_MS - performance.now()))
  }
  await held
  return Promise.all(pings)
}

// Connections, code and threads are warm before anything is measured.
for (const thread of ['sensitive', 'pool']) await call(`/handlers/sync?thread=${thread}&ms=1`)
for (let round = 0; round < 20; round++) await Promise.all(Array.from({ length: PINGS }, () => call('/ping')))

const lanes = []
const blocking = call(`/handlers/sync?thread=inline&ms=${HELD_MS}`)
await pause(50)
const held = await Promise.all(Array.from({ length: PINGS }, () => call('/ping')))
await blocking
lanes.push(rowOf('a sync handler, inline', held, 'GET /handlers/sync'))
for (const [lane, path] of [
  ['a sync handler, sensitive', `/handlers/sync?thread=sensitive&ms=${HELD_MS}`],
  ['a sync handler, pool', `/handlers/sync?thread=pool&ms=${HELD_MS}`],
  ['a coroutine that sleeps', `/handlers/async?ms=${HELD_MS}`],
]) lanes.push(rowOf(lane, await beside(path), 'GET /handlers/(a?sync)'))

const crowds = []
for (const thread of ['sensitive', 'pool']) {
  const began = performance.now()
  const answers = await Promise.all(Array.from({ length: 5 }, () => call(`/handlers/sync?thread=${thread}&ms=200`)))
  const ends = answers.map(({ ms }) => round(ms)).sort((a, b) => a - b)
  crowds.push({ 'five of 200 ms at once': thread, 'all ms': round(performance.now() - began), 'each ms': ends.join(' ') })
}

if (options.json) console.log(JSON.stringify({ lanes, crowds }, null, 2))
else {
  console.table(lanes)
  console.table(crowds)
}
agent.destroy()
server.kill()
