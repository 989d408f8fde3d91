// What the live view says is true, also where little or nothing arrives: a full history, a quiet loop, a silent network, and
// the page's own requests.
import t from 'tap'
import { eventually } from '../support/eventually.ts'
import { drawn, liveServer, noChromium, open, output, row, runExample, startServer, tab, wire, type Session } from './support.ts'

declare const loopscope: Session

t.test('the truth of now', { skip: noChromium }, async (t) => {
  const server = await liveServer(t)
  const get = async (url: string): Promise<string> => (await fetch(url)).text()
  /** Ends the sleep of GET /handlers/async. */
  const wake = async (): Promise<void> => {
    const { tasks } = await (await fetch(`${server.app}tasks`, { headers: { accept: 'application/json' } })).json() as { tasks: { task: number; name: string }[] }
    for (const { task, name } of tasks) if (name.startsWith('GET /handlers/async')) await fetch(`${server.app}tasks/${task}`, { method: 'DELETE' })
  }

  await t.test('a full history opens from the first event that is kept, and a run in it has its link', async (t) => {
    // A short history: it is full soon.
    const full = await startServer(t, { HISTORY: '4000' })
    const stallAndRun = async (): Promise<void> => {
      await Promise.all([get(`${full.app}examples/3/run?speed=20`), get(`${full.app}handlers/sync?thread=inline&ms=300`)])
    }
    await stallAndRun()
    for (let sent = 0; sent < 800; sent += 20) await Promise.all(Array.from({ length: 20 }, () => get(`${full.app}ping`)))
    await stallAndRun()
    const { page } = await open(t, full.observer)
    const seqs = (): Promise<number[]> => page.evaluate(() => loopscope.live.events.map(({ seq }) => seq))
    t.ok(await eventually(async () => (await seqs()).length >= 3900), `${(await seqs()).length} events`)
    t.ok((await seqs())[0]! > 1, 'the first ones are not kept')
    t.ok((await seqs()).every((seq, index, all) => index === 0 || seq === all[index - 1]! + 1), 'every event once, in order')
    const { runs } = JSON.parse(await get(`${full.app}runs`)) as { runs: { run: number }[] }
    const { page: linked } = await open(t, `${full.observer}#run=${runs[0]!.run}`)
    await tab(linked, 'Output').click()
    t.ok(await eventually(async () => (await output(linked)).join(' ') === 'hello world'), (await output(linked)).join(' '))
  })

  await t.test('what depends on the present goes on without events', async (t) => {
    const { page } = await open(t, server.observer)
    await tab(page, 'Loop').click()
    const asleep = get(`${server.app}handlers/async?ms=9000`)
    const timer = page.locator('.timers .number').first()
    await timer.waitFor()
    const seconds = async (): Promise<number> => {
      const [, figure, unit] = /([\d.]+) (s|ms)/.exec(await timer.innerText())!
      return Number(figure) / (unit === 's' ? 1 : 1000)
    }
    const seq = (): Promise<number> => page.evaluate(() => loopscope.live.lastSeq)
    const [first, before] = [await seconds(), await seq()]
    t.ok(await eventually(async () => await seconds() < first - 0.5), `from ${first} s on`)
    t.equal(await seq(), before, 'nothing has happened')
    await page.locator('#main').focus()
    await page.keyboard.press('Space')
    const paused = await timer.innerText()
    await wake()
    await asleep
    t.ok(await eventually(async () => await seq() > before), 'the page knows that it has ended')
    await drawn(page)
    t.equal(await timer.innerText(), paused, 'a paused view stands still')
    await page.keyboard.press('l')
    await get(`${server.app}handlers/sync?thread=inline&ms=1000`)
    const state = page.locator('.loop-state')
    t.ok(await eventually(async () => /\b0 % busy/.test((await state.innerText()).replace(/\s+/g, ' '))), await state.innerText())
  })

  await t.test('a silent network is no stall, and differs from a server that has gone', async (t) => {
    const between = await wire(t, server.observerPort)
    const { page } = await open(t, `http://127.0.0.1:${between.port}/`)
    const stalls = (): Promise<number> => page.evaluate(() => loopscope.live.stalls.all.filter(({ from, to }) => (to ?? Infinity) - from > 2).length)
    const known = async (): Promise<number> => {
      const { stalls } = await (await fetch(`${server.observer}stalls`, { headers: { accept: 'application/json' } })).json() as { stalls: { seconds: number }[] }
      return stalls.filter(({ seconds }) => seconds > 1).length
    }
    const asleep = get(`${server.app}handlers/async?ms=9000`)
    await tab(page, 'Tasks').click()
    await row(page, /handlers\/async.*waiting/).waitFor()
    between.freeze()
    await wake()
    await asleep
    await page.locator('.connection.silent', { hasText: /nothing heard for \d+ s/ }).waitFor()
    t.match(await row(page, '/handlers/async').innerText(), /waiting/, 'its sleep is over, but nothing is known of that')
    t.match(await page.locator('.loop-state').innerText(), /last known/)
    const drawn = await page.evaluate(() => loopscope.now())
    const silence = page.getByText(/Nothing heard for \d+ s/)
    const said = await silence.innerText()
    t.ok(await eventually(async () => await silence.innerText() !== said), 'the silence goes on')
    t.equal(await page.evaluate(() => loopscope.now()), drawn, 'the clock stands at the last sign of life')
    between.join()
    await page.locator('.connection.live').waitFor()
    t.ok(await eventually(() => page.evaluate((then) => loopscope.now() > then + 3, drawn)))
    // A stall of the silence would last for more than 3 s. On a busy machine a true one may differ by what the thread waited for a processor.
    t.ok(await eventually(async () => await stalls() <= await known()), 'no long stall but those that the observer knows')
    await page.locator('.loop-state', { hasText: /0\s*tasks/ }).waitFor()
    t.same(await page.evaluate(() => loopscope.live.events.filter(({ seq }, at, all) => at > 0 && seq !== all[at - 1]!.seq + 1)), [])
    between.cut()
    await page.locator('.connection.lost').waitFor()
    t.notMatch(await page.locator('.overlay').innerText(), /Nothing heard/)
  })

  await t.test('a stall is drawn while it lasts, however long nothing else happens; the page is no victim of it, and says when its own requests left', async (t) => {
    const { page } = await open(t, server.observer)
    await tab(page, 'Stalls').click()
    await page.locator('.panel-empty, .stall-list').first().waitFor()
    const stalled = get(`${server.app}handlers/sync?thread=inline&ms=10000`)
    const state = page.locator('.loop-state.red')
    await state.waitFor()
    const clients = [get(`${server.app}ping`), get(`${server.app}view/`), get(`${server.app}view/icon.svg`)]
    // This page starts a run, and a second one loads.
    const started = runExample(page, 3, { speed: '20' })
    await open(t, server.observer)
    await page.getByText(/Not counted, because the page only watches: POST \/examples\/3\/run/).waitFor()
    await state.locator('.figure', { hasText: /^([4-9]|\d\d),\d+ ms$/ }).waitFor()
    t.equal(await page.locator('.connection').getAttribute('class'), 'connection live')
    await Promise.all([stalled, started, ...clients])
    const head = page.locator('.stall-head', { hasText: /blocked the loop for (1\d|[4-9]),\d{3} ms; 1 request delayed by up to/ }).first()
    await head.waitFor()
    // A busy machine has later and shorter ones, too, and the last one is open.
    if (await head.getAttribute('aria-expanded') !== 'true') await head.click()
    await page.getByText(/Not counted, because the page only watches: .*POST \/examples.*which left the page at/).waitFor()
    const stall = (await page.evaluate(() => loopscope.live.stalls.all.find(({ from, to }) => (to ?? Infinity) - from > 4)))!
    t.same(stall.victims.map(({ name }) => name.replace(/#\d+/, '')), ['GET /ping '])
  })
})
