// Finds problems in the stream. Each problem is reported once for each thing that has it, and not for a time in which events
// were lost.
import type { EventOf, LiveTask, LoopEvent, Waiting } from '../events/schema.ts'
import type { Model } from '../events/model.ts'
import { stamp, type Timed } from '../events/builder.ts'
import { findDeadlock } from './deadlocks.ts'
import { AMBER, RED, slowStep } from '../events/stalls.ts'

type Warning = Timed<'warning'>

const LONG_RUNNING = 1
/** A wait that only another task can end is judged after this many seconds. */
const STUCK = 1
/** This many calls wait for the sensitive thread, for this long. */
const BACKLOG = 3
const BACKLOG_SECONDS = 0.5
/** A producer waits for a full queue for this long. */
const FULL_SECONDS = 1
const MOST_NAMED = 50

/** Waits that only another task can end. */
const BY_TASKS_ONLY = new Set(['task', 'gather', 'queue.get', 'queue.put', 'queue.join', 'lock', 'event', 'condition', 'semaphore', 'barrier'])

function onlyByTasks({ kind, deadline, timeout }: Waiting): boolean {
  return BY_TASKS_ONLY.has(kind) && deadline === undefined && timeout === undefined
}

/** Live tasks that belong together: those of a run, or of a program without requests. */
interface Group {
  live: number
  stuck: number
  /** Since when all of them wait for each other. */
  since: number
  reported: boolean
}

export class Warnings {
  readonly #model: Model
  readonly #emit: (warning: Warning) => void
  readonly #nameOf: (task: number) => string
  readonly #groups = new Map<number, Group>()
  /** Tasks whose wait only another task can end, with the time since when. */
  readonly #stuck = new Map<number, number>()
  readonly #putters = new Map<number, LiveTask>()
  readonly #fullQueues = new Set<string>()
  /** Tasks of which only time shows whether they are in a deadlock, and those of reported ones. */
  readonly #undecided = new Set<number>()
  readonly #deadlocked = new Set<number>()
  #backlogSince: number | null = null
  #backlogTold = false
  #longTold = 0
  #requests = false
  #slow: { task: number; name: string; seconds: number } | null = null
  /** Nothing that began before this is judged. */
  #from = -Infinity

  constructor(model: Model, nameOf: (task: number) => string, emit: (warning: Warning) => void) {
    this.#model = model
    this.#nameOf = nameOf
    this.#emit = emit
  }

  /** Receives an event that the model has applied. */
  onEvent(event: LoopEvent): void {
    switch (event.type) {
      case 'task.created':
        this.#groupOf(event.run).live++
        break
      case 'task.ready':
        this.#leave(event.task, event.run)
        break
      case 'task.suspended':
        this.#tellSlow(event)
        if (event.on.kind !== 'yield' && event.on.kind !== 'sleep') this.#suspended(event)
        break
      case 'task.finished': {
        this.#tellSlow(event)
        this.#leave(event.task, event.run)
        const group = this.#groupOf(event.run)
        group.live = Math.max(0, group.live - 1)
        break
      }
      case 'request.started':
        this.#requests = true
        break
      case 'loop.closed':
        this.restart(event.t)
        break
      default:
        break
    }
  }

  /** A step ended; its event follows. */
  stepped(task: number, from: number, to: number): void {
    this.#slow = to - from >= AMBER && from >= this.#from ? { task, seconds: to - from, name: this.#nameOf(task) } : null
  }

  /** Events were lost, and `model` has been restored from a snapshot at time `t`. */
  restart(t: number): void {
    this.#from = t
    this.#groups.clear()
    this.#stuck.clear()
    this.#putters.clear()
    this.#undecided.clear()
    this.#deadlocked.clear()
    this.#slow = null
    this.#backlogSince = null
    for (const task of this.#model.tasks.values()) {
      const group = this.#groupOf(task.run)
      group.live++
      if (task.on !== undefined && task.state === 'suspended') {
        this.#undecided.add(task.task)
        if (onlyByTasks(task.on)) {
          group.stuck++
          this.#stuck.set(task.task, task.run ?? 0)
        }
      }
      group.since = t
    }
  }

  /** Checks what depends on time. `queued`: calls that wait for the sensitive thread. */
  poll(now: number, queued: number): void {
    for (const [run, group] of this.#groups) {
      // Not as soon as it ends: requests that come one by one are each time all there is of their group.
      if (group.live === 0) this.#groups.delete(run)
      if (group.live === 0 || group.stuck < group.live || group.reported || now - group.since < STUCK) continue
      if (run === 0 && this.#requests) continue
      group.reported = true
      this.#tellStuck(run, now)
    }
    for (const task of this.#undecided) this.#findDeadlock(task, stamp(now))
    this.#lookAtQueues(now)
    this.#lookAtBacklog(now, queued)
  }

  /** A step has been running for `seconds`. */
  running(task: number, since: number, now: number, name: string): void {
    if (now - since < LONG_RUNNING || this.#longTold === since || since < this.#from) return
    this.#longTold = since
    this.#emit({
      type: 'warning', t: stamp(now), kind: 'long-running', level: 'red', ...(task === 0 ? {} : { task }), seconds: stamp(now - since),
      message: `${name} has run for ${(now - since).toFixed(1)} s and never yields: nothing else can run`,
    })
  }

  #groupOf(run = 0): Group {
    let group = this.#groups.get(run)
    if (group === undefined) {
      group = { live: 0, stuck: 0, since: 0, reported: false }
      this.#groups.set(run, group)
    }
    return group
  }

  #suspended({ task, on, t, run }: EventOf<'task.suspended'>): void {
    if (onlyByTasks(on)) {
      const group = this.#groupOf(run)
      group.stuck++
      group.since = t
      this.#stuck.set(task, run ?? 0)
    }
    if (on.kind === 'queue.put') {
      const live = this.#model.tasks.get(task)
      if (live !== undefined) this.#putters.set(task, live)
    }
    // For a task that awaits itself, the runtime raises an error at once.
    if (on.task !== task) this.#findDeadlock(task, t)
  }

  #leave(task: number, run = 0): void {
    if (this.#stuck.delete(task)) {
      const group = this.#groupOf(run)
      group.stuck--
      group.reported = false
    }
    this.#putters.delete(task)
    this.#undecided.delete(task)
    this.#deadlocked.delete(task)
  }

  /** A cycle is closed by a task that begins to wait: this is called for each. */
  #findDeadlock(task: number, t: number): void {
    const found = findDeadlock(this.#model, task, t)
    if (found === 'later') this.#undecided.add(task)
    else this.#undecided.delete(task)
    if (found === null || found === 'later' || found.cycle.some((one) => this.#deadlocked.has(one))) return
    const { cycle } = found
    for (const one of cycle) this.#deadlocked.add(one)
    const shown = cycle.slice(0, MOST_NAMED)
    const names = [...shown, ...cycle.length > MOST_NAMED ? [] : [cycle[0] as number]].map((one) => this.#nameOf(one))
    const owned = shown.flatMap((one) => this.#owned(one))
    this.#emit({
      type: 'warning', t, kind: 'await-cycle', level: 'red', task: cycle[0] as number, tasks: shown,
      message: `a deadlock (cycle of awaits): ${names.join(' → ')}${owned.length === 0 ? '' : `; ${owned.join('; ')}`}`,
    })
  }

  /** What a task waits for, with the owners. */
  #owned(task: number): string[] {
    const owners = this.#model.locks.ownersFor(task)
    const label = this.#model.tasks.get(task)?.on?.label
    if (owners.length === 0 || label === undefined) return []
    const names = [...new Set(owners)].map((one) => this.#nameOf(one))
    return [`${this.#nameOf(task)} waits for ${label}, which ${names.join(' and ')} ${names.length === 1 ? 'owns' : 'own'}`]
  }

  #tellSlow({ task, t, run, request }: EventOf<'task.suspended' | 'task.finished'>): void {
    const slow = this.#slow
    this.#slow = null
    if (slow === null || slow.task !== task) return
    const { name, seconds } = slow
    this.#emit({
      type: 'warning', t, kind: 'slow-step', level: seconds >= RED ? 'red' : 'amber', task, seconds: stamp(seconds),
      ...(run === undefined ? {} : { run }), ...(request === undefined ? {} : { request }),
      message: slowStep(name, seconds),
    })
  }

  #tellStuck(run: number, now: number): void {
    const stuck = [...this.#model.tasks.values()].filter((task) => (task.run ?? 0) === run)
    const waits = stuck.slice(0, 5).map(({ name, task, on }) => this.#owned(task)[0] ?? `${name} waits for ${on?.label ?? on?.kind ?? 'nothing'}`)
    this.#emit({
      type: 'warning', t: stamp(now), kind: 'never-woken', level: 'red', ...(run === 0 ? {} : { run }), tasks: stuck.slice(0, MOST_NAMED).map(({ task }) => task),
      message: `nothing is left that could wake ${stuck.length === 1 ? 'this task' : `any of these ${stuck.length} tasks`}: ${waits.join('; ')}`,
    })
  }

  #lookAtQueues(now: number): void {
    const full = new Map<string, LiveTask[]>()
    for (const task of this.#putters.values()) {
      if (task.state !== 'suspended' || task.on?.kind !== 'queue.put' || now - task.since < FULL_SECONDS) continue
      const queue = task.on.label ?? 'a queue'
      full.set(queue, [...(full.get(queue) ?? []), task])
    }
    for (const queue of this.#fullQueues) if (!full.has(queue)) this.#fullQueues.delete(queue)
    for (const [queue, tasks] of full) {
      if (this.#fullQueues.has(queue)) continue
      this.#fullQueues.add(queue)
      this.#emit({
        type: 'warning', t: stamp(now), kind: 'queue-full', level: 'amber', tasks: tasks.slice(0, MOST_NAMED).map(({ task }) => task),
        message: `${tasks.map(({ name }) => name).slice(0, 5).join(', ')} ${tasks.length === 1 ? 'has' : 'have'} waited ${FULL_SECONDS} s and more for room in ${queue}: ${this.#reader(tasks[0]?.on?.queue)}`,
      })
    }
  }

  /** What is known of the task that took an item of a queue last. */
  #reader(queue: number | undefined): string {
    const getter = queue === undefined ? undefined : this.#model.queues.get(queue)?.getter
    if (getter === undefined) return 'no task is known to have taken an item from it'
    const live = this.#model.tasks.get(getter)
    const name = this.#nameOf(getter)
    if (live === undefined) return `${name}, which took the last item, has ended`
    if (live.state !== 'suspended') return `${name} took the last item`
    return `${name} took the last item, and ${this.#owned(getter)[0] ?? `waits for ${live.on?.label ?? live.on?.kind ?? 'nothing'}`}`.replace(`and ${name} waits`, 'and waits')
  }

  #lookAtBacklog(now: number, queued: number): void {
    if (queued < BACKLOG) {
      this.#backlogSince = null
      this.#backlogTold = false
      return
    }
    this.#backlogSince ??= now
    if (this.#backlogTold || now - this.#backlogSince < BACKLOG_SECONDS) return
    this.#backlogTold = true
    this.#emit({
      type: 'warning', t: stamp(now), kind: 'sensitive-backlog', level: 'amber',
      message: `${queued} calls wait for the one thread of thread-sensitive calls: the loop is free, but this thread is busy`,
    })
  }
}
