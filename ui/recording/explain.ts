// Why isn't this task running? One sentence for any task at any moment, in the terms of asyncio.
import { lowerBound } from '../../src/events/lower-bound.ts'
import type { EventOf, Frame, Waiting } from '../../src/events/schema.ts'
import type { Recording } from '../recording.ts'
import { GHOST, OVERDUE, READY, RUNNING, THREAD, WAITING, YIELDING, type Lane, type Position, type Span } from './track.ts'
import { isInnocent } from './stall-kind.ts'
import { blameOf, blockedFor, type Stall } from './stalls.ts'
import { duration, moment } from './time.ts'

export { duration } from './time.ts'

/** A wait whose deadline is less than this many seconds away counts as over. */
const DUE = 0.0005
/** The most tasks that are named of one chain of awaits, which may be as long as there are tasks. */
const MOST_NAMED = 10

/** A place in the source: `spin (workers/spin.ts:12)`. */
export function place({ function: name, file, line }: Frame): string {
  return `${name === '' ? '(anonymous)' : name} (${shortFile(file)}:${line})`
}

export function shortFile(file: string): string {
  const path = file.replace(/^file:\/\//, '').split(/[\\/]/)
  return path.slice(-2).join('/')
}

/** The stall at a moment. */
export function stallAt(recording: Recording, t: number): Stall | null {
  const { all } = recording.stalls
  for (let at = all.length - 1; at >= 0; at--) {
    const stall = all[at] as Stall
    if (stall.from <= t && (stall.to === null || stall.to > t)) return stall
  }
  return null
}

/** The task that runs on the loop at a position. */
export function holderAt(recording: Recording, position: Position): Lane | null {
  if (position.t === Infinity) return recording.holder?.lane ?? null
  const { lanes: { steps }, holder } = recording
  if (holder !== null && holder.since <= position.t) return holder.lane
  const next = lowerBound(steps.from.length, (index) => (steps.from[index] as number) <= position.t)
  for (let at = next - 1; at >= 0 && at >= next - 4; at--) {
    const lane = recording.lanes.get(steps.task[at] as number)
    if (lane?.at(position)?.state === RUNNING) return lane
  }
  return null
}

/** Whether a wait's deadline has passed, so that only the loop delays the task. */
export function isOverdue(span: Span, t: number): boolean {
  const deadline = span.state === WAITING ? span.info?.on?.deadline : undefined
  return deadline !== undefined && t - deadline > OVERDUE
}

interface Waiter {
  lane: Lane
  since: number
}

/** The last ready queue of each recording: a table needs it once per row. */
const queues = new WeakMap<Recording, { version: number; t: number; seq: number; queue: Waiter[] }>()

/** The ready queue in order: the first task runs next. */
export function readyQueue(recording: Recording, { t, seq }: Position): readonly Waiter[] {
  const { version } = recording
  const known = queues.get(recording)
  if (known !== undefined && known.version === version && known.t === t && known.seq === seq) return known.queue
  const queue = findReady(recording, { t, seq })
  queues.set(recording, { version, t, seq, queue })
  return queue
}

function findReady(recording: Recording, position: Position): Waiter[] {
  const found: { lane: Lane; since: number; seq: number }[] = []
  for (const lane of recording.lanes.values()) {
    const span = lane.at(position)
    if (span?.state === READY && lane.kind === 'task') found.push({ lane, since: span.from, seq: span.seq })
  }
  return found.sort((a, b) => a.seq - b.seq)
}

/** The timers, by their deadline. */
export function timers(recording: Recording, position: Position): { lane: Lane; deadline: number; kind: string }[] {
  const found: { lane: Lane; deadline: number; kind: string }[] = []
  for (const lane of recording.lanes.values()) {
    const span = lane.at(position)
    const on = span?.state === WAITING ? span.info?.on : undefined
    if (on?.deadline !== undefined) found.push({ lane, deadline: on.deadline, kind: on.kind })
  }
  return found.sort((a, b) => a.deadline - b.deadline)
}

/** What a wait is for, in a few words. */
export function waitLabel(on: Waiting | undefined, recording?: Recording): string {
  if (on === undefined) return 'something'
  const task = on.task === undefined ? undefined : recording?.lanes.get(on.task)?.name ?? `task ${on.task}`
  switch (on.kind) {
    case 'sleep': return 'sleep'
    case 'task': return task ?? 'a task'
    case 'gather': return on.label === undefined ? 'gather' : /^\d/.test(on.label) ? `gather ${on.label}` : on.label
    case 'thread': return on.label ?? 'a thread'
    default: return on.label === undefined ? on.kind : `${on.kind} ${on.label}`
  }
}

/** A message between an application and its server: direction, type, and what of the rest matters. */
export function messageText({ direction, message, bytes, more, code }: EventOf<'request.message'>): string {
  const parts = [code === undefined ? '' : String(code), bytes === 0 ? '' : `${bytes.toLocaleString('en-US')} bytes`, more ? 'more follows' : ''].filter((part) => part !== '')
  return [`${direction} ${message}`, ...parts].join(', ')
}

/** Why `lane` does what it does at `position`; `now` is the moment of a live position. */
export function explain(recording: Recording, lane: Lane, position: Position, now = recording.to): string {
  const t = position.t === Infinity ? now : position.t
  if (lane.createdSeq > position.seq || lane.createdAt > t) {
    const parent = lane.parent === null ? '' : ` by ${lane.parent.name}`
    const line = lane.begunAt <= t ? ' Its request may have arrived already, but the blocked loop has not read it.' : ''
    return `It does not exist yet: it is created${parent} at ${clock(recording, lane.createdAt)}.${line}`
  }
  const span = lane.at({ t, seq: position.seq })
  if (span === null) return ended(recording, lane)
  return `${capital(sentence(recording, lane, span, position, t, new Set()))}.`
}

function sentence(recording: Recording, lane: Lane, span: Span, position: Position, t: number, seen: Set<Lane>): string {
  seen.add(lane)
  const cancelling = recording.lanes.isCancelling(lane) && position.t === Infinity ? '; a cancellation is under way' : ''
  const since = clock(recording, span.from)
  if (lane.kind === 'thread') {
    return span.state === GHOST
      ? `a detached thread since ${since}: its task has ended, but a thread cannot be stopped, so ${lane.name} runs on, and its result is ignored`
      : `${lane.name} has run in a worker thread (${lane.coroutine}) since ${since}; the loop is free meanwhile`
  }
  if (span.state === RUNNING) {
    const stall = stallAt(recording, t)
    const blocks = stall?.task === lane.id && !isInnocent(stall) ? `it ${blocking(stall)}, ` : ''
    return `running since ${since}: ${blocks}${duration(Math.max(0, t - span.from))} so far, and no other task can run${cancelling}`
  }
  if (span.state === READY || isOverdue(span, t)) return ready(recording, lane, span, position, t) + cancelling
  if (span.state === YIELDING) return yielding(span) + cancelling
  if (span.state === THREAD) return thread(lane, span, position) + cancelling
  if (span.state === WAITING) return waiting(recording, lane, span, position, t, seen) + cancelling
  return 'nothing is known of this time: its events were lost'
}

function yielding({ from, to, info }: Span): string {
  const { own, all } = info?.steps ?? { own: 0, all: 0 }
  const others = all > own ? `; other tasks had ${(all - own).toLocaleString('en')} in this time` : ''
  return `it yields again and again: ${own.toLocaleString('en')} steps in ${duration((to ?? from) - from)}, each of which ended in sleep(0)${others}`
}

/** "blocks the loop in spin (workers/spin.ts:7)". */
function blocking(stall: Stall): string {
  const frame = blameOf(stall)
  return `blocks the loop${frame === null ? '' : ` in ${place(frame)}`}`
}

function ready(recording: Recording, lane: Lane, span: Span, position: Position, t: number): string {
  const since = span.state === READY ? span.from : span.info?.on?.deadline ?? span.from
  const head = `ready since ${clock(recording, since)}`
  const holder = holderAt(recording, position)
  const stall = stallAt(recording, t)
  if (stall !== null && isInnocent(stall)) return `${head}: ${blockedFor(stall, (stall.to ?? t) - stall.from)}`
  if (holder !== null && holder !== lane) return `${head}, behind ${holder.name}, which ${stall?.task === holder.id ? blocking(stall) : 'is running'}`
  if (stall !== null) return `${head}, behind ${stall.name}, which ${blocking(stall)}`
  const queue = readyQueue(recording, position)
  const at = queue.findIndex((entry) => entry.lane === lane)
  if (at > 0) return `${head}: ${at} ${at === 1 ? 'task is' : 'tasks are'} before it in the ready queue, ${queue[0]?.lane.name ?? ''} is next`
  return span.state === READY && span.info?.on?.kind === 'yield' ? `${head}: it yielded with sleep(0) and is next` : `${head}: it is next`
}

function thread(lane: Lane, span: Span, position: Position): string {
  for (const child of lane.children) {
    if (child.kind === 'thread' && child.at(position) !== null) {
      return `waits for ${child.name}, which a worker thread (${child.coroutine}) runs; the loop is free meanwhile`
    }
  }
  const what = span.info?.on?.label
  return `waits for a worker thread to run ${what ?? 'its call'}: all threads that may run it are busy; the loop is free meanwhile`
}

/** What wakes the tasks that wait for it. */
const WAKES = { condition: 'a notify', event: 'setting it', barrier: 'the last party' } as const

/** The owners of a semaphore with several permits, when the wait began. */
function owned(recording: Recording, { owners = [] }: Waiting): string {
  const names = [...new Set(owners)].map((owner) => recording.lanes.get(owner)?.name ?? `task ${owner}`)
  return names.length < 2 ? '' : `, which ${names.join(', ')} own`
}

function waiting(recording: Recording, lane: Lane, span: Span, position: Position, t: number, seen: Set<Lane>): string {
  const on = span.info?.on
  const where = span.info?.location === undefined ? '' : ` in ${place(span.info.location)}`
  const queue = on?.queue === undefined ? 'the queue' : `queue ${on.queue}`
  const end = on?.deadline ?? on?.timeout
  const left = end === undefined ? '' : end - t < DUE ? ', which is now' : `, ${duration(end - t)} left`
  switch (on?.kind) {
    case 'sleep': return `asleep${where} until ${clock(recording, on.deadline ?? t)}${left}: it has yielded, so other tasks can run`
    case 'queue.get': return `waits for an item${where}: ${queue} is empty, and the next put wakes it${left}`
    case 'queue.put': return `waits for room${where}: ${queue} is full, and the next get makes room${left}`
    case 'queue.join': return `waits${where} until every item of ${queue} is done${left}`
    case 'lock': case 'semaphore': {
      const id = recording.locks.all.get(on.label ?? '')?.at({ t, seq: position.seq })?.holder
      const holder = id == null ? undefined : recording.lanes.get(id)
      const theirs = holder?.at({ t, seq: position.seq }) ?? null
      const lock = on.label ?? `the ${on.kind}`
      if (holder === undefined || theirs === null) return `waits for ${lock}${where}${owned(recording, on)}: a release wakes this task${left}`
      if (seen.has(holder)) return `waits for ${lock}${where}, which ${holder.name} owns: a deadlock (cycle of awaits), and nothing can wake either`
      if (seen.size >= MOST_NAMED) return `waits for ${lock}${where}, which ${holder.name} owns${left}, and the chain of awaits goes on`
      return `waits for ${lock}${where}${left}, which ${holder.name} owns, ${chained(recording, holder, theirs, position, t, seen)}`
    }
    case 'condition': case 'event': case 'barrier':
      return `waits for ${on.label ?? `the ${on.kind}`}${where}: ${WAKES[on.kind]} wakes this task${left}`
    case 'promise': return `waits${where} for a promise of the host, such as the network, files, or a timer outside the loop${left}`
    case 'receive': case 'send': return `waits${where} for ${on.label ?? 'its client'} (${on.kind})${left}`
    case 'thread': return `waits for a worker thread${where}; the loop is free meanwhile`
    case 'task': case 'gather': case 'future': {
      const target = on.task === undefined ? undefined : recording.lanes.get(on.task)
      const gather = on.kind === 'gather' ? ` (gather, ${on.label ?? 'all of its tasks'})` : ''
      if (target === undefined) return `waits for ${on.label ?? (on.kind === 'future' ? 'a future that is not settled yet' : 'a task')}${where}${left}`
      if (seen.has(target)) return `waits for ${target.name}, which waits for it: a deadlock (cycle of awaits), and nothing can wake either`
      if (seen.size >= MOST_NAMED) return `waits for ${target.name}${gather}${left}, and the chain of awaits goes on`
      const theirs = target.at({ t, seq: position.seq })
      const chain = theirs === null ? 'which has ended' : chained(recording, target, theirs, position, t, seen)
      return `waits for ${target.name}${gather}${left}, ${chain}`
    }
    default: return `waits for ${waitLabel(on, recording)}${where}${left}`
  }
}

/** The next link of a chain of awaits. */
function chained(recording: Recording, lane: Lane, span: Span, position: Position, t: number, seen: Set<Lane>): string {
  return `which is ${sentence(recording, lane, span, position, t, seen).replace(/^waits/, 'waiting')}`
}

function ended(recording: Recording, lane: Lane): string {
  const at = clock(recording, lane.endedAt ?? lane.createdAt)
  const after = duration((lane.endedAt ?? lane.createdAt) - lane.createdAt)
  switch (lane.outcome) {
    case 'returned': return `It returned at ${at}, after ${after}.`
    case 'raised': return `It raised ${lane.error ?? 'an error'} at ${at}, after ${after}.`
    case 'cancelled': return `It was cancelled, and ended at ${at}, after ${after}.`
    default: return `It ended by ${at}; the outcome is not known, because the event was lost.`
  }
}

/** A time as the axis shows it: seconds since the recording's zero. */
export function clock(recording: { zero?: number }, t: number): string {
  return moment(t - (recording.zero ?? 0))
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
