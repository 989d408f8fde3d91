// One request and its answer, as undici reports them. Its latency counts from the time when it was due.
import type { Dispatcher } from 'undici'
import type { Timing } from './timing.ts'
import { performance } from 'node:perf_hooks'
import { parseTiming } from './timing.ts'

/** Receives how an exchange goes; times are in ms of `performance.now()`. */
export interface Ends {
  /** It got a connection to be sent on. */
  wentOut(exchange: Exchange): void
  answered(exchange: Exchange, at: number): void
  failed(exchange: Exchange, at: number, error: unknown): void
}

export class Exchange implements Dispatcher.DispatchHandler {
  /** When it was due, in ms. */
  readonly dueAt: number
  readonly #ends: Ends
  status = 0
  timing: Timing | null = null
  /** It was answered, failed, or was given up. */
  over = false
  #controller: Dispatcher.DispatchController | null = null

  constructor(dueAt: number, ends: Ends) {
    this.dueAt = dueAt
    this.#ends = ends
  }

  /** Gives it up. */
  giveUp(): void {
    this.over = true
    this.#controller?.abort(new Error('given up'))
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    // Its time was over while it waited for a connection.
    if (this.over) controller.abort(new Error('given up'))
    else this.#ends.wentOut(this)
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: Record<string, string | string[] | undefined>): void {
    if (status < 200) return
    this.status = status
    const timing = headers['server-timing']
    if (typeof timing === 'string') this.timing = parseTiming(timing)
  }

  onResponseData(): void {}

  onResponseEnd(): void {
    if (this.over) return
    this.over = true
    this.#ends.answered(this, performance.now())
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: unknown): void {
    if (this.over) return
    this.over = true
    this.#ends.failed(this, performance.now(), error)
  }
}
