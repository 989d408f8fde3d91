// The frame of the page: what it starts is shown and goes on, addresses, menus, headings, times, screens of all sizes.
import t from 'tap'
import type { Page } from 'playwright-core'
import { eventually } from '../support/eventually.ts'
import { drawn, interrupt, liveServer, noChromium, open, row, runExample, tab } from './support.ts'

declare const loopscope: { live: { from: number; zero: number; lastSeq: number } }
declare const location: { hash: string }
declare const document: { activeElement: { textContent: string } | null }

const live = ({ outcome }: { outcome?: string | null }): boolean => outcome === null
const cancel = (page: Page) => page.locator('.toolbar').getByRole('button', { name: /^Cancel/ })

t.test('the frame of the page', { skip: noChromium }, async (t) => {
  const server = await liveServer(t)
  const nothingRuns = async (): Promise<boolean> => await server.count('runs', live) === 0

  await t.test('what it starts is not hidden by the filter of something else', async (t) => {
    const { page } = await open(t, server.observer)
    await runExample(page, 1, { speed: '50' })
    await tab(page, 'Runs').click()
    const number = row(page, /returned/).getByRole('button', { name: /^\d+$/ }).first()
    const run = await number.innerText()
    await number.click()
    await page.locator('.filters .chip', { hasText: `run ${run}` }).waitFor()
    await runExample(page, 3, { speed: '1' })
    await tab(page, 'Tasks').click()
    await row(page, /^Task-\d+.*waiting/).waitFor()
    await page.locator('#filter-text').fill('no such task')
    await page.getByText('No task matches the filter').waitFor()
    await page.getByRole('button', { name: 'Stall it', exact: true }).first().click()
    await page.locator('.overlay').waitFor({ state: 'detached' })
    t.equal(await page.locator('#filter-text').inputValue(), '', 'a stall is shown too')
    t.ok(await eventually(nothingRuns))
  })

  await t.test('a run goes on when its page is loaded again or closed, and any page cancels it', async (t) => {
    const { page } = await open(t, server.observer)
    await runExample(page, 5, { speed: '5' })
    await cancel(page).waitFor()
    await page.reload()
    await cancel(page).waitFor()
    const seq = await page.evaluate(() => loopscope.live.lastSeq)
    t.ok(await eventually(() => page.evaluate((from) => loopscope.live.lastSeq > from + 10, seq)), 'its events come')
    t.equal(await server.count('runs', live), 1)
    await page.close()
    const { page: other } = await open(t, server.observer)
    await cancel(other).waitFor()
    t.equal(await server.count('runs', live), 1)
    await interrupt(other)
    t.ok(await eventually(nothingRuns))
  })

  await t.test('an address that is typed into the open page is followed', async (t) => {
    const { page } = await open(t, server.observer)
    const type = (hash: string): Promise<void> => page.evaluate((to) => { location.hash = to }, hash)
    const chip = (name: string) => page.locator('.filters .chip', { hasText: name })
    const { runs: [last, other] } = await (await fetch(`${server.app}runs`)).json() as { runs: { run: number }[] }
    await type(`run=${last!.run}`)
    await chip(`run ${last!.run}`).waitFor()
    await type(`run=${other!.run}`)
    await chip(`run ${other!.run}`).waitFor()
    await page.goBack()
    await chip(`run ${last!.run}`).waitFor()
    await type('')
    await chip('run').waitFor({ state: 'detached' })
    const from = await page.evaluate(() => loopscope.live.from)
    await type(`from=${from}&to=${from + 1}`)
    await page.getByRole('button', { name: 'Go live' }).waitFor()
  })

  await t.test('a refusal is said once', async (t) => {
    const { page } = await open(t, server.observer)
    await runExample(page, 5, { 'items each': 'many' })
    const text = await page.locator('.notice').innerText()
    t.equal(text.split('must be a whole number').length - 1, 1, text)
  })

  await t.test('Escape closes a menu and gives the focus back; so does a click elsewhere', async (t) => {
    const { page } = await open(t, server.observer)
    for (const [button, menu] of [[/Run an example/, '.popover'], [/^Export/, '.popover']] as const) {
      await page.getByRole('button', { name: button }).click()
      await page.locator(menu).waitFor()
      await page.keyboard.press('Escape')
      await page.locator(menu).waitFor({ state: 'detached' })
      t.match(await page.evaluate(() => document.activeElement?.textContent), button)
      await page.getByRole('button', { name: button }).click()
      await page.locator('.timeline canvas').first().click({ position: { x: 800, y: 400 } })
      await page.locator(menu).waitFor({ state: 'detached' })
    }
    // A key that comes together with the menu, before the next frame.
    const expanded = await page.evaluate(`new Promise((resolve) => {
      new MutationObserver((_, observer) => {
        if (document.querySelector('.popover') === null) return
        observer.disconnect()
        dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape' }))
        setTimeout(() => resolve(document.querySelector('.popover') !== null))
      }).observe(document.body, { childList: true, subtree: true })
      document.querySelector('.tools [aria-haspopup]').click()
    })`)
    t.equal(expanded, false, 'closes it, too')
    await page.getByRole('button', { name: /^Export/ }).click()
    await page.locator('[role^=menuitem]:focus').waitFor()
    await page.keyboard.press('End')
    t.match(await page.evaluate(() => document.activeElement?.textContent), /Show the requests of this page$/, 'the keys move in it')
  })

  await t.test('each page has one heading of the first level, which is its name', async (t) => {
    const { page } = await open(t, server.observer)
    for (const [view, name] of [['', 'Live view'], ['playground', 'Playground'], ['lessons', 'Lessons'], ['lab', 'Stall lab'], ['compare', 'Compare']]) {
      await page.goto(`${server.observer}#view=${view}`)
      await page.locator('h1', { hasText: name! }).waitFor({ state: 'attached' })
      t.same(await page.locator('h1').allInnerTexts(), [name])
    }
  })

  await t.test('long times are readable, on one line', async (t) => {
    const { page } = await open(t, server.observer)
    await page.evaluate(() => { loopscope.live.zero = -7200 })
    await tab(page, 'Output').click()
    const time = page.locator('.output .time').first().filter({ hasText: /^2:\d\d:\d\d\.\d{3}$/ })
    await time.waitFor()
    t.ok((await time.boundingBox())!.height < 24)
  })

  await t.test('nothing overlaps and the lanes keep their height, on its side and at 200 %', async (t) => {
    const { page } = await open(t, server.observer)
    for (const [width, height] of [[390, 844], [844, 390], [720, 450], [1024, 768], [1440, 900]] as const) {
      await page.setViewportSize({ width, height })
      const stalled = fetch(`${server.app}handlers/sync?thread=inline&ms=900`).then((response) => response.text())
      await page.locator('.loop-state.red').waitFor()
      const boxes = await Promise.all((await page.locator('.header > *').all()).map((part) => part.boundingBox()))
      const shown = boxes.filter((box) => box !== null && box.width > 0).map((box) => box!)
      t.ok(shown.every(({ x, width: wide }, at) => x + wide <= (shown[at + 1]?.x ?? width) + 0.5), `header at ${width}x${height}: ${shown.map(({ x, width: wide }) => `${Math.round(x)}-${Math.round(x + wide)}`).join(' ')}`)
      t.ok((await page.locator('.toolbar').boundingBox())!.height > 36, 'the tools are whole')
      t.ok((await page.locator('.timeline').boundingBox())!.height >= 200, `lanes at ${width}x${height}`)
      await tab(page, 'Stalls').click()
      await page.locator('.stall-head').first().scrollIntoViewIfNeeded()
      t.ok((await page.locator('.stall-head').first().boundingBox())!.y < height, 'and the panels are reached')
      await stalled
      await page.locator('.loop-state.red').waitFor({ state: 'detached' })
    }
  })

  await t.test('lanes on every page follow the system between dark and light', async (t) => {
    for (const view of ['', '#view=compare', '#view=lab']) {
      const { page } = await open(t, server.observer + view, { colorScheme: 'light' })
      /** The sum of the reds of each canvas: a chart's ground is transparent. */
      const reds = (): Promise<number[]> => page.evaluate(`[...document.querySelectorAll('canvas')].map((canvas) => {
        const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)
        let sum = 0
        for (let at = 0; at < data.length; at += 4) sum += data[at]
        return sum
      })`) as Promise<number[]>
      await page.locator('canvas').first().waitFor()
      t.ok(await eventually(async () => (await reds()).every((sum) => sum > 0), 300), `${view}: they are drawn`)
      const light = await reds()
      await page.emulateMedia({ colorScheme: 'dark' })
      t.ok(await eventually(async () => (await reds()).every((sum, at) => sum < light[at]! || light[at] === 0), 300), `${view}: ${light.join()}`)
    }
  })

  await t.test('presenter mode: one key, large type, the same lanes', async (t) => {
    const { page, complaints } = await open(t, server.observer, { viewport: { width: 1440, height: 900 } })
    await (await fetch(`${server.app}examples/3/run?speed=50`)).text()
    const size = (): Promise<number> => page.locator('.toolbar .button').first().evaluate((element) => parseFloat(getComputedStyle(element as never).fontSize) * (element as { currentCSSZoom?: number }).currentCSSZoom!)
    const before = await size()
    await page.keyboard.press('?')
    await page.getByRole('dialog').getByText('presenter mode').waitFor()
    await page.keyboard.press('Escape')
    await page.keyboard.press('p')
    t.ok(await size() >= before * 1.4, `${before} px and ${await size()} px`)
    await page.reload()
    await page.locator('.connection.live').waitFor()
    t.ok(await size() >= before * 1.4, 'a reload keeps it')
    // The pointer meets what is drawn: a click on a name selects its task.
    await page.keyboard.press('f')
    await drawn(page)
    const box = (await page.locator('.timeline').boundingBox())!
    for (let y = box.y + box.height - 30; y > box.y + 200; y -= 30) {
      await page.mouse.click(box.x + 60, y)
      if (await page.locator('.why header h2').count() > 0) break
    }
    t.match(await page.locator('.why header h2').innerText(), /./)
    await page.keyboard.press('p')
    t.equal(await size(), before)
    t.same(complaints, [])
  })
})
declare function getComputedStyle(element: never): { fontSize: string }
