// Messages from the thread to the page. Events are batched, but sent early: once the program blocks the thread, no timer can
// send them.
import type { LoopEvent } from '../../../src/events/schema.ts'
import { STRIDE, type FromThread } from '../messages.ts'
import type { Sources } from './failure.ts'

/** Messages that may be sent at once, and how many more each millisecond. Past that, events are batched. */
const AT_ONCE = 100
const EACH_MS = 1
/** The longest delay of an event (ms), while the program runs on. */
const LATEST = 4
const MOST_IN_ONE = 500
/** A program that exceeds this is stopped, because the page keeps everything. */
const MOST_EVENTS = 100_000
const MOST_LINES = 10_000

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

  /** `onFull` is called once the program exceeds a limit. */
  constructor(port: MessagePort, sources: Sources, onFull: (what: string) => void) {
    this.#port = port
    this.#sources = sources
    this.#onFull = onFull
  }

  /** Takes an event of the program's loop with this number, from 0. */
  event(event: LoopEvent, loop: number): void {
    if (this.#closed) return
    this.#waiting.push(this.#translate(event, loop * STRIDE))
    if (event.type === 'task.printed') this.#countLine()
    if (this.#seq === MOST_EVENTS) this.#onFull(`${MOST_EVENTS} events`)
    const since = performance.now() - this.#sentAt
    if (this.#waiting.length >= MOST_IN_ONE || since >= LATEST || this.#allowed + since * EACH_MS >= 1) this.flush()
    else this.#timer ??= setTimeout(() => this.flush(), LATEST)
  }

  send(message: FromThread): void {
    if (this.#closed) return
    this.flush()
    this.#port.postMessage(message)
    if (message.type === 'line') this.#countLine()
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

  /** Sends the rest, then nothing more. */
  close(): void {
    this.flush()
    this.#closed = true
  }

  #countLine(): void {
    if (++this.#lines === MOST_LINES) this.#onFull(`${MOST_LINES} lines`)
  }

  #translate(event: LoopEvent, base: number): LoopEvent {
    const copy = { ...event, seq: ++this.#seq } as LoopEvent & { task?: number; parent?: number; by?: number; queue?: number }
    if (base > 0) {
      for (const key of ['task', 'parent', 'by', 'queue'] as const) if (copy[key] !== undefined) copy[key] += base
      if (copy.type === 'task.suspended') {
        const { task, holder, owners } = copy.on
        copy.on = { ...copy.on, ...(task === undefined ? {} : { task: task + base }), ...(holder === undefined ? {} : { holder: holder + base }), ...(owners === undefined ? {} : { owners: owners.map((owner) => owner + base) }) }
      }
    }
    if ((copy.type === 'task.suspended' || copy.type === 'task.created') && copy.location !== undefined) copy.location = this.#sources.place(copy.location)
    return copy
  }
}
