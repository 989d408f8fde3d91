// Screenshots and frame times of the live view with 30, 160 and 2,000 requests a second and a stall: node --import ./tools/ts.mjs
// test/ui/traffic.ts FOLDER [rate …]. The load is bounded and ends by itself.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { findChromium, launch } from '../support/chromium.ts'
import { startServer } from '../support/server-process.ts'
import { buildView } from '../support/ui.ts'
import type { Session } from './support.ts'

declare const loopscope: Session
declare function requestAnimationFrame(act: (time: number) => void): number

const [folder = '/tmp/traffic', ...rates] = process.argv.slice(2)
const SECONDS = 8
const STALL_MS = 1200

/** The times between the frames of the next `ms`, and what drawing each cost: the median and the 99th percentile, in ms. */
async function frames(ms: number): Promise<Record<'count' | 'median' | 'p99' | 'drawMedian' | 'drawP99', number>> {
  const between: number[] = []
  const costs: number[] = []
  const end = performance.now() + ms
  await new Promise<void>((done) => {
    let before = 0
    const look = (time: number): void => {
      if (before > 0) between.push(time - before)
      before = time
      costs.push(loopscope.timeline.figures.ms)
      if (performance.now() < end) requestAnimationFrame(look)
      else done()
    }
    requestAnimationFrame(look)
  })
  const part = (list: number[], share: number): number => Math.round([...list].sort((a, b) => a - b)[Math.floor(list.length * share)]! * 10) / 10
  return { count: between.length, median: part(between, 0.5), p99: part(between, 0.99), drawMedian: part(costs, 0.5), drawP99: part(costs, 0.99) }
}

const chromium = await findChromium()
if (typeof chromium === 'string') throw new Error(chromium)
await mkdir(folder, { recursive: true })
await buildView()
const ends: (() => unknown)[] = []
process.once('exit', () => ends.forEach((end) => end()))
const { url: app, observer } = await startServer({ teardown: (end) => ends.push(end) }, { LOG_LEVEL: 'warn', RATE_LIMIT: '0' })
const browser = await launch(chromium)
for (const rate of rates.length > 0 ? rates.map(Number) : [30, 160, 2000]) {
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } })
  await page.goto(observer)
  await page.locator('.connection.live').waitFor()
  const load = spawn(process.execPath, [
    'dist/src/load/bin.js', 'load', `${app}/handlers/async?ms=20`, '--rate', `${rate}`, '--duration', `${SECONDS}`, '--warmup', '0', '--observer', 'off',
  ], { stdio: ['ignore', 'ignore', 'inherit'] })
  await page.waitForTimeout(SECONDS * 300)
  const flowing = await page.evaluate(frames, 1500)
  const stalled = fetch(`${app}/handlers/sync?thread=inline&ms=${STALL_MS}`).then((response) => response.text())
  await page.waitForTimeout(STALL_MS / 2)
  const during = await page.evaluate(frames, STALL_MS / 4)
  await page.screenshot({ path: join(folder, `stall-${rate}.png`) })
  await stalled
  await page.waitForTimeout(500)
  const after = await page.evaluate(frames, 1000)
  await page.screenshot({ path: join(folder, `after-${rate}.png`) })
  const known = await page.evaluate(() => ({ lanes: loopscope.timeline.lanesShown, events: loopscope.live.events.length, pinned: loopscope.timeline.pinned }))
  console.log(`${rate} requests a second: ${JSON.stringify(known)}`)
  console.table({ flowing, during, after })
  if (load.exitCode === null) await once(load, 'exit')
  await page.close()
}
await browser.close()
process.exit()
