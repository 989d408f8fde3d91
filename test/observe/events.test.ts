// The observer's events, compared with those of a recorder on the loop's own thread, and with the loop itself. The observer
// runs on the same thread here: this tests what is recorded, not when.
import t from 'tap'
import { createTask, EventLoop, gather, getRunningLoop, Lock, print, Queue, run, sleep, VirtualClock, type Coroutine } from '../../src/index.ts'
import { nameOf } from '../../src/runtime/names.ts'
import { loopEvent, type EventOf, type LoopEvent, type StreamEvent } from '../../src/events/schema.ts'
import { MonitoredLoop } from '../../src/observe/monitored-loop.ts'
import { RunLog, type RunRecord } from '../../src/events/run-log.ts'
import type { Message } from '../../src/events/fanout.ts'
import { History } from '../../src/events/history.ts'
import { Model } from '../../src/events/model.ts'
import { Recorder } from '../../src/events/recorder.ts'
import { sizeOf } from '../../src/events/texts.ts'
import { runOne } from '../conformance/compare.ts'
import { generate } from '../conformance/generate.ts'
import { Random } from '../conformance/random.ts'
import { loadRuntime, type RuntimeModule } from '../conformance/runtime.ts'
import { eventually } from '../support/eventually.ts'
import { watchInline, type Inline } from './inline.ts'

const PROGRAMS = 400
const SEED = 4

/** An event without what the two sides number and measure for themselves. */
function bare(event: LoopEvent): string {
  const { seq: _, loop: __, ...rest } = event as LoopEvent & { pid?: number; location?: unknown }
  delete rest.pid
  delete rest.location
  return JSON.stringify(Object.fromEntries(Object.entries(rest).sort(([a], [b]) => (a < b ? -1 : 1))))
}

/** All events but the warnings, which a recorder does not emit. */
function eventsOf({ observer: { history } }: Inline): LoopEvent[] {
  return Array.from({ length: history.last }, (_, at) => history.at(at + 1)).filter(({ type }) => type !== 'warning')
}

/** The state of live tasks, according to the loop and to the model. */
function standing(loop: EventLoop, model: Model): [string, string] {
  const said = [...model.tasks.values()].map(({ task, state, on }) => `${task} ${state} ${on?.kind ?? ''}`)
  const is = [...loop.liveTasks()].map((task) => {
    const on = task.waiter?.describeWait().kind
    const waits = on !== undefined && on !== 'yield' && !ready.has(task.id)
    return `${task.id} ${running.includes(task.id) ? 'running ' : waits ? `suspended ${on}` : 'ready '}`
  })
  return [is.sort().join(), said.sort().join()]
}

/** An event that makes a task ready before its step has ended. */
function readyWhileRunning(events: readonly LoopEvent[]): LoopEvent | undefined {
  const running = new Set<number>()
  return events.find((event) => {
    if (event.type === 'task.running') running.add(event.task)
    else if (event.type === 'task.suspended' || event.type === 'task.finished') running.delete(event.task)
    return event.type === 'task.ready' && running.has(event.task)
  })
}

/** Tasks with a running step: more than one if a step starts another task at once. */
let running: number[] = []
const ready = new Set<number>()

t.test('random programs', async (t) => {
  const real = await loadRuntime()
  const random = new Random(SEED)
  let inline: Inline
  let recorded: LoopEvent[] = []
  let moments = 0
  const wrong: string[] = []
  const runtime: RuntimeModule = {
    ...real,
    EventLoop: class extends (real.EventLoop as unknown as typeof EventLoop) {
      constructor(options: ConstructorParameters<typeof EventLoop>[0]) {
        super(options)
        recorded = []
        running = []
        ready.clear()
        const recorder = new Recorder(this)
        recorder.listen((event) => { recorded.push(event) })
        const watched = watchInline(this, { records: 4096, history: 4096 })
        inline = watched
        this.instruments.add({
          taskReady: (task) => { ready.add(task.id) },
          taskRunning: (task) => {
            ready.delete(task.id)
            running.push(task.id)
            if (!random.chance(0.05)) return
            moments++
            watched.drain()
            const [is, said] = standing(this, watched.observer.model)
            if (is !== said) wrong.push(`${is} against ${said}`)
          },
          taskSuspended: () => { running.pop() },
          taskFinished: () => { running.pop() },
        })
      }
    } as unknown as RuntimeModule['EventLoop'],
  }
  let events = 0
  const differing: string[] = []
  for (let index = 0; index < PROGRAMS; index++) {
    await runOne(runtime, generate(SEED, index))
    inline!.drain()
    const told = eventsOf(inline!)
    events += told.length
    if (told.map(bare).join('\n') !== recorded.map(bare).join('\n')) {
      const at = told.findIndex((event, i) => recorded[i] === undefined || bare(event) !== bare(recorded[i]))
      differing.push(`program ${index}, event ${at}: ${told[at] && bare(told[at])} against ${recorded[at] && bare(recorded[at])}`)
    }
    const early = readyWhileRunning(told)
    if (early !== undefined) differing.push(`program ${index} makes a task ready while it runs: ${bare(early)}`)
    const replayed = new Model()
    for (const event of told) replayed.apply(event)
    if (replayed.tasks.size > 0) differing.push(`program ${index} leaves tasks`)
  }
  t.same(differing.slice(0, 3), [], `${events} events of ${PROGRAMS} programs are those of a recorder`)
  t.ok(events > 10_000)
  t.same(wrong.slice(0, 3), [], `the model is the loop's own picture at ${moments} moments`)
  t.ok(moments > 200)
})

/** An event without what differs from one clock to another. */
function timeless(event: LoopEvent): string {
  const { t: _, seconds: __, ...rest } = JSON.parse(bare(event)) as Record<string, unknown>
  return JSON.stringify(rest)
}

/** How often each task yielded, by its name: recorded step by step, or counted. */
function yieldsOf(events: readonly LoopEvent[]): Map<string, number> {
  const names = new Map<number, string>()
  const yields = new Map<string, number>()
  const add = (task: number, steps: number): void => {
    const name = names.get(task) ?? 'nobody'
    yields.set(name, (yields.get(name) ?? 0) + steps)
  }
  for (const event of events) {
    if (event.type === 'task.created') names.set(event.task, event.name)
    else if (event.type === 'task.suspended' && event.on.kind === 'yield') add(event.task, 1)
    else if (event.type === 'loop.busy') for (const { task, steps } of event.tasks) add(task, steps)
  }
  return yields
}

t.test('a busy stretch, on a real clock', async (t) => {
  /** The events that a recorder and the observer have of a program. */
  const both = async (main: (inline: Inline) => Coroutine<void>): Promise<{ told: LoopEvent[]; recorded: LoopEvent[]; records: number }> => {
    const loop = new EventLoop()
    const inline = watchInline(loop, { records: 2 ** 16, history: 400_000 })
    const recorded: LoopEvent[] = []
    new Recorder(loop).listen((event) => { recorded.push(event) })
    await run(main(inline), { loopFactory: () => loop, name: 'main' })
    inline.drain()
    return { told: eventsOf(inline), recorded, records: inline.ring.head }
  }
  const busyOf = (told: readonly LoopEvent[]): EventOf<'loop.busy'>[] => told.filter((event) => event.type === 'loop.busy')
  function* spins(times: number): Coroutine<void> {
    for (let n = 0; n < times; n++) yield* sleep(0)
  }

  await t.test('the first thousands of steps in a row are events, and those beyond are counted', async (t) => {
    const { told, recorded, records } = await both(function* () {
      yield* gather(Array.from({ length: 7 }, (_, number) => createTask(spins(30_000), { name: `worker ${number}` })))
    })
    const busy = busyOf(told)
    t.ok(busy.length >= 1)
    const first = told.indexOf(busy[0]!)
    t.ok(first > 3 * 4096)
    t.same(told.slice(0, first).map(timeless), recorded.slice(0, first).map(timeless), 'before the first that was counted')
    t.same(told.slice(-15).map(timeless), recorded.slice(-15).map(timeless), 'and after the last')
    t.same([...yieldsOf(told)], [...yieldsOf(recorded)], 'each step is told or counted, and whose it was')
    t.ok(told.every((event, i) => i === 0 || event.t >= told[i - 1]!.t), 'time does not go back')
    t.ok(busy.every((event, i) => event.since + event.seconds <= event.t + 1e-6 && event.since >= (busy[i - 1]?.t ?? 0)), 'they do not overlap')
    t.equal(busy.filter((event) => !loopEvent.safeParse(event).success).length, 0)
    t.ok(records < recorded.length / 10, `${records} records for ${recorded.length} events`)
    const replayed = new Model()
    for (const event of told) replayed.apply(event)
    t.equal(replayed.tasks.size, 0)
  })

  await t.test('it ends when anything else happens, and begins again soon; the running step is known', async (t) => {
    const moments: [string, string][] = []
    const { told, recorded } = await both(function* ({ drain, observer: { model } }) {
      const queue = new Queue<number>()
      function* hurries(number: number): Coroutine<void> {
        for (let n = 0; n < 20_000; n++) {
          yield* sleep(0)
          if (n % 2100 !== 300 * number) continue
          queue.putNowait(n)
          drain()
          const [own] = [...model.tasks.values()].filter(({ state }) => state === 'running')
          moments.push([own?.name ?? 'nobody', `worker ${number}`])
        }
      }
      yield* gather(Array.from({ length: 7 }, (_, number) => createTask(hurries(number), { name: `worker ${number}` })))
    })
    t.ok(moments.length > 60 && moments.every(([said, is]) => said === is))
    t.ok(busyOf(told).length > 60, `${busyOf(told).length} stretches`)
    t.ok(told.length < recorded.length / 10, `${told.length} events instead of ${recorded.length}`)
    t.same([...yieldsOf(told)], [...yieldsOf(recorded)])
    t.same(told.filter(({ type }) => type === 'queue.changed').map(timeless), recorded.filter(({ type }) => type === 'queue.changed').map(timeless))
    t.ok(told.every((event, i) => i === 0 || event.t >= told[i - 1]!.t), 'time does not go back')
  })

  await t.test('of very many tasks some are counted separately, and all together', async (t) => {
    const { told, recorded } = await both(function* () {
      yield* gather(Array.from({ length: 500 }, () => createTask(spins(100))))
    })
    const busy = busyOf(told)
    t.ok(busy.length > 0 && busy.every(({ tasks, steps }) => tasks.length <= 32 && tasks.reduce((sum, one) => sum + one.steps, 0) <= steps))
    const count = (events: readonly LoopEvent[]): number => [...yieldsOf(events.filter(({ type }) => type !== 'loop.busy')).values()].reduce((sum, one) => sum + one, 0)
    t.equal(count(told) + busy.reduce((sum, { steps }) => sum + steps, 0), count(recorded))
  })

  await t.test('a callback that blocks the loop is not part of it', async (t) => {
    let middle = 0
    const { told } = await both(function* ({ observer }) {
      const loop = getRunningLoop()
      yield* spins(5000)
      loop.callSoon(() => {
        middle = loop.time() + 0.01
        const until = performance.now() + 20
        while (performance.now() < until);
        observer.poll()
      })
      yield* spins(5000)
    })
    t.ok(busyOf(told).some(({ t: at }) => at < middle) && busyOf(told).some(({ since }) => since > middle))
    t.same(busyOf(told).filter(({ since, seconds }) => since < middle && since + seconds > middle), [])
  })

  await t.test('a long step in it has its own events, and so has each step of a run', async (t) => {
    const { told } = await both(function* ({ observer }) {
      function* holds(): Coroutine<void> {
        yield* spins(5000)
        const until = performance.now() + 20
        while (performance.now() < until);
        // As it does on its own thread while this one is blocked.
        observer.poll()
        yield* spins(5000)
      }
      yield* gather([createTask(holds(), { name: 'holds' }), createTask(spins(20_000))])
    })
    const long = told.filter((event) => event.type === 'task.suspended' && event.seconds >= 0.02) as EventOf<'task.suspended'>[]
    const holds = told.find((event) => event.type === 'task.created' && event.name === 'holds') as EventOf<'task.created'>
    // On a busy machine other steps may be long as well.
    const within = (step: EventOf<'task.suspended'>): boolean => busyOf(told).some(({ t: at }) => at < step.t) && busyOf(told).some(({ since }) => since >= step.t)
    t.ok(long.some((step) => step.task === holds.task && within(step)))

    const loop = new EventLoop()
    const inline = watchInline(loop, { history: 400_000 })
    inline.probe.nextTask({ run: 1 })
    await run(spins(10_000), { loopFactory: () => loop })
    inline.drain()
    t.equal(eventsOf(inline).filter((event) => event.type === 'task.suspended').length, 10_000)
  })
})

t.test('steps, and a ring that is full repeatedly', async (t) => {
  const loop = new EventLoop()
  const inline = watchInline(loop, { records: 4096, history: 4096 })
  let recorded = 0
  new Recorder(loop).listen(() => { recorded++ })
  const random = new Random(SEED)
  let until = 0
  const queue = new Queue<number>()
  function* hurries(): Coroutine<void> {
    for (let n = 0; n < 20_000; n++) {
      yield* sleep(0)
      // This is not a step that only yields: no step is counted.
      queue.putNowait(n)
      if (until-- > 0) continue
      // Now and then before the ring is full, now and then long after.
      until = random.int(1, 30_000)
      inline.observer.drain()
    }
  }
  function* main(): Coroutine<void> {
    yield* gather(Array.from({ length: 7 }, () => createTask(hurries())))
  }
  await run(main(), { loopFactory: () => loop, name: 'main' })
  inline.drain()
  // There is room now, so the probe records what it had lost.
  inline.drain()
  const { observer } = inline
  t.ok(observer.lostEvents > 1000, `${observer.lostEvents} of ${recorded} were lost`)
  // On a busy machine some steps are slow, and the observer warns of them.
  t.equal(observer.history.last - observer.warningCount, recorded, `every event uses up its number, lost or not; and ${observer.warningCount} warnings`)
  t.same([...observer.model.tasks], [], 'no ghosts are left')
})

t.test('ten thousands of names', async (t) => {
  const loop = new EventLoop({ clock: new VirtualClock() })
  const inline = watchInline(loop, { history: 1_000_000 })
  const locks = Array.from({ length: 6 }, () => new Lock())
  const NAMES = 40_000
  function* main(): Coroutine<void> {
    for (const lock of locks) yield* lock.acquire()
    for (let n = 0; n < NAMES; n++) {
      // The same few locks throughout, between names that never occur again.
      const task = createTask(locks[n % locks.length]!.acquire(), { name: `one of ${n}` })
      yield* sleep(0)
      task.cancel()
      yield* sleep(0)
      if (n % 500 === 0) inline.drain()
    }
  }
  await run(main(), { loopFactory: () => loop, name: 'main' })
  inline.drain()
  const events = eventsOf(inline)
  const names = new Map(events.flatMap((event) => event.type === 'task.created' ? [[event.task, event.name]] : []))
  const locked = events.filter((event) => event.type === 'task.suspended' && event.on.kind === 'lock') as EventOf<'task.suspended'>[]
  t.ok(locked.length > 20_000 && inline.observer.lostEvents === 0)
  const labels = locks.map((lock) => nameOf(lock).text)
  const wrong = locked.filter(({ task, on }) => on.label !== labels[Number(/\d+$/.exec(names.get(task)!)![0]) % locks.length])
  t.same(wrong.slice(0, 3), [], 'each has its own, and each wait names its lock')
})

t.test('texts arrive whole', async (t) => {
  const texts = ['', 'a', 'x'.repeat(20), 'x'.repeat(21), 'é'.repeat(10), '😀'.repeat(11), 'long '.repeat(60), 'x'.repeat(1024), '\n"\\', 'x'.repeat(19) + 'é']
  const loop = new EventLoop({ clock: new VirtualClock() })
  const inline = watchInline(loop)
  function* main(): Coroutine<void> {
    for (const text of texts) print(text)
    print('é'.repeat(40_000))
    yield* sleep(0)
  }
  const { log } = console
  console.log = () => {}
  await run(main(), { loopFactory: () => loop, name: 'mäin 😀' }).finally(() => { console.log = log })
  inline.drain()
  const printed = eventsOf(inline).flatMap((event) => (event.type === 'task.printed' ? [event.text] : []))
  t.same(printed.slice(0, -1), texts)
  t.match(printed.at(-1), /^é+…$/, 'what is too long is cut between two characters')
  t.ok(Buffer.byteLength(printed.at(-1)!) <= 1024, 'at a bound in bytes')
  t.match(eventsOf(inline).find(({ type }) => type === 'task.created'), { name: 'mäin 😀' })
})

t.test('long texts are cut as a recorder cuts them, wherever they are', async (t) => {
  const long = 'ü😀'.repeat(1e5)
  const loop = new EventLoop({ clock: new VirtualClock(), debug: true })
  loop.setExceptionHandler(() => {})
  const recorder = new Recorder(loop)
  const recorded: LoopEvent[] = []
  recorder.listen((event) => { recorded.push(event) })
  const inline = watchInline(loop)
  const { [long]: waits } = {
    *[long](): Coroutine<void> {
      yield* sleep(1)
    },
  }
  function* main(): Coroutine<void> {
    for (const way of [recorder, inline.probe]) way.record({ type: 'lab.finished', lab: 1, outcome: 'failed', error: long })
    const task = createTask(waits!(), { name: long })
    print(long)
    yield* sleep(0)
    task.cancel(long)
    createTask(waits!(), { name: 'cancelled without a message' }).cancel('')
    yield* sleep(0)
    inline.probe.requestStarted(1, 'GET', long, 0)
    inline.probe.requestFinished(1, 'GET', long, { status: 200, outcome: 'returned', seconds: 0 })
    inline.probe.runStarted({ run: 1, example: 1, parameters: { long } })
    inline.probe.runFinished(1, 'raised', long)
    inline.probe.reported({ kind: 'never-awaited', message: long })
  }
  const { log } = console
  console.log = () => {}
  await run(main(), { loopFactory: () => loop, name: 'main' }).finally(() => { console.log = log })
  inline.drain()
  const events = eventsOf(inline)
  const both = events.filter(({ type }) => recorded.some((other) => other.type === type))
  t.same(both.map(bare), recorded.map(bare))
  t.ok(['lab.finished', 'task.created', 'task.printed', 'task.cancelling'].every((type) => both.some((event) => event.type === type)))
  const texts: string[] = []
  JSON.stringify(Array.from({ length: inline.observer.history.last }, (_, at) => inline.observer.history.at(at + 1)), (_, value: unknown) => {
    if (typeof value === 'string' && value.startsWith('ü')) texts.push(value)
    return value
  })
  t.ok(texts.length >= 10, `${texts.length} texts`)
  t.same(texts.filter((text) => !/^(ü😀)+ü?…$/u.test(text) || Buffer.byteLength(text) > 1024), [])
  t.throws(() => { inline.probe.record({ type: 'lab.probed', lab: 1, lane: 'pool', samples: Array.from({ length: 1000 }, () => ({ t: 1, seconds: 1 })) }) },
    { name: 'RangeError', message: /an event may have 10666 characters as JSON, this one has \d+: \{"type":"lab.probed"/ })
})

t.test('what is kept of runs is limited in bytes', async (t) => {
  const begin = (log: RunLog, run: number): void => { log.onEvent({ type: 'run.started', seq: 1, t: 0, loop: 'main', run, example: 1, parameters: {} }) }
  const say = (log: RunLog, run: number, text: string): void => { log.onEvent({ type: 'task.printed', seq: 1, t: 0, loop: 'main', run, text }) }
  const end = (log: RunLog, run: number): void => { log.onEvent({ type: 'run.finished', seq: 1, t: 0, loop: 'main', run, example: 1, parameters: {}, outcome: 'returned' }) }
  const kept = (log: RunLog): number => log.list().reduce((sum, { output, events }) => sum + sizeOf(output) + sizeOf(events), 0)
  const line = 'x'.repeat(1000)

  await t.test('of one run the beginning is kept, and how much was left out', async (t) => {
    const log = new RunLog(() => '', 0)
    begin(log, 1)
    for (let n = 0; n < 3000; n++) say(log, 1, line)
    end(log, 1)
    t.ok(kept(log) <= 2.2e6, `${kept(log)} bytes`)
    const { output, events, forgotten, outcome } = log.get(1)!
    t.ok(output.length > 500 && events.length > 500)
    t.equal(output.length + events.length + forgotten, 6002)
    t.equal(outcome, 'returned')
  })

  await t.test('of all runs what the last ones did, including live runs', async (t) => {
    const log = new RunLog(() => '', 0, { mostBytes: 1e6 })
    for (let run = 1; run <= 20; run++) {
      begin(log, run)
      for (let n = 0; n < 100; n++) say(log, run, line)
      end(log, run)
    }
    t.ok(kept(log) <= 1.1e6, `${kept(log)} bytes`)
    t.equal(log.list().length, 20, 'all are still known')
    t.match(log.get(1), { output: [], events: [], forgotten: 202 })
    t.equal(log.get(20)!.output.length, 100)
    for (let run = 21; run <= 60; run++) begin(log, run)
    for (let run = 21; run <= 60; run++) for (let n = 0; n < 100; n++) say(log, run, line)
    t.ok(kept(log) <= 1.1e6, `${kept(log)} bytes`)
    log.forget(new Set())
    begin(log, 61)
    for (let n = 0; n < 100; n++) say(log, 61, line)
    t.equal(log.get(61)!.output.length, 100, 'what has gone makes room')
  })

  await t.test('of a run that was made elsewhere, too', async (t) => {
    const log = new RunLog(() => '', 0)
    const made: RunRecord = {
      run: 7, example: 1, parameters: {}, clock: 'virtual', startedAt: new Date(0).toISOString(), seconds: 1, outcome: 'returned', error: null, forgotten: 0,
      output: Array.from({ length: 5000 }, () => ({ t: 0, task: 'main', text: 'y'.repeat(5000) })),
      events: Array.from({ length: 100 }, (_, at) => ({ type: 'task.printed', seq: at + 1, t: 0, loop: 'run-7', run: 7, text: line })),
    }
    log.add(made)
    t.ok(kept(log) <= 2.2e6, `${kept(log)} bytes`)
    const { output, events, forgotten } = log.get(7)!
    t.equal(output.length + events.length + forgotten, 5100)
    t.match(output[0]!.text, /^y{1000,1023}…$/)
  })
})

t.test('what is kept of stalls is limited in bytes: the events around the last ones, and the number of all', async (t) => {
  class Kept extends MonitoredLoop {
    now(): number {
      return this.history.last
    }

    nameOf(task: number): string {
      return String(task)
    }

    hear(event: LoopEvent): void {
      this.apply({ ...event, seq: this.history.last + 1 })
    }
  }
  const record = new Kept({ loop: 'main', history: new History(20_000), keepSeconds: 0.5, origin: 0 })
  for (let stall = 1; stall <= 12; stall++) {
    const at = { seq: 0, loop: 'main', t: stall * 100 }
    for (let n = 0; n < 5000; n++) record.hear({ ...at, type: 'task.printed', text: 'x'.repeat(1000) })
    record.hear({ ...at, type: 'loop.unblocked', seconds: 1, victims: [], lost: 0 })
  }
  t.ok(await eventually(() => record.stalls.at(-1)!.events !== null))
  const sizes = record.stalls.map(({ events }) => (events === null ? 0 : sizeOf(events)))
  t.equal(sizes.length, 12)
  t.ok(sizes.reduce((sum, size) => sum + size) <= 33 * 2 ** 20, `${sizes.join()} bytes`)
  t.equal(sizes[0], 0)
  t.equal(record.stallTrace(1), null)
  t.ok(sizes.at(-1)! > 3e6 && record.stallTrace(12) !== null)
})

t.test('events of a run carry its number and their location', async (t) => {
  const loop = new EventLoop({ clock: new VirtualClock() })
  const inline = watchInline(loop)
  function* child(queue: Queue<number>): Coroutine<void> {
    yield* sleep(1)
    yield* queue.put(1) // the line to find
  }
  function* main(): Coroutine<void> {
    const queue = new Queue<number>(1)
    queue.putNowait(0)
    const task = createTask(child(queue))
    yield* sleep(2)
    yield* queue.get()
    yield* task
  }
  inline.probe.nextTask({ run: 7, request: 9 })
  await run(main(), { loopFactory: () => loop })
  inline.drain()
  const events = eventsOf(inline)
  t.same([...new Set(events.flatMap((event) => ('task' in event && event.type !== 'task.printed' && event.run !== undefined ? [`${event.run} ${event.request}`] : [])))], ['7 9'])
  const line = new Error().stack!.split('\n').find((text) => text.includes('events.test.ts'))!
  t.match(line, /events\.test\.ts:\d+/, 'stacks of this test are in lines of its source')
  const put = events.find((event) => event.type === 'task.suspended' && event.on.kind === 'queue.put')
  t.match(put, { location: { function: 'child', file: /test\/observe\/events\.test\.ts$/ } })
  const { readFileSync } = await import('node:fs')
  const text = readFileSync(new URL(import.meta.url), 'utf8').split('\n')[(put as { location: { line: number } }).location.line - 1]
  t.match(text, /the line to find/)
})

t.test('what requests have in common is sent once, and each has it', async (t) => {
  const loop = new EventLoop({ clock: new VirtualClock() })
  const inline = watchInline(loop)
  const records: number[] = []
  function* main(): Coroutine<void> {
    for (let request = 1; request <= 3; request++) {
      const { head } = inline.ring
      inline.probe.requestStarted(request, 'GET', '/ping', 0, 'client', true)
      inline.probe.nextTask({ request, prefix: 'GET /ping #' })
      createTask(sleep(1), { name: `GET /ping #${request}` })
      records.push(inline.ring.head - head)
    }
    yield* sleep(2)
  }
  await run(main(), { loopFactory: () => loop })
  inline.drain()
  const events = eventsOf(inline)
  t.same(events.flatMap((event) => (event.type === 'request.started' ? [`${event.method} ${event.url}`] : [])), Array<string>(3).fill('GET /ping'))
  t.same(events.flatMap((event) => (event.type === 'task.created' && event.request !== undefined ? [event.name] : [])), [1, 2, 3].map((request) => `GET /ping #${request}`))
  t.same(records.slice(1), [4, 4], 'the request, its number, the task, and that it is ready: no text')
})

t.test('events without room in the ring', async (t) => {
  const loop = new EventLoop({ clock: new VirtualClock() })
  const inline = watchInline(loop, { records: 4096, history: 2048 })
  const recorder = new Recorder(loop)
  const { observer } = inline
  const heard: StreamEvent[] = []
  observer.fanout.subscribe({
    write: (batch: readonly Message[]) => {
      for (const { json } of batch) heard.push(JSON.parse(json) as StreamEvent)
      return true
    },
    end: () => {},
  })
  function* waits(queue: Queue<number>): Coroutine<void> {
    yield* queue.get()
  }
  function* switches(): Coroutine<void> {
    for (let n = 0; n < 400; n++) {
      yield* sleep(0)
      // These are not steps that only yield: none is counted.
      other.putNowait(n)
    }
  }
  const other = new Queue<number>()
  function* main(): Coroutine<void> {
    const queue = new Queue<number>()
    for (let n = 0; n < 5; n++) createTask(waits(queue), { name: `waiter ${n}` })
    inline.drain()
    observer.fanout.flush()
    // Far more than fits into the ring, which is not read meanwhile.
    yield* gather(Array.from({ length: 50 }, () => switches()))
    for (let n = 0; n < 5; n++) queue.putNowait(n)
    inline.probe.requestStarted(7, 'GET', '/unseen', 0, 'page')
    inline.probe.nextTask({ request: 7 })
    const served = createTask(sleep(30), { name: 'served' })
    inline.drain()
    for (let n = 0; n < 20; n++) {
      yield* sleep(1)
      inline.drain()
    }
    t.match(observer.snapshot().tasks.find(({ name }) => name === 'served'), { request: 7, state: 'suspended', on: { kind: 'sleep' } }, 'a task that nobody saw begin is known, and for whom it is')
    t.match(observer.snapshot().requests, [{ request: 7, url: '/unseen', left: Number }], 'and that the request is one of the live page')
    served.cancel()
    observer.fanout.flush()
  }
  await run(main(), { loopFactory: () => loop, name: 'main' })
  inline.drain()
  observer.fanout.flush()

  t.ok(observer.lostEvents > 10_000, `${observer.lostEvents} were lost`)
  const warnings = heard.filter(({ type }) => type === 'warning').length
  // The recorder has no event of the request.
  t.equal(observer.history.last - warnings - 1, recorder.history.last, 'every event uses up its number, lost or not')
  const dropped = heard.find((event) => event.type === 'stream.dropped')!
  t.ok(dropped.count > 0 && dropped.snapshot !== undefined, 'the subscriber is told')
  const model = new Model()
  for (const event of heard) {
    if (event.type === 'stream.hello' || event.type === 'stream.dropped') model.restore(event.snapshot!)
    else if (event.type !== 'stream.bookmark' && event.type !== 'stream.loop') {
      t.ok(event.seq > model.seq, 'nothing comes twice')
      model.apply(event)
    }
  }
  t.same(model.snapshot().tasks, [], 'and has no ghosts in the end')
  t.same(heard.filter(({ type }) => type === 'warning'), [], 'no warning is given for what nobody saw')
  for (const event of heard) if ('loop' in event) t.ok(loopEvent.safeParse(event).success, event.type)
})
