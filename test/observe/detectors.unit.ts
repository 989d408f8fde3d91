// What counts as a stall or deserves a warning, as tables on a fake clock: the shared memory, the ring and the observer are
// real, and only time is made up. Real stalls are in observer.test.ts.
import { closeSync, constants, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { LoopEvent } from '../../src/events/schema.ts'
import { Observer } from '../../src/observe/observer.ts'
import type { Taken } from '../../src/observe/stacks.ts'
import { SchedulingDelay } from '../../src/observe/scheduling-delay.ts'
import { Suspensions } from '../../src/observe/suspensions.ts'
import { ThreadWatch } from '../../src/observe/thread-watch.ts'
import { HolderClock } from '../../src/probe/holder-clock.ts'
import { NUMBER, share, viewOf, WORD } from '../../src/probe/layout.ts'
import { HEAD } from '../../src/probe/record-schema.ts'
import { NO_TEXT, RingWriter } from '../../src/probe/ring.ts'

/** Seconds between two heartbeats, and between two polls. */
const BEAT = 0.02
const POLL = 0.002

/** Writes a file that only gets longer, without truncating it: some file systems write a truncated file to the disk at once. */
function overwrite(path: string, text: string): void {
  const file = openSync(path, constants.O_WRONLY | constants.O_CREAT)
  writeSync(file, text)
  closeSync(file)
}

/** A watched thread and its observer. Everything that takes time says how long. */
class World {
  now = 100
  /** How many stacks were asked for, and how many ms each takes; `null`: there are no stacks. */
  asked = 0
  tookMs: number | null = null
  readonly #shared = share(4096)
  readonly #view = viewOf(this.#shared)
  readonly #ring = new RingWriter(this.#shared)
  readonly #holder = new HolderClock(this.#view, () => this.now, true, () => {})
  readonly #observer: Observer
  /** The thread's folder in `/proc`. */
  readonly #folder: string

  /** What the thread does, as the kernel says it. */
  #state: 'runs' | 'sleeps' | 'starves' = 'runs'
  #ran = 0
  #starved = 0
  #waited = 0
  #answers = true
  #polls = true
  #tasks = 0

  constructor(folder: string) {
    this.#folder = folder
    this.#observer = new Observer({
      shared: this.#shared, loop: 'main', history: 5000, blockedSeconds: 0.05, keepSeconds: 1e9, now: () => this.now, origin: 0,
      schedulingDelay: new SchedulingDelay(folder), thread: new ThreadWatch(folder), suspensions: new Suspensions(null), takeSnapshot: () => null,
      // It answers at once, since nothing waits here.
      takeStack: () => ({
        then: (answer: (taken: Taken | null) => void) => {
          this.asked++
          answer(this.tookMs === null ? null : { at: this.now * 1000, frames: [{ function: 'deep', file: 'app.ts', line: 1, column: 1 }], origin: undefined, paused: false, took: this.tookMs })
        },
      }) as unknown as Promise<Taken | null>,
    })
    this.passes(1)
  }

  /** The stalls and warnings that were reported, in one line each. */
  get reported(): string[] {
    const { history } = this.#observer
    const round = (seconds: number): number => Math.round(seconds * 100) / 100
    return Array.from({ length: history.last }, (_, at) => history.at(at + 1)).flatMap((event: LoopEvent) => {
      if (event.type === 'loop.blocked') return [`blocked ${event.name} ${round(event.seconds)}, ${event.kind}`]
      if (event.type === 'loop.unblocked') return [`unblocked ${event.name} ${round(event.seconds)}, ${event.kind}, ${event.victims.map(({ name, seconds }) => `${name} ${round(seconds)}`).join(' ') || 'no victims'}`]
      return event.type === 'warning' ? [`${event.level} ${event.kind}: ${event.message}`] : []
    })
  }

  /** Time passes; the thread answers and the observer polls, unless they cannot. */
  passes(seconds: number): this {
    for (const end = this.now + seconds; this.now < end - 1e-9;) {
      const seconds = Math.min(POLL, end - this.now)
      this.now += seconds
      if (this.#state === 'runs') this.#ran += seconds
      else if (this.#state === 'starves') this.#starved += seconds
      // The kernel adds a wait when it is over.
      if (this.#state !== 'starves') this.#waited = this.#starved
      overwrite(join(this.#folder, 'schedstat'), `${Math.round(this.#ran * 1e9)} ${Math.round(this.#waited * 1e9)} 1`)
      overwrite(join(this.#folder, 'stat'), `1 (node) ${this.#state === 'sleeps' ? 'S' : 'R'} 0`)
      if (this.#answers && this.now - (this.#view.numbers[NUMBER.beat] as number) >= BEAT) this.#view.numbers[NUMBER.beat] = this.now
      if (this.#polls) this.#observer.poll()
    }
    return this
  }

  /** A request is read. */
  request(request: number, url: string): this {
    this.#ring.put(HEAD.requestStarted.client, 0, this.now, request, this.#ring.keep('GET'), this.#ring.putText(url), 0)
    return this
  }

  /** A task is created, and ready. It may work for a request. */
  task(name: string, request?: number): number {
    const task = ++this.#tasks
    if (request !== undefined) this.#ring.put(HEAD.scope, 0, 0, 0, request)
    this.#ring.put(HEAD.created, task, this.now, 0, this.#ring.putText(name), this.#ring.keep('main'), 0)
    this.#ring.put(HEAD.ready, task, this.now, 0)
    this.#ring.publish()
    return task
  }

  /** A step of a task, that ends in a wait, for `deadline` seconds at most. `task`: the one that is awaited, or owns the lock. */
  step(task: number, seconds: number, on: { kind: keyof typeof HEAD.suspended; label?: string; task?: number; owners?: [number, number?]; deadline?: number; timeout?: number } = { kind: 'yield' }): this {
    this.#holder.read()
    this.#holder.task(task)
    this.#ring.put(HEAD.running.next, task, this.now)
    this.#busy(seconds)
    if (on.owners !== undefined) this.#ring.put(HEAD.owners, 0, 0, on.owners[0], on.owners[1] ?? 0, 0, 0)
    const label = on.label === undefined ? NO_TEXT : this.#ring.putText(on.label)
    const deadline = on.deadline ?? on.timeout
    this.#ring.putNumber(HEAD.suspended[on.kind][on.timeout === undefined ? 'itself' : 'timeout'], task, this.now, label, on.task ?? 0, deadline === undefined ? NaN : this.now + deadline)
    return this.#free()
  }

  /** Steps of tasks, one right after the other. */
  inARow(...steps: (readonly [task: number, seconds: number])[]): this {
    for (const [task, seconds] of steps) {
      this.#holder.read()
      this.#holder.task(task)
      this.#ring.put(HEAD.running.next, task, this.now)
      this.#busy(seconds)
      this.#ring.put(HEAD.yielded, task, this.now)
      this.#holder.free()
    }
    this.#ring.publish()
    return this.passes(BEAT)
  }

  /** A task is woken by another one. */
  wakes(by: number, task: number): this {
    this.#ring.put(HEAD.ready, task, this.now, by)
    return this.#free()
  }

  cancels(by: number, task: number): this {
    this.#ring.put(HEAD.cancelling, task, this.now, by, NO_TEXT)
    return this.#free()
  }

  callback(name: string, seconds: number): this {
    const since = this.#holder.read()
    const text = this.#ring.keep(name)
    this.#holder.callback(text, since)
    this.#busy(seconds)
    this.#ring.putNumber(HEAD.blocked, 0, since, text, 0, this.now)
    return this.#free()
  }

  /** Code that the loop did not call. */
  unknown(seconds: number): this {
    this.#answers = false
    this.passes(seconds)
    this.#answers = true
    return this
  }

  /** The thread sleeps in unknown code, as in a call to the system, and has no processor afterwards. */
  sleepsAndStarves(sleeps: number, starves: number): this {
    this.#state = 'sleeps'
    this.unknown(sleeps)
    this.#state = 'starves'
    this.unknown(starves)
    this.#state = 'runs'
    return this.passes(0.2)
  }

  /** The observer gets no processor. */
  unseen(what: (world: this) => void): this {
    this.#polls = false
    what(this)
    this.#polls = true
    return this.passes(POLL)
  }

  /** The number of calls that wait for the sensitive thread. */
  queued(calls: number): this {
    this.#view.words[WORD.sensitiveQueued] = calls
    return this
  }

  #busy(seconds: number): void {
    this.#ring.publish()
    this.#answers = false
    this.passes(seconds)
    this.#answers = true
    this.#holder.read()
  }

  #free(): this {
    this.#holder.free()
    this.#ring.publish()
    return this.passes(0.2)
  }
}

const TABLE: [what: string, happens: (world: World) => void, reported: (string | RegExp)[]][] = [
  ['a step below the threshold', (world) => { world.step(world.task('A'), 0.04) }, []],
  ['a step above it: while it lasts, every 100 ms, and when it is over', (world) => { world.step(world.task('A'), 0.33) }, [
    'blocked A 0.05, javascript', 'blocked A 0.15, javascript', 'blocked A 0.25, javascript', /^red slow-step: a step of A took 330 ms/, 'unblocked A 0.33, javascript, no victims',
  ]],
  ['one that the observer could not see while it lasted', (world) => { const a = world.task('A'); world.unseen(() => world.step(a, 0.3)) }, [
    'blocked A 0.3, javascript', /^red slow-step/, 'unblocked A 0.3, javascript, no victims',
  ]],
  ['a callback, by its name', (world) => { world.callback('callback tick', 0.08) }, ['blocked callback tick 0.05, javascript', 'unblocked callback tick 0.08, javascript, no victims']],
  ['code outside of the event loop', (world) => { world.unknown(0.2).passes(0.2) }, [/^blocked code outside of the event loop 0.05/, /^blocked code/, /^unblocked code outside of the event loop 0\.\d+, unknown, no victims$/]],
  ['a thread that has no processor', (world) => { world.sleepsAndStarves(0, 0.33) }, [
    ...['0.05', '0.15', '0.25'].map((seconds) => `blocked no processor for the thread ${seconds}, starved`), /^unblocked no processor for the thread 0.3\d, starved/,
  ]],
  ['a call into the system', (world) => { world.sleepsAndStarves(0.33, 0) }, [
    ...['0.05', '0.15', '0.25'].map((seconds) => `blocked code outside of the event loop ${seconds}, system-call`), /^unblocked code outside of the event loop 0.3\d, system-call/,
  ]],
  ['one after which the thread has no processor for longer', (world) => { world.sleepsAndStarves(0.2, 0.5) }, [
    ...['0.05', '0.15', '0.25', '0.35'].map((seconds) => `blocked code outside of the event loop ${seconds}, system-call`),
    ...['0.45', '0.55', '0.65'].map((seconds) => `blocked code outside of the event loop ${seconds}, starved`), /^unblocked code outside of the event loop 0.7\d?, starved/,
  ]],
  ['steps that are each too short, but together block the loop, and one of them that is not', (world) => {
    const [a, b] = [world.task('A'), world.task('B')]
    world.inARow(...Array.from({ length: 20 }, () => [a, 0.01] as const)).passes(0.2).inARow(...Array.from({ length: 8 }, () => [a, 0.01] as const), [b, 0.06]).passes(0.2)
  }, [
    /^blocked many steps in a row 0.0[5-9], callbacks/, /^blocked many steps in a row 0.1[5-9], callbacks/, /^unblocked many steps in a row 0.2, callbacks/,
    /^blocked many steps in a row 0.0[5-9], callbacks/, /^unblocked many steps in a row 0.0[7-9], callbacks/, 'blocked B 0.05, javascript', /^amber slow-step: a step of B/, 'unblocked B 0.06, javascript, A 0.06',
  ]],
  ['tasks that were ready are delayed, and those whose wait ended meanwhile for the rest of it', (world) => {
    const [a, b, c, d] = ['A', 'B', 'C', 'D'].map((name) => world.task(name)) as [number, number, number, number]
    world.step(c, 0, { kind: 'sleep', deadline: 0.7 }).step(d, 0, { kind: 'event' }).step(b, 0).step(a, 0.5)
  }, [...Array.from({ length: 5 }, () => /^blocked A/), /^red slow-step/, 'unblocked A 0.5, javascript, B 0.5 C 0.4']],
  ['a request is delayed once, as long as the task of it that waited longest; the one that blocks does not wait for itself', (world) => {
    world.request(1, '/slow').request(2, '/quick?n=1')
    const slow = world.task('GET /slow #1', 1)
    world.task('child of the same', 1)
    const [served, child] = [world.task('GET /quick #2', 2), world.task('child', 2)]
    world.step(served, 0, { kind: 'sleep', deadline: 0.7 }).step(child, 0, { kind: 'sleep', deadline: 0.3 }).step(slow, 0.3)
  }, [...Array.from({ length: 3 }, () => /^blocked GET \/slow #1/), /^red slow-step/, 'unblocked GET /slow #1 0.3, javascript, GET /quick?n=1 #2 0.2']],
  ['two stalls in a row are two', (world) => { const [a, b] = [world.task('A'), world.task('B')]; world.step(a, 0.06).step(b, 0.06) }, [
    'blocked A 0.05, javascript', /^amber slow-step: a step of A took 60 ms/, 'unblocked A 0.06, javascript, B 0.06', 'blocked B 0.05, javascript', /^amber slow-step: a step of B/, 'unblocked B 0.06, javascript, A 0.06',
  ]],
  ['a step that never ends', (world) => { world.step(world.task('A'), 1.2) }, [
    ...Array.from({ length: 10 }, () => /^blocked A/), /^red long-running: A has run for 1\.\d s and never yields/, ...Array.from({ length: 2 }, () => /^blocked A/), /^red slow-step/, /^unblocked A 1.2/,
  ]],
  ['a cycle of awaits', (world) => {
    const [a, b] = [world.task('A'), world.task('B')]
    world.step(a, 0, { kind: 'task', task: b }).step(b, 0, { kind: 'task', task: a })
  }, ['red await-cycle: a deadlock (cycle of awaits): B → A → B']],
  ['a cycle of locks', (world) => {
    const [a, b] = [world.task('A'), world.task('B')]
    world.step(a, 0, { kind: 'lock', label: 'Lock 2', task: b }).step(b, 0, { kind: 'lock', label: 'Lock 1', task: a })
  }, ['red await-cycle: a deadlock (cycle of awaits): B → A → B; B waits for Lock 1, which A owns; A waits for Lock 2, which B owns']],
  ['a cycle of locks, once, although others wait for it and requests are served', (world) => {
    const [a, b, c, d] = ['A', 'B', 'C', 'D'].map((name) => world.task(name)) as [number, number, number, number]
    world.step(a, 0, { kind: 'lock', label: 'Lock 2', task: b }).step(d, 0, { kind: 'sleep', deadline: 9 }).step(b, 0, { kind: 'lock', label: 'Lock 1', task: a })
    world.step(c, 0, { kind: 'lock', label: 'Lock 1', task: a }).passes(3)
  }, [/^red await-cycle: a deadlock \(cycle of awaits\): B → A → B/]],
  ['a cycle that a timeout ends is no deadlock, and is one if it does not', (world) => {
    const [a, b] = [world.task('A'), world.task('B')]
    world.step(a, 0, { kind: 'lock', label: 'Lock 2', task: b, timeout: 5 }).step(b, 0, { kind: 'lock', label: 'Lock 1', task: a }).passes(4)
    world.cancels(0, a).wakes(0, a).step(a, 0, { kind: 'lock', label: 'Lock 2', task: b, timeout: 2 }).passes(2.5)
    t.same(world.reported, [])
    world.passes(1)
  }, [/^red await-cycle: a deadlock \(cycle of awaits\): A → B → A/]],
  ['nor is one that a timeout of a task ends that awaits it', (world) => {
    const [main, a, b] = [world.task('main'), world.task('A'), world.task('B')]
    world.step(main, 0, { kind: 'gather', task: a, timeout: 60 })
    world.step(a, 0, { kind: 'lock', label: 'Lock 2', task: b }).step(b, 0, { kind: 'lock', label: 'Lock 1', task: a }).passes(3)
  }, []],
  ['a semaphore whose owners all wait for it, after a second', (world) => {
    const [a, b, c, d] = ['A', 'B', 'C', 'D'].map((name) => world.task(name)) as [number, number, number, number]
    world.step(d, 0, { kind: 'sleep', deadline: 60 }).step(a, 0, { kind: 'semaphore', label: 'Semaphore 1', owners: [b, c] }).step(b, 0, { kind: 'task', task: a })
    world.passes(2)
    t.same(world.reported, [], 'C may release it')
    world.step(c, 0, { kind: 'semaphore', label: 'Semaphore 1', owners: [b, c] })
    t.same(world.reported, [])
    world.passes(1)
  }, [/^red await-cycle: a deadlock .*A waits for Semaphore 1, which B and C own/]],
  ['a lock that has been handed on is its new owner\'s', (world) => {
    const [a, b, c] = [world.task('A'), world.task('B'), world.task('C')]
    for (const task of [b, c]) world.step(task, 0, { kind: 'lock', label: 'Lock 1', task: a })
    // A releases the lock, which is B's now, and then awaits C, which waits for B.
    world.wakes(a, b).step(a, 0, { kind: 'task', task: c }).step(b, 0, { kind: 'sleep', deadline: 60 }).passes(3)
    world.wakes(0, b).step(b, 0, { kind: 'task', task: a })
  }, ['red await-cycle: a deadlock (cycle of awaits): B → A → C → B; C waits for Lock 1, which B owns']],
  ['a task that is cancelled while it waits for a lock does not become its owner, and does later', (world) => {
    const [a, b, c] = [world.task('A'), world.task('B'), world.task('C')]
    for (const task of [b, c]) world.step(task, 0, { kind: 'lock', label: 'Lock 1', task: a })
    world.cancels(a, b).wakes(a, b).step(b, 0, { kind: 'lock', label: 'Lock 1', task: a })
    // A releases the lock to C, which awaits B: B waits for C now.
    world.wakes(a, c).step(c, 0, { kind: 'task', task: b })
  }, ['red await-cycle: a deadlock (cycle of awaits): C → B → C; B waits for Lock 1, which C owns']],
  ['a lock whose owner is not known is in no cycle', (world) => {
    const [a, b, c] = [world.task('A'), world.task('B'), world.task('C')]
    for (const task of [b, c]) world.step(task, 0, { kind: 'lock', label: 'Lock 1', task: a })
    // A callback releases the lock of A.
    world.wakes(0, b).step(b, 0, { kind: 'sleep', deadline: 60 }).step(a, 0, { kind: 'task', task: c }).passes(3)
  }, []],
  ['tasks that nothing can wake, once and after a second', (world) => {
    world.step(world.task('A'), 0, { kind: 'event', label: 'Event 1' }).passes(0.7)
    world.passes(2)
  }, [/^red never-woken: .*A waits for Event 1/]],
  ['a wait that ends by itself is none of these', (world) => { world.step(world.task('A'), 0, { kind: 'event', deadline: 60 }).passes(3) }, []],
  ['calls that wait for the sensitive thread, from half a second on', (world) => { world.queued(3).passes(0.4).queued(0).passes(0.3).queued(4).passes(2).queued(0).passes(0.3) }, [/^amber sensitive-backlog: 4 calls/]],
  ['a producer before a full queue, from a second on', (world) => {
    world.step(world.task('A'), 0, { kind: 'queue.put', label: 'Queue 1' }).step(world.task('B'), 0, { kind: 'sleep', deadline: 60 }).passes(2)
  }, [/^amber queue-full: A has waited 1 s and more for room in Queue 1: no task is known to have taken an item from it$/]],
]

for (const [what, happens, wanted] of TABLE) {
  t.test(what, async (t) => {
    const world = new World(t.testdir({}))
    happens(world)
    const { reported } = world
    t.equal(reported.length, wanted.length, reported.join('\n'))
    wanted.forEach((one, at) => (typeof one === 'string' ? t.equal(reported[at], one) : t.match(reported[at], one)))
  })
}

t.test('stacks are taken through the whole stall, and take a small part of the time of the thread', async (t) => {
  const asked = (tookMs: number, seconds: number): number => {
    const world = new World(t.testdir({}))
    world.tookMs = tookMs
    world.step(world.task('A'), seconds)
    return world.asked
  }
  t.ok(asked(0.2, 0.2) >= 12, 'every 10 ms at first')
  const long = asked(0.2, 10)
  t.ok(long >= 100 && long <= 200, `${long} in 10 s`)
  const deep = asked(30, 10)
  t.ok(deep >= 10 && deep <= 18, `${deep} that take 30 ms each`)
})
