// Keeps account of where a request's time goes, and of who held the loop: an instrument that reads the clock at the
// edges of steps and callbacks, and no more. Its figures are what `Server-Timing` says.
import type { Coroutine } from '../runtime/coroutine.ts'
import type { EventLoop } from '../runtime/loop.ts'
import type { Instrument, Wait } from '../runtime/instruments.ts'
import { IDLE_MS, idleTime } from '../probe/idle-time.ts'
import { describe } from '../runtime/describe.ts'
import { Task, type TaskOptions } from '../runtime/task.ts'

/** A step or callback that takes this many seconds is worth remembering: others waited for it. */
const HOLD_SECONDS = 0.005
/** Nothing is said of a wait for the loop that is shorter. */
const READY_SECONDS = 0.001
const MOST_HOLDS = 256

/** Who held the loop, and when. */
export interface Hold {
  from: number
  to: number
  name: string
}

/** Where the time of one task went, in seconds. */
export class Account {
  run = 0
  ready = 0
  wait = 0
  thread = 0
  /** Who held the loop while this one was ready. */
  culprit = ''
  /** The ready time is a bound: nobody knows when the request reached the machine. */
  atMost = false
  /** Where the account stands: the last edge, and what lies before it. */
  since: number
  waitsFor: Wait | null = null
  wokenAt = 0

  constructor(since: number) {
    this.since = since
  }
}

/** The task of a request: it carries its account, so that finding it costs nothing. */
export class AccountedTask extends Task<unknown> {
  readonly account: Account

  constructor(coro: Coroutine<unknown>, options: TaskOptions, loop: EventLoop, account: Account) {
    super(coro, options, loop)
    this.account = account
    // It is ready from the moment on at which its request was read.
    account.wokenAt = account.since
  }
}

export class Ledger implements Instrument {
  readonly #loop: EventLoop
  /** Holds of the present busy stretch: the host has not been idle since the first of them. */
  #holds: Hold[] = []
  #idleThen = 0
  #stepSince = 0
  #callbackSince = 0
  /** Seconds in which steps and callbacks held the loop for long, and how often: for metrics. */
  heldSeconds = 0
  heldTimes = 0

  constructor(loop: EventLoop) {
    this.#loop = loop
    loop.instruments.add(this)
  }

  /**
   * Begin the account of a request that is being read now. `leftAgo`: how many seconds ago its client says it left; `within`: how
   * many seconds ago it may have arrived at most.
   */
  open(leftAgo: number | null, within: number): Account {
    const now = this.#loop.time()
    const account = new Account(now)
    const hold = this.#holds.length === 0 ? null : this.#stretch()
    if (hold !== null) {
      // It may have come at any time while the loop was held: the kernel does not say.
      const most = Math.min(now - hold.from, within)
      account.ready = leftAgo === null ? most : Math.min(most, leftAgo)
      account.atMost = leftAgo === null
      account.culprit = this.#worst(hold.from, now)
    }
    return account
  }

  taskReady(task: Task<unknown>, by: Task<unknown> | null): void {
    const account = accountOf(task)
    if (account === null) return
    const now = this.#loop.time()
    // A timer that fell due while the loop was held made the task ready then, not when the loop came round to it.
    const deadline = by === null ? account.waitsFor?.deadline : undefined
    account.wokenAt = deadline === undefined ? now : Math.min(now, Math.max(deadline, account.since))
  }

  taskRunning(task: Task<unknown>): void {
    const now = this.#loop.time()
    this.#stepSince = now
    const account = accountOf(task)
    if (account === null) return
    const { waitsFor, wokenAt } = account
    const waited = wokenAt - account.since
    if (waitsFor?.kind === 'thread') account.thread += waited
    else account.wait += waited
    const ready = now - wokenAt
    account.ready += ready
    if (ready >= READY_SECONDS && this.#holds.length > 0) {
      const culprit = this.#worst(wokenAt, now)
      if (culprit !== '') account.culprit = culprit
    }
    account.since = now
    account.waitsFor = null
  }

  taskSuspended(task: Task<unknown>, on: Wait): void {
    const account = this.#endStep(task)
    if (account === null) return
    account.waitsFor = on
    if (on.kind === 'yield') account.wokenAt = account.since
  }

  taskFinished(task: Task<unknown>): void {
    this.#endStep(task)
  }

  callbackRunning(): void {
    this.#callbackSince = this.#loop.time()
  }

  callbackFinished(callback: object): void {
    const now = this.#loop.time()
    if (now - this.#callbackSince >= HOLD_SECONDS) this.#hold(this.#callbackSince, now, describe(callback))
  }

  #endStep(task: Task<unknown>): Account | null {
    const now = this.#loop.time()
    if (now - this.#stepSince >= HOLD_SECONDS) this.#hold(this.#stepSince, now, task.getName())
    const account = accountOf(task)
    if (account === null) return null
    account.run += now - this.#stepSince
    account.since = now
    return account
  }

  #hold(from: number, to: number, name: string): void {
    this.heldSeconds += to - from
    this.heldTimes++
    if (this.#holds.length > 0) this.#stretch()
    if (this.#holds.length < MOST_HOLDS) this.#holds.push({ from, to, name })
    this.#idleThen = idleTime()
  }

  /** The first hold since which the host had no idle moment; forgets all when it had one. */
  #stretch(): Hold | null {
    if (idleTime() - this.#idleThen > IDLE_MS) this.#holds = []
    return this.#holds[0] ?? null
  }

  /** Who held the loop longest between two times. */
  #worst(from: number, to: number): string {
    let most = 0
    let name = ''
    for (const hold of this.#holds) {
      const seconds = Math.min(to, hold.to) - Math.max(from, hold.from)
      if (seconds > most) {
        most = seconds
        name = hold.name
      }
    }
    return name
  }
}

function accountOf(task: Task<unknown>): Account | null {
  return (task as { account?: Account }).account ?? null
}

/** Below half of the header's last digit. */
const NOTHING = 0.00005
export const NO_TIME = 'run;dur=0, ready;dur=0, wait;dur=0, thread;dur=0'

/** An account as the `Server-Timing` header. */
export function serverTiming(account: Account): string {
  const { run, ready, wait, thread } = account
  if (run < NOTHING && ready < NOTHING && wait < NOTHING && thread < NOTHING) return NO_TIME
  const slow = ready >= READY_SECONDS && account.culprit !== ''
  const culprit = slow ? `;desc="${account.atMost ? 'at most, behind ' : ''}${quotable(account.culprit)}"` : ''
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
