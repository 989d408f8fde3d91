// Slots that few can have at once; the others wait in the order in which they came.

export class Slots {
  #free: number
  /** Each grants a slot: to those that had one before and return, and to those that are new. */
  readonly #returning = new Set<() => void>()
  readonly #new = new Set<() => void>()

  constructor(most: number) {
    this.#free = most
  }

  /** Wait for a slot; one that returns comes before all that are new. False if `signal` aborts first. */
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

  /** Give a slot back: whichever has waited longest gets it. */
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
