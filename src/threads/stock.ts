// The threads that ThreadSensitiveContexts share: a bounded number of them, each of which belongs to one context at a time.
// A context that ends leaves its thread to the next one; a thread that no context takes for a while ends.
import type { BrokenThread } from './errors.ts'
import type { Doorbell } from './wakeup.ts'
import type { Lane, ThreadSource } from './worker-queue.ts'
import { Thread, type Owner } from './thread.ts'

/** The longest that a timer of Node takes. */
const LONGEST_MS = 2 ** 31 - 1

export class Stock implements ThreadSource, Owner {
  readonly mode = 'sensitive'
  readonly #most: number
  readonly #idleMs: number
  readonly #bell: Doorbell
  readonly #threads = new Set<Thread>()
  /** Threads that no lane has, the one that was busy last at the end, each with the timer that ends it. */
  readonly #idle = new Map<Thread, NodeJS.Timeout>()
  /** Lanes that wait for a thread, first come, first served. */
  readonly #waiting = new Set<Lane>()
  #closed = false

  /** `most`: the most threads; `idleSeconds`: how long one is kept for the next lane. */
  constructor(most: number, idleSeconds: number, bell: Doorbell) {
    this.#most = most
    this.#idleMs = Math.min(idleSeconds * 1000, LONGEST_MS)
    this.#bell = bell
  }

  /** How many threads a lane could have at once. */
  get free(): number {
    return this.#idle.size + this.#most - this.#threads.size
  }

  take(lane: Lane): Thread | null {
    if (this.free === 0) {
      this.#waiting.add(lane)
      return null
    }
    const idle = [...this.#idle.keys()].at(-1)
    if (idle !== undefined) {
      this.#forget(idle)
      idle.owner = lane
      return idle
    }
    const thread = new Thread(lane, this.#bell)
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

  leave(lane: Lane): void {
    this.#waiting.delete(lane)
  }

  onFree(): void {}

  onGone(thread: Thread, _started?: boolean, _error?: BrokenThread): boolean {
    this.#forget(thread)
    this.#threads.delete(thread)
    this.#serve()
    return false
  }

  /** Have lanes that wait take what there is. */
  #serve(): void {
    for (const lane of this.#waiting) {
      if (this.free === 0) return
      this.#waiting.delete(lane)
      lane.pump()
    }
  }

  #forget(thread: Thread): void {
    clearTimeout(this.#idle.get(thread))
    this.#idle.delete(thread)
  }

  /** End the threads that no lane has, and any other as soon as its lane is closed. */
  async close(): Promise<void> {
    this.#closed = true
    const idle = [...this.#idle.keys()]
    for (const thread of idle) this.#forget(thread)
    await Promise.all(idle.map((thread) => thread.terminate()))
  }
}
