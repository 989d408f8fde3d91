// The rows of a recording: tasks, and the calls that threads run for them, each under its parent task. The stream's own
// model has the live tasks and their states; a lane keeps the history of its task.
import { Model } from '../../src/events/model.ts'
import type { EventOf, LiveTask, Snapshot } from '../../src/events/schema.ts'
import { Steps, Wakes } from './steps.ts'
import { GHOST, Lane, READY, RUNNING, THREAD, UNKNOWN, WAITING, YIELDING, type SpanInfo, type State } from './track.ts'

type Change = EventOf<'task.ready' | 'task.running' | 'task.suspended' | 'task.cancelling' | 'task.finished'>
type Begun = Pick<LiveTask, 'task' | 'name' | 'coroutine' | 'parent' | 'run' | 'request'>

/** The most names that are kept from snapshots. */
const MOST_NAMES = 100_000
/** The number of lanes that were added last, for what arranges them. */
const MOST_ADDED = 16_384

export class Lanes extends Map<number, Lane> {
  readonly steps = new Steps()
  readonly wakes = new Wakes()
  /** Grows when lanes are added or removed. */
  structure = 0
  /** Lanes that were removed because there were too many. */
  crowdedOut = 0
  readonly #most: number
  readonly #onStep: (lane: Lane, from: number, to: number) => void
  readonly #model = new Model()
  readonly #names = new Map<number, LiveTask>()
  readonly #openThreads = new Map<number, Lane>()
  #threads = 0
  #order: Lane[] | null = null
  readonly #added: Lane[] = []
  #addedBefore = 0

  /** Past `most` lanes the oldest is removed, in any state. `onStep` is called when a step has ended. */
  constructor(most: number, onStep: (lane: Lane, from: number, to: number) => void) {
    super()
    this.#most = most
    this.#onStep = onStep
  }

  /** The tasks that are alive. */
  get tasks(): Model['tasks'] {
    return this.#model.tasks
  }

  /** Whether it was cancelled and has not ended yet. */
  isCancelling(lane: Lane): boolean {
    return this.tasks.get(lane.id)?.cancelling === true
  }

  /** All lanes, each under its parent, in the order of creation. */
  ordered(): readonly Lane[] {
    if (this.#order !== null) return this.#order
    const order: Lane[] = []
    // Without recursion: tasks may be nested as deep as there are tasks.
    const open: Lane[] = []
    for (const root of this.values()) {
      if (root.parent !== null) continue
      open.push(root)
      for (let lane = open.pop(); lane !== undefined; lane = open.pop()) {
        lane.depth = lane.parent === null ? 0 : lane.parent.depth + 1
        order.push(lane)
        for (const child of [...lane.children].reverse()) open.push(child)
      }
    }
    this.#order = order
    return order
  }

  /** The number of lanes that were ever added. */
  get addedUntil(): number {
    return this.#addedBefore + this.#added.length
  }

  /** The lanes that were added after the first `count`, as far as they are remembered. */
  addedSince(count: number): readonly Lane[] {
    return this.#added.slice(Math.max(0, count - this.#addedBefore))
  }

  created(event: EventOf<'task.created'>): Lane {
    const { t, seq, parent, location } = event
    const lane = this.#begin(event, t, seq)
    this.#model.apply(event)
    lane.location = location ?? null
    lane.turn(READY, t, seq, parent === undefined ? null : { by: parent })
    return lane
  }

  /** The lane of an event. If its beginning was not seen, a partial lane begins here. */
  of({ task, t, seq, run, request }: Pick<Change, 'task' | 't' | 'seq' | 'run' | 'request'>): Lane {
    let lane = this.get(task)
    if (lane === undefined) {
      const { name, coroutine, parent } = this.#names.get(task) ?? { name: `task ${task}`, coroutine: '' }
      lane = this.#begin({ task, name, coroutine, parent, run, request }, t, seq)
      lane.partial = true
    }
    if (lane.endedAt === null && !this.tasks.has(task)) this.#model.tasks.set(task, { task, name: lane.name, coroutine: lane.coroutine, state: 'ready', since: t })
    return lane
  }

  changed(event: Change): void {
    const { task, t, seq } = event
    const lane = this.of(event)
    this.#model.apply(event)
    const live = this.tasks.get(task)
    if (event.type === 'task.suspended' || event.type === 'task.finished') this.#endStep(lane, t)
    if (event.type === 'task.ready' && event.by !== undefined) this.wakes.add(t, event.by, task)
    if (event.type === 'task.finished') {
      lane.end(t, seq, event.outcome, event.error ?? null)
      // A call that its thread continues, though its result is ignored.
      for (const child of lane.children) if (child.kind === 'thread' && child.endedAt === null) child.turn(GHOST, t, seq)
    } else if (event.type === 'task.cancelling') lane.marks.push(event)
    // A new task became ready when it was created, so this event changes nothing.
    else if (live !== undefined && (event.type !== 'task.ready' || lane.state !== READY || lane.partial)) {
      lane.turn(stateOf(live), t, seq, event.type === 'task.running' ? null : infoOf(event))
      if (event.type === 'task.running') this.steps.open = { lane, since: t }
    }
  }

  /** Steps that the loop only counted; the tasks that the event names get a span with their share. */
  busy(event: EventOf<'loop.busy'>): void {
    const { t, since, steps, seq, tasks } = event
    this.#model.apply(event)
    this.steps.counted(since, t)
    for (const { task, steps: own } of tasks) {
      const lane = this.get(task)
      if (lane?.state !== READY) continue
      lane.turn(YIELDING, since, seq, { steps: { own, all: steps } })
      lane.turn(READY, t, seq)
    }
  }

  threadStarted({ task, call, mode, function: name, t, seq, run, request }: EventOf<'thread.started'>): void {
    const lane = new Lane(-(++this.#threads), name, t, seq, 'thread')
    this.#add(lane, { coroutine: mode, parent: task, run, request })
    lane.turn(lane.parent !== null && lane.parent.endedAt !== null ? GHOST : THREAD, t, seq)
    if (this.#openThreads.size < this.#most) this.#openThreads.set(call, lane)
  }

  threadFinished({ call, t, seq, ending }: EventOf<'thread.finished'>): void {
    this.#openThreads.get(call)?.end(t, seq, ending === 'orphaned' ? 'returned' : ending, null)
    this.#openThreads.delete(call)
  }

  /** The current step ends with the loop, and so does its stall. */
  closed(t: number, seq: number): void {
    if (this.steps.open !== null) this.#endStep(this.steps.open.lane, t)
    this.#model.tasks.clear()
    for (const lane of this.values()) if (lane.endedAt === null) lane.end(t, seq, null, null)
  }

  /** Names for tasks whose creation was not seen, from a later snapshot. */
  learnNames(snapshot: Snapshot): void {
    if (this.#names.size > MOST_NAMES) this.#names.clear()
    for (const task of snapshot.tasks) this.#names.set(task.task, task)
  }

  /** A task that is missing in the snapshot has ended; a new one is added. */
  restore(snapshot: Snapshot, t: number, seq: number): void {
    this.#model.restore(snapshot)
    for (const lane of this.values()) if (lane.kind === 'task' && lane.endedAt === null && !this.tasks.has(lane.id)) lane.end(t, seq, null, null)
    this.steps.open = null
    this.learnNames(snapshot)
    for (const live of snapshot.tasks) {
      const known = this.get(live.task)
      const lane = known ?? this.#begin(live, live.since, seq)
      lane.partial ||= known === undefined
      const state = stateOf(live)
      if (lane.state !== state || lane.since !== live.since) lane.turn(state, live.since, seq, infoOf(live))
      if (state === RUNNING) this.steps.open = { lane, since: live.since }
    }
  }

  /** Events are lost, so the states of all live tasks are unknown. */
  lose(t: number, seq: number): void {
    this.#model.tasks.clear()
    this.#openThreads.clear()
    for (const lane of this.values()) if (lane.endedAt === null) lane.turn(UNKNOWN, t, seq)
  }

  forget(t: number): void {
    this.steps.forget(t)
    this.wakes.forget(t)
    for (const lane of [...this.values()]) {
      if (lane.endedAt !== null && lane.endedAt < t && [...lane.children].every(({ endedAt }) => endedAt !== null && endedAt < t)) {
        this.#remove(lane)
      } else if (lane.starts.length > 8 || lane.marks.length > 8) lane.forget(t)
    }
  }

  #begin(task: Begun, t: number, seq: number): Lane {
    return this.#add(new Lane(task.task, task.name, t, seq), task)
  }

  #add(lane: Lane, { coroutine, parent, run, request }: Omit<Begun, 'task' | 'name'>): Lane {
    lane.coroutine = coroutine
    lane.run = run ?? null
    lane.request = request ?? null
    const above = parent === undefined || parent === lane.id ? undefined : this.get(parent)
    if (above !== undefined) {
      lane.parent = above
      lane.rootName = above.rootName
      above.children.add(lane)
    }
    const before = this.get(lane.id)
    if (before !== undefined) this.#remove(before)
    else if (this.size >= this.#most) {
      this.#remove(this.values().next().value as Lane)
      this.crowdedOut++
    }
    this.set(lane.id, lane)
    this.#added.push(lane)
    if (this.#added.length > MOST_ADDED) this.#addedBefore += this.#added.splice(0, MOST_ADDED / 2).length
    this.#reorder()
    return lane
  }

  #remove(lane: Lane): void {
    this.delete(lane.id)
    this.#names.delete(lane.id)
    this.#model.tasks.delete(lane.id)
    lane.parent?.children.delete(lane)
    for (const child of lane.children) child.parent = null
    if (this.steps.open?.lane === lane) this.steps.open = null
    this.#reorder()
  }

  #reorder(): void {
    this.#order = null
    this.structure++
  }

  #endStep(lane: Lane, t: number): void {
    const since = this.steps.end(lane, t)
    if (since !== null) this.#onStep(lane, since, t)
  }
}

function stateOf({ state, on }: LiveTask): State {
  return state === 'running' ? RUNNING : state === 'ready' ? READY : on?.kind === 'thread' ? THREAD : WAITING
}

/** The details of a state, from its event or from a snapshot; null if there are no details. */
function infoOf({ on, by, location }: SpanInfo): SpanInfo | null {
  return on === undefined && by === undefined && location === undefined ? null : { on, by, location }
}
