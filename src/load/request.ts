// One request and its answer, as undici reports them. Its latency counts from the time when it was due.
import type { Dispatcher } from 'undici'
import type { Timing } from './timing.ts'
import { performance } from 'node:perf_hooks'
import { parseTiming } from './timing.ts'

/** Receives how a request goes; times are in ms of `performance.now()`. */
export interface RequestListener {
  /** It got a connection to be sent on. */
  wentOut(request: LoadRequest): void
  answered(request: LoadRequest, at: number): void
  failed(request: LoadRequest, at: number, error: unknown): void
}

export class LoadRequest implements Dispatcher.DispatchHandler {
  /** When it was due, in ms. */
  readonly dueAt: number
  readonly #listener: RequestListener
  status = 0
  timing: Timing | null = null
  /** It was answered, failed, or was given up. */
  over = false
  #controller: Dispatcher.DispatchController | null = null

  constructor(dueAt: number, listener: RequestListener) {
    this.dueAt = dueAt
    this.#listener = listener
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
    else this.#listener.wentOut(this)
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
    this.#listener.answered(this, performance.now())
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: unknown): void {
    if (this.over) return
    this.over = true
    this.#listener.failed(this, performance.now(), error)
  }
}
