// The lab: its lanes in a table, why a task of it does not run, and figures that cannot be trusted: the same in the terminal,
// over HTTP and in the page.
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as later } from 'node:timers/promises'
import type { Locator } from 'playwright-core'
import t from 'tap'
import { eventually } from '../support/eventually.ts'
import { liveServer, noChromium, open } from './support.ts'

declare const loopscope: { live: { labs: { all: Map<number, object> } } }

/** The lab's tester, a child of the server. */
function tester(server: number): number | undefined {
  const children = readdirSync(`/proc/${server}/task`).flatMap((thread) => readFileSync(`/proc/${server}/task/${thread}/children`, 'utf8').trim().split(' ')).filter((pid) => pid !== '')
  return children.map(Number).find((pid) => /lab-child/.test(readFileSync(`/proc/${pid}/cmdline`, 'utf8')))
}

t.test('the lab', { skip: noChromium }, async (t) => {
  const server = await liveServer(t)
  const { page, complaints } = await open(t, `${server.observer}#view=lab`)
  const start = page.getByRole('button', { name: 'Start the lab' })

  await t.test('compares the lanes in a table, and says why a task of it does not run', async (t) => {
    await page.getByLabel('blocking requests').fill('2')
    await page.getByRole('textbox', { name: /^of/ }).fill('400')
    const row = (lane: string): Locator => page.locator('.lab-table tbody tr', { has: page.locator('th', { hasText: lane }) })
    // A machine that is busy itself blocks the loop in every lane, and the lab reports that: then it is measured again.
    for (let time = 0; time < 4; time++) {
      await start.click()
      const aside = page.locator('.why-beside')
      const request = aside.locator('option', { hasText: 'GET /handlers/' }).first()
      await request.waitFor({ state: 'attached', timeout: 60_000 })
      await aside.getByLabel('Task').selectOption(await request.innerText())
      await aside.locator('.sentence').waitFor()
      t.match(await aside.locator('h2').innerText(), /GET \/handlers/)
      await row('a coroutine that waits').locator('td.number').first().waitFor({ timeout: 60_000 })
      await start.waitFor({ timeout: 60_000 })
      if (/a thread was busy/.test(await row('on the one thread').innerText())) break
    }
    t.match(await row('on the loop’s own thread').innerText(), /the loop was blocked: everything was delayed/)
    t.match(await row('on the one thread').innerText(), /a thread was busy: only its own callers waited/)
    const max = (await row('on the loop’s own thread').locator('td').nth(2).innerText())
    t.match(max, /^(\d{3} ms|[1-9].*s)$/, `the probes saw ${max} while the loop was blocked`)
    await page.locator('.lab-words').first().waitFor()
  })

  await t.test('says that a schedule was not kept', { skip: process.platform !== 'linux' && 'needs /proc' }, async (t) => {
    await page.getByLabel('blocking requests').fill('1')
    await start.click()
    await page.locator('.lab-table caption', { hasText: '1 request of 400 ms' }).waitFor()
    t.ok(await eventually(() => tester(server.pid) !== undefined))
    const pid = tester(server.pid)!
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
    // One lane is enough.
    await page.getByRole('button', { name: 'Cancel', exact: true }).click()
    await stopping
    await start.waitFor({ timeout: 60_000 })
    const shown = (await page.locator('.lab-table .lab-caveat').allInnerTexts()).map((text) => text.replace('⚠ ', ''))
    const path = `lab/${await page.evaluate(() => [...loopscope.live.labs.all.keys()].at(-1))}`
    const json = await (await fetch(server.app + path, { headers: { accept: 'application/json' } })).json() as { results: { lane: string; caveats?: string[] }[] }
    t.same(shown, json.results.flatMap(({ caveats = [] }) => caveats), 'over HTTP')
    const lines = (await (await fetch(server.app + path, { headers: { accept: 'text/plain' } })).text()).split('\n')
    for (const { lane, caveats = [] } of json.results) for (const text of caveats) t.ok(lines.includes(`${lane}: ${text}`), 'as text, as the terminal has it')
  })

  t.same(complaints, [])
})
