// Everything that the page knows of a loop, made of nothing but its events: lanes with their states, wake-ups, stalls,
// queues, requests, runs, lines. It knows no page and no connection, and it is bounded: the oldest events are forgotten.
import type { LoopEvent, Parameters, Snapshot, StreamEvent, EventOf } from '../src/events/schema.ts'
import { lowerBound } from '../src/events/lower-bound.ts'
import { GHOST, Lane, READY, RUNNING, THREAD, UNKNOWN, WAITING, type Outcome, type Position, type Span } from './recording/track.ts'
import { Labs } from './recording/labs.ts'
import { Queues } from './recording/queues.ts'
import { Stalls, type Stall } from './recording/stalls.ts'

export type { Position, Span } from './recording/track.ts'
export { Lane } from './recording/track.ts'

/** Several events may share a moment: nothing is after these. */
export const NOW: Position = { t: Infinity, seq: Infinity }

export interface Request {
  id: number
  method: string
  url: string
  /** When it came, as far as that can be told: it was read later where the loop was held. */
  from: number
  readAt: number
  to: number | null
  status: number | null
  outcome: string | null
  task: number | null
}

export interface Run {
  id: number
  example: number
  parameters: Parameters
  from: number
  to: number | null
  outcome: Outcome | null
  request: number | null
  /** Its first task. */
  task: number | null
}

export interface Line {
  t: number
  seq: number
  task: number | null
  run: number | null
  text: string
}

/** Something that the stream itself warns of, or that the lanes show. */
export interface Warning {
  t: number
  seq: number
  kind: string
  level: 'amber' | 'red'
  message: string
  task: number | null
}

/** A stretch whose events are lost: nothing is known of it. */
export interface Gap {
  from: number
  to: number
  count: number
}

/** The steps of the loop, one after the other: who had it from when to when. */
export interface Steps {
  readonly from: number[]
  readonly to: number[]
  readonly task: number[]
}

export interface RecordingOptions {
  /** How many events are held; past that the oldest tenth goes. */
  limit?: number
  /** How many lanes; past that the oldest goes, whatever it does. */
  lanes?: number
  name?: string
}

/** What an event of a task has that its lane is found by. */
interface OfTask {
  task: number
  t: number
  seq: number
  run?: number | undefined
  request?: number | undefined
}

const MOST_LINES = 10_000
const MOST_ENDED = 2000
const MOST_WARNINGS = 1000
const MOST_GAPS = 200
/** Characters of messages whose events are held. */
const MOST_CHARACTERS = 64_000_000
/** Names that a picture gave. */
const MOST_NAMES = 100_000
/** What is said by those that watch the loop, while it says something else. */
const BESIDE = new Set(['loop.blocked', 'loop.unblocked', 'warning', 'lab.started', 'lab.entered', 'lab.probed', 'lab.measured', 'lab.finished'])
/** The oldest that are looked at for one that has ended. */
const LOOKS = 16

export class Recording {
  readonly name: string
  readonly limit: number
  readonly #mostLanes: number
  readonly events: LoopEvent[] = []
  /** The characters of each one's message. */
  readonly #sizes: number[] = []
  #size = 0
  readonly lanes = new Map<number, Lane>()
  readonly stalls = new Stalls()
  readonly queues = new Queues()
  readonly labs = new Labs()
  readonly requests = new Map<number, Request>()
  readonly runs = new Map<number, Run>()
  readonly lines: Line[] = []
  readonly warnings: Warning[] = []
  readonly gaps: Gap[] = []
  readonly steps: Steps = { from: [], to: [], task: [] }
  /** Wake-ups: when, who woke, who was woken. */
  readonly wakes: { readonly t: number[]; readonly by: number[]; readonly task: number[] } = { t: [], by: [], task: [] }
  /** Grows with every change; who draws compares it. */
  version = 0
  /** Grows when lanes come or go. */
  structure = 0
  clock: 'real' | 'virtual' = 'real'
  loopName = ''
  loopClosed = false
  /** The time that is shown as zero: a run's beginning, or the loop's own. */
  zero = 0
  /** Events that were too many to hold or lost on the way. */
  forgotten = 0
  /** Lanes that were too many to hold. */
  crowdedOut = 0
  /** Messages that made no sense. */
  malformed = 0
  #first: number | null = null
  #last = 0
  /** The time of the last event that the loop itself has sent. */
  #clock = -Infinity
  #lastSeq = 0
  #step: { lane: Lane; since: number } | null = null
  #names = new Map<number, { name: string; coroutine: string; parent?: number | undefined }>()
  #threads = 0
  #openThreads = new Map<number, Lane>()
  #order: Lane[] | null = null

  constructor(options: RecordingOptions = {}) {
    this.name = options.name ?? ''
    this.limit = options.limit ?? 100_000
    this.#mostLanes = options.lanes ?? 100_000
  }

  /** The time of the first event that is held, in seconds on the loop's clock. */
  get from(): number {
    return this.#first ?? this.#last
  }

  /** The time of the last one. */
  get to(): number {
    return this.#last
  }

  get lastSeq(): number {
    return this.#lastSeq
  }

  get empty(): boolean {
    return this.events.length === 0 && this.lanes.size === 0
  }

  /** Who runs now. */
  get holder(): { lane: Lane; since: number } | null {
    return this.#step
  }

  /** Take in any message of a stream; what makes no sense is counted and passed over. */
  hear(message: StreamEvent): void {
    switch (message.type) {
      case 'stream.hello':
        if (message.snapshot !== undefined) this.restore(message.snapshot)
        break
      case 'stream.dropped':
        this.lose(message.count, message.snapshot)
        break
      case 'stream.bookmark':
      case 'stream.loop':
        break
      default:
        this.apply(message)
    }
  }

  /**
   * Take in one event, whose message had `size` characters. They must come in order, and one that was there already is
   * passed over. What the loop itself says is taken to have happened no earlier than what it said before: what is drawn
   * relies on times that never go back.
   */
  apply(came: LoopEvent, size = 0): void {
    const event = came?.t < this.#clock && !BESIDE.has(came.type) ? { ...came, t: this.#clock } : came
    if (typeof event?.type !== 'string' || typeof event.t !== 'number' || typeof event.seq !== 'number' || !Number.isFinite(event.t)) {
      this.malformed++
      return
    }
    if (event.seq <= this.#lastSeq) return
    this.#lastSeq = event.seq
    if (this.#first === null || event.t > this.#last) this.#last = event.t
    this.#first ??= event.t
    if (!BESIDE.has(event.type)) this.#clock = event.t
    this.events.push(event)
    this.#sizes.push(size)
    this.#size += size
    this.version++
    try {
      this.#take(event)
    } catch {
      this.malformed++
    }
    if (this.events.length > this.limit || this.#size > MOST_CHARACTERS) this.#forget(Math.ceil(Math.min(this.limit, this.events.length) / 10))
  }

  /** Names for tasks whose beginning is out of reach, from a snapshot of a later moment. */
  learnNames(snapshot: Snapshot): void {
    if (this.#names.size > MOST_NAMES) this.#names.clear()
    for (const { task, name, coroutine, parent } of snapshot.tasks) this.#names.set(task, { name, coroutine, parent })
  }

  /** Bring the picture in line with a snapshot: what is not in it has ended, what is new in it is added. */
  restore(snapshot: Snapshot): void {
    const alive = new Set(snapshot.tasks.map(({ task }) => task))
    const seq = Math.max(snapshot.seq, this.#lastSeq)
    let t = this.#last
    for (const { since } of snapshot.tasks) t = Math.max(t, since)
    this.#first ??= t
    this.#last = t
    this.#lastSeq = seq
    for (const lane of this.lanes.values()) {
      if (lane.kind === 'task' && lane.endedAt === null && !alive.has(lane.id)) lane.end(t, seq, null, null)
    }
    this.#step = null
    this.learnNames(snapshot)
    for (const live of snapshot.tasks) {
      let lane = this.lanes.get(live.task)
      if (lane === undefined) {
        lane = this.#create(live.task, live.name, live.since, Math.min(seq, this.#lastSeq), live.parent)
        lane.partial = true
        lane.coroutine = live.coroutine
        lane.run = live.run ?? null
        lane.request = live.request ?? null
      }
      lane.cancelling = live.cancelling === true
      const state = live.state === 'running' ? RUNNING : live.state === 'ready' ? READY : live.on?.kind === 'thread' ? THREAD : WAITING
      if (lane.state !== state || lane.since !== live.since) {
        const info = { ...live.on === undefined ? {} : { on: live.on }, ...live.location === undefined ? {} : { location: live.location } }
        lane.turn(state, live.since, seq, info)
      }
      if (state === RUNNING) this.#step = { lane, since: live.since }
    }
    for (const { run, example, parameters } of snapshot.runs) this.#run(run, example, parameters, t, null)
    for (const { request, method, url } of snapshot.requests) {
      if (!this.requests.has(request)) this.requests.set(request, { id: request, method, url, from: t, readAt: t, to: null, status: null, outcome: null, task: null })
    }
    for (const lane of this.lanes.values()) {
      const request = lane.request === null ? undefined : this.requests.get(lane.request)
      if (request !== undefined) {
        request.task ??= lane.id
        if (request.task === lane.id && lane.partial) request.from = request.readAt = Math.min(request.from, lane.createdAt)
      }
    }
    this.queues.restore(snapshot.queues, { t, seq })
    this.version++
  }

  /** Events are lost: nothing is known until the snapshot, and no warning is made of the stretch. */
  lose(count: number, snapshot?: Snapshot): void {
    const from = this.#last
    this.forgotten += count
    for (const lane of this.lanes.values()) if (lane.endedAt === null) lane.turn(UNKNOWN, from, this.#lastSeq)
    if (snapshot !== undefined) this.restore(snapshot)
    const before = this.gaps.at(-1)
    if (before !== undefined && before.to >= from) {
      before.to = this.#last
      before.count += count
    } else this.gaps.push({ from, to: this.#last, count })
    if (this.gaps.length > MOST_GAPS) this.gaps.shift()
    this.#openThreads.clear()
    this.version++
  }

  /** Forget everything: another loop begins. */
  clear(): void {
    for (const list of [this.events, this.#sizes, this.lines, this.warnings, this.gaps, ...Object.values(this.steps) as number[][], ...Object.values(this.wakes) as number[][]]) list.length = 0
    for (const map of [this.lanes, this.requests, this.runs, this.#names, this.#openThreads]) map.clear()
    this.stalls.clear()
    this.queues.clear()
    this.labs.clear()
    this.#size = 0
    this.#first = null
    this.#last = 0
    this.#clock = -Infinity
    this.#lastSeq = 0
    this.#step = null
    this.loopClosed = false
    this.#reorder()
    this.version++
  }

  /** All lanes, each under its parent, in the order of their creation. */
  ordered(): readonly Lane[] {
    if (this.#order !== null) return this.#order
    const order: Lane[] = []
    // Without recursion: tasks may lie as deep in each other as there are tasks.
    const open: Lane[] = []
    for (const root of this.lanes.values()) {
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

  /** The position of the last event at or before a time. */
  positionAt(t: number): Position {
    const index = this.indexAt(t)
    return { t, seq: index < 0 ? 0 : (this.events[index] as LoopEvent).seq }
  }

  /** The index of the last event at or before a time; -1 before all. */
  indexAt(t: number): number {
    return lowerBound(this.events.length, (index) => (this.events[index] as LoopEvent).t <= t) - 1
  }

  /** The position of the event that is `count` before or after this position. */
  step({ seq }: Position, count: number): Position {
    const { events } = this
    const at = lowerBound(events.length, (index) => (events[index] as LoopEvent).seq <= seq) - 1
    const index = Math.max(0, Math.min(events.length - 1, at + count))
    const event = events[index]
    return event === undefined ? { t: this.#last, seq: this.#lastSeq } : { t: event.t, seq: event.seq }
  }

  /** What each live task does at a position. */
  stateAt(position: Position): Map<Lane, Span> {
    const states = new Map<Lane, Span>()
    for (const lane of this.lanes.values()) {
      const span = lane.at(position)
      if (span !== null) states.set(lane, span)
    }
    return states
  }

  /** The part of the time between two moments for which a step held the loop, from 0 to 1. */
  utilisation(from: number, to: number): number {
    const { steps } = this
    let busy = this.#step === null ? 0 : Math.max(0, to - Math.max(from, this.#step.since))
    for (let at = steps.to.length - 1; at >= 0 && (steps.to[at] as number) > from; at--) {
      busy += Math.max(0, Math.min(to, steps.to[at] as number) - Math.max(from, steps.from[at] as number))
    }
    return to > from ? Math.min(1, busy / (to - from)) : 0
  }

  #take(event: LoopEvent): void {
    switch (event.type) {
      case 'loop.started':
        this.clock = event.clock
        this.loopName = event.name
        break
      case 'loop.closed':
        this.loopClosed = true
        // The step that was under way ended with the loop, and with it whatever stood behind it.
        if (this.#step !== null) this.#endStep(this.#step.lane, event.t)
        for (const lane of this.lanes.values()) if (lane.endedAt === null) lane.end(event.t, event.seq, null, null)
        break
      case 'loop.blocked':
        this.stalls.blocked(event, event.task === undefined ? null : this.lanes.get(event.task) ?? null)
        break
      case 'loop.unblocked':
        this.#inLine(this.stalls.unblocked(event, event.task === undefined ? null : this.lanes.get(event.task) ?? null))
        break
      case 'task.created': this.#created(event); break
      case 'task.ready': this.#ready(event); break
      case 'task.running': this.#running(event); break
      case 'task.suspended': this.#suspended(event); break
      case 'task.cancelling': {
        const lane = this.#lane(event)
        lane.cancelling = true
        lane.marks.push({ t: event.t, seq: event.seq, kind: 'cancel', text: event.message ?? '' })
        break
      }
      case 'task.finished': this.#finished(event); break
      case 'task.printed':
        this.lines.push({ t: event.t, seq: event.seq, task: event.task ?? null, run: event.run ?? null, text: event.text })
        if (this.lines.length > MOST_LINES) this.lines.splice(0, MOST_LINES / 10)
        if (event.task !== undefined) this.#lane({ ...event, task: event.task }).marks.push({ t: event.t, seq: event.seq, kind: 'print', text: event.text })
        break
      case 'queue.changed':
        this.queues.changed(event)
        break
      case 'request.started':
        this.requests.set(event.request, { id: event.request, method: event.method, url: event.url, from: event.t, readAt: event.t, to: null, status: null, outcome: null, task: event.task ?? null })
        this.#bound(this.requests)
        break
      case 'request.finished': {
        const known = this.requests.get(event.request)
        const from = known?.from ?? event.t - (event.seconds ?? 0)
        this.requests.set(event.request, {
          id: event.request, method: event.method, url: event.url, from, readAt: known?.readAt ?? from, to: event.t, status: event.status ?? null,
          outcome: event.outcome ?? null, task: known?.task ?? event.task ?? null,
        })
        this.#bound(this.requests)
        break
      }
      case 'run.started':
        this.#run(event.run, event.example, event.parameters, event.t, event.request ?? null)
        break
      case 'run.finished': {
        const run = this.#run(event.run, event.example, event.parameters, event.t, event.request ?? null)
        run.to = event.t
        run.outcome = event.outcome ?? null
        break
      }
      case 'thread.started': this.#threadStarted(event); break
      case 'thread.finished': this.#threadFinished(event); break
      case 'lab.started': case 'lab.entered': case 'lab.probed': case 'lab.measured': case 'lab.finished':
        this.labs.apply(event)
        break
      case 'warning':
        this.warnings.push({ t: event.t, seq: event.seq, kind: event.kind, level: event.level, message: event.message, task: event.task ?? null })
        if (this.warnings.length > MOST_WARNINGS) this.warnings.shift()
        break
      default: break
    }
  }

  /** Requests that a stall kept from being read stood in line behind it: so much of their time is known afterwards. */
  #inLine({ to, victims }: Stall): void {
    for (const { task, request: id, seconds } of victims) {
      const request = task === undefined && id !== undefined ? this.requests.get(id) : undefined
      if (request === undefined || to === null) continue
      request.from = Math.min(request.from, to - seconds)
      if (request.task !== null) this.lanes.get(request.task)?.stoodInLine(request.from)
    }
  }

  #created({ task, name, coroutine, parent, location, t, seq, run, request }: EventOf<'task.created'>): void {
    const lane = this.#create(task, name, t, seq, parent)
    lane.coroutine = coroutine
    lane.run = run ?? null
    lane.request = request ?? null
    lane.location = location ?? null
    lane.turn(READY, t, seq, parent === undefined ? null : { by: parent })
    const ofRequest = request === undefined ? undefined : this.requests.get(request)
    if (ofRequest !== undefined) {
      ofRequest.task ??= task
      if (ofRequest.task === task && ofRequest.from < ofRequest.readAt) lane.stoodInLine(ofRequest.from)
    }
    const ofRun = run === undefined ? undefined : this.runs.get(run)
    if (ofRun !== undefined) ofRun.task ??= task
  }

  #create(id: number, name: string, t: number, seq: number, parent: number | undefined): Lane {
    const lane = new Lane(id, name, t, seq)
    this.#adopt(lane, parent === undefined ? undefined : this.lanes.get(parent))
    this.#add(lane)
    return lane
  }

  #add(lane: Lane): void {
    const before = this.lanes.get(lane.id)
    if (before !== undefined) this.#remove(before)
    else if (this.lanes.size >= this.#mostLanes) {
      this.#remove(this.lanes.values().next().value as Lane)
      this.crowdedOut++
    }
    this.lanes.set(lane.id, lane)
    this.#reorder()
  }

  #remove(lane: Lane): void {
    this.lanes.delete(lane.id)
    this.#names.delete(lane.id)
    lane.parent?.children.delete(lane)
    for (const child of lane.children) child.parent = null
    if (this.#step?.lane === lane) this.#step = null
  }

  #adopt(lane: Lane, parent: Lane | undefined): void {
    if (parent === undefined || parent === lane) return
    lane.parent = parent
    lane.rootName = parent.rootName
    parent.children.add(lane)
  }

  /** The lane of an event; one whose beginning was not seen is begun here. */
  #lane({ task, t, seq, run, request }: OfTask): Lane {
    const known = this.lanes.get(task)
    if (known !== undefined) return known
    const named = this.#names.get(task)
    const lane = this.#create(task, named?.name ?? `task ${task}`, t, seq, named?.parent)
    lane.partial = true
    lane.coroutine = named?.coroutine ?? ''
    lane.run = run ?? null
    lane.request = request ?? null
    return lane
  }

  #ready(event: EventOf<'task.ready'>): void {
    const lane = this.#lane(event)
    const { t, seq, by, task } = event
    if (by !== undefined) {
      this.wakes.t.push(t)
      this.wakes.by.push(by)
      this.wakes.task.push(task)
    }
    // What wakes a new task for its first step is its creation.
    if (lane.state === READY && !lane.partial) return
    lane.turn(READY, t, seq, by === undefined ? null : { by })
  }

  #running(event: EventOf<'task.running'>): void {
    const lane = this.#lane(event)
    lane.turn(RUNNING, event.t, event.seq)
    this.#step = { lane, since: event.t }
  }

  #suspended(event: EventOf<'task.suspended'>): void {
    const lane = this.#lane(event)
    const { t, seq, on, location } = event
    this.#endStep(lane, t)
    const info = { on, ...(location === undefined ? {} : { location }) }
    lane.turn(on.kind === 'yield' ? READY : on.kind === 'thread' ? THREAD : WAITING, t, seq, info)
  }

  #finished(event: EventOf<'task.finished'>): void {
    const lane = this.#lane(event)
    const { t, seq, outcome, error } = event
    this.#endStep(lane, t)
    lane.end(t, seq, outcome, error ?? null)
    // A call that its thread goes on with, though nobody hears it any more.
    for (const child of lane.children) if (child.kind === 'thread' && child.endedAt === null) child.turn(GHOST, t, seq)
  }

  #endStep(lane: Lane, t: number): void {
    const step = this.#step
    this.#step = null
    if (step === null || step.lane !== lane) return
    // A snapshot may say that a step began before the one that was seen last had ended.
    this.steps.from.push(Math.max(step.since, this.steps.to.at(-1) ?? -Infinity))
    this.steps.to.push(t)
    this.steps.task.push(lane.id)
    this.stalls.stepped(lane, step.since, t, this.lanes.values())
  }

  #threadStarted({ task, call, mode, function: name, t, seq, run, request }: EventOf<'thread.started'>): void {
    const lane = new Lane(-(++this.#threads), name, t, seq, 'thread')
    lane.coroutine = mode
    lane.run = run ?? null
    lane.request = request ?? null
    const owner = task === undefined ? undefined : this.lanes.get(task)
    this.#adopt(lane, owner)
    lane.turn(owner !== undefined && owner.endedAt !== null ? GHOST : THREAD, t, seq)
    this.#add(lane)
    if (this.#openThreads.size < this.#mostLanes) this.#openThreads.set(call, lane)
  }

  #threadFinished({ call, t, seq, ending }: EventOf<'thread.finished'>): void {
    this.#openThreads.get(call)?.end(t, seq, ending === 'orphaned' ? 'returned' : ending, null)
    this.#openThreads.delete(call)
  }

  #run(id: number, example: number, parameters: Parameters, t: number, request: number | null): Run {
    let run = this.runs.get(id)
    if (run === undefined) {
      run = { id, example, parameters, from: t, to: null, outcome: null, request, task: null }
      this.runs.set(id, run)
      this.#bound(this.runs)
    }
    return run
  }

  /** Past the bound one of the oldest goes, if it has ended; past twice the bound the oldest, whether or not. */
  #bound(map: Map<number, { to: number | null }>): void {
    if (map.size <= MOST_ENDED) return
    let looks = 0
    let gone: number | undefined
    for (const [id, { to }] of map) {
      if (looks === 0 && map.size > 2 * MOST_ENDED) gone = id
      if (to !== null) gone ??= id
      if (gone !== undefined || ++looks >= LOOKS) break
    }
    if (gone !== undefined) map.delete(gone)
  }

  #forget(count: number): void {
    this.events.splice(0, count)
    for (const size of this.#sizes.splice(0, count)) this.#size -= size
    this.forgotten += count
    const t = this.events[0]?.t ?? this.#last
    this.#first = t
    const before = (list: number[]): number => {
      const at = list.findIndex((value) => value >= t)
      return at < 0 ? list.length : at
    }
    const wakes = before(this.wakes.t)
    for (const list of Object.values(this.wakes) as number[][]) list.splice(0, wakes)
    const steps = before(this.steps.to)
    for (const list of Object.values(this.steps) as number[][]) list.splice(0, steps)
    for (const lane of [...this.lanes.values()]) {
      if (lane.endedAt !== null && lane.endedAt < t && [...lane.children].every(({ endedAt }) => endedAt !== null && endedAt < t)) {
        this.#remove(lane)
      } else if (lane.starts.length > 8 || lane.marks.length > 8) lane.forget(t)
    }
    this.stalls.forget(t)
    this.queues.forget(t)
    while (this.gaps[0] !== undefined && this.gaps[0].to < t) this.gaps.shift()
    this.#reorder()
  }

  #reorder(): void {
    this.#order = null
    this.structure++
  }
}
