// What wakes the main thread: one word of shared memory that every worker thread rings when it has sent something. The
// main thread waits for it without blocking, for as long as a thread is expected to send anything.
import { waitAsync } from './channel.ts'

interface Listener {
  /** Take in what the thread has sent. */
  onRing(): void
}

export class Doorbell {
  readonly word = new Int32Array(new SharedArrayBuffer(4))
  readonly #listeners = new Set<Listener>()
  #armed = false
  #heard = 0

  /** Call `listener.onRing` at every ring from now on. */
  listen(listener: Listener): void {
    this.#listeners.add(listener)
    if (!this.#armed) this.#arm()
  }

  unlisten(listener: Listener): void {
    this.#listeners.delete(listener)
  }

  #arm(): void {
    this.#armed = true
    const wait = waitAsync(this.word, 0, this.#heard)
    if (wait.async) void wait.value.then(this.#onRing)
    else queueMicrotask(this.#onRing) // it rang meanwhile
  }

  readonly #onRing = (): void => {
    this.#heard = Atomics.load(this.word, 0)
    for (const listener of this.#listeners) listener.onRing()
    this.#armed = false
    if (this.#listeners.size > 0) this.#arm()
  }
}
