// The lessons: their own logic without a browser, and in a real Chromium what readers do with them, by keyboard.
import type { Browser, Page } from 'playwright-core'
import t from 'tap'
import { EventLoop, run, VirtualClock } from '../../src/index.ts'
import type { LoopEvent } from '../../src/events/schema.ts'
import { Recorder } from '../../src/events/recorder.ts'
import { examples, source } from '../../examples/catalogue.ts'
import { asksWhen, judge, moved, shuffled, type Guessed } from '../../ui/lessons/predict.ts'
import { pieces, twinLines } from '../../ui/lessons/source.ts'
import { Recording } from '../../ui/recording.ts'
import { axeFindings, SERIOUS } from '../support/axe.ts'
import { findChromium, launch } from '../support/chromium.ts'
import { listen } from '../support/server.ts'
import { buildView } from '../support/ui.ts'

// A browser, TypeScript in it and a server on a busy machine take their time.
t.setTimeout(300_000)

const chromium = await findChromium()

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
  await t.test('begins in a random order, which is neither the run\'s nor its reverse', async (t) => {
    for (const number of [4, 5]) {
      const texts = (await recorded(number)).lines.map(({ text }) => text)
      const orders = Array.from({ length: 50 }, (_, seed) => shuffled(texts, seed))
      for (const order of orders) {
        t.same([...order].sort(), [...texts].sort())
        t.notSame(order, texts)
        t.notSame(order, [...texts].reverse())
      }
      t.ok(new Set(orders.map((order) => order.join())).size > 5, 'another seed is another order')
      t.same(shuffled(texts, 7), shuffled(texts, 7))
    }
    // Of two lines there are only these two orders, and always the reverse would give the answer away.
    const two = new Set(Array.from({ length: 50 }, (_, seed) => shuffled(['hello', 'world'], seed).join()))
    t.same([...two].sort(), ['hello,world', 'world,hello'])
    t.same(shuffled(['One', 'One', 'Two'], 1), ['One', 'Two', 'One'])
    t.same(moved(['a', 'b', 'c'], 0, 1), ['b', 'a', 'c'])
    t.same(moved(['a', 'b', 'c'], 2, 5), ['a', 'b', 'c'])
  })

  const guess = (...entries: string[]): Guessed[] => entries.map((entry) => {
    const [text = '', second] = entry.split('@')
    return { text, second: second === undefined ? null : Number(second) }
  })

  await t.test('is corrected, with the reason', async (t) => {
    const four = await recorded(4)
    t.same(judge(four, guess('One', 'One', 'One', 'Two', 'Two', 'Two')).map(({ right }) => right), [true, true, true, true, true, true])
    const verdicts = judge(four, guess('One', 'Two', 'One', 'Two', 'One', 'Two'))
    t.same(verdicts.map(({ right }) => right), [true, false, true, true, false, true])
    t.match(verdicts[1]?.why, 'At 1.000 s, Task-1, which prints “Two”, has not reached that line yet: asleep')
    t.match(verdicts[4]?.why, '“One” was printed before')
    const three = await recorded(3)
    t.match(judge(three, guess('world', 'hello'))[0]?.why, 'At 3.000 s, Task-2, which prints “world”, has not reached that line yet: ready since 3.000 s')
    const two = await recorded(2)
    t.match(judge(two, guess('world', 'hello'))[0]?.why, 'main prints “world” too, but later: it reaches that line at 8.000 s')
  })

  await t.test('has the moment of each line: the order of 2 and 3 is the same, their times are not', async (t) => {
    const [two, three, four, five] = await Promise.all([2, 3, 4, 5].map(recorded))
    const times = (recording: Recording, ...entries: string[]): (boolean | undefined)[] => judge(recording, guess(...entries)).map(({ when }) => when?.right)
    t.same(times(two!, 'hello@2', 'world@8'), [true, true])
    t.same(times(three!, 'hello@2', 'world@8'), [false, false])
    t.same(times(three!, 'hello@3', 'world@3'), [true, true])
    t.same(times(four!, 'One@0', 'One@1', 'One@2', 'Two@3', 'Two@3', 'Two@4'), [true, true, true, true, true, true])
    t.same(times(four!, 'One@0', 'One@0', 'One@0', 'Two@1', 'Two@1', 'Two'), [true, false, false, false, false, false])
    t.same(times(two!, 'world@8', 'hello@2'), [true, true], 'a line in a wrong place may have the right time')
    t.match(judge(four!, guess('One@0', 'One@0', 'One@2', 'Two@3', 'Two@3', 'Two@4'))[1]?.when?.why, 'At 0 s, Task-2 has not reached this line: ready since 0.000 s, behind Task-1')
    t.match(judge(three!, guess('hello@3', 'world@6'))[1]?.when?.why, 'Task-2 printed it at 3 s already: it had waited for sleep from 0.000 s on.')
    t.equal(asksWhen(five!, five!.lines), false, 'random pauses cannot be read off a program')
    t.same(times(five!, ...five!.lines.map(({ text }) => text)), five!.lines.map(() => undefined))
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

  await t.test('predicts and reveals by the keyboard alone', async (t) => {
    const page = await open(browser, 'view=lessons&lesson=predict-4')
    const answer = ['One', 'One', 'One', 'Two', 'Two', 'Two']
    const guess = (): Promise<string[]> => page.locator('.guess-line').allInnerTexts()
    const line = (at: number): ReturnType<Page['locator']> => page.locator('.guess-line').nth(at)
    await line(0).focus()
    const given = await guess()
    t.same([...given].sort(), answer)
    t.notSame(given, answer)
    t.notSame(given, [...answer].reverse())
    t.equal(await page.locator('.answers').count(), 0, 'nothing is given away')
    // From the back: each line goes to its place with the arrow keys, its second is typed or stepped to.
    for (const [to, text] of answer.entries()) {
      let at = (await guess()).indexOf(text, to)
      for (; at > to; at--) await line(at).press('ArrowUp')
      await page.locator(`.guess-line[aria-label^="${to + 1} of 6: ${text}, no time"]`).waitFor()
    }
    t.same(await guess(), answer)
    await line(0).press('ArrowRight')
    await page.locator('.guess-line[aria-label="1 of 6: One, at 0 s"]:focus').waitFor()
    await page.keyboard.press('ArrowDown')
    await page.locator('.guess-line[aria-label="2 of 6: One, at 0 s"]:focus').waitFor()
    await page.keyboard.press('ArrowUp')
    for (const [at, second] of [[1, 1], [2, 2], [3, 9], [4, 3]] as const) await line(at).press(String(second))
    await page.getByLabel('The second of line 6, “Two”').fill('4')
    t.same(await axeFindings(page, SERIOUS), [])
    await page.getByRole('button', { name: 'Reveal' }).focus()
    await page.keyboard.press('Enter')
    t.equal((await page.locator('.predict-score').innerText()).split('\n')[0]?.trim(), '6 of 6 lines in their places, 5 of 6 times right.')
    t.match(await page.locator('.answers .wrong').allInnerTexts(), [/3\.000 s Task-1 Two[^]*You said 9 s\. Task-1 printed it at 3 s already: it had waited for sleep from 1\.000 s on/])
    t.same(await axeFindings(page, SERIOUS), [])
    await page.getByRole('button', { name: 'Try again' }).press('Enter')
    await page.getByRole('button', { name: 'Reveal' }).press('Enter')
    t.match(await page.locator('.answers .wrong').first().innerText(), /You gave no time/)
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
    t.match(await figures(), [/task 1[^]*0 s/, /task 2[^]*1 s/, /task 3[^]*2 s/])
    await page.getByRole('link', { name: 'await is what makes it run' }).click()
    t.match(await figures(), [/main has a task, and does not await it[^]*0 s/, /the task begins[^]*0 s/, /the task ends[^]*1 s/, /main awaits the task[^]*3 s/, /main goes on at once[^]*3 s/])
    t.match(await page.locator('.lesson [role="status"] p').innerText(), 'The task began at 0 s and ended at 1 s. main awaited it at 3 s: there was nothing left to run.')
    t.same(await axeFindings(page, SERIOUS), [])
    await page.getByRole('button', { name: 'Change it in the playground' }).click()
    await page.locator('.cm-content', { hasText: 'main has a task, and does not await it' }).waitFor()
    await page.goBack()
    await page.getByRole('link', { name: 'Cancelling stops it' }).click()
    // A pause that lasts longer than asked for, as on a busy machine, shows in the figure.
    await page.evaluate('{ const timer = setTimeout; globalThis.setTimeout = (what, ms) => timer(what, ms * 2) }')
    const cancelled = await figures()
    t.match(cancelled, [/cancelled after/, /its thread worked for/])
    t.ok(Number(/([\d.]+) ms/.exec(cancelled[0]!)?.[1]) >= 399, `${cancelled[0]}: what was measured, not what was meant`)
    t.same(await axeFindings(page, SERIOUS), [])
    t.equal(await page.locator('.lesson-list a').count(), 15)
    await page.close()
  })

  t.same(complaints, [], 'nothing was complained of')
})
