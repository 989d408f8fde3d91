// The live view as its users have it: a real Chromium, the real server in a separate process, its observer, its policy.
import t from 'tap'
import { eventually } from '../support/eventually.ts'
import { drawn, interrupt, liveServer, noChromium, open, row, runExample, tab, type Session } from './support.ts'

declare const loopscope: Session

t.test('the live view', { skip: noChromium }, async (t) => {
  const server = await liveServer(t)

  // The first of all page tests: nothing has run on the server.
  await t.test('an empty page says what to press', async (t) => {
    const { page, complaints } = await open(t, server.observer)
    await page.getByText('The loop is idle').waitFor()
    await page.locator('.choice', { hasText: 'Run example 3' }).click()
    await page.locator('.overlay').waitFor({ state: 'detached' })
    await tab(page, 'Tasks').click()
    for (const task of ['Task-1', 'Task-2']) await row(page, new RegExp(`^${task}.*waiting.*sleep`)).waitFor()
    t.same(complaints, [])
    // Without its page the run would go on.
    await interrupt(page)
    t.ok(await eventually(() => server.count('tasks').then((left) => left === 0)))
  })

  await t.test('a harmless stall says how to see a harmful one', async (t) => {
    const { page } = await open(t, server.observer)
    await page.getByRole('button', { name: 'Stall it', exact: true }).first().click()
    await page.locator('.why .sentence', { hasText: /GET \/handlers\/sync #\d+ blocked the loop for 2,\d+ ms; it delayed no task/ }).waitFor()
    await page.getByRole('button', { name: 'Run example 5 and stall it' }).click()
    await page.locator('.why .sentence', { hasText: /GET \/handlers\/sync #\d+ blocked the loop for 2,\d+ ms; \d+ tasks? .*delayed/ }).waitFor()
    t.match(await page.locator('.why').innerText(), /in blockingSleep \(workers\/blocking-sleep\.ts:\d+\)/, 'what, where, and what it delayed')
    await interrupt(page)
    t.ok(await eventually(() => server.count('tasks').then((left) => left === 0)))
  })

  await t.test('cancels any task', async (t) => {
    const { page } = await open(t, server.observer)
    await runExample(page, 3)
    await tab(page, 'Tasks').click()
    await page.getByRole('button', { name: /^Cancel Task-/ }).last().click()
    await tab(page, 'Runs').click()
    await row(page, /cancelled/).waitFor()
  })

  await t.test('shows a stall while it lasts: what, where, for how long, and at its end what it cost', async (t) => {
    const { page } = await open(t, server.observer, { reducedMotion: 'no-preference' })
    await runExample(page, 5, { speed: '5' })
    await tab(page, 'Stalls').click()
    const before = await page.evaluate(() => loopscope.live.stalls.all.length)
    const stalled = fetch(`${server.app}handlers/sync?thread=inline&ms=6000`).then((response) => response.text())
    t.ok(await eventually(async () => (await (await fetch(`${server.observer}healthz`)).json() as { blocked: boolean }).blocked))
    const state = page.locator('.loop-state.red')
    const unread = fetch(`${server.app}handlers/async?ms=10`).then((response) => response.text())
    const seconds = async (): Promise<number> => Number((await state.locator('.figure').innerText()).replace(/[^\d.]/g, ''))
    const first = await seconds()
    t.ok(await eventually(async () => await seconds() > first + 200), 'it grows while the app is stalled')
    t.match(await state.innerText(), /GET \/handlers\/sync #\d+ blocks the loop/)
    t.match(await page.locator('.stall-head').first().innerText(), /GET \/handlers\/sync #\d+ has blocked the loop for .* in .*blocking-?[sS]leep.*:\d+/)
    await Promise.all([stalled, unread])
    await page.locator('.stall-head', { hasText: /blocked the loop for [\d,]+ ms; \d+ tasks? and \d+ requests? delayed by up to/ }).first().waitFor()
    await tab(page, 'Requests').click()
    t.match(await row(page, '/handlers/async?ms=10').innerText(), /\b(\d{3} ms|[1-6]\.\d+ s)\b/, 'a delayed request is shown with its delay')
    await tab(page, 'Stalls').click()
    const found = await page.evaluate((from) => loopscope.live.stalls.all.slice(from), before)
    const stall = found.find(({ name }) => name.startsWith('GET /handlers/sync'))!
    t.ok(stall.to !== null && stall.to - stall.from >= 5.99, `${stall.to! - stall.from} s`)
    t.match(stall.stack[0]?.file, /workers\/blocking-sleep\.ts$/)
    const victims = stall.victims as { name: string; seconds: number }[]
    t.ok(victims.some(({ name }) => /^[PC]\d$/.test(name)), victims.map(({ name }) => name).join(' '))
    t.ok(victims.every(({ seconds }) => seconds > 0 && seconds <= stall.seconds + 0.05), 'nobody lost more than it lasted')
    t.ok(Math.abs(victims.reduce((sum, { seconds }) => sum + seconds, 0) - stall.lost) < 0.01, 'and the sum is the sum')
    await interrupt(page)
  })

  await t.test('pauses, steps back and forth event by event, scrubs, and goes live again with one key', async (t) => {
    const { page } = await open(t, server.observer)
    await page.locator('#main').focus()
    await page.keyboard.press('Space')
    t.equal(await page.evaluate(() => loopscope.follow.value), false)
    const at = await page.evaluate(() => loopscope.cursor.value!.seq)
    await page.keyboard.press(',')
    await page.keyboard.press(',')
    t.equal(await page.evaluate(() => loopscope.cursor.value!.seq), at - 2)
    await page.keyboard.press('.')
    t.equal(await page.evaluate(() => loopscope.cursor.value!.seq), at - 1)
    t.match(await page.locator('.cursor-time').innerText(), new RegExp(`\\d s? ?#${at - 1} (warning|[a-z]+\\.[a-z]+)$`))
    // Scrubs along the axis to the middle of the last run, where its tasks are alive again.
    await page.keyboard.press('f')
    await drawn(page)
    const box = (await page.locator('.timeline canvas').first().boundingBox())!
    await page.mouse.move(box.x + 500, box.y + 36)
    await page.mouse.down()
    await page.mouse.move(box.x + 420, box.y + 36, { steps: 4 })
    await page.mouse.up()
    const scrubbed = await page.evaluate(() => ({ t: loopscope.cursor.value!.t, from: loopscope.timeline.view.from, to: loopscope.timeline.view.to }))
    t.ok(scrubbed.t > scrubbed.from && scrubbed.t < scrubbed.to, `${scrubbed.t} s`)
    await page.keyboard.press('l')
    t.same(await page.evaluate(() => [loopscope.follow.value, loopscope.cursor.value]), [true, null])
  })
})
