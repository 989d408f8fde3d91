// The panel Motion: chips go from place to place, with a sentence for each move.
import type { Page } from 'playwright-core'
import t from 'tap'
import { eventually } from '../support/eventually.ts'
import { axeFindings } from '../support/axe.ts'
import { noChromium, open, output, runExample, startServer, tab } from './support.ts'

/** What the test notes in the page: the places of each task, in order, and the transitions of chips. */
interface Noted {
  places: Record<string, string[]>
  transitions: number
}

/** Runs in the page. */
function note(): void {
  interface Node {
    querySelector(selector: string): Node | null
    querySelectorAll(selector: string): Iterable<Node>
    getAttribute(name: string): string
    closest(selector: string): Node
    textContent: string
    addEventListener(type: string, listener: (event: { propertyName: string }) => void): void
  }
  const page = globalThis as unknown as { noted: Noted; document: Node; MutationObserver: new (listener: () => void) => { observe(node: Node, options: object): void } }
  const noted: Noted = page.noted = { places: {}, transitions: 0 }
  const look = (): void => {
    for (const chip of page.document.querySelectorAll('.motion [data-task]')) {
      const places = noted.places[chip.querySelector('button')?.textContent ?? ''] ??= []
      const place = chip.closest('section').getAttribute('aria-label')
      if (places.at(-1) !== place) places.push(place)
    }
  }
  const motion = page.document.querySelector('.motion') as Node
  new page.MutationObserver(look).observe(motion, { childList: true, subtree: true })
  motion.addEventListener('transitionrun', ({ propertyName }) => { if (propertyName === 'transform') noted.transitions++ })
}

interface Spot { x: number; y: number }

/** Runs in the page: goes one event on, and returns where the running task's chip was, where it sets out, and where it ends. */
async function moved(): Promise<{ from: Spot; start: Spot; end: Spot }> {
  interface Node { querySelector(selector: string): Node; getBoundingClientRect(): Spot; click(): void; getAttribute(name: string): string; getAnimations(): { finished: Promise<unknown> }[] }
  const page = globalThis as unknown as { document: Node; MutationObserver: new (listener: () => void) => { observe(node: Node, options: object): void } }
  const spot = (node: Node): Spot => {
    const { x, y } = node.getBoundingClientRect()
    return { x, y }
  }
  const motion = page.document.querySelector('.motion')
  const chip = motion.querySelector('.in-running [data-task]')
  const from = spot(chip)
  const selector = `[data-task="${chip.getAttribute('data-task')}"]`
  const start = await new Promise<Spot>((resolve) => {
    new page.MutationObserver(() => { resolve(spot(motion.querySelector(selector))) }).observe(motion.querySelector('.in-running'), { childList: true, subtree: true })
    motion.querySelector('[aria-label="One event on"]').click()
  })
  const there = motion.querySelector(selector)
  await Promise.all(there.getAnimations().map(({ finished }) => finished))
  return { from, start, end: spot(there) }
}

const noted = (page: Page): Promise<Noted> => page.evaluate('noted') as Promise<Noted>

type Checks = Pick<typeof t, 'equal' | 'match'>

/** Compares the ways of the chips with the program. The panel began with the present, in which all tasks have ended. */
function sameWays(t: Checks, { places }: Noted): void {
  const way = (name: string): string => (places[name] ?? []).slice(places[name]?.[0] === 'Ended' ? 1 : 0).join(', ')
  for (const name of ['Task-1', 'Task-2']) t.equal(way(name), 'Ready queue, Running, Timers, Ready queue, Running, Ended')
  // The two timers may be due in one turn of the loop or in two.
  t.match(way('main'), /^Ready queue, Running, (Waiting, Ready queue, Running, ){1,2}Ended$/)
}

t.test('the panel', { skip: noChromium }, async (t) => {
  // A server without the tasks of other tests.
  const server = await startServer(t)
  const pictures = process.env['PICTURES']

  await t.test('plays a run slowly: chips go from place to place, and one event back and on', async (t) => {
    const { page, complaints } = await open(t, server.observer, { viewport: { width: 1440, height: 900 }, reducedMotion: 'no-preference', bypassCSP: true })
    await tab(page, 'Output').click()
    await runExample(page, 3, { speed: '10' })
    await page.locator('.output .text', { hasText: 'world' }).waitFor()
    t.same(await output(page), ['hello', 'world'])
    await tab(page, 'Motion').click()
    const motion = page.locator('.motion')
    await motion.getByText('This is the present. Play slowly begins at the start of what the lanes show.').waitFor()
    const run = /run=(\d+)/.exec(page.url())?.[1]
    await motion.locator('.in-ended').getByRole('button', { name: 'main' }).click()
    await motion.getByText(`Play slowly begins at the start of run ${run}.`).waitFor()
    await page.getByRole('button', { name: `Only run ${run}` }).click()
    await page.evaluate(note)
    await motion.getByLabel('One event each').selectOption('0.4')
    // A sentence is shown for less than half a second: the page itself notes them.
    await page.evaluate(`{
      globalThis.sentences = new Set()
      new MutationObserver(() => sentences.add(document.querySelector('.motion .sentence')?.textContent))
        .observe(document.querySelector('.motion'), { subtree: true, childList: true, characterData: true })
    }`)
    await motion.getByRole('button', { name: 'Play slowly' }).click()
    t.ok(await eventually(() => page.evaluate('[...sentences].some((text) => /Task-1 waits for sleep/.test(text))')))
    if (pictures !== undefined) await page.screenshot({ path: `${pictures}/motion.png` })
    // It stops by itself.
    await motion.getByRole('button', { name: 'Play slowly' }).waitFor()
    t.equal(await motion.locator('.sentence').innerText(), 'main ends: it returned.')
    const seen = await noted(page)
    sameWays(t, seen)
    t.ok(seen.transitions > 10, `${seen.transitions} transitions`)
    await motion.getByRole('button', { name: 'One event back' }).click()
    await motion.locator('.sentence', { hasText: /^main runs/ }).waitFor()
    t.equal(await motion.locator('.in-running [data-task] button').innerText(), 'main')
    // It sets out from where it was, and is elsewhere at the end; in presenter mode too, where the page is zoomed.
    for (const key of ['p', 'p']) {
      await page.keyboard.press(key)
      await page.evaluate('Promise.all(document.getAnimations().map(({ finished }) => finished))')
      const { from, start, end } = await page.evaluate(moved)
      t.ok(Math.hypot(start.x - from.x, start.y - from.y) < 3, `from ${from.x}, ${from.y}; start at ${start.x}, ${start.y}`)
      t.ok(Math.hypot(end.x - from.x, end.y - from.y) > 50, `end at ${end.x}, ${end.y}`)
      await motion.getByRole('button', { name: 'One event back' }).click()
      await motion.locator('.sentence', { hasText: /^main runs/ }).waitFor()
    }
    await motion.getByRole('button', { name: 'One event on' }).press('Enter')
    await motion.locator('.sentence', { hasText: 'main ends: it returned.' }).waitFor()
    t.same(await axeFindings(page), [])
    // Nothing goes on in a panel that is not shown, or after the page has gone live.
    await motion.getByRole('button', { name: 'Play slowly' }).click()
    await motion.getByRole('button', { name: 'Stop' }).waitFor()
    await tab(page, 'Loop').click()
    await tab(page, 'Motion').click()
    await motion.getByRole('button', { name: 'Play slowly' }).click()
    await page.getByRole('button', { name: 'Go live' }).click()
    await motion.getByText('This is the present.').waitFor()
    await motion.getByRole('button', { name: 'Play slowly' }).waitFor()
    await page.emulateMedia({ colorScheme: 'dark' })
    t.same(await axeFindings(page), [])
    t.same(complaints, [])
  })

  await t.test('moves nothing if the reader wants less motion; the states and the sentence are the same', async (t) => {
    const { page, complaints } = await open(t, server.observer, { viewport: { width: 390, height: 844 }, reducedMotion: 'reduce', bypassCSP: true })
    await tab(page, 'Motion').click()
    const motion = page.locator('.motion')
    await motion.locator('.in-ended').getByRole('button', { name: 'main' }).click()
    await page.evaluate(note)
    await motion.getByLabel('One event each').selectOption('0.2')
    await motion.getByRole('button', { name: 'Play slowly' }).click()
    await motion.getByRole('button', { name: 'Stop' }).waitFor()
    await motion.getByRole('button', { name: 'Play slowly' }).waitFor()
    const seen = await noted(page)
    sameWays(t, seen)
    t.equal(seen.transitions, 0)
    t.ok(await page.evaluate('document.documentElement.scrollWidth <= innerWidth && document.querySelector(".panel-room").scrollWidth <= document.querySelector(".panel-room").clientWidth'), 'nothing is wider than the screen')
    for (let back = 0; back < 30 && await motion.locator('.next').count() === 0; back++) await motion.getByRole('button', { name: 'One event back' }).click()
    await motion.locator('.next').waitFor()
    if (pictures !== undefined) await page.screenshot({ path: `${pictures}/motion-390.png` })
    t.same(await axeFindings(page), [])
    t.same(complaints, [])
  })
})
