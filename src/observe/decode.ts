// Turns records back into events: the same, with the same fields, that a recorder on the loop's own thread would make.
// What tasks inherit, their run and their request, is worked out here, where it costs the loop nothing.
import type { EventOf, EventType, LoopEvent, Frame, Snapshot, Waiting, Parameters } from '../events/schema.ts'
import type { Records } from '../probe/layout.ts'
import type { RingReader } from '../probe/ring.ts'
import type { Rounds } from './rounds.ts'
import { stamp, type Bare } from '../events/recorder.ts'
import { EVEN_SECONDS, FLAG, KIND, MODES, OPS, OUTCOMES, REPORTS, SMALL, STATES, STEPS_AT, WAIT_KINDS } from '../probe/layout.ts'
import { has } from '../probe/ring.ts'

type Distributive<T> = T extends LoopEvent ? Omit<T, 'seq' | 'loop'> : never
/** An event before it has its number. */
export type Timed<T extends EventType = EventType> = Distributive<EventOf<T>>

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

interface Known {
  name: string
  run: number
  request: number
}

interface Step {
  task: number
  since: number
}

const NO_STEP: Step = { task: 0, since: 0 }

const NOBODY: Known = { name: '', run: 0, request: 0 }
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
  readonly #tasks = new Map<number, Known>()
  readonly #ended: number[] = []
  #endedAt = 0
  /** Those under way, and the last that have ended: what is told of a stall is told after it. */
  readonly #requests = new Map<number, { method: string; url: string }>()
  readonly #endedRequests: number[] = []
  readonly #runs = new Map<number, { example: number; parameters: Parameters }>()
  readonly #calls = new Map<number, { task: number; known: Known }>()
  #scope: { run: number; request: number } | null = null
  #location: Frame | undefined
  /** The step under way, and those in which it began. */
  #running: Step = NO_STEP
  #outer: Step[] = []
  /** So many steps of the record that comes next have been told of ahead. */
  #ahead = 0
  /** How many tasks that live belong to a run or a request, or more where the end of some was not told. */
  #scoped = 0
  /** A description is being read: what it says is collected here, or told as events the first time. */
  #alive: Omit<Snapshot, 'seq'> | null = null
  #first = true

  /** `takeDescription` gives the next description that the writer has sent. */
  constructor(reader: RingReader, listener: Listener, takeDescription: () => ArrayBuffer | null) {
    this.#reader = reader
    this.#listener = listener
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
    return this.#tasks.get(task)?.name ?? `task ${task}`
  }

  requestName(request: number): string {
    const known = this.#requests.get(request)
    return known === undefined ? `request #${request}` : `${known.method} ${known.url} #${request}`
  }

  scopeOf(task: number): { run?: number; request?: number } {
    return scopeOf(this.#tasks.get(task) ?? NOBODY)
  }

  textOf(reference: number): string {
    return this.#reader.text(reference)
  }

  readonly #take = (records: Records, at: number): void => {
    const { words, numbers } = records
    const word = words[at] as number
    const task = (words[at + 1] as number) >>> 0
    const t = numbers[(at >> 1) + 1] as number
    switch (word & 0xff) {
      case KIND.steps:
        if (has(word, FLAG.eager)) this.#beginEager((words[at + STEPS_AT] as number) >>> 0, t)
        else this.#steps(records, at, word >>> SMALL, t)
        break
      case KIND.ready: {
        const by = words[at + 4] as number
        const event: Timed<'task.ready'> = { type: 'task.ready', t: stamp(t), task }
        if (by !== 0) event.by = by >>> 0
        this.#tell(event, this.#tasks.get(task) ?? NOBODY)
        break
      }
      case KIND.yielded:
        if (this.#running.task === task) this.#yield(t)
        break
      case KIND.suspended:
        this.#suspended(records, at, word, task, t)
        break
      case KIND.finished:
        this.#finished(records, at, task, t)
        break
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
        const by = (words[at + 4] as number) >>> 0
        const reference = words[at + 5] as number
        const event: Timed<'task.cancelling'> = { type: 'task.cancelling', t: stamp(t), task }
        if (by !== 0) event.by = by
        if (reference !== 0) event.message = this.#reader.text(reference)
        this.#tell(event, this.#tasks.get(task) ?? NOBODY)
        break
      }
      case KIND.printed:
        this.#tell({ type: 'task.printed', t: stamp(t), ...ofTask(task), text: this.#reader.text(words[at + 4] as number) }, this.#tasks.get(task) ?? NOBODY)
        break
      case KIND.queue:
        this.#tell({
          type: 'queue.changed', t: stamp(t), ...ofTask(task), queue: (words[at + 4] as number) >>> 0, op: OPS[word >>> SMALL] ?? 'put',
          size: (words[at + 5] as number) >>> 0, unfinished: (words[at + 6] as number) >>> 0, maxsize: (words[at + 7] as number) >>> 0,
        }, this.#tasks.get(task) ?? NOBODY)
        break
      default:
        this.#takeRare(records, at, word, task, t)
    }
  }

  #takeRare({ words, numbers }: Records, at: number, word: number, task: number, t: number): void {
    const known = this.#tasks.get(task) ?? NOBODY
    const fourth = (words[at + 4] as number) >>> 0
    const text = (index: number): string => this.#reader.text(words[at + index] as number)
    switch (word & 0xff) {
      case KIND.requestStarted: {
        const request = { method: text(5), url: text(6) }
        this.#requests.set(fourth, request)
        if (this.#alive !== null && !this.#first) this.#alive.requests.push({ request: fourth, method: request.method, url: request.url })
        else this.#tell({ type: 'request.started', t: stamp(t), request: fourth, ...request }, NOBODY)
        const waited = (words[at + 7] as number) / 1e6
        if (waited > 0) this.#listener.waited(fourth, waited, t)
        break
      }
      case KIND.requestFinished: {
        const { method, url } = this.#requests.get(fourth) ?? { method: '', url: '' }
        if (this.#endedRequests.push(fourth) > MOST_ENDED_REQUESTS) this.#requests.delete(this.#endedRequests.shift() as number)
        const outcome = OUTCOMES[words[at + 5] as number] as EventOf<'request.finished'>['outcome']
        this.#tell({
          type: 'request.finished', t: stamp(t), request: fourth, ...ofTask(task), method, url, status: word >>> SMALL, ...(outcome === undefined ? {} : { outcome }),
          seconds: stamp(numbers[(at >> 1) + 3] as number),
        }, NOBODY)
        break
      }
      case KIND.runStarted: {
        const run = { example: (words[at + 5] as number) >>> 0, parameters: JSON.parse(text(6)) as Parameters }
        const request = (words[at + 7] as number) >>> 0
        this.#runs.set(fourth, run)
        if (this.#alive !== null && !this.#first) this.#alive.runs.push({ run: fourth, ...run })
        else this.#tell({ type: 'run.started', t: stamp(t), ...ofTask(task), run: fourth, ...run }, { name: '', run: fourth, request })
        break
      }
      case KIND.runFinished: {
        const run = this.#runs.get(fourth) ?? { example: 1, parameters: {} }
        this.#runs.delete(fourth)
        const reference = words[at + 5] as number
        const outcome = OUTCOMES[word >>> SMALL] as 'returned' | 'raised' | 'cancelled'
        this.#tell({
          type: 'run.finished', t: stamp(t), ...ofTask(task), run: fourth, ...run, outcome, ...(reference === 0 ? {} : { error: this.#reader.text(reference) }),
        }, { name: '', run: fourth, request: (words[at + 6] as number) >>> 0 })
        break
      }
      case KIND.threadStarted:
        // The task may be gone by the time the thread is through.
        this.#calls.set(fourth, { task, known })
        this.#tell({ type: 'thread.started', t: stamp(t), ...ofTask(task), call: fourth, mode: MODES[word >>> SMALL] ?? 'pool', function: text(5) }, known)
        break
      case KIND.threadFinished: {
        const call = this.#calls.get(fourth) ?? { task, known }
        this.#calls.delete(fourth)
        const seconds = numbers[(at >> 1) + 3] as number
        this.#tell({
          type: 'thread.finished', t: stamp(t), ...ofTask(call.task), call: fourth, mode: MODES[(word >>> SMALL) & 15] ?? 'pool', function: text(5),
          ending: OUTCOMES[word >>> (SMALL + 4)] as EventOf<'thread.finished'>['ending'] & string, ...(Number.isNaN(seconds) ? {} : { seconds: stamp(seconds) }),
        }, call.known)
        break
      }
      case KIND.loopStarted:
      case KIND.loopClosed:
        this.#tell({
          type: (word & 0xff) === KIND.loopStarted ? 'loop.started' : 'loop.closed', t: stamp(t), name: text(4), pid: (words[at + 5] as number) >>> 0,
          clock: words[at + 6] === 1 ? 'virtual' : 'real',
        }, NOBODY)
        if ((word & 0xff) === KIND.loopClosed) this.#forget()
        break
      case KIND.lost:
        this.#listener.lost(fourth)
        break
      case KIND.described:
        this.#described()
        break
      case KIND.held: {
        const request = (words[at + 5] as number) >>> 0
        const name = fourth !== 0 ? text(4) : request !== 0 ? this.requestName(request) : ''
        this.#listener.held({ from: t, to: numbers[(at >> 1) + 3] as number, name, ...(request === 0 ? {} : { request }) })
        break
      }
      case KIND.settled:
        this.#listener.settled()
        break
      case KIND.other:
        this.#tell({ ...(JSON.parse(text(4)) as Bare), t: stamp(t) } as Timed, known)
        break
      case KIND.reported:
        this.#tell({ type: 'warning', t: stamp(t), kind: REPORTS[word >>> SMALL] ?? 'never-awaited', level: 'red', ...ofTask(task), message: text(4) }, known)
        break
    }
  }

  #created({ words }: Records, at: number, word: number, task: number, t: number): void {
    const parent = (words[at + 4] as number) >>> 0
    const name = has(word, FLAG.numbered) ? `Task-${words[at + 5]}` : this.#reader.text(words[at + 5] as number)
    const coroutine = this.#reader.text(words[at + 6] as number)
    const above = this.#tasks.get(parent) ?? this.#tasks.get(task) ?? NOBODY
    const scope = this.#scope
    this.#scope = null
    const known = { name, run: scope?.run || above.run, request: scope?.request || above.request }
    if (!this.#tasks.has(task) && isScoped(known)) this.#scoped++
    this.#tasks.set(task, known)
    const alive = (word & 0xff) === KIND.alive
    const runs = alive && STATES[words[at + 7] as number] === 'running'
    if (runs) this.#running = { task, since: t }
    if (alive && !this.#first) {
      const state = STATES[words[at + 7] as number] ?? 'ready'
      this.#alive?.tasks.push({
        task, name, coroutine, ...scopeOf(known), state, since: stamp(t), ...(has(word, FLAG.cancelling) ? { cancelling: true } : {}),
      })
      return
    }
    const event: Timed<'task.created'> = { type: 'task.created', t: stamp(t), task, name, coroutine }
    if (parent !== 0) event.parent = parent
    this.#tell(event, known)
    if (alive && STATES[words[at + 7] as number] !== 'suspended') this.#tell({ type: 'task.ready', t: stamp(t), task }, known)
    if (runs) this.#tell({ type: 'task.running', t: stamp(t), task }, known)
  }

  /** Steps that follow each other. Each of them that ended before the next began ended in `sleep(0)`. */
  #steps({ words }: Records, at: number, count: number, t: number): void {
    const seconds = (words[at + 1] as number) / 1e9
    const each = seconds <= EVEN_SECONDS ? seconds / count : 0
    let from = at + STEPS_AT + this.#ahead
    const to = at + STEPS_AT + count
    const first = at + STEPS_AT
    this.#ahead = 0
    if (from >= to) return
    const began = t + (from - first) * each
    const before = this.#running
    // The one before must have ended as these do, and so soon that nobody has to hear of it by itself.
    const joins = before.task !== 0 && this.#outer.length === 0 && began - before.since < LONG_STEP
    if (joins && (this.#scoped === 0 || (this.#plain(before.task) && this.#allPlain(words, from, to)))) {
      this.#listener.rounds({ before: before.task, seconds: began - before.since, tasks: words, from, to, began, each })
      this.#running = { task: (words[to - 1] as number) >>> 0, since: t + (count - 1) * each }
      return
    }
    for (; from < to; from++) this.#begin((words[from] as number) >>> 0, t + (from - first) * each)
  }

  /** Whether a task belongs to no run and no request. */
  #plain(task: number): boolean {
    return !isScoped(this.#tasks.get(task) ?? NOBODY)
  }

  #allPlain(tasks: Int32Array, from: number, to: number): boolean {
    for (let at = from; at < to; at++) if (!this.#plain((tasks[at] as number) >>> 0)) return false
    return true
  }

  #begin(task: number, t: number): void {
    if (this.#running.task !== 0) this.#yield(t)
    this.#outer.length = 0
    this.#running = { task, since: t }
    this.#tell({ type: 'task.running', t: stamp(t), task }, this.#tasks.get(task) ?? NOBODY)
  }

  #beginEager(task: number, t: number): void {
    this.#outer.push(this.#running)
    this.#running = { task, since: t }
    this.#tell({ type: 'task.running', t: stamp(t), task }, this.#tasks.get(task) ?? NOBODY)
  }

  /** The step ended in `sleep(0)`. */
  #yield(t: number): void {
    const { task } = this.#running
    const known = this.#tasks.get(task) ?? NOBODY
    this.#tell({ type: 'task.suspended', t: stamp(t), task, on: { kind: 'yield' }, seconds: this.#end(task, t) }, known)
    this.#tell({ type: 'task.ready', t: stamp(t), task }, known)
  }

  #end(task: number, t: number): number {
    const { task: running, since } = this.#running
    if (running !== task) return 0
    this.#running = this.#outer.pop() ?? NO_STEP
    this.#listener.stepped(task, since, t)
    return stamp(t - since)
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
    if (this.#alive !== null && !this.#first) {
      const last = this.#alive.tasks.at(-1)
      if (last?.task === task) last.on = on
      return
    }
    const known = this.#tasks.get(task) ?? NOBODY
    const event: Timed<'task.suspended'> = { type: 'task.suspended', t: stamp(t), task, on, seconds: this.#end(task, t) }
    if (location !== undefined) event.location = location
    this.#tell(event, known)
    if (on.kind === 'yield') this.#tell({ type: 'task.ready', t: stamp(t), task }, known)
  }

  #finished({ words }: Records, at: number, task: number, t: number): void {
    const known = this.#tasks.get(task) ?? NOBODY
    this.#end(task, t)
    if (isScoped(known)) this.#scoped--
    const event: Timed<'task.finished'> = { type: 'task.finished', t: stamp(t), task, outcome: OUTCOMES[words[at + 4] as number] as 'returned' }
    const reference = words[at + 5] as number
    if (reference !== 0) event.error = this.#reader.text(reference)
    this.#tell(event, known)
    const old = this.#ended[this.#endedAt]
    if (old !== undefined) this.#tasks.delete(old)
    this.#ended[this.#endedAt] = task
    this.#endedAt = (this.#endedAt + 1) % MOST_ENDED
  }

  #described(): void {
    const content = this.#takeDescription()
    if (content === null) return
    this.#alive = { tasks: [], runs: [], requests: [], queues: [] }
    if (!this.#first) {
      this.#requests.clear()
      this.#runs.clear()
    }
    this.#running = NO_STEP
    this.#outer.length = 0
    this.#reader.readScroll(content, this.#take)
    const alive = this.#alive
    this.#alive = null
    if (!this.#first) this.#listener.restored(alive)
    this.#first = false
  }

  /** The next loop numbers its tasks from 1 again. */
  #forget(): void {
    this.#tasks.clear()
    this.#scoped = 0
    this.#ended.length = 0
    this.#endedAt = 0
    this.#runs.clear()
  }

  #tell(event: Timed, { run, request }: Known): void {
    if (run !== 0) event.run ??= run
    if (request !== 0) event.request ??= request
    this.#listener.event(event)
  }
}

function ofTask(task: number): { task?: number } {
  return task === 0 ? {} : { task }
}

function isScoped({ run, request }: Known): boolean {
  return run !== 0 || request !== 0
}

function scopeOf({ run, request }: Known): { run?: number; request?: number } {
  return { ...(run === 0 ? {} : { run }), ...(request === 0 ? {} : { request }) }
}
