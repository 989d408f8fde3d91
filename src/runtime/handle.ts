// A scheduled callback: callSoon, callLater and callAt return it, so that it can be cancelled.
import type { AbstractEventLoop } from './abstract-loop.ts'
import type { Context } from './context.ts'
import type { HostContext } from './host.ts'
import type { Runnable } from './ready.ts'
import type { Timer } from './timers.ts'
import { Context as ContextClass } from './context.ts'
import { describable, describe } from './describe.ts'
import { recordOrigin } from './origins.ts'
import { running } from './running.ts'

/** The argument of a handle in the ready queue. */
export const FIRE = Object.freeze({})

export type Callback<A extends unknown[]> = (...args: A) => unknown

export class Handle implements Runnable {
  readonly loop: AbstractEventLoop
  fn: Callback<unknown[]> | null
  #args: unknown[]
  #context: Context | null
  readonly #hostContext: HostContext | null

  constructor(loop: AbstractEventLoop, fn: Callback<unknown[]>, args: unknown[], context: Context | null) {
    this.loop = loop
    this.fn = fn
    this.#args = args
    this.#context = context
    this.#hostContext = loop.host.hostContext()
    if (loop.debug) recordOrigin(this)
  }

  /** Cancel the callback: it will not be called. */
  cancel(): void {
    this.fn = null
    this.#args = []
  }

  cancelled(): boolean {
    return this.fn === null
  }

  /** The context in which the callback is called. */
  getContext(): Context {
    return (this.#context ??= new ContextClass())
  }

  /** @internal */
  run(): void {
    if (this.fn === null) return
    running.context = this.#context
    if (this.#hostContext === null) this.fn(...this.#args)
    else this.#hostContext.runInAsyncScope(this.fn, undefined, ...this.#args)
  }

  toString(): string {
    return `<Handle ${this.fn === null ? 'cancelled' : describe(this.fn)}>`
  }
}

export class TimerHandle extends Handle implements Timer {
  readonly #when: number
  #inHeap = true

  constructor(loop: AbstractEventLoop, when: number, fn: Callback<unknown[]>, args: unknown[], context: Context | null) {
    super(loop, fn, args, context)
    this.#when = when
  }

  /** When the callback is due, in seconds on the loop's clock. */
  when(): number {
    return this.#when
  }

  override cancel(): void {
    if (this.fn !== null && this.#inHeap) this.loop.timers.noteCancelled()
    super.cancel()
  }

  /** @internal */
  isDead(): boolean {
    return this.fn === null
  }

  /** @internal */
  leaveHeap(): void {
    this.#inHeap = false
  }

  override toString(): string {
    return `<TimerHandle ${this.fn === null ? 'cancelled' : describe(this.fn)} when=${this.#when}>`
  }
}

describable(Handle)
