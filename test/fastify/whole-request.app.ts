// The time of a request is that of all its tasks: in Server-Timing, and in the page, which knows only the events.
import { once } from 'node:events'
import t, { type Test } from 'tap'
import { fetch, WebSocket } from 'undici'
import { createTask, eagerTaskFactory, Event, EventLoop, gather, getRunningLoop, run, sleep, Task, taskGroup, VirtualClock, type Coroutine } from '../../src/index.ts'
import type { LoopEvent } from '../../src/events/schema.ts'
import { Recorder } from '../../src/events/recorder.ts'
import { BlockLog, BlockWatch, follow, Timing } from '../../src/http/request-timing.ts'
import { parseTiming } from '../../src/load/timing.ts'
import { seeded } from '../../src/seeded.ts'
import { splitOfRequest } from '../../ui/recording/served.ts'
import { Recording, type Request } from '../../ui/recording.ts'
import { buildApp } from '../../src/server/app.ts'
import { readConfig } from '../../src/server/config.ts'
import { eventually } from '../support/server.ts'

interface Times {
  run: number
  ready: number
  wait: number
  thread: number
}

interface Measured {
  timing: Timing
  /** Seconds from its beginning to its answer. */
  took: number
  served: Times
  /** The same from the events alone. */
  page: Times
}

function rounded({ run, ready, wait, thread }: Times): Times {
  const round = (seconds: number): number => Math.round(seconds * 1e4) / 1e4
  return { run: round(run), ready: round(ready), wait: round(wait), thread: round(thread) }
}

/** Serves one request by `handler` in virtual time, as the plugin does, while `others` run on the same loop. */
async function measure(handler: () => Coroutine<unknown>, others: Coroutine<unknown>[] = [], prepare: (loop: EventLoop) => void = () => {}): Promise<Measured> {
  const loop = new EventLoop({ clock: new VirtualClock() })
  const log = new BlockLog()
  new BlockWatch(loop, log)
  const recorder = new Recorder(loop)
  const recording = new Recording()
  recorder.listen((event) => recording.apply(event))
  let answered: Measured | null = null
  const serve = (): void => {
    const began = loop.time()
    const timing = new Timing(log, began, null, 0)
    recorder.record({ type: 'request.started', request: 1, method: 'GET', url: '/' })
    recorder.nextTask({ request: 1 })
    const task = new Task(handler(), { name: 'GET / #1' }, loop)
    follow(task, timing)
    task.addListener({
      settled: () => {
        timing.measure(loop.time())
        timing.over = true
        task.retrieved()
        // The end of this step is recorded after it.
        loop.callSoon(() => {
          answered = { timing, took: timing.since - began, served: rounded(timing), page: rounded(splitOfRequest(recording.requests.get(1)!, recording.lanes, timing.since)) }
        })
      },
    })
  }
  function* main(): Coroutine<void> {
    prepare(loop)
    loop.callSoon(serve)
    for (const [at, other] of others.entries()) createTask(other, { name: `other ${at}` })
    while (answered === null) yield* sleep(1)
  }
  await run(main(), { loopFactory: () => loop })
  return answered!
}

function* stall(after: number, seconds: number): Coroutine<void> {
  yield* sleep(after)
  getRunningLoop().host.block(seconds)
}

function* nested(depth: number, seconds: number): Coroutine<void> {
  if (depth === 0) yield* sleep(seconds)
  else yield* createTask(nested(depth - 1, seconds))
}

function agree(t: Test, { served, page }: Measured, expected: Times): void {
  t.same(served, expected, 'Server-Timing')
  t.same(page, expected, 'the page')
}

t.test('in virtual time', async (t) => {
  await t.test('a sleep of a child that is over during a stall is ready, as one of the handler is', async (t) => {
    const own = await measure(() => sleep(1), [stall(0.5, 3)])
    agree(t, own, { run: 0, ready: 2.5, wait: 1, thread: 0 })
    const two = await measure(function* () { yield* gather([sleep(1), sleep(2)]) }, [stall(0.5, 3)])
    agree(t, two, { run: 0, ready: 2.5, wait: 1, thread: 0 })
    t.equal(two.timing.culprit, 'other 0')
    agree(t, await measure(() => nested(5, 1), [stall(0.5, 3)]), { run: 0, ready: 2.5, wait: 1, thread: 0 })
  })

  await t.test('what a child computes is run', async (t) => {
    agree(t, await measure(function* () { yield* gather([stall(1, 2), sleep(1.5)]) }), { run: 2, ready: 0, wait: 1, thread: 0 })
    agree(t, await measure(function* () { yield* gather([stall(0, 1), stall(0, 1)]) }), { run: 2, ready: 0, wait: 0, thread: 0 })
  })

  await t.test('each moment counts once, however many tasks there are', async (t) => {
    agree(t, await measure(function* () { yield* gather(Array.from({ length: 100 }, () => sleep(2))) }), { run: 0, ready: 0, wait: 2, thread: 0 })
    agree(t, await measure(function* () { yield* gather(Array.from({ length: 100 }, () => sleep(2))) }, [stall(1, 2)]), { run: 0, ready: 1, wait: 2, thread: 0 })
  })

  await t.test('tasks of a group, of a factory, and eager ones count too', async (t) => {
    agree(t, await measure(function* () {
      yield* taskGroup(function* (group) {
        group.createTask(stall(0, 1))
        group.createTask(sleep(3))
      })
    }, [stall(2, 2)]), { run: 1, ready: 1, wait: 2, thread: 0 })
    agree(t, await measure(function* () { yield* gather([stall(0, 1), sleep(3)]) }, [stall(2, 2)], (loop) => loop.setTaskFactory(eagerTaskFactory)), { run: 1, ready: 1, wait: 2, thread: 0 })
    class Own extends Task<unknown> {}
    agree(t, await measure(function* () { yield* gather([sleep(1), sleep(2)]) }, [stall(0.5, 3)], (loop) => {
      loop.setTaskFactory((on, coro, options) => new Own(coro, options, on) as never)
    }), { run: 0, ready: 2.5, wait: 1, thread: 0 })
  })

  await t.test('a task that wakes one of them while another one’s timer is late', async (t) => {
    const event = new Event()
    function* holder(): Coroutine<void> {
      yield* sleep(0.5)
      getRunningLoop().host.block(3)
      event.set()
    }
    agree(t, await measure(function* () { yield* gather([event.wait(), sleep(1)]) }, [holder()]), { run: 0, ready: 2.5, wait: 1, thread: 0 })
  })

  await t.test('children that outlive the answer, and tasks of others, do not', async (t) => {
    agree(t, await measure(function* () {
      createTask(stall(1, 5))
      yield* sleep(0.5)
    }, [stall(0.25, 0.125)]), { run: 0, ready: 0, wait: 0.5, thread: 0 })
  })

  await t.test('any program: both say the same, and the whole time', async (t) => {
    for (let seed = 1; seed <= 300; seed++) {
      const random = seeded(seed)
      const some = (most: number): number => Math.floor(random() * most)
      function* work(depth: number): Coroutine<void> {
        for (let steps = some(4); steps >= 0; steps--) {
          const what = some(6)
          if (what === 0) getRunningLoop().host.block(some(8) / 4)
          else if (what === 1) yield* sleep(0)
          else if (what === 2 && depth > 0) yield* gather(Array.from({ length: 1 + some(3) }, () => work(depth - 1)))
          else if (what === 3 && depth > 0) createTask(work(depth - 1))
          else yield* sleep((1 + some(16)) / 8)
        }
      }
      const { served, page, timing, took } = await measure(() => work(3), [work(2), work(1)], (loop) => {
        if (seed % 3 === 0) loop.setTaskFactory(eagerTaskFactory)
      })
      t.same(page, served, `seed ${seed}`)
      const { run: running, ready, wait, thread } = timing
      t.equal((running + ready + wait + thread).toFixed(6), took.toFixed(6), `seed ${seed}: every moment`)
    }
  })
})

t.test('of a server: its header, and the events of both ports', async (t) => {
  const app = await buildApp(readConfig({ LOG_LEVEL: 'silent', OBSERVER_PORT: '0' }))
  t.teardown(() => app.close())
  app.get('/wide', { schema: { hide: true } }, function* () {
    yield* gather([sleep(0.2), sleep(0.4)])
    return 'done'
  })
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  // On a busy machine the app does not wait for it.
  await app.observer.ready
  const recordings = await Promise.all([url, app.observer.url!].map((origin) => follows(t, origin)))
  const wide = fetch(`${url}/wide`)
  t.ok(await eventually(() => app.loopscope.loop.liveTasks().size === 3))
  await (await fetch(`${url}/handlers/sync?thread=inline&ms=1000`)).text()
  const header = (await wide).headers.get('server-timing')!
  const timing = parseTiming(header)!
  t.match(header, /ready;dur=[\d.]+;desc="GET \/handlers\/sync #\d+", wait/, 'and it names the culprit')
  // The second sleep is over 0.4 s after the request began, and the stall lasts for a second.
  t.ok(timing.ready > 500, header)
  for (const recording of recordings) {
    const request = (): Request | undefined => [...recording.requests.values()].find(({ url: path, to }) => path === '/wide' && to !== null)
    t.ok(await eventually(() => request() !== undefined))
    const split = splitOfRequest(request()!, recording.lanes, Infinity)
    // The two read the clock at different moments of a step, between which a busy machine may take the processor away.
    for (const part of ['run', 'ready', 'wait', 'thread'] as const) t.ok(Math.abs(split[part] * 1000 - timing[part]) < 200, `${part}: ${split[part] * 1000} ms in the page, ${header}`)
  }
})

/** What the page knows of a server that it follows from now on. */
async function follows(t: Test, origin: string): Promise<Recording> {
  const recording = new Recording()
  const socket = new WebSocket(`${origin.replace('http', 'ws')}/events`)
  t.teardown(() => socket.close())
  socket.addEventListener('message', ({ data }) => {
    const event = JSON.parse(data as string) as LoopEvent | { type: 'stream.hello' }
    if ('t' in event) recording.apply(event)
  })
  await once(socket, 'message')
  return recording
}
