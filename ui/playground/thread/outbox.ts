// What goes from the thread to the page. Events go in batches, but never later than they can: a program that holds the
// thread gives no second chance to send them.
import type { LoopEvent } from '../../../src/events/schema.ts'
import type { FromThread } from '../messages.ts'
import type { Sources } from './failure.ts'

/** Messages that may go at once, and how many more each millisecond; past that, events wait for each other. */
const AT_ONCE = 100
const EACH_MS = 1
/** But not longer than this (ms), in the middle of the program's work if need be. */
const LATEST = 4
const MOST_IN_ONE = 500
/** A program that does this much is stopped: the page keeps all of it. */
const MOST_EVENTS = 100_000
const MOST_LINES = 10_000
/** Task and queue ids of each further loop of a program start so much higher: the page knows one loop only. */
const STRIDE = 1_000_000

export class Outbox {
  readonly #port: MessagePort
  readonly #sources: Sources
  readonly #onFull: (what: string) => void
  #waiting: LoopEvent[] = []
  #sentAt = 0
  #allowed = AT_ONCE
  #timer: ReturnType<typeof setTimeout> | null = null
  #seq = 0
  #lines = 0
  #closed = false

  /** `onFull` is called once the program has said more than it may. */
  constructor(port: MessagePort, sources: Sources, onFull: (what: string) => void) {
    this.#port = port
    this.#sources = sources
    this.#onFull = onFull
  }

  /** Take an event of the program's first, second … loop. */
  event(event: LoopEvent, loop: number): void {
    if (this.#closed) return
    this.#waiting.push(this.#translate(event, loop * STRIDE))
    if (event.type === 'task.printed' && ++this.#lines === MOST_LINES) this.#onFull(`${MOST_LINES} lines`)
    if (this.#seq === MOST_EVENTS) this.#onFull(`${MOST_EVENTS} events`)
    const since = performance.now() - this.#sentAt
    if (this.#waiting.length >= MOST_IN_ONE || since >= LATEST || this.#allowed + since * EACH_MS >= 1) this.flush()
    else this.#timer ??= setTimeout(() => this.flush(), LATEST)
  }

  send(message: FromThread): void {
    if (this.#closed) return
    this.flush()
    this.#port.postMessage(message)
  }

  flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    const now = performance.now()
    this.#allowed = Math.max(0, Math.min(AT_ONCE, this.#allowed + (now - this.#sentAt) * EACH_MS) - 1)
    this.#sentAt = now
    if (this.#waiting.length === 0) return
    const events = this.#waiting
    this.#waiting = []
    this.#port.postMessage({ type: 'events', events } satisfies FromThread)
  }

  /** Send nothing more. */
  close(): void {
    this.flush()
    this.#closed = true
  }

  #translate(event: LoopEvent, base: number): LoopEvent {
    const copy = { ...event, seq: ++this.#seq } as LoopEvent & { task?: number; parent?: number; by?: number; queue?: number }
    if (base > 0) {
      for (const key of ['task', 'parent', 'by', 'queue'] as const) if (copy[key] !== undefined) copy[key] += base
      if (copy.type === 'task.suspended' && copy.on.task !== undefined) copy.on = { ...copy.on, task: copy.on.task + base }
    }
    if ((copy.type === 'task.suspended' || copy.type === 'task.created') && copy.location !== undefined) copy.location = this.#sources.place(copy.location)
    return copy
  }
}
