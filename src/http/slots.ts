// A limited number of slots; others wait for one in order of arrival.

export class Slots {
  #free: number
  /** Functions that grant a slot: for those that return after they had one, and for new ones. */
  readonly #returning = new Set<() => void>()
  readonly #new = new Set<() => void>()

  constructor(most: number) {
    this.#free = most
  }

  /** Waits for a slot. One that returns comes before all new ones. False if `signal` aborts first. */
  take(signal?: AbortSignal, returns = false): Promise<boolean> {
    if (signal?.aborted === true) return Promise.resolve(false)
    if (this.#free > 0) {
      this.#free--
      return Promise.resolve(true)
    }
    const waiting = returns ? this.#returning : this.#new
    return new Promise((resolve) => {
      const leave = (): void => {
        waiting.delete(grant)
        resolve(false)
      }
      const grant = (): void => {
        signal?.removeEventListener('abort', leave)
        resolve(true)
      }
      waiting.add(grant)
      signal?.addEventListener('abort', leave, { once: true })
    })
  }

  /** Gives a slot back, to the one that has waited longest. */
  give(): void {
    const waiting = this.#returning.size > 0 ? this.#returning : this.#new
    for (const grant of waiting) {
      waiting.delete(grant)
      grant()
      return
    }
    this.#free++
  }
}
