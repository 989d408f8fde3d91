// Turns records back into events: the same that a recorder on the loop's thread would make. The run and request that tasks
// inherit are found here, where this costs the loop nothing.
import type { Frame, Snapshot, Waiting, Parameters } from '../events/schema.ts'
import type { Records } from '../probe/layout.ts'
import type { RingReader } from '../probe/ring.ts'
import { EventBuilder, ofTask, stamp, type Bare, type Scope, type Timed } from '../events/builder.ts'
import { recordReader } from '../probe/record-schema.ts'
import { LiveMap } from '../runtime/live-map.ts'

/** What blocked the thread, from when to when, in seconds on the loop's clock. */
export interface Block {
  from: number
  to: number
  name: string
  task?: number
  request?: number
}

/** Receives what the records contain. */
export interface Listener {
  event(event: Timed): void
  /** This many events were lost; a snapshot follows. */
  lost(count: number): void
  restored(alive: Omit<Snapshot, 'seq'>): void
  /** Something blocked the thread, and is over. */
  blockEnded(block: Block): void
  /** A long step of a task ended. */
  stepped(task: number, from: number, to: number): void
  settled(): void
  /** A request may have been delayed by this many seconds when it was read. */
  waited(request: number, seconds: number, t: number): void
}

/** The names of this many ended tasks are kept, to name those that a stall delayed. */
const MOST_ENDED = 20_000
/** The same for requests. */
const MOST_ENDED_REQUESTS = 256

export class Decoder {
  readonly #reader: RingReader
  readonly #listener: Listener
  readonly #takeSnapshot: () => ArrayBuffer | null
  readonly #build: EventBuilder
  readonly #take: (records: Records, at: number) => void
  /** Live requests and the last that ended: a stall is reported after it is over. */
  readonly #requests = new LiveMap<{ method: string; url: string }>()
  /** The requests that ended last, as a ring. */
  readonly #endedRequests = new Array<number>(MOST_ENDED_REQUESTS).fill(0)
  #endedAt = 0
  readonly #runs = new Map<number, Snapshot['runs'][number]>()
  #scope: Scope | null = null
  #location: Frame | undefined
  /** The owners of the semaphore of the next record. */
  #owners: number[] = []
  /** Tasks of the busy stretch that follows. */
  #busy: { task: number; steps: number }[] = []
  /** While a snapshot is read, its content is collected here. The first snapshot is read as events. */
  #alive: Omit<Snapshot, 'seq'> | null = null
  #first = true

  /** `takeSnapshot` returns the next snapshot that the probe has sent. */
  constructor(reader: RingReader, listener: Listener, takeSnapshot: () => ArrayBuffer | null) {
    this.#reader = reader
    this.#listener = listener
    this.#build = new EventBuilder((event) => listener.event(event), MOST_ENDED, (task, from, to) => listener.stepped(task, from, to))
    this.#take = this.#reads(this.#build)
    this.#takeSnapshot = takeSnapshot
  }

  /** Decodes up to `most` records, and always whole; returns their number. */
  read(most: number): number {
    return this.#reader.read(this.#take, most)
  }

  /** Decodes all records, published or not. The probe must not be writing. */
  readAll(): void {
    this.#reader.read(this.#take, Infinity, true)
  }

  /** The step of a task has been running since then: an event before its record, if that is still to come. */
  begun(task: number, since: number): void {
    const { running } = this.#build
    if (running.task !== task || running.since !== since) this.#build.begun(since, task, false)
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

  /** The content of a snapshot is collected, not made into events. */
  get #restores(): boolean {
    return this.#alive !== null && !this.#first
  }

  /** The handlers of all kinds of records. */
  #reads(build: EventBuilder): (records: Records, at: number) => void {
    return recordReader((reference) => this.#reader.text(reference), {
      ready: (task, t, by) => build.ready(t, task, by),
      running: (task, t, how) => {
        if (how === 'eager') build.begun(t, task, true)
        else this.begun(task, t)
      },
      yielded: (task, t) => build.yielded(t, task),
      suspended: (task, t, kind, endedBy, label, other, deadline) => {
        const on: Waiting = { kind }
        if (label !== '') on.label = label
        else if (kind === 'task' && other !== 0) on.label = this.nameOf(other)
        if (other !== 0) {
          if (kind.startsWith('queue.')) on.queue = other
          else if (kind === 'lock') on.holder = other
          else on.task = other
        }
        if (this.#owners.length > 0) {
          on.owners = this.#owners
          this.#owners = []
        }
        if (!Number.isNaN(deadline)) on[endedBy === 'timeout' ? 'timeout' : 'deadline'] = stamp(deadline)
        this.#suspended(t, task, on)
      },
      finished: (task, t, outcome, error) => build.finished(t, task, outcome, error === '' ? undefined : error),
      scope: (_task, _t, run, request) => {
        this.#scope = { run, request }
      },
      created: (task, t, parent, given, coroutine, number) => build.created(t, task, nameOf(given, number), coroutine, parent, this.#takeScope()),
      alive: (task, t, state, given, coroutine, number, cancelling) => {
        const name = nameOf(given, number)
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
      cancelling: (task, t, by, message) => build.cancelling(t, task, by, message),
      printed: (task, t, text) => build.printed(t, task, text),
      queue: (task, t, op, queue, size, unfinished, maxsize) => build.queueChanged(t, task, queue, op, size, unfinished, maxsize),
      requestStarted: (_task, t, sender, request, method, url, waited) => {
        this.#requests.set(request, { method, url })
        const left = sender === 'page' ? stamp(t - waited / 1e6) : undefined
        if (this.#restores) this.#alive?.requests.push({ request, method, url, ...(left === undefined ? {} : { left }) })
        else build.requestStarted(t, request, method, url, left)
        // The page only watches.
        if (waited > 0 && sender !== 'page') this.#listener.waited(request, waited / 1e6, t)
      },
      requestFinished: (task, t, outcome, request, status, seconds) => {
        const { method, url } = this.#requests.get(request) ?? { method: '', url: '' }
        this.#requests.delete(this.#endedRequests[this.#endedAt] as number)
        this.#endedRequests[this.#endedAt] = request
        this.#endedAt = (this.#endedAt + 1) % MOST_ENDED_REQUESTS
        build.requestFinished(t, task, request, method, url, outcome, status, seconds)
      },
      message: (task, t, direction, length, request, message, bytes, code) =>
        build.message(t, task, { request, direction, message, bytes, more: length === 'more' }, code),
      runStarted: (task, t, run, example, text, request) => {
        const started = { run, example, parameters: JSON.parse(text) as Parameters }
        this.#runs.set(run, started)
        if (this.#restores) this.#alive?.runs.push(started)
        else build.recorded(t, 0, { type: 'run.started', ...ofTask(task), ...started, ...ofRequest(request) })
      },
      runFinished: (task, t, outcome, run, error, request) => {
        const started = this.#runs.get(run) ?? { run, example: 1, parameters: {} }
        this.#runs.delete(run)
        build.recorded(t, 0, { type: 'run.finished', ...ofTask(task), ...started, outcome, ...(error === '' ? {} : { error }), ...ofRequest(request) })
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
      snapshot: () => this.#readSnapshot(),
      blocked: (_task, from, name, request, to) => {
        this.#listener.blockEnded({ from, to, name: name !== '' ? name : request !== 0 ? this.requestName(request) : '', ...ofRequest(request) })
      },
      settled: () => this.#listener.settled(),
      reported: (task, t, kind, message) => build.recorded(t, task, { type: 'warning', kind, level: 'red', ...ofTask(task), message }),
      other: (task, t, text) => build.recorded(t, task, JSON.parse(text) as Bare),
      owners: (_task, _t, ...owners) => this.#owners.push(...owners.filter((owner) => owner !== 0)),
      busyTask: (task, _t, steps) => this.#busy.push({ task, steps }),
      busy: (_task, t, steps, micros) => {
        build.busy(t, t - micros / 1e6, steps, this.#busy)
        this.#busy = []
      },
    })
  }

  #takeScope(): Scope | null {
    const scope = this.#scope
    this.#scope = null
    return scope
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

  #readSnapshot(): void {
    const content = this.#takeSnapshot()
    if (content === null) return
    this.#alive = { tasks: [], runs: [], requests: [], queues: [] }
    if (!this.#first) {
      this.#requests.clear()
      this.#runs.clear()
    }
    this.#build.rest()
    this.#reader.readSnapshot(content, this.#take)
    const alive = this.#alive
    this.#alive = null
    if (!this.#first) this.#listener.restored(alive)
    this.#first = false
  }
}

/** The name of a task: as given, or with a number at the end. */
function nameOf(given: string, number: number): string {
  return number === 0 ? given : `${given === '' ? 'Task-' : given}${number}`
}

function ofRequest(request: number): { request?: number } {
  return request === 0 ? {} : { request }
}
