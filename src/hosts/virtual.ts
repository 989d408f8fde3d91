// The host whose clock jumps: when nothing is ready, the time becomes that of the next timer. For tests, demonstrations and
// replays. Everything but time comes from the real host.
import { describable } from '../runtime/describe.ts'
import { Deque } from '../runtime/deque.ts'
import { defaultHost, type CoroutineInfo, type Host, type HostContext } from '../runtime/host.ts'

/** Callbacks that let the host run first: one of all virtual loops each time, so that many of them delay the host as little as one does. */
const waiting = new Deque<{ base: Host; fn: () => void }>()

function next(): void {
  const { fn } = waiting.shift() as { fn: () => void }
  // Before the call, which may add to them.
  const following = waiting.peek()
  if (following !== undefined) following.base.giveWay(next)
  fn()
}

export class VirtualClock implements Host {
  readonly virtual = true
  readonly #base: Host
  #now: number

  /** `start`: the clock's first time, in seconds. */
  constructor(start = 0) {
    if (typeof start !== 'number' || !Number.isFinite(start)) {
      throw new RangeError(`VirtualClock: start must be a finite number of seconds, got ${String(start)}`)
    }
    this.#base = defaultHost()
    this.#now = start
  }

  now(): number {
    return this.#now
  }

  /** Lets `seconds` pass at once, as a call that blocks the thread would. */
  advance(seconds: number): void {
    if (typeof seconds !== 'number' || !(seconds >= 0) || seconds === Infinity) {
      throw new RangeError(`VirtualClock.advance: seconds must be a finite number of at least 0, got ${String(seconds)}`)
    }
    this.#now += seconds
  }

  elapsed(): number {
    return this.#base.elapsed()
  }

  soon(fn: () => void): void {
    this.#base.soon(fn)
  }

  giveWay(fn: () => void): void {
    waiting.push({ base: this.#base, fn })
    if (waiting.length === 1) this.#base.giveWay(next)
  }

  wait(seconds: number, hostWork: number, fn: () => void): () => void {
    // Host work takes no virtual time: while a task waits for it, the clock does not move.
    if (hostWork > 0) return () => {}
    let cancelled = false
    const target = this.#now + seconds
    this.#base.soon(() => {
      if (cancelled) return
      this.#now = Math.max(this.#now, target)
      fn()
    })
    return () => {
      cancelled = true
    }
  }

  block(seconds: number): void {
    this.advance(seconds)
  }

  hold(): () => void {
    return this.#base.hold()
  }

  onInterrupt(fn: () => void): () => void {
    return this.#base.onInterrupt(fn)
  }

  onSignal(signal: string, fn: () => void): () => void {
    return this.#base.onSignal(signal, fn)
  }

  onExit(fn: () => void): () => void {
    return this.#base.onExit?.(fn) ?? (() => {})
  }

  collectSoon(left: ReadonlySet<object>): void {
    this.#base.collectSoon?.(left)
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
    this.#base.write(line)
  }

  report(text: string): void {
    this.#base.report(text)
  }

  get debug(): boolean {
    return this.#base.debug
  }

  inspect(coroutine: object): CoroutineInfo | null {
    return this.#base.inspect(coroutine)
  }

  toString(): string {
    return `<VirtualClock ${this.#now} s>`
  }
}

describable(VirtualClock)
