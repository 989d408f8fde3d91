// The host adapter for browsers, in a page and in a Web Worker, and for other environments with timers and without Node: edge
// runtimes, tests in a simulated page. Importing it starts nothing and checks nothing: what exists is found out when it is
// needed.
import type { CoroutineInfo, Host } from '../runtime/host.ts'
import { RuntimeError } from '../runtime/exceptions.ts'

const LONGEST_MS = 2 ** 31 - 1

/** In Node, a port keeps the process alive while it is ref'd. */
interface Port {
  onmessage: (() => void) | null
  postMessage(message: null): void
  ref?(): void
  unref?(): void
}

/** A message to itself arrives after the browser had its turn; a timer of zero would be delayed by milliseconds. */
class Turns {
  readonly #inbox: Port
  readonly #outbox: Port
  #waiting: (() => void)[] = []

  /** Throws if there is no complete MessageChannel. */
  constructor() {
    const { port1, port2 } = new MessageChannel()
    if (typeof port2.postMessage !== 'function') throw new TypeError('port2.postMessage is not a function')
    this.#inbox = port1 as unknown as Port
    this.#outbox = port2 as unknown as Port
    this.#inbox.onmessage = () => {
      const waiting = this.#waiting
      this.#waiting = []
      this.#inbox.unref?.()
      for (const fn of waiting) fn()
    }
    this.#inbox.unref?.()
  }

  after(fn: () => void): void {
    this.#waiting.push(fn)
    this.#inbox.ref?.()
    this.#outbox.postMessage(null)
  }
}

class BrowserHost implements Host {
  readonly virtual = false
  readonly debug = false
  /** `null`: there is no MessageChannel, and timers are used. */
  #turns: Turns | null | undefined

  now(): number {
    return performance.now() / 1000
  }

  elapsed(): number {
    return this.now()
  }

  soon(fn: () => void): void {
    queueMicrotask(fn)
  }

  giveWay(fn: () => void): void {
    if (this.#turns === undefined) {
      try {
        this.#turns = new Turns()
      } catch {
        this.#turns = null
      }
    }
    if (this.#turns === null) setTimeout(fn, 0)
    else this.#turns.after(fn)
  }

  wait(seconds: number, _hostWork: number, fn: () => void): () => void {
    const timer = setTimeout(fn, Math.min(Math.ceil(seconds * 1000), LONGEST_MS))
    return () => clearTimeout(timer)
  }

  block(seconds: number): void {
    // Atomics.wait is forbidden on a page's main thread, and needs cross-origin isolation elsewhere.
    const end = this.now() + seconds
    while (this.now() < end);
  }

  hold(): () => void {
    return () => {}
  }

  onSignal(): never {
    throw new RuntimeError('addSignalHandler: browsers have no signals; cancel with `run(main(), { signal })` or task.cancel()')
  }

  onInterrupt(): () => void {
    return () => {}
  }

  hostContext(): null {
    return null
  }

  emptyContext(): null {
    return null
  }

  format(values: readonly unknown[]): string {
    return values.map(formatValue).join(' ')
  }

  write(line: string): void {
    console.log(line)
  }

  report(text: string): void {
    console.error(text)
  }

  inspect(): CoroutineInfo | null {
    return null
  }
}

/** One line for a value, like the console's, or the object's own `toString()`. */
function formatValue(value: unknown): string {
  if (typeof value !== 'object' || value === null || value instanceof Error) return String(value)
  const { toString } = value as { toString?: unknown }
  if (!Array.isArray(value) && typeof toString === 'function' && toString !== Object.prototype.toString) return `${value as Date}`
  try {
    return JSON.stringify(value)
  } catch {
    return Object.prototype.toString.call(value)
  }
}

export const browserHost: Host = new BrowserHost()
