// What is alive on a loop, rebuilt from its events alone.
import type { EventOf, LiveTask, LoopEvent, Snapshot } from './schema.ts'
import { LiveMap } from '../runtime/live-map.ts'
import { Locks } from './locks.ts'

/** Queues have no end event; the ones that changed last are kept. */
const MOST_QUEUES = 256

type Run = Snapshot['runs'][number]
type Request = Snapshot['requests'][number]
type Queue = Snapshot['queues'][number]

export class Model {
  seq = 0
  readonly tasks = new LiveMap<LiveTask>()
  readonly runs = new Map<number, Run>()
  readonly requests = new LiveMap<Request>()
  readonly queues = new Map<number, Queue>()
  readonly locks = new Locks()

  /** Applies one event; events must come in order. */
  apply(event: LoopEvent): void {
    this.seq = event.seq
    switch (event.type) {
      case 'task.created':
        this.#create(event)
        break
      case 'task.ready':
      case 'task.running':
      case 'task.suspended':
      case 'task.cancelling':
        this.#change(event)
        break
      case 'task.finished':
        this.tasks.delete(event.task)
        this.locks.left(event.task)
        break
      case 'loop.busy':
        this.#yielded(event)
        break
      case 'queue.changed':
        this.#queue(event)
        break
      case 'run.started':
        this.runs.set(event.run, { run: event.run, example: event.example, parameters: event.parameters })
        break
      case 'run.finished':
        this.runs.delete(event.run)
        break
      case 'request.started':
        this.#request(event)
        break
      case 'request.finished':
        this.requests.delete(event.request)
        break
      case 'loop.closed':
        for (const map of [this.tasks, this.runs, this.requests, this.queues, this.locks]) map.clear()
        break
      default:
        break
    }
  }

  snapshot(): Snapshot {
    return {
      seq: this.seq,
      tasks: [...this.tasks.values()].map((task) => ({ ...task })),
      runs: [...this.runs.values()],
      requests: [...this.requests.values()],
      queues: [...this.queues.values()],
      locks: this.locks.list(),
    }
  }

  /** Starts again from a snapshot. Parents that are missing in it are kept from before. */
  restore(snapshot: Snapshot): void {
    const parents = new Map([...this.tasks.values()].map(({ task, parent }) => [task, parent]))
    for (const map of [this.tasks, this.runs, this.requests, this.queues]) map.clear()
    this.seq = snapshot.seq
    for (const task of snapshot.tasks) {
      const parent = task.parent ?? parents.get(task.task)
      this.tasks.set(task.task, { ...task, ...(parent === undefined ? {} : { parent }) })
    }
    for (const run of snapshot.runs) this.runs.set(run.run, run)
    for (const request of snapshot.requests) this.requests.set(request.request, request)
    this.locks.restore(this.tasks.values(), snapshot.locks)
    for (const queue of snapshot.queues) this.queues.set(queue.queue, queue)
  }

  #create(event: EventOf<'task.created'>): void {
    const { task, name, coroutine, t, parent, run, request } = event
    const live: LiveTask = { task, name, coroutine, state: 'ready', since: t }
    if (parent !== undefined) live.parent = parent
    if (run !== undefined) live.run = run
    if (request !== undefined) live.request = request
    this.tasks.set(task, live)
  }

  #request({ request, method, url, left }: EventOf<'request.started'>): void {
    const live: Request = { request, method, url }
    if (left !== undefined) live.left = left
    this.requests.set(request, live)
  }

  #change(event: EventOf<'task.ready' | 'task.running' | 'task.suspended' | 'task.cancelling'>): void {
    const task = this.tasks.get(event.task)
    if (task === undefined) return
    switch (event.type) {
      case 'task.ready':
        task.state = 'ready'
        this.locks.woken(task.task, event.by)
        break
      case 'task.running':
        task.state = 'running'
        break
      case 'task.suspended':
        task.state = event.on.kind === 'yield' ? 'ready' : 'suspended'
        this.locks.suspended(task.task, event.on)
        break
      case 'task.cancelling':
        task.cancelling = true
        // It is woken without the lock, whose owner stays.
        this.locks.left(task.task)
        return
    }
    task.since = event.t
    if (event.type === 'task.suspended' && event.on.kind !== 'yield') task.on = event.on
    else if (task.on !== undefined) task.on = undefined
    if (event.type === 'task.suspended' && event.location !== undefined) task.location = event.location
    else if (event.type !== 'task.ready' && task.location !== undefined) task.location = undefined
  }

  /** All these tasks are ready again. One whose step takes long may already have an event of its own. */
  #yielded({ t, tasks }: EventOf<'loop.busy'>): void {
    for (const { task: id } of tasks) {
      const task = this.tasks.get(id)
      if (task?.state === 'ready') task.since = t
    }
  }

  #queue({ queue, size, unfinished, maxsize, op, task }: EventOf<'queue.changed'>): void {
    const before = this.queues.get(queue)
    this.queues.delete(queue)
    const live: Queue = { queue, size, unfinished, maxsize }
    const putter = op === 'put' ? task : before?.putter
    const getter = op === 'get' ? task : before?.getter
    if (putter !== undefined) live.putter = putter
    if (getter !== undefined) live.getter = getter
    this.queues.set(queue, live)
    if (this.queues.size > MOST_QUEUES) this.queues.delete(this.queues.keys().next().value as number)
  }
}
