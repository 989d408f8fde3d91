// A set of things that come and go by the thousand a second: adding and removing allocate nothing, which a Set cannot say.

/** A member knows its own place. */
export interface Member {
  /** @internal Where it stands in its crowd; -1 outside of it. */
  place: number
}

export class Crowd<T extends Member> implements Iterable<T> {
  readonly #members: T[] = []

  get size(): number {
    return this.#members.length
  }

  add(member: T): void {
    member.place = this.#members.length
    this.#members.push(member)
  }

  /** The last one takes its place: the order means nothing. */
  delete(member: T): void {
    const { place } = member
    if (place < 0) return
    const last = this.#members.pop() as T
    if (last !== member) {
      this.#members[place] = last
      last.place = place
    }
    member.place = -1
  }

  [Symbol.iterator](): Iterator<T> {
    return [...this.#members][Symbol.iterator]()
  }
}
