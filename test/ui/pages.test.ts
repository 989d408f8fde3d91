// The other pages of the live view, the lab and the comparison of two runs; and its speed with very many tasks.
import type { Locator } from 'playwright-core'
import t from 'tap'
import { findChromium, launch } from '../support/chromium.ts'
import { eventually } from '../support/eventually.ts'
import { buildView } from '../support/ui.ts'
import { crowd } from './crowd.ts'
import { open, startServer, type Session } from './support.ts'

const chromium = await findChromium()
declare const loopscope: Session
declare function requestAnimationFrame(act: () => void): number

t.test('the pages of the live view', { skip: typeof chromium === 'string' && chromium }, async (t) => {
  if (typeof chromium === 'string') return
  await buildView()
  const server = await startServer(t)
  const browser = await launch(chromium)
  t.teardown(() => browser.close())

  await t.test('two runs are compared on one axis', async (t) => {
    const { page, complaints } = await open(browser, `${server.observer}#view=compare`)
    await page.getByText('8 s in virtual time').waitFor()
    await page.getByText('3 s in virtual time').waitFor()
    await page.getByText('The lower run ends 5 s earlier').waitFor()
    await page.getByRole('button', { name: 'Compare 3 and 4' }).click()
    await page.getByText('4 s in virtual time').waitFor()
    t.match(page.url(), /runs=3-4/)
    t.same(complaints, [])
    await page.close()
  })

  await t.test('the lab compares the lanes in a table', async (t) => {
    const { page } = await open(browser, `${server.observer}#view=lab`)
    await page.getByLabel('blocking requests').fill('2')
    await page.getByRole('textbox', { name: /^of/ }).fill('150')
    const row = (lane: string): Locator => page.locator('.lab-table tbody tr', { has: page.locator('th', { hasText: lane }) })
    const start = page.getByRole('button', { name: 'Start the lab' })
    // A machine that is busy itself blocks the loop in every lane, and the lab reports that: then it is measured again.
    for (let time = 0; time < 4; time++) {
      await start.click()
      await row('a coroutine that waits').locator('td.number').first().waitFor({ timeout: 60_000 })
      await start.waitFor({ timeout: 60_000 })
      if (/a thread was busy/.test(await row('on the one thread').innerText())) break
    }
    t.match(await row('on the loop’s own thread').innerText(), /the loop was blocked: everything was delayed/)
    t.match(await row('on the one thread').innerText(), /a thread was busy: only its own callers waited/)
    const max = (await row('on the loop’s own thread').locator('td').nth(2).innerText())
    t.match(max, /^(\d{3} ms|[1-9].*s)$/, `the probes saw ${max} while the loop was blocked`)
    await page.locator('.lab-words').first().waitFor()
    await page.close()
  })

  await t.test('a paused page asks for hardly any frames', async (t) => {
    const { page } = await open(browser, server.observer)
    await page.keyboard.press('Space')
    await page.waitForTimeout(300)
    const asked = await page.evaluate(async () => {
      let count = 0
      const real = requestAnimationFrame
      Object.assign(globalThis, { requestAnimationFrame: (act: () => void) => (count++, real(act)) })
      await new Promise((resolve) => setTimeout(resolve, 1000))
      return count
    })
    t.ok(asked <= 22, `${asked} frames in a second`)
    await page.keyboard.press('l')
    const { frames } = await page.evaluate(() => ({ ...loopscope.timeline.figures }))
    t.ok(await eventually(() => page.evaluate((before) => loopscope.timeline.figures.frames > before + 3, frames)), 'and draws again when it follows')
    await page.close()
  })

  await t.test('10,000 tasks and 100,000 events: panning and zooming stay smooth', async (t) => {
    const { page } = await open(browser, server.observer)
    const show = (tasks: number): Promise<void> => page.evaluate((list) => {
      const Recording = loopscope.live.constructor as new (options: object) => { apply(event: object): void }
      const recording = new Recording({ limit: 100_000 })
      for (const event of list) recording.apply(event)
      ;(loopscope as unknown as { showRecording(recording: object, title: string): void }).showRecording(recording, 'a crowd')
    }, crowd(tasks, 10 * tasks, 20) as unknown as object[])
    /** The most that a frame drew while the view was panned and zoomed. */
    const draw = (rowHeight: number): Promise<number> => page.evaluate(async (height) => {
      const { timeline } = loopscope
      timeline.rowHeight = height
      timeline.show(0, 30, false)
      let most = 0
      for (let frame = 0; frame < 80; frame++) {
        await new Promise<void>((done) => { requestAnimationFrame(() => done()) })
        most = Math.max(most, timeline.figures.spans)
        if (frame % 40 < 20) timeline.pan(frame % 80 < 40 ? 0.01 : -0.01)
        else timeline.zoom(frame % 80 < 60 ? 0.97 : 1 / 0.97)
      }
      return most
    }, rowHeight)
    await show(10_000)
    for (const rowHeight of [32, 1]) {
      const most = await draw(rowHeight)
      // Of 100,000 spans it draws those that can be seen apart on the page.
      t.ok(most > 0 && most < 20_000, `rows of ${rowHeight} px: ${most} shapes a frame`)
    }
    await page.close()
  })
})
