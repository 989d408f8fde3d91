// Python in the page, in a real Chromium: the tutorial's programs, random programs compared with our loop event by event, what
// beginners get wrong, and programs that try to get out. PYTHON_PROGRAMS sets the number of random ones.
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Page } from 'playwright-core'
import t from 'tap'
import type { LoopEvent } from '../src/events/schema.ts'
import { generate } from './conformance/generate.ts'
import type { Program } from './conformance/tree.ts'
import { browser, noChromium } from './support/browser.ts'
import { HOSTILE } from './ui/python/hostile.ts'
import { ENDLESS, failedAs, MISTAKES } from './ui/python/mistakes.ts'
import { servePage } from './ui/python/open.ts'
import type { Ran, RunOptions } from './ui/python/run.ts'
import { toPython } from './conformance/python.ts'
import { ourEvents, plain, pythonFor, split } from './ui/python/twins.ts'

const SEED = 8
const PROGRAMS = Number(process.env['PYTHON_PROGRAMS'] ?? 800)
/** Programs that one thread runs: the playground limits what one may send. */
const BATCH = 50

void t.test('Python in the page', { skip: noChromium, timeout: 3_600_000 }, async (t) => {
  const served = await servePage()
  t.teardown(() => served.close())
  const page: Page = await (await browser()).newPage()
  t.teardown(() => page.close())
  page.setDefaultTimeout(300_000)
  await page.goto(served.address)
  await page.waitForFunction('globalThis.pythonPage')

  const run = async (code: string, options: Partial<RunOptions> = {}): Promise<Ran> => {
    await page.evaluate('pythonPage.prepare()')
    const ran = await page.evaluate<Ran>(`pythonPage.run(${JSON.stringify({ program: { language: 'python', code }, clock: 'virtual', until: 1e6, ...options })})`)
    t.equal(ran.refused, 0, 'the gate refuses no message')
    return ran
  }
  const printed = ({ events }: Ran): string[] => events.flatMap((event) => event.type === 'task.printed' ? [`${event.t.toFixed(3)} ${event.text}`] : [])
  const endingOf = ({ said }: Ran): { outcome?: string; note?: string | null } => said.find((one) => one.type === 'ended') ?? {}
  const example = (name: string): Promise<string> => readFile(new URL(`../examples/${name}.py`, import.meta.url), 'utf8')

  await t.test('runs the programs of the tutorial, with its times', async (t) => {
    const expected: Record<string, string[]> = {
      '1-hello': ['0.000 hello', '1.000 world'],
      '2-one-after-the-other': ['2.000 hello', '8.000 world'],
      '3-two-tasks': ['3.000 hello', '3.000 world'],
      '4-blocking': ['0.000 One', '1.000 One', '2.000 One', '3.000 Two', '3.000 Two', '4.000 Two'],
    }
    for (const [name, lines] of Object.entries(expected)) {
      const ran = await run(await example(name))
      t.same(printed(ran), lines, name)
      t.equal(endingOf(ran).outcome, 'returned')
      if (name !== '4-blocking') continue
      const stalls = ran.events.filter((event) => event.type === 'loop.blocked')
      t.same(stalls.map(({ name, since, seconds, stack }) => [name, since, seconds, stack?.[0]?.line]), [['Task-2', 0, 1, 7], ['Task-3', 1, 1, 7], ['Task-4', 2, 1, 7]])
    }
    const endless = await run(await example('5-queue'), { until: 60 })
    t.equal(endingOf(endless).outcome, 'cancelled')
    t.match(endingOf(endless).note, /^Its clock reached 60 s/)
  })

  await t.test('cancels a program as Ctrl-C does, in real time, and its finally blocks run', async (t) => {
    const code = (await example('5-queue'))
      .replace('async def consume(name, queue, random):\n', 'async def consume(name, queue, random):\n  try:\n')
      .replace('        queue.task_done()\n', "        queue.task_done()\n  finally:\n    print(f'C{name} is done')\n    await asyncio.sleep(0)\n    print(f'C{name} has cleaned up')\n")
    const ran = await run(code, { clock: 'real', cancelAfter: 3000 })
    t.equal(endingOf(ran).outcome, 'cancelled')
    // Which of them is first is an accident of CPython: its runner cancels a set of tasks.
    const last = printed(ran).map((line) => line.slice(line.indexOf(' ') + 1)).slice(-4)
    t.same([...last.slice(0, 2).sort(), ...last.slice(2).sort()], ['C0 is done', 'C1 is done', 'C0 has cleaned up', 'C1 has cleaned up'])
    t.equal(ran.events.at(-1)?.type, 'loop.closed')
  })

  await t.test(`gives the events of our own recorder for ${PROGRAMS} random programs`, async (t) => {
    let compared = 0
    let count = 0
    for (let from = 0; from < PROGRAMS; from += BATCH) {
      const ours: LoopEvent[][] = []
      const ended: Program[] = []
      for (let at = from; at < Math.min(PROGRAMS, from + BATCH); at++) {
        const program = generate(SEED, at)
        // In CPython a stream's reader waits for a plain future, and does not say for what; and its recorder leaves out the tasks that close generators.
        if (/StreamReader|async for|\byield\b/.test(toPython(program))) continue
        const { events, ended: ends } = await ourEvents(program)
        if (!ends) continue
        ours.push(events)
        ended.push(program)
      }
      const theirs = split((await run(pythonFor(ended), { endAfter: 300_000 })).events)
      for (const [at, events] of ours.entries()) {
        const [a, b] = [plain(events), plain(theirs[at] ?? [])]
        const first = a.findIndex((line, index) => line !== b[index])
        if (a.length !== b.length || first !== -1) t.same(b.slice(first, first + 5), a.slice(first, first + 5), `program ${from}+${at} differs at event ${first}`)
        compared++
        count += a.length
      }
    }
    t.ok(compared > PROGRAMS / 2, `${compared} programs, ${count} events compared`)
    t.comment(`${compared} programs, ${count} events`)
  })

  for (const [name, mistake] of Object.entries(MISTAKES)) {
    await t.test(`says what is wrong, and where: ${name}`, async (t) => {
      const ran = await run(mistake.code)
      t.equal(failedAs(mistake, [...ran.said, ...ran.events]), '')
    })
  }

  for (const [name, mistake] of Object.entries(ENDLESS)) {
    await t.test(`reports what does not end by itself: ${name}`, async (t) => {
      // What exceeds a limit is ended by that.
      const limits = mistake.says.source.includes('limit') ? {} : { endAfter: 4000, cancelAfter: 1500 }
      const ran = await run(mistake.code, { clock: 'real', ...limits })
      t.equal(failedAs(mistake, [...ran.said, ...ran.events]), '')
    })
  }

  await t.test('lets nothing out', async (t) => {
    const reached: string[] = []
    const server = createServer((request, response) => {
      reached.push(request.url ?? '')
      response.setHeader('access-control-allow-origin', '*')
      response.end('reached')
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    t.teardown(() => server.close())
    const { port } = server.address() as AddressInfo
    for (const [name, code] of Object.entries(HOSTILE)) {
      const ran = await run(code.replaceAll('ADDRESS', `http://127.0.0.1:${port}/${encodeURIComponent(name)}`).replaceAll('PORT', String(port)), { endAfter: 5000 })
      const lines = [...ran.said.flatMap((one) => one.type === 'line' ? [one.text] : []), ...printed(ran)]
      t.notOk(lines.some((line) => line.includes('reached')), `${name}: ${lines.join('; ')}`)
      t.same(reached, [], `${name}: no request`)
    }
    t.equal(await page.evaluate('document.title'), 'Python programs', 'the page is as it was')
  })
})
