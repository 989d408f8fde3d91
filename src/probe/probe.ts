// The instrument on the loop's thread: each hook writes a record into the ring and returns. No object is allocated, no clock
// read twice, nothing encoded. A thread without a loop of loopscope has a probe too, for its requests.
import type { Instrument, Outcome, QueueState, ThreadCall, Wait } from '../runtime/instruments.ts'
import type { ExceptionContext } from '../runtime/abstract-loop.ts'
import type { EventLoop } from '../runtime/loop.ts'
import type { Task } from '../runtime/task.ts'
import type { Bare } from '../events/builder.ts'
import { LONGEST_KEPT, NO_TEXT, type RingWriter } from './ring.ts'
import { describe } from '../runtime/describe.ts'
import { LiveMap } from '../runtime/live-map.ts'
import { YIELD } from '../runtime/instruments.ts'
import { running } from '../runtime/running.ts'
import { cutEvent, cutTexts } from '../events/texts.ts'
import { BusyStretch } from './busy-stretch.ts'
import { writeSnapshot, type LiveRequest } from './snapshot.ts'
import { HolderClock, BLOCK_SECONDS } from './holder-clock.ts'
import { HOLDER, NUMBER, type View } from './layout.ts'
import { idleTime } from './idle-time.ts'
import { noteLocation, locationOf } from './source-location.ts'
import { labelOf, MOST_OWNER_RECORDS, numberOf, writeName, writeLocation, writeOwners, writeRequest, writeRun, writeScope, writeSuspended, type RunStart } from './encode.ts'
import { HEAD, type Reference, type Sender } from './record-schema.ts'

/** In a long turn, records are published after this many. */
const PUBLISH_EVERY = 512
/** One hook in this many is timed, to estimate what recording costs. */
const SAMPLE = 1024
/** A step has three hooks: ready, begin and end. Only the last two are counted. */
const HOOKS_A_COUNT = 3 / 2
/** While the ring is full, one in this many lost events checks whether there is room again. */
const RECOVER_EVERY = 64

/** The run and request that a task belongs to. Its children inherit them. */
export interface Scope {
  run?: number
  request?: number
  /** What the name of the request's task has before the request's number, if other tasks have the same: it is sent once. */
  prefix?: string | undefined
}

export interface RequestEnd {
  task?: Task<unknown> | null
  status: number
  outcome: 'returned' | 'raised' | 'cancelled' | 'disconnected'
  seconds: number
}

export interface ProbeOptions {
  view: View
  /** It outlives the loop: the next loop's probe continues with it. */
  ring: RingWriter
  /** `null` for a thread without one. */
  loop: EventLoop | null
  /** The requests under way. They outlive a loop, too. */
  requests?: LiveMap<LiveRequest>
  name: string
  pid: number
  /** The request whose code creates a task that has no parent; 0 for none. */
  requestOf?: () => number
  /** Sends a snapshot to the reader, which has it when it reads the record that belongs to it. */
  sendSnapshot: (content: ArrayBuffer) => void
  /** Something blocked the thread for 5 ms or more, and what. Times are seconds on the loop's clock. */
  onBlock?: (from: number, to: number, name: () => string) => void
}

export class Probe implements Instrument {
  readonly loop: EventLoop | null
  readonly #name: string
  readonly #pid: number
  readonly #ring: RingWriter
  readonly #clock: HolderClock
  readonly #numbers: Float64Array
  readonly #sendSnapshot: (content: ArrayBuffer) => void
  readonly #busy = new BusyStretch()
  /** The task whose step runs, 0 if none is known, and the outer steps in which it began (eager tasks). */
  #current = 0
  readonly #outer: { task: number; since: number }[] = []
  #flushDue = false
  #published = 0
  #lost = 0
  #attempts = 0
  #next: Scope | null = null
  /** The runs of tasks, while there are any. */
  readonly #runs = new Map<number, number>()
  /** No run is under way, so lines of tasks are not recorded. */
  #plain = true
  #hooks = 0
  /** The callback that runs, or ran last; the task whose step is ending. */
  #callback: object = this
  #ending: Task<unknown> | null = null
  readonly #liveRuns = new Map<number, RunStart>()
  readonly #liveRequests: LiveMap<LiveRequest>
  readonly #requestOf: () => number
  #clockCost = Infinity

  constructor({ view, ring, loop, requests = new LiveMap(), name, pid, requestOf = () => 0, sendSnapshot, onBlock = () => {} }: ProbeOptions) {
    this.loop = loop
    this.#name = name
    this.#pid = pid
    this.#ring = ring
    this.#numbers = view.numbers
    this.#liveRequests = requests
    this.#requestOf = requestOf
    const host = loop?.host ?? { now: () => performance.now() / 1000, virtual: false }
    this.#clock = new HolderClock(view, () => host.now(), host.virtual, (from, to, holder, subject) => onBlock(from, to, () => this.#holderName(holder, subject)))
    this.#sendSnapshot = sendSnapshot
    if (loop !== null && running.loop === loop && running.task !== null) this.#resume(running.task.id)
    for (let times = 0; times < 100; times++) {
      const began = performance.now()
      this.#clockCost = Math.min(this.#clockCost, performance.now() - began)
    }
    this.begin()
    loop?.instruments.add(this)
  }

  /** Starts for a new reader: what is alive, then what happens. The ring is empty. */
  begin(): void {
    this.#published = this.#ring.head
    this.#lost = 0
    this.#attempts = 0
    this.#snapshot()
    if (this.loop?.isRunning() === true) this.loopStarted()
    this.flush()
  }

  /** Stops recording for good: for the stream, the loop closes. */
  finish(): void {
    if (this.loop?.instruments.has(this) !== true) return
    if (!this.loop.isClosed()) this.loopClosed()
    this.detach()
  }

  detach(): void {
    this.loop?.instruments.delete(this)
    this.flush()
  }

  /** Makes everything so far visible to the reader. */
  flush(): void {
    this.#flushDue = false
    if (this.#busy.open) this.#endBusy()
    this.recover()
    this.#publish()
  }

  /** The next task that is created belongs to this run or request. It must be created in the same synchronous code. */
  nextTask(scope: Scope): void {
    this.#next = scope
  }

  runOf(task: Task<unknown>): number | undefined {
    return this.#runs.get(task.id)
  }

  loopStarted(): void {
    this.#loopEvent('loopStarted')
  }

  loopClosed(): void {
    this.#loopEvent('loopClosed')
  }

  taskCreated(task: Task<unknown>, parent: Task<unknown> | null): void {
    const t = this.#now()
    const scope = this.#next ?? (parent === null ? this.#scopeOfRequest() : null)
    this.#next = null
    const run = scope?.run ?? (!this.#plain && parent !== null ? this.#runs.get(parent.id) : undefined)
    if (run !== undefined) {
      this.#runs.set(task.id, run)
      this.#plain = false
    }
    const served = scope?.request === undefined ? undefined : this.#liveRequests.get(scope.request)
    if (served !== undefined) served.task = task.id
    const { ownName } = task
    const prefix = scope?.prefix
    const coroutine = task.coroutineName()
    const ring = this.#ring
    if (!this.#room(4 + (typeof ownName === 'string' ? ring.roomFor(ownName) : 0), coroutine)) return
    if (scope !== null) writeScope(ring, scope.run, scope.request)
    const name = prefix === undefined ? writeName(ring, task, scope?.request !== undefined) : ring.keep(prefix)
    ring.put(HEAD.created, task.id, t, parent?.id ?? 0, name, ring.keep(coroutine), prefix === undefined ? numberOf(task) : scope?.request ?? 0)
  }

  #scopeOfRequest(): Scope | null {
    const request = this.#requestOf()
    return request === 0 ? null : { request }
  }

  /** Tasks of runs record their lines. */
  wantsLocation(task: Task<unknown>): boolean {
    return this.#runs.has(task.id)
  }

  taskSuspending(task: Task<unknown>): void {
    if (this.#runs.has(task.id)) noteLocation(task)
  }

  taskReady(task: Task<unknown>, by: Task<unknown> | null): void {
    const t = this.#now()
    if (!this.#room(2)) return
    this.#ring.put(HEAD.ready, task.id, t, by === null || by === task ? 0 : by.id)
  }

  taskRunning(task: Task<unknown>, eager: boolean): void {
    if (this.#busy.open && !eager && this.#clock.next(task.id)) this.#current = task.id
    else if ((++this.#hooks & (SAMPLE - 1)) !== 0) this.#running(task, eager)
    else this.#timed(() => this.#running(task, eager))
  }

  #running({ id }: Task<unknown>, eager: boolean): void {
    const t = this.#time()
    if (eager) {
      this.#interrupt()
      this.#outer.push({ task: this.#current, since: this.#clock.since })
    } else if (this.#plain && this.#outer.length === 0) this.#busy.begin(t)
    this.#resume(id)
    if (this.#busy.open) return
    if (!this.#room(1)) return
    const ring = this.#ring
    ring.put(HEAD.running[eager ? 'eager' : 'next'], id, t)
    if (((ring.head - this.#published) | 0) >= PUBLISH_EVERY) this.#publish()
  }

  /** A step runs, with or without a record. */
  #resume(task: number): void {
    this.#current = task
    this.#clock.task(task)
  }

  taskSuspended(task: Task<unknown>, on: Wait): void {
    if ((++this.#hooks & (SAMPLE - 1)) !== 0) this.#suspended(this.#now(), task, on)
    else this.#timed(() => this.#suspended(this.#now(), task, on))
  }

  taskYielded(task: Task<unknown>): void {
    const busy = this.#busy
    if (busy.open && this.#clock.done()) {
      this.#current = 0
      busy.count(task.id)
    } else if ((++this.#hooks & (SAMPLE - 1)) !== 0) this.#yielded(task)
    else this.#timed(() => this.#yielded(task))
  }

  #yielded(task: Task<unknown>): void {
    const t = this.#time()
    const busy = this.#busy
    if (!this.#plain) {
      this.#suspended(t, task, YIELD)
      return
    }
    // A long step has events of its own.
    if (busy.open && t - this.#clock.since >= BLOCK_SECONDS) this.#endBusy()
    this.#endStep(task)
    if (busy.open) {
      busy.count(task.id)
      if (busy.isLong(t)) this.#endBusy()
      return
    }
    // Two events: a task that yields is suspended and at once ready.
    if (this.#room(1, '', 2)) this.#ring.put(HEAD.yielded, task.id, t)
    busy.recorded()
  }

  taskFinished(task: Task<unknown>, outcome: Outcome, error: unknown): void {
    if ((++this.#hooks & (SAMPLE - 1)) !== 0) this.#finished(task, outcome, error)
    else this.#timed(() => this.#finished(task, outcome, error))
  }

  #finished(task: Task<unknown>, outcome: Outcome, error: unknown): void {
    const t = this.#now()
    const ring = this.#ring
    const text = outcome === 'raised' ? describe(error) : ''
    if (!this.#plain && this.#runs.delete(task.id)) this.#plain = this.#runs.size === 0
    this.#endStep(task)
    if (!ring.fits(1 + ring.roomFor(text))) {
      this.#lose(1)
      return
    }
    ring.put(HEAD.finished[outcome], task.id, t, text === '' ? NO_TEXT : ring.putText(text))
  }

  taskCancelling(task: Task<unknown>, by: Task<unknown> | null, message: string | undefined): void {
    const t = this.#now()
    const text = message ?? ''
    if (!this.#room(2, text)) return
    this.#ring.put(HEAD.cancelling, task.id, t, by?.id ?? 0, this.#ring.keep(text))
  }

  callbackRunning(callback: object): void {
    const t = this.#time()
    if (this.#current !== 0) return
    this.#callback = callback
    this.#clock.callback(this.#nameOf(callback), t)
  }

  callbackFinished(callback: object): void {
    const t = this.#time()
    if (this.#current !== 0) return
    const { since } = this.#clock
    this.#clock.free()
    this.#callback = this
    if (t - since >= BLOCK_SECONDS) this.#blocked(this.#nameOf(callback), 0, since, t)
  }

  printed(task: Task<unknown> | null, text: string): void {
    const t = this.#now()
    if (!this.#room(2, text)) return
    this.#ring.put(HEAD.printed, task?.id ?? 0, t, text === '' ? NO_TEXT : this.#ring.putText(text))
  }

  queueChanged(queue: QueueState, op: 'put' | 'get' | 'done', by: Task<unknown> | null): void {
    const t = this.#now()
    if (this.#room(2)) this.#ring.put(HEAD.queue[op], by?.id ?? 0, t, queue.id, queue.qsize(), queue.unfinished, queue.maxsize)
  }

  threadStarted(call: ThreadCall): void {
    const t = this.#now()
    const ring = this.#ring
    if (this.#room(2, call.function)) ring.put(HEAD.threadStarted[call.mode], call.task?.id ?? 0, t, call.id, ring.keep(call.function))
  }

  threadFinished(call: ThreadCall): void {
    const t = this.#now()
    const ring = this.#ring
    if (!this.#room(2, call.function)) return
    const seconds = call.startedAt === null || call.finishedAt === null ? NaN : call.finishedAt - call.startedAt
    ring.putNumber(HEAD.threadFinished[call.mode][call.ending ?? 'returned'], call.task?.id ?? 0, t, call.id, ring.keep(call.function), seconds)
  }

  /** A request was read. `waited`: for how many seconds a stall may have delayed it; `again`: other requests have the same URL, which is sent once. */
  requestStarted(request: number, method: string, url: string, waited: number, sender: Sender = 'client', again = false): void {
    const t = this.#now()
    this.#liveRequests.set(request, { id: request, sender, method, url, task: 0 })
    if (this.#room(4 + this.#ring.roomFor(method), url)) writeRequest(this.#ring, request, method, url, t, waited, sender, again)
  }

  requestFinished(request: number, method: string, url: string, end: RequestEnd): void {
    const t = this.#now()
    this.#liveRequests.delete(request)
    const ring = this.#ring
    if (!this.#room(4 + ring.roomFor(method), url)) return
    ring.putNumber(HEAD.requestFinished[end.outcome], end.task?.id ?? 0, t, request, end.status, end.seconds)
  }

  /** An ASGI application has received or sent a message of its request. */
  message(request: number, direction: 'receive' | 'send', message: string, bytes: number, more: boolean, code: number): void {
    const t = this.#now()
    const ring = this.#ring
    if (this.#room(2, message)) ring.put(HEAD.message[direction][more ? 'more' : 'last'], running.task?.id ?? 0, t, request, ring.keep(message), bytes, code)
  }

  /** The handler of a request begins: plain code that may block the thread. */
  handlerRunning(request: number): void {
    const t = this.#time()
    if (this.#current === 0) this.#clock.request(request, t)
  }

  handlerFinished(request: number): void {
    const t = this.#time()
    if (this.#current !== 0) return
    const { since } = this.#clock
    this.#clock.free()
    if (t - since >= BLOCK_SECONDS) this.#blocked(NO_TEXT, request, since, t)
  }

  runStarted(start: RunStart): void {
    const t = this.#now()
    const parameters = JSON.stringify(cutTexts(start.parameters))
    const count = 2 + this.#ring.roomForJson(parameters)
    this.#liveRuns.set(start.run, start)
    if (!this.#room(count)) return
    writeRun(this.#ring, start, parameters, t)
  }

  runFinished(run: number, outcome: Outcome, error: string | null, request?: number): void {
    const t = this.#now()
    this.#liveRuns.delete(run)
    const text = error ?? ''
    if (!this.#room(2, text)) return
    this.#ring.put(HEAD.runFinished[outcome], running.task?.id ?? 0, t, run, text === '' ? NO_TEXT : this.#ring.putText(text), request ?? 0)
  }

  /** Records something that the loop has no hook for. It belongs to the running task. */
  record(event: Bare): void {
    const t = this.#now()
    const json = JSON.stringify(cutEvent(event))
    if (!this.#room(2 + this.#ring.roomForJson(json))) return
    this.#ring.put(HEAD.other, running.task?.id ?? 0, t, this.#ring.putJson(json))
  }

  /** A coroutine was never awaited, or a failure never retrieved. */
  reported({ kind, message, task }: ExceptionContext): void {
    if (kind === undefined) return
    const t = this.#now()
    if (this.#room(2, message)) this.#ring.put(HEAD.reported[kind], task?.id ?? 0, t, this.#ring.putText(message))
  }

  /** All input that arrived during the block has been read. */
  settled(): void {
    const t = this.#clock.read()
    this.#interrupt()
    if (this.#ring.fits(1)) this.#ring.put(HEAD.settled, 0, t)
    this.flush()
  }

  #time(): number {
    return this.#flushDue ? this.#clock.time() : this.#firstTime()
  }

  /** The time of something that is not a step of a busy stretch. */
  #now(): number {
    const t = this.#time()
    this.#interrupt()
    return t
  }

  /** Ends a busy stretch, at `until` if something else has run since then. */
  #interrupt(until?: number): void {
    if (this.#busy.open) this.#endBusy(until)
    this.#busy.interrupt()
  }

  /** Records the counted steps, and the beginning of the step that runs, if there is one. */
  #endBusy(until?: number): void {
    const ring = this.#ring
    const busy = this.#busy
    const { steps, since } = busy
    const current = this.#current
    const t = until ?? (current === 0 ? this.#clock.now : this.#clock.since)
    const tasks = busy.end()
    if (!this.#room(tasks.length + 2, '', current === 0 ? 1 : 2)) return
    for (const counted of tasks) ring.put(HEAD.busyTask, counted.task, 0, counted.steps)
    if (steps > 0) ring.put(HEAD.busy, 0, t, steps, (t - since) * 1e6)
    if (current !== 0) ring.put(HEAD.running.next, current, this.#clock.since)
  }

  /** The first record since the thread came back from its host: the clock must be read, and the turn's records published at its end. */
  #firstTime(): number {
    this.#flushDue = true
    queueMicrotask(this.#onTurnOver)
    this.#busy.rested(idleTime())
    return this.#clock.begin()
  }

  readonly #onTurnOver = (): void => {
    if (this.#flushDue) this.flush()
  }

  #publish(): void {
    this.#published = this.#ring.head
    this.#ring.publish()
  }

  /** A description of what blocked the thread. */
  #holderName(holder: number, subject: number): string {
    if (holder === HOLDER.callback) return describe(this.#callback)
    subject >>>= 0
    if (holder === HOLDER.request) {
      const request = this.#liveRequests.get(subject)
      return request === undefined ? `request #${subject}` : `${request.method} ${request.url} #${subject}`
    }
    if (this.#ending?.id === subject) return this.#ending.getName()
    for (const task of this.loop?.liveTasks() ?? []) if (task.id === subject) return task.getName()
    return `task ${subject}`
  }

  #endStep(task: Task<unknown>): void {
    if (this.#current !== task.id) return
    this.#ending = task
    const outer = this.#outer.pop()
    this.#current = outer?.task ?? 0
    if (outer === undefined || outer.task === 0) this.#clock.free()
    else this.#clock.task(outer.task, outer.since)
    this.#ending = null
  }

  /** Whether `count` records and a text fit; otherwise `events` events are lost. */
  #room(count: number, text = '', events = 1): boolean {
    if (this.#ring.fits(text === '' ? count : count + this.#ring.roomFor(text))) return true
    this.#lose(events)
    return false
  }

  #suspended(t: number, task: Task<unknown>, on: Wait): void {
    const ring = this.#ring
    const location = this.#plain ? null : locationOf(task)
    const known = on.of === undefined ? undefined : ring.known(on.of)
    const label = known === undefined ? labelOf(on) : ''
    this.#endStep(task)
    if (!ring.fits(1 + (on.owners === undefined ? 0 : MOST_OWNER_RECORDS) + ring.roomFor(label) + (location === null ? 0 : 1 + ring.roomFor(location.file) + ring.roomFor(location.function)))) {
      // Two events: a task that yields is suspended and at once ready.
      this.#lose(on.kind === 'yield' ? 2 : 1)
      return
    }
    if (location !== null) writeLocation(ring, location)
    writeOwners(ring, on)
    writeSuspended(ring, task, on, known ?? (label === '' ? NO_TEXT : on.of === undefined ? ring.keep(label) : ring.describe(on.of, label)), t)
  }

  #blocked(name: Reference, request: number, from: number, to: number): void {
    this.#interrupt(from)
    if (!this.#ring.fits(1)) {
      this.#lose(0)
      return
    }
    this.#ring.putNumber(HEAD.blocked, 0, from, name, request, to)
  }

  #loopEvent(kind: 'loopStarted' | 'loopClosed'): void {
    const t = this.#now()
    if (this.#room(2, this.#name)) this.#ring.put(HEAD[kind][this.loop?.host.virtual === true ? 'virtual' : 'real'], 0, t, this.#ring.keep(this.#name), this.#pid)
  }

  #nameOf(callback: object): Reference {
    const key = (callback as { fn?: object | null }).fn ?? (callback.constructor as object | undefined) ?? callback
    const ring = this.#ring
    const known = ring.known(key)
    if (known !== undefined) return known
    // The text must be kept: otherwise it would be read as one of the next record.
    const text = `callback ${(key as { name?: string }).name ?? ''}`.trim().slice(0, LONGEST_KEPT)
    return ring.fits(2 + ring.roomFor(text)) ? ring.describe(key, text) : NO_TEXT
  }

  /** Events did not fit. When there is room again, their count is recorded, then a snapshot. */
  #lose(events: number): void {
    this.#lost += events
    if (this.#attempts++ % RECOVER_EVERY === 0) this.recover()
  }

  /** Continues to write if there is room again. */
  recover(): void {
    if (!this.#ring.losing || !this.#ring.recover()) return
    this.#ring.put(HEAD.lost, 0, this.#clock.read(), this.#lost)
    this.#lost = 0
    this.#snapshot()
    this.flush()
  }

  /** Sends a snapshot of all live tasks, requests and runs. */
  #snapshot(): void {
    const t = this.#clock.read()
    this.#sendSnapshot(writeSnapshot(this.#ring.kept, t, {
      runs: this.#liveRuns.values(), requests: this.#liveRequests.values(), tasks: this.loop?.liveTasks() ?? [], runOf: (task) => this.#runs.get(task.id),
      running: ({ id }) => this.#current === id || this.#outer.some(({ task }) => task === id),
    }))
    if (this.#ring.fits(1)) this.#ring.put(HEAD.snapshot, 0, t)
  }

  /** Times one hook in many, to estimate what recording costs. */
  #timed(record: () => void): void {
    const began = performance.now()
    record()
    const seconds = Math.max(0, performance.now() - began - this.#clockCost) / 1000
    this.#numbers[NUMBER.cost] = (this.#numbers[NUMBER.cost] as number) + seconds * HOOKS_A_COUNT * SAMPLE
  }
}
