// Makes events from plain facts: numbers, words and times. Both sides use it, the recorder on the loop's own thread and the
// decoder of the records on another, so both make the same events. It knows what a task inherits, its run and its request,
// and which step runs; nobody else needs to.
import type { EventOf, EventType, Frame, LoopEvent, Waiting } from './schema.ts'

type Without<T, K extends PropertyKey> = T extends LoopEvent ? Omit<T, K> : never
/** An event before it has its number. */
export type Timed<T extends EventType = EventType> = Without<EventOf<T>, 'seq' | 'loop'>
/** An event that has no time yet, either. */
export type Bare<T extends EventType = EventType> = Without<EventOf<T>, 'seq' | 'loop' | 't'>

/** What a task belongs to; its children belong to the same. */
export interface Scope {
  run?: number | undefined
  request?: number | undefined
}

/** What is known of a task; 0: it belongs to none. */
export interface Known {
  readonly name: string
  readonly run: number
  readonly request: number
}

/** A step under way. */
interface Step {
  readonly task: number
  readonly since: number
}

type Ended = EventOf<'task.finished'>['outcome']
type Call = Pick<EventOf<'thread.started'>, 'call' | 'mode' | 'function'>

const NOBODY: Known = { name: '', run: 0, request: 0 }
const NO_STEP: Step = { task: 0, since: 0 }

/** Times are seconds on the loop's clock; a task, a run or a request of 0 is none. */
export class EventBuilder {
  readonly #emit: (event: Timed) => void
  readonly #stepped: ((task: number, from: number, to: number) => void) | undefined
  readonly #tasks = new Map<number, Known>()
  /** The last tasks that have ended, around and around. */
  readonly #ended: number[] = []
  readonly #mostEnded: number
  #endedAt = 0
  /** The task may be gone by the time its call is through. */
  readonly #calls = new Map<number, { task: number; known: Known }>()
  /** The step under way, and those in which it began. */
  #running = NO_STEP
  readonly #outer: Step[] = []

  /** `stepped` is called with each step that ends. Of so many tasks that have ended the names are kept. */
  constructor(emit: (event: Timed) => void, mostEnded = 0, stepped?: (task: number, from: number, to: number) => void) {
    this.#emit = emit
    this.#mostEnded = mostEnded
    this.#stepped = stepped
  }

  /** What is known of a task, also of one that has ended a short while ago. */
  known(task: number): Known {
    return this.#tasks.get(task) ?? NOBODY
  }

  scopeOf(task: number): Scope {
    const { run, request } = this.known(task)
    return { ...(run === 0 ? {} : { run }), ...(request === 0 ? {} : { request }) }
  }

  /** The step under way. */
  get running(): Step {
    return this.#running
  }

  /** A step has been under way since then, which no event says. */
  resume(task: number, since: number): void {
    this.#running = { task, since }
  }

  /** No step is under way. */
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
    this.#emit({ type, t: stamp(t), ...of })
  }

  /** Know a task, without a word. What `scope` leaves open it has from its parent, or from what is known of it. */
  meet(task: number, name: string, parent: number, scope: Scope | null): Known {
    const above = this.#tasks.get(parent) ?? this.#tasks.get(task) ?? NOBODY
    const known = { name, run: scope?.run || above.run, request: scope?.request || above.request }
    this.#tasks.set(task, known)
    return known
  }

  created(t: number, task: number, name: string, coroutine: string, parent: number, scope: Scope | null): void {
    const known = this.meet(task, name, parent, scope)
    const event: Timed<'task.created'> = { type: 'task.created', t: stamp(t), task, name, coroutine }
    if (parent !== 0) event.parent = parent
    this.#tell(event, known)
  }

  ready(t: number, task: number, by: number): void {
    const event: Timed<'task.ready'> = { type: 'task.ready', t: stamp(t), task }
    if (by !== 0 && by !== task) event.by = by
    this.#tell(event, this.known(task))
  }

  /** An `eager` step begins inside of the one under way. */
  begun(t: number, task: number, eager: boolean): void {
    if (eager) this.#outer.push(this.#running)
    else this.#outer.length = 0
    this.#running = { task, since: t }
    this.#tell({ type: 'task.running', t: stamp(t), task }, this.known(task))
  }

  suspended(t: number, task: number, on: Waiting, location?: Frame): void {
    const event: Timed<'task.suspended'> = { type: 'task.suspended', t: stamp(t), task, on, seconds: this.#end(task, t) }
    if (location !== undefined) event.location = location
    this.#tell(event, this.known(task))
  }

  /** From `since` until `t` so many steps came one after the other that only yield; those of some tasks were counted by themselves. */
  busy(t: number, since: number, steps: number, tasks: { task: number; steps: number }[]): void {
    this.#emit({ type: 'loop.busy', t: stamp(t), since: stamp(since), seconds: stamp(t - since), steps, tasks })
  }

  /** A step ended in `sleep(0)`: the task is suspended, and ready at once. */
  yielded(t: number, task: number, location?: Frame): void {
    this.suspended(t, task, { kind: 'yield' }, location)
    this.ready(t, task, 0)
  }

  finished(t: number, task: number, outcome: Ended, error?: string): void {
    const known = this.known(task)
    this.#end(task, t)
    const event: Timed<'task.finished'> = { type: 'task.finished', t: stamp(t), task, outcome }
    if (error !== undefined) event.error = error
    this.#tell(event, known)
    this.#retire(task)
  }

  cancelling(t: number, task: number, by: number, message?: string): void {
    const event: Timed<'task.cancelling'> = { type: 'task.cancelling', t: stamp(t), task }
    if (by !== 0) event.by = by
    if (message !== undefined) event.message = message
    this.#tell(event, this.known(task))
  }

  threadStarted(t: number, task: number, call: Call): void {
    const known = this.known(task)
    this.#calls.set(call.call, { task, known })
    this.#tell({ type: 'thread.started', t: stamp(t), ...ofTask(task), ...call }, known)
  }

  /** `seconds` is NaN where the call never began. */
  threadFinished(t: number, task: number, call: Call, ending: EventOf<'thread.finished'>['ending'], seconds: number): void {
    const { task: owner, known } = this.#calls.get(call.call) ?? { task, known: this.known(task) }
    this.#calls.delete(call.call)
    this.#tell({
      type: 'thread.finished', t: stamp(t), ...ofTask(owner), ...call, ending, ...(Number.isNaN(seconds) ? {} : { seconds: stamp(seconds) }),
    }, known)
  }

  printed(t: number, task: number, text: string): void {
    const event: Timed<'task.printed'> = { type: 'task.printed', t: stamp(t), text }
    if (task !== 0) event.task = task
    this.#tell(event, this.known(task))
  }

  queueChanged(t: number, task: number, queue: number, op: EventOf<'queue.changed'>['op'], size: number, unfinished: number, maxsize: number): void {
    const event: Timed<'queue.changed'> = { type: 'queue.changed', t: stamp(t), queue, op, size, unfinished, maxsize }
    if (task !== 0) event.task = task
    this.#tell(event, this.known(task))
  }

  /** What needs no more than its time. It belongs to what the task belongs to, unless it says otherwise itself. */
  said(t: number, task: number, bare: Bare): void {
    this.#tell({ ...bare, t: stamp(t) } as Timed, this.known(task))
  }

  /** The step of this task ends, if it is the one under way; gives how many seconds it took. */
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

  #tell(event: Timed, { run, request }: Known): void {
    if (run !== 0) event.run ??= run
    if (request !== 0) event.request ??= request
    this.#emit(event)
  }
}

/** Seconds in steps of a microsecond. */
export function stamp(seconds: number): number {
  return Math.round(seconds * 1e6) / 1e6
}

/** The task of an event that may have none. */
export function ofTask(task: number): { task?: number } {
  return task === 0 ? {} : { task }
}
