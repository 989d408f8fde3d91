// The live view of programs that are not this project's server: it offers what they have, and nothing else.
import t, { type Test } from 'tap'
import { eventually } from '../support/eventually.ts'
import { start } from '../observe/support.ts'
import { drawn, noChromium, open, row, tab, type Opened, type Session } from './support.ts'

declare const loopscope: Session
declare const location: { hash: string }

/** What only this project's server can do, as the page words it. */
const OFFERS = /run an? example|Run example|Run it|stall it|stall the loop|curl .*(examples|handlers)|does not answer|does not listen/i

async function program(t: Test, file: string): Promise<{ app: string; observer: string }> {
  const started = start(t, file)
  t.ok(await eventually(() => started.log().includes('observer')), started.log())
  const [, app, observer] = /app (\S+) observer (\S+)/.exec(started.log())!
  return { app: app!, observer: `${observer!}/` }
}

t.test('in another program', { skip: noChromium }, async (t) => {
  async function offersNothing(t: Test, { page, asked, complaints }: Opened): Promise<void> {
    for (const name of await page.getByRole('tab').allInnerTexts()) {
      await tab(page, name.replace(/\d+$/, '').trim()).click()
      await drawn(page)
      t.notMatch(await page.locator('body').innerText(), OFFERS, name)
    }
    for (const key of ['x', '1', '3', 'c']) await page.keyboard.press(key)
    await page.keyboard.press('?')
    t.notMatch(await page.getByRole('dialog').innerText(), /stall the loop for 2 s|run that example/)
    await page.keyboard.press('Escape')
    for (const view of ['lab', 'compare', 'lessons']) {
      await page.evaluate((hash) => { location.hash = hash }, `view=${view}`)
      await page.getByRole('heading', { name: 'is not available here' }).waitFor()
    }
    await page.getByRole('link', { name: 'Go to the live view' }).click()
    await page.locator('.timeline canvas').first().waitFor()
    t.same(asked.filter((path) => /^\/(examples|handlers|lab|ping)/.test(path)), [], 'it asks for nothing that is not there')
    t.same(complaints, [])
  }

  await t.test('without a loop of loopscope: its stalls and requests', async (t) => {
    const { app, observer } = await program(t, 'test/ui/programs/plain-server.ts')
    const opened = await open(t, observer)
    const { page } = opened
    await page.getByText('This program has no loopscope tasks: its stalls are shown here').waitFor()
    t.same(await page.getByRole('navigation', { name: 'Pages' }).getByRole('link').allInnerTexts(), ['Live', 'Playground'])
    t.same((await page.getByRole('tab').allInnerTexts()).map((name) => name.replace(/\d+$/, '').trim()), ['Stalls', 'Requests', 'Warnings', 'Table'])
    await offersNothing(t, opened)
    const blocked = fetch(`${app}/block?ms=1000`).then((response) => response.text())
    await page.locator('.loop-state.red').waitFor()
    t.equal(await page.locator('.overlay:not(.foot)').count(), 0, 'nothing covers the stall')
    await blocked
    await tab(page, 'Stalls').click()
    await page.locator('.stall-head', { hasText: /blocked the loop for [\d,]+ ms; what it delayed is not known in computeReport \(programs\/plain-server\.ts:\d+\)/ }).waitFor()
    t.notMatch(await page.locator('body').innerText(), OFFERS)
    await tab(page, 'Requests').click()
    await row(page, 'GET /block').waitFor()
    t.match(await row(page, 'GET /block').locator('.number').allInnerTexts(), [/\d/, /ms$|s$/, '–', '–', '–', '–'], 'how long it took is known, and not where the time went')
  })

  await t.test('with the plugin: its tasks and requests', async (t) => {
    const { app, observer } = await program(t, 'test/observe/programs/blocking-app.ts')
    const opened = await open(t, observer)
    const { page } = opened
    await page.getByText('The loop is idle').waitFor()
    await offersNothing(t, opened)
    await (await fetch(`${app}/coroutine`)).text()
    await (await fetch(`${app}/at-once`)).text()
    t.ok(await eventually(() => page.evaluate(() => loopscope.live.stalls.all.some(({ name, to }) => name.startsWith('GET /at-once') && to !== null))))
    await drawn(page)
    t.equal(await page.locator('.overlay').count(), 0, 'nothing covers the stall')
    await tab(page, 'Requests').click()
    await row(page, 'GET /coroutine').waitFor()
    t.match(await row(page, 'GET /coroutine').locator('.number').allInnerTexts(), [/\d/, /ms$/, /s$/, /s$/, /ms$/, '–'], 'a task has measured it')
    t.match(await row(page, 'GET /at-once').locator('.number').allInnerTexts(), [/\d/, /ms$/, '–', '–', '–', '–'], 'no task has')
    t.match(await row(page, 'GET /at-once').locator('.split-bar').getAttribute('aria-label'), /^not known \d+ ms$/)
  })
})
