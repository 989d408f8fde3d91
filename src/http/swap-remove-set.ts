// A set whose members change thousands of times a second: unlike a Set, it allocates nothing to add or remove one.

/** A member stores its own index. */
export interface Indexed {
  /** @internal Its index in the set; -1 outside of it. */
  index: number
}

export class SwapRemoveSet<T extends Indexed> implements Iterable<T> {
  readonly #members: T[] = []

  get size(): number {
    return this.#members.length
  }

  add(member: T): void {
    member.index = this.#members.length
    this.#members.push(member)
  }

  /** The last member takes its index, so the order has no meaning. */
  delete(member: T): void {
    const { index } = member
    if (index < 0) return
    const last = this.#members.pop() as T
    if (last !== member) {
      this.#members[index] = last
      last.index = index
    }
    member.index = -1
  }

  [Symbol.iterator](): Iterator<T> {
    return [...this.#members][Symbol.iterator]()
  }
}
