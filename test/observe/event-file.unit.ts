// A recording: what is written is what is read, however often the file is changed, and whatever is missing.
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { Fanout, type Source } from '../../src/events/fanout.ts'
import { History } from '../../src/events/history.ts'
import { Model } from '../../src/events/model.ts'
import type { LoopEvent } from '../../src/events/schema.ts'
import { EventFile, earlierPart } from '../../src/observe/event-file.ts'
import { RecordedLoop } from '../../src/observe/recorded-loop.ts'

/** A loop whose events are made by hand. */
class Loop implements Source {
  readonly origin = Date.UTC(2026, 0, 1)
  readonly model = new Model()
  readonly history: History
  readonly fanout = new Fanout(this)

  constructor(capacity = 10_000) {
    this.history = new History(capacity)
  }

  snapshot = () => this.model.snapshot()
  can = () => ['tasks', 'lab'] as const
  listen = () => () => {}

  /** A task begins, and blocks the loop for as many seconds as its number says. */
  task(task: number): void {
    const seq = this.history.last
    for (const event of [
      { type: 'task.created', task, name: `task-${task}`, coroutine: 'work' },
      { type: 'loop.unblocked', task, name: `task-${task}`, seconds: task, since: seq, victims: [], lost: 0 },
    ] as Partial<LoopEvent>[]) this.push({ ...event, seq: this.history.last + 1, t: seq + 1, loop: 'main' } as LoopEvent)
  }

  push(event: LoopEvent): void {
    this.history.push(event)
    this.model.apply(event)
  }
}

const fileIn = (t: Test): string => join(t.testdir(), 'recording.ndjson')

async function read(...paths: string[]): Promise<RecordedLoop> {
  const loop = new RecordedLoop()
  for (const path of paths) await loop.read(path)
  return loop
}

t.test('a recording says what the loop did, and is closed', async (t) => {
  const path = fileIn(t)
  const loop = new Loop()
  loop.task(1)
  const file = new EventFile(path, loop.fanout, (error) => t.fail(error.message))
  loop.task(2)
  file.flush()
  const recorded = await read(path)
  t.match(recorded, { loop: 'main', state: 'closed', recorded: true, origin: loop.origin, stallCount: 2, unreadable: 0 })
  t.same(recorded.can(), ['tasks'], 'and offers nothing else')
  t.same(recorded.stalls.map(({ name, seconds, at }) => [name, seconds, at]), [['task-1', 1, '2026-01-01T00:00:00.000Z'], ['task-2', 2, '2026-01-01T00:00:02.000Z']])
  t.same([...recorded.model.tasks.keys()], [1, 2])
  t.equal(recorded.history.epoch, loop.history.epoch)
  t.equal(recorded.now(), 3)
  t.equal(recorded.nameOf(2), 'task-2')
})

t.test('a process that was killed leaves a line that is not whole, and nothing else is missing', async (t) => {
  const path = fileIn(t)
  const loop = new Loop()
  loop.task(1)
  new EventFile(path, loop.fanout, (error) => t.fail(error.message)).flush()
  appendFileSync(path, '{"type":"loop.unblocked","t":1')
  t.match(await read(path), { stallCount: 1, unreadable: 1 })
})

t.test('it is bounded: the last events are in two files, which together say all of the end', async (t) => {
  const path = fileIn(t)
  const loop = new Loop()
  const most = 20_000
  const file = new EventFile(path, loop.fanout, (error) => t.fail(error.message), most)
  for (let task = 1; task <= 500; task++) {
    loop.task(task)
    file.flush()
    file.poll()
  }
  const sizes = [path, earlierPart(path)].map((one) => statSync(one).size)
  // A snapshot begins each, and here it is of all tasks.
  t.ok(sizes.every((size) => size < most + JSON.stringify(loop.snapshot()).length), String(sizes))
  const recorded = await read(earlierPart(path), path)
  t.equal(recorded.history.last, loop.history.last)
  t.equal(recorded.stalls.at(-1)?.name, 'task-500')
  t.ok(recorded.history.first > 1, 'the first are gone')
  t.equal(recorded.history.last - recorded.history.first + 1, recorded.stallCount * 2, 'from there on none is missing')
  t.same([...recorded.model.tasks.keys()], [...loop.model.tasks.keys()], 'what is alive is known')
  t.equal((await read(path)).history.last, loop.history.last, 'the last file is whole by itself')
})

t.test('a recording goes on behind a gap', async (t) => {
  const path = fileIn(t)
  const loop = new Loop()
  const file = new EventFile(path, loop.fanout, (error) => t.fail(error.message))
  loop.task(1)
  file.flush()
  loop.history.skip(10)
  loop.task(2)
  file.flush()
  loop.task(3)
  file.flush()
  const recorded = await read(path)
  t.equal(recorded.history.last, loop.history.last)
  t.same([...recorded.model.tasks.keys()], [1, 2, 3])
  t.ok(recorded.stalls.some(({ name }) => name === 'task-3'))
})

t.test('an observer that was started again begins the recording again', async (t) => {
  const path = fileIn(t)
  for (const task of [1, 2]) {
    const loop = new Loop()
    loop.task(task)
    const file = new EventFile(path, loop.fanout, (error) => t.fail(error.message))
    file.flush()
    loop.fanout.end('the end')
  }
  t.match((await read(earlierPart(path), path)).stalls.map(({ name }) => name), ['task-2'])
})

t.test('a file that cannot be written ends the recording, and is said once', async (t) => {
  const folder = t.testdir()
  const said: string[] = []
  const loop = new Loop()
  const file = new EventFile(join(folder, 'nowhere/recording.ndjson'), loop.fanout, ({ message }) => { said.push(message) })
  loop.task(1)
  file.flush()
  file.poll()
  t.match(said, [/ENOENT/])
  // A name that is taken by something else than a file.
  const path = join(folder, 'folder')
  mkdirSync(path)
  new EventFile(path, loop.fanout, ({ message }) => { said.push(message) }).flush()
  t.ok(existsSync(earlierPart(path)) && readFileSync(path, 'utf8') !== '', 'it is moved away, and nothing in it is lost')
  rmSync(earlierPart(path), { recursive: true })
  writeFileSync(earlierPart(path), '')
})
