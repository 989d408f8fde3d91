// The recorder, the history, the fan-out, the model, the trace and the drawing, on virtual time.
import t from 'tap'
import {
  createTask, EventLoop, gather, print, Queue, run, sleep, VirtualClock, type Coroutine,
} from '../../src/index.ts'
import { eventTypes, loopEvent, streamEvent, type EventOf, type LoopEvent, type StreamEvent } from '../../src/events/schema.ts'
import { draw } from '../../src/events/render/ascii-timeline.ts'
import { Fanout, type Message, type Sink } from '../../src/events/fanout.ts'
import { History, parseCursor } from '../../src/events/history.ts'
import { Model } from '../../src/events/model.ts'
import { Recorder } from '../../src/events/recorder.ts'
import { LONGEST_TEXT, sizeOf } from '../../src/events/texts.ts'
import { traceEvents as traced, traceTexts, type Trace } from '../../src/events/render/trace.ts'
import { taskTree } from '../../src/events/render/ascii-tree.ts'
import { brokenRules } from '../observe/trace-rules.ts'
import { eventually } from '../support/eventually.ts'

/** Runs `main` in virtual time and returns what was recorded. */
async function record(main: () => Coroutine<unknown>, options: { watch?: (recorder: Recorder) => void; debug?: boolean } = {}): Promise<LoopEvent[]> {
  const loop = new EventLoop({ clock: new VirtualClock(), debug: options.debug })
  loop.setExceptionHandler(() => {})
  const recorder = new Recorder(loop)
  const events: LoopEvent[] = []
  recorder.listen((event) => { events.push(event) })
  options.watch?.(recorder)
  recorder.nextTask({ run: 1 })
  await run(main(), { loopFactory: () => loop, name: 'main' }).catch(() => {})
  return events
}

function* worker(queue: Queue<string>): Coroutine<void> {
  for (;;) {
    yield* queue.get()
    yield* sleep(1)
    queue.taskDone()
  }
}

function* busy(): Coroutine<void> {
  const queue = new Queue<string>(1)
  const task = createTask(worker(queue), { name: 'worker' })
  for (const word of ['a', 'b', 'c']) yield* queue.put(word)
  yield* queue.join()
  yield* sleep(0)
  print('done')
  task.cancel('enough')
}

t.test('the recorder', async (t) => {
  const events = await record(busy)

  await t.test('emits valid events, numbered without a gap', async (t) => {
    for (const event of events) t.same(loopEvent.safeParse(event).error, undefined, event.type)
    t.same(events.map(({ seq }) => seq), events.map((_, at) => at + 1))
    t.ok(events.every((event, at) => at === 0 || event.t >= events[at - 1]!.t), 'time never goes back')
  })

  await t.test('records the whole life of a task', async (t) => {
    const worker = events.find((event) => event.type === 'task.created' && event.name === 'worker') as LoopEvent & { task: number }
    const life = events.filter((event) => 'task' in event && event.task === worker.task && event.type.startsWith('task.')).map(({ type }) => type)
    t.equal(life[0], 'task.created')
    t.equal(life[1], 'task.ready')
    t.equal(life[2], 'task.running')
    t.same(life.slice(-4), ['task.cancelling', 'task.ready', 'task.running', 'task.finished'])
    const finished = events.find((event) => event.type === 'task.finished' && event.task === worker.task)
    t.match(finished, { outcome: 'cancelled', run: 1 })
    t.match(worker, { coroutine: 'worker', parent: 1, run: 1 }, 'a child belongs to the run of its parent')
  })

  await t.test('records what a task waits for, and what woke it', async (t) => {
    const kinds = new Set(events.flatMap((event) => (event.type === 'task.suspended' ? [event.on.kind] : [])))
    t.same([...kinds].sort(), ['queue.get', 'queue.join', 'queue.put', 'sleep', 'yield'].sort())
    t.ok(events.some((event) => event.type === 'task.ready' && event.by === 1), 'woken by main')
    const sleeping = events.find((event) => event.type === 'task.suspended' && event.on.kind === 'sleep')
    t.match(sleeping, { on: { deadline: 1 } })
  })

  await t.test('records queues and prints', async (t) => {
    t.match(events.find((event) => event.type === 'queue.changed'), { op: 'put', size: 1, unfinished: 1, maxsize: 1, task: 1 })
    t.match(events.find((event) => event.type === 'task.printed'), { text: 'done', task: 1, run: 1 })
  })

  await t.test('records where a task waits, in debug mode', async (t) => {
    const debugged = await record(busy, { debug: true })
    const suspended = debugged.find((event) => event.type === 'task.suspended' && event.on.kind === 'sleep')
    t.match(suspended, { location: { function: 'worker', file: /stream\.unit\.ts/ } })
  })

  await t.test('cuts all texts of an event at a limit in bytes', async (t) => {
    const long = 'é😀'.repeat(1e5)
    const told: LoopEvent[] = []
    function* waits(): Coroutine<void> {
      yield* sleep(1)
    }
    const { log } = console
    console.log = () => {}
    await record(function* () {
      const task = createTask(waits(), { name: long })
      print(long)
      yield* sleep(0)
      task.cancel(long)
    }, {
      watch: (recorder) => {
        recorder.listen((event) => { told.push(event) })
        recorder.record({ type: 'request.started', request: 1, method: 'GET', url: long })
        recorder.record({ type: 'run.started', run: 1, example: 1, parameters: { long } })
        recorder.record({ type: 'loop.blocked', name: '', since: 0, seconds: 0, stack: [{ function: long, file: long, line: 1, column: 1 }] })
      },
    }).finally(() => { console.log = log })
    const cut: string[] = []
    JSON.stringify(told, (_, value: unknown) => {
      if (typeof value === 'string' && value.startsWith('é')) cut.push(value)
      return value
    })
    t.ok(cut.length >= 7, `${cut.length} texts`)
    for (const text of cut) {
      t.match(text, /^(é😀)+é?…$/u, 'it ends with a mark, and no character is cut in two')
      const bytes = Buffer.byteLength(text)
      t.ok(bytes <= LONGEST_TEXT && bytes > LONGEST_TEXT - 8, `${bytes} bytes`)
    }
    t.equal(long.length, 3e5, 'what the program has is its own')
  })

  await t.test('names the error of a task that failed', async (t) => {
    function* fails(): Coroutine<void> {
      yield* sleep(1)
      throw new RangeError('too far')
    }
    const failed = await record(fails)
    t.match(failed.find(({ type }) => type === 'task.finished'), { outcome: 'raised', error: 'RangeError: too far' })
  })
})

t.test('the model', async (t) => {
  await t.test('rebuilds at every event what is alive, and ends with nothing', async (t) => {
    const model = new Model()
    let compared = 0
    const events = await record(busy, {
      watch: (recorder) => {
        recorder.listen((event) => {
          model.apply(event)
          const alive = [...recorder.loop.liveTasks()].map(({ id }) => id)
          const told = [...model.tasks.keys()]
          // A hook is called just before or after the loop's own list changes, so they may differ by the event's own task.
          const own = 'task' in event ? event.task : 0
          const differ = [...alive.filter((id) => !told.includes(id)), ...told.filter((id) => !alive.includes(id))]
          if (differ.some((id) => id !== own)) t.fail(`${event.type}: ${told.join()} against ${alive.join()}`)
          compared++
        })
      },
    })
    t.equal(compared, events.length)
    t.same(model.snapshot().tasks, [])
  })

  await t.test('continues from a snapshot as if it had received everything', async (t) => {
    const events = await record(busy)
    for (const cut of [1, 7, Math.floor(events.length / 2), events.length - 3]) {
      const whole = new Model()
      for (const event of events.slice(0, cut)) whole.apply(event)
      const late = new Model()
      late.restore(structuredClone(whole.snapshot()))
      for (const event of events.slice(cut)) {
        whole.apply(event)
        late.apply(event)
      }
      t.same(late.snapshot(), whole.snapshot(), `cut at ${cut}`)
    }
  })
})

class Taker implements Sink {
  readonly messages: StreamEvent[] = []
  ended: string | null = null
  room = true
  onWrite = (): void => {}

  write(batch: readonly Message[]): boolean {
    for (const { json } of batch) this.messages.push(JSON.parse(json) as StreamEvent)
    this.onWrite()
    return this.room
  }

  end(reason: string): void {
    this.ended = reason
  }
}

t.test('the fan-out', async (t) => {
  function source(history = 1024): { recorder: Recorder; fanout: Fanout; say: (times: number) => void } {
    const recorder = new Recorder(new EventLoop({ clock: new VirtualClock() }), { history })
    const say = (times: number): void => {
      for (let at = 0; at < times; at++) recorder.record({ type: 'task.printed', text: String(recorder.history.last + 1), ...(at % 2 === 0 ? { task: 1 } : { task: 2 }) })
    }
    return { recorder, fanout: new Fanout(recorder), say }
  }
  const seqs = (messages: StreamEvent[]): number[] => messages.flatMap((message) => ('t' in message ? [message.seq] : []))

  await t.test('begins with a hello, a snapshot, and new events', async (t) => {
    const { fanout, say } = source()
    say(3)
    const taker = new Taker()
    const subscription = fanout.subscribe(taker)
    say(2)
    subscription.pump()
    t.match(taker.messages[0], { type: 'stream.hello', seq: 3, snapshot: { seq: 3, tasks: [] } })
    t.same(seqs(taker.messages), [4, 5])
    for (const message of taker.messages) t.ok(streamEvent.safeParse(message).success, message.type)
  })

  await t.test('resumes at a cursor without a gap and without a repeat', async (t) => {
    const { recorder, fanout, say } = source()
    say(10)
    const taker = new Taker()
    fanout.subscribe(taker, { since: { epoch: recorder.history.epoch, seq: 4 } })
    t.same(taker.messages[0], { type: 'stream.hello', epoch: recorder.history.epoch, seq: 4 })
    t.same(seqs(taker.messages), [5, 6, 7, 8, 9, 10])
  })

  await t.test('reports overwritten events, and how to continue', async (t) => {
    const { recorder, fanout, say } = source()
    say(3000)
    const taker = new Taker()
    const subscription = fanout.subscribe(taker, { since: { epoch: recorder.history.epoch, seq: 4 } })
    t.match(taker.messages[1], { type: 'stream.dropped', count: 2996, from: 5, to: 3000, snapshot: { seq: 3000 } })
    say(1)
    subscription.pump()
    t.same(seqs(taker.messages), [3001])
    t.equal(fanout.dropped, 2996)
  })

  await t.test('begins with the first event that is kept, and goes on live', async (t) => {
    const { fanout, say } = source()
    say(3000)
    const taker = new Taker()
    const subscription = fanout.subscribe(taker, { since: 'first' })
    t.match(taker.messages[0], { type: 'stream.hello', seq: 1976, first: 1977, snapshot: { seq: 3000 } })
    say(1)
    subscription.pump()
    t.same(seqs(taker.messages), Array.from({ length: 1025 }, (_, at) => 1977 + at), 'all that is kept, and what follows')
    t.equal(fanout.dropped, 0)
  })

  await t.test('reports what was overwritten while the past was sent, and goes on after it', async (t) => {
    const { fanout, say } = source(4000)
    say(4000)
    const taker = new Taker()
    taker.room = false
    const subscription = fanout.subscribe(taker, { since: 'first' })
    say(1000)
    taker.room = true
    subscription.resume()
    t.ok(await eventually(() => seqs(taker.messages).at(-1) === 5000))
    const dropped = taker.messages.filter(({ type }) => type === 'stream.dropped')
    t.same(dropped, [{ type: 'stream.dropped', count: 2999, from: 1, to: 2999 }], 'without a snapshot: the past goes on')
    t.same(seqs(taker.messages), Array.from({ length: 2001 }, (_, at) => 3000 + at))
  })

  await t.test('answers a cursor of another epoch with a snapshot', async (t) => {
    const { fanout, say } = source()
    say(5)
    const taker = new Taker()
    fanout.subscribe(taker, { since: { epoch: 'abc', seq: 2 } })
    t.match(taker.messages[1], { type: 'stream.dropped', snapshot: { seq: 5 } })
  })

  await t.test('isolates a slow subscriber from others, and reports what it missed', async (t) => {
    const { fanout, say } = source()
    const slow = new Taker()
    const quick = new Taker()
    slow.room = false
    const held = fanout.subscribe(slow)
    const free = fanout.subscribe(quick)
    for (let round = 0; round < 5; round++) {
      say(1000)
      held.pump()
      free.pump()
    }
    t.equal(seqs(quick.messages).length, 5000)
    t.equal(seqs(slow.messages).length, 0, 'nothing is written to a sink without room')
    slow.room = true
    held.resume()
    t.ok(await eventually(() => slow.messages.length > 1))
    t.match(slow.messages[1], { type: 'stream.dropped', count: 5000, from: 1, to: 5000 })
  })

  await t.test('yields between batches, even if a sink always has room again at once', async (t) => {
    const { fanout, say } = source(20_000)
    const eager = new Taker()
    eager.room = false
    eager.onWrite = () => process.nextTick(() => held.resume())
    const held = fanout.subscribe(eager)
    say(20_000)
    await new Promise((resolve) => setImmediate(resolve))
    const sent = seqs(eager.messages).length
    t.ok(sent < 20_000, `${sent} before anybody else's turn`)
    t.ok(await eventually(() => seqs(eager.messages).length === 20_000))
  })

  await t.test('sends a filtered subscriber the matching events, and bookmarks', async (t) => {
    const { fanout, say } = source(10_000)
    const taker = new Taker()
    const subscription = fanout.subscribe(taker, { types: ['task.finished'] })
    say(2500)
    subscription.pump()
    t.match(taker.messages.at(-1), { type: 'stream.bookmark', seq: 2500 })
    const ofTask = new Taker()
    const second = fanout.subscribe(ofTask, { task: 2 })
    say(4)
    second.pump()
    t.same(seqs(ofTask.messages), [2502, 2504])
  })

  await t.test('a subscriber that receives nothing else receives a sign of life, one without room does not', async (t) => {
    const { fanout, say } = source()
    say(3)
    const [quiet, full] = [new Taker(), new Taker()]
    full.room = false
    const subscriptions = [quiet, full].map((taker) => fanout.subscribe(taker, { task: 7 }))
    t.ok(await eventually(() => quiet.messages.filter(({ type }) => type === 'stream.bookmark').length === 2))
    t.match(quiet.messages.at(-1), { type: 'stream.bookmark', epoch: fanout.source.history.epoch, seq: 3 })
    t.ok(quiet.messages.every((message) => streamEvent.safeParse(message).success))
    t.same(full.messages.map(({ type }) => type), ['stream.hello'])
    for (const subscription of subscriptions) subscription.close()
  })

  await t.test('applies only the last of many filters that came while there was no room', async (t) => {
    const { fanout, say } = source()
    const taker = new Taker()
    taker.room = false
    const subscription = fanout.subscribe(taker)
    say(4)
    for (let wish = 1; wish <= 1000; wish++) subscription.change({ task: wish % 2 === 0 ? 2 : 1 })
    t.equal(taker.messages.length, 1, 'only its first hello')
    taker.room = true
    subscription.resume()
    t.ok(await eventually(() => taker.messages.length >= 4))
    t.same(taker.messages.map(({ type }) => type), ['stream.hello', 'stream.hello', 'task.printed', 'task.printed'])
    t.same(seqs(taker.messages), [2, 4], 'what the last wish was for')
  })

  await t.test('ends every subscription with the remaining events, and stops listening', async (t) => {
    const { fanout, say } = source()
    const taker = new Taker()
    fanout.subscribe(taker)
    say(2)
    fanout.end('closing')
    t.same(seqs(taker.messages), [1, 2])
    t.equal(taker.ended, 'closing')
    t.equal(fanout.size, 0)
  })

  await t.test('reads cursors, and nothing else', async (t) => {
    t.same(parseCursor('0a1b:12'), { epoch: '0a1b', seq: 12 })
    for (const text of ['', ':', 'a:', ':1', 'a:-1', 'a:1.5', 'a:01', 'zz:1', 'a:1:2', 'a:99999999999999999999']) t.equal(parseCursor(text), null, text)
  })
})

t.test('the trace', async (t) => {
  const events = await record(busy)
  const traceEvents = [...traced(events, 'busy')]
  const slices = traceEvents.filter(({ ph }) => ph === 'X')

  await t.test('has contiguous slices for each task, from its beginning to its end', async (t) => {
    const tids = new Set(slices.map(({ tid }) => tid).filter((tid) => tid !== 0))
    t.ok(tids.size >= 2)
    for (const tid of tids) {
      const own = slices.filter((slice) => slice.tid === tid)
      own.forEach((slice, at) => {
        const before = own[at - 1]
        if (before !== undefined) t.equal(slice.ts, before.ts + before.dur!, `task ${tid}, slice ${at}`)
      })
    }
  })

  await t.test('joins each wake-up with one arrow, between slices that are open then', async (t) => {
    const starts = traceEvents.filter(({ ph }) => ph === 's')
    const ends = traceEvents.filter(({ ph }) => ph === 'f')
    t.ok(starts.length > 0)
    t.same(starts.map(({ id }) => id).sort(), ends.map(({ id }) => id).sort())
    t.equal(new Set(starts.map(({ id }) => id)).size, starts.length, 'ids are unique')
    t.ok(ends.every(({ bp }) => bp === 'e'))
    for (const { ts, tid } of [...starts, ...ends]) {
      t.ok(slices.some((slice) => slice.tid === tid && slice.ts <= ts && ts <= slice.ts + slice.dur!), `a slice at ${ts} on ${tid}`)
    }
  })

  await t.test('is in order of time, slices first, with whole microseconds', async (t) => {
    traceEvents.forEach((event, at) => {
      const before = traceEvents[at - 1]
      t.ok(Number.isInteger(event.ts))
      if (before === undefined) return
      t.ok(before.ts < event.ts || (before.ts === event.ts && !(event.ph === 'X' && 'sfbeiC'.includes(before.ph))), `${at}`)
    })
    t.ok(traceEvents.some(({ ph, name }) => ph === 'C' && name.startsWith('queue')))
    t.ok(slices.some(({ tid }) => tid === 0), 'the loop has a row')
    t.same(brokenRules(traceEvents), [])
  })

  await t.test('is the same as JSON, in parts that make one text', async (t) => {
    const { traceEvents: parsed, displayTimeUnit } = JSON.parse([...traceTexts(events, 'busy')].join('')) as Trace
    t.same(parsed, JSON.parse(JSON.stringify(traceEvents)))
    t.equal(displayTimeUnit, 'ms')
    t.same(JSON.parse([...traceTexts([], 'nothing')].join('')), {
      traceEvents: [
        { name: 'process_name', ph: 'M', ts: 0, tid: 0, args: { name: 'nothing' }, pid: 1 },
        { name: 'thread_name', ph: 'M', ts: 0, tid: 0, args: { name: 'event loop' }, pid: 1 },
      ],
      displayTimeUnit: 'ms',
    })
  })

  await t.test('is made as it is read, from the events at the time of the request', async (t) => {
    const many = [...events]
    const whole = [...traceTexts(events, 'busy')]
    const parts = traceTexts(many, 'busy')[Symbol.iterator]()
    t.equal(parts.next().value, whole[0])
    // The rest is made from this.
    const changed = many.findLastIndex(({ type }) => type === 'task.printed')
    many[changed] = { ...many[changed] as EventOf<'task.printed'>, text: 'changed' }
    t.match([...{ [Symbol.iterator]: () => parts }].join(''), /"print: changed"/)
  })

  await t.test('follows the rules wherever the record begins and ends', async (t) => {
    for (let from = 0; from < events.length; from += 3) {
      for (const to of [from + 1, from + 7, events.length]) {
        const part = [...traced(events.slice(from, to), 'part')]
        t.same(brokenRules(part), [], `from ${from} to ${to}`)
        t.ok(part.length >= 2)
      }
    }
  })

  await t.test('has a stall where it was noted, although the loop continued before', async (t) => {
    const common = { loop: 'main', task: 1 }
    const [begun, noted, gone] = [{ t: 1, seq: 1 }, { t: 5, seq: 2 }, { t: 4, seq: 3 }]
    const late = [...traced([
      { ...common, ...begun, type: 'task.running' }, { ...common, ...noted, type: 'loop.unblocked', seconds: 2, victims: [], lost: 0 },
      { ...common, ...gone, type: 'task.suspended', on: { kind: 'sleep' }, seconds: 3 }, { ...common, t: 6, seq: 4, type: 'task.finished', outcome: 'returned' },
    ], 'late')]
    t.same(brokenRules(late), [])
    t.same(late.filter(({ ph, tid }) => ph === 'X' && tid === 1).map(({ name, ts, dur }) => [name, ts, dur]), [
      ['ready', 1e6, 0], ['running', 1e6, 3e6], ['waiting: sleep', 4e6, 2e6],
    ])
    t.same(late.filter(({ ph }) => ph === 'i').map(({ name, ts }) => [name, ts]), [['stall of 2 s', 5e6], ['returned', 6e6]])
  })
})

t.test('the drawing', async (t) => {
  await t.test('shows what ran, what waited and how it ended', async (t) => {
    function* say(): Coroutine<void> {
      yield* sleep(2)
    }
    function* main(): Coroutine<void> {
      yield* gather([say(), say()])
    }
    const events = (await record(main)).filter(({ run }) => run === 1)
    const lines = draw(events, 20).split('\n')
    t.match(lines[0], /^main +│█·+✓│$/)
    t.match(lines[1], /^ {2}Task-1 │█·+✓│$/)
    t.match(lines[3], /2\.000 s$/)
  })

  await t.test('draws a stall as one running and the others ready', async (t) => {
    function* hold(): Coroutine<void> {
      yield* sleep(1)
      getLoop().host.block(1)
    }
    let getLoop: () => EventLoop = () => { throw new Error('no loop yet') }
    function* main(): Coroutine<void> {
      yield* gather([hold(), hold()])
    }
    const events = (await record(main, { watch: ({ loop }) => { getLoop = () => loop } })).filter(({ run }) => run === 1)
    const lines = draw(events, 30).split('\n')
    t.match(lines[1], /│█·+█+✓ *│$/)
    t.match(lines[2], /│█·+▒+█+✓│$/)
  })
})

t.test('the tree of tasks', async (t) => {
  await t.test('puts children below their parents and shows what each waits for', async (t) => {
    const text = taskTree([
      { task: 1, name: 'main', coroutine: 'main', state: 'suspended', since: 0, on: { kind: 'gather', label: '2 of 2' } },
      { task: 2, name: 'a', coroutine: 'f', state: 'suspended', since: 1, parent: 1, on: { kind: 'sleep', deadline: 4 } },
      { task: 3, name: 'b', coroutine: 'f', state: 'ready', since: 1.5, parent: 1, run: 7 },
      { task: 9, name: 'late', coroutine: 'f', state: 'running', since: 2, parent: 5 },
    ], 2)
    t.equal(text, [
      '4 live tasks',
      '├─ 1 main: waits for gather 2 of 2 since 2.000 s',
      '│  ├─ 2 a: waits for sleep since 1.000 s, 2.000 s left',
      '│  └─ 3 b (run 7): ready for 0.500 s',
      '└─ 9 late: running',
      '',
    ].join('\n'))
  })
})

t.test('the list of types is that of the schema', async (t) => {
  t.equal(eventTypes.length, new Set(eventTypes).size)
  t.ok(eventTypes.includes('task.created'))
})

t.test('lost events use up their numbers, and what was kept before them is still found', async (t) => {
  const printed = (seq: number): LoopEvent => ({ type: 'task.printed', seq, loop: 'main', t: seq, text: String(seq) })
  const history = new History(100)
  const pushed: number[] = []
  for (let part = 0; part < 50; part++) {
    for (let n = 0; n < 1 + (part * 7) % 11; n++) {
      history.push(printed(history.last + 1))
      pushed.push(history.last)
    }
    if (part < 49) history.skip(1 + (part * 5) % 13)
  }
  const held = Array.from({ length: history.last + 5 }, (_, at) => history.find(at)).filter((event) => event !== null)
  t.same(held.map(({ seq }) => seq), pushed.slice(-100))
  t.equal(history.first, pushed.findLast((seq) => !pushed.includes(seq - 1)), 'without a hole from the last loss on')
  for (const event of held) t.equal(history.encoded(event), JSON.stringify(event))
})

t.test('the history is bounded in bytes', async (t) => {
  const printed = (seq: number, text: string): LoopEvent => ({ type: 'task.printed', seq, loop: 'main', t: seq, text })
  const held = (history: History): LoopEvent[] => Array.from({ length: history.last }, (_, at) => history.find(at + 1)).filter((event) => event !== null)
  /** What is kept once all of it has been encoded, which may push some out. */
  const bytes = (history: History): number => {
    for (const event of held(history)) history.encoded(event)
    return held(history).filter(({ type }) => type === 'task.printed').reduce((sum, event) => sum + sizeOf(event) + history.encoded(event).length, 0)
  }

  await t.test('keeps as many short events as its capacity', async (t) => {
    const history = new History(1000)
    for (let n = 1; n <= 3000; n++) history.push(printed(n, 'short'))
    t.equal(held(history).length, 1000)
    t.equal(history.first, 2001)
  })

  await t.test('keeps only the last of long ones, without a gap, and fewer with their JSON', async (t) => {
    const history = new History(1000)
    for (let n = 1; n <= 3000; n++) history.push(printed(n, 'x'.repeat(10_000)))
    const before = held(history).length
    t.ok(before > 50 && before * 10_000 <= history.mostBytes, `${before} are held`)
    t.equal(history.first, 3001 - before)
    for (const event of held(history)) t.equal(history.encoded(event), JSON.stringify(event))
    t.ok(bytes(history) <= history.mostBytes)
    t.ok(held(history).length < before)
    t.same(held(history).map(({ seq }) => seq), held(history).map((_, at) => history.first + at))
    t.same([...history.pushedSince(1, 1e9)], held(history))
  })

  await t.test('a reader of the past does not push out what it comes to next', async (t) => {
    const history = new History(1000)
    for (let n = 1; n <= 3000; n++) history.push(printed(n, 'x'.repeat(10_000)))
    const old = held(history)
    for (const event of old.slice(0, old.length / 2)) history.encoded(event)
    t.same(held(history), old)
  })

  await t.test('always keeps the last event, even one that is larger than the limit', async (t) => {
    const history = new History(1000)
    for (let n = 1; n <= 10; n++) history.push(printed(n, 'x'.repeat(2e6)))
    t.same(held(history).map(({ seq }) => seq), [10])
    history.push(printed(11, 'short'))
    t.same(held(history).map(({ seq }) => seq), [11])
  })

  await t.test('limits what is read from it in bytes too', async (t) => {
    const history = new History(1000)
    for (let n = 1; n <= 100; n++) history.push(printed(n, 'x'.repeat(1000)))
    const some = history.since(0, { most: 1000, bytes: 20_000 })
    t.ok(some.length > 10 && some.length < 20, `${some.length} of 100`)
    t.equal(some.at(-1)?.seq, 100)
    t.same(history.since(98, { most: 1000, bytes: 20_000, after: 98 }).map(({ seq }) => seq), [99, 100])
    t.equal(history.since(0, { most: 5, bytes: 20_000 }).length, 5)
  })
})
