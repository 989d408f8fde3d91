// Tasks that wait until nothing is left to do, in any process. The moment counts even if there is more to do again by the time
// its message arrives.
import { Away, type Link } from './link.ts'
import { Place } from './line.ts'
import { LOOK } from './scripts.ts'

class JoinPlace extends Place {
  /** There was something to do since it came: the next message that nothing is left ends its wait. */
  isIn = false

  constructor(owner: object) {
    super('queue.join', owner)
  }
}

export class Joins {
  readonly #places = new Set<JoinPlace>()
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
    return this.#places.size
  }

  join(): JoinPlace {
    const place = new JoinPlace(this.#owner)
    this.#places.add(place)
    this.retry()
    return place
  }

  leave(place: JoinPlace): void {
    this.#places.delete(place)
  }

  /** Nothing was left. */
  onNothingLeft(): void {
    this.#isNews = true
    for (const place of this.#places) if (place.isIn) place.wake()
  }

  retry(): void {
    if (this.#asking || this.#places.size === 0 || !this.#link.ready) return
    this.#asking = true
    this.#isNews = false
    const asked = [...this.#places]
    this.#link.ask(LOOK, 'join').then((answer) => {
      this.#asking = false
      if (answer !== null) {
        for (const place of asked) place.isIn = true
        if (answer[0] === 0) for (const place of asked) place.wake()
      }
      // For those that came meanwhile.
      if (this.#isNews || [...this.#places].some(({ isIn }) => !isIn)) this.retry()
    }, (error: unknown) => {
      this.#asking = false
      if (!(error instanceof Away)) this.failAll(error as Error)
    })
  }

  failAll(error: Error): void {
    for (const place of this.#places) place.fail(error)
  }
}
