// Measures where a request's time goes, and what blocked the loop meanwhile, for `Server-Timing`. A request's tasks read the
// clock at the edges of their own steps. What blocks the loop is noted by the probe or, without recording, by an instrument.
import type { EventLoop } from '../runtime/loop.ts'
import type { Instrument, Wait } from '../runtime/instruments.ts'
import { NO_TIME } from './arrival.ts'
import { IDLE_MS, idleTime } from '../probe/idle-time.ts'
import { describe } from '../runtime/describe.ts'
import type { Task } from '../runtime/task.ts'

/** A step or callback of this many seconds is remembered as a block. */
const BLOCK_SECONDS = 0.005
/** A shorter wait for the loop is not explained. */
const READY_SECONDS = 0.001
const MOST_BLOCKS = 256

/** What blocked the loop, and when. */
interface Block {
  from: number
  to: number
  name: string
}

/** What has blocked the loop since its host was last idle, for the requests that were ready meanwhile. */
export class BlockLog {
  /** Seconds in which steps and callbacks blocked the loop for 5 ms or more each, and their number: for metrics. */
  seconds = 0
  count = 0
  #blocks: Block[] = []
  #idleThen = 0

  /** Something blocked the loop. Times are seconds on the loop's clock. */
  note(from: number, to: number, name: string): void {
    this.seconds += to - from
    this.count++
    if (this.#blocks.length > 0) this.first()
    if (this.#blocks.length < MOST_BLOCKS) this.#blocks.push({ from, to, name })
    this.#idleThen = idleTime()
  }

  /** The first block since the host was last idle. */
  first(): Block | null {
    if (this.#blocks.length === 0) return null
    if (idleTime() - this.#idleThen > IDLE_MS) this.#blocks = []
    return this.#blocks[0] ?? null
  }

  /** What blocked the loop longest between two times; '' if nothing did. */
  longest(from: number, to: number): string {
    let most = 0
    let name = ''
    for (const block of this.#blocks) {
      const seconds = Math.min(to, block.to) - Math.max(from, block.from)
      if (seconds > most) {
        most = seconds
        name = block.name
      }
    }
    return name
  }
}

const RUNNING = 1
const READY = 2
const WAITING = 3

/** What a request's timing knows of one of its tasks. */
interface Member {
  /** 0: in none of them, as before the first and after the last. */
  state: 0 | typeof RUNNING | typeof READY | typeof WAITING
  /** It waits for a worker thread. */
  thread: boolean
  /** When a timer ends its wait; Infinity without one. */
  deadline: number
}

/**
 * Where the time of one request went, in seconds. Its tasks are the one that serves it and those that its tasks create. Each
 * moment counts once: as `run` while one of them runs, else as `ready` while one is ready, else as `thread` while one waits
 * for a worker thread, else as `wait`.
 */
export class Timing {
  run = 0
  ready = 0
  wait = 0
  thread = 0
  /** What blocked the loop while this request was ready. */
  culprit = ''
  /** The ready time is an upper bound: when the request reached the machine is not known. */
  atMost = false
  /** The time up to which it is measured. */
  since: number
  /** It has been answered: what its tasks do from now on does not count. */
  over = false
  readonly #blocks: BlockLog
  /** How many of its tasks run (eager ones within others), are ready, and wait for a thread. */
  #running = 0
  #ready = 0
  #threads = 0
  /** Its tasks whose wait a timer ends; `null` before the first: most requests have none. */
  #timed: Set<Member> | null = null
  /** Since when it has been ready and not running; NaN while it is neither. */
  #readySince: number
  /** When it last began to run, and for how long it was ready before. */
  #runSince = 0
  #readyFor = 0

  /**
   * Begins with a request that is read now. `leftAgo`: how many seconds ago it left its client, as the client says;
   * `within`: at most how many seconds ago it can have arrived.
   */
  constructor(blocks: BlockLog, now: number, leftAgo: number | null, within: number) {
    this.since = this.#readySince = now
    this.#blocks = blocks
    const first = blocks.first()
    if (first === null) return
    // It may have arrived at any time while the loop was blocked: the kernel does not report it.
    const most = Math.min(now - first.from, within)
    this.ready = leftAgo === null ? most : Math.min(most, leftAgo)
    this.atMost = leftAgo === null
    this.culprit = blocks.longest(first.from, now)
  }

  /** Brings the figures up to now. */
  measure(now: number): void {
    if (this.over) return
    const seconds = now - this.since
    if (this.#running > 0) {
      this.run += seconds
      this.#explain()
    } else if (this.#ready > 0) this.ready += seconds
    else {
      // If a timer was due while the loop was blocked, the request was ready then, not only when the loop continued.
      const late = Math.max(0, Math.min(seconds, now - this.#soonest()))
      if (late > 0) this.#readySince = now - late
      this.ready += late
      if (this.#threads > 0) this.thread += seconds - late
      else this.wait += seconds - late
    }
    this.since = now
  }

  /** A task of it becomes ready. */
  woken(member: Member, now: number): void {
    if (this.over || member.state === RUNNING || member.state === READY) return
    this.measure(now)
    this.#leave(member)
    this.#makeReady(member)
  }

  /** A step of one of its tasks begins. */
  begin(member: Member, now: number): void {
    if (this.over) return
    this.measure(now)
    this.#leave(member)
    member.state = RUNNING
    if (this.#running++ > 0) return
    this.#readyFor = now - this.#readySince
    this.#runSince = now
    this.#readySince = NaN
  }

  /** The step ends, in a wait or for good. */
  end(member: Member, now: number, wait: Wait | null): void {
    if (this.over || member.state !== RUNNING) return
    this.measure(now)
    this.#leave(member)
    if (this.#running === 0 && this.#ready > 0) this.#readySince = now
    if (wait === null) return
    if (wait.kind === 'yield') {
      this.#makeReady(member)
      return
    }
    member.state = WAITING
    member.thread = wait.kind === 'thread'
    if (member.thread) this.#threads++
    if (wait.deadline === undefined) return
    member.deadline = wait.deadline
    this.#timed ??= new Set()
    this.#timed.add(member)
  }

  /** Another request counts this task from now on. */
  drop(member: Member, now: number): void {
    if (this.over) return
    this.measure(now)
    this.#leave(member)
  }

  #makeReady(member: Member): void {
    member.state = READY
    if (this.#ready++ === 0 && this.#running === 0 && Number.isNaN(this.#readySince)) this.#readySince = this.since
  }

  #leave(member: Member): void {
    const { state } = member
    member.state = 0
    if (state === RUNNING) this.#running--
    else if (state === READY) this.#ready--
    else if (state === WAITING) {
      if (member.thread) this.#threads--
      if (member.deadline === Infinity) return
      member.deadline = Infinity
      this.#timed?.delete(member)
    }
  }

  #soonest(): number {
    let soonest = Infinity
    if (this.#timed === null) return soonest
    for (const { deadline } of this.#timed) if (deadline < soonest) soonest = deadline
    return soonest
  }

  #explain(): void {
    if (!(this.#readyFor >= READY_SECONDS)) return
    // The log may have received the end of the block only at the beginning of this step.
    const culprit = this.#blocks.longest(this.#runSince - this.#readyFor, this.#runSince)
    if (culprit !== '') this.culprit = culprit
  }
}

/** A task of a request. Its own methods replace those of its class, so no other task pays for the measuring. */
interface Followed extends Task<unknown> {
  timing?: Timing
  member: Member
}

/** Lets `timing` measure a task that has not begun, and all that it creates. `now` is the time of its creation on its loop's clock. */
export function follow(given: Task<unknown>, timing: Timing, now = given.loop.time()): void {
  const task = given as Followed
  // It may have been created by a task of another request, as `inject` does.
  task.timing?.drop(task.member, now)
  task.timing = timing
  task.member = { state: 0, thread: false, deadline: Infinity }
  task.step = step
  task.startEagerly = startEagerly
  task.woken = woken
  task.created = created
  timing.woken(task.member, now)
}

function step(this: Followed): void {
  measured(this, 'step')
}

function startEagerly(this: Followed): void {
  measured(this, 'startEagerly')
}

function measured(task: Followed, method: 'step' | 'startEagerly'): void {
  const { timing, member, loop } = task
  const own = Object.getPrototypeOf(task) as Task<unknown>
  timing?.begin(member, loop.time())
  own[method].call(task)
  if (timing?.over === false) timing.end(member, loop.time(), task.waiter?.describeWait() ?? null)
}

function woken(this: Followed): void {
  this.timing?.woken(this.member, this.loop.time())
}

function created(this: Followed, child: Task<unknown>): void {
  if (this.timing?.over === false && child.loop === this.loop) follow(child, this.timing)
}

/** Notes each step and callback that blocks the loop, where no observer's probe does. */
export class BlockWatch implements Instrument {
  readonly #loop: EventLoop
  readonly #log: BlockLog
  #since = 0

  constructor(loop: EventLoop, log: BlockLog) {
    this.#loop = loop
    this.#log = log
    loop.instruments.add(this)
  }

  taskRunning(): void {
    this.#since = this.#loop.time()
  }

  taskSuspended(task: Task<unknown>): void {
    this.#note(() => task.getName())
  }

  taskFinished(task: Task<unknown>): void {
    this.#note(() => task.getName())
  }

  callbackRunning(): void {
    this.#since = this.#loop.time()
  }

  callbackFinished(callback: object): void {
    this.#note(() => describe(callback))
  }

  #note(name: () => string): void {
    const now = this.#loop.time()
    if (now - this.#since >= BLOCK_SECONDS) this.#log.note(this.#since, now, name())
  }
}

/** Half of the header's last digit. */
const NOTHING = 0.00005

/** The value of the `Server-Timing` header. */
export function serverTiming(timing: Timing): string {
  const { run, ready, wait, thread } = timing
  if (run < NOTHING && ready < NOTHING && wait < NOTHING && thread < NOTHING) return NO_TIME
  const slow = ready >= READY_SECONDS && timing.culprit !== ''
  const culprit = slow ? `;desc="${timing.atMost ? 'at most, behind ' : ''}${quotable(timing.culprit)}"` : ''
  return `run;dur=${ms(run)}, ready;dur=${ms(ready)}${culprit}, wait;dur=${ms(wait)}, thread;dur=${ms(thread)}`
}

/** Tenths of a millisecond as text, for the short times that nearly all are. */
const SHORT = Array.from({ length: 1000 }, (_, tenths) => String(tenths / 10))

function ms(seconds: number): string {
  const tenths = Math.round(seconds * 1e4)
  return SHORT[tenths] ?? String(tenths / 10)
}

function quotable(name: string): string {
  return name.replace(/[^\x20-\x7e]|["\\]/g, '?')
}

/** How many seconds ago a request left its client, from `X-Request-Start: t=<epoch in s, ms or µs>`; `null` if it is not usable. */
export function leftAgo(header: string | string[] | undefined): number | null {
  if (typeof header !== 'string') return null
  const match = /^(?:t=)?(\d{10,16}(?:\.\d{1,9})?)$/.exec(header)
  if (match === null) return null
  let left = Number(match[1])
  while (left > 1e11) left /= 1000
  const seconds = Date.now() / 1000 - left
  // The client's clock is ahead of ours, or the time is long past: no figure is better than a wrong one.
  return seconds >= 0 && seconds < 3600 ? seconds : null
}
