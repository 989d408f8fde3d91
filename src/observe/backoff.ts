// The wait before the observer's thread is started again: longer each time, until it has lived for a while.

const FIRST_MS = 100
const MOST_MS = 30_000
/** After a life of this many ms the next wait is the shortest again. */
const SOUND_MS = 30_000

export class Backoff {
  #wait = 0

  /** Milliseconds to wait after a life that served for `served` ms. */
  next(served: number): number {
    this.#wait = this.#wait === 0 || served >= SOUND_MS ? FIRST_MS : Math.min(MOST_MS, this.#wait * 2)
    return this.#wait
  }
}
