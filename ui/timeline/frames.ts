// Schedules the next look: with the next frame of the screen, or after a delay.
export class Frames {
  readonly #look: (time: number) => void
  #frame = 0
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(look: (time: number) => void) {
    this.#look = look
  }

  /** Looks again after `ms`: a frame has a cost even if it draws nothing. */
  in(ms: number): void {
    if (this.#frame !== 0) return
    clearTimeout(this.#timer)
    if (ms > 0) {
      this.#timer = setTimeout(() => this.in(0), ms)
      return
    }
    this.#frame = requestAnimationFrame((time) => {
      this.#frame = 0
      this.#look(time)
    })
  }

  stop(): void {
    cancelAnimationFrame(this.#frame)
    clearTimeout(this.#timer)
    this.#frame = -1
  }
}
