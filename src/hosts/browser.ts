// The host adapter for browsers, in a page and in a Web Worker.
import type { CoroutineInfo, Host } from '../runtime/host.ts'

const LONGEST_MS = 2 ** 31 - 1

class BrowserHost implements Host {
  readonly virtual = false
  readonly debug = false
  /** A message to oneself comes back after the browser had its turn; a timer of zero is held back for milliseconds. */
  readonly #channel = new MessageChannel()
  #waiting: (() => void)[] = []

  constructor() {
    this.#channel.port1.addEventListener('message', () => {
      const waiting = this.#waiting
      this.#waiting = []
      for (const fn of waiting) fn()
    })
    this.#channel.port1.start()
  }

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
    this.#waiting.push(fn)
    this.#channel.port2.postMessage(null)
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

/** One line for a value, like the console's; an object that has a `toString()` of its own knows better. */
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
