// Leaves one page open over a busy loop and prints each minute what it keeps, then whether that grew: node --import
// ./tools/ts.mjs test/ui/hour.ts [minutes] [requests a second]
import { fetch } from 'undici'
import { findChromium, launch } from '../support/chromium.ts'
import { processorTime } from '../support/programs.ts'
import { startServer } from '../support/server-process.ts'
import type { Session } from './support.ts'

declare const loopscope: Session

const minutes = Number(process.argv[2] ?? 60)
/** A fifth of them are runs, of which the page keeps the last thousands: only when these are full can its heap be flat. */
const requestsPerSecond = Number(process.argv[3] ?? 3)
const STALL_EVERY = 20_000
/** Frames are counted for this many ms of each minute. Otherwise the page has reduced motion, to leave the machine to others. */
const IN_MOTION = 4000

const chromium = await findChromium()
if (typeof chromium === 'string') throw new Error(chromium)
const ends: (() => unknown)[] = []
process.once('exit', () => ends.forEach((end) => end()))
const { url: app, observer, child } = await startServer({ teardown: (end) => ends.push(end) }, { LOG_LEVEL: 'warn', RATE_LIMIT: '0' })

const browser = await launch(chromium)
const page = await browser.newPage({ viewport: { width: 1000, height: 700 }, reducedMotion: 'reduce' })
const complaints: string[] = []
page.on('pageerror', (error) => complaints.push(String(error)))
page.on('console', (message) => complaints.push(...message.type() === 'error' ? [message.text()] : []))
await page.goto(observer)
await page.locator('.connection.live').waitFor()
const cdp = await page.context().newCDPSession(page)

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
const leave = new AbortController()
const call = (path: string): void => {
  fetch(app + path, { signal: leave.signal }).then((response) => response.arrayBuffer()).catch(() => {})
}
const drain = async (path: string): Promise<void> => {
  const response = await fetch(app + path, { signal: leave.signal })
  for await (const _ of response.body!) { /* its output is in the stream as well */ }
}
drain('/examples/5/run?speed=20&maxsize=10&producers=4&consumers=4&seed=1').catch(() => {})
let calls = 0
const WAYS = ['/ping', '/handlers/async?ms=5', '/handlers/sync?ms=3&thread=pool', '/ping', '/examples/1/run?speed=200']
const timers = [
  setInterval(() => call(WAYS[calls++ % WAYS.length]!), 1000 / requestsPerSecond),
  setInterval(() => call('/handlers/sync?ms=150&thread=inline'), STALL_EVERY),
]

interface Look {
  heap: number
  nodes: number
  listeners: number
  events: number
  perSecond: number
  lanes: number
  frames: number
  ms: number
}

/** What the page keeps, after garbage has been collected. */
async function look(before: { seq: number; at: number }): Promise<Look & { seq: number }> {
  await page.emulateMedia({ reducedMotion: 'no-preference' })
  const moved = await page.evaluate(async (ms) => {
    const { figures } = loopscope.timeline
    const first = figures.frames
    const begun = performance.now()
    await new Promise((resolve) => setTimeout(resolve, ms))
    return { frames: (figures.frames - first) / (performance.now() - begun) * 1000, ms: figures.ms }
  }, IN_MOTION)
  await page.emulateMedia({ reducedMotion: 'reduce' })
  await cdp.send('HeapProfiler.collectGarbage')
  const { usedSize } = await cdp.send('Runtime.getHeapUsage')
  const { nodes, jsEventListeners } = await cdp.send('Memory.getDOMCounters')
  const held = await page.evaluate(() => ({ events: loopscope.live.events.length, seq: loopscope.live.lastSeq, lanes: (loopscope.live as unknown as { lanes: Map<number, unknown> }).lanes.size }))
  return {
    heap: usedSize / 2 ** 20, nodes, listeners: jsEventListeners, ...held, ...moved,
    perSecond: (held.seq - before.seq) / (performance.now() - before.at) * 1000,
  }
}

const columns = ['minute', 'heap MB', 'nodes', 'listeners', 'events', 'events/s', 'lanes', 'frames/s', 'ms a frame']
const show = (cells: (string | number)[]): void => console.log(cells.map((cell) => String(cell).padStart(11)).join(''))
console.log(`${observer}, ${minutes} min, server ${child.pid}`)
show(columns)
const looks: Look[] = []
const used = processorTime(child.pid)
let before = { seq: 0, at: performance.now() }
const begun = performance.now()
for (let minute = 1; minute <= minutes; minute++) {
  await wait(Math.max(0, begun + minute * 60_000 - IN_MOTION - performance.now()))
  const seen = await look(before)
  before = { seq: seen.seq, at: performance.now() }
  looks.push(seen)
  show([minute, seen.heap.toFixed(2), seen.nodes, seen.listeners, seen.events, seen.perSecond.toFixed(0), seen.lanes, seen.frames.toFixed(1), seen.ms.toFixed(2)])
}
console.log(`the server took ${((processorTime(child.pid) - used) / (minutes * 0.6)).toFixed(1)} % of a processor; the page complained ${complaints.length} times`)
for (const complaint of complaints.slice(0, 5)) console.log(`  ${complaint}`)

/** The rise of the least squares line through the values from first to last, as a part of their mean. */
function rise(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const middle = (values.length - 1) / 2
  let over = 0
  let under = 0
  for (const [at, value] of values.entries()) {
    over += (at - middle) * (value - mean)
    under += (at - middle) ** 2
  }
  return under === 0 ? 0 : over / under * (values.length - 1) / mean
}

const late = looks.slice(Math.floor(looks.length / 2))
for (const what of ['heap', 'nodes', 'listeners'] as const) {
  const part = rise(late.map((one) => one[what]))
  console.log(`${what} in the second half: ${(part * 100).toFixed(1)} % ${part > 0.05 ? 'more at its end: IT GROWS' : 'from its beginning to its end: it does not grow'}`)
}
for (const timer of timers) clearInterval(timer)
leave.abort()
await browser.close()
child.kill('SIGTERM')
