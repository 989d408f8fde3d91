// A future that the host finishes: a promise, an event. The loop counts open ones as host work.
import type { Wait } from './instruments.ts'
import type { WaitKind } from './waitable.ts'
import { Future } from './future.ts'

export class HostFuture<T> extends Future<T> {
  readonly #what: string
  readonly #kind: WaitKind
  #open = true

  constructor(what: string, kind: WaitKind = 'promise') {
    super()
    this.#what = what
    this.#kind = kind
    this.loop.addHostWork(1)
  }

  /** Stop counting it: the host has finished it, or the wait was cancelled. */
  close(): boolean {
    if (!this.#open) return false
    this.#open = false
    this.loop.addHostWork(-1)
    return !this.done() && !this.loop.isClosed()
  }

  succeed(value: T): void {
    if (this.close()) this.setResult(value)
  }

  reject(error: unknown): void {
    if (this.close()) this.fail(error)
  }

  override describeWait(): Wait {
    return { kind: this.#kind, label: this.#what }
  }
}
