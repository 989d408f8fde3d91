// The host of the playground's loops: the browser's, or a virtual clock that stops at a given second. It also reports
// blocking calls, and lines that no loop prints.
import { VirtualClock } from '../../../src/browser.ts'
import { AMBER } from '../../../src/events/stalls.ts'
import type { CoroutineInfo, Host, HostContext } from '../../../src/runtime/host.ts'

export interface Surroundings {
  /** Called every `AMBER` seconds while a call blocks the thread, and once after one that took virtual time. Seconds so far. */
  blocking(seconds: number): void
  /** The virtual clock has reached its end. */
  over(): void
  /** The loop pauses for the host, and continues with `fn`. */
  pause(fn: () => void): void
  line(text: string): void
  report(text: string): void
}

export class PlaygroundHost implements Host {
  readonly virtual: boolean
  readonly debug = true
  readonly #base: Host
  readonly #until: number
  readonly #surroundings: Surroundings
  #over = false

  constructor(browser: Host, clock: 'real' | 'virtual', until: number, surroundings: Surroundings) {
    this.#base = clock === 'virtual' ? new VirtualClock() : browser
    this.virtual = this.#base.virtual
    this.#until = until
    this.#surroundings = surroundings
  }

  now(): number {
    return this.#base.now()
  }

  elapsed(): number {
    return this.#base.elapsed()
  }

  soon(fn: () => void): void {
    this.#base.soon(fn)
  }

  giveWay(fn: () => void): void {
    this.#base.giveWay(() => this.#surroundings.pause(fn))
  }

  wait(seconds: number, hostWork: number, fn: () => void): () => void {
    const left = this.#until - this.now()
    if (!this.virtual || hostWork > 0 || this.#over || seconds <= left) return this.#base.wait(seconds, hostWork, fn)
    this.#over = true
    this.#base.block(Math.max(0, left))
    this.#base.soon(() => this.#surroundings.over())
    return () => {}
  }

  block(seconds: number): void {
    if (this.virtual) {
      this.#base.block(seconds)
      this.#surroundings.blocking(seconds)
      return
    }
    const from = this.now()
    const end = from + seconds
    for (let now = from; now < end; now = this.now()) {
      this.#base.block(Math.min(AMBER, end - now))
      this.#surroundings.blocking(this.now() - from)
    }
  }

  hold(): () => void {
    return this.#base.hold()
  }

  onSignal(signal: string, fn: () => void): () => void {
    return this.#base.onSignal(signal, fn)
  }

  onInterrupt(fn: () => void): () => void {
    return this.#base.onInterrupt(fn)
  }

  hostContext(): HostContext | null {
    return this.#base.hostContext()
  }

  emptyContext(): HostContext | null {
    return this.#base.emptyContext()
  }

  format(values: readonly unknown[]): string {
    return this.#base.format(values)
  }

  write(line: string): void {
    this.#surroundings.line(line)
  }

  report(text: string): void {
    this.#surroundings.report(text)
  }

  inspect(coroutine: object): CoroutineInfo | null {
    return this.#base.inspect(coroutine)
  }
}
