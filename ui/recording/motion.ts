// The loop's mechanism as places: each task is in one of them at any moment, and an event moves it to another one.
import { lowerBound } from '../../src/events/lower-bound.ts'
import type { EventOf, LoopEvent } from '../../src/events/schema.ts'
import type { Recording } from '../recording.ts'
import { clock, duration, readyQueue, timers, waitLabel } from './explain.ts'
import { READY, RUNNING, UNKNOWN, YIELDING, type Lane, type Position, type Span } from './track.ts'

export type Place = 'timers' | 'ready' | 'running' | 'waiting' | 'ended'

export const PLACES: readonly Place[] = ['timers', 'ready', 'running', 'waiting', 'ended']

/** The most chips of a place. */
export const MOST_CHIPS = 12

/** The most events without a move that are skipped on the way back to the last one. */
const MOST_SKIPPED = 20_000

/** A task in its place. */
export interface Chip {
  lane: Lane
  /** What it waits for, or how it ended. */
  label: string
  /** It is the first of the whole ready queue. */
  next: boolean
}

export interface Room {
  chips: Chip[]
  /** Tasks that are here too. */
  more: number
}

export type Places = Record<Place, Room> & {
  /** Tasks whose place is not known, because events were lost. */
  unknown: number
}

/** An event that moved a task. */
export interface Move {
  event: EventOf<'task.created' | 'task.ready' | 'task.running' | 'task.suspended' | 'task.finished'>
  lane: Lane
  /** Where it was; null: it is new, or that is not known. */
  from: Place | null
  to: Place
}

type Passes = (lane: Lane) => boolean

/** Where a task is; null before it exists, and while that is not known. */
function placeOf(lane: Lane, position: Position, span: Span | null = lane.at(position)): Place | null {
  if (span === null) return lane.endedAt !== null && position.seq >= lane.endedSeq && position.t >= lane.endedAt ? 'ended' : null
  switch (span.state) {
    case READY: case YIELDING: return 'ready'
    case RUNNING: return 'running'
    case UNKNOWN: return null
    default: return span.info?.on?.deadline === undefined ? 'waiting' : 'timers'
  }
}

/** Chips by their order; there may be a hundred thousand tasks, so only the first few are kept and the others counted. */
class First {
  readonly #kept: { lane: Lane; order: number; label: () => string; next: boolean }[] = []
  #count = 0

  add(lane: Lane, order: number, label: () => string, next = false): void {
    this.#count++
    if (this.#kept.length === MOST_CHIPS && (this.#kept.at(-1)?.order ?? 0) <= order) return
    const at = this.#kept.findIndex((other) => other.order > order)
    this.#kept.splice(at < 0 ? this.#kept.length : at, 0, { lane, order, label, next })
    this.#kept.splice(MOST_CHIPS)
  }

  room(): Room {
    return { chips: this.#kept.map(({ lane, label, next }) => ({ lane, label: label(), next })), more: this.#count - this.#kept.length }
  }
}

const NO_LABEL = (): string => ''

/** The tasks that pass, each in its place; `time` is that of the position, or now. */
export function placesAt(recording: Recording, position: Position, time: number, passes: Passes = () => true): Places {
  const [inTimers, inReady, inRunning, inWaiting, inEnded] = Array.from({ length: 5 }, () => new First()) as [First, First, First, First, First]
  readyQueue(recording, position).forEach(({ lane }, at) => {
    if (passes(lane)) inReady.add(lane, at, NO_LABEL, at === 0)
  })
  for (const { lane, deadline, kind } of timers(recording, position)) {
    const left = deadline - time
    if (passes(lane)) inTimers.add(lane, deadline, () => `${kind}, ${left < 0 ? `${duration(-left)} late` : `${duration(left)} left`}`)
  }
  let unknown = 0
  for (const lane of recording.lanes.values()) {
    if (lane.kind !== 'task' || !passes(lane)) continue
    const span = lane.at(position)
    const place = placeOf(lane, position, span)
    if (span === null) {
      // The latest comes first.
      if (place === 'ended') inEnded.add(lane, -lane.endedSeq, () => lane.outcome ?? 'outcome not known')
    } else if (place === null) unknown++
    else if (place === 'running') inRunning.add(lane, span.seq, NO_LABEL)
    else if (place === 'waiting') inWaiting.add(lane, span.seq, () => waitLabel(span.info?.on, recording))
    else if (span.state === YIELDING) inReady.add(lane, Infinity, () => 'yields again and again')
  }
  return { timers: inTimers.room(), ready: inReady.room(), running: inRunning.room(), waiting: inWaiting.room(), ended: inEnded.room(), unknown }
}

/** What an event moved; null if no task that passes changed its place by it. */
function moveOf(recording: Recording, event: LoopEvent, passes: Passes): Move | null {
  switch (event.type) {
    case 'task.created': case 'task.ready': case 'task.running': case 'task.suspended': case 'task.finished': break
    default: return null
  }
  const lane = recording.lanes.get(event.task)
  if (lane === undefined || !passes(lane)) return null
  const from = placeOf(lane, before(event))
  const to = placeOf(lane, { t: event.t, seq: event.seq })
  return to === null || from === to ? null : { event, lane, from, to }
}

/** Just before an event. */
export function before({ t, seq }: LoopEvent): Position {
  return { t, seq: seq - 1 }
}

/** The position before the first event at a time or later. */
export function beginningAt(recording: Recording, t: number): Position {
  const { events } = recording
  const event = events[lowerBound(events.length, (index) => (events[index] as LoopEvent).t < t)]
  return event === undefined ? recording.positionAt(t) : { t, seq: event.seq - 1 }
}

/** The index of the first event after a position. */
function indexAfter({ events }: Recording, { seq }: Position): number {
  return lowerBound(events.length, (index) => (events[index] as LoopEvent).seq <= seq)
}

/** The last move at or before a position. */
export function lastMove(recording: Recording, position: Position, passes: Passes = () => true): Move | null {
  const from = indexAfter(recording, position) - 1
  for (let index = from; index >= 0 && from - index < MOST_SKIPPED; index--) {
    const move = moveOf(recording, recording.events[index] as LoopEvent, passes)
    if (move !== null) return move
  }
  return null
}

/** The first move after a position. */
export function nextMove(recording: Recording, position: Position, passes: Passes = () => true): Move | null {
  for (let index = indexAfter(recording, position); index < recording.events.length; index++) {
    const move = moveOf(recording, recording.events[index] as LoopEvent, passes)
    if (move !== null) return move
  }
  return null
}

/** The move before this one. */
export function moveBefore(recording: Recording, { event }: Move, passes: Passes = () => true): Move | null {
  return lastMove(recording, before(event), passes)
}

const JOINS = 'joins the ready queue'

/** What a move was, in one sentence. */
export function moveInWords(recording: Recording, { event, lane, from }: Move): string {
  const { name } = lane
  switch (event.type) {
    case 'task.created': return event.parent === undefined ? `${name} is created: it ${JOINS}.` : `${nameOf(recording, event.parent)} creates ${name}: it ${JOINS}.`
    case 'task.ready': return joined(recording, event, lane, from)
    case 'task.running': return `${name} runs: ${from === 'ready' ? 'it was next in the ready queue, and ' : ''}no other task runs until it yields or ends.`
    case 'task.suspended': return suspended(recording, event, name)
    case 'task.finished':
      return `${name} ends: it ${event.outcome === 'cancelled' ? 'was cancelled' : event.outcome === 'raised' ? `raised ${event.error ?? 'an error'}` : 'returned'}.`
  }
}

function joined(recording: Recording, event: EventOf<'task.ready'>, lane: Lane, from: Place | null): string {
  const { name } = lane
  const span = lane.at(before(event))
  const on = span?.info?.on
  if (from !== 'timers' && from !== 'waiting') return `${name} ${JOINS}.`
  const cancelled = lane.marks.find(({ type, seq }) => type === 'task.cancelling' && seq < event.seq && seq > (span?.seq ?? 0))
  if (cancelled !== undefined) {
    const by = cancelled.type === 'task.cancelling' && cancelled.by !== undefined ? `${nameOf(recording, cancelled.by)} cancels ${name}` : `${name} is cancelled`
    return `${by}: it ${JOINS}, and is cancelled when it runs.`
  }
  if (event.by !== undefined) {
    const by = nameOf(recording, event.by)
    return event.by === on?.task && on.kind === 'task' ? `${by} has ended, which ${name} waits for: ${name} ${JOINS}.` : `${by} wakes ${name}, which waits for ${waitLabel(on, recording)}: ${name} ${JOINS}.`
  }
  if (on?.kind === 'sleep' || (on?.deadline !== undefined && on.deadline <= event.t)) return `The timer of ${name} is due: it ${JOINS}.`
  if (on?.kind === 'thread') return `The worker thread is done with the call of ${name}: ${name} ${JOINS}.`
  if (on?.kind === 'promise') return `The promise that ${name} waits for is settled: ${name} ${JOINS}.`
  return `What ${name} waits for has happened (${waitLabel(on, recording)}): ${name} ${JOINS}.`
}

function suspended(recording: Recording, { on, t }: EventOf<'task.suspended'>, name: string): string {
  if (on.kind === 'yield') return `${name} yields with sleep(0): it goes to the end of the ready queue.`
  const due = on.deadline === undefined ? '' : `: its timer is due at ${clock(recording, on.deadline)}`
  if (on.kind === 'sleep') return `${name} waits for sleep${on.deadline === undefined ? '' : ` ${duration(Math.max(0, on.deadline - t))}`}${due}.`
  return `${name} waits for ${waitLabel(on, recording)}${due}.`
}

function nameOf(recording: Recording, task: number): string {
  return recording.lanes.get(task)?.name ?? `task ${task}`
}
