// Programs that try to harm their reader's tab, and a server that does. Each sends the page what no loop would send: the page
// must still answer, and report what it has left out.
import { deflateRawSync } from 'node:zlib'
import websocket from '@fastify/websocket'
import fastify from 'fastify'
import type { Page } from 'playwright-core'
import t from 'tap'
import { readPage } from '../../src/http/page.ts'
import { browser, noChromium } from '../support/browser.ts'
import { listen } from '../support/server.ts'

// A browser, TypeScript in it and a server on a busy machine take their time.
t.setTimeout(600_000)

/** Gets the port through which the thread communicates: `say` sends anything. */
const PROLOGUE = `import { print, sleep } from 'loopscope'
let port: any = null
const post = MessagePort.prototype.postMessage as any
MessagePort.prototype.postMessage = function (this: any, ...values: any[]) { port = this; return post.apply(this, values) } as any
const say = (message: unknown) => post.call(port, message)
let seq = 0
const event = (type: string, t: number, more: object) => ({ type, seq: ++seq, t, loop: 'x', ...more })
const tell = (events: object[]) => { for (let at = 0; at < events.length; at += 1000) say({ type: 'events', events: events.slice(at, at + 1000) }) }
const times = (count: number, make: (at: number) => object) => Array.from({ length: count }, (_, at) => make(at + 1))
const created = (task: number, t = 0, more: object = {}) => event('task.created', t, { task, name: 'n' + task, coroutine: 'c', ...more })
`
const program = (body: string): string => `${PROLOGUE}export function* main() {\n  print('on')\n  yield* sleep(0.02)\n  ${body}\n  yield* sleep(0.3)\n}\n`

/** A program that rests too rarely for a slow machine is ended for its stall. Its own messages may hide the task. */
const STALL = 'A stall: (main|something) blocked the loop'
const ENDED = new RegExp(`It ended after|${STALL}`)

/** Bodies of programs, and what the page reports for each. */
const PROGRAMS: Record<string, [code: string, status: RegExp]> = {
  'times beyond all bounds': [
    program("for (const t of [1e300, -1e300, Infinity, -Infinity, NaN, 5e-324, 2 ** 53, 0]) tell([created(1, t), event('task.running', t, { task: 1 }), event('task.suspended', t, { task: 1, on: { kind: 'sleep', deadline: t }, seconds: -1e300 }), event('loop.blocked', t, { task: 1, name: 'x', since: -1e300, seconds: 1e300 }), event('loop.unblocked', t, { task: 1, seconds: -5, since: 1e300, victims: [], lost: -1 })])"),
    /of its messages were not events, or were too large; they are left out/,
  ],
  'names of twenty megabytes': [
    program("const name = 'x'.repeat(2e7); tell([created(1, 0, { name, coroutine: name }), event('task.printed', 0, { task: 1, text: name })]); say({ type: 'line', text: name })"),
    ENDED,
  ],
  'more tasks than can be drawn, each the parent of the next': [
    program("tell(times(60_000, (at) => created(at + 10, 0, { parent: at + 9 }))); tell(times(30_000, (at) => event('task.suspended', 0, { task: 60_010 - at, on: { kind: 'task', task: 60_009 - at }, seconds: 0, location: { function: 'f', file: 'program.ts', line: 2, column: 1 } })))"),
    /It has more than 20,000 tasks; the first [\d,]+ are left out/,
  ],
  'tasks that are each other\'s parents, and made again and again': [
    program('tell(times(30_000, (at) => created(at % 3 + 1, 0, { parent: (at + 1) % 3 + 1 })))'),
    ENDED,
  ],
  'queues and stalls without end': [
    program("tell(times(1500, (at) => event('queue.changed', 0, { queue: at, op: 'get', size: 2 ** 52, unfinished: 2 ** 52, maxsize: 2 ** 52 }))); tell(times(20_000, (at) => event('queue.changed', 0, { queue: 1, op: 'put', size: at % 2 * 1e12, unfinished: 0, maxsize: 0 }))); tell(times(5000, (at) => created(at, 0))); tell(times(2000, (at) => event(at % 2 ? 'task.running' : 'task.suspended', at, { task: 1, ...(at % 2 ? {} : { on: { kind: 'yield' }, seconds: 0 }) })))"),
    ENDED,
  ],
  'a sequence of events that never ends': [
    program("for (;;) tell(times(1000, (at) => event('task.printed', 0, { text: 'again' })))"),
    new RegExp(`It sent more than the 120000 events that this page takes|${STALL}`),
  ],
  'messages without end': [program("for (;;) say({ type: 'report', failure: { text: 'again', stack: [] } })"), new RegExp(`It sent more than the 300000 messages|${STALL}`)],
  'megabytes without end': [program("const text = 'y'.repeat(1e6); for (;;) tell(times(100, () => event('task.printed', 0, { text })))"), new RegExp(`It sent more than the \\d+ characters|${STALL}`)],
  'messages that take long to unpack': [program('for (;;) say(Array.from({ length: 3e6 }, () => ({ a: {} })))'), /A stall|It sent more|left out/],
  'pongs and words about a stall without end': [program("for (let at = 0; at < 20_000; at++) { say({ type: 'pong', count: at, idle: true }); say({ type: 'held', seconds: 0, task: null, place: null }) }"), ENDED],
  'words to the document around it without end': [program('for (;;) (self as any).postMessage(seq++)'), new RegExp(STALL)],
  'lines to the console without end': [program('for (;;) console.table([seq++])'), new RegExp(STALL)],
  'nonsense of every kind': [
    program("for (const nonsense of [null, 1, 'x', [], {}, new Map([[1, 2]]), new ArrayBuffer(1e6), { type: 'events' }, { type: 'events', events: [null, 1, {}, { type: 'task.ready' }, { type: {} }] }, { type: 'ended', outcome: 'x' }, { __proto__: null, type: 'held' }, { type: 'event', event: {} }]) say(nonsense); const circle: any = { type: 'line' }; circle.text = circle; say(circle)"),
    /\d+ of its messages were not events, or were too large; they are left out/,
  ],
}

const letters = (code: string): string => deflateRawSync(JSON.stringify({ code, clock: 'real', until: 60 })).toString('base64url')
const status = (page: Page): Promise<string> => page.locator('.pg-status').innerText()

/** It takes a click, and does what was asked for. */
async function answers(page: Page): Promise<boolean> {
  for (const clock of ['virtual time', 'real time']) {
    await page.getByText(clock, { exact: true }).click()
    if (!await page.getByLabel(clock).isChecked()) return false
  }
  return true
}

t.test('a harmful program', { skip: noChromium }, async (t) => {
  const { url } = await listen(t)
  const page = await (await browser()).newPage({ viewport: { width: 1280, height: 900 } })
  t.teardown(() => page.close())
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(String(error)))
  page.setDefaultTimeout(60_000)
  await page.goto(`${url}/view/#view=playground`)
  await page.locator('.cm-content').waitFor()

  for (const [name, [code, wanted]] of Object.entries(PROGRAMS)) {
    await t.test(`leaves the page able to answer: ${name}`, async (t) => {
      await page.evaluate(`location.hash = ${JSON.stringify(`#view=playground&program=${letters(code)}`)}`)
      await page.locator('.pg-arrival.good').waitFor()
      await page.getByRole('button', { name: 'Understood' }).click()
      await page.getByRole('button', { name: /^Run/ }).click()
      t.ok(await answers(page), 'at once')
      await page.locator('.pg-status', { hasText: wanted }).waitFor().catch(async () => { throw new Error(`its status is not ${String(wanted)} but: ${await status(page)}`) })
      t.ok(await answers(page), 'and after it')
      await page.getByRole('button', { name: 'Stop' }).click({ force: true, timeout: 1000 }).catch(() => {})
      await page.locator('.pg-status', { hasNotText: 'Running' }).waitFor()
      t.match(await status(page), /\.$/)
    })
  }

  await t.test('leaves a playground in which the next program runs as usual', async (t) => {
    await page.getByText('virtual time', { exact: true }).click()
    await page.getByLabel('Start from').selectOption('3')
    await page.getByRole('button', { name: /^Run/ }).click()
    await page.locator('.pg-status.good').waitFor()
    t.same(await page.locator('.pg-lines .pg-text').allInnerTexts(), ['hello', 'world'])
    t.same(complaints, [])
  })
})

/** What a server, or another process of its cluster, may send on the stream. */
function* hostileStream(): Generator<string> {
  let seq = 0
  const event = (type: string, t: number, more: object): string => JSON.stringify({ type, seq: ++seq, t, loop: 'x', ...more })
  yield JSON.stringify({ type: 'stream.hello', epoch: 'e', seq: 1, first: 1 })
  for (const nonsense of ['', '{', 'null', '[]', '{"type":"task.ready"}', '{"type":"task.created","seq":1,"t":1e999}', `{"type":"${'x'.repeat(1e6)}"}`, '['.repeat(1e5)]) yield nonsense
  yield event('task.created', -1e300, { task: 1, name: 'x'.repeat(400_000), coroutine: '<img src=x onerror="document.title=1">' })
  yield event('task.running', 1e300, { task: 1 })
  yield event('loop.blocked', 0, { task: 1, name: '<b>x</b>', since: -1e300, seconds: 1e300, stack: [{ function: 'f', file: 'javascript:document.title=1', line: 1, column: 1 }] })
  for (let at = 2; at < 6000; at++) yield event('task.created', 0, { task: at, name: `n${at}`, coroutine: 'c', parent: at - 1 })
  for (let at = 1; at < 6000; at++) yield event('task.suspended', 0, { task: 6000 - at, on: { kind: 'task', task: 5999 - at || 5999 }, seconds: 0 })
  for (let at = 1; at < 3000; at++) yield event('queue.changed', 0, { queue: at % 20 + 1, op: 'put', size: at % 2 * 1e15, unfinished: 0, maxsize: 1e15 })
  for (let at = 1; at < 3000; at++) yield event('request.started', 0, { request: at, method: 'GET', url: '/'.repeat(1000) })
  for (let at = 1; at < 300; at++) yield JSON.stringify({ type: 'stream.dropped', count: 1e15, from: 1, to: 2 })
}

/** A server that serves the real page, and sends on the stream what it should not. */
async function serveHostile(t: { teardown: (fn: () => unknown) => void }): Promise<string> {
  const files = readPage()
  const app = fastify()
  await app.register(websocket)
  app.get('/events', { websocket: true }, (socket) => {
    for (const message of hostileStream()) socket.send(message)
  })
  app.get<{ Params: { '*': string } }>('/*', async (request, reply) => {
    const file = files?.get(request.params['*'] || 'index.html')
    return file === undefined ? reply.code(404).send() : reply.type(file.type).send(await file.read())
  })
  t.teardown(() => app.close())
  return app.listen({ host: '127.0.0.1', port: 0 })
}

t.test('a harmful server leaves the page able to answer, and its title and links unchanged', { skip: noChromium }, async (t) => {
  const url = await serveHostile(t)
  const page = await (await browser()).newPage({ viewport: { width: 1280, height: 900 } })
  t.teardown(() => page.close())
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(String(error)))
  page.setDefaultTimeout(60_000)
  await page.goto(`${url}/#from=-1e300&to=1e300&run=1e300&loop=${'x'.repeat(100_000)}&selected=-1`)
  await page.locator('.connection', { hasText: '8 unreadable' }).waitFor()
  for (const name of ['Tasks', 'Stalls', 'Output', 'Loop', 'Queues', 'Requests', 'Runs', 'Warnings', 'Table', 'Program']) {
    await page.getByRole('tab', { name: new RegExp(`^${name}`) }).click()
    t.equal(await page.getByRole('tab', { name: new RegExp(`^${name}`) }).getAttribute('aria-selected'), 'true', name)
  }
  for (const button of ['Zoom out', 'Zoom in', 'Fit']) await page.getByRole('button', { name: button, exact: true }).click()
  await page.getByRole('link', { name: 'Lessons' }).click()
  t.equal(await page.title(), 'loopscope')
  t.equal(await page.locator('a[href^="javascript:"], #app img, #app .panels b b').count(), 0)
  t.same(complaints, [])
})
