// The live view as its users have it: a real Chromium, the real server in a separate process, its observer, its policy.
import t from 'tap'
import { eventually } from '../support/eventually.ts'
import { drawn, interrupt, liveServer, noChromium, open, output, row, runExample, tab, wire, type Session } from './support.ts'

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

  await t.test('runs each example, shows what it prints, and cancels it', async (t) => {
    const { page, complaints } = await open(t, server.observer)
    const expected: Record<number, string[]> = { 1: ['hello', 'world'], 2: ['hello', 'world'], 3: ['hello', 'world'], 4: ['One', 'One', 'One', 'Two', 'Two', 'Two'] }
    await tab(page, 'Output').click()
    for (const [number, lines] of Object.entries(expected)) {
      const before = (await output(page)).length
      await runExample(page, Number(number), { speed: '10' })
      t.ok(await eventually(async () => (await output(page)).length === before + lines.length), `example ${number} printed ${lines.length} lines`)
      t.same((await output(page)).slice(before), lines)
    }
    await runExample(page, 5, { speed: '20', 'queue size': '2' })
    await tab(page, 'Queues').click()
    await page.locator('.queue-slots li.item').first().waitFor()
    await tab(page, 'Runs').click()
    await row(page, /running/).waitFor()
    await interrupt(page)
    await row(page, /cancelled/).waitFor()
    t.ok(await eventually(() => server.count('tasks').then((left) => left === 0)), 'none of its tasks is left')
    t.same(complaints, [])
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

  await t.test('stalls the loop itself, and says in one sentence why a task is not running', async (t) => {
    const { page } = await open(t, server.observer)
    await runExample(page, 5, { speed: '5' })
    await page.getByRole('button', { name: 'Stall it', exact: true }).first().click()
    await page.locator('.loop-state.red').waitFor()
    await tab(page, 'Tasks').click()
    await page.locator('.grid .row-button', { hasText: /^P0$/ }).last().click()
    await page.locator('.why .sentence', { hasText: /^Ready since .* behind GET \/handlers\/sync #\d+, which blocks the loop in .*:\d+\)/ }).waitFor()
    await page.locator('.loop-state.red').waitFor({ state: 'detached' })
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

  await t.test('a finished run has a link, in real time and in virtual time', async (t) => {
    const { page } = await open(t, server.observer)
    await runExample(page, 3, { speed: '20' })
    t.ok(await eventually(() => /#run=\d+/.test(page.url())), page.url())
    const link = page.url()
    const other = await open(t, link)
    await other.page.locator('.chip', { hasText: /^run \d+$/ }).waitFor()
    await tab(other.page, 'Output').click()
    t.ok(await eventually(async () => (await output(other.page)).join(' ') === 'hello world'), 'only this run')
    await other.page.close()

    await page.getByRole('button', { name: /Run an example/ }).click()
    await page.locator('.example', { hasText: /^4/ }).click()
    await page.getByLabel('virtual time: all at once').check()
    await page.getByLabel('speed', { exact: true }).fill('')
    await page.getByRole('button', { name: '▶ Run example 4' }).click()
    await page.locator('.chip', { hasText: 'example 4 in virtual time' }).waitFor()
    t.equal(await page.evaluate(() => loopscope.recording.value.to - loopscope.recording.value.from), 4)
    const again = await open(t, page.url())
    await again.page.locator('.chip', { hasText: /run \d+, from the server’s records/ }).waitFor()
    t.equal(await again.page.evaluate(() => loopscope.recording.value.stalls.all.length), 3)
    await again.page.getByRole('button', { name: 'Back to live' }).click()
    t.equal(await again.page.evaluate(() => loopscope.recording.value === loopscope.live), true)
  })

  await t.test('a reload in the middle of a run loses nothing', async (t) => {
    const { page } = await open(t, server.observer)
    const before = await page.evaluate(() => loopscope.live.lastSeq)
    const run = fetch(`${server.app}examples/5/run?speed=20&items=10&seed=3`).then((response) => response.text())
    t.ok(await eventually(() => page.evaluate((from) => loopscope.live.lastSeq > from + 20, before)))
    await page.reload()
    await page.locator('.connection.live').waitFor()
    const lines = (await run).trim().split('\n')
    await tab(page, 'Output').click()
    t.ok(await eventually(async () => (await output(page)).slice(-lines.length).join() === lines.join()), `all ${lines.length} lines`)
    const seqs = await page.evaluate(() => loopscope.live.events.map(({ seq }) => seq))
    t.ok(seqs.every((seq, index) => index === 0 || seq === seqs[index - 1]! + 1), 'every event once, in order')
  })

  await t.test('reports a lost connection, and has everything when it is back', async (t) => {
    const between = await wire(t, server.observerPort)
    const { page } = await open(t, `http://127.0.0.1:${between.port}/`)
    const before = await page.evaluate(() => loopscope.live.lastSeq)
    between.cut()
    await page.locator('.connection.lost').waitFor()
    await page.getByText('The connection is lost').waitFor()
    await (await fetch(`${server.app}examples/3/run?speed=50`)).text()
    between.join()
    await page.getByRole('button', { name: 'Try now' }).click().catch(() => {})
    await page.locator('.connection.live').waitFor()
    t.ok(await eventually(() => page.evaluate((from) => loopscope.live.lastSeq > from + 20, before)))
    const seqs = await page.evaluate(() => loopscope.live.events.map(({ seq }) => seq))
    t.ok(seqs.every((seq, index) => index === 0 || seq === seqs[index - 1]! + 1), 'no event twice, none missing')
  })

  await t.test('the app serves it as well', async (t) => {
    const { page, complaints } = await open(t, `${server.app}view?run=1`)
    t.match(page.url(), /\/view\//)
    await page.getByText('served by the loop itself: it stalls with it').waitFor()
    await tab(page, 'Runs').click()
    await row(page, /cancelled|returned/).waitFor()
    t.same(complaints, [])
  })
})
