// Motion: where each task is after each event, and the sentence that says what moved; and the panel that shows it.
import type { Page } from 'playwright-core'
import t from 'tap'
import { createTask, EventLoop, gather, Queue, run, sleep, VirtualClock, type Coroutine } from '../../src/index.ts'
import { Recorder } from '../../src/events/recorder.ts'
import { lastMove, moveBefore, moveInWords, MOST_CHIPS, nextMove, PLACES, placesAt, type Move } from '../../ui/recording/motion.ts'
import { NOW, Recording, type Position } from '../../ui/recording.ts'
import { axeFindings } from '../support/axe.ts'
import { findChromium, launch } from '../support/chromium.ts'
import { buildView } from '../support/ui.ts'
import { open, output, runExample, startServer, tab } from './support.ts'

const chromium = await findChromium()
t.setTimeout(300_000)

async function record(main: Coroutine<unknown>): Promise<Recording> {
  const loop = new EventLoop({ clock: new VirtualClock() })
  const recording = new Recording()
  const recorder = new Recorder(loop)
  recorder.listen((event) => { recording.apply(structuredClone(event)) })
  recorder.nextTask({ run: 1 })
  await run(main, { loopFactory: () => loop, name: 'main' })
  return recording
}

const ofRun = ({ run }: { run: number | null }): boolean => run === 1
const START: Position = { t: -1, seq: 0 }
const at = ({ event: { t, seq } }: Move): Position => ({ t, seq })

function moves(recording: Recording): Move[] {
  const all: Move[] = []
  for (let move = nextMove(recording, START, ofRun); move !== null; move = nextMove(recording, at(move), ofRun)) all.push(move)
  return all
}

/** The places after a move, as `timers | ready | running | waiting | ended`, each task by its name. */
function drawn(recording: Recording, position: Position): string {
  const places = placesAt(recording, position, position.t, ofRun)
  return PLACES.map((place) => places[place].chips.map(({ lane, next }) => (next ? '*' : '') + lane.name).join(' ')).join(' | ')
}

function* sleeper(seconds: number): Coroutine<void> {
  yield* sleep(seconds)
}

function* two(): Coroutine<void> {
  const first = createTask(sleeper(3))
  createTask(sleeper(1))
  yield* first
}

t.test('two tasks that sleep', async (t) => {
  const recording = await record(two())
  const table = moves(recording).map((move) => [drawn(recording, at(move)), moveInWords(recording, move)])
  t.same(table, [
    [' | *main |  |  | ', 'main is created: it joins the ready queue.'],
    [' |  | main |  | ', 'main runs: it was next in the ready queue, and no other task runs until it yields or ends.'],
    [' | *Task-1 | main |  | ', 'main creates Task-1: it joins the ready queue.'],
    [' | *Task-1 Task-2 | main |  | ', 'main creates Task-2: it joins the ready queue.'],
    [' | *Task-1 Task-2 |  | main | ', 'main waits for Task-1.'],
    [' | *Task-2 | Task-1 | main | ', 'Task-1 runs: it was next in the ready queue, and no other task runs until it yields or ends.'],
    ['Task-1 | *Task-2 |  | main | ', 'Task-1 waits for sleep 3 s: its timer is due at 3.000 s.'],
    ['Task-1 |  | Task-2 | main | ', 'Task-2 runs: it was next in the ready queue, and no other task runs until it yields or ends.'],
    ['Task-2 Task-1 |  |  | main | ', 'Task-2 waits for sleep 1 s: its timer is due at 1.000 s.'],
    ['Task-1 | *Task-2 |  | main | ', 'The timer of Task-2 is due: it joins the ready queue.'],
    ['Task-1 |  | Task-2 | main | ', 'Task-2 runs: it was next in the ready queue, and no other task runs until it yields or ends.'],
    ['Task-1 |  |  | main | Task-2', 'Task-2 ends: it returned.'],
    [' | *Task-1 |  | main | Task-2', 'The timer of Task-1 is due: it joins the ready queue.'],
    [' |  | Task-1 | main | Task-2', 'Task-1 runs: it was next in the ready queue, and no other task runs until it yields or ends.'],
    [' |  |  | main | Task-1 Task-2', 'Task-1 ends: it returned.'],
    [' | *main |  |  | Task-1 Task-2', 'Task-1 has ended, which main waits for: main joins the ready queue.'],
    [' |  | main |  | Task-1 Task-2', 'main runs: it was next in the ready queue, and no other task runs until it yields or ends.'],
    [' |  |  |  | main Task-1 Task-2', 'main ends: it returned.'],
  ])
})

t.test('the way back is the way on', async (t) => {
  const recording = await record(two())
  const on = moves(recording)
  const back: Move[] = []
  for (let move = lastMove(recording, NOW, ofRun); move !== null; move = moveBefore(recording, move, ofRun)) back.unshift(move)
  t.same(back.map(({ event }) => event.seq), on.map(({ event }) => event.seq))
  // Each move begins where the one before has left the task.
  const places = new Map<string, string>()
  for (const { lane, from, to } of on) {
    t.equal(from, places.get(lane.name) ?? null)
    places.set(lane.name, to)
  }
  t.same([...places.values()], ['ended', 'ended', 'ended'])
  t.equal(nextMove(recording, NOW, ofRun), null)
})

t.test('what wakes a task is said', async (t) => {
  const recording = await record((function* main(): Coroutine<void> {
    const queue = new Queue<number>()
    const getter = createTask(queue.get(), { name: 'getter' })
    yield* sleep(0)
    queue.putNowait(1)
    yield* getter
    const long = createTask(sleep(9), { name: 'long' })
    yield* gather([sleeper(1), sleeper(2)])
    long.cancel()
    yield* gather([long], { returnExceptions: true })
    yield* gather([createTask((function* (): Coroutine<void> { throw new RangeError('wrong') })(), { name: 'wrong' })], { returnExceptions: true })
  })())
  const said = moves(recording).map((move) => moveInWords(recording, move))
  for (const wanted of [
    'main yields with sleep(0): it goes to the end of the ready queue.',
    'getter waits for queue.get <Queue 1 maxsize=0>.',
    'main wakes getter, which waits for queue.get <Queue 1 maxsize=0>: getter joins the ready queue.',
    'getter has ended, which main waits for: main joins the ready queue.',
    'main waits for gather 2 of 2.',
    'What main waits for has happened (gather 2 of 2): main joins the ready queue.',
    'main cancels long: it joins the ready queue, and is cancelled when it runs.',
    'long ends: it was cancelled.',
    'wrong ends: it raised RangeError: wrong.',
  ]) t.ok(said.includes(wanted), wanted)
  t.notOk(said.some((sentence) => /undefined|NaN/.test(sentence)))
  // At any position, also between moves, at most one task runs, and no task is in two places.
  for (const { t: time, seq } of recording.events) {
    const places = placesAt(recording, { t: time, seq }, time)
    const all = PLACES.flatMap((place) => places[place].chips.map(({ lane }) => lane.id))
    if (places.running.chips.length > 1 || new Set(all).size !== all.length) t.fail(`at event ${seq}`)
  }
})

t.test('a place has a bounded number of chips, and says how many there are more', async (t) => {
  const recording = await record((function* main(): Coroutine<void> {
    yield* gather(Array.from({ length: 40 }, () => sleeper(1)))
  })())
  const places = placesAt(recording, recording.positionAt(0.5), 0.5, ofRun)
  t.same(places.timers.chips.map(({ lane }) => lane.name), Array.from({ length: MOST_CHIPS }, (_, index) => `Task-${index + 1}`))
  t.equal(places.timers.more, 40 - MOST_CHIPS)
  t.equal(places.timers.chips[0]?.label, 'sleep, 500 ms left')
  t.same(places.waiting.chips.map(({ lane, label }) => [lane.name, label]), [['main', 'gather 40 of 40']])
  t.equal(placesAt(recording, recording.positionAt(0.5), 1.25, ofRun).timers.chips[0]?.label, 'sleep, 250 ms late')
  t.equal(placesAt(recording, NOW, 2, ofRun).ended.more, 41 - MOST_CHIPS)
})

t.test('events that are lost leave no guess', async (t) => {
  const recording = await record(sleeper(1))
  const live = new Recording()
  for (const event of recording.events.slice(0, 5)) live.apply(event)
  live.lose(3)
  const places = placesAt(live, NOW, live.to)
  t.equal(places.unknown, 1)
  t.same(PLACES.flatMap((place) => places[place].chips), [])
})

/** What the test notes in the page: the places of each task, in order, and the transitions of chips. */
interface Noted {
  places: Record<string, string[]>
  transitions: number
}

/** Runs in the page. */
function note(): void {
  interface Node {
    querySelector(selector: string): Node | null
    querySelectorAll(selector: string): Iterable<Node>
    getAttribute(name: string): string
    closest(selector: string): Node
    textContent: string
    addEventListener(type: string, listener: (event: { propertyName: string }) => void): void
  }
  const page = globalThis as unknown as { noted: Noted; document: Node; MutationObserver: new (listener: () => void) => { observe(node: Node, options: object): void } }
  const noted: Noted = page.noted = { places: {}, transitions: 0 }
  const look = (): void => {
    for (const chip of page.document.querySelectorAll('.motion [data-task]')) {
      const places = noted.places[chip.querySelector('button')?.textContent ?? ''] ??= []
      const place = chip.closest('section').getAttribute('aria-label')
      if (places.at(-1) !== place) places.push(place)
    }
  }
  const motion = page.document.querySelector('.motion') as Node
  new page.MutationObserver(look).observe(motion, { childList: true, subtree: true })
  motion.addEventListener('transitionrun', ({ propertyName }) => { if (propertyName === 'transform') noted.transitions++ })
}

interface Spot { x: number; y: number }

/** Runs in the page: goes one event on, and returns where the running task's chip was, where it sets out, and where it ends. */
async function moved(): Promise<{ from: Spot; start: Spot; end: Spot }> {
  interface Node { querySelector(selector: string): Node; getBoundingClientRect(): Spot; click(): void; getAttribute(name: string): string; getAnimations(): { finished: Promise<unknown> }[] }
  const page = globalThis as unknown as { document: Node; MutationObserver: new (listener: () => void) => { observe(node: Node, options: object): void } }
  const spot = (node: Node): Spot => {
    const { x, y } = node.getBoundingClientRect()
    return { x, y }
  }
  const motion = page.document.querySelector('.motion')
  const chip = motion.querySelector('.in-running [data-task]')
  const from = spot(chip)
  const selector = `[data-task="${chip.getAttribute('data-task')}"]`
  const start = await new Promise<Spot>((resolve) => {
    new page.MutationObserver(() => { resolve(spot(motion.querySelector(selector))) }).observe(motion.querySelector('.in-running'), { childList: true, subtree: true })
    motion.querySelector('[aria-label="One event on"]').click()
  })
  const there = motion.querySelector(selector)
  await Promise.all(there.getAnimations().map(({ finished }) => finished))
  return { from, start, end: spot(there) }
}

const noted = (page: Page): Promise<Noted> => page.evaluate('noted') as Promise<Noted>

type Checks = Pick<typeof t, 'equal' | 'match'>

/** Compares the ways of the chips with the program. The panel began with the present, in which all tasks have ended. */
function sameWays(t: Checks, { places }: Noted): void {
  const way = (name: string): string => (places[name] ?? []).slice(places[name]?.[0] === 'Ended' ? 1 : 0).join(', ')
  for (const name of ['Task-1', 'Task-2']) t.equal(way(name), 'Ready queue, Running, Timers, Ready queue, Running, Ended')
  // The two timers may be due in one turn of the loop or in two.
  t.match(way('main'), /^Ready queue, Running, (Waiting, Ready queue, Running, ){1,2}Ended$/)
}

t.test('the panel', { skip: typeof chromium === 'string' && chromium }, async (t) => {
  if (typeof chromium === 'string') return
  await buildView()
  const server = await startServer(t)
  const browser = await launch(chromium)
  t.teardown(() => browser.close())
  const pictures = process.env['PICTURES']

  await t.test('plays a run slowly: chips go from place to place, and one event back and on', async (t) => {
    const { page, complaints } = await open(browser, server.observer, { viewport: { width: 1440, height: 900 }, bypassCSP: true })
    await tab(page, 'Output').click()
    await runExample(page, 3, { speed: '10' })
    await page.locator('.output .text', { hasText: 'world' }).waitFor()
    t.same(await output(page), ['hello', 'world'])
    await tab(page, 'Motion').click()
    const motion = page.locator('.motion')
    await motion.getByText('This is the present. Play slowly begins at the start of what the lanes show.').waitFor()
    const run = /run=(\d+)/.exec(page.url())?.[1]
    await motion.locator('.in-ended').getByRole('button', { name: 'main' }).click()
    await motion.getByText(`Play slowly begins at the start of run ${run}.`).waitFor()
    await page.getByRole('button', { name: `Only run ${run}` }).click()
    await page.evaluate(note)
    await motion.getByLabel('One event each').selectOption('0.4')
    await motion.getByRole('button', { name: 'Play slowly' }).click()
    await motion.locator('.sentence', { hasText: /Task-1 waits for sleep/ }).waitFor()
    if (pictures !== undefined) await page.screenshot({ path: `${pictures}/motion.png` })
    // It stops by itself.
    await motion.getByRole('button', { name: 'Play slowly' }).waitFor()
    t.equal(await motion.locator('.sentence').innerText(), 'main ends: it returned.')
    const seen = await noted(page)
    sameWays(t, seen)
    t.ok(seen.transitions > 10, `${seen.transitions} transitions`)
    await motion.getByRole('button', { name: 'One event back' }).click()
    await motion.locator('.sentence', { hasText: /^main runs/ }).waitFor()
    t.equal(await motion.locator('.in-running [data-task] button').innerText(), 'main')
    // It sets out from where it was, and is elsewhere at the end; in presenter mode too, where the page is zoomed.
    for (const key of ['p', 'p']) {
      await page.keyboard.press(key)
      await page.evaluate('Promise.all(document.getAnimations().map(({ finished }) => finished))')
      const { from, start, end } = await page.evaluate(moved)
      t.ok(Math.hypot(start.x - from.x, start.y - from.y) < 3, `from ${from.x}, ${from.y}; start at ${start.x}, ${start.y}`)
      t.ok(Math.hypot(end.x - from.x, end.y - from.y) > 50, `end at ${end.x}, ${end.y}`)
      await motion.getByRole('button', { name: 'One event back' }).click()
      await motion.locator('.sentence', { hasText: /^main runs/ }).waitFor()
    }
    await motion.getByRole('button', { name: 'One event on' }).press('Enter')
    await motion.locator('.sentence', { hasText: 'main ends: it returned.' }).waitFor()
    t.same(await axeFindings(page), [])
    // Nothing goes on in a panel that is not shown, or after the page has gone live.
    await motion.getByRole('button', { name: 'Play slowly' }).click()
    await motion.getByRole('button', { name: 'Stop' }).waitFor()
    await tab(page, 'Loop').click()
    await tab(page, 'Motion').click()
    await motion.getByRole('button', { name: 'Play slowly' }).click()
    await page.getByRole('button', { name: 'Go live' }).click()
    await motion.getByText('This is the present.').waitFor()
    await motion.getByRole('button', { name: 'Play slowly' }).waitFor()
    await page.emulateMedia({ colorScheme: 'dark' })
    t.same(await axeFindings(page), [])
    t.same(complaints, [])
    await page.close()
  })

  await t.test('moves nothing if the reader wants less motion; the states and the sentence are the same', async (t) => {
    const { page, complaints } = await open(browser, server.observer, { viewport: { width: 390, height: 844 }, reducedMotion: 'reduce', bypassCSP: true })
    await tab(page, 'Motion').click()
    const motion = page.locator('.motion')
    await motion.locator('.in-ended').getByRole('button', { name: 'main' }).click()
    await page.evaluate(note)
    await motion.getByLabel('One event each').selectOption('0.2')
    await motion.getByRole('button', { name: 'Play slowly' }).click()
    await motion.getByRole('button', { name: 'Stop' }).waitFor()
    await motion.getByRole('button', { name: 'Play slowly' }).waitFor()
    const seen = await noted(page)
    sameWays(t, seen)
    t.equal(seen.transitions, 0)
    t.ok(await page.evaluate('document.documentElement.scrollWidth <= innerWidth && document.querySelector(".panel-room").scrollWidth <= document.querySelector(".panel-room").clientWidth'), 'nothing is wider than the screen')
    for (let back = 0; back < 30 && await motion.locator('.next').count() === 0; back++) await motion.getByRole('button', { name: 'One event back' }).click()
    await motion.locator('.next').waitFor()
    if (pictures !== undefined) await page.screenshot({ path: `${pictures}/motion-390.png` })
    t.same(await axeFindings(page), [])
    t.same(complaints, [])
    await page.close()
  })
})
