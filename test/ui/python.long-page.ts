// The rest of Python in the page: links, cancellation, the comparison with TypeScript, and the translation to it.
import t, { type Test } from 'tap'
import { axeFindings, SERIOUS } from '../support/axe.ts'
import { code, follow, lines, linkTo, problems, run } from './playground-page.ts'
import { liveServer, noChromium, visit, type Opened } from './support.ts'

const PYTHON = { language: 'python', clock: 'virtual' } as const

t.test('Python in the playground', { skip: noChromium }, async (t) => {
  const { app } = await liveServer(t)
  const look = async (t: Test, hash: string): Promise<Opened> => {
    const opened = await visit(t, `${app}view/${hash}`)
    await opened.page.locator('.cm-content').waitFor()
    return opened
  }
  const { page, complaints } = await look(t, '#view=playground&language=python')

  await t.test('shares a program by its link, and does not run it before a click', async (t) => {
    await follow(page, "print('it is mine: äöü')\n", PYTHON)
    await page.getByRole('button', { name: 'Copy link' }).click()
    await page.getByText(/^copied$|^it is in the address bar$/).waitFor()
    const { page: other, complaints } = await look(t, new URL(page.url()).hash)
    t.match(await code(other), 'it is mine: äöü')
    t.ok(await other.getByRole('radio', { name: 'Python' }).isChecked())
    await other.locator('.pg-status', { hasText: 'CPython 3.14 is ready' }).waitFor()
    t.equal(await other.locator('.pg-lines').count(), 0, 'nothing has run')
    await run(other)
    await other.locator('.pg-status.good').waitFor()
    t.same(await lines(other), ['it is mine: äöü'])
    // A link from before Python could be chosen.
    await other.evaluate(`location.hash = ${JSON.stringify(linkTo('print(1)', { clock: 'virtual' }))}`)
    await other.locator('.cm-content', { hasText: 'print(1)' }).waitFor()
    t.ok(await other.getByRole('radio', { name: 'TypeScript' }).isChecked())
    t.same(complaints, [])
  })

  await t.test('is cancelled by Stop, as by Ctrl-C, and its finally blocks run', async (t) => {
    await follow(page, "import asyncio\n\n\nasync def main():\n    try:\n        print('waits')\n        await asyncio.sleep(1000)\n    finally:\n        print('cleaned up')\n\n\nasyncio.run(main())\n", { ...PYTHON, clock: 'real' })
    await run(page)
    await page.locator('.pg-lines', { hasText: 'waits' }).waitFor()
    await page.getByRole('button', { name: 'Stop' }).click()
    await page.locator('.pg-status', { hasText: 'was cancelled' }).waitFor()
    t.same(await lines(page), ['waits', 'cleaned up'])
    t.same(complaints, [])
  })

  await t.test('is compared with TypeScript: the same lines at the same times, the same events', async (t) => {
    await page.getByText('virtual time').click()
    for (const number of ['3', '4', '5']) {
      await page.getByLabel('Start from').selectOption(number)
      await page.getByRole('button', { name: 'Compare with TypeScript' }).click()
      const verdict = page.locator('.pg-verdict [role="status"]')
      await verdict.filter({ hasText: /^[✓≠]/ }).waitFor()
      t.match(await verdict.innerText(), /^✓ Both print the same \d+ lines at the same times, and all \d+ events of the loop are the same\./, `example ${number}`)
      t.equal(await page.locator('.outputs .differs').count(), 0)
    }
    t.equal(await page.locator('.outputs tbody tr').count(), 12)
    await page.getByRole('button', { name: 'Close the comparison' }).click()
    t.equal(await page.getByRole('region', { name: 'Timeline of the run' }).count(), 1)
    t.same(complaints, [])
  })

  await t.test('appears in TypeScript, says at its line what does not, and opens in the editor', async (t) => {
    await follow(page, "import asyncio\n\n\nasync def main():\n    for number in range(3):\n        print(f'number {number}')\n        await asyncio.sleep(1)\n\n\nasyncio.run(main())\n", PYTHON)
    await page.getByRole('tab', { name: 'In TypeScript' }).click()
    const shown = page.getByRole('list', { name: 'The program in TypeScript' })
    await shown.filter({ hasText: 'yield* sleep(1)' }).waitFor()
    await page.getByRole('button', { name: 'Compare with TypeScript' }).click()
    await page.locator('.pg-verdict [role="status"]', { hasText: '✓ Both print the same 3 lines' }).waitFor()
    await page.getByRole('button', { name: 'Open in the editor' }).click()
    await page.locator('.cm-content', { hasText: 'yield* sleep(1)' }).waitFor()
    await run(page)
    await page.locator('.pg-status.good').waitFor()
    t.same(await lines(page), ['number 0', 'number 1', 'number 2'])
    await follow(page, 'import asyncio\n\nimport sqlite3\n\nprint(sqlite3)\n', PYTHON)
    await page.locator('.pg-troubles', { hasText: 'not translated' }).first().waitFor()
    t.match((await problems(page))[0], /line 3 .* not translated/)
    t.same(complaints, [])
  })

  await t.test('passes the accessibility checker, dark and light', async (t) => {
    await page.getByLabel('Start from').selectOption('4')
    await page.getByRole('tab', { name: 'Output' }).click()
    await page.getByRole('button', { name: 'Compare with TypeScript' }).click()
    await page.locator('.pg-verdict [role="status"]', { hasText: '✓' }).waitFor()
    for (const colorScheme of ['dark', 'light'] as const) {
      await page.emulateMedia({ colorScheme })
      t.same(await axeFindings(page, SERIOUS), [], `${colorScheme}, a comparison`)
      await page.getByRole('tab', { name: 'In TypeScript' }).click()
      t.same(await axeFindings(page, SERIOUS), [], `${colorScheme}, the translation`)
      await page.getByRole('tab', { name: 'In TypeScript' }).press('ArrowLeft')
      await page.locator('.outputs').waitFor()
    }
  })
})

t.test('the lessons', { skip: noChromium }, async (t) => {
  const { app } = await liveServer(t)

  await t.test('are in Python too, and print there what they print in TypeScript', async (t) => {
    const { page, complaints } = await visit(t, `${app}view/#view=lessons&lesson=predict-3`, { viewport: { width: 1280, height: 900 } })
    const ready = page.getByRole('button', { name: 'Reveal' })
    const guess = async (): Promise<string[]> => {
      await ready.waitFor()
      return (await page.locator('.guess-line').allInnerTexts()).sort()
    }
    for (const number of [3, 4, 5]) {
      await page.evaluate(`location.hash = 'view=lessons&lesson=predict-${number}&language=typescript'`)
      await page.locator('.source', { hasText: 'function* main' }).waitFor()
      const typescript = await guess()
      await page.getByRole('radio', { name: 'Python' }).check()
      await page.locator('.source', { hasText: 'async def main' }).waitFor()
      t.same(await guess(), typescript, `example ${number}`)
    }
    await page.getByRole('link', { name: /^4/ }).click()
    await page.locator('.lesson h2', { hasText: 'Example 4' }).waitFor()
    await ready.click()
    await page.getByLabel('Time in the run').fill('2.5')
    await page.locator('.source li.holds', { hasText: 'time.sleep(1)' }).waitFor()
    await page.locator('.source li.stands', { hasText: 'await asyncio.sleep(1)' }).waitFor()
    t.same(await axeFindings(page, SERIOUS), [])
    const figures = async (): Promise<string[]> => {
      await page.getByRole('button', { name: 'Try it', exact: true }).click()
      await page.locator('.figures').waitFor()
      return page.locator('.figures tr').allInnerTexts()
    }
    for (const name of ['gather of three', 'await is what makes it run']) {
      await page.getByRole('link', { name }).click()
      await page.locator('.source', { hasText: 'async def main' }).waitFor()
      const python = await figures()
      await page.getByRole('radio', { name: 'TypeScript' }).check()
      await page.locator('.source', { hasText: 'function* main' }).waitFor()
      t.same(await figures(), python, name)
      await page.getByRole('radio', { name: 'Python' }).check()
    }
    await page.getByRole('button', { name: 'Change it in the playground' }).click()
    await page.locator('.cm-content', { hasText: 'task = asyncio.create_task(work())' }).waitFor()
    t.same(complaints, [])
  })
})
