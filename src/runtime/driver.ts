// Drives a loop on its host: a turn, then a pause for the host or a sleep until the next timer.
import { RuntimeError } from './exceptions.ts'
import { running } from './running.ts'
import { turn, type TurningLoop } from './turn.ts'

/** A turn yields to the host after this many seconds of real time, also under a virtual clock. */
const TURN_SECONDS = 0.002
/** The most turns in a row without any work of the host between them. */
const TURNS_WITHOUT_HOST = 100
/** Jumps of a virtual clock per reading of the real one: a reading can cost as much as a jump. */
const JUMPS_PER_CLOCK = 16

export interface DrivenLoop extends TurningLoop {
  /** The number of promises, threads and events that tasks wait for. */
  readonly hostWork: number
  /** The message of a deadlock: what every task waits for. */
  deadlock(): string
}

interface Run {
  resolve(): void
  reject(error: unknown): void
}

export class Driver {
  /** Whether the loop sleeps. Code that makes something ready must then call `wake`. */
  asleep = false
  readonly #loop: DrivenLoop
  #run: Run | null = null
  /** Whether a turn is requested from the host and has not begun. */
  #due = false
  #turnsWithoutHost = 0
  /** When to yield to the host, on its `elapsed()` clock. */
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

  /** Run turns until the loop is stopped. */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#run = { resolve, reject }
      this.#until = this.#loop.host.elapsed() + TURN_SECONDS
      running.driven++
      this.#soon()
    })
  }

  /** Something became ready while the loop slept: run a turn as soon as the host's current callback is over. */
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
      // The host runs while a loop on the real clock sleeps, but not between two jumps of a virtual clock.
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
    // No timer: code that makes something ready wakes the loop.
    if (seconds === Infinity && !host.virtual) return
    const wakeAt = host.now() + seconds
    // Keep a host timer that is due no later: most sleeps end early anyway.
    if (this.#cancelWait !== null) {
      if (!host.virtual && this.#wakeAt <= wakeAt) return
      this.#cancelWait()
    }
    this.#wakeAt = wakeAt
    this.#cancelWait = host.wait(seconds, hostWork, this.#onWait)
  }

  /** Host code may still have a future of this loop: it gets one chance to set it before a deadlock is reported. */
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
