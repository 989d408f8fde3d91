// What a program logs with on our side; the twin of `Support` in oracle.py, with the same format line for line.
import type { FutureLike, LoopLike, RuntimeModule, TaskLike } from './runtime.ts'

/** Seconds after which every task is cancelled, repeatedly, and how often before the program is given up. */
const WATCHDOG = 64
const ROUNDS = 24

/** The error that programs raise themselves. */
export class Boom extends Error {
  override name = 'Boom'
}

const REPORTS = [
  ['Exception in callback', 'callback'], ['while run() was shutting down', 'shutdown'], ['failed under a shield', 'shielded'],
  ['whose group it is in, has ended', 'orphan'],
] as const

/** A number of seconds, without floating point noise. */
const seconds = (value: number): string => String(Math.round(value * 1e6) / 1e6)

export class Support {
  readonly lines: string[] = []
  /** False once the program was given up. */
  ended = true
  readonly #runtime: RuntimeModule
  #loop: LoopLike | null = null
  #namesFrom = 0
  #began = 0
  #barks = 0

  constructor(runtime: RuntimeModule) {
    this.#runtime = runtime
  }

  start = (): [LoopLike, TaskLike | null] => {
    const loop = this.#loop = this.#runtime.getRunningLoop()
    const task = this.#runtime.currentTask()
    this.#began = loop.time()
    this.#namesFrom = Number(task?.getName().slice(5)) - 1
    loop.setExceptionHandler((_loop, context) => {
      // Reports at a collection have no place in the order.
      for (const [words, kind] of REPORTS) if (context.message.includes(words)) this.write(`${kind} raised ${this.show(context.exception)}`)
    })
    loop.callLater(WATCHDOG, this.#watch)
    return [loop, task]
  }

  #watch = (): void => {
    this.write('watchdog')
    if (++this.#barks > ROUNDS) {
      // Stopped repeatedly, since what is left when main was stopped is waited for as well.
      this.ended = false
      this.#loop?.stop()
      this.#loop?.callLater(1, this.#watch)
      return
    }
    for (const task of this.#runtime.allTasks()) task.cancel('watchdog')
    this.#loop?.callLater(1, this.#watch)
  }

  write(text: string): void {
    const task = this.#runtime.currentTask()
    let who = '-'
    if (task !== null) {
      who = this.#name(task)
      if (task.cancelling() > 0) who = `${who}!${task.cancelling()}`
    }
    this.lines.push(`${this.#now()} ${who} ${text}`)
  }

  at = (label: string): string => {
    this.write(`${label} ...`)
    return label
  }

  log = (label: string, value: unknown): void => {
    this.write(`${label} = ${this.show(value)}`)
  }

  look = (label: string, value: unknown): unknown => {
    this.write(`${label} ? ${this.show(value)}`)
    return value
  }

  since = (when: number | null): number | null => when === null ? null : when - this.#began

  plain = (name: string): string => {
    const plain = /^Task-(\d+)$/.exec(name)
    return plain ? `Task-${Number(plain[1]) - this.#namesFrom}` : name
  }

  names = (found: Iterable<TaskLike>): string[] => [...found].map((task) => this.#name(task))

  twice = (value: unknown): unknown[] => [value, value]

  bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

  sets = (result: { done: Iterable<unknown>; pending: Iterable<unknown> }): unknown[][] => [[...result.done], [...result.pending]]

  /** Ends the trace: how main ended, and what is left. */
  finish(outcome: string, left: [name: string, value: unknown][]): void {
    this.lines.push(`${this.#now()} ${outcome}`)
    for (const [name, value] of left) this.lines.push(`left ${name} ${this.show(value)}`)
  }

  show(value: unknown, depth = 0): string {
    const runtime = this.#runtime
    if (value === null || value === undefined) return 'null'
    if (typeof value === 'boolean') return String(value)
    if (typeof value === 'number') return seconds(value)
    if (typeof value === 'string') return `'${value}'`
    if (value instanceof Uint8Array) return `bytes ${JSON.stringify(new TextDecoder().decode(value))}`
    if (depth > 3) return '...'
    if (value instanceof Error) return this.error(value)
    if (value instanceof runtime.Task) return `${this.#name(value)}(${this.#state(value, depth)})`
    if (runtime.isFuture(value)) return `Future(${this.#state(value, depth)})`
    if (Array.isArray(value) || value instanceof Set) return `[${[...value as Iterable<unknown>].map((item) => this.show(item, depth + 1)).join(', ')}]`
    if (value instanceof runtime.Handle) return `Handle(${value.cancelled()})`
    if (value instanceof runtime.Queue) return `Queue(${value.qsize()})`
    if (value instanceof runtime.StreamReader) return `StreamReader(${value.atEof()})`
    if (value instanceof runtime.Event) return `Event(${value.isSet()})`
    if (value instanceof runtime.Barrier) return `Barrier(${value.nWaiting}, ${value.broken})`
    if (value instanceof runtime.Lock || value instanceof runtime.Semaphore || value instanceof runtime.Condition) return `Lock(${value.locked()})`
    // Timeouts and the pairs of sets that `wait` returns have no class to check.
    const odd = value as { expired?: () => boolean; done?: Iterable<unknown>; pending?: Iterable<unknown> }
    if (typeof odd.expired === 'function') return `Timeout(${odd.expired()})`
    if (odd.done instanceof Set && odd.pending instanceof Set) return `[${this.show(odd.done, depth + 1)}, ${this.show(odd.pending, depth + 1)}]`
    return 'object'
  }

  error(error: unknown): string {
    if (!(error instanceof Error)) return `not an error: ${String(error)}`
    const name = error.name === 'RangeError' ? 'ValueError' : error.name
    if (error instanceof this.#runtime.ExceptionGroup) {
      return `${name}[${[...error.exceptions as Iterable<unknown>].map((inner) => this.error(inner)).join(', ')}]`
    }
    if (error instanceof this.#runtime.IncompleteReadError) return `${name}(${this.show(error.partial)}, ${this.show(error.expected)})`
    if (error instanceof this.#runtime.LimitOverrunError) return `${name}(${error.consumed})`
    return error instanceof Boom || error instanceof this.#runtime.CancelledError ? `${name}('${error.message}')` : name
  }

  #now(): string {
    return seconds((this.#loop?.time() ?? 0) - this.#began)
  }

  #name(task: TaskLike): string {
    return this.plain(task.getName())
  }

  #state(future: FutureLike, depth: number): string {
    if (!future.done()) return 'pending'
    if (future.cancelled()) return 'cancelled'
    try {
      return this.show(future.result(), depth + 1)
    } catch (error) {
      return this.error(error)
    }
  }
}
