// The core in a real Chromium: bundled by Vite, run by the page's own thread and by a Web Worker.
import { join } from 'node:path'
import t from 'tap'
import { bundle, foreignModules } from '../support/bundle.ts'
import { browser, noChromium } from '../support/browser.ts'
import { nodeGlobals } from '../support/imports.ts'
import { serveFolder } from '../support/static.ts'
import type { Line } from './programs.ts'

const PAGE = import.meta.dirname
const EXPECTED: Line[] = [['One', 0], ['One', 1], ['One', 2], ['Two', 3], ['Two', 3], ['Two', 4]]
/** A browser shows the time in steps, so that pages cannot measure too much. */
const CLOCK_STEP = 0.002

t.test('the runtime, bundled', async (t) => {
  const folder = t.testdir()
  const built = join(folder, 'built')
  const { scripts, complaints } = await bundle(PAGE, built)

  await t.test('is made without a complaint, and contains nothing of Node', async (t) => {
    t.same(complaints, [])
    t.same(foreignModules(scripts), [])
    t.same([...scripts].flatMap(([path, text]) => nodeGlobals(path, text)), [])
    t.notMatch([...scripts.values()].join('\n'), 'browser-external')
  })

  await t.test('is the runtime twice: for the page and for its worker', async (t) => {
    t.match([...scripts.keys()].sort(), [/index-.*\.js$/, /worker-.*\.js$/])
    for (const [path, text] of scripts) t.match(text, /EventLoop = class|class EventLoop/, path)
  })

  await t.test('would cause a complaint if it were made of the entry for Node', async (t) => {
    const entry = join(PAGE, '../../src/index.ts')
    const made = await bundle(PAGE, join(folder, 'of-node'), { build: { rollupOptions: { input: entry } } })
    t.match(made.complaints.join('\n'), /node:/)
  })

  await t.test('in Chromium', { skip: noChromium }, async (t) => {
    const server = await serveFolder(built)
    t.teardown(() => server.close())

    for (const where of ['worker', 'page'] as const) {
      await t.test(`the ${where}'s thread`, async (t) => {
        const page = await (await browser()).newPage()
        const errors: string[] = []
        page.on('pageerror', (error) => errors.push(String(error)))
        page.on('console', (message) => errors.push(...message.type() === 'error' ? [message.text()] : []))
        await page.goto(server.url)
        const ask = (program: string): Promise<unknown> => page.evaluate(`ask('${where}', '${program}')`)

        await t.test('is the one that was asked for', async (t) => {
          t.equal(await ask('where'), where === 'page' ? '[object Window]' : '[object DedicatedWorkerGlobalScope]')
        })

        await t.test('runs example 4: blocking sleeps add up', async (t) => {
          const lines = await ask('example 4, ten times as fast') as Line[]
          t.same(lines.map(([text]) => text), EXPECTED.map(([text]) => text))
          lines.forEach(([text, seconds], index) => {
            const least = (EXPECTED[index]?.[1] ?? NaN) / 10
            t.ok(seconds >= least - CLOCK_STEP, `${text} came at ${seconds.toFixed(3)} s, not before ${least} s`)
          })
        })

        await t.test('runs example 4 on a virtual clock, to the exact second', async (t) => {
          t.same(await ask('example 4 on a virtual clock'), EXPECTED)
        })

        await t.test('prints values in one line', async (t) => {
          t.same(await ask('prints'), [
            'a 1 null undefined true', '[1,"b",{"c":2}] {"d":[3]}', 'RangeError: too much <Queue maxsize=2 size=0>', '[object Array]',
          ])
        })

        await t.test('still receives a message while a task loops on sleep(0) forever', async (t) => {
          const before = await ask('spin') as number
          const during = await ask('rounds') as number
          const later = await ask('rounds') as number
          t.ok(before < during && during < later, `${before} < ${during} < ${later} rounds`)
          t.equal(await ask('stop'), 'CancelledError')
          t.equal(await ask('rounds'), await ask('rounds'), 'and stops when it is told to')
        })

        t.same(errors, [], 'nothing was reported meanwhile')
        await page.close()
      })
    }
  })
})
