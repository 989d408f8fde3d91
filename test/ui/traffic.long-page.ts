// The tools around the lanes, in a real Chromium: groups, search, measured ranges, panels that are resized; and the lanes of
// a service with a stall.
import t from 'tap'
import { eventually } from '../support/eventually.ts'
import { liveServer, noChromium, open, runExample, tab, type Session } from './support.ts'

declare const loopscope: Session

t.test('the lanes and what is around them', { skip: noChromium }, async (t) => {
  const server = await liveServer(t)

  await t.test('panels are resized by the keyboard and the pointer, and stay so', async (t) => {
    const { page } = await open(t, server.observer)
    const dock = page.locator('.panels.dock')
    const side = page.locator('.panels.side')
    const size = async (): Promise<number[]> => [(await dock.boundingBox())!.height, (await side.boundingBox())!.width]
    const before = await size()
    const below = page.getByRole('separator', { name: 'Height of the panel below the lanes' })
    await below.focus()
    await page.keyboard.press('ArrowUp')
    await page.keyboard.press('ArrowUp')
    const beside = page.getByRole('separator', { name: 'Width of the panel beside the lanes' })
    const box = (await beside.boundingBox())!
    await page.mouse.move(box.x, box.y + 100)
    await page.mouse.down()
    await page.mouse.move(box.x - 60, box.y + 100, { steps: 3 })
    await page.mouse.up()
    const after = await size()
    t.same([after[0]! - before[0]!, after[1]! - before[1]!].map(Math.round), [48, 60])
    t.equal(await below.getAttribute('aria-valuenow'), String(Math.round(after[0]!)))
    await page.reload()
    await page.locator('.connection.live').waitFor()
    t.same((await size()).map(Math.round), after.map(Math.round), 'after a reload')
    await below.focus()
    await page.keyboard.press('Enter')
    await beside.dblclick()
    t.same((await size()).map(Math.round), before.map(Math.round), 'back to the first size')
  })

  await t.test('a search goes through the tasks, and a range says what ran in it', async (t) => {
    const { page, complaints } = await open(t, server.observer)
    const ended = (): Promise<number> => page.evaluate(() => [...(loopscope.live as unknown as { runs: Map<number, { to: number | null }> }).runs.values()].filter(({ to }) => to !== null).length)
    const before = await ended()
    await runExample(page, 4, { speed: '20' })
    await tab(page, 'Tasks').click()
    t.ok(await eventually(async () => await ended() > before))
    await page.keyboard.press('g')
    await page.keyboard.type('Task-')
    await page.locator('.lane-bar .find [role=status]', { hasText: /^(?!1 )[1-9]\d* found$/ }).waitFor()
    // The names say which match is selected: how many there are may change meanwhile, and the first is one in view.
    const selected: string[] = []
    for (const key of ['Enter', 'Enter', 'Shift+Enter', 'Shift+Enter']) {
      await page.keyboard.press(key)
      await page.locator('.lane-bar .find [role=status]', { hasText: /^\d+ of \d+$/ }).waitFor()
      await page.locator('.why h2', { hasText: /^Task-/ }).filter({ hasNotText: new RegExp(`^${selected.at(-1) ?? 'none'}$`) }).waitFor()
      selected.push(await page.locator('.why h2').innerText())
    }
    t.ok(selected.every((name) => name.startsWith('Task-')), selected.join(' '))
    t.equal(selected[0], selected[2])
    await page.keyboard.press('Escape')
    await page.keyboard.press('m')
    await page.locator('.range', { hasText: /^[\d.]+ m?s: the loop was busy for .* in \d+ steps?\. .*1 task|tasks ran: / }).waitFor()
    await page.keyboard.press('Escape')
    await page.locator('.range').waitFor({ state: 'detached' })
    const canvas = (await page.locator('.lanes canvas').boundingBox())!
    await page.keyboard.down('Shift')
    await page.mouse.move(canvas.x + 300, canvas.y + 200)
    await page.mouse.down()
    await page.mouse.move(canvas.x + 500, canvas.y + 200, { steps: 4 })
    await page.mouse.up()
    await page.keyboard.up('Shift')
    await page.locator('.range', { hasText: 'the loop was' }).waitFor()
    await page.getByRole('button', { name: 'show it' }).click()
    const { from, to } = await page.evaluate(() => (loopscope.timeline as unknown as { range: { from: number; to: number } }).range)
    await page.waitForFunction(([from, to]) => Math.abs(loopscope.timeline.view.from - from!) < 1e-6 && Math.abs(loopscope.timeline.view.to - to!) < 1e-6, [from, to])
    // By keys alone: from the cursor to where it is moved.
    await page.keyboard.press('Escape')
    await page.keyboard.press(' ')
    for (const key of ['l', ' ', 'm']) await page.keyboard.press(key)
    await page.locator('.range', { hasText: 'move the cursor to the other end' }).waitFor()
    await page.keyboard.press(',')
    await page.keyboard.press('<')
    await page.locator('.range', { hasText: 'the loop was' }).waitFor()
    t.same(complaints, [])
  })

  await t.test('tasks are sorted by what they cost, by buttons that say how', async (t) => {
    const { page } = await open(t, server.observer)
    await fetch(`${server.app}handlers/sync?thread=inline&ms=1500`)
    await runExample(page, 3, { speed: '20' })
    await tab(page, 'Tasks').click()
    await page.getByLabel('ended tasks too').check()
    const busy = page.getByRole('columnheader', { name: /^busy/ })
    t.equal(await busy.getAttribute('aria-sort'), 'none')
    await page.getByRole('button', { name: 'busy', exact: true }).focus()
    await page.keyboard.press('Enter')
    t.equal(await busy.getAttribute('aria-sort'), 'descending')
    await page.locator('.grid tbody tr').first().filter({ hasText: /GET \/handlers\/sync.*returned/ }).waitFor()
    t.match(await page.locator('.grid tbody tr').first().locator('.histogram').getAttribute('aria-label'), /1 of 1 s or more/)
    await page.keyboard.press('Enter')
    t.equal(await busy.getAttribute('aria-sort'), 'ascending')
    t.notMatch(await page.locator('.grid tbody tr').first().innerText(), /handlers\/sync/)
  })

  await t.test('the await graph marks a deadlock, and follows the moment that is shown', async (t) => {
    const { page, complaints } = await open(t, server.observer)
    const wait = (at: number, task: number, on: object): object => ({ t: at, type: 'task.suspended', task, seconds: 0, on })
    const events = [
      ...['main', 'one', 'two', '<b>getter</b>'].map((name, at) => ({ t: 0, type: 'task.created', task: at + 1, name, coroutine: 'f' })),
      wait(1, 1, { kind: 'gather', label: '2 of 2', task: 2 }), wait(2, 4, { kind: 'queue.get', queue: 1, label: '<Queue>' }),
      wait(3, 2, { kind: 'lock', label: '<Lock 2>', holder: 3 }), wait(4, 3, { kind: 'lock', label: '<Lock 1>', holder: 2 }), { t: 5, type: 'task.printed', task: 1, text: 'x' },
    ].map((event, at) => ({ loop: 'main', seq: at + 1, ...event }))
    await page.evaluate((list) => {
      const Recording = loopscope.live.constructor as new () => { apply(event: object): void }
      const recording = new Recording()
      for (const event of list) recording.apply(event)
      ;(loopscope as unknown as { showRecording(recording: object, title: string): void }).showRecording(recording, 'a deadlock')
    }, events)
    await tab(page, 'Await graph').click()
    await page.locator('.graph .sentence', { hasText: 'A deadlock (cycle of awaits): one → <Lock 2> → two → <Lock 1> → one.' }).waitFor()
    const marked = async (): Promise<number[]> => [await page.locator('.graph svg .node').count(), await page.locator('.graph svg .node.cycle').count(), await page.locator('.graph svg .edge.cycle').count()]
    t.same(await marked(), [7, 4, 4])
    t.same((await page.locator('.graph-words li').allTextContents()).sort(), [
      '<Lock 1> is owned by one, in a cycle', '<Lock 2> is owned by two, in a cycle', '<b>getter</b> waits for queue 1, which is empty',
      'main awaits one (gather 2 of 2)', 'one waits for <Lock 2>, in a cycle', 'two waits for <Lock 1>, in a cycle',
    ])
    // One event back each time: the print, then each wait.
    for (const counts of [[7, 4, 4], [6, 0, 0], [4, 0, 0], [2, 0, 0]]) {
      await page.keyboard.press(',')
      t.ok(await eventually(async () => (await marked()).join() === counts.join()), counts.join())
    }
    t.same(complaints, [])
  })

  await t.test('30, 160 and 2,000 requests a second: the culprit and the worst victim of a stall are in view', async (t) => {
    const { page } = await open(t, server.observer)
    for (const rate of [30, 160, 2000]) {
      await page.evaluate((list) => {
        const Recording = loopscope.live.constructor as new () => { apply(event: object): void }
        const recording = new Recording()
        for (const event of list) recording.apply(event)
        ;(loopscope as unknown as { showRecording(recording: object, title: string): void }).showRecording(recording, 'a stall')
      }, stall(rate))
      await page.waitForFunction((count) => loopscope.timeline.lanesShown === count, 2 * rate + 1)
      const tops = await page.evaluate(([culprit, worst]) => {
        const { rows, layout, height } = (loopscope.timeline as unknown as { placeOf: { rows: { y(row: object): number }; layout: { rowOf(id: number): object | undefined }; height: number } }).placeOf
        return [culprit, worst].map((id) => ({ y: rows.y(layout.rowOf(id!)!), height }))
      }, [rate + 1, rate + 2])
      t.ok(tops.every(({ y, height }) => y > 80 && y + 24 <= height), `${rate} requests a second: at ${tops.map(({ y }) => Math.round(y)).join(' and ')} of ${tops[0]?.height} pixels`)
    }
    await page.getByLabel('Arrange the lanes').selectOption('group by parent')
    t.ok(await page.evaluate(() => loopscope.timeline.pinned) > 0)
  })
})

/** A second of requests, then a stall of two seconds and the requests that arrived meanwhile. */
function stall(rate: number): object[] {
  const events: { t: number; [field: string]: unknown }[] = []
  const add = (task: number, name: string, from: number, to: number): void => void events.push(
    { t: from, type: 'task.created', task, name: `${name} #${task}`, coroutine: 'handler' }, { t: from, type: 'task.running', task }, { t: to, type: 'task.finished', task, outcome: 'returned' },
  )
  for (let at = 0; at < rate; at++) add(at + 1, 'GET /ping', at / rate, at / rate + 0.2 / rate)
  add(rate + 1, 'GET /slow', 1, 3)
  for (let at = 0; at < rate; at++) add(rate + 2 + at, 'GET /ping', 3 + at / rate / 4, 3 + at / rate / 4 + 0.0001)
  events.push({ t: 3, type: 'loop.unblocked', task: rate + 1, name: 'GET /slow', since: 1, seconds: 2, lost: 9, victims: Array.from({ length: Math.min(rate, 1000) }, (_, at) => ({ task: rate + 2 + at, name: 'GET /ping', seconds: 2 - at / 1000 })) })
  return events.sort((a, b) => a.t - b.t).map((event, at) => ({ loop: 'main', seq: at + 1, ...event }))
}
