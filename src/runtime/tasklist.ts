// The tasks of a loop that are not done, in the order of their creation: a list linked through the tasks themselves, so
// that joining and leaving it allocates nothing. It is what keeps a pending task alive.
import type { Task } from './task.ts'

export class TaskList {
  #first: Task<unknown> | null = null
  #last: Task<unknown> | null = null

  add(task: Task<unknown>): void {
    task.previous = this.#last
    if (this.#last === null) this.#first = task
    else this.#last.following = task
    this.#last = task
  }

  remove(task: Task<unknown>): void {
    const { previous, following } = task
    if (previous === null) this.#first = following
    else previous.following = following
    if (following === null) this.#last = previous
    else following.previous = previous
    task.previous = null
    task.following = null
  }

  /** A copy, to walk through while tasks come and go. */
  toSet(): Set<Task<unknown>> {
    const tasks = new Set<Task<unknown>>()
    for (let task = this.#first; task !== null; task = task.following) tasks.add(task)
    return tasks
  }

  clear(): void {
    this.#first = null
    this.#last = null
  }
}
