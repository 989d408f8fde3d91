// What Python in the page costs: `node --import ./tools/ts.mjs test/ui/python/measure.ts`. Bytes, times of this machine, the
// memory of the browser's processes, and the frames of the playground while a program prints.
import { readdirSync, readFileSync } from 'node:fs'
import type { Page } from 'playwright-core'
import { startServer } from '../../support/server-process.ts'
import { linkTo, run as clickRun } from '../playground-page.ts'
import { findChromium, launch } from '../../support/chromium.ts'
import { pythonFiles } from '../../../src/http/python-files.ts'
import { servePage } from './open.ts'
import type { Ran } from './run.ts'

declare function requestAnimationFrame(act: (time: number) => void): number

/** The playground takes 10,000. */
const LINES = 9_990
const print = `import asyncio\nasync def main():\n    for at in range(${LINES}):\n        print('line', at)\n        await asyncio.sleep(0.001)\nasyncio.run(main())\n`

const found = await findChromium()
if (typeof found === 'string') throw new Error(found)

let bytes = 0
for (const [, { packed, read }] of pythonFiles()) bytes += (await (packed ?? read)()).length
console.log(`served: ${(bytes / 1e6).toFixed(2)} MB, compressed`)

const served = await servePage()
const chromium = await launch(found)
try {
  const page = await chromium.newPage()
  await page.goto(served.address)
  await page.waitForFunction('globalThis.pythonPage')
  const run = (code: string): Promise<Ran> => page.evaluate<Ran>(`pythonPage.run(${JSON.stringify({ program: { language: 'python', code }, clock: 'virtual', until: 1e6 })})`)
  const cold = await run("print('hello')")
  console.log(`cold: first output after ${cold.first.toFixed(0)} ms, from a request on, files included`)
  const started = await page.evaluate<number>('pythonPage.prepare()')
  console.log(`a thread starts in ${started.toFixed(0)} ms once the files are there`)
  const warm = await run("print('hello')")
  console.log(`warm: first output after ${warm.first.toFixed(0)} ms`)
  await page.evaluate('pythonPage.prepare()')
  const printed = await run(print)
  console.log(`${LINES} lines, each with a sleep: ${printed.events.length} events in ${printed.ended.toFixed(0)} ms`)
  await page.close()

  const ends: (() => unknown)[] = []
  const { url } = await startServer({ teardown: (end) => ends.push(end) }, { LOG_LEVEL: 'warn', RATE_LIMIT: '0' })
  try {
    for (const clock of ['virtual', 'real'] as const) await inPlayground(await chromium.newPage(), `${url}/view/`, clock)
  } finally {
    for (const end of ends.reverse()) await end()
  }
} finally {
  await chromium.close()
  await served.close()
}

/** Runs the program in the playground, and prints the times of its frames, and its memory. */
async function inPlayground(page: Page, view: string, clock: 'virtual' | 'real'): Promise<void> {
  page.setDefaultTimeout(120_000)
  await page.goto(`${view}${linkTo('print(1)', { clock, language: 'typescript' })}`)
  await page.locator('.cm-content').waitFor()
  const before = memory()
  await page.evaluate(`location.hash = ${JSON.stringify(linkTo(print, { clock, language: 'python' }))}`)
  await page.locator('.pg-status', { hasText: 'CPython 3.14 is ready' }).waitFor()
  const ready = memory()
  await page.evaluate(watchFrames)
  await clickRun(page)
  await page.locator('.pg-status.good').waitFor()
  const { between, took } = await page.evaluate(() => (globalThis as unknown as { frames(): { between: number[]; took: number } }).frames())
  const part = (share: number): string => [...between].sort((a, b) => a - b)[Math.floor(between.length * share)]!.toFixed(1)
  console.log(`${LINES} lines in ${clock} time, in the playground: ${between.length} frames in ${(took / 1000).toFixed(1)} s, ${part(0.5)} ms apart (median), ${part(0.99)} (p99), ${part(0.9999)} at most`)
  console.log(`memory: Python ready ${(ready - before).toFixed(0)} MB more than the page with TypeScript, after the run ${(memory() - before).toFixed(0)} MB`)
  await page.close()
}

function watchFrames(): void {
  const between: number[] = []
  const began = performance.now()
  let before = began
  const look = (time: number): void => {
    between.push(time - before)
    before = time
    requestAnimationFrame(look)
  }
  requestAnimationFrame((time) => {
    before = time
    requestAnimationFrame(look)
  })
  Object.assign(globalThis, { frames: () => ({ between, took: performance.now() - began }) })
}

/** MB that the processes below this one have for themselves: what they share counts once for each of them otherwise. */
function memory(): number {
  const children = new Map<number, number[]>()
  const own = new Map<number, number>()
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    try {
      const status = readFileSync(`/proc/${name}/status`, 'utf8')
      const figure = (field: string): number => Number(new RegExp(`^${field}:\\s*(\\d+)`, 'm').exec(status)?.[1] ?? 0)
      children.set(figure('PPid'), [...children.get(figure('PPid')) ?? [], Number(name)])
      own.set(Number(name), figure('RssAnon') / 1024)
    } catch {
      // It has ended meanwhile.
    }
  }
  const sum = (pid: number): number => (own.get(pid) ?? 0) + (children.get(pid) ?? []).reduce((all, child) => all + sum(child), 0)
  return (children.get(process.pid) ?? []).reduce((all, child) => all + sum(child), 0)
}
