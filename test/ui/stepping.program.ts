// Programs of the playground stepped by line, in a real Chromium, from the real server.
import { deflateRawSync } from 'node:zlib'
import type { Page } from 'playwright-core'
import t from 'tap'
import { axeFindings, SERIOUS } from '../support/axe.ts'
import { eventually } from '../support/eventually.ts'
import { liveServer, noChromium, visit as newPage } from './support.ts'

/** Notes what passes through the gate: what the page gets, and what it sends. Runs in the page. */
const TAP = `{
  const Original = Worker
  globalThis.passed = []
  globalThis.sent = []
  globalThis.Worker = class extends Original {
    constructor(address, options) {
      super(address, options)
      if (options?.name !== 'gate') return
      globalThis.passed = []
      globalThis.sent = []
      const passed = globalThis.passed
      this.addEventListener('message', ({ data }) => passed.push(...data.items))
    }
    postMessage(message, ...rest) {
      if (typeof message?.type === 'string') globalThis.sent.push(message.type)
      super.postMessage(message, ...rest)
    }
  }
}`

/** Presses Step whenever the program is stopped, until it has ended; the number of stops. Runs in the page. */
const STEP_TO_THE_END = `(async () => {
  const step = [...document.querySelectorAll('.pg-controls button')].find(({ textContent }) => textContent === 'Step')
  for (let stops = 0; ; await new Promise(requestAnimationFrame)) {
    const { className } = document.querySelector('.pg-status')
    if (/good|bad|idle/.test(className)) return stops
    if (!className.includes('stopped')) continue
    stops++
    step.click()
  }
})()`

async function visit(page: Page, code: string, until = 60): Promise<void> {
  const letters = deflateRawSync(JSON.stringify({ code, clock: 'virtual', until })).toString('base64url')
  await page.evaluate(`location.hash = 'view=playground&program=${letters}'`)
  await page.locator('.pg-arrival.good').waitFor()
  await page.getByRole('button', { name: 'Understood' }).click()
}

const press = (page: Page, name: string): Promise<void> => page.getByRole('button', { name, exact: true }).click()
const run = (page: Page): Promise<void> => page.getByRole('button', { name: /^Run/ }).click()
const status = (page: Page): Promise<string> => page.locator('.pg-status').innerText()
const lines = (page: Page): Promise<string[]> => page.locator('.pg-lines .pg-text').allInnerTexts()
const variables = (page: Page): Promise<string[]> => page.locator('.pg-variables div').evaluateAll((rows) => rows.map((row) => [...(row as unknown as { children: Iterable<{ textContent: string }> }).children].map(({ textContent }) => textContent).join(' = ')))

/** Presses a button and waits for the line at which the program is stopped then. */
async function go(page: Page, name: string, line: number, more = ''): Promise<void> {
  await press(page, name)
  await page.locator('.pg-status.stopped', { hasText: new RegExp(`^Stopped before line ${line}\\b.*${more}`) }).waitFor()
}

async function ends(page: Page, kind: 'good' | 'bad' | 'held' | 'idle', text: string | RegExp = ''): Promise<void> {
  await page.locator(`.pg-status.${kind}`, { hasText: text }).waitFor()
}

/**
 * What the thread sent about the course of the last run. Places are compared without their columns: an engine gives another one
 * within the line if a variable is also read by a function, as it is when the program is stepped.
 */
async function course(page: Page): Promise<unknown[]> {
  const passed = await page.evaluate<{ type: string }[]>('globalThis.passed')
  const taken = passed.filter(({ type }) => !['stop', 'ahead', 'pong', 'held', 'ready'].includes(type))
  return JSON.parse(JSON.stringify(taken, (key, value: unknown) => key === 'column' ? undefined : value)) as unknown[]
}

const PROGRAM = `import { createTask, print, sleep, type Coroutine } from 'loopscope'

function* child(name: string): Coroutine<number> {
  let total = 0
  for (const n of [1, 2]) {
    yield* sleep(n)
    total += double(n)
  }
  print(name, total)
  return total
}

function double(n: number): number {
  return n * 2
}

export function* main(): Coroutine<void> {
  const other = createTask(child('other'), { name: 'other' })
  const sum = yield* child('mine')
  print(sum + (yield* other))
}
`

t.test('stepping by line', { skip: noChromium }, async (t) => {
  const { app } = await liveServer(t)
  const { page, complaints } = await newPage(t, 'about:blank', { viewport: { width: 1280, height: 900 } })
  await page.addInitScript(TAP)
  await page.goto(`${app}view/#view=playground`)
  await page.locator('.cm-content').waitFor()

  await t.test('shows the next line, the task, the stack and the variables, and only what has happened so far', async (t) => {
    await visit(page, PROGRAM)
    await go(page, 'Step', 18, 'in main: main, at 0.000 s')
    t.same(await variables(page), [])
    await go(page, 'Step', 19)
    t.same(await variables(page), ['other = Task "other"'])
    await go(page, 'Step', 4, 'in child: main, at 0.000 s')
    t.same(await page.locator('.pg-stack button').allInnerTexts(), ['child line 4', 'main line 19'])
    t.same(await variables(page), ['name = "mine"'])
    await page.getByRole('button', { name: /^main/ }).click()
    t.same(await variables(page), ['other = Task "other"'], 'of the chosen coroutine')
    await go(page, 'Step', 5)
    await go(page, 'Step', 6)
    await go(page, 'Step', 4, 'other, at 0.000 s')
    t.match(await page.locator('.cm-next').innerText(), /let total = 0.*other is stopped before this line/)
    t.match(await page.locator('.cm-stand').allInnerTexts(), [/yield\* sleep\(n\).*main waits for sleep/])
    await go(page, 'Step in this task', 5, 'other')
    await go(page, 'Step in this task', 6, 'other')
    await go(page, 'Step in this task', 7, 'other, at 1.000 s')
    t.same(await variables(page), ['n = 1', 'name = "other"', 'total = 0'])
    await go(page, 'Step in this task', 14, 'in double: other')
    t.same(await page.locator('.pg-stack button').allInnerTexts(), ['double line 14', 'child line 7'], 'not the coroutines of the other task')
    t.same(await lines(page), [], 'nothing is printed yet')
    t.match(await page.getByLabel('Time in the run').getAttribute('aria-valuetext'), '1.000 seconds', 'the clock has not moved on')
    await press(page, 'Continue')
    await ends(page, 'good', 'It ended after 3.000 s of virtual time')
    t.same(await lines(page), ['mine 6', 'other 6', '12'])
    t.equal(await page.locator('.pg-stop, .cm-next').count(), 0)
    t.same(complaints, [])
  })

  await t.test('stops at breakpoints, put there with a click or with F9, or at the next line with a statement; F10 steps and F8 continues', async (t) => {
    const numbers = page.locator('.cm-lineNumbers .cm-gutterElement')
    await numbers.getByText('9', { exact: true }).click()
    await page.locator('.cm-line', { hasText: 'return total' }).click()
    await page.keyboard.press('F9')
    t.same(await page.locator('.cm-lineNumbers .cm-breakpoint').allInnerTexts(), ['9', '10'])
    await run(page)
    await page.locator('.pg-status.stopped', { hasText: 'Stopped before line 9 in child: main' }).waitFor()
    await page.keyboard.press('F10')
    await page.locator('.pg-status.stopped', { hasText: 'Stopped before line 10 in child: main' }).waitFor()
    await page.keyboard.press('F8')
    await page.locator('.pg-status.stopped', { hasText: 'Stopped before line 9 in child: other' }).waitFor()
    await page.keyboard.press('F8')
    await page.locator('.pg-status.stopped', { hasText: 'Stopped before line 10 in child: other' }).waitFor()
    await page.keyboard.press('F8')
    await ends(page, 'good')
    await numbers.getByText('9', { exact: true }).click()
    await numbers.getByText('10', { exact: true }).click()
    await run(page)
    await ends(page, 'good')
    await numbers.getByText('12', { exact: true }).click()
    await run(page)
    await page.locator('.pg-status.stopped', { hasText: 'Stopped before line 14 in double: main' }).waitFor()
    await numbers.getByText('12', { exact: true }).click()
    await press(page, 'Continue')
    await ends(page, 'good')
  })

  await t.test('changes neither the order of events nor the output', async (t) => {
    const seeded = '\nlet seed = 7\nMath.random = () => (seed = seed * 16807 % 2147483647) / 2147483647\n'
    const rows: [what: string, take: () => Promise<void>][] = [
      ...[1, 2, 3, 4].map((number): [string, () => Promise<void>] => [`example ${number}`, async () => { await page.getByLabel('Start from').selectOption(String(number)) }]),
      ['example 5', async () => {
        await page.getByLabel('Start from').selectOption('5')
        await page.getByLabel('until').fill('3')
        await page.locator('.cm-content').click()
        await page.keyboard.press('Control+End')
        await page.keyboard.insertText(seeded)
      }],
      ['the lesson about a task that is not awaited', async () => {
        await page.getByLabel('until').fill('60')
        await page.evaluate("location.hash = 'view=lessons&lesson=await-starts'")
        await page.getByRole('button', { name: 'Try it', exact: true }).click()
        await page.getByRole('button', { name: 'Change it in the playground' }).click()
        await page.locator('.cm-content').waitFor()
      }],
      ['a program with promises, a failure and lines outside of any task', () => visit(page, `import { createTask, fromPromise, print, sleep, type Coroutine } from 'loopscope'
async function later(n: number) { for (let i = 0; i < n; i++) await null; print('promise', n); return n }
function* one(n: number): Coroutine<void> { print(yield* fromPromise(later(n))); if (n === 2) throw new Error('no') }
export function* main(): Coroutine<void> {
  const tasks = [3, 1, 2].map((n) => createTask(one(n)))
  for (let i = 0; i < 3; i++) { print('main', i); yield* sleep(0) }
  for (const task of tasks) yield* task
}
print('outside')
`)],
    ]
    for (const [what, take] of rows) {
      await take()
      await run(page)
      await page.locator('.pg-status.good, .pg-status.bad, .pg-status.idle:has-text("cancelled")').waitFor()
      const plain = await course(page)
      t.ok(plain.length > 8, `${what}: ${plain.length}`)
      await press(page, 'Step')
      await page.locator('.pg-status.stopped').waitFor()
      const stops = await page.evaluate<number>(STEP_TO_THE_END)
      t.same(await course(page), plain, `${what}, in ${stops} steps`)
      t.ok(stops > 1, `${stops} steps`)
    }
  })

  await t.test('steps an endless loop, which ends as a stall when it continues', async (t) => {
    await visit(page, 'export function* main() {\n  let n = 0\n  while (true) n++\n}\n')
    await go(page, 'Step', 2)
    await go(page, 'Step', 3)
    for (let at = 1; at <= 3; at++) {
      await press(page, 'Step')
      await page.locator('.pg-variables', { hasText: String(at) }).waitFor()
    }
    t.ok(await eventually(() => page.evaluate<boolean>("globalThis.sent.includes('close')")))
    t.match(await status(page), /^Stopped before line 3 in main/, 'its thread has been ended, and what it recorded is still there')
    await press(page, 'Step')
    await page.locator('.pg-variables', { hasText: '4' }).waitFor()
    await press(page, 'Continue')
    await ends(page, 'held', /A stall: main blocked the loop for \d.\d s, in line 3 \(main\)/)
    // The same without a rest before.
    await go(page, 'Step', 2)
    await press(page, 'Continue')
    await ends(page, 'held', /A stall: main blocked the loop for \d.\d s, in line 3 \(main\)/)
    t.same(complaints, [])
  })

  await t.test('says how many lines one long step of a task ran without a stop', async (t) => {
    await visit(page, 'export function* main() {\n  for (let i = 0; i < 2000; i++) {\n    Math.sqrt(i)\n  }\n  Math.sqrt(1)\n  Math.sqrt(2)\n}\n')
    await page.locator('.cm-lineNumbers .cm-gutterElement').getByText('5', { exact: true }).click()
    await go(page, 'Step', 2)
    await go(page, 'Continue', 5, ' 3,001 lines before it ran without a stop')
    await go(page, 'Step', 6)
    t.equal(await status(page), 'Stopped before line 6 in main: main, at 0.000 s.', 'from there each line again')
    await press(page, 'Continue')
    await ends(page, 'good')
  })

  await t.test('shows hostile values as short text, and runs none of their code', async (t) => {
    await visit(page, `import { print } from 'loopscope'
const frame = 1, scope = 2, at = 3, enter = 4, held = 5, back = 6, leave = 7
export function* main() {
  const bad = (): never => { print('ran'); throw new Error('ran') }
  const handler = new Proxy({}, { get: () => bad }) as ProxyHandler<object>
  JSON.stringify = Object.is = Reflect.ownKeys = Reflect.getOwnPropertyDescriptor = Reflect.getPrototypeOf = bad as any
  const proxy = new Proxy({}, handler)
  const getter = { get x() { return bad() }, toString: bad, toJSON: bad }
  const text = '<img src=x onerror="document.title=1">'.repeat(300_000)
  const list = new Array(1e9)
  const loop: Record<string, unknown> = {}
  loop.loop = loop
  const keys: Record<string, number> = {}
  for (let i = 0; i < 100_000; i++) keys['k' + i] = i
  print(frame + scope + at + enter + held + back + leave)
}
`)
    await page.locator('.cm-lineNumbers .cm-gutterElement').getByText('15', { exact: true }).click()
    await run(page)
    await page.locator('.pg-status.stopped', { hasText: 'Stopped before line 15' }).waitFor()
    const shown = await variables(page)
    t.match(shown, [
      'bad = bad()', 'handler = (proxy)', 'proxy = (proxy)', /^getter = \{ x: \(getter\), toString: bad\(\), toJSON: bad\(\) \}$/, /^text = "<img src=x onerror=.* … \(11400000 characters\)$/,
      /^list = \[\(empty\), .*… 1000000000 items\]$/, 'loop = { loop: { loop: {…} } }', /^keys = \{ k0: 0, /, 'frame = 1', 'scope = 2',
    ])
    t.ok(shown.every((text) => text.length < 200))
    await press(page, 'Continue')
    await ends(page, 'good')
    t.same(await lines(page), ['28'])
    t.equal(await page.title(), 'loopscope')
  })

  await t.test('ends when the program is changed or stopped while it is stopped, and starts again', async (t) => {
    await visit(page, "import { print, sleep } from 'loopscope'\nexport function* main() {\n  try {\n    yield* sleep(1)\n    print('slept')\n  } finally {\n    print('finally')\n  }\n}\n")
    await go(page, 'Step', 4)
    await page.locator('.cm-content').click()
    await page.keyboard.press('Control+End')
    await page.keyboard.type('// changed')
    await ends(page, 'idle', 'The program was changed while it was stopped')
    t.equal(await page.locator('.pg-stop, .cm-next').count(), 0)
    await go(page, 'Step', 4)
    await press(page, 'Stop')
    await ends(page, 'idle', 'Its thread was ended after 0.000 s')
    t.same(await lines(page), [], 'what the thread has done ahead of it is not shown')
    await go(page, 'Step', 4)
    await run(page)
    await ends(page, 'good')
    t.same(await lines(page), ['slept', 'finally'])
    await go(page, 'Step', 4)
    await page.evaluate("location.hash = 'view=lessons'")
    await page.locator('.pg').waitFor({ state: 'detached' })
    await page.evaluate("location.hash = 'view=playground'")
    await page.locator('.cm-content').waitFor()
    await run(page)
    await ends(page, 'good')
    t.same(complaints, [])
  })

  await t.test('is for virtual time, is announced, keeps the focus, and passes the accessibility checker on a phone, too', async (t) => {
    await visit(page, PROGRAM)
    await page.getByText('real time').click()
    t.equal(await page.getByRole('button', { name: 'Step', exact: true }).count(), 0)
    await page.getByText('virtual time').click()
    const button = page.getByRole('button', { name: 'Step', exact: true })
    await button.focus()
    await page.keyboard.press('Enter')
    await page.locator('.pg-status.stopped', { hasText: 'line 18' }).waitFor()
    await page.keyboard.press('Enter')
    await page.locator('.pg-status.stopped', { hasText: 'line 19' }).waitFor()
    await page.keyboard.press('Enter')
    await page.locator('.pg-status.stopped', { hasText: 'line 4' }).waitFor()
    t.equal(await page.locator('.pg-status').getAttribute('role'), 'status')
    for (const colorScheme of ['dark', 'light'] as const) {
      await page.emulateMedia({ colorScheme })
      t.same(await axeFindings(page, SERIOUS), [], colorScheme)
    }
    await page.setViewportSize({ width: 360, height: 740 })
    t.same(await axeFindings(page, SERIOUS), [], 'on a phone')
    t.ok(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'))
    const sizes = await page.evaluate<number[]>("[...document.querySelectorAll('.pg-stop *, .pg-controls *, .pg-status')].map((element) => parseFloat(getComputedStyle(element).fontSize))")
    t.ok(sizes.length > 10 && sizes.every((size) => size >= 12))
  })
})
