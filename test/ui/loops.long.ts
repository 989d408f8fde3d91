// Several loops in one page: three servers that share a real Redis, all seen from the page of one of them.
import type { Locator, Page } from 'playwright-core'
import t from 'tap'
import { noRedis, startRedis } from '../support/redis.ts'
import { eventually } from '../support/eventually.ts'
import { noChromium, open, output, row, startServer, tab, visit, type LiveServer, type Session } from './support.ts'

t.setTimeout(300_000)
declare const loopscope: Session

const chip = (page: Page, name: string): Locator => page.locator('.loops .loop', { hasText: name })
const pressed = (page: Page): Promise<string[]> => page.locator('.loops .loop[aria-pressed="true"] b').allInnerTexts()

t.test('several loops in the page', { skip: noRedis || noChromium }, async (t) => {
  const redis = await startRedis(t)
  const names = ['one', 'two', 'three'] as const
  const servers = {} as Record<typeof names[number], LiveServer>
  for (const name of names) servers[name] = await startServer(t, { REDIS_URL: redis.url, LOOP_NAME: name })

  await t.test('are listed, and one is shown by choosing it, by its link, and by a key', async (t) => {
    const { page, complaints } = await open(t, servers.one.observer)
    for (const name of names) await chip(page, name).waitFor()
    t.same(await pressed(page), ['one'])
    await (await fetch(`${servers.two.app}examples/3/run?speed=20`)).text()
    await chip(page, 'two').click()
    await page.locator('.connection.live').waitFor()
    t.same(await pressed(page), ['two'])
    t.match(page.url(), /[#&]loop=two/)
    await tab(page, 'Output').click()
    t.ok(await eventually(async () => (await output(page)).join() === 'hello,world'), 'what was printed there before is here')
    const finished = fetch(`${servers.two.app}examples/4/run?speed=4`).then((response) => response.text())
    t.ok(await eventually(async () => (await output(page)).length > 2), 'and what is printed now')
    await finished
    const other = await open(t, page.url())
    await chip(other.page, 'two').waitFor()
    t.same(await pressed(other.page), ['two'], 'the link shows it to somebody else')
    await other.page.close()
    await page.goBack()
    t.ok(await eventually(async () => (await pressed(page)).join() === 'one'), 'back')
    await page.locator('#main').focus()
    await page.keyboard.press('n')
    t.ok(await eventually(async () => (await pressed(page)).join() === 'three'))
    t.same(complaints, [])
  })

  await t.test('a stall of another loop flashes in the list, and names its culprit', async (t) => {
    const { page } = await open(t, servers.one.observer)
    const stalled = fetch(`${servers.three.app}handlers/sync?thread=inline&ms=5000`).then((response) => response.text())
    await page.locator('.loops .loop.blocked.flash', { hasText: 'three' }).waitFor()
    t.match(await chip(page, 'three').innerText(), /blocked by GET \/handlers\/sync #\d+, [\d,]+ ms/)
    t.equal(await page.locator('.loop-state.red').count(), 0, 'the loop that is shown is none the worse')
    await chip(page, 'three').click()
    await page.locator('.loop-state.red', { hasText: 'GET /handlers/sync' }).waitFor()
    await stalled
    await tab(page, 'Stalls').click()
    await page.locator('.stall-head', { hasText: /GET \/handlers\/sync #\d+ blocked the loop for [5-9],\d{3} ms/ }).first().waitFor()
    await page.locator('.loops .loop.live', { hasText: 'three' }).waitFor()
  })

  await t.test('a run of another loop can be cancelled from here; what the page starts runs on its own', async (t) => {
    const { page } = await open(t, `${servers.one.observer}#loop=two`)
    const run = fetch(`${servers.two.app}examples/5/run?speed=5`).then((response) => response.text())
    await tab(page, 'Runs').click()
    await row(page, /running/).getByRole('button', { name: 'Cancel' }).click()
    await row(page, /cancelled/).waitFor()
    await run
    await page.getByText('on one', { exact: true }).waitFor()
    await page.getByRole('button', { name: 'Stall it', exact: true }).click()
    t.ok(await eventually(async () => (await pressed(page)).join() === 'one'), 'and that is the one to look at then')
    await page.locator('.loop-state.red').waitFor()
    await page.locator('.loop-state.red').waitFor({ state: 'detached' })
  })

  await t.test('a dead loop is shown as lost, with its last known state', async (t) => {
    const { page } = await open(t, `${servers.one.observer}#loop=three`)
    void fetch(`${servers.three.app}examples/5/run?speed=5`).then((response) => response.text()).catch(() => {})
    await tab(page, 'Tasks').click()
    await row(page, /^P0/).waitFor()
    servers.three.kill()
    await page.locator('.loops .loop.lost', { hasText: 'three' }).waitFor()
    await page.getByText('three is lost', { exact: true }).waitFor()
    await row(page, /^P0/).waitFor()
    const shownTo = (): Promise<number> => page.evaluate(() => loopscope.timeline.view.to)
    // It goes back to the last known moment with its next frame, for which a busy machine takes its time.
    t.ok(await eventually(async () => {
      const to = await shownTo()
      await page.waitForTimeout(500)
      return await shownTo() === to
    }, 20), 'its picture does not move')
    await chip(page, 'two').click()
    await page.locator('.overlay.corner').waitFor({ state: 'detached' })
  })

  await t.test('an unknown loop is reported as unknown', async (t) => {
    const { page } = await visit(t, `${servers.one.observer}#loop=seven`)
    await page.getByText('There is no loop seven').waitFor()
    await page.getByRole('button', { name: 'Show the loop of this page' }).click()
    await page.locator('.connection.live').waitFor()
    t.same(await pressed(page), ['one'])
  })

  await t.test('while Redis is away, the state of the others is unknown', async (t) => {
    const { page } = await open(t, servers.one.observer)
    redis.pause()
    await page.getByText(/Redis has been away for/).waitFor()
    await page.locator('.loops .loop.unknown', { hasText: 'two' }).waitFor()
    redis.resume()
    await page.locator('.loops .loop.live', { hasText: 'two' }).waitFor()
    t.equal(await page.getByText(/Redis has been away for/).count(), 0)
  })
})
