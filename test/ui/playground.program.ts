// The playground as its readers use it: in a real Chromium, from the real server, with the server's policy.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { axeFindings, SERIOUS } from '../support/axe.ts'
import { follow, letters, lines, problems, run, status, timed } from './playground-page.ts'
import { liveServer, noChromium, visit, type Opened } from './support.ts'

async function look(t: Test, address: string): Promise<Opened> {
  const opened = await visit(t, address)
  await opened.page.locator('.cm-content').waitFor()
  return opened
}

/** The label of a stall on the canvas, where the pointer finds one. */
async function stallLabel(page: Page): Promise<string> {
  const box = (await page.locator('.pg-lanes canvas').boundingBox())!
  const tip = page.locator('.pg-lanes .tip-head')
  for (let x = 220; x < box.width; x += 40) {
    await page.mouse.move(box.x + x, box.y + 96)
    if (await tip.isVisible()) return tip.innerText()
  }
  return ''
}

t.test('the playground', { skip: noChromium }, async (t) => {
  const { app } = await liveServer(t)
  const whole = letters({ code: 'print(1)', clock: 'real', until: 60 })
  const { page, complaints } = await look(t, `${app}view/#view=playground&program=${whole.slice(1)}`)

  await t.test('reports a broken link, and continues', async (t) => {
    const bomb = letters({ code: 'a'.repeat(300_000), clock: 'real', until: 60 })
    const broken: [string, RegExp][] = [
      ['<script>', /characters that such a link cannot have/], [whole.slice(0, -6), /missing or changed/], [bomb, /more than a program may be/],
      [letters('{"code":1}'), /not a program of this playground/], [letters('[nonsense'), /missing or changed/], ['A'.repeat(100_000), /too long/],
    ]
    t.match(await page.locator('.pg-arrival.bad').innerText(), /contains no readable program/)
    t.match(await page.locator('.cm-content').innerText(), 'function* main', 'there is a program to go on with')
    for (const [part, reason] of broken) {
      await page.evaluate(`location.hash = 'view=playground&program=${part}'`)
      await page.locator('.pg-arrival.bad', { hasText: reason }).waitFor()
      await page.getByRole('button', { name: 'Understood' }).click()
    }
    await page.evaluate(`location.hash = 'view=playground&program=${whole}'`)
    await page.locator('.pg-arrival.good').waitFor()
    t.equal(await page.locator('.cm-content').innerText(), 'print(1)', 'a whole one is taken in its place')
    t.same(complaints, [])
  })

  await t.test('runs each example in virtual time, without errors on the console', async (t) => {
    const expected: Record<string, string[]> = {
      1: ['0.000 s main hello', '1.000 s main world'],
      2: ['2.000 s main hello', '8.000 s main world'],
      3: ['3.000 s Task-1 hello', '3.000 s Task-2 world'],
      4: ['0.000 s Task-1 One', '1.000 s Task-2 One', '2.000 s Task-3 One', '3.000 s Task-1 Two', '3.000 s Task-2 Two', '4.000 s Task-3 Two'],
    }
    await page.getByText('virtual time').click()
    for (const [number, output] of Object.entries(expected)) {
      await page.getByLabel('Start from').selectOption(number)
      await run(page)
      await page.locator('.pg-status.good').waitFor()
      t.same(await timed(page), output, `example ${number}`)
    }
    await page.getByLabel('Start from').selectOption('5')
    await page.getByLabel('until').fill('30')
    await run(page)
    await page.locator('.pg-status', { hasText: 'reached 30 s' }).waitFor()
    const five = await lines(page)
    t.ok(five.length > 10, `${five.length} lines`)
    t.same(five.filter((line) => !/^(P[0-2] produced [a-zA-Z]|C[01] got [a-zA-Z] made by P[0-2])$/.test(line)), [])
    t.same(complaints, [])
  })

  await t.test('shares a program by its link, and does not run it before a click', async (t) => {
    await page.getByLabel('Start from').selectOption('2')
    await page.locator('.cm-content').click()
    await page.keyboard.press('Control+End')
    await page.keyboard.type("// it's mine: äöü <b>")
    await page.getByText('real time').click()
    await page.getByRole('button', { name: 'Copy link' }).click()
    await page.getByText(/^copied$|^it is in the address bar$/).waitFor()
    const { page: other, complaints } = await look(t, page.url())
    t.match(await other.locator('.cm-content').innerText(), "yield* sayAfter(6, 'world')")
    t.match(await other.locator('.cm-content').innerText(), "// it's mine: äöü <b>")
    t.ok(await other.getByLabel('real time').isChecked())
    t.match(await other.locator('.pg-arrival').innerText(), 'Read it before you run it')
    t.match(await status(other), 'Ready')
    t.equal(await other.locator('.pg-lines').count(), 0, 'nothing has run')
    t.same(complaints, [])
  })

  await t.test('marks a type error and an error at run time at their lines', async (t) => {
    const code = "import { print, sleep } from 'loopscope'\n\ninterface Unused { a: 1 }\nconst wrong: number = 'text'\n\nexport function* main() {\n  yield* sleep(1)\n  print(wrong)\n  throw new RangeError('too much')\n}\n"
    await follow(page, code, { clock: 'virtual' })
    await page.locator('.pg-troubles').waitFor()
    t.match(await problems(page), [/line 4 Type 'string' is not assignable to type 'number'/])
    await run(page)
    await page.locator('.pg-status.bad').waitFor()
    t.match(await status(page), /failed after 1\.000 s: RangeError: too much, in line 9/)
    t.same(await lines(page), ['text'])
    t.match(await problems(page), [/line 4/, /line 9 RangeError: too much/])
    t.equal(await page.locator('.cm-lint-marker-error').count(), 2)
    await page.getByRole('button', { name: /line 9/ }).click()
    t.match(await page.locator('.cm-activeLine').innerText(), 'throw new RangeError')
    t.same(complaints, [])
  })

  await t.test('completes the library\'s names, and knows a wrong argument of its functions', async (t) => {
    await follow(page, "import { gather } from 'loopscope'\n\nexport function* main() {\n  yield* gather(7)\n}\n")
    await page.locator('.pg-troubles', { hasText: 'line 4' }).waitFor()
    await page.locator('.cm-content').click()
    await page.keyboard.press('Control+Home')
    for (let at = 0; at < 'import { gather'.length; at++) await page.keyboard.press('ArrowRight')
    await page.keyboard.type(', createT')
    const offered = page.locator('.cm-tooltip-autocomplete').getByText('createTask', { exact: true })
    await offered.waitFor()
    t.ok(await offered.isVisible())
  })

  await t.test('shows an endless loop as a stall of its task and line while it lasts, ends it, and runs again', async (t) => {
    const code = "import { createTask, print, sleep } from 'loopscope'\n\nfunction* spin() {\n  while (true) {}\n}\n\nexport function* main() {\n  createTask(spin(), { name: 'spinner' })\n  print('before')\n  yield* sleep(1)\n}\n"
    await follow(page, code)
    await run(page)
    await page.locator('.pg-status.held').waitFor()
    t.match(await status(page), /Stalled: spinner has blocked the loop for \d\.\d s, in line 4 \(spin\)/)
    t.match(await page.locator('.cm-holds').innerText(), /while \(true\).*spinner blocks the loop/)
    await page.locator('.pg-status', { hasText: 'A stall: spinner blocked the loop' }).waitFor()
    t.same(await lines(page), ['before'])
    t.match(await problems(page), [/line 4 spinner blocked the loop here for/])
    t.match(await stallLabel(page), /^spinner blocked the loop for (4,9|5,\d)\d\d ms; 1 task delayed by (3\.9|4\.\d) s/, 'as long as it was, from where its clock stood')
    await page.getByLabel('Start from').selectOption('3')
    await page.getByText('virtual time').click()
    await run(page)
    await page.locator('.pg-status.good').waitFor()
    t.same(await lines(page), ['hello', 'world'])
    t.same(complaints, [])
  })

  await t.test('can be stopped at any time, in the middle of a loop and while it waits', async (t) => {
    await follow(page, "import { print } from 'loopscope'\nprint('on')\nfor (;;) {}\n")
    await run(page)
    await page.locator('.pg-status.held').waitFor()
    await page.getByRole('button', { name: 'Stop' }).click()
    await page.locator('.pg-status', { hasText: /A stall: the program, outside of any task, blocked the loop for [\d.]+ s, in line 3/ }).waitFor()
    await page.getByLabel('Start from').selectOption('2')
    await page.getByText('real time').click()
    await run(page)
    await page.locator('.pg-status', { hasText: '1 task alive' }).waitFor()
    await page.getByRole('button', { name: 'Stop' }).click()
    await page.locator('.pg-status', { hasText: 'as by Ctrl-C' }).waitFor()
    t.match(await status(page), 'It was cancelled after')
  })

  await t.test('names the tasks of a deadlock, in real time', async (t) => {
    await follow(page, `import { createTask, fromPromise, gather, Lock, sleep, type Coroutine } from 'loopscope'

function* both(first: Lock, second: Lock): Coroutine<void> {
  yield* first.acquire()
  yield* sleep(0.05)
  yield* second.acquire()
}

export function* main(): Coroutine<void> {
  const [one, two] = [new Lock(), new Lock()]
  const a = createTask(both(one, two), { name: 'A' })
  const b = createTask(both(two, one), { name: 'B' })
  yield* gather([a, b])
}
`)
    await run(page)
    await page.locator('.pg-status', { hasText: 'Deadlock' }).waitFor()
    t.match(await status(page), /^Deadlock: main waits for A \(gather 2 of 2\) \(program\.ts:13\); A waits for lock <Lock \d> \(program\.ts:6\); B waits for lock <Lock \d> \(program\.ts:6\)\. No timer is set/)
    await page.getByRole('button', { name: /^Stop/ }).click()
    await page.locator('.pg-status', { hasText: 'cancelled' }).waitFor()
    // What a timer or the host can still end is no deadlock.
    for (const wait of ['sleep(1.5)', 'fromPromise(new Promise((resolve) => setTimeout(resolve, 1500)))']) {
      await follow(page, `import { createTask, fromPromise, sleep, type Coroutine } from 'loopscope'

function* slow(): Coroutine<void> {
  yield* ${wait}
}

export function* main(): Coroutine<void> {
  yield* createTask(slow(), { name: 'slow' })
}
`)
      await run(page)
      await page.locator('.pg-status', { hasText: 'Running: 2 tasks alive' }).waitFor()
      const seen = new Set<string>()
      for (let at = 0; at < 40 && !(await page.locator('.pg-status.good').isVisible()); at++) {
        seen.add((await status(page)).split(':')[0]!)
        await page.waitForTimeout(50)
      }
      await page.locator('.pg-status.good').waitFor()
      t.notOk(seen.has('Deadlock'), `${wait}: ${[...seen].join()}`)
    }
  })

  await t.test('names the task that blocks the thread if the program cannot report it itself', async (t) => {
    const code = "import { createTask, sleep } from 'loopscope'\n\nfunction* stuck() {\n  /^(a+)+$/.test('a'.repeat(60) + 'b')\n}\n\nexport function* main() {\n  createTask(stuck(), { name: 'matcher' })\n  yield* sleep(1)\n}\n"
    await follow(page, code)
    await run(page)
    await page.locator('.pg-status.held').waitFor()
    t.match(await status(page), /Stalled: matcher has blocked the loop/)
    await page.getByRole('button', { name: 'Stop' }).click()
    await page.locator('.pg-status', { hasText: 'A stall: matcher blocked the loop' }).waitFor()
  })

  await t.test('shows at which line each task waits, at any moment of the run', async (t) => {
    await page.getByText('virtual time').click()
    await page.getByLabel('Start from').selectOption('4')
    await run(page)
    await page.locator('.pg-status.good').waitFor()
    await page.getByLabel('Time in the run').fill('2.5')
    const marks = await page.locator('.cm-line:has(.cm-who)').allInnerTexts()
    t.match(marks, [/blockingSleep\(1\).*Task-3 blocks the loop/, /yield\* sleep\(1\).*Task-1 is ready.*Task-2 waits for sleep/, /gather.*main waits for gather/])
    await page.getByRole('button', { name: /step back/ }).press('Enter')
    t.not(await page.getByLabel('Time in the run').inputValue(), '2.5', 'by the keyboard too')
  })

  await t.test('shows hostile text as text', async (t) => {
    const code = "import { createTask, print, sleep } from 'loopscope'\n\nexport function* main() {\n  print('<img src=x onerror=\"document.title=1\"><script>document.title=1</script>')\n  createTask(sleep(1), { name: '<b onclick=alert(1)>name</b>' })\n  yield* sleep(0.01)\n  console.error('<i>warned</i>')\n  throw new Error('<svg onload=\"document.title=1\">')\n}\n// </textarea><script>document.title=1</script>\n"
    await follow(page, code)
    await run(page)
    await page.locator('.pg-status.bad').waitFor()
    t.match(await lines(page), [/<img src=x onerror/])
    t.match(await status(page), '<svg onload')
    t.equal(await page.locator('#app img, #app b[onclick], #app i, #app .pg svg, #app script').count(), 0)
    t.equal(await page.title(), 'loopscope')
    t.same(complaints, [])
  })

  await t.test('lets a program reach nothing: no server, no storage, no page', async (t) => {
    const asked: string[] = []
    const listener = createServer((request, response) => {
      asked.push(`${request.method} ${request.url}`)
      response.writeHead(200, { 'access-control-allow-origin': '*', 'content-type': 'text/javascript' }).end('')
    })
    await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
    t.teardown(() => listener.close())
    const elsewhere = `http://127.0.0.1:${(listener.address() as AddressInfo).port}`
    const code = `import { fromPromise, print } from 'loopscope'
const ways: Record<string, () => unknown> = {
  fetch: () => fetch('${elsewhere}/fetch'), blind: () => fetch('${elsewhere}/blind', { mode: 'no-cors' }), own: () => fetch('${app}ping'),
  socket: () => new Promise((resolve, reject) => { const socket = new WebSocket('${elsewhere.replace('http', 'ws')}'); socket.onopen = resolve; socket.onerror = () => reject(new Error('no')) }),
  module: () => (new Function('return import("${elsewhere}/module")'))(), script: () => importScripts('${elsewhere}/script'), ownScript: () => importScripts('${app}handlers/sync?thread=inline&ms=1000'),
  xhr: () => new Promise((resolve, reject) => { const xhr = new XMLHttpRequest(); xhr.open('GET', '${elsewhere}/xhr'); xhr.onload = resolve; xhr.onerror = () => reject(new Error('no')); xhr.send() }),
  database: () => indexedDB.open('x'), storage: () => navigator.storage.getDirectory(), eval: () => eval('1'),
  font: () => new FontFace('x', 'url(${elsewhere}/font)').load(), parent: () => (self as any).parent.document,
}
export function* main() {
  print('origin', self.origin)
  for (const [name, way] of Object.entries(ways)) {
    try {
      yield* fromPromise(Promise.resolve().then(way))
      print(name, 'worked')
    } catch {
      print(name, 'refused')
    }
  }
}
`
    await follow(page, code)
    await run(page)
    await page.locator('.pg-status.good').waitFor()
    const said = await lines(page)
    t.equal(said[0], 'origin null')
    t.same(said.slice(1).filter((line) => !line.endsWith(' refused')), [])
    t.equal(said.length, 14)
    t.same(asked, [], 'nobody was asked')
  })

  await t.test('limits a program that sends too much', async (t) => {
    await follow(page, "import { print, sleep } from 'loopscope'\nexport function* main() {\n  for (;;) {\n    print('again')\n    yield* sleep(0)\n  }\n}\n")
    await run(page)
    await page.locator('.pg-status', { hasText: /It has reached 10000 lines/ }).waitFor()
    t.ok((await lines(page)).length <= 500, 'and the page draws the last of them only')
  })

  await t.test('is reached and used by the keyboard alone', async (t) => {
    const focused = (): Promise<string> => page.evaluate("(() => { let at = document.activeElement; while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement; return at?.className + ' ' + (at?.textContent ?? '').slice(0, 20) })()")
    await page.getByText('virtual time').click()
    await page.getByLabel('Start from').selectOption('3')
    await page.getByLabel('Start from').focus()
    const seen: string[] = []
    for (let at = 0; at < 12; at++) {
      await page.keyboard.press('Tab')
      seen.push(await focused())
    }
    t.match(seen.join('\n'), /Run[^]*Copy link[^]*cm-content[^]*pg-scroll/, 'into the editor and out again')
    await page.locator('.cm-content').focus()
    await page.keyboard.press('Control+Enter')
    await page.locator('.pg-status.good').waitFor()
    t.same(await lines(page), ['hello', 'world'])
  })

  await t.test('passes the accessibility checker, dark and light', async (t) => {
    const code = "import { print, sleep } from 'loopscope'\n\nexport function* main() {\n  const wrong: number = 'text' // on purpose\n  yield* sleep(1)\n  print(wrong)\n}\n"
    await follow(page, code, { clock: 'virtual' })
    for (const colorScheme of ['dark', 'light'] as const) {
      await page.emulateMedia({ colorScheme })
      await run(page)
      await page.locator('.pg-status.good').waitFor()
      await page.locator('.pg-troubles').waitFor()
      await page.getByLabel('Time in the run').fill('0.5')
      t.same(await axeFindings(page, SERIOUS), [], colorScheme)
    }
  })
})
