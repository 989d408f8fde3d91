// Wakes the main thread: one word of shared memory that every worker thread changes when it has sent something. The main
// thread waits for it without blocking, as long as a thread may send something.
import { waitAsync } from './channel.ts'

interface Listener {
  /** Reads what the thread has sent. */
  onRing(): void
}

export class Wakeup {
  readonly word = new Int32Array(new SharedArrayBuffer(4))
  readonly #listeners = new Set<Listener>()
  #armed = false
  #rings = 0

  /** Calls `listener.onRing` at every ring from now on. */
  listen(listener: Listener): void {
    this.#listeners.add(listener)
    if (!this.#armed) this.#arm()
  }

  unlisten(listener: Listener): void {
    this.#listeners.delete(listener)
  }

  #arm(): void {
    this.#armed = true
    const wait = waitAsync(this.word, 0, this.#rings)
    if (wait.async) void wait.value.then(this.#onRing)
    else queueMicrotask(this.#onRing) // it rang meanwhile
  }

  readonly #onRing = (): void => {
    this.#rings = Atomics.load(this.word, 0)
    for (const listener of this.#listeners) listener.onRing()
    this.#armed = false
    if (this.#listeners.size > 0) this.#arm()
  }
}
