// An instrument that turns the work of one loop into events with a number, a time, and the run and request of the task
// (children inherit them). It keeps a history and serves nothing.
import type { Instrument, Outcome, QueueState, ThreadCall, Wait } from '../runtime/instruments.ts'
import type { EventLoop } from '../runtime/loop.ts'
import type { Task } from '../runtime/task.ts'
import type { LoopEvent, Snapshot, Waiting } from './schema.ts'
import { describe } from '../runtime/describe.ts'
import { nameOf } from '../runtime/names.ts'
import { running } from '../runtime/running.ts'
import { EventBuilder, stamp, type Bare, type Scope } from './builder.ts'
import { History } from './history.ts'
import { Model } from './model.ts'
import { cutEvent } from './texts.ts'

/** The model is updated only every 1024 events: an update at each step would cost the loop more. */
const STRIDE = 1024

export interface RecorderOptions {
  /** The most events to keep. */
  history?: number
  /** The loop's name in events. */
  name?: string
  pid?: number
}

export class Recorder implements Instrument {
  readonly loop: EventLoop
  readonly history: History
  readonly name: string
  readonly #pid: number
  readonly #model = new Model()
  readonly #build = new EventBuilder((event) => this.#emit(event))
  #next: Scope | null = null
  #listeners: ((event: LoopEvent) => void)[] = []

  constructor(loop: EventLoop, options: RecorderOptions = {}) {
    this.loop = loop
    this.history = new History(Math.max(STRIDE, options.history ?? 20_000))
    this.name = options.name ?? 'main'
    this.#pid = options.pid ?? 0
    loop.instruments.add(this)
  }

  /** Calls `listener` with each event, on the loop's thread. The returned function removes it. */
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

  /** The next task that is created belongs to this run or request. It must be created in the same synchronous code. */
  nextTask(scope: Scope): void {
    this.#next = scope
  }

  /** Records that the loop closes, and nothing after it. */
  finish(): void {
    if (this.loop.instruments.delete(this)) this.loopClosed()
  }

  /** Records something that the loop has no hook for. It gets the run and request of the running task. */
  record(event: Bare): void {
    this.#build.recorded(this.loop.time(), idOf(running.task), event)
  }

  loopStarted(): void {
    this.#loopEvent('loop.started')
  }

  loopClosed(): void {
    this.#loopEvent('loop.closed')
  }

  taskCreated(task: Task<unknown>, parent: Task<unknown> | null): void {
    const scope = this.#next
    this.#next = null
    this.#build.created(this.loop.time(), task.id, task.getName(), task.coroutineName(), idOf(parent), scope)
  }

  taskReady(task: Task<unknown>, by: Task<unknown> | null): void {
    this.#build.ready(this.loop.time(), task.id, idOf(by))
  }

  taskRunning(task: Task<unknown>, eager: boolean): void {
    this.#build.begun(this.loop.time(), task.id, eager)
  }

  taskSuspended(task: Task<unknown>, wait: Wait): void {
    this.#build.suspended(this.loop.time(), task.id, describeWait(task, wait), this.loop.debug ? task.getStack().at(-1) : undefined)
  }

  taskCancelling(task: Task<unknown>, by: Task<unknown> | null, message: string | undefined): void {
    this.#build.cancelling(this.loop.time(), task.id, idOf(by), message)
  }

  taskFinished(task: Task<unknown>, outcome: Outcome, error: unknown): void {
    this.#build.finished(this.loop.time(), task.id, outcome, outcome === 'raised' ? describe(error) : undefined)
  }

  printed(task: Task<unknown> | null, text: string): void {
    this.#build.printed(this.loop.time(), idOf(task), text)
  }

  queueChanged(queue: QueueState, op: 'put' | 'get' | 'done', by: Task<unknown> | null): void {
    this.#build.queueChanged(this.loop.time(), idOf(by), queue.id, op, queue.qsize(), queue.unfinished, queue.maxsize)
  }

  threadStarted({ id, mode, function: name, task }: ThreadCall): void {
    this.#build.threadStarted(this.loop.time(), idOf(task), { call: id, mode, function: name })
  }

  threadFinished({ id, mode, function: name, task, ending, startedAt, finishedAt }: ThreadCall): void {
    const seconds = startedAt === null || finishedAt === null ? NaN : finishedAt - startedAt
    this.#build.threadFinished(this.loop.time(), idOf(task), { call: id, mode, function: name }, ending ?? 'returned', seconds)
  }

  #loopEvent(type: 'loop.started' | 'loop.closed'): void {
    this.#build.loop(type, this.loop.time(), { name: this.name, pid: this.#pid, clock: this.loop.host.virtual ? 'virtual' : 'real' })
  }

  #emit(built: LoopEvent): void {
    const { history } = this
    const event = cutEvent(built)
    event.seq = history.last + 1
    event.loop = this.name
    history.push(event)
    if (history.last - this.#model.seq >= STRIDE) this.#catchUp()
    for (const listener of this.#listeners) listener(event)
  }

  #catchUp(): void {
    const { history } = this
    for (let seq = this.#model.seq + 1; seq <= history.last; seq++) this.#model.apply(history.at(seq))
  }
}

function idOf(task: { readonly id: number } | null): number {
  return task === null ? 0 : task.id
}

function describeWait({ timeout }: Task<unknown>, wait: Wait): Waiting {
  const on: Waiting = { kind: wait.kind }
  const name = wait.of === undefined ? null : nameOf(wait.of)
  const label = name?.text ?? wait.label
  if (label !== undefined) on.label = label
  if (name?.queue !== undefined) on.queue = name.queue
  const task = wait.tasks?.[0]
  if (task !== undefined) on.task = task.id
  if (wait.holder != null) on.holder = wait.holder.id
  const owners = [...wait.owners ?? []].map(({ id }) => id)
  if (owners.length > 0) on.owners = owners
  if (wait.deadline !== undefined) on.deadline = stamp(wait.deadline)
  else if (wait.kind !== 'yield') {
    const cancelled = timeout?.first()
    if (cancelled !== undefined) on.timeout = stamp(cancelled)
  }
  return on
}
