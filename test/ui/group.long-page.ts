// The processes of one program in one page, which goes on at the same address when the process that served it was killed.
import t from 'tap'
import { pathToFileURL } from 'node:url'
import { eventually } from '../support/eventually.ts'
import { found, program, REGISTER, startNode, viewOf } from '../start/support.ts'
import { noChromium, open, tab } from './support.ts'

t.test('the processes of a program', { skip: noChromium }, async (t) => {
  const running = startNode(t, ['--import', pathToFileURL(REGISTER).href, program('group.mjs'), '2'], { env: { LOOPSCOPE_PORT: '0' } })
  const view = await viewOf(running)
  await found(running.out, /(child \d+\s+){2}/)
  const children = [...running.out().matchAll(/child (\d+)/g)].map(([, pid]) => Number(pid))
  t.teardown(() => {
    for (const pid of children) process.kill(pid, 'SIGKILL')
  })
  const [, leader] = await found(running.err, /process (\d+) is observed/)
  t.equal(Number(leader), running.child.pid)
  const { page } = await open(t, `${view}/`)
  const loop = (name: string): ReturnType<typeof page.locator> => page.locator('.loops .loop', { hasText: name })

  await t.test('are listed as they come, and each is shown with its stalls', async (t) => {
    for (const name of ['main', ...children.map((pid) => `group-${pid}`)]) await loop(name).waitFor()
    const blamed = page.locator('.stall-head', { hasText: 'blockChild' }).first()
    running.child.kill('SIGUSR2')
    // The first child, in the order in which they were started, is not known here.
    await page.locator('.loops .loop.flash', { hasText: 'group-' }).first().waitFor()
    let shown = 0
    t.ok(await eventually(async () => {
      if (shown % 20 === 0) running.child.kill('SIGUSR2')
      await loop(`group-${children[shown++ % 2]}`).click()
      await tab(page, 'Stalls').click()
      return blamed.isVisible()
    }, 200))
    if (process.env['SCREENSHOT'] !== undefined) await page.screenshot({ path: process.env['SCREENSHOT'] })
  })

  await t.test('stay in the page when another one serves it', async () => {
    running.child.kill('SIGKILL')
    await page.locator('.loops .loop', { hasText: /group-\d+.*this page/ }).waitFor()
    for (const pid of children) await page.locator('.loops .loop.live', { hasText: `group-${pid}` }).waitFor()
    await page.locator('.connection.live').waitFor()
  })
})
