// The lessons in the page: what readers do with them, by keyboard.
import type { Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { axeFindings, SERIOUS } from '../support/axe.ts'
import { liveServer, noChromium, visit, type Opened } from './support.ts'

t.test('the lessons', { skip: noChromium }, async (t) => {
  const { app } = await liveServer(t)
  const look = (t: Test, hash: string): Promise<Opened> => visit(t, `${app}view/#${hash}`, { viewport: { width: 1280, height: 900 } })

  await t.test('predicts and reveals by the keyboard alone', async (t) => {
    const { page, complaints } = await look(t, 'view=lessons&lesson=predict-4')
    const answer = ['One', 'One', 'One', 'Two', 'Two', 'Two']
    const guess = (): Promise<string[]> => page.locator('.guess-line').allInnerTexts()
    const line = (at: number): ReturnType<Page['locator']> => page.locator('.guess-line').nth(at)
    await line(0).focus()
    const given = await guess()
    t.same([...given].sort(), answer)
    t.notSame(given, answer)
    t.notSame(given, [...answer].reverse())
    t.equal(await page.locator('.answers').count(), 0, 'nothing is given away')
    // From the back: each line goes to its place with the arrow keys, its second is typed or stepped to.
    for (const [to, text] of answer.entries()) {
      let at = (await guess()).indexOf(text, to)
      for (; at > to; at--) await line(at).press('ArrowUp')
      await page.locator(`.guess-line[aria-label^="${to + 1} of 6: ${text}, no time"]`).waitFor()
    }
    t.same(await guess(), answer)
    await line(0).press('ArrowRight')
    await page.locator('.guess-line[aria-label="1 of 6: One, at 0 s"]:focus').waitFor()
    await page.keyboard.press('ArrowDown')
    await page.locator('.guess-line[aria-label="2 of 6: One, at 0 s"]:focus').waitFor()
    await page.keyboard.press('ArrowUp')
    for (const [at, second] of [[1, 1], [2, 2], [3, 9], [4, 3]] as const) await line(at).press(String(second))
    await page.getByLabel('The second of line 6, “Two”').fill('4')
    t.same(await axeFindings(page, SERIOUS), [])
    await page.getByRole('button', { name: 'Reveal' }).focus()
    await page.keyboard.press('Enter')
    t.equal((await page.locator('.predict-score').innerText()).split('\n')[0]?.trim(), '6 of 6 lines in their places, 5 of 6 times right.')
    t.match(await page.locator('.answers .wrong').allInnerTexts(), [/3\.000 s Task-1 Two[^]*You said 9 s\. Task-1 printed it at 3 s already: it had waited for sleep from 1\.000 s on/])
    t.same(await axeFindings(page, SERIOUS), [])
    await page.getByRole('button', { name: 'Try again' }).press('Enter')
    await page.getByRole('button', { name: 'Reveal' }).press('Enter')
    t.match(await page.locator('.answers .wrong').first().innerText(), /You gave no time/)
    await page.getByLabel('Time in the run').fill('1.5')
    await page.locator('.source .source-who', { hasText: 'Task-1 waits for sleep' }).waitFor()
    t.equal(await page.locator('.answers .later').count(), 4, 'lines after the moment that is looked at are yet to come')
    t.same(complaints, [])
  })

  await t.test('shows the program of a run in both languages, with the line at which each task waits', async (t) => {
    const { page, complaints } = await look(t, '')
    await page.locator('#tab-program').click()
    await page.locator('.program').waitFor()
    await page.keyboard.press('3')
    const marked = (language: string): ReturnType<Page['locator']> => page.getByRole('region', { name: language }).locator('li.stands')
    await marked('TypeScript').filter({ hasText: 'waits for sleep' }).first().waitFor()
    t.match(await marked('TypeScript').allInnerTexts(), [/yield\* sleep\(delay\)[^]*Task-\d+ waits for sleep · Task-\d+ waits for sleep/, /yield\* task1[^]*main waits for/])
    t.match(await marked('Python').allInnerTexts(), [/await asyncio\.sleep\(delay\)/, /await task1/])
    await page.locator('.program-output', { hasText: 'world' }).waitFor()
    t.match(await page.locator('.program-output li').allInnerTexts(), [/hello/, /world/])
    await page.getByRole('button', { name: 'Change it in the playground' }).click()
    await page.locator('.cm-content').waitFor()
    t.match(await page.locator('.cm-content').innerText(), "createTask(sayAfter(3, 'hello'))")
    t.same(complaints, [])
  })

  await t.test('lets misconceptions fail, with the figures measured', async (t) => {
    const { page, complaints } = await look(t, 'view=lessons&lesson=cannot-block')
    const figures = async (): Promise<string[]> => {
      await page.getByRole('button', { name: 'Try it', exact: true }).click()
      await page.locator('.figures').waitFor()
      return page.locator('.figures tr').allInnerTexts()
    }
    const widths = (): Promise<number[]> => page.locator('.figure-bar i').evaluateAll((bars) => bars.map((bar) => (bar as unknown as { getBoundingClientRect(): { width: number } }).getBoundingClientRect().width))
    t.match(await figures(), [/a ping, alone/, /a ping, while a coroutine blocks/])
    const [alone = 0, blocked = 0] = await widths()
    t.ok(blocked > alone, 'the ping behind a blocking call took longer')
    await page.getByRole('link', { name: 'gather of three' }).click()
    t.match(await figures(), [/task 1[^]*0 s/, /task 2[^]*1 s/, /task 3[^]*2 s/])
    await page.getByRole('link', { name: 'await is what makes it run' }).click()
    t.match(await figures(), [/main has a task, and does not await it[^]*0 s/, /the task begins[^]*0 s/, /the task ends[^]*1 s/, /main awaits the task[^]*3 s/, /main goes on at once[^]*3 s/])
    t.match(await page.locator('.lesson [role="status"] p').innerText(), 'The task began at 0 s and ended at 1 s. main awaited it at 3 s: there was nothing left to run.')
    t.same(await axeFindings(page, SERIOUS), [])
    await page.getByRole('button', { name: 'Change it in the playground' }).click()
    await page.locator('.cm-content', { hasText: 'main has a task, and does not await it' }).waitFor()
    await page.goBack()
    await page.getByRole('link', { name: 'Cancelling stops it' }).click()
    // A pause that lasts longer than asked for, as on a busy machine, shows in the figure.
    await page.evaluate('{ const timer = setTimeout; globalThis.setTimeout = (what, ms) => timer(what, ms * 2) }')
    const cancelled = await figures()
    t.match(cancelled, [/cancelled after/, /its thread worked for/])
    t.ok(Number(/([\d.]+) ms/.exec(cancelled[0]!)?.[1]) >= 399, `${cancelled[0]}: what was measured, not what was meant`)
    t.same(await axeFindings(page, SERIOUS), [])
    t.equal(await page.locator('.lesson-list a').count(), 15)
    t.same(complaints, [])
  })
})
