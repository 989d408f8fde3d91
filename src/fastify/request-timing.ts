// Measures where a request's time goes, and what blocked the loop meanwhile, for `Server-Timing`. A request's task reads the
// clock at the edges of its own steps. What blocks the loop is noted by the probe or, without recording, by an instrument.
import type { Coroutine } from '../runtime/coroutine.ts'
import type { EventLoop } from '../runtime/loop.ts'
import type { Instrument, Wait } from '../runtime/instruments.ts'
import { NO_TIME } from '../http/arrival.ts'
import { IDLE_MS, idleTime } from '../probe/idle-time.ts'
import { describe } from '../runtime/describe.ts'
import { running } from '../runtime/running.ts'
import { Task, type TaskOptions } from '../runtime/task.ts'

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

/** Where the time of one request went, in seconds. */
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
  readonly #blocks: BlockLog
  #wait: Wait | null = null
  #readySince: number
  /** Its step runs, after it was ready for `#readyFor` seconds. */
  #running = false
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

  /** Its task has become ready: `byTimer`, or because another task or the host woke it. */
  woken(now: number, byTimer: boolean): void {
    // If a timer was due while the loop was blocked, the task was ready then, not only when the loop continued.
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

  /** The step ends, in a wait or for good; or its time so far is needed. */
  end(now: number, wait: Wait | null): void {
    if (!this.#running) return
    // The log may have received the end of the block only at the beginning of this step.
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

/** The task of a request: it measures its own time, so that no other task pays for that. */
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
    // It is ready from the time when its request was read.
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
