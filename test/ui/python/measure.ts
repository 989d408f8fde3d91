// What Python in the page costs: `node --import ./tools/ts.mjs test/ui/python/measure.ts`. Bytes, and times of this machine.
import { findChromium, launch } from '../../support/chromium.ts'
import { pythonFiles } from '../../../src/http/python-files.ts'
import { servePage } from './open.ts'
import type { Ran } from './run.ts'

const LINES = 9000
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
} finally {
  await chromium.close()
  await served.close()
}
