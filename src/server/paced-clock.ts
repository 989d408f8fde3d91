// A virtual clock that can be paused: meanwhile nothing runs on its loop, even if tasks are ready.
import { VirtualClock } from '../hosts/virtual.ts'

export class PacedClock extends VirtualClock {
  #paused = false
  /** What became due meanwhile. A loop asks for one turn at a time, so these are few. */
  #due: (() => void)[] = []

  /** Nothing runs after the current turn. */
  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    const due = this.#due
    this.#due = []
    for (const fn of due) this.soon(fn)
  }

  override soon(fn: () => void): void {
    super.soon(() => this.#pass(fn))
  }

  override giveWay(fn: () => void): void {
    super.giveWay(() => this.#pass(fn))
  }

  override wait(seconds: number, hostWork: number, fn: () => void): () => void {
    let cancelled = false
    const cancel = super.wait(seconds, hostWork, () => this.#pass(() => {
      if (!cancelled) fn()
    }))
    return () => {
      cancelled = true
      cancel()
    }
  }

  #pass(fn: () => void): void {
    if (this.#paused) this.#due.push(fn)
    else fn()
  }
}
