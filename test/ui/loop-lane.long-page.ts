// The lane of the loop shows what the events say, and nothing else.
import { deflateRawSync } from 'node:zlib'
import type { Page } from 'playwright-core'
import t from 'tap'
import { eventually } from '../support/eventually.ts'
import { drawn, liveServer, noChromium, visit } from './support.ts'

const program = (work: string): string => `import { print, sleep, type Coroutine } from 'loopscope'
import { blockingSleep } from './pace.ts'

export function* main(): Coroutine<void> {
  yield* sleep(1)
  ${work}
  yield* sleep(1)
  print('done')
}
`

/** Half the height of the utilisation, in pixels from the top of compact lanes, and where the lanes begin. */
const HALF = 64
const GUTTER = 208

/** Where the lane of the loop is as green as something that runs, from 0 to 1 of its width. */
async function stretches(page: Page): Promise<{ from: number; to: number }[]> {
  const green = await page.evaluate(`(() => {
    const canvas = document.querySelector('.pg-lanes canvas')
    const ratio = canvas.width / canvas.clientWidth
    const width = canvas.width - ${GUTTER} * ratio
    const { data } = canvas.getContext('2d').getImageData(${GUTTER} * ratio, ${HALF} * ratio, width, 1)
    return Array.from({ length: width }, (_, at) => data[4 * at + 1] - data[4 * at] > 15)
  })()`) as boolean[]
  const found: { from: number; to: number }[] = []
  for (const [at, is] of green.entries()) {
    if (!is) continue
    const last = found.at(-1)
    if (last !== undefined && last.to === at) last.to++
    else found.push({ from: at, to: at + 1 })
  }
  return found.map(({ from, to }) => ({ from: from / green.length, to: to / green.length }))
}

t.test('the lane of the loop', { skip: noChromium }, async (t) => {
  const { app } = await liveServer(t)
  const link = (work: string): string => `#view=playground&program=${deflateRawSync(JSON.stringify({ code: program(work), clock: 'virtual', until: 60 })).toString('base64url')}`
  const { page } = await visit(t, `${app}view/${link('yield* sleep(1)')}`, { viewport: { width: 1280, height: 900 } })
  const runs = async (): Promise<void> => {
    await page.locator('.pg-arrival.good').waitFor()
    await page.getByRole('button', { name: 'Understood' }).click()
    await page.getByRole('button', { name: /^Run/ }).click()
    await page.locator('.pg-status.good').waitFor()
    await page.waitForFunction('document.querySelector(".pg-lanes canvas")?.width > 900')
    await drawn(page)
  }

  await runs()
  t.same(await stretches(page), [], 'in virtual time a loop that only waits is busy for no time')
  await page.evaluate(`location.hash = ${JSON.stringify(link('blockingSleep(2)'))}`)
  await runs()
  let found: { from: number; to: number }[] = []
  // One stretch: it blocks from 1 s to 3 s of 4 s; the window has a margin.
  const isRight = async (): Promise<boolean> => {
    found = await stretches(page)
    return found.length === 1 && Math.abs(found[0]!.from - 0.27) < 0.02 && Math.abs(found[0]!.to - 0.73) < 0.03
  }
  t.ok(await eventually(isRight, 300), JSON.stringify(found))
})
