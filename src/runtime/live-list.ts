// What is alive, by ids that only rise, such as the tasks of a loop that are not done. It is in blocks by id: adding and
// removing allocate nothing, and no member needs a field for its place. A Map that changes thousands of times a second is
// copied again and again, and the old copies keep what was in them until a full collection.

const BLOCK = 64

class Block<T> {
  readonly members = new Array<T | null>(BLOCK).fill(null)
  alive = 0
}

export class LiveList<T extends { readonly id: number }> {
  readonly #blocks = new Map<number, Block<T>>()
  // The blocks last used: members are added, and mostly removed, in order of their ids.
  #joined: Block<T> | null = null
  #joinedAt = -1
  #left: Block<T> | null = null
  #leftAt = -1

  add(member: T): void {
    const at = Math.floor(member.id / BLOCK)
    if (at !== this.#joinedAt) this.#open(at)
    const block = this.#joined as Block<T>
    if (block.members[member.id % BLOCK] === null) block.alive++
    block.members[member.id % BLOCK] = member
  }

  get(id: number): T | null {
    const at = Math.floor(id / BLOCK)
    const block = at === this.#joinedAt ? this.#joined : at === this.#leftAt ? this.#left : this.#blocks.get(at)
    return block?.members[id % BLOCK] ?? null
  }

  /** Does nothing if there is no such member. */
  remove(id: number): void {
    const at = Math.floor(id / BLOCK)
    if (at !== this.#leftAt) {
      this.#left = this.#blocks.get(at) ?? null
      this.#leftAt = at
    }
    const block = this.#left
    if (block === null || block.members[id % BLOCK] === null) return
    block.members[id % BLOCK] = null
    if (--block.alive === 0 && block !== this.#joined) this.#drop(at)
  }

  /** All members, in the order of the blocks' creation. Take a copy to add or remove meanwhile. */
  *[Symbol.iterator](): Generator<T> {
    for (const { members } of this.#blocks.values()) for (const member of members) if (member !== null) yield member
  }

  clear(): void {
    this.#blocks.clear()
    this.#joined = null
    this.#joinedAt = -1
    this.#left = null
    this.#leftAt = -1
  }

  /** The block at which the next members are added: a new one, unless an older one is still there. */
  #open(at: number): void {
    if (this.#joined?.alive === 0) this.#drop(this.#joinedAt)
    this.#joined = this.#blocks.get(at) ?? new Block<T>()
    this.#joinedAt = at
    this.#blocks.set(at, this.#joined)
    if (this.#leftAt === at) this.#left = this.#joined
  }

  #drop(at: number): void {
    this.#blocks.delete(at)
    this.#left = null
    this.#leftAt = -1
  }
}
