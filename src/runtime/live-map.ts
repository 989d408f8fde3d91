// A Map of what is alive, by ids that mostly rise, such as the tasks of a loop that are not done. It is in blocks by id: adding
// and removing allocate nothing. A Map that changes thousands of times a second is copied again and again, and the old copies
// keep what was in them until a full collection.

const BLOCK = 64

class Block<T> {
  readonly members = new Array<T | undefined>(BLOCK).fill(undefined)
  alive = 0
}

/** What of a Map is needed, with a Map's meaning. The order is that of the blocks' creation, and within a block that of the ids. */
export class LiveMap<T extends object> {
  size = 0
  readonly #blocks = new Map<number, Block<T>>()
  // The blocks last used: members are added, and mostly removed, in order of their ids.
  #joined: Block<T> | null = null
  #joinedAt = -1
  #left: Block<T> | null = null
  #leftAt = -1

  set(id: number, member: T): void {
    const at = Math.floor(id / BLOCK)
    if (at !== this.#joinedAt) this.#open(at)
    const block = this.#joined as Block<T>
    if (block.members[id % BLOCK] === undefined) {
      block.alive++
      this.size++
    }
    block.members[id % BLOCK] = member
  }

  get(id: number): T | undefined {
    const at = Math.floor(id / BLOCK)
    const block = at === this.#joinedAt ? this.#joined : at === this.#leftAt ? this.#left : this.#blocks.get(at)
    return block?.members[id % BLOCK]
  }

  has(id: number): boolean {
    return this.get(id) !== undefined
  }

  /** Returns whether there was such a member. */
  delete(id: number): boolean {
    const at = Math.floor(id / BLOCK)
    if (at !== this.#leftAt) {
      this.#left = this.#blocks.get(at) ?? null
      this.#leftAt = at
    }
    const block = this.#left
    if (block?.members[id % BLOCK] === undefined) return false
    block.members[id % BLOCK] = undefined
    this.size--
    if (--block.alive === 0 && block !== this.#joined) this.#drop(at)
    return true
  }

  /** Take a copy to add or remove meanwhile. */
  *[Symbol.iterator](): Generator<[number, T]> {
    for (const [at, { members }] of this.#blocks) {
      for (const [index, member] of members.entries()) if (member !== undefined) yield [at * BLOCK + index, member]
    }
  }

  /** The same. */
  *keys(): Generator<number> {
    for (const [id] of this) yield id
  }

  /** The same. */
  *values(): Generator<T> {
    for (const { members } of this.#blocks.values()) for (const member of members) if (member !== undefined) yield member
  }

  clear(): void {
    this.size = 0
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
