// The observer as a thread of a real server, seen from outside: what it reports while the loop is blocked, what it serves, and
// how it ends.
import t, { type Test } from 'tap'
import { Client, fetch } from 'undici'
import { streamEvent, type EventOf, type LoopEvent } from '../../src/events/schema.ts'
import type { Frame } from '../../src/observe/stacks.ts'
import { observe } from '../../src/observe/index.ts'
import type { Trace } from '../../src/events/render/trace.ts'
import { eventually } from '../support/eventually.ts'
import { start, startServer, subscribe, type Subscriber } from './support.ts'
import { brokenRules } from './trace-rules.ts'

type Stalled = { id: number; name: string; ended: boolean }
type Blocked = EventOf<'loop.blocked'>
type Unblocked = EventOf<'loop.unblocked'>

const STALLS = 4

const STALL_MS = 700
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
const json = async <T>(url: string): Promise<T> => (await (await fetch(url, { headers: { accept: 'application/json' } })).json()) as T

/** What the stream's first message says that a program can do. */
async function abilities(observer: string): Promise<string[]> {
  const { socket, messages } = await subscribe(observer)
  socket.close()
  return [...(messages[0] as EventOf<'stream.hello'>).can ?? []].sort()
}

/** The codes with which an observer refuses what only this project's app can do. */
async function refusals(observer: string): Promise<string[]> {
  const codes = new Set<string>()
  for (const path of ['/examples', '/examples/3', '/handlers/sync?ms=1', '/ping', '/lab']) codes.add((await json<{ code: string }>(observer + path)).code)
  return [...codes]
}

t.test('a server with its observer', async (t) => {
  const { url, observer, child, ended, log } = await startServer(t)
  const watching = await subscribe(observer)

  await t.test('says on both ports that it can do everything', async (t) => {
    const all = ['examples', 'lab', 'requests', 'stall', 'tasks']
    t.same([await abilities(observer), await abilities(url)], [all, all])
    t.equal((await fetch(`${observer}/examples`)).status, 200)
  })

  await t.test(`reports ${STALLS} stalls out of ${STALLS} while they last, and afterwards what they delayed`, async (t) => {
    let delayed = 0
    for (let stall = 0; stall < STALLS; stall++) {
      const from = watching.messages.length
      // While the server's threads start there are real stalls of other code, which do not count here.
      const told = (): Blocked[] => watching.messages.slice(from).filter((event): event is Blocked => event.type === 'loop.blocked' && event.request !== undefined)
      const over = (): Unblocked | undefined =>
        watching.messages.slice(from).find((event): event is Unblocked => event.type === 'loop.unblocked' && event.request !== undefined)
      const blocking = fetch(`${url}/handlers/sync?thread=inline&ms=${STALL_MS}&work=${stall % 2 === 0 ? 'sleep' : 'spin'}`)
      t.ok(await eventually(() => told().length > 0), 'it is told')
      const pings = [fetch(`${url}/ping`), fetch(`${url}/ping`)]
      const answered = await blocking
      t.ok(told().length >= 2, `while it lasted ${told().length} times`)
      const name = `GET /handlers/sync #${answered.headers.get('x-request-id')}`
      t.match(told()[0], { name, since: Number })
      await Promise.all(pings)
      t.ok(await eventually(() => over() !== undefined))
      const { seconds, victims, lost, stack = told().find((event) => event.stack !== undefined)?.stack, ...rest } = over()!
      t.ok(seconds >= STALL_MS / 1000 && rest.name === name, `${rest.name} for ${seconds} s`)
      delayed += victims.filter((victim) => victim.name.startsWith('GET /ping')).length
      t.ok(lost >= Math.max(0, ...victims.map((victim) => victim.seconds)), `${lost} s were lost`)
      t.ok(stack?.some(({ file, line }) => /^workers\/(blocking-sleep|spin)\.ts$/.test(file) && line > 1), JSON.stringify(stack?.slice(0, 3)))
    }
    // All, unless this process sent some so late that they did not have to wait.
    t.ok(delayed > 0, `${delayed} of ${2 * STALLS} requests are named as delayed`)
  })

  await t.test('warns of the step, and answers during a stall', async (t) => {
    t.ok(await eventually(() => watching.messages.some((event) => event.type === 'warning' && event.kind === 'slow-step' && event.level === 'red')))
    const blocking = fetch(`${url}/handlers/sync?thread=inline&ms=1500`)
    t.ok(await eventually(async () => (await json<{ blocked: boolean }>(`${observer}/healthz`)).blocked))
    const { tasks } = await json<{ tasks: { name: string; state: string }[] }>(`${observer}/tasks`)
    t.match(tasks.find(({ name }) => name.startsWith('GET /handlers/sync')), { state: 'running' })
    t.match(await (await fetch(`${observer}/metrics`)).text(), /^nodejs_eventloop_delay_p99_seconds [\d.]+$/m)
    const { stalls } = await json<{ stalls: Stalled[] }>(`${observer}/stalls`)
    t.same(stalls.filter(({ ended }) => !ended), [stalls[0]])
    t.match(stalls[0], { id: stalls[1]!.id + 1, at: String, name: /^GET \/handlers\/sync/, seconds: Number, victims: [], lost: 0, trace: null, profile: null })
    t.equal((await json<{ blocked: boolean }>(`${observer}/healthz`)).blocked, true, 'it still lasts')
    await blocking
    t.ok(await eventually(() => watching.messages.some((event) => event.type === 'warning' && event.kind === 'long-running')))
  })

  await t.test('keeps long stalls with the seconds around them, as traces that follow the rules', async (t) => {
    type Kept = { id: number; name: string; seconds: number; trace: string | null }
    let kept: Kept | undefined
    t.ok(await eventually(async () => {
      kept = (await json<{ stalls: Kept[] }>(`${observer}/stalls`)).stalls.find(({ name, seconds, trace }) => trace !== null && seconds >= 1.5 && name.startsWith('GET'))
      return kept !== undefined
    }))
    t.match(kept, { name: /^GET \/handlers\/sync #\d+$/ })
    const { traceEvents } = await json<Trace>(`${observer}${kept!.trace}`)
    t.same(brokenRules(traceEvents), [])
    t.ok(traceEvents.some(({ ph, dur }) => ph === 'X' && dur !== undefined && dur >= 1.5e6), 'the step is in it')
    t.ok(traceEvents.some(({ ph, name, args }) => ph === 'i' && /^stall of/.test(name) && args?.['victims'] !== undefined), 'and the stall')
    const recent = await json<Trace>(`${observer}/trace?seconds=60`)
    t.same(brokenRules(recent.traceEvents), [])
    t.ok(recent.traceEvents.length > 100)
    t.equal((await fetch(`${observer}/stalls/999/trace`)).status, 404)
    t.equal((await fetch(`${observer}/trace?seconds=0`)).status, 400)
  })

  await t.test('reports of a run what the app reports, and its trace follows the rules', async (t) => {
    const response = await fetch(`${url}/examples/5/run?items=3&seed=7&speed=100&maxsize=1`)
    await response.text()
    const run = response.headers.get('x-run-id')!
    const here = await json(`${url}/runs/${run}`)
    const there = await json(`${observer}/runs/${run}`)
    t.same(here, there)
    t.match(here, { example: 5, outcome: 'returned', output: Array })
    const { traceEvents } = await json<Trace>(`${observer}/runs/${run}/trace`)
    t.same(brokenRules(traceEvents), [])
    t.ok(['s', 'f', 'C'].every((wanted) => traceEvents.some(({ ph }) => ph === wanted)), 'with arrows and counters')
    const suspended = watching.messages.filter((event): event is EventOf<'task.suspended'> => event.type === 'task.suspended' && String(event.run) === run)
    t.ok(suspended.length > 10 && suspended.filter(({ location }) => /examples\/5-queue\.ts$/.test(location?.file ?? '')).length > 10, 'with the lines its tasks stand at')
  })

  await t.test('cancels a task and a run through the app', async (t) => {
    const waiting = fetch(`${url}/handlers/async?ms=9000`)
    let task: { task: number } | undefined
    t.ok(await eventually(async () => {
      task = (await json<{ tasks: { task: number; name: string }[] }>(`${observer}/tasks`)).tasks.find(({ name }) => name.startsWith('GET /handlers/async'))
      return task !== undefined
    }))
    t.equal((await fetch(`${observer}/tasks/${task!.task}`, { method: 'DELETE' })).status, 202)
    t.equal((await waiting).status, 503)
    t.equal((await fetch(`${observer}/tasks/999999`, { method: 'DELETE' })).status, 404)
    const running = await fetch(`${url}/examples/5/run`)
    t.ok(await eventually(async () => (await fetch(`${observer}/runs/${running.headers.get('x-run-id')}`)).status === 200))
    t.equal((await fetch(`${observer}/runs/${running.headers.get('x-run-id')}`, { method: 'DELETE' })).status, 202)
    t.match(await running.text(), /\(cancelled\)\n$/)
  })

  await t.test('is protected as the app is', async (t) => {
    t.equal((await fetch(`${observer}/events`, { headers: { origin: 'https://evil.example' } })).status, 403)
    t.equal((await fetch(`${observer}/tasks`, { method: 'DELETE' })).status, 405)
    t.match(await (await fetch(`${observer}/nothing`)).json(), { statusCode: 404, code: 'no-such-route', error: 'Not Found' })
    t.match(await (await fetch(`${observer}/events?colour=red`)).json(), { statusCode: 400, code: 'invalid-query', details: [{ field: 'colour' }] })
  })

  await t.test('everything it has sent is in the schema, in order, without a gap or a repeat', async (t) => {
    const events = watching.messages.filter((event): event is LoopEvent => 'loop' in event)
    t.ok(events.length > 200, `${events.length} events`)
    t.same([...new Set(watching.messages.filter((event) => !streamEvent.safeParse(event).success).map(({ type }) => type))], [])
    const first = events[0]!.seq
    t.ok(events.every(({ seq }, at) => seq === first + at))
  })

  await t.test('ends with its app, and ends its subscriptions', async (t) => {
    child.kill('SIGTERM')
    t.equal(await ended, 0, log())
    await watching.closed
    t.equal(watching.messages.at(-1)!.type, 'loop.closed')
    t.notMatch(log(), /Waiting for the debugger/)
  })
})

t.test('no false alarm', async (t) => {
  // On a shared machine a thread may well have no processor for 50 ms; half a second would not be missed by mistake.
  const { url, observer } = await startServer(t, { BLOCKED_MS: '500' })
  // Starting the server's threads really blocks the loop.
  for (const thread of ['sensitive', 'pool']) await fetch(`${url}/handlers/sync?ms=1&thread=${thread}`)
  const quiet = (name: string, during: () => Promise<unknown>): Promise<unknown> => t.test(name, async (t) => {
    const { t: begun } = await json<{ t: number }>(`${url}/ping`)
    const watching = await subscribe(observer, '?types=loop.blocked')
    await during()
    t.same(watching.messages.filter((event) => event.type === 'loop.blocked' && event.since > begun), [])
    watching.socket.close()
    await watching.closed
  })
  await quiet('of a busy loop', () => Promise.all(Array.from({ length: 10 }, async () => {
    for (let asked = 0; asked < 150; asked++) await (await fetch(`${url}/ping`)).text()
  })))
  // Twice the threshold.
  await quiet('of an idle one', () => pause(1000))
})

// A thread of the idle class that shares a processor with busy ones gets hardly any of it.
t.test('a loop that is never idle', async (t) => {
  const program = start(t, 'test/observe/programs/busy.ts')
  t.ok(await eventually(() => program.log().includes('observer')), program.log())
  const [, observer] = /observer (\S+)/.exec(program.log())!
  const all = await subscribe(observer!)
  const some = await subscribe(observer!, '?types=loop.blocked,loop.unblocked')
  const metric = async (name: string): Promise<number> => Number(new RegExp(`^${name} (\\S+)`, 'm').exec(await (await fetch(`${observer}/metrics`)).text())![1])

  await t.test('names what blocks it, for filtered and for slow subscribers too', async (t) => {
    for (let time = 0; time < 4; time++) {
      await pause(150)
      const from = { all: all.messages.length, some: some.messages.length, log: program.log().length }
      program.child.kill('SIGUSR2')
      const culprit = (): string => /held by (.*)\n/.exec(program.log().slice(from.log))?.[1] ?? ''
      // A machine may take the processor away, or its memory, at any time: only this stall is looked at.
      const told = (who: Subscriber, from: number): (Blocked | Unblocked)[] =>
        who.messages.slice(from).filter((event): event is Blocked | Unblocked => (event.type === 'loop.blocked' || event.type === 'loop.unblocked') && event.name === culprit())
      t.ok(await eventually(() => [told(some, from.some), told(all, from.all)].every((list) => list.at(-1)?.type === 'loop.unblocked')), program.log())
      t.match(told(some, from.some), told(all, from.all), 'both hear the same')
      t.equal(told(some, from.some)[0]?.type, 'loop.blocked', 'while it lasts')
      const over = told(some, from.some).at(-1) as Unblocked
      t.ok(over.seconds >= 0.4 && over.victims.length >= 49, `${over.victims.length} waited for ${over.seconds} s`)
      // The machine may also take the processor from the same task before it blocks.
      const places = told(some, from.some).map(({ stack }) => stack?.[0])
      t.ok(places.some((place) => place?.function === 'hold' && place.file === 'test/observe/programs/busy.ts'), JSON.stringify(places))
    }
  })

  await t.test('has its steps counted, and no subscriber misses anything', async (t) => {
    t.equal(await metric('loopscope_events_lost_total'), 0)
    t.ok(await metric('loopscope_events_total') < 1e6)
    t.same([...all.messages, ...some.messages].filter(({ type }) => type === 'stream.dropped'), [])
    const told = all.messages.filter((message): message is LoopEvent => 'seq' in message && 'loop' in message)
    t.ok(told.every(({ seq }, at) => at === 0 || seq === told[at - 1]!.seq + 1), 'each is told once')
    const busy = told.filter((event) => event.type === 'loop.busy')
    const steps = busy.reduce((sum, event) => sum + event.steps, 0)
    t.ok(steps > 1e5 && steps > told.length, `${steps} steps in ${busy.length} stretches`)
    const { tasks } = await json<{ tasks: { task: number; name: string; state: string }[] }>(`${observer}/tasks`)
    const hurrying = tasks.filter(({ name, state }) => name.startsWith('hurries') && state !== 'suspended')
    t.equal(hurrying.length, 50)
    t.ok(busy.every((event) => event.tasks.length <= 32 && event.tasks.every(({ task }) => hurrying.some((one) => one.task === task))))
  })
  all.socket.close()
  some.socket.close()
})

t.test('another Fastify app', async (t) => {
  const program = start(t, 'test/observe/programs/blocking-app.ts')
  t.ok(await eventually(() => program.log().includes('observer')), program.log())
  const [, app, observer] = /app (\S+) observer (\S+)/.exec(program.log())!
  const watching = await subscribe(observer!)

  await t.test('has tasks and requests; nothing else is passed on to it', async (t) => {
    t.same(await abilities(observer!), ['requests', 'tasks'])
    t.same(await refusals(observer!), ['no-such-route'])
  })

  await t.test('has its ordinary handlers recorded as requests', async (t) => {
    t.equal(await (await fetch(`${app}/quick`)).text(), 'quick')
    t.equal(await (await fetch(`${app}/coroutine`)).text(), 'slept')
    t.ok(await eventually(() => watching.messages.filter(({ type }) => type === 'request.finished').length === 2))
    t.match(watching.messages.filter(({ type }) => type.startsWith('request.')), [
      { type: 'request.started', method: 'GET', url: '/quick' }, { type: 'request.finished', url: '/quick', status: 200, outcome: 'returned', seconds: Number },
      { type: 'request.started', url: '/coroutine' }, { type: 'request.finished', url: '/coroutine', status: 200, task: Number },
    ])
  })

  for (const [path, fn, mark] of [['/at-once', 'busyWait', '// at once'], ['/later', 'lateWork', '// later']] as const) {
    await t.test(`has the line reported that blocks it, ${path}`, async (t) => {
      const from = watching.messages.length
      await (await fetch(`${app}${path}`)).text()
      t.ok(await eventually(() => watching.messages.slice(from).some(({ type }) => type === 'loop.unblocked')))
      const told = watching.messages.slice(from).filter((event): event is Blocked => event.type === 'loop.blocked')
      // Its handler has returned at its first await: its stack shows later code.
      const { name, stack } = told.find((event) => event.stack !== undefined)!
      t.match(name, new RegExp(`^GET ${path} #\\d+$`))
      const { readFileSync } = await import('node:fs')
      const line = readFileSync(new URL('programs/blocking-app.ts', import.meta.url), 'utf8').split('\n').findIndex((text) => text.includes(mark)) + 1
      t.match(stack![0], { function: fn, file: 'test/observe/programs/blocking-app.ts', line })
    })
  }

  await t.test('reports at most as many delayed requests as there were clients, each of which sends one after the other', async (t) => {
    const from = watching.messages.length
    const clients = Array.from({ length: 20 }, () => new Client(app!, { pipelining: 1 }))
    let asking = true
    const asked = clients.map(async (client, at) => {
      while (asking) await (await client.request({ method: 'GET', path: at % 2 === 0 ? '/quick' : '/coroutine' })).body.text()
    })
    await pause(200)
    await (await fetch(`${app}/at-once`)).text()
    await pause(200)
    asking = false
    await Promise.all(asked)
    await Promise.all(clients.map((client) => client.close()))
    const over = (): Unblocked | undefined =>
      watching.messages.slice(from).find((event): event is Unblocked => event.type === 'loop.unblocked' && /at-once/.test(event.name ?? ''))
    t.ok(await eventually(() => over() !== undefined))
    const { victims } = over()!
    t.ok(victims.length > 0 && victims.length <= clients.length, `${victims.length} waited`)
  })

  await t.test('ends', async (t) => {
    program.child.kill('SIGTERM')
    t.equal(await program.ended, 0, program.log())
  })
})

t.test('a program without a loop of loopscope', async (t) => {
  const program = start(t, 'test/observe/programs/plain.ts')
  t.ok(await eventually(() => program.log().includes('observer')), program.log())
  const [, list, observer] = /blocked (.*) observer (\S+)/.exec(program.log())!
  const blocked = JSON.parse(list!) as { name: string; seconds: number }[]
  type Told = { ended: boolean; seconds: number; stack?: Frame[] }
  const told = (await json<{ stalls: Told[] }>(`${observer}/stalls`)).stalls.filter(({ ended }) => ended).reverse()

  await t.test('has no tasks; its requests are recorded', async (t) => {
    t.same(await abilities(observer!), ['requests'])
    t.same(await refusals(observer!), ['no-such-route'])
  })

  await t.test('has each of its stalls reported once, with its length', async (t) => {
    t.equal(told.length, blocked.length, JSON.stringify(told.map(({ seconds }) => seconds)))
    for (const [at, { seconds }] of blocked.entries()) {
      const ratio = told[at]!.seconds / seconds
      t.ok(ratio > 0.8 && ratio < 1.25, `${seconds} s are told as ${told[at]!.seconds} s`)
    }
  })

  await t.test('has the line reported that blocks it, even inside a long native function', async (t) => {
    for (const [at, { name }] of blocked.entries()) t.equal(told[at]!.stack?.[0]?.function, name)
  })
})

t.test('innocent code', async (t) => {
  type Told = { ended: boolean; name: string; stack?: Frame[] }
  const told = async (t: Test, least: number, ...args: string[]): Promise<Told[]> => {
    const program = start(t, 'test/observe/programs/innocents.ts', {}, { args })
    t.ok(await eventually(() => program.log().includes('observer')), program.log())
    const [, observer] = /observer (\S+)/.exec(program.log())!
    let stalls: Told[] = []
    t.ok(await eventually(async () => (stalls = (await json<{ stalls: Told[] }>(`${observer}/stalls`)).stalls.filter(({ ended }) => ended)).length >= least), 'the stalls are told')
    return stalls
  }

  await t.test('is not named if it is called after a native function that blocked', async (t) => {
    const stalls = await told(t, 3)
    t.same(stalls.filter(({ name, stack }) => /audit/i.test(name) || /audit/i.test(stack?.[0]?.function ?? '')), [])
    t.ok(stalls.some(({ name }) => /main/.test(name)), 'and who called that is')
  })

  await t.test('is not named if it runs on the main thread while a worker thread is observed', async (t) => {
    const stalls = await told(t, 1, 'worker')
    t.ok(stalls.every(({ name, stack }) => stack === undefined && !/innocent/.test(name)), JSON.stringify(stalls))
  })
})

t.test('an option that does not exist is refused, and nothing is started', async (t) => {
  await t.rejects(observe({ prot: 1 } as object), { name: 'TypeError', message: /^observe: unknown option prot\. The options are port, host, .*, loop$/ })
  await (await observe({ port: null })).close()
})

t.test('a program without a server ends by itself, and its loops were recorded one after the other', async (t) => {
  const program = start(t, 'test/observe/programs/observed.ts')
  t.equal(await program.ended, 0, program.log())
  t.match(program.log(), /^2 stalls$/m)
})
