// Shared by the tests of the live view: the real server in a separate process, so that it can be stalled, and a real page on
// it.
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import type { Browser, Locator, Page } from 'playwright-core'
import { startServer as startBuilt } from '../support/server-process.ts'

/** A page that waits for something gives up after this many ms. */
const PATIENCE = 20_000

interface Test {
  teardown: (fn: () => unknown) => void
}

/** What the tests read from the page's session, which is a global of the page. */
export interface Session {
  live: Live
  recording: { value: Live }
  cursor: { value: { t: number; seq: number } | null }
  follow: { value: boolean }
  now(): number
  timeline: {
    view: { from: number; to: number; span: number }
    figures: { ms: number; spans: number; frames: number }
    rowHeight: number
    lanesShown: number
    pinned: number
    show(from: number, to: number, glide: boolean): void
    pan(part: number): void
    zoom(factor: number): void
  }
}

interface Live {
  lastSeq: number
  from: number
  to: number
  events: { seq: number; type: string }[]
  stalls: { all: Stall[] }
}

interface Stall {
  name: string
  seconds: number
  from: number
  to: number | null
  victims: { name: string; seconds: number }[]
  lost: number
  stack: { file: string; line: number }[]
}

export interface LiveServer {
  /** The app and its observer, each ending in a slash. */
  app: string
  observer: string
  observerPort: number
  /** Kills it at once. */
  kill(): void
  /** How many entries a list has, according to the app itself. */
  count(what: 'tasks' | 'runs', which?: (one: { outcome?: string | null }) => boolean): Promise<number>
}

/** Starts the server; it ends with the test. */
export async function startServer(t: Test, env: Record<string, string> = {}): Promise<LiveServer> {
  const { url, observer: observerUrl, child } = await startBuilt(t, { LOG_LEVEL: 'warn', RATE_LIMIT: '0', ...env })
  const [app, observer] = [`${url}/`, `${observerUrl}/`]
  return {
    app, observer, kill: () => void child.kill('SIGKILL'), observerPort: Number(new URL(observer).port),
    count: async (what, which = () => true) => {
      const list = await (await fetch(app + what, { headers: { accept: 'application/json' } })).json() as Record<string, { name?: string; outcome?: string | null }[]>
      return (list[what] ?? []).filter((one) => one.name?.startsWith('GET /tasks') !== true && which(one)).length
    },
  }
}

export interface Wire {
  port: number
  /** Closes its connections, and accepts none. */
  cut(): void
  /** Passes nothing on, and closes nothing. */
  freeze(): void
  /** Works again. */
  join(): void
}

/** A connection between the page and the server that can be cut or frozen, and restored. */
export async function wire(t: Test, port: number): Promise<Wire> {
  const sockets = new Set<Socket>()
  let state: 'open' | 'cut' | 'frozen' = 'open'
  const server = createServer((client) => {
    if (state === 'cut') {
      client.destroy()
      return
    }
    const upstream = connect(port, '127.0.0.1')
    for (const [one, other] of [[client, upstream], [upstream, client]] as const) {
      sockets.add(one)
      if (state === 'open') one.pipe(other)
      else one.pause()
      one.on('error', () => other.destroy())
      one.on('close', () => {
        sockets.delete(one)
        other.destroy()
      })
      ends.set(one, other)
    }
  })
  const ends = new Map<Socket, Socket>()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const cut = (): void => {
    state = 'cut'
    for (const socket of sockets) socket.destroy()
  }
  t.teardown(() => {
    cut()
    server.close()
  })
  return {
    port: (server.address() as AddressInfo).port, cut,
    freeze: () => {
      state = 'frozen'
      for (const socket of sockets) socket.unpipe().pause()
    },
    join: () => {
      state = 'open'
      for (const socket of sockets) socket.pipe(ends.get(socket) as Socket)
    },
  }
}

export interface Opened {
  page: Page
  /** Errors on the console and violations of the policy. */
  complaints: string[]
}

/** Opens the live view, and waits until it is connected. */
export async function open(browser: Browser, address: string, options: Parameters<Browser['newPage']>[0] = {}): Promise<Opened> {
  const page = await browser.newPage({ viewport: { width: 1280, height: 860 }, ...options })
  page.setDefaultTimeout(PATIENCE)
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(String(error)))
  page.on('console', (message) => complaints.push(...message.type() === 'error' ? [message.text()] : []))
  await page.goto(address)
  await page.locator('.connection.live').waitFor()
  return { page, complaints }
}

export const tab = (page: Page, name: string): Locator => page.getByRole('tab', { name: new RegExp(`^${name}`) })
export const output = (page: Page): Promise<string[]> => page.locator('.output .text').allInnerTexts()
export const row = (page: Page, text: string | RegExp): Locator => page.locator('.grid tbody tr', { hasText: text }).first()

/** Starts it through the menu, as a reader would. */
export async function runExample(page: Page, number: number, fields: Record<string, string> = {}): Promise<void> {
  await page.getByRole('button', { name: /Run an example/ }).click()
  await page.locator('.example', { hasText: new RegExp(`^${number}`) }).click()
  for (const [label, value] of Object.entries(fields)) await page.getByLabel(label, { exact: true }).fill(value)
  await page.getByRole('button', { name: `▶ Run example ${number}`, exact: true }).click()
}

export const interrupt = (page: Page): Promise<void> => page.locator('.toolbar').getByRole('button', { name: /^Cancel/ }).click()
