// What the lab says of figures that cannot be trusted: the same in the terminal, over HTTP and in the page.
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as later } from 'node:timers/promises'
import t from 'tap'
import { findChromium, launch } from '../support/chromium.ts'
import { eventually, listen } from '../support/server.ts'
import { buildView } from '../support/ui.ts'

const chromium = await findChromium()
t.setTimeout(180_000)

/** The lab's tester, a child of this process. */
function tester(): number | undefined {
  const children = readdirSync('/proc/self/task').flatMap((thread) => readFileSync(`/proc/self/task/${thread}/children`, 'utf8').trim().split(' ')).filter((pid) => pid !== '')
  return children.map(Number).find((pid) => /lab-child/.test(readFileSync(`/proc/${pid}/cmdline`, 'utf8')))
}

t.test('a schedule that was not kept', { skip: typeof chromium === 'string' ? chromium : process.platform !== 'linux' && 'needs /proc' }, async (t) => {
  if (typeof chromium === 'string') return
  await buildView()
  const { url } = await listen(t, { RATE_LIMIT: '0' })
  const browser = await launch(chromium)
  t.teardown(() => browser.close())
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } })
  await page.goto(`${url}/view/#view=lab`)
  await page.locator('.connection.live').waitFor()
  await page.getByLabel('blocking requests').fill('1')
  await page.getByRole('button', { name: 'Start the lab' }).click()
  t.ok(await eventually(() => tester() !== undefined))
  const pid = tester()!
  // It gets no processor for a while, again and again: then its probes leave late.
  const stopping = (async () => {
    try {
      for (;;) {
        process.kill(pid, 'SIGSTOP')
        await later(100)
        process.kill(pid, 'SIGCONT')
        await later(150)
      }
    } catch {
      // It has ended.
    }
  })()
  const caveat = page.locator('.lab-table .lab-caveat').first()
  await caveat.waitFor({ timeout: 60_000 })
  t.match(await caveat.innerText(), /WARNING: the probes did not keep their schedule: p99 [\d.]+ m?s, at most [\d.]+ m?s late, which is part of what they measured/)
  await stopping
  await page.getByRole('button', { name: 'Start the lab' }).waitFor({ timeout: 60_000 })
  const shown = (await page.locator('.lab-table .lab-caveat').allInnerTexts()).map((text) => text.replace('⚠ ', ''))
  const json = await (await fetch(`${url}/lab/1`, { headers: { accept: 'application/json' } })).json() as { results: { lane: string; caveats?: string[] }[] }
  t.same(shown, json.results.flatMap(({ caveats = [] }) => caveats), 'over HTTP')
  const lines = (await (await fetch(`${url}/lab/1`, { headers: { accept: 'text/plain' } })).text()).split('\n')
  for (const { lane, caveats = [] } of json.results) for (const text of caveats) t.ok(lines.includes(`${lane}: ${text}`), 'as text, as the terminal has it')
})
