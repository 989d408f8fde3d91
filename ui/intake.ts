// Processes items in order, for a few milliseconds at a time, so that the page can draw and answer in between.

/** Milliseconds per slice. */
const STRETCH = 12

export class Intake<T> {
  readonly #take: (item: T) => void
  readonly #rest: () => void
  #waiting: T[] = []
  #head = 0
  #going = false
  #paused = false

  /** `rest` is called after each slice. */
  constructor(take: (item: T) => void, rest: () => void) {
    this.#take = take
    this.#rest = rest
  }

  /** The number of waiting items. */
  get length(): number {
    return this.#waiting.length - this.#head
  }

  push(...items: T[]): void {
    this.#waiting.push(...items)
    this.#start()
  }

  /** Takes nothing more until `resume`: within `take`, from the next item on. */
  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    this.#start()
  }

  /** Drops the waiting items. */
  clear(): void {
    this.#waiting = []
    this.#head = 0
  }

  #start(): void {
    if (this.#going || this.#paused || this.length === 0) return
    this.#going = true
    queueMicrotask(() => this.#go())
  }

  #go(): void {
    const until = performance.now() + STRETCH
    try {
      while (this.length > 0 && !this.#paused && performance.now() < until) this.#take(this.#waiting[this.#head++] as T)
    } finally {
      if (this.length > 0 && !this.#paused) setTimeout(() => this.#go())
      else {
        if (this.length === 0) this.clear()
        this.#going = false
      }
      this.#rest()
    }
  }
}
