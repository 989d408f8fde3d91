// The threads that ThreadSensitiveContexts share: a limited number, each used by one context at a time. A context that ends
// leaves its thread to the next one; a thread that no context takes for a while ends.
import type { BrokenThread } from './errors.ts'
import type { Wakeup } from './wakeup.ts'
import type { WorkerQueue, ThreadSource } from './worker-queue.ts'
import { Thread, type Owner } from './thread.ts'

/** The longest that a timer of Node takes. */
const LONGEST_MS = 2 ** 31 - 1

export class Stock implements ThreadSource, Owner {
  readonly mode = 'sensitive'
  readonly #most: number
  readonly #idleMs: number
  readonly #bell: Wakeup
  readonly #threads = new Set<Thread>()
  /** Threads that no queue has, the last used at the end, each with the timer that ends it. */
  readonly #idle = new Map<Thread, NodeJS.Timeout>()
  /** Queues that wait for a thread, first come, first served. */
  readonly #waiting = new Set<WorkerQueue>()
  #closed = false

  /** `most`: the most threads; `idleSeconds`: how long one is kept for the next queue. */
  constructor(most: number, idleSeconds: number, bell: Wakeup) {
    this.#most = most
    this.#idleMs = Math.min(idleSeconds * 1000, LONGEST_MS)
    this.#bell = bell
  }

  /** How many threads a queue could have at once. */
  get free(): number {
    return this.#idle.size + this.#most - this.#threads.size
  }

  take(queue: WorkerQueue): Thread | null {
    if (this.free === 0) {
      this.#waiting.add(queue)
      return null
    }
    const idle = [...this.#idle.keys()].at(-1)
    if (idle !== undefined) {
      this.#forget(idle)
      idle.owner = queue
      return idle
    }
    const thread = new Thread(queue, this.#bell)
    this.#threads.add(thread)
    return thread
  }

  async giveBack(thread: Thread): Promise<void> {
    thread.owner = this
    if (this.#closed) return thread.terminate()
    this.#idle.set(thread, setTimeout(() => {
      this.#forget(thread)
      void thread.terminate()
    }, this.#idleMs).unref())
    this.#serve()
  }

  leave(queue: WorkerQueue): void {
    this.#waiting.delete(queue)
  }

  onFree(): void {}

  onGone(thread: Thread, _started?: boolean, _error?: BrokenThread): boolean {
    this.#forget(thread)
    this.#threads.delete(thread)
    this.#serve()
    return false
  }

  /** Gives free threads to waiting queues. */
  #serve(): void {
    for (const queue of this.#waiting) {
      if (this.free === 0) return
      this.#waiting.delete(queue)
      queue.pump()
    }
  }

  #forget(thread: Thread): void {
    clearTimeout(this.#idle.get(thread))
    this.#idle.delete(thread)
  }

  /** Ends the threads that no queue has, and the others as soon as their queues are closed. */
  async close(): Promise<void> {
    this.#closed = true
    const idle = [...this.#idle.keys()]
    for (const thread of idle) this.#forget(thread)
    await Promise.all(idle.map((thread) => thread.terminate()))
  }
}
