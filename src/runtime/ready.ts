// The ready queue: a ring of pairs (what, argument) in one flat array. A task is (task, null), so a wake-up allocates
// nothing; anything else is (runnable, argument) with an argument that is not null.
//
//   head ▼               ▼ tail
//   [ . . task null handle FIRE callback future . . ]

/** An entry of the ready queue other than a task. */
export interface Runnable {
  /** @internal */
  run(argument: object): void
}

const SMALLEST = 64
const LARGE = 2 ** 14

export class ReadyQueue {
  #cells: unknown[] = new Array<unknown>(SMALLEST).fill(undefined)
  #mask = SMALLEST - 1
  #head = 0
  #tail = 0

  get length(): number {
    return ((this.#tail - this.#head) & this.#mask) >> 1
  }

  push(what: object, argument: object | null): void {
    const tail = this.#tail
    this.#cells[tail] = what
    this.#cells[tail + 1] = argument
    this.#tail = (tail + 2) & this.#mask
    if (this.#tail === this.#head) this.#grow()
  }

  /** The first entry; `shift` returns its argument. Only if `length` > 0. */
  peek(): unknown {
    return this.#cells[this.#head]
  }

  /** Remove the first pair and return its argument. Only if `length` > 0. */
  shift(): unknown {
    const head = this.#head
    const argument = this.#cells[head + 1]
    this.#cells[head] = undefined
    this.#cells[head + 1] = undefined
    this.#head = (head + 2) & this.#mask
    return argument
  }

  /** The pairs in order, first to run first. */
  *entries(): Generator<[unknown, unknown]> {
    for (let at = this.#head; at !== this.#tail; at = (at + 2) & this.#mask) {
      yield [this.#cells[at], this.#cells[at + 1]]
    }
  }

  /** Free the memory of a peak. Only if `length` is 0. */
  trim(): void {
    if (this.#mask >= LARGE) this.clear()
  }

  clear(): void {
    this.#cells = new Array<unknown>(SMALLEST).fill(undefined)
    this.#mask = SMALLEST - 1
    this.#head = 0
    this.#tail = 0
  }

  #grow(): void {
    const cells = this.#cells
    const size = cells.length
    // Peaks come suddenly: four times the room needs fewer copies, and `trim` frees it.
    const bigger = new Array<unknown>(size * 4)
    for (let at = 0; at < size; at++) bigger[at] = cells[(this.#head + at) & this.#mask]
    this.#cells = bigger
    this.#mask = size * 4 - 1
    this.#head = 0
    this.#tail = size
  }
}
