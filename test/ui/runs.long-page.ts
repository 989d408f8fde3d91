// Runs in the live view, and connections that do not last: a real Chromium, the real server in a separate process.
import t from 'tap'
import { eventually } from '../support/eventually.ts'
import { interrupt, liveServer, noChromium, open, output, row, runExample, tab, wire, type Session } from './support.ts'

declare const loopscope: Session

t.test('runs in the live view', { skip: noChromium }, async (t) => {
  const server = await liveServer(t)

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
