// Runs and requests, also those that have ended: when each began and ended, and with what outcome.
import type { EventOf, Parameters, Snapshot } from '../../src/events/schema.ts'
import type { Stall } from './stalls.ts'
import { OVERDUE, splitOfAll, type Lane, type Outcome, type Split } from './track.ts'

export interface Request {
  id: number
  method: string
  url: string
  /** The best known time of arrival. It is before `readAt` where a blocked loop delayed the reading. */
  from: number
  readAt: number
  /** For a request of the live page: when it left the page. Null for all others. */
  left: number | null
  to: number | null
  status: number | null
  outcome: string | null
  task: number | null
}

export interface Run {
  id: number
  example: number
  parameters: Parameters
  /** Its beginning; where its first event is missing, the first time that is known of it. */
  from: number
  /** Its first event is missing. */
  partial: boolean
  to: number | null
  outcome: Outcome | null
  request: number | null
  /** Its first task. */
  task: number | null
}

const MOST_ENDED = 2000
/** The most entries that are searched for one that has ended. */
const LOOKS = 16

export class Requests extends Map<number, Request> {
  started({ request: id, method, url, t, task, left }: EventOf<'request.started'>): void {
    this.set(id, { id, method, url, from: left ?? t, readAt: t, left: left ?? null, to: null, status: null, outcome: null, task: task ?? null })
    bound(this)
  }

  finished({ request: id, method, url, t, task, seconds = 0, status, outcome }: EventOf<'request.finished'>): void {
    const known = this.get(id)
    const from = known?.from ?? t - seconds
    this.set(id, { id, method, url, from, readAt: known?.readAt ?? from, left: known?.left ?? null, to: t, status: status ?? null, outcome: outcome ?? null, task: known?.task ?? task ?? null })
    bound(this)
  }

  /** A task of the request was created. */
  began(lane: Lane): void {
    const request = this.of(lane)
    if (request === undefined) return
    request.task ??= lane.id
    if (request.task === lane.id && request.from < request.readAt) lane.arrived(request.from)
  }

  /** A stall delayed the reading of these requests; once it is over, their waiting time is known. */
  delayed({ to, victims }: Stall, lanes: ReadonlyMap<number, Lane>): void {
    for (const { task, request: id, seconds } of victims) {
      const request = task === undefined && id !== undefined ? this.get(id) : undefined
      if (request === undefined || to === null) continue
      request.from = Math.min(request.from, to - seconds)
      if (request.task !== null) lanes.get(request.task)?.arrived(request.from)
    }
  }

  /** The requests of the live page that had left when a stall ended, and were read after it: they are not among its victims. */
  ofPage({ to }: Stall): { what: string; left: number }[] {
    const found: { what: string; left: number }[] = []
    for (const { method, url, left, readAt } of this.values()) {
      if (to !== null && left !== null && left < to && readAt >= to - OVERDUE) found.push({ what: `${method} ${url}`, left })
    }
    return found
  }

  restore(requests: Snapshot['requests'], t: number, lanes: Iterable<Lane>): void {
    for (const { request: id, method, url, left } of requests) {
      if (!this.has(id)) this.set(id, { id, method, url, from: t, readAt: t, left: left ?? null, to: null, status: null, outcome: null, task: null })
    }
    for (const lane of lanes) {
      const request = this.of(lane)
      if (request === undefined) continue
      request.task ??= lane.id
      if (request.task === lane.id && lane.partial) request.from = request.readAt = Math.min(request.from, lane.createdAt)
    }
  }

  of({ request }: Lane): Request | undefined {
    return request === null ? undefined : this.get(request)
  }
}

/**
 * Where the time of a request went, up to `to`: that of the task that serves it and of all that these tasks create. Of a request
 * without one, only the delay until it was read is known.
 */
export function splitOfRequest(request: Request, lanes: ReadonlyMap<number, Lane>, to: number): Split {
  const { from, readAt } = request
  const end = Math.min(request.to ?? to, to)
  if (!isRecorded(request, lanes)) return { run: 0, ready: Math.max(0, Math.min(readAt, end) - from), wait: 0, thread: 0 }
  return splitOfAll(tasksOf(request, lanes), from, end)
}

/** Whether the task that serves it is known. */
export function isRecorded({ task }: Request, lanes: ReadonlyMap<number, Lane>): boolean {
  return task !== null && lanes.has(task)
}

function* tasksOf({ id, task }: Request, lanes: ReadonlyMap<number, Lane>): Generator<Lane> {
  const first = task === null ? undefined : lanes.get(task)
  const open = first === undefined ? [] : [first]
  for (let lane = open.pop(); lane !== undefined; lane = open.pop()) {
    yield lane
    for (const child of lane.children) if (child.kind === 'task' && child.request === id) open.push(child)
  }
}

export class Runs extends Map<number, Run> {
  started({ run: id, example, parameters, t, request }: Omit<EventOf<'run.started'>, 'type' | 'seq' | 'loop'>, partial = false): Run {
    let run = this.get(id)
    if (run === undefined) {
      run = { id, example, parameters, from: t, partial, to: null, outcome: null, request: request ?? null, task: null }
      this.set(id, run)
      bound(this)
    }
    return run
  }

  finished(event: EventOf<'run.finished'>): void {
    const run = this.started(event, true)
    run.to = event.t
    run.outcome = event.outcome ?? null
  }

  /** A task of the run was created. */
  began(lane: Lane): void {
    const run = lane.run === null ? undefined : this.get(lane.run)
    if (run !== undefined) run.task ??= lane.id
  }
}

/** Past the bound, one of the oldest that has ended is dropped; past twice the bound, the oldest in any case. */
function bound(map: Map<number, { to: number | null }>): void {
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
