// What a newcomer does in the page, by a script that knows none of its parts: it reads what is visible, and clicks what has a
// word of its question. How long it took is printed.
import t, { type Test } from 'tap'
import type { Page } from 'playwright-core'
import { eventually } from '../support/eventually.ts'
import { start } from '../observe/support.ts'
import { noChromium, open } from './support.ts'

const MOST_CLICKS = 8

/** Reads, and clicks what has one of these words, the first word first, until what is visible answers the question. */
async function ask(t: Test, page: Page, words: readonly RegExp[], answer: readonly RegExp[]): Promise<void> {
  const began = performance.now()
  const clicked: string[] = []
  const isAnswered = async (): Promise<boolean> => {
    const text = await page.locator('body').innerText()
    return answer.every((part) => part.test(text))
  }
  while (!await eventually(isAnswered, 100) && clicked.length < MOST_CLICKS) {
    const found: string[] = []
    for (const one of await page.locator('button:visible, [role=tab]:visible, a:visible, summary:visible').all()) found.push((await one.innerText().catch(() => '')).trim())
    const next = words.map((word) => found.find((text) => word.test(text) && !clicked.includes(text))).find((text) => text !== undefined)
    if (next === undefined) break
    clicked.push(next)
    await page.locator('button:visible, [role=tab]:visible, a:visible, summary:visible').filter({ hasText: next.split('\n')[0]! }).first().click()
  }
  const seconds = ((performance.now() - began) / 1000).toFixed(1)
  t.ok(await isAnswered(), `${seconds} s, ${clicked.length} clicks: ${clicked.map((text) => JSON.stringify(text)).join(', ')}`)
}

t.test('a newcomer finds', { skip: noChromium }, async (t) => {
  const observerOf = async (t: Test, file: string): Promise<string> => {
    const program = start(t, file)
    t.ok(await eventually(() => /observer (\S+)/.test(program.log())), program.log())
    return /observer (\S+)/.exec(program.log())![1]!
  }

  await t.test('what freezes an app that knows nothing of loopscope', async (t) => {
    const { page } = await open(t, await observerOf(t, 'test/observe/programs/catalogue.ts'))
    await ask(t, page, [/^Stalls/, /stall/i, /block/i], [/rebuildIndex/, /catalogue\.ts:\d+/, /0\.\d+ s|\d+ ms/])
  })

  await t.test('why a task is not running in a deadlock', async (t) => {
    const { page } = await open(t, await observerOf(t, 'test/observe/programs/deadlock.ts'))
    await ask(t, page, [/^pack the parcel/, /^Tasks/, /why/i, /graph/i], [/pack the parcel/, /wait/i, /write the invoice/, /lock/i, /deadlock|each other|in a circle|cycle/i])
  })
})
