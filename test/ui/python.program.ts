// Python in the page as its readers use it: real CPython in a real Chromium, from the real server, with the server's policy.
import t from 'tap'
import { choose, code, follow, problems, run, status, timed } from './playground-page.ts'
import { liveServer, noChromium, visit } from './support.ts'

const PYTHON = { language: 'python', clock: 'virtual' } as const

t.test('Python in the playground', { skip: noChromium }, async (t) => {
  const { app } = await liveServer(t)
  const { page, complaints, asked } = await visit(t, `${app}view/#view=playground`)
  await page.locator('.cm-content').waitFor()

  await t.test('is loaded when it is chosen, and not before', async (t) => {
    t.match(await code(page), 'function* main')
    t.same(asked.filter((path) => path.includes('/python/')), [])
    await choose(page, 'Python')
    await page.locator('.pg-status', { hasText: 'CPython 3.14 is ready' }).waitFor()
    t.match(await code(page), "asyncio.create_task(say_after(3, 'hello'))", 'the same example')
    t.match(page.url(), /language=python/)
    t.equal(await page.getByRole('button', { name: 'Step' }).count(), 0)
    t.ok(asked.some((path) => path.endsWith('/view/python/pyodide.asm.wasm')))
    t.same(complaints, [])
  })

  await t.test('runs examples, with the time of each line, and the line at which each task is', async (t) => {
    const expected: Record<string, RegExp[]> = {
      3: [/^3\.000 s \S+ hello$/, /^3\.000 s \S+ world$/],
      4: [/^0\.000 s \S+ One$/, /^1\.000 s \S+ One$/, /^2\.000 s \S+ One$/, /^3\.000 s \S+ Two$/, /^3\.000 s \S+ Two$/, /^4\.000 s \S+ Two$/],
    }
    for (const [number, printed] of Object.entries(expected)) {
      await page.getByLabel('Start from').selectOption(number)
      await run(page)
      await page.locator('.pg-status.good').waitFor()
      t.match(await timed(page), printed, `example ${number}`)
    }
    await page.getByLabel('Time in the run').fill('2.5')
    const marks = await page.locator('.cm-line:has(.cm-who)').allInnerTexts()
    t.match(marks, [/time\.sleep\(1\).*blocks the loop/, /await asyncio\.sleep\(1\).*waits for sleep/, /gather.*waits for gather/], 'the line at which each task is')
    t.same(complaints, [])
  })

  await t.test('draws other random numbers in each run, and its translation follows the program', async (t) => {
    const drawn: string[] = []
    for (const what of ['random', 'gauss']) {
      await follow(page, `import random\nrandom.random()\nprint(random.random())\n# ${what}\n`, PYTHON)
      await run(page)
      await page.locator('.pg-status.good').waitFor()
      drawn.push((await page.locator('.pg-output').innerText()).replace(/\s+/g, ' '))
    }
    t.equal(new Set(drawn).size, 2, drawn.join('; '))
    await page.getByRole('tab', { name: 'In TypeScript' }).click()
    await page.locator('.pg-output', { hasText: '// gauss' }).waitFor()
    t.match(await page.locator('.pg-translation').innerText(), 'The same program')
    await page.getByRole('tab', { name: 'Output' }).click()
    t.same(complaints, [])
  })

  await t.test('keeps the subject when the language changes, and an edited program in each language', async (t) => {
    await page.getByLabel('Start from').selectOption('2')
    await choose(page, 'TypeScript')
    t.match(await code(page), "yield* sayAfter(6, 'world')")
    t.equal(await page.getByLabel('Start from').inputValue(), '2')
    await page.locator('.cm-content').click()
    await page.keyboard.press('Control+End')
    await page.keyboard.type('// mine')
    await choose(page, 'Python')
    t.match(await code(page), "await say_after(6, 'world')")
    await choose(page, 'TypeScript')
    t.match(await code(page), '// mine')
    await choose(page, 'Python')
    t.match(await code(page), "await say_after(6, 'world')")
    await page.reload()
    await page.locator('.cm-content', { hasText: 'await say_after' }).waitFor()
    t.ok(await page.getByRole('radio', { name: 'Python' }).isChecked(), 'the address keeps it')
    t.same(complaints, [])
  })

  await t.test('marks errors at their lines: of the syntax while it is typed, of the run after it', async (t) => {
    await follow(page, 'import asyncio\n\nasync def main()\n    pass\n', PYTHON)
    await page.locator('.pg-troubles', { hasText: 'line 3' }).waitFor()
    t.match(await problems(page), [/line 3 .*expected ':'.* syntax/])
    await run(page)
    await page.locator('.pg-status.bad').waitFor()
    t.match(await status(page), /expected ':'.*line 3/)
    await follow(page, "import asyncio\n\n\nasync def main():\n    await asyncio.sleep(1)\n    raise ValueError('too much')\n\n\nasyncio.run(main())\n", PYTHON)
    await run(page)
    await page.locator('.pg-status.bad').waitFor()
    t.match(await status(page), /failed after 1\.000 s: ValueError: too much, in line 6/)
    t.match(await problems(page), [/line 6 ValueError: too much/])
    t.same(complaints, [])
  })
})
