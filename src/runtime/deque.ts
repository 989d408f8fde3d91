// A double-ended queue on a ring, as Python's deque: constant time at both ends, linear in the middle.

const SMALLEST = 8

export class Deque<T> implements Iterable<T> {
  #cells: (T | undefined)[] = new Array<T | undefined>(SMALLEST).fill(undefined)
  #mask = SMALLEST - 1
  #head = 0
  #length = 0

  get length(): number {
    return this.#length
  }

  push(item: T): void {
    if (this.#length > this.#mask) this.#grow()
    this.#cells[(this.#head + this.#length) & this.#mask] = item
    this.#length++
  }

  peek(): T | undefined {
    return this.#cells[this.#head]
  }

  /** Remove the first item. */
  shift(): T | undefined {
    if (this.#length === 0) return undefined
    const item = this.#cells[this.#head]
    this.#cells[this.#head] = undefined
    this.#head = (this.#head + 1) & this.#mask
    this.#length--
    return item
  }

  /** Remove the last item. */
  pop(): T | undefined {
    if (this.#length === 0) return undefined
    const last = (this.#head + --this.#length) & this.#mask
    const item = this.#cells[last]
    this.#cells[last] = undefined
    return item
  }

  /** Remove the first occurrence of `item`; returns whether it was found. */
  remove(item: T): boolean {
    for (let index = 0; index < this.#length; index++) {
      if (this.#cells[(this.#head + index) & this.#mask] !== item) continue
      // The usual case: the first item needs no move.
      if (index === 0) this.shift()
      else {
        for (let at = index; at < this.#length - 1; at++) {
          this.#cells[(this.#head + at) & this.#mask] = this.#cells[(this.#head + at + 1) & this.#mask]
        }
        this.pop()
      }
      return true
    }
    return false
  }

  *[Symbol.iterator](): Generator<T, void, undefined> {
    for (let index = 0; index < this.#length; index++) yield this.#cells[(this.#head + index) & this.#mask] as T
  }

  #grow(): void {
    const cells = [...this] as (T | undefined)[]
    const size = cells.length * 2
    cells.length = size
    cells.fill(undefined, this.#length)
    this.#cells = cells
    this.#mask = size - 1
    this.#head = 0
  }
}
