// Mixed load at both ports for a while, with regular checks of what the server uses; at the end it says whether that is flat:
// node --import ./tools/ts.mjs test/server/soak.ts --minutes 20
import { parseArgs } from 'node:util'
import { connect } from 'node:net'
import { startServer, subscribe } from '../observe/support.ts'
import { ask, describe, footprint, type Footprint } from '../support/footprint.ts'
import { handshake } from '../support/raw.ts'
import { settled, vanishing } from './vanish.ts'

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '20' } } })
const minutes = Number(values.minutes)
if (!(minutes > 0 && minutes <= 1440)) {
  console.error(`--minutes must be a number above 0, at most 1440, got '${values.minutes}' (usage: test/server/soak.ts [--minutes N])`)
  process.exit(2)
}
/** The interval of the checks: a minute, but at least 12 checks in all, so that each third has some. */
const LOOK_MS = Math.min(60_000, minutes * 60_000 / 12)
/** How much more the last third may use than the middle one: beyond that it is growth, not the rise and fall of a heap. */
const SLACK: Partial<Record<keyof Footprint, number>> = { tasks: 30, subscribers: 20, runs: 10, connections: 60, descriptors: 150, resident: 80e6, heap: 40e6 }

const after: (() => unknown)[] = []
// The history is full soon, and then constant in size.
const server = await startServer({ teardown: (fn) => after.push(fn) }, { HISTORY: '5000' })
const { url, observer } = server
const until = performance.now() + minutes * 60_000
const both = [url, observer]
const counts: Record<string, number> = {}
const failures: string[] = []

/** Repeats something until the end; a failure is noted and does not end the rest. */
async function load(name: string, pauseMs: number, work: (round: number) => Promise<unknown>): Promise<void> {
  for (let round = 0; performance.now() < until; round++) {
    try {
      await work(round)
      counts[name] = (counts[name] ?? 0) + 1
    } catch (error) {
      if (failures.length < 20) failures.push(`${name}: ${String(error)}`)
    }
    await new Promise((resolve) => setTimeout(resolve, pauseMs))
  }
}

async function get(base: string, target: string, accept = 'application/json'): Promise<void> {
  const { status, body } = await ask(`${base}${target}`, { accept })
  if (status !== 200 && status !== 503) throw new Error(`${target} answered ${status}: ${body.slice(0, 200)}`)
}

const of = (round: number): string => both[round % 2] as string
const LANES = ['async?ms=20', 'sync?thread=inline&ms=5', 'sync?thread=sensitive&ms=10', 'sync?thread=pool&ms=10', 'async-to-sync?ms=5', 'fetch?n=5&ms=10', 'sync?thread=sensitive&ms=5&scope=request']
const LOOKS = ['/tasks', '/runs', '/loops', '/metrics', '/healthz', '/examples/3', '/openapi.json', '/runs/1']

/** A client that sends much and reads nothing. */
function flood(port: number, bytes: string): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' }, () => socket.pause().write(bytes))
    socket.on('error', () => {})
    socket.on('close', () => resolve())
    setTimeout(() => socket.resetAndDestroy(), 500)
  })
}

/** A frame of text, masked with zeros. */
function said(text: string): string {
  return String.fromCharCode(0x81, 0x80 | text.length, 0, 0, 0, 0) + text
}

const looks: Footprint[] = []
const loads = [
  ...Array.from({ length: 4 }, () => load('pings', 5, (round) => get(of(round), '/ping'))),
  load('handlers', 50, (round) => get(of(round), `/handlers/${LANES[round % LANES.length]}`)),
  load('looks', 50, async (round) => {
    const target = LOOKS[round % LOOKS.length] as string
    if (target === '/openapi.json') await get(url, target)
    else if (target === '/runs/1') await ask(`${of(round)}${target}`)
    else await get(of(round), target, target === '/metrics' ? 'text/plain' : undefined)
  }),
  load('runs', 100, (round) => get(of(round), `/examples/${round % 4 + 1}/run?${round % 3 === 0 ? 'clock=virtual' : 'speed=100'}`)),
  load('producers and consumers', 200, (round) => get(of(round), '/examples/5/run?speed=100&items=20&seed=1')),
  ...Array.from({ length: 3 }, () => load('subscribers', 100, async (round) => {
    const { socket, closed } = await subscribe(of(round), round % 3 === 0 ? '?types=task.created' : '')
    await new Promise((resolve) => setTimeout(resolve, 300 * (round % 4)))
    socket.close()
    await closed
  })),
  load('clients that vanish', 200, () => vanishing(server, 56, 8)),
  load('requests ahead', 1000, (round) => flood(Number(new URL(of(round)).port), 'GET /ping HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(3000))),
  load('filters ahead', 1000, (round) => flood(Number(new URL(of(round)).port), handshake('/events') + said('{"types":["task.created"]}').repeat(3000))),
]

const pad = (text: string): string => text.padStart(6)
const watching = (async () => {
  while (performance.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, Math.min(LOOK_MS, Math.max(0, until - performance.now()))))
    const now = await footprint(server)
    looks.push(now)
    console.log(`${pad(((minutes * 60_000 - (until - performance.now())) / 60_000).toFixed(1))} min: ${describe(now)}`)
  }
})()
await Promise.all([...loads, watching])

/** The median of a third's values: one check during a burst proves nothing. */
function middle(of: Footprint[], what: keyof Footprint): number {
  const sorted = of.map((look) => look[what]).sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] as number
}

const third = Math.floor(looks.length / 3)
const grown = Object.entries(SLACK).flatMap(([name, slack]) => {
  const what = name as keyof Footprint
  const [then, now] = [middle(looks.slice(third, 2 * third), what), middle(looks.slice(2 * third), what)]
  return now > then + slack ? [`${what} grew from ${then} to ${now}`] : []
})
if (third === 0) grown.push(`it was looked at ${looks.length} times only, too few to say`)
const rest = await settled(server)
console.log(`\nafter the load: ${describe(rest)}`)
if (rest.tasks + rest.observed + rest.runs + rest.subscribers > 0 || rest.connections > 0) grown.push('something is left of the clients')
const errors = server.log().split('\n').filter((line) => /"level":[56]0/.test(line) || /^\s+at /.test(line))
server.child.kill('SIGTERM')
const code = await Promise.race([server.ended, new Promise((resolve) => setTimeout(resolve, 30_000, 'nothing'))])
if (code !== 0) grown.push(`a signal ended it with ${code}`)
for (const fn of after) fn()
console.log(Object.entries(counts).map(([name, count]) => `${count} ${name}`).join(', '))
const problems = [...grown, ...failures, ...errors.slice(0, 20)]
console.log(problems.length === 0 ? 'flat' : problems.join('\n'))
process.exit(problems.length === 0 ? 0 : 1)
