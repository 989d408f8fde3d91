// The comparison of two runs, and what the page draws: hardly anything while it is paused, and little of very many tasks.
import t from 'tap'
import { eventually } from '../support/eventually.ts'
import { crowd } from './crowd.ts'
import { drawn, liveServer, noChromium, open, PAGES, smallPrint, tab, watchCanvases, type Session } from './support.ts'

/** What the pixels of the page have room for, however many tasks there are. */
const MOST_SHAPES = 12_000

declare const loopscope: Session
declare const shapes: number
declare function requestAnimationFrame(act: () => void): number

t.test('the pages of the live view', { skip: noChromium }, async (t) => {
  const server = await liveServer(t)

  await t.test('two runs are compared on one axis', async (t) => {
    const { page, complaints } = await open(t, `${server.observer}#view=compare`)
    await page.getByText('8 s in virtual time').waitFor()
    await page.getByText('3 s in virtual time').waitFor()
    await page.getByText('The lower run ends 5 s earlier').waitFor()
    await page.getByRole('button', { name: 'Compare 3 and 4' }).click()
    await page.getByText('4 s in virtual time').waitFor()
    t.match(page.url(), /runs=3-4/)
    t.same(complaints, [])
  })

  await t.test('one example is compared in both languages: the same lines and events', async (t) => {
    const { page, complaints } = await open(t, `${server.app}view/#view=compare&runs=3-4`)
    await page.getByText('4 s in virtual time').waitFor()
    await page.getByRole('button', { name: 'Compare Python and TypeScript' }).click()
    for (const [number, lines, seconds] of [[3, 2, 3], [1, 2, 1], [2, 2, 8], [4, 6, 4]]) {
      await page.getByLabel('example').selectOption(String(number))
      await page.getByText(`${seconds} s in virtual time`).nth(1).waitFor()
      t.match(await page.locator('.compare-words').innerText(), new RegExp(`^Both print the same ${lines} lines at the same times, and all \\d+ events of the loop are the same\\.$`), `example ${number}`)
      t.match(page.url(), new RegExp(`runs=${number}(&|$)`))
      t.equal(await page.locator('.outputs tbody tr').count(), lines)
    }
    await page.getByLabel('example').selectOption('5')
    await page.locator('.compare-words', { hasText: 'Both print the same 12 lines' }).waitFor()
    await page.getByRole('button', { name: 'Compare 2 and 3' }).click()
    await page.getByRole('radio', { name: 'Python' }).check()
    await page.getByText('The lower run ends 5 s earlier').waitFor()
    t.same(complaints, [])
  })

  await t.test('a paused page asks for hardly any frames', async (t) => {
    const { page } = await open(t, server.observer, { reducedMotion: 'no-preference' })
    await page.keyboard.press('Space')
    const asked = await page.evaluate(async () => {
      let count = 0
      const real = requestAnimationFrame
      // The first ones belong to the end of the motion.
      for (let frame = 0; frame < 10; frame++) await new Promise<void>((resolve) => { real(() => resolve()) })
      Object.assign(globalThis, { requestAnimationFrame: (act: () => void) => (count++, real(act)) })
      const from = performance.now()
      await new Promise((resolve) => setTimeout(resolve, 500))
      return 1000 * count / (performance.now() - from)
    })
    t.ok(asked <= 24, `${Math.round(asked)} frames in a second`)
    await page.keyboard.press('l')
    const { frames } = await page.evaluate(() => ({ ...loopscope.timeline.figures }))
    t.ok(await eventually(() => page.evaluate((before) => loopscope.timeline.figures.frames > before + 3, frames)), 'and draws again when it follows')
  })

  await t.test('no text is smaller than 12 px, on the page and on its canvases', async (t) => {
    const { page } = await open(t, server.observer)
    await watchCanvases(page)
    await (await fetch(`${server.app}examples/5/run?speed=20&items=2&seed=1`)).text()
    await (await fetch(`${server.app}handlers/sync?thread=inline&ms=300`)).text()
    for (const [view, ...tabs] of PAGES) {
      await page.goto(server.observer + view)
      await page.reload()
      await page.locator('.connection.live').waitFor()
      if (view === '') {
        // Also the labels of the cursor and of a measured range.
        for (const key of ['m', ' ']) await page.keyboard.press(key)
      }
      for (const name of tabs.length === 0 ? [''] : tabs) {
        if (name !== '') await tab(page, name).click()
        await page.waitForTimeout(view.includes('playground') ? 2500 : 200)
        t.same(await page.evaluate(smallPrint, 12), [], `${view} ${name}`.trim())
      }
    }
  })

  await t.test('10,000 tasks and 100,000 events: panning and zooming stay smooth', async (t) => {
    const { page } = await open(t, server.observer)
    await watchCanvases(page)
    await page.reload()
    await page.locator('.connection.live').waitFor()
    const show = (tasks: number): Promise<void> => page.evaluate((text) => {
      const Recording = loopscope.live.constructor as new (options: object) => { apply(event: object): void }
      const recording = new Recording({ limit: 100_000 })
      for (const event of JSON.parse(text) as object[]) recording.apply(event)
      ;(loopscope as unknown as { showRecording(recording: object, title: string): void }).showRecording(recording, 'a crowd')
    }, JSON.stringify(crowd(tasks, 10 * tasks, 20)))
    /** The most that a frame drew while the view was panned and zoomed. */
    const draw = (rowHeight: number): Promise<number> => page.evaluate(async (height) => {
      const { timeline } = loopscope
      timeline.rowHeight = height
      timeline.show(0, 30, false)
      let most = 0
      for (let frame = 0; frame < 40; frame++) {
        const before = shapes
        await new Promise<void>((done) => { requestAnimationFrame(() => done()) })
        most = Math.max(most, shapes - before)
        if (frame < 20) timeline.pan(frame < 10 ? 0.01 : -0.01)
        else timeline.zoom(frame < 30 ? 0.97 : 1 / 0.97)
      }
      return most
    }, rowHeight)
    await show(10_000)
    // Of 100,000 spans it draws those that can be seen apart on the page.
    for (const rowHeight of [32, 1, 0.05]) {
      const most = await draw(rowHeight)
      t.ok(most > 0 && most < MOST_SHAPES, `rows of ${rowHeight} px: ${most} shapes a frame`)
    }
    // A row is a twentieth of a pixel high: a click selects the task that shows there.
    const task = await page.evaluate(() => {
      const { timeline, recording: { value: { lanes: { steps } } } } = loopscope as unknown as Crowd
      const at = steps.from.findIndex((from) => from > 10)
      timeline.show(steps.from[at]! - 0.02, steps.from[at]! + 0.02, false)
      timeline.reveal(steps.task[at]!)
      return steps.task[at]!
    })
    await drawn(page)
    const place = await page.evaluate((id) => {
      const { timeline: { placeOf: { rows, layout }, view }, recording: { value: { lanes: { steps } } } } = loopscope as unknown as Crowd
      const at = steps.from.findIndex((from) => from > 10)
      return { x: view.x((steps.from[at]! + steps.to[at]!) / 2), y: rows.y(layout.rowOf(id)!) }
    }, task)
    const canvas = (await page.locator('.timeline canvas').first().boundingBox())!
    await page.mouse.click(canvas.x + place.x, canvas.y + place.y)
    t.equal(await page.evaluate(() => loopscope.timeline.selected), task)
  })
})

interface Crowd {
  timeline: Session['timeline'] & { reveal(id: number): void; placeOf: { rows: { y(row: object): number }; layout: { rowOf(id: number): object | undefined } }; view: { x(t: number): number } }
  recording: { value: { lanes: { steps: Record<'from' | 'to' | 'task', number[]> } } }
}
