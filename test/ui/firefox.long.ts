// The page in an unmodified Firefox, as Debian and others deliver it: each part of it works there, and nothing is refused.
import puppeteer, { type Browser, type Page } from 'puppeteer-core'
import t from 'tap'
import { eventually } from '../support/eventually.ts'
import { findProgram } from '../support/programs.ts'
import { buildView } from '../support/ui.ts'
import { startServer } from './support.ts'

const firefox = findProgram('firefox') ?? findProgram('firefox-esr')
const PARTS = ['', '#view=playground', '#view=lessons', '#view=lab', '#view=compare']

t.test('in Firefox', { skip: firefox === null && 'no firefox: install firefox-esr' }, async (t) => {
  if (firefox === null) return
  await buildView()
  const server = await startServer(t)
  const browser: Browser = await puppeteer.launch({ browser: 'firefox', executablePath: firefox, headless: true })
  t.teardown(() => browser.close())

  const open = async (part: string): Promise<{ page: Page; complaints: string[] }> => {
    const page = await browser.newPage()
    await page.setViewport({ width: 1280, height: 860 })
    const complaints: string[] = []
    page.on('pageerror', (error) => complaints.push(String(error)))
    page.on('console', (message) => complaints.push(...message.type() === 'error' ? [message.text()] : []))
    await page.goto(server.observer + part)
    await page.waitForSelector('.connection.live')
    return { page, complaints }
  }
  const press = (page: Page, text: string): Promise<void> => page.locator(`button ::-p-text(${text})`).click()
  const texts = (page: Page, selector: string): Promise<string[]> => page.$$eval(selector, (found) => found.map((one) => (one as unknown as { innerText: string }).innerText))

  for (const part of PARTS) {
    await t.test(`${part === '' ? 'the live view' : part} opens without a complaint`, async (t) => {
      const { page, complaints } = await open(part)
      t.same(complaints, [])
      await page.close()
    })
  }

  await t.test('an example runs, and a stall is drawn while it lasts', async (t) => {
    const { page, complaints } = await open('')
    await press(page, 'Run an example')
    await page.locator('.example ::-p-text(Two tasks at once)').click()
    await press(page, 'Run example 3')
    await page.locator('[role=tab] ::-p-text(Output)').click()
    t.ok(await eventually(async () => (await texts(page, '.output .text')).join() === 'hello,world'), (await texts(page, '.output .text')).join())
    await press(page, 'Stall it')
    await page.locator('[role=tab] ::-p-text(Stalls)').click()
    await page.locator('::-p-text(GET /handlers/sync)').wait()
    const drawn = await page.evaluate(`(() => {
      const { width, height } = document.querySelector('canvas')
      return new Set(new Uint32Array(document.querySelector('canvas').getContext('2d').getImageData(0, 0, width, height).data.buffer)).size
    })()`) as number
    t.ok(drawn > 5, `the lanes have ${drawn} colours`)
    t.same(complaints, [])
    await page.close()
  })

  await t.test('a program runs in the playground', async (t) => {
    const { page, complaints } = await open('#view=playground')
    await page.waitForSelector('>>> .cm-content')
    await page.locator('.pg button ::-p-text(Run)').click()
    t.ok(await eventually(async () => (await texts(page, '.pg-status.good')).length === 1), (await texts(page, '.pg-status')).join())
    t.ok((await texts(page, '.pg-lines .pg-text')).length > 0)
    t.same(complaints, [])
    await page.close()
  })
})
