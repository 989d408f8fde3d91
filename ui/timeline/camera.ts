// Which stretch of time is shown, and how it changes: at once, in a glide, or live.
import { Viewport } from './viewport.ts'

/** The part of the window beyond the present while live. */
const AHEAD = 0.06
const GLIDE_MS = 180

export class Camera {
  readonly view = new Viewport()
  readonly #onMove: (from: number, to: number) => void
  #glide: { from: number; to: number; began: number; view: { from: number; to: number } } | null = null

  constructor(onMove: (from: number, to: number) => void) {
    this.#onMove = onMove
  }

  get gliding(): boolean {
    return this.#glide !== null
  }

  set(from: number, to: number): void {
    this.#glide = null
    this.view.set(from, to)
    this.moved()
  }

  centre(t: number): void {
    const { span } = this.view
    this.set(t - span / 2, t + span / 2)
  }

  zoom(factor: number, t: number): void {
    this.#glide = null
    this.view.zoom(factor, t)
    this.moved()
  }

  pan(seconds: number): void {
    this.#glide = null
    this.view.pan(seconds)
    this.moved()
  }

  glide(from: number, to: number): void {
    this.#glide = { from, to, began: performance.now(), view: { from: this.view.from, to: this.view.to } }
  }

  /** Advances the glide to the time of a frame. */
  advance(time: number): void {
    const glide = this.#glide
    if (glide === null) return
    const part = Math.max(0, Math.min(1, (time - glide.began) / GLIDE_MS))
    const ease = 1 - (1 - part) ** 3
    this.view.set(glide.view.from + (glide.from - glide.view.from) * ease, glide.view.to + (glide.to - glide.view.to) * ease)
    if (part < 1) return
    this.#glide = null
    this.moved()
  }

  /** Shows the present of a recording that begins at `from`. */
  follow(now: number, from: number): void {
    const { span } = this.view
    const to = Math.max(now + span * AHEAD, from + span)
    this.view.set(to - span, to)
  }

  moved(): void {
    this.#onMove(this.view.from, this.view.to)
  }
}
