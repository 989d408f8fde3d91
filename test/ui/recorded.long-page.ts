// The live view of a recording: it shows what the program did, and time does not go on.
import { join } from 'node:path'
import t from 'tap'
import { subscribe } from '../observe/support.ts'
import { eventually } from '../support/eventually.ts'
import { found, loopscope, program, strangeFolder } from '../start/support.ts'
import { drawn, noChromium, open, tab } from './support.ts'

t.test('a recording', { skip: noChromium }, async (t) => {
  const file = join(strangeFolder(t), 'recording.ndjson')
  await loopscope(t, ['run', '--port', '0', '--output', file, program('slow-start.mjs')]).ended
  const [, url] = await found(loopscope(t, ['view', file]).out, /is at (http:\S+)\n/)
  const { page, complaints } = await open(t, `${url}/`)
  await page.getByText('a recording', { exact: true }).waitFor()
  t.same((await page.getByRole('navigation', { name: 'Pages' }).getByRole('link').allInnerTexts()), ['Live', 'Playground'])
  await tab(page, 'Stalls').click()
  await page.locator('.stall-head', { hasText: /blocked the (loop|thread) for [\d,]+ ms/ }).first().waitFor()
  const now = (): Promise<[number, number]> => page.evaluate('[loopscope.now(), loopscope.live.to]')
  const [then, end] = await now()
  t.equal(then, end)
  // A sign of life comes every second, and must not move the end.
  const { socket, messages } = await subscribe(url!)
  t.ok(await eventually(() => messages.some(({ type }) => type === 'stream.bookmark')))
  socket.close()
  await drawn(page)
  t.same(await now(), [then, end])
  t.same(complaints, [])
})
