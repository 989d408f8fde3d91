// When the next picture is looked at: with the next frame of the screen, or after a while.
export class Frames {
  readonly #look: (time: number) => void
  #frame = 0
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(look: (time: number) => void) {
    this.#look = look
  }

  /** Look again in so many ms: a frame costs something even where nothing is drawn in it. */
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
