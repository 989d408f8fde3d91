// The tasks of a loop that are not done, in the order of their creation. Ids only rise, so the tasks stand in blocks by
// their ids: joining and leaving allocate nothing, and a task needs no field for its place. It keeps a pending task alive.
import type { Task } from './task.ts'

const BLOCK = 64

class Block {
  readonly tasks = new Array<Task<unknown> | null>(BLOCK).fill(null)
  alive = 0
}

export class TaskList {
  readonly #blocks = new Map<number, Block>()
  // The blocks last used: tasks come, and mostly go, in the order of their ids.
  #joined: Block | null = null
  #joinedAt = -1
  #left: Block | null = null
  #leftAt = -1

  add(task: Task<unknown>): void {
    const at = Math.floor(task.id / BLOCK)
    if (at !== this.#joinedAt) this.#open(at)
    const block = this.#joined as Block
    block.tasks[task.id % BLOCK] = task
    block.alive++
  }

  /** Nothing happens to a task that is not in the list. */
  remove(task: Task<unknown>): void {
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

  /** A copy, to walk through while tasks come and go. */
  toSet(): Set<Task<unknown>> {
    const alive = new Set<Task<unknown>>()
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
    this.#joined = new Block()
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
