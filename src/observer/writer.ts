// The instrument on the loop's thread: each hook writes a record into the ring and returns. No object is made, no clock is
// read twice, nothing is encoded; what belongs together, a step and its end, goes into one record.
import type { Instrument, Outcome, QueueState, ThreadCall, Wait } from '../runtime/instruments.ts'
import type { EventLoop } from '../runtime/loop.ts'
import type { Task } from '../runtime/task.ts'
import type { Bare } from '../stream/recorder.ts'
import type { RingWriter } from './ring.ts'
import { describe } from '../runtime/describe.ts'
import { YIELD } from '../runtime/instruments.ts'
import { running } from '../runtime/running.ts'
import { describeLive, type LiveRequest } from './description.ts'
import { Edges, HELD_SECONDS } from './edges.ts'
import { FLAG, KIND, LONGEST_TEXT, NUMBER, RECORD_WORDS, ROUNDS, SMALL, type REPORTS, type View } from './layout.ts'
import { takePlace, watchPlaces } from './places.ts'
import { MODE, OP, OUTCOME, REPORT, writeCreated, writePlace, writeRequest, writeRun, writeScope, writeSuspended, type RunStart } from './records.ts'

/** Published in between, where a turn goes on and on. */
const PUBLISH_EVERY = 512
/** One step's end of about so many is timed, to know what recording costs. */
const SAMPLE = 1024
/** A step is heard of three times: when it is ready, when it begins, when it ends. */
const HOOKS_A_STEP = 3
/** How often a writer that could not write looks whether it can again. */
const RECOVER_EVERY = 64

/** What a task belongs to; its children belong to the same. */
export interface Scope {
  run?: number
  request?: number
}

export interface RequestEnd {
  task?: Task<unknown> | null
  status: number
  outcome: 'returned' | 'raised' | 'cancelled' | 'disconnected'
  seconds: number
}

export interface WriterOptions {
  view: View
  /** It outlives the loop: the next one's writer goes on with it. */
  ring: RingWriter
  loop: EventLoop
  name: string
  pid: number
  /** Takes a description of everything alive to the reader, who has it when he comes to the record that says so. */
  sendDescription: (content: ArrayBuffer) => void
  /** Something held the thread for 10 ms or more. */
  onHold?: (from: number, to: number) => void
}

export class Writer implements Instrument {
  readonly loop: EventLoop
  readonly #name: string
  readonly #pid: number
  readonly #ring: RingWriter
  readonly #edges: Edges
  readonly #numbers: Float64Array
  readonly #sendDescription: (content: ArrayBuffer) => void
  /** The task whose step runs, and those whose steps it began in (eager tasks). */
  #current = 0
  readonly #outer: { task: number; since: number }[] = []
  /** The step has begun, and no record has said so yet. */
  #pending = false
  /** Where the last record of rounds is, how many more tasks it takes, and the ring's head behind it. */
  #roundsAt = 0
  #roundsLeft = 0
  #roundsHead = 0
  #flushDue = false
  #published = 0
  #lost = 0
  #attempts = 0
  #next: Scope | null = null
  /** Runs by their tasks, while there are any. */
  readonly #runs = new Map<number, number>()
  /** No run is under way, and no step within a step: the short way may be taken. */
  #plain = true
  readonly #liveRuns = new Map<number, RunStart>()
  readonly #liveRequests = new Map<number, LiveRequest>()
  readonly #callbackNames = new WeakMap<object, number>()
  #clockCost = Infinity

  constructor({ view, ring, loop, name, pid, sendDescription, onHold = () => {} }: WriterOptions) {
    this.loop = loop
    this.#name = name
    this.#pid = pid
    this.#ring = ring
    this.#numbers = view.numbers
    const { host } = loop
    this.#edges = new Edges(view, () => host.now(), host.virtual, onHold)
    this.#sendDescription = sendDescription
    for (let times = 0; times < 100; times++) {
      const began = performance.now()
      this.#clockCost = Math.min(this.#clockCost, performance.now() - began)
    }
    this.#describe()
    if (loop.isRunning()) this.loopStarted()
    loop.instruments.add(this)
    this.flush()
  }

  /** Stop recording for good: as far as the stream tells, the loop closes. */
  finish(): void {
    if (!this.loop.instruments.has(this)) return
    if (!this.loop.isClosed()) this.loopClosed()
    this.detach()
  }

  /** Stop recording. */
  detach(): void {
    this.loop.instruments.delete(this)
    this.flush()
  }

  /** Show the reader everything until now. */
  flush(): void {
    this.#flushDue = false
    if (this.#pending && this.#ring.fits(1)) this.#begin()
    if (this.#ring.losing) this.recover()
    this.#publish()
  }

  /** The next task that is created, which must be in the same breath, belongs to this run or request. */
  nextTask(scope: Scope): void {
    this.#next = scope
  }

  /** The run that a task belongs to. */
  runOf(task: Task<unknown>): number | undefined {
    return this.#runs.get(task.id)
  }

  loopStarted(): void {
    this.#loopEvent(KIND.loopStarted)
  }

  loopClosed(): void {
    this.#loopEvent(KIND.loopClosed)
  }

  taskCreated(task: Task<unknown>, parent: Task<unknown> | null): void {
    const t = this.#time()
    const scope = this.#next
    this.#next = null
    const run = scope?.run ?? (!this.#plain && parent !== null ? this.#runs.get(parent.id) : undefined)
    if (run !== undefined) {
      this.#runs.set(task.id, run)
      this.#plain = false
      watchPlaces(task)
    }
    const served = scope?.request === undefined ? undefined : this.#liveRequests.get(scope.request)
    if (served !== undefined) served.task = task.id
    const { ownName } = task
    const coroutine = task.coroutineName()
    const ring = this.#ring
    if (!this.#room(4 + (typeof ownName === 'string' ? ring.roomFor(ownName) : 0), coroutine)) return
    if (scope !== null) writeScope(ring, scope.run, scope.request)
    writeCreated(ring, KIND.created, task, t, parent?.id ?? 0, coroutine, scope?.request !== undefined)
  }

  taskReady(task: Task<unknown>, by: Task<unknown> | null): void {
    const t = this.#time()
    if (!this.#room(2)) return
    const at = this.#put(KIND.ready, task.id, t)
    this.#ring.words[at + 4] = by === null || by === task ? 0 : by.id
  }

  taskRunning(task: Task<unknown>): void {
    // Within a turn a step begins where the one before it ended: one reading of the clock serves both.
    if (!this.#flushDue) this.#time()
    if (this.#current !== 0) this.#nest()
    const { id } = task
    this.#current = id
    this.#pending = true
    this.#edges.task(id)
  }

  taskSuspended(task: Task<unknown>, on: Wait): void {
    if ((this.#ring.head & (SAMPLE - 1)) !== 0) this.#suspended(task, on)
    else this.#timed(() => this.#suspended(task, on))
  }

  /**
   * The commonest end of a step. At most of them the clock need not be read, and then the task's id is all that is written:
   * it went once round the ready queue, at the time that the record says. That is why the record stays open for more.
   */
  taskYielded(task: Task<unknown>): void {
    const edges = this.#edges
    const ring = this.#ring
    if (this.#roundsLeft === 0 || ring.head !== this.#roundsHead || !this.#pending || edges.left <= 1 || !edges.sameTick()) {
      this.#yielded(task)
      return
    }
    const { words } = ring
    const at = this.#roundsAt
    words[at + RECORD_WORDS - this.#roundsLeft--] = task.id
    words[at] = (words[at] as number) + (1 << SMALL)
    edges.left--
    edges.release()
    this.#pending = false
    this.#current = 0
  }

  taskFinished(task: Task<unknown>, outcome: Outcome, error: unknown): void {
    if ((this.#ring.head & (SAMPLE - 1)) !== 0) this.#finished(task, outcome, error)
    else this.#timed(() => this.#finished(task, outcome, error))
  }

  #finished(task: Task<unknown>, outcome: Outcome, error: unknown): void {
    const t = this.#time()
    const ring = this.#ring
    const text = outcome === 'raised' ? describe(error) : ''
    const began = this.#pending && this.#current === task.id
    const { since } = this.#edges
    if (!this.#plain && this.#runs.delete(task.id)) this.#plain = this.#outer.length === 0 && this.#runs.size === 0
    if (began) this.#pending = false
    if (this.#current === task.id) this.#endStep()
    if (!ring.fits(2 + ring.roomFor(text))) {
      this.#lose(began ? 2 : 1)
      return
    }
    const reference = text === '' ? 0 : ring.put(text)
    const at = ring.next()
    ring.words[at] = KIND.finished | (began ? FLAG.began : 0)
    ring.words[at + 1] = task.id
    ring.numbers[(at >> 1) + 1] = t
    ring.words[at + 4] = OUTCOME[outcome]
    ring.words[at + 5] = reference
    if (began) ring.numbers[(at >> 1) + 3] = since
  }

  taskCancelling(task: Task<unknown>, by: Task<unknown> | null, message: string | undefined): void {
    const t = this.#time()
    const text = message ?? ''
    if (!this.#room(2, text)) return
    const reference = text === '' ? 0 : this.#ring.keep(text)
    const at = this.#put(KIND.cancelling, task.id, t)
    this.#ring.words[at + 4] = by?.id ?? 0
    this.#ring.words[at + 5] = reference
  }

  callbackRunning(callback: object): void {
    const t = this.#time()
    if (this.#current !== 0) return
    this.#edges.callback(this.#nameOf(callback), t)
  }

  callbackFinished(callback: object): void {
    const t = this.#time()
    if (this.#current !== 0) return
    const { since } = this.#edges
    this.#edges.free()
    if (t - since >= HELD_SECONDS) this.#held(this.#nameOf(callback), 0, since, t)
  }

  printed(task: Task<unknown> | null, text: string): void {
    const t = this.#time()
    if (!this.#room(2, text)) return
    const reference = text === '' ? 0 : this.#ring.put(text)
    const at = this.#put(KIND.printed, task?.id ?? 0, t)
    this.#ring.words[at + 4] = reference
  }

  queueChanged(queue: QueueState, op: 'put' | 'get' | 'done', by: Task<unknown> | null): void {
    const t = this.#time()
    const ring = this.#ring
    if (!this.#room(2)) return
    const at = this.#put(KIND.queue | (OP[op] << SMALL), by?.id ?? 0, t)
    ring.words[at + 4] = queue.id
    ring.words[at + 5] = queue.qsize()
    ring.words[at + 6] = queue.unfinished
    ring.words[at + 7] = queue.maxsize
  }

  threadStarted(call: ThreadCall): void {
    const t = this.#time()
    if (!this.#room(2, call.function)) return
    const name = this.#ring.keep(call.function)
    const at = this.#put(KIND.threadStarted | (MODE[call.mode] << SMALL), call.task?.id ?? 0, t)
    this.#ring.words[at + 4] = call.id
    this.#ring.words[at + 5] = name
  }

  threadFinished(call: ThreadCall): void {
    const t = this.#time()
    if (!this.#room(2, call.function)) return
    const name = this.#ring.keep(call.function)
    const ending = call.ending === null ? OUTCOME.returned : OUTCOME[call.ending]
    const at = this.#put(KIND.threadFinished | (MODE[call.mode] << SMALL) | (ending << (SMALL + 4)), call.task?.id ?? 0, t)
    this.#ring.words[at + 4] = call.id
    this.#ring.words[at + 5] = name
    this.#ring.numbers[(at >> 1) + 3] = call.startedAt === null || call.finishedAt === null ? NaN : call.finishedAt - call.startedAt
  }

  /** A request was read. `waited`: for how many seconds it may have stood in line behind a stall. */
  requestStarted(request: number, method: string, url: string, waited: number): void {
    const t = this.#time()
    this.#liveRequests.set(request, { method, url, task: 0 })
    if (this.#room(4 + this.#ring.roomFor(method), url)) writeRequest(this.#ring, request, method, url, t, waited)
  }

  requestFinished(request: number, method: string, url: string, end: RequestEnd): void {
    const t = this.#time()
    this.#liveRequests.delete(request)
    const ring = this.#ring
    if (!this.#room(4 + ring.roomFor(method), url)) return
    const at = this.#put(KIND.requestFinished | (end.status << SMALL), end.task?.id ?? 0, t)
    ring.words[at + 4] = request
    ring.words[at + 5] = OUTCOME[end.outcome]
    ring.numbers[(at >> 1) + 3] = end.seconds
  }

  /** The handler of a request begins: plain code that may hold the thread. */
  handlerRunning(request: number): void {
    const t = this.#time()
    if (this.#current === 0) this.#edges.request(request, t)
  }

  handlerFinished(request: number): void {
    const t = this.#time()
    if (this.#current !== 0) return
    const { since } = this.#edges
    this.#edges.free()
    if (t - since >= HELD_SECONDS) this.#held(0, request, since, t)
  }

  runStarted(start: RunStart): void {
    const t = this.#time()
    this.#liveRuns.set(start.run, start)
    const parameters = JSON.stringify(start.parameters)
    if (!this.#room(2, parameters)) return
    writeRun(this.#ring, start, parameters, t)
  }

  runFinished(run: number, outcome: Outcome, error: string | null, request?: number): void {
    const t = this.#time()
    this.#liveRuns.delete(run)
    const text = error ?? ''
    if (!this.#room(2, text)) return
    const reference = text === '' ? 0 : this.#ring.put(text)
    const at = this.#put(KIND.runFinished | (OUTCOME[outcome] << SMALL), running.task?.id ?? 0, t)
    this.#ring.words[at + 4] = run
    this.#ring.words[at + 5] = reference
    this.#ring.words[at + 6] = request ?? 0
  }

  /** Record something that the loop has no hook for. It belongs to the task that runs. */
  record(event: Bare): void {
    const t = this.#time()
    const text = JSON.stringify(event)
    if (text.length > LONGEST_TEXT / 3) throw new RangeError(`record: an event may have ${LONGEST_TEXT / 3} characters, this ${event.type} has ${text.length}`)
    if (!this.#room(2, text)) return
    const reference = this.#ring.put(text)
    const at = this.#put(KIND.other, running.task?.id ?? 0, t)
    this.#ring.words[at + 4] = reference
  }

  /** The loop's exception handler was told of a coroutine that nobody awaited, or a failure that nobody retrieved. */
  reported(kind: (typeof REPORTS)[number], message: string, task: number): void {
    const t = this.#time()
    if (!this.#room(2, message)) return
    const reference = this.#ring.put(message)
    const at = this.#put(KIND.reported | (REPORT[kind] << SMALL), task, t)
    this.#ring.words[at + 4] = reference
  }

  /** Code that is not known held the thread between two answers of it. */
  heldUnknown(from: number, to: number): void {
    this.#edges.read()
    this.#held(0, 0, from, to)
    this.flush()
  }

  /** What came in while the thread was held has been read by now. */
  settled(): void {
    const t = this.#edges.read()
    if (this.#ring.fits(1)) this.#put(KIND.settled, 0, t)
    this.flush()
  }

  #time(): number {
    if (this.#flushDue) return this.#edges.time()
    // The first record since the thread came back to the host: time has passed, and at the end somebody must publish.
    this.#flushDue = true
    queueMicrotask(this.#onTurnOver)
    return this.#edges.read()
  }

  readonly #onTurnOver = (): void => {
    if (this.#flushDue) this.flush()
  }

  /** Write that the step has begun, if no record has yet. */
  #begin(): void {
    if (!this.#pending) return
    this.#pending = false
    const ring = this.#ring
    const at = ring.next()
    ring.words[at] = KIND.running
    ring.words[at + 1] = this.#current
    ring.numbers[(at >> 1) + 1] = this.#edges.since
    if (((ring.head - this.#published) | 0) >= PUBLISH_EVERY) this.#publish()
  }

  #publish(): void {
    // What is published belongs to the reader, who may also look at what is not while this thread stands still: but then he
    // has counted up his tick before.
    this.#roundsLeft = 0
    this.#published = this.#ring.head
    this.#ring.publish()
  }

  /** A task was started inside a step, eagerly. */
  #nest(): void {
    if (this.#ring.fits(1)) this.#begin()
    this.#outer.push({ task: this.#current, since: this.#edges.since })
    this.#plain = false
    this.#roundsLeft = 0
  }

  #endStep(): void {
    if (this.#outer.length === 0) {
      this.#current = 0
      this.#edges.free()
    } else {
      const { task, since } = this.#outer.pop() as { task: number; since: number }
      this.#current = task
      this.#edges.task(task, since)
      this.#plain = this.#outer.length === 0 && this.#runs.size === 0
    }
    if (((this.#ring.head - this.#published) | 0) >= PUBLISH_EVERY) this.#publish()
  }

  /** Whether `count` records fit, and a text if there is one; else one event is lost. If so, what is pending is written. */
  #room(count: number, text?: string): boolean {
    if (!this.#ring.fits(text === undefined ? count : count + this.#ring.roomFor(text))) {
      this.#lose(1)
      return false
    }
    this.#begin()
    return true
  }

  #put(word: number, task: number, t: number): number {
    const ring = this.#ring
    const at = ring.next()
    ring.words[at] = word
    ring.words[at + 1] = task
    ring.numbers[(at >> 1) + 1] = t
    return at
  }

  /** `sleep(0)` where it takes more than an id: a record is begun, the clock has to be read, or the place of the task goes with it. */
  #yielded(task: Task<unknown>): void {
    const edges = this.#edges
    const ring = this.#ring
    if (!this.#plain || !this.#pending || !ring.fits(1)) {
      this.taskSuspended(task, YIELD)
    } else if ((ring.head & (SAMPLE - 1)) === 0) {
      this.#timed(() => this.#round(task))
    } else if (edges.left <= 1 || !edges.sameTick()) {
      this.#round(task)
    } else {
      edges.left--
      edges.release()
      this.#pending = false
      this.#current = 0
      this.#roundsAt = this.#put(KIND.rounds | (1 << SMALL), task.id, edges.now)
      this.#roundsLeft = ROUNDS - 1
      this.#roundsHead = ring.head
    }
  }

  /** A whole step that ended in `sleep(0)`, with its times. */
  #round(task: Task<unknown>): void {
    const t = this.#time()
    const { since } = this.#edges
    this.#pending = false
    this.#endStep()
    const at = this.#put(KIND.ran, task.id, since)
    this.#ring.numbers[(at >> 1) + 3] = t
  }

  #suspended(task: Task<unknown>, on: Wait): void {
    const t = this.#time()
    const ring = this.#ring
    const place = this.#plain ? null : takePlace(task)
    const label = on.label ?? ''
    const placed = place === null ? 0 : 1 + ring.roomFor(place.file) + ring.roomFor(place.function)
    const fits = ring.fits(3 + ring.roomFor(label) + placed)
    if (fits) this.#begin()
    const unsaid = this.#pending
    this.#pending = false
    if (this.#current === task.id) this.#endStep()
    if (!fits) {
      // A task that yields is ready at once: the reader would have told of both.
      this.#lose((unsaid ? 2 : 1) + (on.kind === 'yield' ? 1 : 0))
      return
    }
    if (place !== null) writePlace(ring, place)
    writeSuspended(ring, task.id, on, label, t)
  }

  #held(name: number, request: number, from: number, to: number): void {
    if (!this.#ring.fits(1)) {
      this.#lose(0)
      return
    }
    const at = this.#put(KIND.held, 0, from)
    this.#ring.words[at + 4] = name
    this.#ring.words[at + 5] = request
    this.#ring.numbers[(at >> 1) + 3] = to
  }

  #loopEvent(kind: number): void {
    const t = this.#time()
    if (!this.#room(2, this.#name)) return
    const name = this.#ring.keep(this.#name)
    const at = this.#put(kind, 0, t)
    this.#ring.words[at + 4] = name
    this.#ring.words[at + 5] = this.#pid
    this.#ring.words[at + 6] = this.loop.host.virtual ? 1 : 0
  }

  #nameOf(callback: object): number {
    const key = (callback as { fn?: object | null }).fn ?? (callback.constructor as object | undefined) ?? callback
    let name = this.#callbackNames.get(key)
    if (name === undefined) {
      const text = `callback ${(key as { name?: string }).name ?? ''}`.trim()
      if (!this.#ring.fits(1 + this.#ring.roomFor(text))) return 0
      name = Math.max(0, this.#ring.keep(text))
      this.#callbackNames.set(key, name)
    }
    return name
  }

  /** Events did not fit. Once there is room again, say how many, and describe what is alive now. */
  #lose(events: number): void {
    this.#roundsLeft = 0
    this.#lost += this.#pending ? events + 1 : events
    this.#pending = false
    if (this.#attempts++ % RECOVER_EVERY === 0) this.recover()
  }

  /** Go on writing if there is room again. */
  recover(): void {
    if (!this.#ring.losing || !this.#ring.recover()) return
    const at = this.#put(KIND.lost, 0, this.#edges.read())
    this.#ring.words[at + 4] = this.#lost
    this.#lost = 0
    this.#describe()
    this.flush()
  }

  /** Describe every live task, request and run, as of now. */
  #describe(): void {
    const t = this.#edges.read()
    this.#sendDescription(describeLive(this.#ring.kept, t, {
      runs: this.#liveRuns.values(), requests: this.#liveRequests, tasks: this.loop.liveTasks(), runOf: (task) => this.#runs.get(task.id),
    }))
    if (this.#ring.fits(1)) this.#put(KIND.described, 0, t)
  }

  /** Time one step's end in many, to know what recording costs. */
  #timed(record: () => void): void {
    const began = performance.now()
    record()
    const took = Math.max(0, performance.now() - began - this.#clockCost)
    this.#numbers[NUMBER.cost] = (this.#numbers[NUMBER.cost] as number) + (took * HOOKS_A_STEP * SAMPLE) / 1000
  }
}
