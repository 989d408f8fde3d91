// Screenshots, frame times and the number of drawn shapes of the live view, with 10,000 tasks, and with 30, 160 and 2,000
// requests a second and a stall: node --import ./tools/ts.mjs test/ui/traffic.ts FOLDER [rate …]. The load is bounded and ends
// by itself.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir } from 'node:fs/promises'
import { loadavg } from 'node:os'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { findChromium, launch } from '../support/chromium.ts'
import { startServer } from '../support/server-process.ts'
import { buildView } from '../support/ui.ts'
import { crowd } from './crowd.ts'
import { watchCanvases, type Session } from './support.ts'

declare const loopscope: Session
declare const shapes: number
declare function requestAnimationFrame(act: (time: number) => void): number

const [folder = '/tmp/traffic', ...rates] = process.argv.slice(2)
const SECONDS = 8
const STALL_MS = 1200

/** The times between the frames of the next `ms`, and what drawing each cost: the median and the 99th percentile, in ms. And the most shapes of a frame. */
async function frames(ms: number): Promise<Record<'count' | 'median' | 'p99' | 'drawMedian' | 'drawP99' | 'shapes', number>> {
  const between: number[] = []
  const costs: number[] = []
  let drawn = shapes
  let most = 0
  const end = performance.now() + ms
  await new Promise<void>((done) => {
    let before = 0
    const look = (time: number): void => {
      if (before > 0) between.push(time - before)
      before = time
      most = Math.max(most, shapes - drawn)
      drawn = shapes
      costs.push(loopscope.timeline.figures.ms)
      if (performance.now() < end) requestAnimationFrame(look)
      else done()
    }
    requestAnimationFrame(look)
  })
  const part = (list: number[], share: number): number => Math.round([...list].sort((a, b) => a - b)[Math.floor(list.length * share)]! * 10) / 10
  return { count: between.length, median: part(between, 0.5), p99: part(between, 0.99), drawMedian: part(costs, 0.5), drawP99: part(costs, 0.99), shapes: most }
}

const chromium = await findChromium()
if (typeof chromium === 'string') throw new Error(chromium)
await mkdir(folder, { recursive: true })
await buildView()
const ends: (() => unknown)[] = []
process.once('exit', () => ends.forEach((end) => end()))
const { url: app, observer } = await startServer({ teardown: (end) => ends.push(end) }, { LOG_LEVEL: 'warn', RATE_LIMIT: '0' })
const browser = await launch(chromium)
const open = async (): Promise<Page> => {
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } })
  await watchCanvases(page)
  await page.goto(observer)
  await page.locator('.connection.live').waitFor()
  return page
}

const still = await open()
await still.evaluate((list) => {
  const Recording = loopscope.live.constructor as new () => { apply(event: object): void }
  const recording = new Recording()
  for (const event of list) recording.apply(event)
  ;(loopscope as unknown as { showRecording(recording: object, title: string): void }).showRecording(recording, 'a crowd')
}, crowd(10_000, 100_000, 20) as unknown as object[])
for (const height of [34, 1, 0.05]) {
  await still.evaluate((height) => {
    const { timeline } = loopscope
    timeline.rowHeight = height
    timeline.show(0, 30, false)
    // Moves with each frame, until the next height.
    let frame = 0
    const move = (): void => {
      if (timeline.rowHeight !== height) return
      timeline.pan(frame++ % 80 < 40 ? 0.01 : -0.01)
      requestAnimationFrame(move)
    }
    move()
  }, height)
  console.log(`10,000 tasks in rows of ${height} px, load ${loadavg()[0]!.toFixed(1)}: ${JSON.stringify(await still.evaluate(frames, 2500))}`)
}
await still.screenshot({ path: join(folder, 'crowd.png') })
await still.close()

for (const rate of rates.length > 0 ? rates.map(Number) : [30, 160, 2000]) {
  const page = await open()
  const load = spawn(process.execPath, [
    'dist/src/bin.js', 'load', `${app}/handlers/async?ms=20`, '--rate', `${rate}`, '--duration', `${SECONDS}`, '--warmup', '0', '--observer', 'off',
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
  console.log(`${rate} requests a second, load ${loadavg()[0]!.toFixed(1)}: ${JSON.stringify(known)}`)
  console.table({ flowing, during, after })
  if (load.exitCode === null) await once(load, 'exit')
  await page.close()
}
await browser.close()
process.exit()
