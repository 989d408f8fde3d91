// An instrument that turns what one loop does into events: numbered, timed, and marked with the run and the request that
// a task belongs to, which its children inherit. It keeps a history; who serves the events is none of its business.
import type { Instrument, Outcome, QueueState, ThreadCall, Wait } from '../runtime/instruments.ts'
import type { EventLoop } from '../runtime/loop.ts'
import type { Task } from '../runtime/task.ts'
import type { Frame } from '../runtime/origins.ts'
import type { EventOf, EventType, LoopEvent, Snapshot, Waiting } from './schema.ts'
import { describe } from '../runtime/describe.ts'
import { nameOf } from '../runtime/names.ts'
import { History } from './history.ts'
import { Model } from './model.ts'
import { cutEvent } from './texts.ts'

type Distributive<T> = T extends LoopEvent ? Omit<T, 'seq' | 't' | 'loop'> : never
/** An event without what the recorder adds. */
export type Bare<T extends EventType = EventType> = Distributive<EventOf<T>>

/** What a task belongs to; its children belong to the same. */
interface Scope {
  readonly run?: number
  readonly request?: number
}

const NOWHERE: Scope = {}
/** The model of what is alive follows the history in strides: keeping up step by step would cost the loop more. */
const STRIDE = 1024
/** One event of so many is timed. */
const SAMPLE = 256

export interface RecorderOptions {
  /** How many events are kept. */
  history?: number
  /** The loop's name in events. */
  name?: string
  pid?: number
}

export class Recorder implements Instrument {
  readonly loop: EventLoop
  readonly history: History
  readonly name: string
  readonly #id: string
  readonly #pid: number
  readonly #model = new Model()
  readonly #scopes = new Map<number, Scope>()
  readonly #calls = new Map<number, Scope>()
  #running: { task: Task<unknown>; since: number } | null = null
  #next: Scope | null = null
  #sampledSeconds = 0
  #listeners: ((event: LoopEvent) => void)[] = []

  constructor(loop: EventLoop, options: RecorderOptions = {}) {
    this.loop = loop
    this.history = new History(Math.max(STRIDE, options.history ?? 20_000))
    this.name = options.name ?? 'main'
    this.#id = this.name
    this.#pid = options.pid ?? 0
    loop.instruments.add(this)
  }

  /** Call `listener` with each event as it is recorded, on the loop's own thread; the returned function ends it. */
  listen(listener: (event: LoopEvent) => void): () => void {
    this.#listeners = [...this.#listeners, listener]
    return () => {
      this.#listeners = this.#listeners.filter((other) => other !== listener)
    }
  }

  /** What is alive now. */
  snapshot(): Snapshot {
    this.#catchUp()
    return this.#model.snapshot()
  }

  /** The next task that is created, which must be in the same breath, belongs to this run or request. */
  nextTask(scope: Scope): void {
    this.#next = scope
  }

  /** The run that a task belongs to. */
  runOf(task: Task<unknown>): number | undefined {
    return this.#scopes.get(task.id)?.run
  }

  /** The request that a task belongs to. */
  requestOf(task: Task<unknown>): number | undefined {
    return this.#scopes.get(task.id)?.request
  }

  /** Record that the loop is closing, and nothing after it. */
  finish(): void {
    if (this.loop.instruments.delete(this)) this.loopClosed()
  }

  /** Seconds that recording itself has taken, estimated from a sample of all events. */
  get cost(): number {
    return this.#sampledSeconds * SAMPLE
  }

  /** Record something that the loop has no hook for: a request, a run, a call that left for a thread. */
  record(event: Bare): void {
    this.#emit(event, NOWHERE)
  }


  loopStarted(): void {
    this.#emit({ type: 'loop.started', ...this.#describeLoop() }, NOWHERE)
  }

  loopClosed(): void {
    this.#emit({ type: 'loop.closed', ...this.#describeLoop() }, NOWHERE)
  }

  taskCreated(task: Task<unknown>, parent: Task<unknown> | null): void {
    let scope = this.#next
    if (scope !== null) {
      this.#next = null
      if (parent !== null) scope = { ...this.#scopes.get(parent.id), ...scope }
    } else if (parent !== null) {
      scope = this.#scopes.get(parent.id) ?? null
    }
    if (scope !== null) this.#scopes.set(task.id, scope)
    const event: Bare<'task.created'> = {
      type: 'task.created', task: task.id, name: task.getName(), coroutine: task.coroutineName(),
    }
    if (parent !== null) event.parent = parent.id
    this.#emit(event, scope ?? NOWHERE)
  }

  taskReady(task: Task<unknown>, by: Task<unknown> | null): void {
    const event: Bare<'task.ready'> = { type: 'task.ready', task: task.id }
    if (by !== null && by !== task) event.by = by.id
    this.#emit(event, this.#scopes.get(task.id) ?? NOWHERE)
  }

  taskRunning(task: Task<unknown>): void {
    const t = this.#emit({ type: 'task.running', task: task.id }, this.#scopes.get(task.id) ?? NOWHERE)
    this.#running = { task, since: t }
  }

  taskSuspended(task: Task<unknown>, wait: Wait): void {
    const t = stamp(this.loop.time())
    const event: Bare<'task.suspended'> = { type: 'task.suspended', task: task.id, on: describeWait(wait), seconds: this.#stepSeconds(task, t) }
    if (this.loop.debug) {
      const location = task.getStack().at(-1)
      if (location !== undefined) event.location = frameOf(location)
    }
    this.#emit(event, this.#scopes.get(task.id) ?? NOWHERE, t)
  }

  taskCancelling(task: Task<unknown>, by: Task<unknown> | null, message: string | undefined): void {
    const event: Bare<'task.cancelling'> = { type: 'task.cancelling', task: task.id }
    if (by !== null) event.by = by.id
    if (message !== undefined) event.message = message
    this.#emit(event, this.#scopes.get(task.id) ?? NOWHERE)
  }

  taskFinished(task: Task<unknown>, outcome: Outcome, error: unknown): void {
    const event: Bare<'task.finished'> = { type: 'task.finished', task: task.id, outcome }
    if (outcome === 'raised') event.error = describe(error)
    this.#emit(event, this.#scopes.get(task.id) ?? NOWHERE)
    this.#scopes.delete(task.id)
  }

  printed(task: Task<unknown> | null, text: string): void {
    const event: Bare<'task.printed'> = { type: 'task.printed', text }
    if (task !== null) event.task = task.id
    this.#emit(event, task === null ? NOWHERE : this.#scopes.get(task.id) ?? NOWHERE)
  }

  queueChanged(queue: QueueState, op: 'put' | 'get' | 'done', by: Task<unknown> | null): void {
    const event: Bare<'queue.changed'> = {
      type: 'queue.changed', queue: queue.id, op, size: queue.qsize(), unfinished: queue.unfinished, maxsize: queue.maxsize,
    }
    if (by !== null) event.task = by.id
    this.#emit(event, by === null ? NOWHERE : this.#scopes.get(by.id) ?? NOWHERE)
  }

  threadStarted(call: ThreadCall): void {
    const { id, mode, task } = call
    const scope = task === null ? NOWHERE : this.#scopes.get(task.id) ?? NOWHERE
    // The task may be gone by the time the thread is through.
    this.#calls.set(id, scope)
    this.#emit({ type: 'thread.started', mode, function: call.function, ...(task === null ? {} : { task: task.id }) }, scope)
  }

  threadFinished(call: ThreadCall): void {
    const { id, mode, task, startedAt, finishedAt } = call
    const scope = this.#calls.get(id) ?? NOWHERE
    this.#calls.delete(id)
    const event: Bare<'thread.finished'> = { type: 'thread.finished', mode, function: call.function }
    if (task !== null) event.task = task.id
    if (startedAt !== null && finishedAt !== null) event.seconds = stamp(finishedAt - startedAt)
    this.#emit(event, scope)
  }

  #describeLoop(): { name: string; pid: number; clock: 'real' | 'virtual' } {
    return { name: this.name, pid: this.#pid, clock: this.loop.host.virtual ? 'virtual' : 'real' }
  }


  #stepSeconds(task: Task<unknown>, t: number): number {
    const step = this.#running
    return step === null || step.task !== task ? 0 : stamp(t - step.since)
  }

  #emit(bare: Bare, scope: Scope, t = stamp(this.loop.time())): number {
    const { history } = this
    const sampled = history.last % SAMPLE === 0 ? performance.now() : 0
    const event = cutEvent(bare) as unknown as LoopEvent
    event.seq = history.last + 1
    event.t = t
    event.loop = this.#id
    if (scope.run !== undefined) event.run ??= scope.run
    if (scope.request !== undefined) event.request ??= scope.request
    history.push(event)
    if (history.last - this.#model.seq >= STRIDE) this.#catchUp()
    for (const listener of this.#listeners) listener(event)
    if (sampled !== 0) this.#sampledSeconds += (performance.now() - sampled) / 1000
    return t
  }

  #catchUp(): void {
    const { history } = this
    for (let seq = this.#model.seq + 1; seq <= history.last; seq++) this.#model.apply(history.at(seq))
  }
}

/** Seconds in steps of a microsecond. */
export function stamp(seconds: number): number {
  return Math.round(seconds * 1e6) / 1e6
}

function describeWait(wait: Wait): Waiting {
  const on: Waiting = { kind: wait.kind }
  const name = wait.of === undefined ? null : nameOf(wait.of)
  const label = name?.text ?? wait.label
  if (label !== undefined) on.label = label
  if (name?.queue !== undefined) on.queue = name.queue
  const task = wait.tasks?.[0]
  if (task !== undefined) on.task = task.id
  if (wait.deadline !== undefined) on.deadline = stamp(wait.deadline)
  return on
}

function frameOf({ function: name, file, line, column }: Frame): { function: string; file: string; line: number; column: number } {
  return { function: name, file, line, column }
}
