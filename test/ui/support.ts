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
    figures: { ms: number; frames: number }
    rowHeight: number
    selected: number | null
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

/** From the next load on, counts the shapes that the page's canvases draw, as the page's global `shapes`, and notes the sizes of their texts for `smallPrint`. */
export async function watchCanvases(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const seen = Object.assign(globalThis, { shapes: 0, canvasTexts: new Map<string, number>() })
    const context = (globalThis as unknown as { CanvasRenderingContext2D: { prototype: Record<string, (...values: unknown[]) => unknown> } }).CanvasRenderingContext2D.prototype
    for (const name of ['fillRect', 'strokeRect', 'rect', 'roundRect', 'arc', 'lineTo', 'bezierCurveTo', 'fillText', 'strokeText', 'drawImage']) {
      const real = context[name]!
      context[name] = function (this: { font: string; canvas: { currentCSSZoom?: number } }, ...values: unknown[]) {
        seen.shapes++
        if (name.endsWith('Text')) seen.canvasTexts.set(`${String(values[0])} (${this.font})`, Number(/([\d.]+)px/.exec(this.font)?.[1]) * (this.canvas.currentCSSZoom ?? 1))
        return real.apply(this, values)
      }
    }
  })
}

/** The pages, each with its tabs. */
export const PAGES: [view: string, ...tabs: string[]][] = [
  ['', 'Program', 'Tasks', 'Stalls', 'Output', 'Loop', 'Motion', 'Await graph', 'Queues', 'Requests', 'Runs', 'Warnings', 'Table'],
  ['#view=playground'], ['#view=lessons'], ['#view=lessons&lesson=cannot-block'], ['#view=lab'], ['#view=compare'],
]

/** Runs in a page with watched canvases: the text that is smaller than this many pixels. */
export function smallPrint(least: number): string[] {
  interface Shown { childNodes: Iterable<{ nodeType: number; textContent: string | null }>; className: unknown; tagName: string; currentCSSZoom?: number; getClientRects(): { length: number } }
  const page = globalThis as unknown as { document: { querySelectorAll(selector: string): Iterable<Shown> }; getComputedStyle(element: Shown): { fontSize: string }; canvasTexts: Map<string, number> }
  const found = new Set<string>()
  for (const element of page.document.querySelectorAll('body *')) {
    const text = [...element.childNodes].filter(({ nodeType }) => nodeType === 3).map(({ textContent }) => textContent ?? '').join('').trim()
    if (text === '' || element.getClientRects().length === 0) continue
    const size = parseFloat(page.getComputedStyle(element).fontSize)
    if (size * (element.currentCSSZoom ?? 1) < least - 0.01) found.add(`${element.tagName} ${String(element.className)} ${size} px: ${text.slice(0, 30)}`)
  }
  for (const [text, size] of page.canvasTexts) if (size < least - 0.01) found.add(`canvas: ${text}`)
  return [...found].slice(0, 10)
}

export const tab = (page: Page, name: string): Locator => page.getByRole('tab', { name: new RegExp(`^${name}`) })
export const output = (page: Page): Promise<string[]> => page.locator('.output .text').allInnerTexts()
export const row = (page: Page, text: string | RegExp): Locator => page.locator('.grid tbody tr', { hasText: text }).first()

/** Starts it through the menu, as a reader would; the run has begun when this is done. */
export async function runExample(page: Page, number: number, fields: Record<string, string> = {}): Promise<void> {
  await page.getByRole('button', { name: /Run an example/ }).click()
  await page.locator('.example', { hasText: new RegExp(`^${number}`) }).click()
  for (const [label, value] of Object.entries(fields)) await page.getByLabel(label, { exact: true }).fill(value)
  const answered = page.waitForResponse((response) => new URL(response.url()).pathname.endsWith(`/examples/${number}/run`) && response.request().method() === 'POST')
  await page.getByRole('button', { name: `▶ Run example ${number}`, exact: true }).click()
  await answered
}

/** Waits until the page has drawn what it knows. */
export const drawn = (page: Page): Promise<unknown> => page.evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => requestAnimationFrame(done))))')

export const interrupt = (page: Page): Promise<void> => page.locator('.toolbar').getByRole('button', { name: /^Cancel/ }).click()
