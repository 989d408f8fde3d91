// Filters messages from the thread of an untrusted program to the page, in a separate thread. It passes on only valid events
// and messages of the playground, bounded, and no faster than the page processes them.
import { admit, admitEvent, bounded, eventBounds } from '../../entry.ts'
import { LARGEST_SNAPSHOT, parsed, said, type FromGate, type Item, type ToThread } from '../messages.ts'

/**
 * The most that one program may send in total. The thread stops a program before that; if the program has evaded that, the
 * gate ends the thread.
 */
const MOST_MESSAGES = 300_000
const MOST_EVENTS = 120_000
const MOST_CHARACTERS = 32_000_000
/** The most events in one message, and the most that one batch for the page may contain. */
const MOST_IN_ONE = 2000
const MOST_ITEMS = 500
const MOST_BATCH = 500_000
/** Milliseconds between two reports of a blocked thread. */
const HELD_EVERY = 20

export class Gate {
  readonly #toThread: (message: ToThread) => void
  readonly #toPage: (message: FromGate) => void
  readonly #close: () => void
  #waiting: { item: Item; size: number }[] = []
  #head = 0
  /** The page waits for a batch. */
  #wanted = true
  #over = false
  #messages = 0
  #events = 0
  #characters = 0
  #refused = 0
  /** The unanswered ping. */
  #asked: number | null = null
  #heldAt = -Infinity
  /** The program that is to be parsed. */
  #toParse: number | null = null
  #hasSnapshot = false

  /** `close` is called when no further messages of the thread are accepted. */
  constructor(toThread: (message: ToThread) => void, toPage: (message: FromGate) => void, close: () => void) {
    this.#toThread = toThread
    this.#toPage = toPage
    this.#close = close
  }

  /** Processes one message of the thread, whatever it contains. */
  hear(data: unknown, now = performance.now()): void {
    if (this.#over) return
    if (++this.#messages > MOST_MESSAGES) {
      this.#end(`It sent more than the ${MOST_MESSAGES} messages that this page takes.`)
      return
    }
    if (isEvents(data)) {
      for (let at = 0; at < data.events.length && at < MOST_IN_ONE && !this.#over; at++) this.#event(data.events[at])
      this.#refused += Math.max(0, data.events.length - MOST_IN_ONE)
    } else if (isParsed(data)) this.#parsed(data)
    else if (isSnapshot(data)) this.#snapshot(data.snapshot)
    else this.#say(data, now)
    this.#flush()
  }

  /** The page has processed the last batch. */
  more(): void {
    this.#wanted = true
    this.#flush()
  }

  /**
   * Asks the thread for a sign of life. A thread that has ended cannot answer, though its messages may still be queued, so
   * the gate answers for it.
   */
  ping(count: number): void {
    this.#asked = count
    if (this.#over) this.#pong(count, false)
    else this.#toThread({ type: 'ping', count })
  }

  /** Passes a message on to the thread, unless it has ended. */
  pass(message: ToThread): void {
    if (this.#over) return
    if (message.type === 'parse') this.#toParse = message.id
    this.#toThread(message)
  }

  /** The page has ended the thread: what it has sent before is still passed on. */
  close(): void {
    if (!this.#over) this.#say({ type: 'ended', outcome: 'cancelled', failure: null, note: null }, 0)
    this.#flush()
  }

  #event(value: unknown): void {
    const left = eventBounds()
    const before = left.characters
    const event = admitEvent(value, left)
    if (event === null) {
      this.#refused++
      return
    }
    if (++this.#events > MOST_EVENTS) this.#end(`It sent more than the ${MOST_EVENTS} events that this page takes.`)
    else this.#put({ type: 'event', event }, before - left.characters)
  }

  #say(value: unknown, now: number): void {
    const left = eventBounds()
    const before = left.characters
    const message = admit(said, bounded(value, left))
    if (message === null) {
      this.#refused++
      return
    }
    switch (message.type) {
      // These two are about this moment, so they overtake the queued messages. Both are rare enough for the page.
      case 'pong':
        this.#pong(message.count, message.idle)
        break
      case 'held':
        if (now - this.#heldAt < HELD_EVERY) return
        this.#heldAt = now
        this.#toPage({ items: [message], refused: this.#refused })
        break
      case 'ended':
        this.#over = true
        this.#put(message, before - left.characters)
        this.#close()
        // The thread will not answer this ping.
        if (this.#asked !== null) this.#pong(this.#asked, false)
        break
      default:
        this.#put(message, before - left.characters)
    }
  }

  /** Passes on one, of a bounded size. The page takes it only before it has given the thread a program. */
  #snapshot(snapshot: Blob): void {
    if (this.#hasSnapshot || snapshot.size > LARGEST_SNAPSHOT) {
      this.#refused++
      return
    }
    this.#hasSnapshot = true
    this.#toPage({ items: [], refused: this.#refused, snapshot })
  }

  /** Passes on an answer that the page waits for. It is not cut like other messages, but has bounds of its own. */
  #parsed(value: unknown): void {
    const { data } = parsed.safeParse(value)
    if (data === undefined || data.id !== this.#toParse) {
      this.#refused++
      return
    }
    this.#toParse = null
    this.#toPage({ items: [], refused: this.#refused, parsed: data })
  }

  #pong(count: number, idle: boolean): void {
    if (count !== this.#asked) return
    this.#asked = null
    this.#toPage({ items: [{ type: 'pong', count, idle }], refused: this.#refused })
  }

  #put(item: Item, size: number): void {
    this.#characters += size
    if (this.#characters > MOST_CHARACTERS) this.#end(`It sent more than the ${MOST_CHARACTERS} characters that this page takes.`)
    else this.#waiting.push({ item, size })
  }

  #end(over: string): void {
    this.#over = true
    this.#waiting = []
    this.#head = 0
    this.#close()
    this.#toPage({ items: [], refused: this.#refused, over })
  }

  #flush(): void {
    if (!this.#wanted || this.#head === this.#waiting.length) return
    const items: Item[] = []
    for (let size = 0; this.#head < this.#waiting.length && items.length < MOST_ITEMS && size < MOST_BATCH;) {
      const next = this.#waiting[this.#head++] as { item: Item; size: number }
      items.push(next.item)
      size += next.size
      // The page keeps only one of these.
      if (next.item.type === 'stop') this.#characters -= next.size
    }
    if (this.#head === this.#waiting.length) {
      this.#waiting = []
      this.#head = 0
    }
    this.#wanted = false
    this.#toPage({ items, refused: this.#refused })
  }
}

function isSnapshot(data: unknown): data is { snapshot: Blob } {
  return typeof data === 'object' && data !== null && 'type' in data && data.type === 'snapshot' && 'snapshot' in data && data.snapshot instanceof Blob
}

function isParsed(data: unknown): boolean {
  return typeof data === 'object' && data !== null && 'type' in data && data.type === 'parsed'
}

function isEvents(data: unknown): data is { events: unknown[] } {
  return typeof data === 'object' && data !== null && 'type' in data && data.type === 'events' && 'events' in data && Array.isArray(data.events)
}
