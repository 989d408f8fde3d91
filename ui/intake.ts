// Processes items in order, for a few milliseconds at a time, so that the page can draw and answer in between.

/** Milliseconds per slice. */
const STRETCH = 12

export class Intake<T> {
  readonly #take: (item: T) => void
  readonly #rest: () => void
  #waiting: T[] = []
  #head = 0
  #going = false

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
    if (this.#going || items.length === 0) return
    this.#going = true
    queueMicrotask(() => this.#go())
  }

  /** Drops the waiting items. */
  clear(): void {
    this.#waiting = []
    this.#head = 0
  }

  #go(): void {
    const until = performance.now() + STRETCH
    try {
      while (this.length > 0 && performance.now() < until) this.#take(this.#waiting[this.#head++] as T)
    } finally {
      if (this.length > 0) setTimeout(() => this.#go())
      else {
        this.clear()
        this.#going = false
      }
      this.#rest()
    }
  }
}
