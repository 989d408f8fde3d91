// Turns records back into events: the same, with the same fields, that a recorder on the loop's own thread would make.
// What tasks inherit, their run and their request, is worked out here, where it costs the loop nothing.
import type { EventOf, Frame, Snapshot, Waiting, Parameters } from '../events/schema.ts'
import type { Records } from '../probe/layout.ts'
import type { RingReader } from '../probe/ring.ts'
import type { Rounds } from './rounds.ts'
import { EventBuilder, isScoped, ofTask, stamp, type Bare, type Scope, type Timed } from '../events/builder.ts'
import { EVEN_SECONDS, FLAG, KIND, MODES, OPS, OUTCOMES, REPORTS, SMALL, STATES, STEPS_AT, WAIT_KINDS } from '../probe/layout.ts'
import { has } from '../probe/ring.ts'

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
    const { words, numbers } = records
    const build = this.#build
    const word = words[at] as number
    const task = (words[at + 1] as number) >>> 0
    const t = numbers[(at >> 1) + 1] as number
    switch (word & 0xff) {
      case KIND.steps:
        if (has(word, FLAG.eager)) build.begun(t, (words[at + STEPS_AT] as number) >>> 0, true)
        else this.#steps(records, at, word >>> SMALL, t)
        break
      case KIND.ready:
        build.ready(t, task, (words[at + 4] as number) >>> 0)
        break
      case KIND.yielded:
        if (build.running.task === task) build.yielded(t, task)
        break
      case KIND.suspended:
        this.#suspended(records, at, word, task, t)
        break
      case KIND.finished: {
        const reference = words[at + 5] as number
        build.finished(t, task, OUTCOMES[words[at + 4] as number] as 'returned', reference === 0 ? undefined : this.#reader.text(reference))
        break
      }
      case KIND.scope:
        this.#scope = { run: (words[at + 4] as number) >>> 0, request: (words[at + 5] as number) >>> 0 }
        break
      case KIND.created:
      case KIND.alive:
        this.#created(records, at, word, task, t)
        break
      case KIND.location:
        this.#location = {
          function: this.#reader.text(words[at + 4] as number), file: this.#reader.text(words[at + 5] as number),
          line: words[at + 6] as number, column: words[at + 7] as number,
        }
        break
      case KIND.cancelling: {
        const reference = words[at + 5] as number
        build.cancelling(t, task, (words[at + 4] as number) >>> 0, reference === 0 ? undefined : this.#reader.text(reference))
        break
      }
      case KIND.printed:
        build.printed(t, task, this.#reader.text(words[at + 4] as number))
        break
      case KIND.queue:
        build.queueChanged(t, task, {
          queue: (words[at + 4] as number) >>> 0, op: OPS[word >>> SMALL] ?? 'put', size: (words[at + 5] as number) >>> 0,
          unfinished: (words[at + 6] as number) >>> 0, maxsize: (words[at + 7] as number) >>> 0,
        })
        break
      default:
        this.#takeRare(records, at, word, task, t)
    }
  }

  #takeRare({ words, numbers }: Records, at: number, word: number, task: number, t: number): void {
    const build = this.#build
    const fourth = (words[at + 4] as number) >>> 0
    const text = (index: number): string => this.#reader.text(words[at + index] as number)
    switch (word & 0xff) {
      case KIND.requestStarted: {
        const request = { method: text(5), url: text(6) }
        this.#requests.set(fourth, request)
        if (this.#restores) this.#alive?.requests.push({ request: fourth, ...request })
        else build.said(t, 0, { type: 'request.started', request: fourth, ...request })
        const waited = (words[at + 7] as number) / 1e6
        if (waited > 0) this.#listener.waited(fourth, waited, t)
        break
      }
      case KIND.requestFinished: {
        const { method, url } = this.#requests.get(fourth) ?? { method: '', url: '' }
        if (this.#endedRequests.push(fourth) > MOST_ENDED_REQUESTS) this.#requests.delete(this.#endedRequests.shift() as number)
        const outcome = OUTCOMES[words[at + 5] as number] as EventOf<'request.finished'>['outcome']
        build.said(t, 0, {
          type: 'request.finished', request: fourth, ...ofTask(task), method, url, status: word >>> SMALL, ...(outcome === undefined ? {} : { outcome }),
          seconds: stamp(numbers[(at >> 1) + 3] as number),
        })
        break
      }
      case KIND.runStarted: {
        const run = { run: fourth, example: (words[at + 5] as number) >>> 0, parameters: JSON.parse(text(6)) as Parameters }
        this.#runs.set(fourth, run)
        if (this.#restores) this.#alive?.runs.push(run)
        else build.said(t, 0, { type: 'run.started', ...ofTask(task), ...run, ...ofRequest(words[at + 7] as number) })
        break
      }
      case KIND.runFinished: {
        const run = this.#runs.get(fourth) ?? { run: fourth, example: 1, parameters: {} }
        this.#runs.delete(fourth)
        const reference = words[at + 5] as number
        const outcome = OUTCOMES[word >>> SMALL] as 'returned' | 'raised' | 'cancelled'
        build.said(t, 0, {
          type: 'run.finished', ...ofTask(task), ...run, outcome, ...(reference === 0 ? {} : { error: this.#reader.text(reference) }), ...ofRequest(words[at + 6] as number),
        })
        break
      }
      case KIND.threadStarted:
        build.threadStarted(t, task, { call: fourth, mode: MODES[word >>> SMALL] ?? 'pool', function: text(5) })
        break
      case KIND.threadFinished:
        build.threadFinished(
          t, task, { call: fourth, mode: MODES[(word >>> SMALL) & 15] ?? 'pool', function: text(5) },
          OUTCOMES[word >>> (SMALL + 4)] as EventOf<'thread.finished'>['ending'], numbers[(at >> 1) + 3] as number,
        )
        break
      case KIND.loopStarted:
      case KIND.loopClosed: {
        const closed = (word & 0xff) === KIND.loopClosed
        build.loop(closed ? 'loop.closed' : 'loop.started', t, { name: text(4), pid: (words[at + 5] as number) >>> 0, clock: words[at + 6] === 1 ? 'virtual' : 'real' })
        if (closed) {
          build.restart()
          this.#runs.clear()
        }
        break
      }
      case KIND.lost:
        this.#listener.lost(fourth)
        break
      case KIND.described:
        this.#described()
        break
      case KIND.held: {
        const request = (words[at + 5] as number) >>> 0
        const name = fourth !== 0 ? text(4) : request !== 0 ? this.requestName(request) : ''
        this.#listener.held({ from: t, to: numbers[(at >> 1) + 3] as number, name, ...ofRequest(request) })
        break
      }
      case KIND.settled:
        this.#listener.settled()
        break
      case KIND.other:
        build.said(t, task, JSON.parse(text(4)) as Bare)
        break
      case KIND.reported:
        build.said(t, task, { type: 'warning', kind: REPORTS[word >>> SMALL] ?? 'never-awaited', level: 'red', ...ofTask(task), message: text(4) })
        break
    }
  }

  #created({ words }: Records, at: number, word: number, task: number, t: number): void {
    const build = this.#build
    const name = has(word, FLAG.numbered) ? `Task-${words[at + 5]}` : this.#reader.text(words[at + 5] as number)
    const coroutine = this.#reader.text(words[at + 6] as number)
    const state = (word & 0xff) === KIND.alive ? STATES[words[at + 7] as number] ?? 'ready' : null
    const scope = this.#scope
    this.#scope = null
    if (this.#restores) {
      build.meet(task, name, 0, scope)
      if (state === 'running') build.resume(task, t)
      this.#alive?.tasks.push({
        task, name, coroutine, ...build.scopeOf(task), state: state ?? 'ready', since: stamp(t), ...(has(word, FLAG.cancelling) ? { cancelling: true } : {}),
      })
      return
    }
    build.created(t, task, name, coroutine, (words[at + 4] as number) >>> 0, scope)
    if (state === 'ready' || state === 'running') build.ready(t, task, 0)
    if (state === 'running') build.begun(t, task, false)
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

  #suspended({ words, numbers }: Records, at: number, word: number, task: number, t: number): void {
    const on: Waiting = { kind: WAIT_KINDS[word >>> SMALL] ?? 'future' }
    const label = words[at + 4] as number
    const other = (words[at + 5] as number) >>> 0
    if (label !== 0) on.label = this.#reader.text(label)
    else if (on.kind === 'task' && other !== 0) on.label = this.nameOf(other)
    if (other !== 0) {
      if (on.kind.startsWith('queue.')) on.queue = other
      else on.task = other
    }
    if (has(word, FLAG.deadline)) on.deadline = stamp(numbers[(at >> 1) + 3] as number)
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
  return request === 0 ? {} : { request: request >>> 0 }
}
