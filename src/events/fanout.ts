// Hands a loop's events to subscribers. Subscribers have no buffers: a subscriber is a cursor in the history, and takes
// from there when his sink has room. Who is too slow finds that the history has moved on, and is told what he missed.
import type { EventOf, EventType, LoopEvent, Snapshot } from './schema.ts'
import type { Cursor, History } from './history.ts'
import { matcher, type Filter } from './filter.ts'

/** What the fan-out needs of a recorder. */
export interface Source {
  readonly history: History
  snapshot(): Snapshot
  /** How the loop stands, where it is one of several. */
  standing?(): EventOf<'stream.loop'>
  /** Call `listener` when there is something new. */
  listen(listener: () => void): () => void
}

/** Where a subscriber's messages go. */
export interface Sink {
  /** A batch of messages as JSON, each with its type and, for an event of the loop, its `seq`; `false`: no more until `resume()`. */
  write(batch: readonly Message[]): boolean
  /** Messages of several loops come here, and each must say where all of them stand. */
  readonly cursors?: boolean
  /** Nothing will follow: the loop or the server has ended. */
  end(reason: string): void
}

export interface Message {
  type: string
  /** The cursor after this message; a message of the stream itself has none. */
  seq: number | null
  json: string
  /** The cursors of several loops after this message, where it is not of one alone. */
  cursor?: string
}

export interface SubscribeOptions extends Filter {
  /** Go on after this event; without it only what comes from now on is sent. */
  since?: Cursor | undefined
  /** The loop, where it was asked for by its name: what the stream says of itself then carries it. */
  loop?: string | undefined
}

/** How many events go to a sink at once. */
const BATCH = 512
/** Who has missed events is told the news among as many as these that came last. */
const MOST_PASSED = 512
/** A filtered subscriber hears where the stream stands after this many events that were not for him. */
const BOOKMARK_EVERY = 1000
/** Events are gathered for this long, so that many share a write. */
const COALESCE_MS = 5
/** So many batches are sent at once, or one to each subscriber; then whoever shares this thread has his turn. */
const BATCHES_AT_ONCE = 4
const GO_ON_MS = 1
/** The last batches of so many filters are kept. */
const MOST_FILTERS = 64

export class Subscription {
  readonly #fanout: Fanout
  readonly #sink: Sink
  readonly #loop: { loop?: string }
  #filter: Wanted
  /** Another filter, from when there is room for saying so. */
  #wish: Filter | null = null
  /** The last event that was sent or passed over. */
  #seq: number
  #told: number
  #blocked = false
  #closed = false
  /** How the loop stands has changed, and was not told yet. */
  #changed = false

  constructor(fanout: Fanout, sink: Sink, options: SubscribeOptions) {
    this.#fanout = fanout
    this.#sink = sink
    this.#filter = wanted(options)
    this.#loop = options.loop === undefined ? {} : { loop: options.loop }
    const { history } = fanout.source
    const { since } = options
    const fits = since !== undefined && since.epoch === history.epoch && since.seq <= history.last
    this.#seq = fits ? since.seq : history.last
    this.#told = this.#seq
    const hello: EventOf<'stream.hello'> = { type: 'stream.hello', epoch: history.epoch, seq: this.#seq, ...this.#loop }
    if (since === undefined) {
      hello.first = history.first
      hello.snapshot = fanout.source.snapshot()
    }
    this.#write([say(hello)])
    // A cursor of another epoch: what it missed cannot be counted.
    if (since !== undefined && !fits) this.#lost(0, 0)
    if (fanout.source.standing?.().state !== 'live') this.announce()
  }

  /** The last event that this subscriber is through with. */
  get seq(): number {
    return this.#seq
  }

  /** The sink has room again. What there is follows soon, not at once: sinks come here from where nobody else has a turn. */
  resume(): void {
    if (!this.#blocked) return
    this.#blocked = false
    this.#fanout.goOn()
  }

  /** Go on with another filter; a `stream.hello` says from where. While there is no room, only the last wish counts. */
  change(filter: Filter): void {
    this.#wish = filter
    this.pump()
  }

  close(): void {
    this.#closed = true
    this.#fanout.remove(this)
  }

  /** @internal Tell how the loop stands, once there is room. */
  announce(): void {
    this.#changed = true
    if (!this.#blocked) this.#stand()
  }

  #stand(): void {
    const standing = this.#fanout.source.standing?.()
    this.#changed = false
    if (standing !== undefined && this.#loop.loop !== undefined && !this.#closed) this.#write([say(standing)])
  }

  /** @internal Send what there is, as far as the sink takes it, and at most so many batches. */
  pump(batches = this.#fanout.share): void {
    if (this.#wish !== null && !this.#blocked && !this.#closed) this.#turn(this.#wish)
    if (this.#changed && !this.#blocked) this.#stand()
    const { history } = this.#fanout.source
    while (!this.#blocked && !this.#closed && this.#seq < history.last) {
      if (batches-- <= 0) {
        this.#fanout.goOn()
        return
      }
      const { to, messages } = this.#fanout.batch(this.#filter, this.#seq)
      if (to === this.#seq) {
        this.#drop()
        continue
      }
      this.#seq = to
      if (messages.length > 0) {
        this.#told = messages.at(-1)?.seq ?? to
        this.#write(messages)
      }
      if (this.#seq - this.#told >= BOOKMARK_EVERY && !this.#blocked) {
        this.#told = this.#seq
        this.#write([{ ...say({ type: 'stream.bookmark', epoch: history.epoch, seq: this.#seq, ...this.#loop }), seq: this.#seq }])
      }
    }
  }

  /** @internal */
  end(reason: string): void {
    if (this.#closed) return
    this.pump(Infinity)
    this.#closed = true
    this.#sink.end(reason)
  }

  /** Too slow, or the recording was: what lies between is gone. A snapshot stands for it, and the stream goes on from there. */
  #drop(): void {
    const { history } = this.#fanout.source
    const from = this.#seq + 1
    const { matches } = this.#filter
    const news: Message[] = []
    for (const event of history.pushedSince(from, MOST_PASSED)) {
      if (NEWS.has(event.type) && (matches === null || matches(event))) news.push(tell(history, event))
    }
    this.#seq = history.last
    this.#told = this.#seq
    const count = this.#seq - from + 1 - news.length
    this.#fanout.dropped += count
    if (news.length > 0) this.#write(news)
    this.#lost(count, from)
  }

  /** @internal The loop has begun again: nothing from before is valid. */
  restart(): void {
    if (this.#closed) return
    this.#seq = this.#fanout.source.history.last
    this.#told = this.#seq
    this.#hello()
    this.#lost(0, 0)
  }

  #turn(filter: Filter): void {
    this.#wish = null
    this.#filter = wanted(filter)
    this.#told = this.#seq
    this.#hello()
  }

  #hello(): void {
    this.#write([say({ type: 'stream.hello', epoch: this.#fanout.source.history.epoch, seq: this.#seq, ...this.#loop })])
  }

  #lost(count: number, from: number): void {
    this.#write([say({ type: 'stream.dropped', count, from, to: this.#seq, snapshot: this.#fanout.source.snapshot(), ...this.#loop })])
  }

  #write(batch: readonly Message[]): void {
    if (!this.#sink.write(batch)) this.#blocked = true
  }
}

function say(message: EventOf<'stream.hello' | 'stream.dropped' | 'stream.bookmark' | 'stream.loop'>): Message {
  return { type: message.type, seq: null, json: JSON.stringify(message) }
}

function tell(history: History, event: LoopEvent): Message {
  return { type: event.type, seq: event.seq, json: history.encoded(event) }
}

/** A filter, and the name under which subscribers share it. */
interface Wanted {
  readonly key: string
  readonly matches: ((event: LoopEvent) => boolean) | null
}

/** What is in no snapshot: it is told of even to who has missed what was around it. */
const NEWS: ReadonlySet<string> = new Set<EventType>(['loop.blocked', 'loop.unblocked', 'warning', 'run.finished'])

function wanted(filter: Filter): Wanted {
  const { types, run, task, request } = filter
  const matches = matcher(filter)
  return { matches, key: matches === null ? '' : JSON.stringify([types === undefined ? null : [...types].sort(), run, task, request]) }
}

/** The messages from one place in the history to another. */
interface Batch {
  readonly from: number
  readonly to: number
  readonly messages: readonly Message[]
}

export class Fanout {
  readonly source: Source
  /** The last batch of each filter: whoever stands at the same place gets the very same one. */
  readonly #batches = new Map<string, Batch>()
  /** How many events subscribers have missed, in all. */
  dropped = 0
  readonly #subscriptions = new Set<Subscription>()
  #stopListening: (() => void) | null = null
  #timer: NodeJS.Timeout | null = null
  #dueIn = 0

  constructor(source: Source) {
    this.source = source
  }

  get size(): number {
    return this.#subscriptions.size
  }

  /** @internal How many batches each may send at once. */
  get share(): number {
    return Math.max(1, Math.floor(BATCHES_AT_ONCE / this.#subscriptions.size))
  }

  /** @internal A subscriber has more to send. */
  goOn(): void {
    this.#schedule(GO_ON_MS)
  }

  /** Send events to `sink`, from now or from a cursor on. */
  subscribe(sink: Sink, options: SubscribeOptions = {}): Subscription {
    const subscription = new Subscription(this, sink, options)
    this.#subscriptions.add(subscription)
    this.#stopListening ??= this.source.listen(() => this.#schedule())
    subscription.pump()
    return subscription
  }

  /** @internal What follows event `from`, for all who have this filter and stand there. Empty where that is lost. */
  batch({ key, matches }: Wanted, from: number): Batch {
    const { history } = this.source
    const last = this.#batches.get(key)
    if (last !== undefined && last.from === from && (last.messages.length >= BATCH || last.to === history.last)) return last
    const messages: Message[] = []
    let to = from
    while (to < history.last && messages.length < BATCH) {
      const event = history.find(to + 1)
      if (event === null) break
      to++
      if (matches === null || matches(event)) messages.push(tell(history, event))
    }
    const batch = { from, to, messages }
    if (!this.#batches.has(key) && this.#batches.size >= MOST_FILTERS) this.#batches.clear()
    this.#batches.set(key, batch)
    return batch
  }

  /** The loop has begun again, with another history: all subscribers continue there, and receive a message that says so. */
  restart(): void {
    this.#batches.clear()
    for (const subscription of this.#subscriptions) subscription.restart()
  }

  /** The loop stands otherwise than before: those who have asked for it by name are told. */
  announce(): void {
    this.flush()
    for (const subscription of this.#subscriptions) subscription.announce()
  }

  /** Tell all subscribers that it is over. */
  end(reason: string): void {
    for (const subscription of this.#subscriptions) subscription.end(reason)
    this.#subscriptions.clear()
    this.#idle()
  }

  /** @internal */
  remove(subscription: Subscription): void {
    this.#subscriptions.delete(subscription)
    if (this.#subscriptions.size === 0) this.#idle()
  }

  #idle(): void {
    this.#stopListening?.()
    this.#stopListening = null
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    this.#batches.clear()
  }

  /** Send what there is now: it will not wait for more to come. */
  flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    for (const subscription of this.#subscriptions) subscription.pump()
  }

  #schedule(ms = COALESCE_MS): void {
    if (this.#timer !== null) {
      if (ms >= this.#dueIn) return
      clearTimeout(this.#timer)
    }
    this.#dueIn = ms
    this.#timer = setTimeout(() => this.flush(), ms)
    this.#timer.unref()
  }
}
