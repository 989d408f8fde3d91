// What the live view says is true, also where little or nothing arrives: a full history, a quiet loop, a silent network, and
// the page's own requests.
import t from 'tap'
import { findChromium, launch } from '../support/chromium.ts'
import { eventually } from '../support/eventually.ts'
import { buildView } from '../support/ui.ts'
import { open, output, row, runExample, startServer, tab, wire, type Session } from './support.ts'

const chromium = await findChromium()
declare const loopscope: Session

t.test('the truth of now', { skip: typeof chromium === 'string' && chromium }, async (t) => {
  if (typeof chromium === 'string') return
  await buildView()
  const browser = await launch(chromium)
  t.teardown(() => browser.close())
  const get = async (url: string): Promise<string> => (await fetch(url)).text()

  await t.test('a full history opens from the first event that is kept, and a run in it has its link', async (t) => {
    const server = await startServer(t)
    const stallAndRun = async (): Promise<void> => {
      await Promise.all([get(`${server.app}examples/3/run?speed=20`), get(`${server.app}handlers/sync?thread=inline&ms=300`)])
    }
    await stallAndRun()
    for (let sent = 0; sent < 3800; sent += 20) await Promise.all(Array.from({ length: 20 }, () => get(`${server.app}ping`)))
    await stallAndRun()
    const { page } = await open(browser, server.observer)
    const kept = (): Promise<number> => page.evaluate(() => loopscope.live.events.length)
    t.ok(await eventually(async () => await kept() >= 19_000), `${await kept()} events`)
    const seqs = await page.evaluate(() => loopscope.live.events.map(({ seq }) => seq))
    t.ok(seqs.every((seq, index) => index === 0 || seq === seqs[index - 1]! + 1), 'every event once, in order')
    await page.close()
    const { runs } = JSON.parse(await get(`${server.app}runs`)) as { runs: { id: number; run: number }[] }
    const run = runs[0]!.run ?? runs[0]!.id
    const { page: linked } = await open(browser, `${server.observer}#run=${run}`)
    await tab(linked, 'Output').click()
    t.ok(await eventually(async () => (await output(linked)).join(' ') === 'hello world'), (await output(linked)).join(' '))
    await linked.close()
  })

  const server = await startServer(t)

  await t.test('what depends on the present goes on without events', async (t) => {
    const { page } = await open(browser, server.observer)
    await tab(page, 'Loop').click()
    const asleep = get(`${server.app}handlers/async?ms=6000`)
    const timer = page.locator('.timers .number').first()
    await timer.waitFor()
    const seconds = async (): Promise<number> => {
      const [, figure, unit] = /([\d.]+) (s|ms)/.exec(await timer.innerText())!
      return Number(figure) / (unit === 's' ? 1 : 1000)
    }
    const seq = (): Promise<number> => page.evaluate(() => loopscope.live.lastSeq)
    const [first, before] = [await seconds(), await seq()]
    t.ok(await eventually(async () => await seconds() < first - 1), `from ${first} s on`)
    t.equal(await seq(), before, 'nothing has happened')
    await page.locator('#main').focus()
    await page.keyboard.press('Space')
    const paused = await timer.innerText()
    await page.waitForTimeout(1200)
    t.equal(await timer.innerText(), paused, 'a paused view stands still')
    await page.keyboard.press('l')
    await asleep
    await get(`${server.app}handlers/sync?thread=inline&ms=1000`)
    const state = page.locator('.loop-state')
    t.ok(await eventually(async () => /\b0 % busy/.test((await state.innerText()).replace(/\s+/g, ' '))), await state.innerText())
    await page.close()
  })

  await t.test('a silent network is no stall, and differs from a server that has gone', async (t) => {
    const own = await startServer(t)
    const between = await wire(t, own.observerPort)
    const { page } = await open(browser, `http://127.0.0.1:${between.port}/`)
    void get(`${own.app}handlers/async?ms=4000`).catch(() => {})
    await tab(page, 'Tasks').click()
    await row(page, '/handlers/async').waitFor()
    between.freeze()
    await page.locator('.connection.silent', { hasText: /nothing heard for \d+ s/ }).waitFor()
    await page.getByText(/Nothing heard for [5-9] s/).waitFor()
    t.match(await row(page, '/handlers/async').innerText(), /waiting/, 'its sleep is over, but nothing is known of that')
    t.match(await page.locator('.loop-state').innerText(), /last known/)
    const drawn = await page.evaluate(() => loopscope.now())
    await page.waitForTimeout(1000)
    t.equal(await page.evaluate(() => loopscope.now()), drawn, 'the clock stands at the last sign of life')
    between.join()
    await page.locator('.connection.live').waitFor()
    t.ok(await eventually(() => page.evaluate((then) => loopscope.now() > then + 3, drawn)))
    t.equal(await page.evaluate(() => loopscope.live.stalls.all.length), 0)
    await page.locator('.loop-state', { hasText: /0\s*tasks/ }).waitFor()
    t.same(await page.evaluate(() => loopscope.live.events.filter(({ seq }, at, all) => at > 0 && seq !== all[at - 1]!.seq + 1)), [])
    own.kill()
    await page.locator('.connection.lost').waitFor()
    t.notMatch(await page.locator('.overlay').innerText(), /Nothing heard/)
    await page.close()
  })

  await t.test('a stall is drawn while it lasts, however long nothing else happens', async (t) => {
    const { page } = await open(browser, server.observer)
    const stalled = get(`${server.app}handlers/sync?thread=inline&ms=6000`)
    const state = page.locator('.loop-state.red')
    await state.locator('.figure', { hasText: /^5,\d+ ms$/ }).waitFor()
    t.equal(await page.locator('.connection').getAttribute('class'), 'connection live')
    await stalled
    await page.close()
  })

  await t.test('the page is no victim of a stall, and says when its own requests left', async (t) => {
    const { page } = await open(browser, server.observer)
    await tab(page, 'Stalls').click()
    await page.locator('.panel-empty, .stall-list').first().waitFor()
    const stalled = get(`${server.app}handlers/sync?thread=inline&ms=8000`)
    await page.locator('.loop-state.red').waitFor()
    const began = Date.now()
    const clients = [get(`${server.app}ping`), get(`${server.app}view/`), get(`${server.app}view/icon.svg`)]
    // A second page loads, and this one starts a run.
    const { page: second } = await open(browser, server.observer)
    await runExample(page, 3, { speed: '20' })
    await page.getByText(/Not counted, because the page only watches: POST \/examples\/3\/run/).waitFor()
    await Promise.all([stalled, ...clients])
    t.ok(Date.now() - began > 2000, 'all of this was during the stall')
    await page.locator('.stall-head', { hasText: /blocked the loop for \d,\d+ ms; 1 request delayed by up to/ }).first().waitFor()
    await page.getByText(/Not counted, because the page only watches: .*POST \/examples.*which left the page at/).waitFor()
    const stall = (await page.evaluate(() => loopscope.live.stalls.all.at(-1)))!
    t.same(stall.victims.map(({ name }) => name.replace(/#\d+/, '')), ['GET /ping '])
    await second.close()
    await page.close()
  })
})
