// Drives a loop by its host: a turn, then whatever the turn's answer asks for, a pause for the host or a sleep until
// the next timer.
import { RuntimeError } from './exceptions.ts'
import { running } from './running.ts'
import { turn, type TurningLoop } from './turn.ts'

/** After this many seconds of work, which are real also where the loop's clock is virtual, a turn gives way to the host. */
const TURN_SECONDS = 0.002
/** How many turns in a row may start before the host does anything else. */
const TURNS_WITHOUT_HOST = 100
/** How many times a virtual clock jumps between two looks at the real one: reading it takes as long as some jumps do. */
const JUMPS_PER_CLOCK = 16

export interface DrivenLoop extends TurningLoop {
  /** Promises, threads and events that tasks wait for. */
  readonly hostWork: number
  /** What every task waits for, when nothing is left that could wake one. */
  deadlock(): string
}

interface Run {
  resolve(): void
  reject(error: unknown): void
}

export class Driver {
  /** Whether the loop sleeps, so that whoever makes something ready must `wake` it. */
  asleep = false
  readonly #loop: DrivenLoop
  #run: Run | null = null
  /** Whether a turn was asked of the host and has not begun. */
  #due = false
  #turnsWithoutHost = 0
  /** When the time is up, on the host's `elapsed()`. */
  #until = 0
  #jumps = 0
  #wakeAt = Infinity
  #cancelWait: (() => void) | null = null

  constructor(loop: DrivenLoop) {
    this.#loop = loop
  }

  get active(): boolean {
    return this.#run !== null
  }

  /** Turn until the loop is stopped. */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#run = { resolve, reject }
      this.#until = this.#loop.host.elapsed() + TURN_SECONDS
      running.driven++
      this.#soon()
    })
  }

  /** Something became ready while the loop slept: a turn comes as soon as the host's current callback is over. */
  wake(): void {
    if (this.#loop.host.virtual && this.#cancelWait !== null) {
      this.#cancelWait()
      this.#cancelWait = null
    }
    this.#soon()
  }

  #soon(): void {
    this.asleep = false
    this.#due = true
    if (++this.#turnsWithoutHost < TURNS_WITHOUT_HOST) this.#loop.host.soon(this.#drive)
    else this.#giveWay()
  }

  #giveWay(): void {
    this.#due = true
    this.#turnsWithoutHost = 0
    this.#loop.host.giveWay(this.#afterHost)
  }

  readonly #afterHost = (): void => {
    this.#until = this.#loop.host.elapsed() + TURN_SECONDS
    this.#drive()
  }

  readonly #drive = (): void => {
    if (!this.#due) return
    this.#due = false
    const { host } = this.#loop
    let seconds: number
    try {
      // While a loop on the real clock sleeps, the host has its turn. Between two jumps of a virtual clock it has none.
      seconds = turn(this.#loop, host.virtual ? this.#until : host.elapsed() + TURN_SECONDS)
    } catch (error) {
      this.#end()?.reject(error)
      return
    }
    if (this.#loop.stopping) this.#end()?.resolve()
    else if (seconds === 0) this.#giveWay()
    else this.#sleep(seconds)
  }

  #sleep(seconds: number): void {
    const { host, hostWork } = this.#loop
    this.asleep = true
    if (host.virtual && seconds === Infinity && hostWork === 0) {
      this.#expectDeadlock()
      return
    }
    // Nothing to wait for: whoever makes something ready wakes the loop.
    if (seconds === Infinity && !host.virtual) return
    const wakeAt = host.now() + seconds
    // A timer of the host that is due no later than ours will do: most sleeps are cut short by something else.
    if (this.#cancelWait !== null) {
      if (!host.virtual && this.#wakeAt <= wakeAt) return
      this.#cancelWait()
    }
    this.#wakeAt = wakeAt
    this.#cancelWait = host.wait(seconds, hostWork, this.#onWait)
  }

  /** Host code may still hold a future of ours: it gets one chance to set it before this is called a deadlock. */
  #expectDeadlock(): void {
    this.#loop.host.giveWay(() => {
      const { hostWork, timers } = this.#loop
      if (!this.asleep || hostWork > 0 || timers.size > 0) return
      const error = new RuntimeError(this.#loop.deadlock())
      this.#end()?.reject(error)
    })
  }

  readonly #onWait = (): void => {
    this.#cancelWait = null
    if (!this.asleep) return
    this.asleep = false
    this.#due = true
    const { host } = this.#loop
    if (!host.virtual) this.#turnsWithoutHost = 0
    else if (++this.#jumps % JUMPS_PER_CLOCK === 0 && host.elapsed() >= this.#until) {
      this.#giveWay()
      return
    }
    this.#drive()
  }

  #end(): Run | null {
    const run = this.#run
    if (run !== null) running.driven--
    this.#run = null
    this.#due = false
    this.asleep = false
    this.#cancelWait?.()
    this.#cancelWait = null
    return run
  }
}
