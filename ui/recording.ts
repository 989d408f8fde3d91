// The state and history of a loop, built from its events alone. It is bounded: the oldest events are forgotten. It depends
// on no DOM and no connection.
import type { EventOf, LoopEvent, Snapshot } from '../src/events/schema.ts'
import { EventLog } from './recording/event-log.ts'
import { Labs } from './recording/labs.ts'
import { Lanes } from './recording/lanes.ts'
import { Locks } from './recording/locks.ts'
import { Queues } from './recording/queues.ts'
import { Requests, Runs, type Run } from './recording/served.ts'
import { Stalls } from './recording/stalls.ts'
import type { Lane, Position } from './recording/track.ts'

export type { Request, Run } from './recording/served.ts'
export type { Lane, Position, Span } from './recording/track.ts'

/** After every event: several events may have the same time. */
export const NOW: Position = { t: Infinity, seq: Infinity }

export type Line = EventOf<'task.printed'>
export type Warning = EventOf<'warning'>

/** A stretch whose events are lost. */
export interface Gap {
  from: number
  to: number
  count: number
}

export interface RecordingOptions {
  /** The most events that are kept; past that, the oldest tenth is dropped. */
  limit?: number
  /** The most lanes; past that, the oldest is dropped, in any state. */
  lanes?: number
}

const MOST_LINES = 10_000
const MOST_WARNINGS = 1000
const MOST_GAPS = 200

export class Recording extends EventLog {
  readonly #newLanes: () => Lanes
  lanes: Lanes
  requests = new Requests()
  runs = new Runs()
  stalls = new Stalls()
  queues = new Queues()
  locks = new Locks()
  labs = new Labs()
  readonly lines: Line[] = []
  readonly warnings: Warning[] = []
  readonly gaps: Gap[] = []
  /** Grows with every change. */
  version = 0
  loopClosed = false
  /** Whether the program has a loop of loopscope; in any other, only stalls are known. */
  hasTasks = true
  /** The time that is shown as zero: the beginning of a run or of the loop. */
  zero = 0

  constructor({ limit = 100_000, lanes = 100_000 }: RecordingOptions = {}) {
    super(limit)
    this.#newLanes = () => new Lanes(lanes, (lane, from, to) => this.stalls.stepped(lane, from, to, this))
    this.lanes = this.#newLanes()
  }

  get empty(): boolean {
    return this.events.length === 0 && this.lanes.size === 0
  }

  /** The running lane, and since when it runs. */
  get holder(): { lane: Lane; since: number } | null {
    return this.lanes.steps.open
  }

  /** Applies one event, whose message had `size` characters. Events come in order; a duplicate is skipped. */
  apply(came: LoopEvent, size = 0): void {
    const event = this.add(came, size)
    if (event === null) return
    this.version++
    try {
      this.#take(event)
    } catch {
      this.malformed++
    }
    const from = this.shrink()
    if (from === null) return
    for (const part of [this.lanes, this.stalls, this.queues, this.locks]) part.forget(from)
    while (this.gaps[0] !== undefined && this.gaps[0].to < from) this.gaps.shift()
  }

  /** Adopts a snapshot: a task that is missing in it has ended, and a new one is added. */
  restore(snapshot: Snapshot): void {
    const seq = Math.max(snapshot.seq, this.lastSeq)
    let t = this.to
    for (const { since } of snapshot.tasks) t = Math.max(t, since)
    this.goOn(t, seq)
    this.lanes.restore(snapshot, t, seq)
    for (const run of snapshot.runs) this.runs.started({ ...run, t }, true)
    this.requests.restore(snapshot.requests, t, this.lanes.values())
    this.queues.restore(snapshot.queues, { t, seq })
    this.locks.restore(snapshot, { t, seq })
    this.version++
  }

  /** Events are lost: the states are unknown until the next snapshot, and the gap raises no warning. */
  lose(count: number, snapshot?: Snapshot): void {
    const from = this.to
    this.forgotten += count
    this.lanes.lose(from, this.lastSeq)
    if (snapshot !== undefined) this.restore(snapshot)
    const before = this.gaps.at(-1)
    if (before !== undefined && before.to >= from) {
      before.to = this.to
      before.count += count
    } else this.gaps.push({ from, to: this.to, count })
    if (this.gaps.length > MOST_GAPS) this.gaps.shift()
    this.version++
  }

  /** Whether all events of a run are here, as far as it has gone. */
  isWhole({ from, to, partial }: Run): boolean {
    return !partial && from >= this.from && !this.gaps.some((gap) => gap.to > from && gap.from < (to ?? Infinity))
  }

  /** Forgets everything, for another loop. */
  override clear(): void {
    super.clear()
    this.lanes = this.#newLanes()
    this.requests = new Requests()
    this.runs = new Runs()
    this.stalls = new Stalls()
    this.queues = new Queues()
    this.locks = new Locks()
    this.labs = new Labs()
    for (const list of [this.lines, this.warnings, this.gaps]) list.length = 0
    this.loopClosed = false
    this.version++
  }

  #take(event: LoopEvent): void {
    switch (event.type) {
      case 'loop.closed':
        this.loopClosed = true
        this.lanes.closed(event.t, event.seq)
        break
      case 'loop.busy': this.lanes.busy(event); break
      case 'loop.blocked':
        this.stalls.blocked(event, this.#laneAt(event))
        break
      case 'loop.unblocked':
        this.requests.delayed(this.stalls.unblocked(event, this.#laneAt(event), this.hasTasks), this.lanes)
        break
      case 'task.created': {
        const lane = this.lanes.created(event)
        this.requests.began(lane)
        this.runs.began(lane)
        break
      }
      case 'task.ready': case 'task.running': case 'task.suspended': case 'task.cancelling': case 'task.finished':
        this.#wait(event)
        this.lanes.changed(event)
        break
      case 'task.printed':
        this.lines.push(event)
        if (this.lines.length > MOST_LINES) this.lines.splice(0, MOST_LINES / 10)
        this.#mark(event)
        break
      case 'request.message': this.#mark(event); break
      case 'queue.changed': this.queues.changed(event); break
      case 'request.started': this.requests.started(event); break
      case 'request.finished': this.requests.finished(event); break
      case 'run.started': this.runs.started(event); break
      case 'run.finished': this.runs.finished(event); break
      case 'thread.started': this.lanes.threadStarted(event); break
      case 'thread.finished': this.lanes.threadFinished(event); break
      case 'lab.started': case 'lab.entered': case 'lab.probed': case 'lab.measured': case 'lab.finished':
        this.labs.apply(event)
        break
      case 'warning':
        this.warnings.push(event)
        if (this.warnings.length > MOST_WARNINGS) this.warnings.shift()
        break
      default: break
    }
  }

  #mark(event: EventOf<'task.printed' | 'request.message'>): void {
    if (event.task !== undefined) this.lanes.of({ ...event, task: event.task }).marks.push(event)
  }

  /** A lock is waited for, or no longer. */
  #wait(event: EventOf<'task.ready' | 'task.running' | 'task.suspended' | 'task.cancelling' | 'task.finished'>): void {
    if (event.type === 'task.suspended') this.locks.suspended(event)
    else if (event.type !== 'task.cancelling') this.locks.left(event, this.lanes.tasks.get(event.task)?.cancelling === true)
  }

  #laneAt({ task }: { task?: number | undefined }): Lane | null {
    return task === undefined ? null : this.lanes.get(task) ?? null
  }
}
