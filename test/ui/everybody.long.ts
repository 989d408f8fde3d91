// Accessibility of the live view: by keyboard, for screen readers, and with hostile names.
import t from 'tap'
import { createTask, gather, print, sleep, type Coroutine } from '../../src/index.ts'
import type { App } from '../../src/server/app.ts'
import { axeFindings } from '../support/axe.ts'
import { eventually, listen } from '../support/server.ts'
import { noChromium, open, PAGES, smallPrint, startServer, tab, watchCanvases } from './support.ts'

declare const document: { activeElement: { id: string; tagName: string; textContent: string; getAttribute(name: string): string | null } | null }

const live = ({ outcome }: { outcome?: string | null }): boolean => outcome === null

t.test('accessibility of the live view', { skip: noChromium }, async (t) => {
  const server = await startServer(t)

  await t.test('hostile names, labels and lines stay text', async (t) => {
    const { app } = await listen(t)
    await app.observer.ready
    await hostile(app)
    const { page, complaints } = await open(t, `http://127.0.0.1:${app.observer.port}/`)
    for (const name of ['Tasks', 'Await graph', 'Output', 'Stalls', 'Requests', 'Loop', 'Motion', 'Queues', 'Runs', 'Warnings', 'Table']) {
      await tab(page, name).click()
      await page.waitForTimeout(160)
    }
    await tab(page, 'Output').click()
    await page.getByText('<script>document.title = "had"</script>').first().waitFor()
    t.equal(await page.title(), 'loopscope')
    t.equal(await page.locator('main img, main script, main iframe[src^="javascript"]').count(), 0)
    t.same(complaints, [])
  })

  await t.test('the keyboard alone reaches everything', async (t) => {
    const { page } = await open(t, server.observer)
    await page.keyboard.press('?')
    await page.getByRole('dialog', { name: 'How to read this' }).waitFor()
    await page.keyboard.press('Escape')
    await page.getByRole('dialog', { name: 'How to read this' }).waitFor({ state: 'hidden' })
    const reached = new Set<string>()
    for (let presses = 0; presses < 60; presses++) {
      await page.keyboard.press('Tab')
      reached.add(await page.evaluate(() => {
        const element = document.activeElement
        return `${element?.tagName ?? ''} ${element?.getAttribute('aria-label') ?? element?.textContent.trim() ?? ''}`.slice(0, 60)
      }))
    }
    for (const wanted of [/^A Live/, /^BUTTON ▶ Run an example/, /^BUTTON Stall it/, /^BUTTON .*event back/, /^INPUT Filter/, /^SELECT Filter by state/, /^CANVAS Timeline/, /^BUTTON (Program|Tasks|Output|Stalls|Loop|Runs|Queues|Requests|Warnings|In words)/, /^BUTTON Help/]) {
      t.ok([...reached].some((text) => wanted.test(text)), `${wanted} among ${reached.size} places`)
    }
    await page.locator('#tab-tasks').focus()
    await page.keyboard.press('ArrowRight')
    t.match(await page.evaluate(() => document.activeElement?.id), /^tab-/)
    await page.locator('.timeline canvas').first().focus()
    await page.keyboard.press('4')
    t.ok(await eventually(async () => await server.count('runs', live) > 0), 'a key runs an example')
    await page.locator('.toolbar').getByRole('button', { name: /^Cancel/ }).waitFor()
    await page.keyboard.press('c')
    t.ok(await eventually(async () => await server.count('runs', live) === 0), 'and a key cancels it')
  })

  await t.test('an accessibility checker finds nothing, on any page, screen and theme', async (t) => {
    const pictures = process.env['PICTURES']
    await (await fetch(`${server.app}examples/4/run?speed=8`)).text()
    for (const [screen, { presenter = false, ...options }] of Object.entries(SCREENS)) {
      const { page, complaints } = await open(t, server.observer, { bypassCSP: true, ...options })
      if (presenter) await page.keyboard.press('p')
      await watchCanvases(page)
      for (const [view, ...tabs] of PAGES) {
        await page.goto(server.observer + view)
        await page.reload()
        await page.locator('.connection.live').waitFor()
        for (const name of tabs.length === 0 ? [''] : tabs) {
          if (name !== '') await tab(page, name).click()
          await page.waitForTimeout(view.includes('playground') ? 2500 : 200)
          for (const colorScheme of ['dark', 'light'] as const) {
            await page.emulateMedia({ colorScheme })
            const where = `${screen} ${colorScheme} ${view.replace('#view=', '') || 'live'} ${name}`.trim()
            t.same(await axeFindings(page), [], where)
            t.same(await page.evaluate(smallPrint, presenter ? 18 : 12), [], `type sizes, ${where}`)
            if (pictures !== undefined) await page.screenshot({ path: `${pictures}/${where.replace(/[^\w]+/g, '-')}.png` })
          }
        }
      }
      t.same(complaints, [], screen)
      await page.close()
    }
  })
})

interface Screen {
  viewport: { width: number; height: number }
  deviceScaleFactor?: number
  hasTouch?: boolean
  presenter?: boolean
}

const SCREENS: Record<string, Screen> = {
  '390x844': { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true },
  '844x390': { viewport: { width: 844, height: 390 }, deviceScaleFactor: 2, hasTouch: true },
  '1024x768': { viewport: { width: 1024, height: 768 } },
  '1440x900': { viewport: { width: 1440, height: 900 } },
  '1440x900 at 200 %': { viewport: { width: 720, height: 450 }, deviceScaleFactor: 2 },
  'presenter 1440x900': { viewport: { width: 1440, height: 900 }, presenter: true },
}

/** Tasks, lines and errors with text that would be markup if it were not escaped. */
async function hostile(app: App): Promise<void> {
  const { loop } = app.loopscope
  const bad = '<img src=x onerror="document.title=1">'
  function* child(): Coroutine<void> {
    print('<script>document.title = "had"</script>', bad)
    yield* sleep(0.2)
    throw new RangeError(bad)
  }
  function* main(): Coroutine<void> {
    yield* gather([createTask(child(), { name: bad }), createTask(sleep(0.3), { name: '"><svg onload=alert(1)>' })], { returnExceptions: true })
  }
  const task = loop.createTask(main(), { name: '</canvas><iframe src="javascript:1">' })
  await eventually(() => task.done())
}
