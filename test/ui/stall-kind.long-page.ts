// The details of a stall in the view: its kind, by what that was judged, where the time went, and a flame graph.
import { mkdirSync } from 'node:fs'
import t from 'tap'
import { eventually } from '../support/eventually.ts'
import { axeFindings, SERIOUS } from '../support/axe.ts'
import { start } from '../observe/support.ts'
import { drawn, noChromium, open, tab } from './support.ts'

/** Screenshots go here, if it is set. */
const PICTURES = process.env['PICTURES']

t.test('the details of a stall', { skip: noChromium }, async (t) => {
  const program = start(t, 'test/observe/programs/kinds.ts', {}, { stdio: ['pipe', 'pipe', 'pipe'] })
  t.ok(await eventually(() => program.log().includes('observer')), program.log())
  const [, observer] = /observer (\S+)/.exec(program.log())!
  for (const theme of ['light', 'dark'] as const) {
    await t.test(`say what kind it is and where its time went, ${theme}`, async (t) => {
      const { page, complaints } = await open(t, `${observer!}/`, { colorScheme: theme, bypassCSP: true })
      await tab(page, 'Stalls').click()
      program.child.stdin!.write('phases 2100\n')
      const head = page.locator('.stall-head', { hasText: /third outside of the event loop blocked the loop for [2-9],\d+ ms/ }).first()
      await head.waitFor()
      if (await head.getAttribute('aria-expanded') === 'false') await head.click()
      const more = page.locator('.stall-more').first()
      // On a busy machine it may have had no processor for most of the time.
      t.match(await more.locator('.stall-kind').innerText(), /^(JavaScript\. The thread ran code of the program|No processor\. The machine gave the thread no processor for).*ms of .*ms/)
      const shares = await more.locator('.stall-shares li').allInnerTexts()
      t.match(shares[0], /third \(programs\/kinds\.ts:\d+\)\s*\d+ %, [\d,.]+ ms/)
      t.ok(shares.some((text) => text.includes('second (')), shares.join('; '))
      const flame = more.locator('.flame')
      t.match(await flame.getAttribute('aria-label'), /^Flame graph: .*ms/)
      const boxes = await flame.locator('span').allInnerTexts()
      t.ok(['second', 'third'].every((name) => boxes.includes(name)), boxes.join(' '))
      await drawn(page)
      if (PICTURES !== undefined) {
        mkdirSync(PICTURES, { recursive: true })
        await page.screenshot({ path: `${PICTURES}/stall-kind-${theme}.png` })
      }
      t.same(await axeFindings(page, SERIOUS), [])
      t.same(complaints, [])
    })
  }

  await t.test('show a call into the system while it lasts, and where it sleeps', { skip: process.platform !== 'linux' && 'only Linux says so' }, async (t) => {
    const { page } = await open(t, `${observer!}/`)
    await tab(page, 'Stalls').click()
    program.child.stdin!.write('atomics 3000\n')
    await page.locator('.stall-kind', { hasText: /^A call into the system\. The thread slept in a synchronous call into the system, for .* in futex/ }).first().waitFor()
    await page.locator('.stall-head', { hasText: /waitInAtomics outside of the event loop blocked the loop for/ }).first().waitFor()
  })
})
