// Keeps account of where a request's time goes, and of what blocked the loop meanwhile: `Server-Timing` says it. The task of a
// request reads the clock at the edges of its own steps; what blocks the loop is noted by the probe that records it, or, where
// nothing is recorded, by an instrument.
import type { Coroutine } from '../runtime/coroutine.ts'
import type { EventLoop } from '../runtime/loop.ts'
import type { Instrument, Wait } from '../runtime/instruments.ts'
import { NO_TIME } from '../http/arrival.ts'
import { IDLE_MS, idleTime } from '../probe/idle-time.ts'
import { describe } from '../runtime/describe.ts'
import { running } from '../runtime/running.ts'
import { Task, type TaskOptions } from '../runtime/task.ts'

/** A step or callback that takes this many seconds is worth remembering: others waited for it. */
const BLOCK_SECONDS = 0.005
/** Nothing is said of a wait for the loop that is shorter. */
const READY_SECONDS = 0.001
const MOST_BLOCKS = 256

/** What blocked the loop, and when. */
interface Block {
  from: number
  to: number
  name: string
}

/** What has blocked the loop since its host was idle last: for the requests that were ready meanwhile. */
export class BlockLog {
  /** Seconds in which steps and callbacks blocked the loop for 5 ms or more each, and how often: for metrics. */
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

  /** The first of the present busy stretch: the host has not been idle since. */
  first(): Block | null {
    if (this.#blocks.length === 0) return null
    if (idleTime() - this.#idleThen > IDLE_MS) this.#blocks = []
    return this.#blocks[0] ?? null
  }

  /** What blocked the loop longest between two times; '' where nothing did. */
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

/** Where the time of one request went, in seconds. */
export class Timing {
  run = 0
  ready = 0
  wait = 0
  thread = 0
  /** What blocked the loop while this one was ready. */
  culprit = ''
  /** The ready time is a bound: when the request reached the machine is not known. */
  atMost = false
  /** Up to when it is accounted for. */
  since: number
  readonly #blocks: BlockLog
  #wait: Wait | null = null
  #readySince: number
  /** Its step runs, and has been ready before for so many seconds. */
  #running = false
  #readyFor = 0

  /**
   * Begin the account of a request that is read now. `leftAgo`: how many seconds ago its client says it left; `within`: how many
   * seconds ago it may have arrived at most.
   */
  constructor(blocks: BlockLog, now: number, leftAgo: number | null, within: number) {
    this.since = this.#readySince = now
    this.#blocks = blocks
    const first = blocks.first()
    if (first === null) return
    // It may have come at any time while the loop was blocked: the kernel does not say.
    const most = Math.min(now - first.from, within)
    this.ready = leftAgo === null ? most : Math.min(most, leftAgo)
    this.atMost = leftAgo === null
    this.culprit = blocks.longest(first.from, now)
  }

  /** Its task has become ready, `byTimer` or because another task or the host woke it. */
  woken(now: number, byTimer: boolean): void {
    // A timer that fell due while the loop was blocked made the task ready then, not when the loop came round to it.
    const deadline = byTimer ? this.#wait?.deadline : undefined
    this.#readySince = deadline === undefined ? now : Math.min(now, Math.max(deadline, this.since))
  }

  /** A step of its task begins. */
  begin(now: number): void {
    const waited = this.#readySince - this.since
    if (this.#wait?.kind === 'thread') this.thread += waited
    else this.wait += waited
    this.#readyFor = now - this.#readySince
    this.ready += this.#readyFor
    this.since = now
    this.#running = true
    this.#wait = null
  }

  /** The step ends, in a wait or for good, or what it has taken until now is asked for. */
  end(now: number, wait: Wait | null): void {
    if (!this.#running) return
    // Whoever keeps the log may have heard of the end of what blocked the loop only with the beginning of this step.
    if (this.#readyFor >= READY_SECONDS) {
      const culprit = this.#blocks.longest(this.since - this.#readyFor, this.since)
      if (culprit !== '') this.culprit = culprit
    }
    this.#running = false
    this.run += now - this.since
    this.since = now
    this.#wait = wait
    if (wait?.kind === 'yield') this.#readySince = now
  }
}

/** The task of a request: it keeps account of its own time, so that no other task pays for that. */
export class TimedTask extends Task<unknown> {
  readonly timing: Timing

  constructor(coro: Coroutine<unknown>, options: TaskOptions, loop: EventLoop, timing: Timing) {
    super(coro, options, loop)
    this.timing = timing
  }

  override step(): void {
    const { timing, loop } = this
    timing.begin(loop.time())
    super.step()
    timing.end(loop.time(), this.waiter?.describeWait() ?? null)
  }

  override woken(): void {
    // It is ready from the beginning: from when its request was read.
    (this.timing as Timing | undefined)?.woken(this.loop.time(), running.task === null)
  }
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

/** Below half of the header's last digit. */
const NOTHING = 0.00005

/** It as the `Server-Timing` header. */
export function serverTiming(timing: Timing): string {
  const { run, ready, wait, thread } = timing
  if (run < NOTHING && ready < NOTHING && wait < NOTHING && thread < NOTHING) return NO_TIME
  const slow = ready >= READY_SECONDS && timing.culprit !== ''
  const culprit = slow ? `;desc="${timing.atMost ? 'at most, behind ' : ''}${quotable(timing.culprit)}"` : ''
  return `run;dur=${ms(run)}, ready;dur=${ms(ready)}${culprit}, wait;dur=${ms(wait)}, thread;dur=${ms(thread)}`
}

/** Tenths of a millisecond in words, for the short times that nearly all are. */
const SHORT = Array.from({ length: 1000 }, (_, tenths) => String(tenths / 10))

function ms(seconds: number): string {
  const tenths = Math.round(seconds * 1e4)
  return SHORT[tenths] ?? String(tenths / 10)
}

function quotable(name: string): string {
  return name.replace(/[^\x20-\x7e]|["\\]/g, '?')
}

/** How many seconds ago a request left its client, from `X-Request-Start: t=<epoch in s, ms or µs>`; `null` if it says nothing usable. */
export function leftAgo(header: string | string[] | undefined): number | null {
  if (typeof header !== 'string') return null
  const match = /^(?:t=)?(\d{10,16}(?:\.\d{1,9})?)$/.exec(header)
  if (match === null) return null
  let left = Number(match[1])
  while (left > 1e11) left /= 1000
  const seconds = Date.now() / 1000 - left
  // A clock that is ahead of ours, or a time of long ago: better no figure than a wrong one.
  return seconds >= 0 && seconds < 3600 ? seconds : null
}
