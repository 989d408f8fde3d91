// Takes the screenshots for the README: the real server, the real page, a real Chromium. `npm run screenshots` writes them to
// docs/images/; names select some of them.
import { mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Page } from 'playwright-core'
import { findChromium, launch } from '../support/chromium.ts'
import { noRedis, TestRedis } from '../support/redis.ts'
import { startServer } from '../support/server-process.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const FOLDER = `${ROOT}docs/images/`

interface Shot {
  name: string
  size?: [number, number]
  scheme?: 'dark' | 'light'
  /** The address's part after the observer's own. */
  at?: string
  take: (page: Page, app: string, others: readonly Server[]) => Promise<unknown>
  /** Names of servers that share a Redis; the page is that of the first. */
  loops?: readonly string[]
}

interface Server {
  app: string
  observer: string
  stop: () => void
}

const desktop: [number, number] = [1440, 900]
const phone: [number, number] = [390, 844]

const call = (address: string): void => void fetch(address).then((response) => response.text()).catch(() => {})
const wait = (page: Page, ms: number): Promise<void> => page.waitForTimeout(ms)
const tab = (page: Page, id: string): Promise<void> => page.locator(`#tab-${id}`).click()
const choose = (page: Page, name: string): Promise<void> => page.evaluate(`(() => {
  const lanes = [...loopscope.live.lanes.values()].filter((lane) => lane.name === ${JSON.stringify(name)})
  loopscope.select(lanes.at(-1)?.id ?? null)
})()`)

async function stall(page: Page, app: string): Promise<void> {
  call(`${app}/examples/3/run`)
  call(`${app}/examples/5/run?speed=5&maxsize=3&items=4&seed=2`)
  await wait(page, 1100)
  call(`${app}/handlers/sync?thread=inline&ms=2600`)
  await wait(page, 300)
  await tab(page, 'stalls')
  await choose(page, 'P1')
  await wait(page, 1500)
}

const SHOTS: Shot[] = [
  { name: 'stall-dark', take: stall },
  { name: 'stall-light', scheme: 'light', take: stall },
  { name: 'stall-phone', size: phone, take: stall },
  { name: 'start', take: async (page) => { await page.evaluate('loopscope.live.clear(), loopscope.touch()'); await wait(page, 400) } },
  {
    name: 'blocking-light', scheme: 'light', take: async (page, app) => {
      call(`${app}/examples/4/run`)
      await wait(page, 4700)
      await tab(page, 'output')
      await wait(page, 300)
    },
  },
  {
    name: 'queues', take: async (page, app) => {
      call(`${app}/examples/5/run?speed=8&maxsize=4&producers=4&items=8&seed=4`)
      await wait(page, 2600)
      await tab(page, 'queues')
      await choose(page, 'P1')
      await wait(page, 400)
    },
  },
  {
    name: 'asgi', scheme: 'light', take: async (page, app) => {
      call(`${app}/asgi/examples/3`)
      await wait(page, 500)
      call(`${app}/asgi/examples/1`)
      await wait(page, 2800)
      await page.evaluate(`(() => {
        const lane = [...loopscope.live.lanes.values()].find(({ marks }) => marks.some(({ type }) => type === 'request.message'))
        loopscope.select(lane.id, true)
        loopscope.timeline.show(lane.begunAt - 0.1, lane.endedAt + 0.3, false)
      })()`)
      await wait(page, 600)
    },
  },
  { name: 'side-by-side', at: '#view=compare&runs=2-3', take: (page) => wait(page, 1500) },
  {
    name: 'lab', at: '#view=lab', take: async (page) => {
      await page.locator('.lab .stall-button').click()
      await page.locator('.lab-words').first().waitFor({ timeout: 60_000 })
      await wait(page, 600)
    },
  },
  { name: 'playground', at: '#view=playground', take: async (page) => {
    await page.getByRole('button', { name: /^Run/ }).first().click()
    await wait(page, 2500)
  } },
  {
    name: 'python', at: '#view=playground&language=python', take: async (page) => {
      await page.getByLabel('Start from').selectOption('4')
      await page.locator('.pg-status', { hasText: 'is ready' }).waitFor({ timeout: 60_000 })
      await page.getByRole('button', { name: 'Compare with TypeScript' }).click()
      await page.locator('.pg-verdict', { hasText: '✓' }).waitFor({ timeout: 60_000 })
      await wait(page, 500)
    },
  },
  {
    name: 'loops', loops: ['replica-1', 'replica-2', 'replica-3', 'replica-4'], take: async (page, app, [second, third, fourth]) => {
      call(`${app}/examples/5/run?speed=4&maxsize=3&items=9&seed=2`)
      call(`${third!.app}/examples/3/run`)
      await wait(page, 1500)
      fourth!.stop()
      await wait(page, 2500)
      call(`${second!.app}/examples/5/run?speed=4&seed=2`)
      await wait(page, 500)
      call(`${second!.app}/handlers/sync?thread=inline&ms=3000`)
      await tab(page, 'tasks')
      await wait(page, 1500)
    },
  },
  { name: 'lessons', at: '#view=lessons', take: (page) => wait(page, 1200) },
]

async function server(env: Record<string, string> = {}): Promise<Server> {
  const { url, observer, child } = await startServer({ teardown: () => {} }, { LOG_LEVEL: 'warn', RATE_LIMIT: '0', ...env })
  return { app: url, observer, stop: () => child.kill('SIGKILL') }
}

const chromium = await findChromium()
if (typeof chromium === 'string') throw new Error(chromium)
mkdirSync(FOLDER, { recursive: true })
const wanted = process.argv.slice(2)
const browser = await launch(chromium)
for (const { name, size = desktop, scheme = 'dark', at = '', take, loops } of SHOTS) {
  if (wanted.length > 0 && !wanted.includes(name)) continue
  if (loops !== undefined && noRedis !== false) {
    console.log(`docs/images/${name}.png stays as it is: ${noRedis}`)
    continue
  }
  const redis = loops === undefined ? null : new TestRedis()
  await redis?.start()
  // A loop of its own for each: nothing of one screenshot appears in the next.
  const servers: Server[] = []
  for (const loop of loops ?? ['']) servers.push(await server(redis === null ? {} : { REDIS_URL: redis.url, LOOP_NAME: loop }))
  const [{ app, observer }, ...others] = servers as [Server, ...Server[]]
  // The cost of starting should not be on the screenshot.
  await new Promise((resolve) => setTimeout(resolve, 5000))
  const page = await browser.newPage({ viewport: { width: size[0], height: size[1] }, colorScheme: scheme })
  await page.goto(`${observer}/${at}`)
  await page.locator('.connection.live').waitFor()
  await wait(page, 3000)
  await take(page, app, others)
  await page.screenshot({ path: `${FOLDER}${name}.png` })
  await page.close()
  for (const one of servers) one.stop()
  await redis?.close()
  console.log(`docs/images/${name}.png`)
}
await browser.close()
