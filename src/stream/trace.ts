// Events as Chrome trace event JSON, which Perfetto and chrome://tracing open: one row a task with contiguous slices, a
// row for the loop, arrows for wake-ups, counters for queues, pairs for requests. Times in µs; at equal `ts` slices come first.
import type { LoopEvent } from './events.ts'

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

export interface Trace {
  traceEvents: TraceEvent[]
  displayTimeUnit: 'ms'
}

const LOOP_TID = 0
const PID = 1

/** A task's row while it is drawn: the slice that is open on it. */
interface Row {
  name: string
  state: string
  since: number
  args?: Record<string, unknown>
}

/** What a task must have been doing before its first event, where the record does not go back to its beginning. */
const BEFORE: { readonly [type: string]: string } = {
  'task.ready': 'waiting', 'task.running': 'ready', 'task.suspended': 'running', 'task.finished': 'running', 'task.cancelling': 'waiting',
}

class Tracer {
  readonly out: TraceEvent[] = []
  readonly #rows = new Map<number, Row>()
  readonly #wakers = new Map<number, { id: number; by: number; ts: number }>()
  #edges = 0
  #running: { task: number; name: string; since: number } | null = null
  readonly #nameOf: (task: number) => string
  /** Where the record begins: a task that was there before has its first slice from here on. */
  readonly #from: number

  constructor(nameOf: (task: number) => string, from: number) {
    this.#nameOf = nameOf
    this.#from = from
  }

  add(event: LoopEvent): void {
    const ts = micros(event.t)
    const before = BEFORE[event.type]
    if (before !== undefined && 'task' in event && event.task !== undefined && !this.#rows.has(event.task)) {
      const name = this.#nameOf(event.task)
      this.#rows.set(event.task, { name, state: before, since: this.#from })
      this.#nameRow(event.task, name)
      if (before === 'running') this.#running = { task: event.task, name, since: this.#from }
    }
    switch (event.type) {
      case 'task.created':
        this.#rows.set(event.task, { name: event.name, state: 'ready', since: ts })
        this.#nameRow(event.task, event.name)
        break
      case 'task.ready':
        this.#ready(event.task, event.by, ts)
        break
      case 'task.running':
        this.#slice(event.task, 'running', ts)
        this.#arrive(event.task, ts)
        this.#running = { task: event.task, name: this.#rows.get(event.task)?.name ?? `task ${event.task}`, since: ts }
        break
      case 'task.suspended':
        this.#endStep(event.task, ts)
        this.#slice(event.task, event.on.kind === 'yield' ? 'ready' : `waiting: ${event.on.kind}`, ts, { on: event.on })
        break
      case 'task.finished':
        this.#endStep(event.task, ts)
        this.#slice(event.task, '', ts)
        this.#rows.delete(event.task)
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
        this.out.push({
          name: `queue ${event.queue}`, ph: 'C', ts, pid: PID, tid: LOOP_TID, args: { size: event.size, unfinished: event.unfinished },
        })
        break
      case 'request.started':
        this.out.push({
          name: `${event.method} ${event.url}`, cat: 'request', ph: 'b', id: event.request, ts, pid: PID, tid: LOOP_TID,
          args: { request: event.request },
        })
        break
      case 'request.finished':
        this.out.push({
          name: `${event.method} ${event.url}`, cat: 'request', ph: 'e', id: event.request, ts, pid: PID, tid: LOOP_TID,
          args: { status: event.status, outcome: event.outcome },
        })
        break
      case 'loop.unblocked':
        this.out.push({
          name: `stall of ${event.seconds} s`, ph: 'i', s: 'g', ts, pid: PID, tid: LOOP_TID,
          args: { task: event.task, victims: event.victims, lost: event.lost },
        })
        break
      default:
        break
    }
  }

  /** Close what is still open at the end of the record. */
  finish(end: number): TraceEvent[] {
    if (this.#running !== null) this.#endStep(this.#running.task, end)
    for (const task of [...this.#rows.keys()]) this.#slice(task, '', end)
    // An arrow needs both of its ends; one to a task that never ran again has none to point at.
    const arrived = new Set(this.out.filter(({ ph }) => ph === 'f').map(({ id }) => id))
    return this.out
      .filter(({ ph, id }) => ph !== 's' || arrived.has(id))
      .map((event, at) => ({ event, at }))
      .sort((a, b) => a.event.ts - b.event.ts || rank(a.event) - rank(b.event) || a.at - b.at)
      .map(({ event }) => event)
  }

  #ready(task: number, by: number | undefined, ts: number): void {
    const row = this.#rows.get(task)
    // A task that makes itself ready while it runs (`sleep(0)`): the slice ends with its suspension.
    if (row === undefined || row.state === 'running') return
    if (row.state !== 'ready') this.#slice(task, 'ready', ts)
    if (by === undefined || !this.#rows.has(by)) return
    const id = ++this.#edges
    this.#wakers.set(task, { id, by, ts })
    this.out.push({ name: 'wakes', cat: 'wake', ph: 's', id, ts, pid: PID, tid: by })
  }

  #arrive(task: number, ts: number): void {
    const waker = this.#wakers.get(task)
    if (waker === undefined) return
    this.#wakers.delete(task)
    this.out.push({ name: 'wakes', cat: 'wake', ph: 'f', bp: 'e', id: waker.id, ts, pid: PID, tid: task })
  }

  #endStep(task: number, ts: number): void {
    const step = this.#running
    if (step === null || step.task !== task) return
    this.#running = null
    this.out.push({ name: step.name, cat: 'loop', ph: 'X', ts: step.since, dur: ts - step.since, pid: PID, tid: LOOP_TID, args: { task } })
  }

  /** End the slice that is open on the task's row and begin the next. */
  #slice(task: number, state: string, ts: number, args?: Record<string, unknown>): void {
    const row = this.#rows.get(task)
    if (row === undefined) return
    this.out.push({
      name: row.state, cat: 'task', ph: 'X', ts: row.since, dur: ts - row.since, pid: PID, tid: task,
      ...(row.args === undefined ? {} : { args: row.args }),
    })
    row.state = state
    row.since = ts
    if (args === undefined) delete row.args
    else row.args = args
  }

  #instant(tid: number, name: string, ts: number, args?: Record<string, unknown>): void {
    this.out.push({ name, ph: 'i', s: 't', ts, pid: PID, tid, ...(args === undefined ? {} : { args }) })
  }

  #nameRow(tid: number, name: string): void {
    this.out.push({ name: 'thread_name', ph: 'M', ts: 0, pid: PID, tid, args: { name } })
    this.out.push({ name: 'thread_sort_index', ph: 'M', ts: 0, pid: PID, tid, args: { sort_index: tid } })
  }
}

function micros(seconds: number): number {
  return Math.round(seconds * 1e6)
}

function rank({ ph }: TraceEvent): number {
  return ph === 'M' ? 0 : ph === 'X' ? 1 : 2
}

/**
 * Make a trace of events in their order. `end`, in seconds, closes what is still open; by default the last event's time.
 * `nameOf` names a task whose creation is not among the events.
 */
export function toTrace(events: readonly LoopEvent[], name: string, end?: number, nameOf = (task: number): string => `task ${task}`): Trace {
  const tracer = new Tracer(nameOf, micros(events[0]?.t ?? 0))
  tracer.out.push({ name: 'process_name', ph: 'M', ts: 0, pid: PID, tid: LOOP_TID, args: { name } })
  tracer.out.push({ name: 'thread_name', ph: 'M', ts: 0, pid: PID, tid: LOOP_TID, args: { name: 'event loop' } })
  for (const event of events) tracer.add(event)
  return { traceEvents: tracer.finish(micros(end ?? events.at(-1)?.t ?? 0)), displayTimeUnit: 'ms' }
}
