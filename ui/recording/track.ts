// One row of the timeline: a task, or a call that a worker thread runs. It is a list of states with their beginnings; a
// state lasts until the next one begins.
import { lowerBound } from '../../src/events/lower-bound.ts'
import type { EventOf, Frame, Waiting } from '../../src/events/schema.ts'

/** The states as small numbers: there may be a hundred thousand of them. */
export const READY = 0
export const RUNNING = 1
export const WAITING = 2
export const THREAD = 3
export const GHOST = 4
export const UNKNOWN = 5
/** Many steps that only yield, among those of other tasks; the loop only counted them. */
export const YIELDING = 6
export type State = typeof READY | typeof RUNNING | typeof WAITING | typeof THREAD | typeof GHOST | typeof UNKNOWN | typeof YIELDING

export const STATE_NAMES = ['ready', 'running', 'waiting', 'in a thread', 'detached', 'unknown', 'yielding'] as const

/** A wait whose deadline passed this many seconds ago counts as ready: only the loop delays the task. */
export const OVERDUE = 0.002

export type Outcome = EventOf<'task.finished'>['outcome']

/** The details of one span of a lane. */
export interface SpanInfo {
  /** What it waits for. */
  on?: Waiting | undefined
  /** The task that woke it. */
  by?: number | undefined
  /** Where it is suspended. */
  location?: Frame | undefined
  /** Its request waited to be read, because the loop was blocked. */
  inLine?: true
  /** The number of its steps, and of the steps of all tasks together. */
  steps?: { own: number; all: number }
}

/** A printed line, a cancellation, or a message between an application and its server. */
export type Mark = EventOf<'task.printed' | 'task.cancelling' | 'request.message'>

/** A moment: a time, and the last event up to then. */
export interface Position {
  t: number
  seq: number
}

/** One state of a lane, from when to when; `to` is null while it lasts. */
export interface Span {
  state: State
  from: number
  to: number | null
  seq: number
  info: SpanInfo | null
}

export class Lane {
  /** A task's id, or a negative number for a call on a thread. */
  readonly id: number
  readonly kind: 'task' | 'thread'
  name: string
  coroutine = ''
  parent: Lane | null = null
  /** The name of its topmost ancestor; its own name if it has no parent. */
  rootName: string
  run: number | null = null
  request: number | null = null
  location: Frame | null = null
  depth = 0
  createdAt: number
  createdSeq: number
  endedAt: number | null = null
  endedSeq = Infinity
  outcome: Outcome | null = null
  error: string | null = null
  /** It was created before the first event seen, so its beginning is unknown. */
  partial = false
  readonly children = new Set<Lane>()
  readonly marks: Mark[] = []
  /** When each state began. The five lists have the same length. */
  readonly starts: number[] = []
  readonly seqs: number[] = []
  readonly states: State[] = []
  readonly infos: (SpanInfo | null)[] = []
  /** The deadline of each wait, or Infinity. */
  readonly deadlines: number[] = []

  constructor(id: number, name: string, t: number, seq: number, kind: 'task' | 'thread' = 'task') {
    this.id = id
    this.name = name
    this.rootName = name
    this.kind = kind
    this.createdAt = t
    this.createdSeq = seq
  }

  /** The last known state; null once it has ended. */
  get state(): State | null {
    return this.endedAt === null ? this.states[this.states.length - 1] ?? null : null
  }

  get info(): SpanInfo | null {
    return this.infos[this.infos.length - 1] ?? null
  }

  /** When the current state began. */
  get since(): number {
    return this.starts[this.starts.length - 1] ?? this.createdAt
  }

  turn(state: State, t: number, seq: number, info: SpanInfo | null = null): void {
    // Consecutive losses of events are one span.
    if (state === UNKNOWN && this.state === UNKNOWN) return
    // Binary search needs times that never decrease.
    this.starts.push(Math.max(t, this.since))
    this.seqs.push(seq)
    this.states.push(state)
    this.infos.push(info)
    this.deadlines.push((state === WAITING ? info?.on?.deadline : undefined) ?? Infinity)
  }

  end(t: number, seq: number, outcome: Outcome | null, error: string | null): void {
    this.endedAt = t
    this.endedSeq = seq
    this.outcome = outcome
    this.error = error
  }

  /** When it begins on the timeline: at its creation, or when its request arrived, if that was earlier. */
  get begunAt(): number {
    return this.infos[0]?.inLine === true ? Math.min(this.starts[0] as number, this.createdAt) : this.createdAt
  }

  /** Its request arrived at `t` or later, before it was read. */
  arrived(t: number): void {
    if (this.infos[0]?.inLine === true) this.starts[0] = Math.min(this.starts[0] as number, t)
    else if (this.starts.length > 0 && t < (this.starts[0] as number)) {
      this.starts.unshift(t)
      this.seqs.unshift(this.seqs[0] as number)
      this.states.unshift(READY)
      this.infos.unshift({ inLine: true })
      this.deadlines.unshift(Infinity)
    }
  }

  /** The span at a position; null before the beginning and after the end. */
  at({ t, seq }: Position): Span | null {
    if (seq >= this.endedSeq && this.endedAt !== null && t >= this.endedAt) return null
    const { starts, seqs } = this
    const next = lowerBound(starts.length, (index) => (starts[index] as number) <= t && (seqs[index] as number) <= seq)
    return next === 0 ? null : this.span(next - 1)
  }

  /** The index of the first span that lasts beyond `t`. */
  firstAfter(t: number): number {
    const { starts } = this
    return Math.max(0, lowerBound(starts.length, (index) => (starts[index] as number) <= t) - 1)
  }

  span(index: number): Span {
    return {
      state: this.states[index] as State,
      from: this.starts[index] as number,
      to: this.starts[index + 1] ?? this.endedAt,
      seq: this.seqs[index] as number,
      info: this.infos[index] ?? null,
    }
  }

  /** Calls `visit` with each state that lasts beyond `from` and begins up to `to`; one that goes on ends at `now`. An overdue wait is two: waiting, then ready. */
  eachState(from: number, to: number, now: number, visit: (state: State, begin: number, end: number, index: number) => void): void {
    const { starts, states, deadlines } = this
    for (let index = this.firstAfter(from); index < starts.length; index++) {
      const begin = starts[index] as number
      if (begin > to) break
      const end = index + 1 < starts.length ? starts[index + 1] as number : this.endedAt ?? now
      const due = deadlines[index] as number
      if (end - due <= OVERDUE) visit(states[index] as State, begin, end, index)
      else {
        if (due > begin) visit(WAITING, begin, due, index)
        visit(READY, Math.max(begin, due), end, index)
      }
    }
  }

  /** The steps that were only counted in a span: its own, and those of all tasks. They are assumed to be equally long. */
  counted(index: number): { own: number; all: number } {
    return this.infos[index]?.steps ?? { own: 0, all: 1 }
  }

  /** The index of the first mark at or after a time. */
  firstMark(t: number): number {
    return lowerBound(this.marks.length, (index) => (this.marks[index] as Mark).t < t)
  }

  /** Drops what ended before `t`. */
  forget(t: number): void {
    const gone = this.firstAfter(t)
    if (gone > 0) {
      for (const list of [this.starts, this.seqs, this.states, this.infos, this.deadlines]) list.splice(0, gone)
    }
    this.marks.splice(0, this.firstMark(t))
  }
}

/** Seconds spent in each state; a wait past its deadline counts as ready. */
export interface Split {
  run: number
  ready: number
  wait: number
  thread: number
}

/** Seconds that a lane spent in each state between two times. */
export function splitOf(lane: Lane, from: number, to: number): Split {
  const split: Split = { run: 0, ready: 0, wait: 0, thread: 0 }
  eachPart(lane, from, to, (state, begin, end, running) => {
    split.run += (end - begin) * running
    if (state !== 'run') split[state] += (end - begin) * (1 - running)
  })
  return split
}

/**
 * The same of several lanes, where each moment counts once: as running while one of them runs, else as ready while one is
 * ready, else as in a thread, else as waiting.
 */
export function splitOfAll(lanes: Iterable<Lane>, from: number, to: number): Split {
  const edges: { t: number; state: keyof Split; by: 1 | -1; running: number }[] = []
  for (const lane of lanes) {
    eachPart(lane, from, to, (state, begin, end, running) => {
      edges.push({ t: begin, state, by: 1, running }, { t: end, state, by: -1, running: -running })
    })
  }
  edges.sort((a, b) => a.t - b.t)
  const split: Split = { run: 0, ready: 0, wait: 0, thread: 0 }
  const lanesIn: Split = { run: 0, ready: 0, wait: 0, thread: 0 }
  let since = from
  let running = 0
  for (const edge of edges) {
    const ran = lanesIn.run > 0 ? 1 : Math.min(1, running)
    const rest = (['ready', 'thread', 'wait'] as const).find((state) => lanesIn[state] > 0)
    split.run += (edge.t - since) * ran
    if (rest !== undefined) split[rest] += (edge.t - since) * (1 - ran)
    since = edge.t
    lanesIn[edge.state] += edge.by
    running += edge.running
  }
  return split
}

/** Calls `part` with each stretch of one state. `running` is the share of it in which the lane was running: for counted steps a part. */
function eachPart(lane: Lane, from: number, to: number, part: (state: keyof Split, begin: number, end: number, running: number) => void): void {
  lane.eachState(from, to, to, (state, began, ended, index) => {
    const begin = Math.max(from, began)
    const end = Math.min(to, ended)
    if (end <= begin) return
    if (state === RUNNING) part('run', begin, end, 1)
    else if (state === READY) part('ready', begin, end, 0)
    else if (state === THREAD) part('thread', begin, end, 0)
    else if (state === WAITING) part('wait', begin, end, 0)
    else if (state === YIELDING) {
      const { own, all } = lane.counted(index)
      part('ready', begin, end, own / all)
    }
  })
}
