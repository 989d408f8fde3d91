// Why isn't it running? On every page with lanes: by a list of tasks, for the end of a run and for any moment before.
import type { Locator } from 'playwright-core'
import t, { type Test } from 'tap'
import { axeFindings, SERIOUS } from '../support/axe.ts'
import { liveServer, noChromium, visit, type Opened } from './support.ts'

t.test('why a task is not running', { skip: noChromium }, async (t) => {
  const { app } = await liveServer(t)
  const look = (t: Test, hash: string): Promise<Opened> => visit(t, `${app}view/#${hash}`, { viewport: { width: 1440, height: 900 } })
  const sentence = (aside: Locator): Promise<string> => aside.locator('.sentence').innerText()

  await t.test('in the playground', async (t) => {
    const { page, complaints } = await look(t, 'view=playground&start=3')
    await page.getByRole('button', { name: /^Run/ }).click()
    await page.locator('.pg-status.good').waitFor()
    const aside = page.locator('.why-beside')
    await aside.getByLabel('Task').selectOption('main')
    t.match(await sentence(aside), /^It returned at 3\.000 s/)
    await page.getByLabel('Time in the run').fill('1')
    await aside.locator('.sentence', { hasText: 'waits for Task-1' }).waitFor()
    t.match(await sentence(aside), /^Waits for Task-1[^]*asleep[^]*until 3\.000 s/i)
    // The list and the lanes select the same.
    const box = (await page.locator('.pg-lanes canvas').boundingBox())!
    await page.mouse.click(box.x + 40, box.y + 128)
    t.match(await aside.getByLabel('Task').locator('option:checked').innerText(), /Task-\d|main/)
    t.same(await axeFindings(page, SERIOUS), [])
    t.same(complaints, [])
  })

  await t.test('in a lesson', async (t) => {
    const { page, complaints } = await look(t, 'view=lessons&lesson=predict-4')
    await page.getByRole('button', { name: 'Reveal' }).click()
    const aside = page.locator('.why-beside')
    await aside.getByLabel('Task').selectOption('Task-3')
    await page.getByLabel('Time in the run').fill('0.5')
    await aside.locator('.sentence', { hasText: 'Ready since' }).waitFor()
    t.match(await sentence(aside), /^Ready since 0\.000 s, behind Task-1/)
    t.same(await axeFindings(page, SERIOUS), [])
    t.same(complaints, [])
  })

  await t.test('in a comparison, on both sides at the same moment', async (t) => {
    const { page, complaints } = await look(t, 'view=compare')
    await page.getByText('3 s in virtual time').waitFor()
    const [above, below] = [page.locator('.why-beside').nth(0), page.locator('.why-beside').nth(1)]
    await above.getByLabel('Task').selectOption('main')
    await below.getByLabel('Task').selectOption('Task-2')
    t.match(await sentence(above), /^It returned at 8\.000 s/)
    // A moment in the history of one side is the moment of the other.
    await above.locator('.history .link-button', { hasText: '2.000 s' }).first().click()
    await below.locator('.sentence', { hasText: 'sleep' }).waitFor()
    t.match(await sentence(below), /^Asleep[^]*until 3\.000 s, 1 s left/)
    t.same(await axeFindings(page, SERIOUS), [])
    t.same(complaints, [])
  })
})
