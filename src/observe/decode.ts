// Turns records back into events: the same, with the same fields, that a recorder on the loop's own thread would make.
// What tasks inherit, their run and their request, is worked out here, where it costs the loop nothing.
import type { Frame, Snapshot, Waiting, Parameters } from '../events/schema.ts'
import type { Records } from '../probe/layout.ts'
import type { RingReader } from '../probe/ring.ts'
import type { Rounds } from './rounds.ts'
import { EventBuilder, isScoped, ofTask, stamp, type Bare, type Scope, type Timed } from '../events/builder.ts'
import { EAGER, EVEN_SECONDS, STEPS_AT, STEPS_SHIFT } from '../probe/layout.ts'
import { KIND_MASK, recordReader, STEPS_KIND } from '../probe/record-schema.ts'

/** Who held the thread, from when to when, in seconds on the loop's clock. */
export interface Hold {
  from: number
  to: number
  name: string
  task?: number
  request?: number
}

/** Hears what the records say. */
export interface Listener {
  event(event: Timed): void
  /** The events of many steps at once. */
  rounds(rounds: Rounds): void
  /** So many events were lost; `alive` is what is alive after them. */
  lost(count: number): void
  restored(alive: Omit<Snapshot, 'seq'>): void
  /** Something held the thread, and does no more. */
  held(hold: Hold): void
  /** The step of a task ended that had taken so long. */
  stepped(task: number, from: number, to: number): void
  settled(): void
  /** A request that had stood in line for as long as this when it was read. */
  waited(request: number, seconds: number, t: number): void
}

/** A step of this many seconds is told of by itself. */
const LONG_STEP = 0.01
/** Names of tasks that have ended are kept for whoever looks back. */
const MOST_ENDED = 20_000
/** The same of requests. */
const MOST_ENDED_REQUESTS = 256

export class Decoder {
  readonly #reader: RingReader
  readonly #listener: Listener
  readonly #takeDescription: () => ArrayBuffer | null
  readonly #build: EventBuilder
  readonly #read: (records: Records, at: number) => void
  /** Those under way, and the last that have ended: what is told of a stall is told after it. */
  readonly #requests = new Map<number, { method: string; url: string }>()
  readonly #endedRequests: number[] = []
  readonly #runs = new Map<number, Snapshot['runs'][number]>()
  #scope: Scope | null = null
  #location: Frame | undefined
  /** So many steps of the record that comes next have been told of ahead. */
  #ahead = 0
  /** A description is being read: what it says is collected here, or told as events the first time. */
  #alive: Omit<Snapshot, 'seq'> | null = null
  #first = true

  /** `takeDescription` gives the next description that the writer has sent. */
  constructor(reader: RingReader, listener: Listener, takeDescription: () => ArrayBuffer | null) {
    this.#reader = reader
    this.#listener = listener
    this.#build = new EventBuilder((event) => listener.event(event), MOST_ENDED, (task, from, to) => listener.stepped(task, from, to))
    this.#read = this.#reads(this.#build)
    this.#takeDescription = takeDescription
  }

  /** Decode `most` records, and the last of them whole; gives how many there were. */
  read(most: number): number {
    return this.#reader.read(this.#take, most)
  }

  /** Decode all there is, published or not. The writer must stand still. */
  readAll(): void {
    this.#reader.read(this.#take, Infinity, true)
    const open = this.#reader.peek()
    if (open === null) return
    this.#steps(open.records, open.at, open.count, open.records.numbers[1] as number)
    this.#ahead = open.count
  }

  nameOf(task: number): string {
    return this.#build.known(task).name || `task ${task}`
  }

  requestName(request: number): string {
    const known = this.#requests.get(request)
    return known === undefined ? `request #${request}` : `${known.method} ${known.url} #${request}`
  }

  scopeOf(task: number): Scope {
    return this.#build.scopeOf(task)
  }

  textOf(reference: number): string {
    return this.#reader.text(reference)
  }

  /** What a description says is collected, not told as events. */
  get #restores(): boolean {
    return this.#alive !== null && !this.#first
  }

  readonly #take = (records: Records, at: number): void => {
    const head = records.words[at] as number
    if ((head & KIND_MASK) !== STEPS_KIND) {
      this.#read(records, at)
      return
    }
    const t = records.numbers[(at >> 1) + 1] as number
    if ((head & EAGER) !== 0) this.#build.begun(t, (records.words[at + STEPS_AT] as number) >>> 0, true)
    else this.#steps(records, at, head >>> STEPS_SHIFT, t)
  }

  /** What the records say, kind by kind. */
  #reads(build: EventBuilder): (records: Records, at: number) => void {
    return recordReader((reference) => this.#reader.text(reference), {
      ready: (task, t, by) => build.ready(t, task, by),
      yielded: (task, t) => {
        if (build.running.task === task) build.yielded(t, task)
      },
      suspended: (task, t, kind, label, other, deadline) => {
        const on: Waiting = { kind }
        if (label !== '') on.label = label
        else if (kind === 'task' && other !== 0) on.label = this.nameOf(other)
        if (other !== 0) {
          if (kind.startsWith('queue.')) on.queue = other
          else on.task = other
        }
        if (!Number.isNaN(deadline)) on.deadline = stamp(deadline)
        this.#suspended(t, task, on)
      },
      finished: (task, t, outcome, error) => build.finished(t, task, outcome, error === '' ? undefined : error),
      scope: (_task, _t, run, request) => {
        this.#scope = { run, request }
      },
      created: (task, t, parent, given, coroutine, number) => build.created(t, task, number === 0 ? given : `Task-${number}`, coroutine, parent, this.#takeScope()),
      alive: (task, t, state, given, coroutine, number, cancelling) => {
        const name = number === 0 ? given : `Task-${number}`
        if (!this.#restores) {
          build.created(t, task, name, coroutine, 0, this.#takeScope())
          if (state !== 'suspended') build.ready(t, task, 0)
          if (state === 'running') build.begun(t, task, false)
          return
        }
        build.meet(task, name, 0, this.#takeScope())
        if (state === 'running') build.resume(task, t)
        this.#alive?.tasks.push({ task, name, coroutine, ...build.scopeOf(task), state, since: stamp(t), ...(cancelling === 0 ? {} : { cancelling: true }) })
      },
      location: (_task, _t, name, file, line, column) => {
        this.#location = { function: name, file, line, column }
      },
      cancelling: (task, t, by, message) => build.cancelling(t, task, by, message === '' ? undefined : message),
      printed: (task, t, text) => build.printed(t, task, text),
      queue: (task, t, op, queue, size, unfinished, maxsize) => build.queueChanged(t, task, queue, op, size, unfinished, maxsize),
      requestStarted: (_task, t, request, method, url, waited) => {
        this.#requests.set(request, { method, url })
        if (this.#restores) this.#alive?.requests.push({ request, method, url })
        else build.said(t, 0, { type: 'request.started', request, method, url })
        if (waited > 0) this.#listener.waited(request, waited / 1e6, t)
      },
      requestFinished: (task, t, outcome, request, status, seconds) => {
        const { method, url } = this.#requests.get(request) ?? { method: '', url: '' }
        if (this.#endedRequests.push(request) > MOST_ENDED_REQUESTS) this.#requests.delete(this.#endedRequests.shift() as number)
        build.said(t, 0, { type: 'request.finished', request, ...ofTask(task), method, url, status, outcome, seconds: stamp(seconds) })
      },
      runStarted: (task, t, run, example, text, request) => {
        const started = { run, example, parameters: JSON.parse(text) as Parameters }
        this.#runs.set(run, started)
        if (this.#restores) this.#alive?.runs.push(started)
        else build.said(t, 0, { type: 'run.started', ...ofTask(task), ...started, ...ofRequest(request) })
      },
      runFinished: (task, t, outcome, run, error, request) => {
        const started = this.#runs.get(run) ?? { run, example: 1, parameters: {} }
        this.#runs.delete(run)
        build.said(t, 0, { type: 'run.finished', ...ofTask(task), ...started, outcome, ...(error === '' ? {} : { error }), ...ofRequest(request) })
      },
      threadStarted: (task, t, mode, call, name) => build.threadStarted(t, task, { call, mode, function: name }),
      threadFinished: (task, t, mode, ending, call, name, seconds) => build.threadFinished(t, task, { call, mode, function: name }, ending, seconds),
      loopStarted: (_task, t, clock, name, pid) => build.loop('loop.started', t, { name, pid, clock }),
      loopClosed: (_task, t, clock, name, pid) => {
        build.loop('loop.closed', t, { name, pid, clock })
        build.restart()
        this.#runs.clear()
      },
      lost: (_task, _t, count) => this.#listener.lost(count),
      described: () => this.#described(),
      held: (_task, from, name, request, to) => {
        this.#listener.held({ from, to, name: name !== '' ? name : request !== 0 ? this.requestName(request) : '', ...ofRequest(request) })
      },
      settled: () => this.#listener.settled(),
      reported: (task, t, kind, message) => build.said(t, task, { type: 'warning', kind, level: 'red', ...ofTask(task), message }),
      other: (task, t, text) => build.said(t, task, JSON.parse(text) as Bare),
    })
  }

  #takeScope(): Scope | null {
    const scope = this.#scope
    this.#scope = null
    return scope
  }

  /** Steps that follow each other. Each of them that ended before the next began ended in `sleep(0)`. */
  #steps({ words }: Records, at: number, count: number, t: number): void {
    const build = this.#build
    const seconds = (words[at + 1] as number) / 1e9
    const each = seconds <= EVEN_SECONDS ? seconds / count : 0
    let from = at + STEPS_AT + this.#ahead
    const to = at + STEPS_AT + count
    const first = at + STEPS_AT
    this.#ahead = 0
    if (from >= to) return
    const began = t + (from - first) * each
    const before = build.running
    // The one before must have ended as these do, and so soon that nobody has to hear of it by itself.
    const joins = before.task !== 0 && !build.nested && began - before.since < LONG_STEP
    if (joins && (build.scoped === 0 || (this.#plain(before.task) && this.#allPlain(words, from, to)))) {
      this.#listener.rounds({ before: before.task, seconds: began - before.since, tasks: words, from, to, began, each })
      build.resume((words[to - 1] as number) >>> 0, t + (count - 1) * each)
      return
    }
    for (; from < to; from++) this.#begin((words[from] as number) >>> 0, t + (from - first) * each)
  }

  /** Whether a task belongs to no run and no request. */
  #plain(task: number): boolean {
    return !isScoped(this.#build.known(task))
  }

  #allPlain(tasks: Int32Array, from: number, to: number): boolean {
    for (let at = from; at < to; at++) if (!this.#plain((tasks[at] as number) >>> 0)) return false
    return true
  }

  /** The step under way ended in `sleep(0)` when this one began. */
  #begin(task: number, t: number): void {
    const { running } = this.#build
    if (running.task !== 0) this.#build.yielded(t, running.task)
    this.#build.begun(t, task, false)
  }

  #suspended(t: number, task: number, on: Waiting): void {
    const location = this.#location
    this.#location = undefined
    if (this.#restores) {
      const last = this.#alive?.tasks.at(-1)
      if (last?.task === task) last.on = on
    } else if (on.kind === 'yield') this.#build.yielded(t, task, location)
    else this.#build.suspended(t, task, on, location)
  }

  #described(): void {
    const content = this.#takeDescription()
    if (content === null) return
    this.#alive = { tasks: [], runs: [], requests: [], queues: [] }
    if (!this.#first) {
      this.#requests.clear()
      this.#runs.clear()
    }
    this.#build.rest()
    this.#reader.readScroll(content, this.#take)
    const alive = this.#alive
    this.#alive = null
    if (!this.#first) this.#listener.restored(alive)
    this.#first = false
  }
}

function ofRequest(request: number): { request?: number } {
  return request === 0 ? {} : { request }
}
