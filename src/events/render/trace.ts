// Events as Chrome trace event JSON, which Perfetto and chrome://tracing open: a row for each task with contiguous slices, a
// row for the loop, arrows for wake-ups, counters for queues, pairs for requests. Times are in µs; at equal `ts`, slices come
// first.
// A slice is written where it begins, with its length. So the events are read twice, first for the lengths. Nothing of the
// trace is kept, and it is made as it is read.
import type { EventOf, LoopEvent } from '../schema.ts'

export interface TraceEvent {
  name: string
  ph: 'X' | 'M' | 's' | 'f' | 'C' | 'b' | 'e' | 'i'
  ts: number
  pid: number
  tid: number
  dur?: number
  cat?: string
  id?: number
  bp?: 'e'
  s?: 't' | 'p' | 'g'
  args?: Record<string, unknown>
}

/** The JSON that the parts of a trace make together. */
export interface Trace {
  traceEvents: TraceEvent[]
  displayTimeUnit: 'ms'
}

const LOOP_TID = 0
const PID = 1

/** A task's row, with its open slice. */
interface Row {
  name: string
  state: string
  slice: number
}

/** The state of a task before its first event, if the record does not contain its creation. */
const BEFORE: { readonly [type: string]: string } = {
  'task.ready': 'waiting', 'task.running': 'ready', 'task.suspended': 'running', 'task.finished': 'running', 'task.cancelling': 'waiting',
}

/** A task that was alive before the record begins. */
interface Earlier {
  task: number
  name: string
  state: string
}

/** Results of the first pass: the end of each slice in the order of their beginnings (-1: none), and which arrows have a target. */
interface Ends {
  readonly slices: number[]
  readonly arrows: boolean[]
}

/** Reads a record: in the first pass to find the ends, in the second to draw with them. */
class Tracer {
  readonly #ends: Ends
  readonly #draws: boolean
  readonly #rows = new Map<number, Row>()
  readonly #wakers = new Map<number, number>()
  #slices = 0
  #arrows = 0
  #running: { task: number; slice: number } | null = null
  /** No later event may be earlier than this. Events noted by another thread may come a little late. */
  #now: number
  /** What is not yet given out: an earlier event may follow. */
  #out: TraceEvent[] = []
  #takenAt: number

  constructor(ends: Ends, draws: boolean, name: string, from: number, earlier: readonly Earlier[]) {
    this.#ends = ends
    this.#draws = draws
    this.#now = from
    this.#takenAt = from
    this.#put({ name: 'process_name', ph: 'M', ts: from, tid: LOOP_TID, args: { name } })
    this.#put({ name: 'thread_name', ph: 'M', ts: from, tid: LOOP_TID, args: { name: 'event loop' } })
    for (const { task, name, state } of earlier) {
      this.#begin(task, name, state, from)
      if (state === 'running' && this.#running === null) this.#beginStep(task, from)
    }
  }

  add(event: LoopEvent): void {
    const at = Math.max(this.#now, micros(event.t))
    if (event.type === 'loop.unblocked') {
      // This was noted when the stall was over; events of the loop that follow may be earlier.
      this.#put({
        name: `stall of ${event.seconds} s`, ph: 'i', s: 'g', ts: at, tid: LOOP_TID, args: { task: event.task, victims: event.victims, lost: event.lost },
      })
      return
    }
    const ts = this.#now = at
    switch (event.type) {
      case 'task.created':
        this.#begin(event.task, event.name, 'ready', ts)
        break
      case 'task.ready':
        this.#ready(event.task, event.by, ts)
        break
      case 'task.running':
        this.#slice(event.task, 'running', ts)
        this.#arrive(event.task, ts)
        this.#beginStep(event.task, ts)
        break
      case 'loop.busy':
        this.#busy(event)
        break
      case 'task.suspended':
        this.#endStep(event.task, ts)
        this.#slice(event.task, event.on.kind === 'yield' ? 'ready' : `waiting: ${event.on.kind}`, ts, { on: event.on })
        break
      case 'task.finished':
        this.#endStep(event.task, ts)
        this.#end(event.task, ts)
        this.#wakers.delete(event.task)
        this.#instant(event.task, event.outcome, ts, event.error === undefined ? {} : { error: event.error })
        break
      case 'task.cancelling':
        this.#instant(event.task, 'cancel()', ts, event.message === undefined ? {} : { message: event.message })
        break
      case 'task.printed':
        this.#instant(event.task ?? LOOP_TID, `print: ${event.text}`, ts)
        break
      case 'queue.changed':
        this.#put({ name: `queue ${event.queue}`, ph: 'C', ts, tid: LOOP_TID, args: { size: event.size, unfinished: event.unfinished } })
        break
      case 'request.message': {
        const { message, bytes, more, code } = event
        this.#instant(event.task ?? LOOP_TID, `${event.direction}: ${message}`, ts, { bytes, more, ...(code === undefined ? {} : { code }) })
        break
      }
      case 'request.started':
        this.#put({
          name: `${event.method} ${event.url}`, cat: 'request', ph: 'b', id: event.request, ts, tid: LOOP_TID, args: { request: event.request },
        })
        break
      case 'request.finished':
        this.#put({
          name: `${event.method} ${event.url}`, cat: 'request', ph: 'e', id: event.request, ts, tid: LOOP_TID,
          args: { status: event.status, outcome: event.outcome },
        })
        break
      default:
        break
    }
  }

  /** Closes what is still open at the end of the record. */
  finish(end: number): void {
    const ts = Math.max(this.#now, end)
    if (this.#running !== null) this.#endStep(this.#running.task, ts)
    for (const task of [...this.#rows.keys()]) this.#end(task, ts)
    this.#now = Infinity
  }

  /** What can be given out by now, in order. */
  takeFinished(): TraceEvent[] {
    const now = this.#now
    if (now === this.#takenAt) return []
    this.#takenAt = now
    const trace = this.#out.filter(({ ts }) => ts < now)
    this.#out = this.#out.filter(({ ts }) => ts >= now)
    return trace.sort((a, b) => a.ts - b.ts || rank(a) - rank(b))
  }

  #ready(task: number, by: number | undefined, ts: number): void {
    const row = this.#rows.get(task)
    if (row === undefined) return
    if (row.state !== 'ready') this.#slice(task, 'ready', ts)
    if (by === undefined || !this.#rows.has(by)) return
    const id = this.#arrows++
    const { arrows } = this.#ends
    if (id === arrows.length) arrows.push(false)
    this.#wakers.set(task, id)
    // An arrow needs both ends: a task that never ran again is no target.
    if (arrows[id] === true) this.#put({ name: 'wakes', cat: 'wake', ph: 's', id, ts, tid: by })
  }

  #arrive(task: number, ts: number): void {
    const id = this.#wakers.get(task)
    if (id === undefined) return
    this.#wakers.delete(task)
    this.#ends.arrows[id] = true
    this.#put({ name: 'wakes', cat: 'wake', ph: 'f', bp: 'e', id, ts, tid: task })
  }

  #beginStep(task: number, ts: number): void {
    const slice = this.#open({ name: this.#rows.get(task)?.name ?? `task ${task}`, cat: 'loop', ts, tid: LOOP_TID, args: { task } })
    this.#running = { task, slice }
  }

  /** One slice on the loop's row. It is written when it ends, before the slice that follows. */
  #busy({ since, seconds, steps, tasks }: EventOf<'loop.busy'>): void {
    const ts = micros(since)
    this.#put({ name: `${steps} steps that only yield`, cat: 'loop', ph: 'X', ts, dur: micros(seconds), tid: LOOP_TID, args: { tasks } })
  }

  #endStep(task: number, ts: number): void {
    const step = this.#running
    if (step === null || step.task !== task) return
    this.#running = null
    this.#ends.slices[step.slice] = ts
  }

  /** Begins the row of a task, with a name and a first slice. */
  #begin(task: number, name: string, state: string, ts: number): void {
    this.#put({ name: 'thread_name', ph: 'M', ts, tid: task, args: { name } })
    this.#put({ name: 'thread_sort_index', ph: 'M', ts, tid: task, args: { sort_index: task } })
    this.#rows.set(task, { name, state, slice: this.#open({ name: state, cat: 'task', ts, tid: task }) })
  }

  /** Ends the open slice of the task's row and begins the next. */
  #slice(task: number, state: string, ts: number, args?: Record<string, unknown>): void {
    const row = this.#rows.get(task)
    if (row === undefined) return
    this.#ends.slices[row.slice] = ts
    row.state = state
    row.slice = this.#open({ name: state, cat: 'task', ts, tid: task, ...(args === undefined ? {} : { args }) })
  }

  #end(task: number, ts: number): void {
    const row = this.#rows.get(task)
    if (row === undefined) return
    this.#ends.slices[row.slice] = ts
    this.#rows.delete(task)
  }

  /** Begins a slice; returns its number. A slice that never ends is left out. */
  #open(slice: Omit<TraceEvent, 'ph' | 'pid'>): number {
    const number = this.#slices++
    const { slices } = this.#ends
    if (number === slices.length) slices.push(-1)
    const end = slices[number] as number
    if (end >= 0) this.#put({ ...slice, ph: 'X', dur: end - slice.ts })
    return number
  }

  #instant(tid: number, name: string, ts: number, args?: Record<string, unknown>): void {
    this.#put({ name, ph: 'i', s: 't', ts, tid, ...(args === undefined ? {} : { args }) })
  }

  #put(event: Omit<TraceEvent, 'pid'>): void {
    if (this.#draws) this.#out.push({ ...event, pid: PID })
  }
}

function micros(seconds: number): number {
  return Math.round(seconds * 1e6)
}

function rank({ ph }: TraceEvent): number {
  return ph === 'M' ? 0 : ph === 'X' ? 1 : 2
}

function earlierTasks(events: readonly LoopEvent[], nameOf: (task: number) => string): Earlier[] {
  const seen = new Set<number>()
  const earlier: Earlier[] = []
  for (const event of events) {
    const state = BEFORE[event.type]
    if ((state === undefined && event.type !== 'task.created') || !('task' in event) || event.task === undefined || seen.has(event.task)) continue
    seen.add(event.task)
    if (state !== undefined) earlier.push({ task: event.task, name: nameOf(event.task), state })
  }
  return earlier
}

/**
 * Makes a trace of events in their order, piece by piece. `end`, in seconds, closes what is still open; the default is the
 * last event's time. `nameOf` names a task whose creation is not among the events.
 */
export function traceEvents(events: readonly LoopEvent[], name: string, end?: number, nameOf = (task: number): string => `task ${task}`): Iterable<TraceEvent> {
  const from = micros(events[0]?.t ?? 0)
  const to = micros(end ?? events.at(-1)?.t ?? 0)
  const earlier = earlierTasks(events, nameOf)
  const ends: Ends = { slices: [], arrows: [] }
  const first = new Tracer(ends, false, name, from, earlier)
  for (const event of events) first.add(event)
  first.finish(to)
  return draw(new Tracer(ends, true, name, from, earlier), events, to)
}

function* draw(tracer: Tracer, events: readonly LoopEvent[], end: number): Generator<TraceEvent> {
  for (const event of events) {
    tracer.add(event)
    yield* tracer.takeFinished()
  }
  tracer.finish(end)
  yield* tracer.takeFinished()
}

/** The same as JSON, in parts that make one text. */
export function traceTexts(...of: Parameters<typeof traceEvents>): Iterable<string> {
  return inJson(traceEvents(...of))
}

function* inJson(events: Iterable<TraceEvent>): Generator<string> {
  let before = '{"traceEvents":['
  for (const event of events) {
    yield before + JSON.stringify(event)
    before = ','
  }
  yield '],"displayTimeUnit":"ms"}'
}
