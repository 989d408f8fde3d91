// The lessons: their own logic without a browser, and in a real Chromium what readers do with them, by keyboard.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Browser, Page } from 'playwright-core'
import t from 'tap'
import { EventLoop, run, VirtualClock } from '../../src/index.ts'
import type { LoopEvent } from '../../src/events/schema.ts'
import { Recorder } from '../../src/events/recorder.ts'
import { examples, source } from '../../examples/catalogue.ts'
import { judge, moved, shuffled } from '../../ui/lessons/predict.ts'
import { pieces, twinLines } from '../../ui/lessons/source.ts'
import { Recording } from '../../ui/recording.ts'
import { findChromium, launch } from '../support/chromium.ts'
import { listen } from '../support/server.ts'
import { buildView } from '../support/ui.ts'

// A browser, TypeScript in it and a server on a busy machine take their time.
t.setTimeout(300_000)

const chromium = await findChromium()
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** Example `number`, run in virtual time, as a recording. */
async function recorded(number: number): Promise<Recording> {
  const recording = new Recording()
  const events: LoopEvent[] = []
  const loopFactory = (): EventLoop => {
    const loop = new EventLoop({ clock: new VirtualClock() })
    new Recorder(loop).listen((event) => events.push(event))
    return loop
  }
  await run(examples[number - 1]!.main({ items: 1 }), { loopFactory, name: 'main' })
  for (const event of events) recording.apply(structuredClone(event))
  return recording
}

t.test('the two sources of an example', async (t) => {
  await t.test('stop at the same lines: each wait has its twin', async (t) => {
    for (const example of examples) {
      const [typescript, python] = [source(example, 'ts'), source(example, 'py')]
      const twins = twinLines(typescript, python)
      const stops = typescript.split('\n').flatMap((text, at) => /yield\*|blockingSleep\(/.test(text) && !text.startsWith('import') ? [at + 1] : [])
      t.same([...twins.keys()].sort((a, b) => a - b), stops, example.file)
      for (const [line, twin] of twins) {
        const [here, there] = [typescript.split('\n')[line - 1], python.split('\n')[twin - 1]]
        t.match(there, /blockingSleep/.test(here ?? '') ? /time\.sleep/ : /await/, `${example.file}: ${here?.trim()} is ${there?.trim()}`)
      }
    }
  })

  await t.test('lose no character to their colours', async (t) => {
    for (const example of examples) {
      for (const line of `${source(example, 'ts')}\n${source(example, 'py')}`.split('\n')) t.equal(pieces(line).map(({ text }) => text).join(''), line)
    }
    t.same(pieces("return 'it' # 7").map(({ kind }) => kind), ['keyword', 'plain', 'string', 'plain', 'comment'])
  })
})

t.test('a prediction', async (t) => {
  await t.test('begins in an order that is not the run\'s', async (t) => {
    t.same(shuffled(['hello', 'world']), ['world', 'hello'])
    t.same(shuffled(['world', 'hello']), ['hello', 'world'])
    t.same(shuffled(['One', 'One', 'Two']), ['Two', 'One', 'One'])
    t.same(moved(['a', 'b', 'c'], 0, 1), ['b', 'a', 'c'])
    t.same(moved(['a', 'b', 'c'], 2, 5), ['a', 'b', 'c'])
  })

  await t.test('is corrected, with the reason', async (t) => {
    const four = await recorded(4)
    t.same(judge(four, ['One', 'One', 'One', 'Two', 'Two', 'Two']).map(({ right }) => right), [true, true, true, true, true, true])
    const verdicts = judge(four, ['One', 'Two', 'One', 'Two', 'One', 'Two'])
    t.same(verdicts.map(({ right }) => right), [true, false, true, true, false, true])
    t.match(verdicts[1]?.why, 'At 1.000 s, Task-1, which prints “Two”, has not reached that line yet: asleep')
    t.match(verdicts[4]?.why, '“One” was printed before')
    const three = await recorded(3)
    t.match(judge(three, ['world', 'hello'])[0]?.why, 'At 3.000 s, Task-2, which prints “world”, has not reached that line yet: ready since 3.000 s')
    const two = await recorded(2)
    t.match(judge(two, ['world', 'hello'])[0]?.why, 'main prints “world” too, but later: it reaches that line at 8.000 s')
  })
})

t.test('in Chromium', { skip: typeof chromium === 'string' && chromium }, async (t) => {
  if (typeof chromium === 'string') return
  await buildView()
  const { url } = await listen(t)
  const browser = await launch(chromium)
  t.teardown(() => browser.close())
  const complaints: string[] = []
  const open = async (browser: Browser, hash: string): Promise<Page> => {
    const page = await browser.newPage({ viewport: { width: 1280, height: 900 }, reducedMotion: 'reduce' })
    page.on('pageerror', (error) => complaints.push(String(error)))
    page.on('console', (message) => complaints.push(...message.type() === 'error' ? [message.text()] : []))
    await page.goto(`${url}/view/#${hash}`)
    return page
  }
  const serious = async (page: Page): Promise<string[]> => {
    await page.evaluate(AXE)
    const found = await page.evaluate('axe.run()') as { violations: { id: string; impact: string; nodes: { html: string }[] }[] }
    return found.violations.filter(({ impact }) => impact === 'serious' || impact === 'critical').map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)
  }

  await t.test('predicts and reveals by the keyboard alone', async (t) => {
    const page = await open(browser, 'view=lessons&lesson=predict-4')
    const guess = (): Promise<string[]> => page.locator('.guess-line').allInnerTexts()
    await page.locator('.guess-line').first().focus()
    t.same(await guess(), ['Two', 'Two', 'Two', 'One', 'One', 'One'])
    t.equal(await page.locator('.answers').count(), 0, 'nothing is given away')
    for (let at = 0; at < 5; at++) await page.keyboard.press('ArrowDown')
    await page.locator('.guess-line[aria-label="6 of 6: Two"]:focus').waitFor()
    t.same(await guess(), ['Two', 'Two', 'One', 'One', 'One', 'Two'])
    await page.getByRole('button', { name: 'Reveal' }).focus()
    await page.keyboard.press('Enter')
    t.equal((await page.locator('.predict-score').innerText()).split('\n')[0]?.trim(), '2 of 6 lines in their places.')
    t.match(await page.locator('.answers .wrong').first().innerText(), /0\.000 s Task-1 One[^]*You had “Two”\. Task-1 prints “Two” too/)
    t.same(await serious(page), [])
    await page.getByRole('button', { name: 'Try again' }).press('Enter')
    for (const from of [2, 1, 0]) {
      for (let at = from; at < from + 3; at++) await page.locator('.guess-line').nth(at).press('ArrowDown')
    }
    t.same(await guess(), ['One', 'One', 'One', 'Two', 'Two', 'Two'])
    await page.getByRole('button', { name: 'Reveal' }).press('Enter')
    t.match(await page.locator('.predict-score').innerText(), 'All 6 lines in their places.')
    await page.getByLabel('Time in the run').fill('1.5')
    await page.locator('.source .source-who', { hasText: 'Task-1 waits for sleep' }).waitFor()
    t.equal(await page.locator('.answers .later').count(), 4, 'lines after the moment that is looked at are yet to come')
    await page.close()
  })

  await t.test('shows the program of a run in both languages, with the line at which each task waits', async (t) => {
    const page = await open(browser, '')
    await page.locator('#tab-program').click()
    await page.locator('.program').waitFor()
    await page.keyboard.press('3')
    const marked = (language: string): ReturnType<Page['locator']> => page.getByRole('region', { name: language }).locator('li.stands')
    await marked('TypeScript').filter({ hasText: 'waits for sleep' }).first().waitFor()
    t.match(await marked('TypeScript').allInnerTexts(), [/yield\* sleep\(delay\)[^]*Task-\d+ waits for sleep · Task-\d+ waits for sleep/, /yield\* task1[^]*main waits for/])
    t.match(await marked('Python').allInnerTexts(), [/await asyncio\.sleep\(delay\)/, /await task1/])
    await page.locator('.program-output', { hasText: 'world' }).waitFor()
    t.match(await page.locator('.program-output li').allInnerTexts(), [/hello/, /world/])
    await page.getByRole('button', { name: 'Change it in the playground' }).click()
    await page.locator('.cm-content').waitFor()
    t.match(await page.locator('.cm-content').innerText(), "createTask(sayAfter(3, 'hello'))")
    await page.close()
  })

  await t.test('lets misconceptions fail, with the figures measured', async (t) => {
    const page = await open(browser, 'view=lessons&lesson=cannot-block')
    const figures = async (): Promise<string[]> => {
      await page.getByRole('button', { name: 'Try it', exact: true }).click()
      await page.locator('.figures').waitFor()
      return page.locator('.figures tr').allInnerTexts()
    }
    const widths = (): Promise<number[]> => page.locator('.figure-bar i').evaluateAll((bars) => bars.map((bar) => (bar as unknown as { getBoundingClientRect(): { width: number } }).getBoundingClientRect().width))
    t.match(await figures(), [/a ping, alone/, /a ping, while a coroutine blocks/])
    const [alone = 0, blocked = 0] = await widths()
    t.ok(blocked > alone, 'the ping behind a blocking call took longer')
    await page.getByRole('link', { name: 'gather of three' }).click()
    t.match(await figures(), [/task 1[^]*0 µs/, /task 2[^]*1 s/, /task 3[^]*2 s/])
    await page.getByRole('link', { name: 'await is what makes it run' }).click()
    t.match(await figures(), [/hello[^]*3 s/, /world[^]*3 s/])
    t.same(await serious(page), [])
    t.equal(await page.locator('.lesson-list a').count(), 15)
    await page.close()
  })

  t.same(complaints, [], 'nothing was complained of')
})
