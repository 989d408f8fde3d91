// Shared by the tests of the live view: the real server in a separate process, so that it can be stalled, and real pages on
// it.
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import type { Browser, Locator, Page } from 'playwright-core'
import root from 'tap'
import { browser } from '../support/browser.ts'
import { eventually } from '../support/eventually.ts'
import { startServer as startBuilt } from '../support/server-process.ts'

export { noChromium } from '../support/browser.ts'

/** A page that waits for something gives up after this many ms. */
const PATIENCE = 60_000

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
  pid: number
  /** How many entries a list has, according to the app itself. */
  count(what: 'tasks' | 'runs', which?: (one: { outcome?: string | null }) => boolean): Promise<number>
}

/** Starts the server; it ends with the test. */
export async function startServer(t: Test, env: Record<string, string> = {}): Promise<LiveServer> {
  const { url, observer: observerUrl, child } = await startBuilt(t, { LOG_LEVEL: 'warn', RATE_LIMIT: '0', ...env })
  const [app, observer] = [`${url}/`, `${observerUrl}/`]
  return {
    app, observer, kill: () => void child.kill('SIGKILL'), pid: child.pid!, observerPort: Number(new URL(observer).port),
    count: async (what, which = () => true) => {
      const list = await (await fetch(app + what, { headers: { accept: 'application/json' } })).json() as Record<string, { name?: string; outcome?: string | null }[]>
      return (list[what] ?? []).filter((one) => one.name?.startsWith('GET /tasks') !== true && which(one)).length
    },
  }
}

let shared: Promise<LiveServer> | null = null

/**
 * The server of all page tests of the process, started for the first. What ran on it before a test is in its history, and is
 * over: after each test within `t`, the runs that it has left are cancelled.
 */
export async function liveServer(t: Test & { afterEach: (fn: () => unknown) => void }): Promise<LiveServer> {
  // Each page that opens loads the history.
  shared ??= startServer(root, { HISTORY: '4000' })
  const server = await shared
  t.afterEach(async () => {
    const { runs } = await (await fetch(`${server.app}runs`)).json() as { runs: { run: number; outcome: string | null }[] }
    for (const { run, outcome } of runs) if (outcome === null) await fetch(`${server.app}runs/${run}`, { method: 'DELETE' })
    await eventually(async () => await server.count('tasks') === 0)
  })
  return server
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
  /** The paths that it has requested. */
  asked: string[]
}

/**
 * Opens an address in a browser context of its own, until the test ends. The page has reduced motion unless `options` say otherwise:
 * a live one draws sixty times a second while the test waits.
 */
export async function visit(t: Test, address: string, options: Parameters<Browser['newPage']>[0] = {}): Promise<Opened> {
  const page = await (await browser()).newPage({ viewport: { width: 1280, height: 860 }, reducedMotion: 'reduce', ...options })
  t.teardown(() => page.close())
  page.setDefaultTimeout(PATIENCE)
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(String(error)))
  page.on('console', (message) => complaints.push(...message.type() === 'error' ? [message.text()] : []))
  const asked: string[] = []
  page.on('request', (request) => asked.push(new URL(request.url()).pathname))
  await page.goto(address)
  return { page, complaints, asked }
}

/** Opens the live view, and waits until it is connected. */
export async function open(t: Test, address: string, options: Parameters<Browser['newPage']>[0] = {}): Promise<Opened> {
  const opened = await visit(t, address, options)
  await opened.page.locator('.connection.live').waitFor()
  return opened
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

/** Waits until the page has drawn what it knows. */
export const drawn = (page: Page): Promise<unknown> => page.evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => requestAnimationFrame(done))))')

export const interrupt = (page: Page): Promise<void> => page.locator('.toolbar').getByRole('button', { name: /^Cancel/ }).click()
