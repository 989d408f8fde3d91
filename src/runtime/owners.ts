// Which tasks own the permits of a semaphore, for observers: any task may release one. If a task releases what it does not own,
// the semaphore is a signal between tasks, and nothing owns its permits.
import type { RunningTask } from './running.ts'

/** With more owners than this, none is known. */
const MOST_OWNERS = 16

export class Owners implements Iterable<RunningTask> {
  #tasks: RunningTask[] = []
  #known = true

  acquired(task: RunningTask | null): void {
    if (!this.#known) return
    if (task === null || this.#tasks.length === MOST_OWNERS) this.#forget()
    else this.#tasks.push(task)
  }

  released(task: RunningTask | null): void {
    if (!this.#known) return
    const at = task === null ? -1 : this.#tasks.lastIndexOf(task)
    if (at === -1) {
      this.#forget()
      return
    }
    const last = this.#tasks.pop() as RunningTask
    if (at < this.#tasks.length) this.#tasks[at] = last
  }

  /** All of them, once for each permit; empty if one is not known. */
  [Symbol.iterator](): Iterator<RunningTask> {
    return this.#tasks[Symbol.iterator]()
  }

  #forget(): void {
    this.#known = false
    this.#tasks = []
  }
}
