// What the live view says is true, also where little or nothing arrives: a full history, a quiet loop, a silent network, and
// the page's own requests.
import t from 'tap'
import { findChromium, launch } from '../support/chromium.ts'
import { eventually } from '../support/eventually.ts'
import { buildView } from '../support/ui.ts'
import { open, output, startServer, tab, type Session } from './support.ts'

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
})
