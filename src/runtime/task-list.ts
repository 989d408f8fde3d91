// The tasks of a loop that are not done, in order of creation. Ids only rise, so the tasks are in blocks by id: adding and
// removing allocate nothing, and a task needs no field for its place. The list keeps a pending task alive.

const BLOCK = 64

class Block<T> {
  readonly tasks = new Array<T | null>(BLOCK).fill(null)
  alive = 0
}

export class TaskList<T extends { readonly id: number }> {
  readonly #blocks = new Map<number, Block<T>>()
  // The blocks last used: tasks are added, and mostly removed, in order of their ids.
  #joined: Block<T> | null = null
  #joinedAt = -1
  #left: Block<T> | null = null
  #leftAt = -1

  add(task: T): void {
    const at = Math.floor(task.id / BLOCK)
    if (at !== this.#joinedAt) this.#open(at)
    const block = this.#joined as Block<T>
    block.tasks[task.id % BLOCK] = task
    block.alive++
  }

  /** Does nothing for a task that is not in the list. */
  remove(task: T): void {
    const at = Math.floor(task.id / BLOCK)
    if (at !== this.#leftAt) {
      this.#left = this.#blocks.get(at) ?? null
      this.#leftAt = at
    }
    const block = this.#left
    if (block === null || block.tasks[task.id % BLOCK] !== task) return
    block.tasks[task.id % BLOCK] = null
    if (--block.alive === 0 && block !== this.#joined) this.#drop(at)
  }

  /** A copy, safe to iterate while tasks are added and removed. */
  toSet(): Set<T> {
    const alive = new Set<T>()
    for (const { tasks } of this.#blocks.values()) for (const task of tasks) if (task !== null) alive.add(task)
    return alive
  }

  clear(): void {
    this.#blocks.clear()
    this.#joined = null
    this.#joinedAt = -1
    this.#left = null
    this.#leftAt = -1
  }

  #open(at: number): void {
    if (this.#joined?.alive === 0) this.#drop(this.#joinedAt)
    this.#joined = new Block<T>()
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
