// Makes events from plain values. The recorder on the loop's thread and the decoder on the observer's thread both use it, so
// both make the same events. It knows which run and request a task belongs to, and which step is running.
import { LiveMap } from '../runtime/live-map.ts'
import type { EventOf, EventType, Frame, LoopEvent, Waiting } from './schema.ts'

type Without<T, K extends PropertyKey> = T extends LoopEvent ? Omit<T, K> : never
/** An event without its number. */
export type Timed<T extends EventType = EventType> = Without<EventOf<T>, 'seq' | 'loop'>
/** An event without its number and time. */
export type Bare<T extends EventType = EventType> = Without<EventOf<T>, 'seq' | 'loop' | 't'>

/** The run and request that a task belongs to. Its children inherit them. */
export interface Scope {
  run?: number | undefined
  request?: number | undefined
}

/** What is known of a task; 0 means no run, no request. */
export interface Known {
  readonly name: string
  readonly run: number
  readonly request: number
}

/** A step that is running. */
interface Step {
  readonly task: number
  readonly since: number
}

type Ended = EventOf<'task.finished'>['outcome']
type RequestEnded = NonNullable<EventOf<'request.finished'>['outcome']>
type Call = Pick<EventOf<'thread.started'>, 'call' | 'mode' | 'function'>

const UNKNOWN: Known = { name: '', run: 0, request: 0 }
const NO_STEP: Step = { task: 0, since: 0 }

/** Times are seconds on the loop's clock; 0 means no task, no run, no request. */
export class EventBuilder {
  readonly #emit: (event: LoopEvent) => void
  readonly #stepped: ((task: number, from: number, to: number) => void) | undefined
  readonly #tasks = new LiveMap<Known>()
  /** The tasks that ended last, as a ring. */
  readonly #ended: number[] = []
  readonly #mostEnded: number
  #endedAt = 0
  /** Calls on threads. The task may have ended before its call does. */
  readonly #calls = new Map<number, { task: number; known: Known }>()
  /** The running step, and the outer steps in which it began (eager tasks). */
  #running = NO_STEP
  readonly #outer: Step[] = []

  /**
   * `emit` gets events whose `seq` and `loop` it must fill in: a field that is there from the beginning costs less than one that
   * is added. `stepped` is called with each step that ends. The names of the last `mostEnded` ended tasks are kept.
   */
  constructor(emit: (event: LoopEvent) => void, mostEnded = 0, stepped?: (task: number, from: number, to: number) => void) {
    this.#emit = emit
    this.#mostEnded = mostEnded
    this.#stepped = stepped
  }

  /** What is known of a task, including the tasks that ended last. */
  known(task: number): Known {
    return this.#tasks.get(task) ?? UNKNOWN
  }

  scopeOf(task: number): Scope {
    const { run, request } = this.known(task)
    return { ...(run === 0 ? {} : { run }), ...(request === 0 ? {} : { request }) }
  }

  /** The running step. */
  get running(): Step {
    return this.#running
  }

  /** A step has been running since then, without an event. */
  resume(task: number, since: number): void {
    this.#running = { task, since }
  }

  /** No step is running. */
  rest(): void {
    this.#running = NO_STEP
    this.#outer.length = 0
  }

  /** The next loop numbers its tasks from 1 again. */
  restart(): void {
    this.#tasks.clear()
    this.#ended.length = 0
    this.#endedAt = 0
  }

  loop(type: 'loop.started' | 'loop.closed', t: number, of: Pick<EventOf<'loop.started'>, 'name' | 'pid' | 'clock'>): void {
    this.#emit({ type, seq: 0, t: stamp(t), loop: '', ...of })
  }

  /** Registers a task without an event. It inherits from its parent, or keeps, what `scope` does not set. */
  meet(task: number, name: string, parent: number, scope: Scope | null): Known {
    const above = this.#tasks.get(parent) ?? this.#tasks.get(task) ?? UNKNOWN
    const known = { name, run: scope?.run || above.run, request: scope?.request || above.request }
    this.#tasks.set(task, known)
    return known
  }

  created(t: number, task: number, name: string, coroutine: string, parent: number, scope: Scope | null): void {
    const known = this.meet(task, name, parent, scope)
    const event: EventOf<'task.created'> = { type: 'task.created', seq: 0, t: stamp(t), loop: '', task, name, coroutine }
    if (parent !== 0) event.parent = parent
    this.#emitOf(event, known)
  }

  ready(t: number, task: number, by: number): void {
    const event: EventOf<'task.ready'> = { type: 'task.ready', seq: 0, t: stamp(t), loop: '', task }
    if (by !== 0 && by !== task) event.by = by
    this.#emitOf(event, this.known(task))
  }

  /** An `eager` step begins inside the running one. */
  begun(t: number, task: number, eager: boolean): void {
    if (eager) this.#outer.push(this.#running)
    else this.#outer.length = 0
    this.#running = { task, since: t }
    this.#emitOf({ type: 'task.running', seq: 0, t: stamp(t), loop: '', task }, this.known(task))
  }

  suspended(t: number, task: number, on: Waiting, location?: Frame): void {
    const event: EventOf<'task.suspended'> = { type: 'task.suspended', seq: 0, t: stamp(t), loop: '', task, on, seconds: this.#end(task, t) }
    if (location !== undefined) event.location = location
    this.#emitOf(event, this.known(task))
  }

  /** `steps` steps that only yield ran in a row from `since` to `t`; `tasks` has the counts of some tasks. */
  busy(t: number, since: number, steps: number, tasks: { task: number; steps: number }[]): void {
    this.#emit({ type: 'loop.busy', seq: 0, t: stamp(t), loop: '', since: stamp(since), seconds: stamp(t - since), steps, tasks })
  }

  /** A step ended in `sleep(0)`: the task is suspended and at once ready. */
  yielded(t: number, task: number, location?: Frame): void {
    this.suspended(t, task, { kind: 'yield' }, location)
    this.ready(t, task, 0)
  }

  finished(t: number, task: number, outcome: Ended, error?: string): void {
    const known = this.known(task)
    this.#end(task, t)
    const event: EventOf<'task.finished'> = { type: 'task.finished', seq: 0, t: stamp(t), loop: '', task, outcome }
    if (error !== undefined) event.error = error
    this.#emitOf(event, known)
    this.#retire(task)
  }

  cancelling(t: number, task: number, by: number, message = ''): void {
    const event: EventOf<'task.cancelling'> = { type: 'task.cancelling', seq: 0, t: stamp(t), loop: '', task }
    if (by !== 0) event.by = by
    if (message !== '') event.message = message
    this.#emitOf(event, this.known(task))
  }

  threadStarted(t: number, task: number, call: Call): void {
    const known = this.known(task)
    this.#calls.set(call.call, { task, known })
    this.#emitOf({ type: 'thread.started', seq: 0, t: stamp(t), loop: '', ...ofTask(task), ...call }, known)
  }

  /** `seconds` is NaN if the call never began. */
  threadFinished(t: number, task: number, call: Call, ending: EventOf<'thread.finished'>['ending'], seconds: number): void {
    const { task: owner, known } = this.#calls.get(call.call) ?? { task, known: this.known(task) }
    this.#calls.delete(call.call)
    this.#emitOf({
      type: 'thread.finished', seq: 0, t: stamp(t), loop: '', ...ofTask(owner), ...call, ending, ...(Number.isNaN(seconds) ? {} : { seconds: stamp(seconds) }),
    }, known)
  }

  printed(t: number, task: number, text: string): void {
    const event: EventOf<'task.printed'> = { type: 'task.printed', seq: 0, t: stamp(t), loop: '', text }
    if (task !== 0) event.task = task
    this.#emitOf(event, this.known(task))
  }

  queueChanged(t: number, task: number, queue: number, op: EventOf<'queue.changed'>['op'], size: number, unfinished: number, maxsize: number): void {
    const event: EventOf<'queue.changed'> = { type: 'queue.changed', seq: 0, t: stamp(t), loop: '', queue, op, size, unfinished, maxsize }
    if (task !== 0) event.task = task
    this.#emitOf(event, this.known(task))
  }

  requestStarted(t: number, request: number, method: string, url: string, left?: number): void {
    const event: EventOf<'request.started'> = { type: 'request.started', seq: 0, t: stamp(t), loop: '', request, method, url }
    if (left !== undefined) event.left = left
    this.#emit(event)
  }

  requestFinished(t: number, task: number, request: number, method: string, url: string, outcome: RequestEnded, status: number, seconds: number): void {
    const event: EventOf<'request.finished'> = { type: 'request.finished', seq: 0, t: stamp(t), loop: '', request, method, url, status, outcome, seconds: stamp(seconds) }
    if (task !== 0) event.task = task
    this.#emit(event)
  }

  message(t: number, task: number, of: Pick<EventOf<'request.message'>, 'request' | 'direction' | 'message' | 'bytes' | 'more'>, code: number): void {
    const event: EventOf<'request.message'> = { type: 'request.message', seq: 0, t: stamp(t), loop: '', ...of }
    if (code !== 0) event.code = code
    if (task !== 0) event.task = task
    this.#emitOf(event, this.known(task))
  }

  /** An event that needs only a time. It gets the run and request of the task, unless it has its own. */
  recorded(t: number, task: number, bare: Bare): void {
    this.#emitOf({ seq: 0, t: stamp(t), loop: '', ...bare } as LoopEvent, this.known(task))
  }

  /** Ends the step of this task if it is the running one; returns its length in seconds. */
  #end(task: number, t: number): number {
    const { task: running, since } = this.#running
    if (running !== task) return 0
    this.#running = this.#outer.pop() ?? NO_STEP
    this.#stepped?.(task, since, t)
    return stamp(t - since)
  }

  #retire(task: number): void {
    if (this.#mostEnded === 0) {
      this.#tasks.delete(task)
      return
    }
    const old = this.#ended[this.#endedAt]
    if (old !== undefined) this.#tasks.delete(old)
    this.#ended[this.#endedAt] = task
    this.#endedAt = (this.#endedAt + 1) % this.#mostEnded
  }

  #emitOf(event: LoopEvent, { run, request }: Known): void {
    if (run !== 0) event.run ??= run
    if (request !== 0) event.request ??= request
    this.#emit(event)
  }
}

/** Seconds, rounded to a microsecond. */
export function stamp(seconds: number): number {
  return Math.round(seconds * 1e6) / 1e6
}

/** The field `task` of an event that may belong to no task. */
export function ofTask(task: number): { task?: number } {
  return task === 0 ? {} : { task }
}
