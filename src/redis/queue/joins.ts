// Tasks that wait until nothing is left to do, in any process. The moment counts even if there is more to do again by the time
// its message arrives.
import { RedisUnavailable, type Link } from './link.ts'
import { RemoteWaiter } from './remote-waiter.ts'
import { FIGURES } from './scripts.ts'

class JoinWaiter extends RemoteWaiter {
  /** There was something to do since it came: the next message that nothing is left ends its wait. */
  isIn = false

  constructor(owner: object) {
    super('queue.join', owner)
  }
}

export class Joins {
  readonly #waiters = new Set<JoinWaiter>()
  readonly #owner: object
  readonly #link: Link
  #asking = false
  /** Nothing was left, after the open question was asked or just before. */
  #isNews = false

  constructor(owner: object, link: Link) {
    this.#owner = owner
    this.#link = link
  }

  get size(): number {
    return this.#waiters.size
  }

  join(): JoinWaiter {
    const waiter = new JoinWaiter(this.#owner)
    this.#waiters.add(waiter)
    this.retry()
    return waiter
  }

  leave(waiter: JoinWaiter): void {
    this.#waiters.delete(waiter)
  }

  /** Nothing was left. */
  onNothingLeft(): void {
    this.#isNews = true
    for (const waiter of this.#waiters) if (waiter.isIn) waiter.wake()
  }

  retry(): void {
    if (this.#asking || this.#waiters.size === 0 || !this.#link.ready) return
    this.#asking = true
    this.#isNews = false
    const asked = [...this.#waiters]
    this.#link.ask(FIGURES, 'join').then((answer) => {
      this.#asking = false
      if (answer !== null) {
        for (const waiter of asked) waiter.isIn = true
        if (answer[0] === 0) for (const waiter of asked) waiter.wake()
      }
      // For those that came meanwhile.
      if (this.#isNews || [...this.#waiters].some(({ isIn }) => !isIn)) this.retry()
    }, (error: unknown) => {
      this.#asking = false
      if (!(error instanceof RedisUnavailable)) this.failAll(error as Error)
    })
  }

  failAll(error: Error): void {
    for (const waiter of this.#waiters) waiter.fail(error)
  }
}
