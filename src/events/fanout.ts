// Sends a loop's events to subscribers. Subscribers share one history and keep only a cursor in it. A slow subscriber loses
// overwritten events and receives `stream.dropped` with the count.
import type { Ability, EventOf, EventType, LoopEvent, Snapshot } from './schema.ts'
import type { Cursor, History } from './history.ts'
import { stamp } from './builder.ts'
import { matcher, type Filter } from './filter.ts'

/** What the fan-out needs from a recorder. */
export interface Source {
  readonly history: History
  snapshot(): Snapshot
  /** Seconds on the loop's clock, if that goes on without events. */
  now?(): number
  /** The state of the loop, if it is one of several. */
  standing?(): EventOf<'stream.loop'>
  /** What can be seen and done on the loop. */
  can?(): readonly Ability[]
  /** Milliseconds since 1970 at which the loop's clock showed zero. */
  readonly origin?: number
  /** Nothing happens any more: it is a recording. */
  readonly recorded?: boolean
  /** Calls `listener` when there are new events. */
  listen(listener: () => void): () => void
}

/** Where a subscriber's messages go. */
export interface Sink {
  /** Writes a batch of messages; `false` means: wait for `resume()`. */
  write(batch: readonly Message[]): boolean
  /** Messages of several loops arrive here, and each one must carry the cursors of all loops. */
  readonly cursors?: boolean
  /** Nothing will follow: the loop or the server has ended. */
  end(reason: string): void
}

export interface Message {
  type: string
  /** The cursor after this message, `null` for a message about the stream itself. */
  seq: number | null
  json: string
  /** The cursors of several loops after this message, if the stream is of several loops. */
  cursor?: string
}

export interface SubscribeOptions extends Filter {
  /** Resume after this event, or begin with the first event that is kept. Without it, only new events are sent. */
  since?: Cursor | 'first' | undefined
  /** The loop, if it was requested by name: messages about the stream then carry it. */
  loop?: string | undefined
  /** What the process that answers can do. */
  offers?: readonly Ability[] | undefined
}

/** The most events in one write to a sink. */
const BATCH = 512
/** A subscriber that missed events still receives the important ones among this many last events. */
const MOST_REPLAYED = 512
/** A filtered subscriber receives a bookmark after this many events that its filter excluded. */
const BOOKMARK_EVERY = 1000
/** A subscriber that received nothing for this long receives a bookmark: the sign that the stream is alive. */
const SIGN_OF_LIFE_MS = 1000
/** Events are collected for this long, so that many share a write. */
const COALESCE_MS = 5
/** Batches sent before the thread does other work: this many in all, but at least one to each subscriber. */
const BATCHES_AT_ONCE = 4
const GO_ON_MS = 1
/** The most filters whose last batch is kept. */
const MOST_FILTERS = 64

export class Subscription {
  readonly #fanout: Fanout
  readonly #sink: Sink
  readonly #loop: { loop?: string }
  /** The last event of the past that was requested: up to here, the snapshot of the hello is still to come into effect. */
  #past = 0
  readonly #offers: readonly Ability[]
  #filter: CompiledFilter
  /** A new filter, until the sink has room for the `stream.hello` that announces it. */
  #nextFilter: Filter | null = null
  /** The last event that was sent or skipped. */
  #seq: number
  #reported: number
  #blocked = false
  #closed = false
  /** The state of the loop has changed and is not yet sent. */
  #changed = false
  /** Nothing was written since the last look. */
  #quiet = false

  constructor(fanout: Fanout, sink: Sink, options: SubscribeOptions) {
    this.#fanout = fanout
    this.#sink = sink
    this.#filter = compile(options)
    this.#loop = options.loop === undefined ? {} : { loop: options.loop }
    this.#offers = options.offers ?? []
    const { history } = fanout.source
    const { since } = options
    const cursor = since === 'first' ? { epoch: history.epoch, seq: history.first - 1 } : since
    const fits = cursor !== undefined && cursor.epoch === history.epoch && cursor.seq <= history.last
    this.#seq = fits ? cursor.seq : history.last
    this.#reported = this.#seq
    const hello: EventOf<'stream.hello'> = { type: 'stream.hello', epoch: history.epoch, seq: this.#seq, ...this.#loop, ...this.#can() }
    if (fanout.source.origin !== undefined) hello.origin = fanout.source.origin
    if (fanout.source.recorded === true) hello.recorded = true
    if (since === 'first') this.#past = history.last
    if (since === undefined || since === 'first') {
      hello.first = history.first
      hello.snapshot = fanout.source.snapshot()
    }
    this.#write([streamMessage(hello)])
    // The cursor is of another epoch: the missed events cannot be counted.
    if (cursor !== undefined && !fits) this.#lost(0, 0)
    if (fanout.source.standing?.().state !== 'live') this.announce()
  }

  /** The last event that was sent, or that the filter excluded. */
  get seq(): number {
    return this.#seq
  }

  /** The sink has room again. Events follow soon, not at once: a sink may call this while others wait for the thread. */
  resume(): void {
    if (!this.#blocked) return
    this.#blocked = false
    this.#fanout.continueSoon()
  }

  /** Changes the filter; a `stream.hello` says from which event on. While the sink has no room, only the last change counts. */
  change(filter: Filter): void {
    this.#nextFilter = filter
    this.pump()
  }

  close(): void {
    this.#closed = true
    this.#fanout.remove(this)
  }

  /** @internal Sends the state of the loop, as soon as the sink has room. */
  announce(): void {
    this.#changed = true
    if (!this.#blocked) this.#stand()
  }

  #stand(): void {
    const standing = this.#fanout.source.standing?.()
    this.#changed = false
    if (standing !== undefined && this.#loop.loop !== undefined && !this.#closed) this.#write([streamMessage(standing)])
  }

  /** @internal Sends events until the sink is full, at most this many batches. */
  pump(batches = this.#fanout.share): void {
    if (this.#nextFilter !== null && !this.#blocked && !this.#closed) this.#changeFilter(this.#nextFilter)
    if (this.#changed && !this.#blocked) this.#stand()
    const { history } = this.#fanout.source
    while (!this.#blocked && !this.#closed && this.#seq < history.last) {
      if (batches-- <= 0) {
        this.#fanout.continueSoon()
        return
      }
      const { to, messages } = this.#fanout.batch(this.#filter, this.#seq)
      if (to === this.#seq) {
        this.#drop()
        continue
      }
      this.#seq = to
      if (messages.length > 0) {
        this.#reported = messages.at(-1)?.seq ?? to
        this.#write(messages)
      }
      if (this.#seq - this.#reported >= BOOKMARK_EVERY && !this.#blocked) this.#bookmark()
    }
  }

  /** @internal Sends a sign of life, if nothing else was sent since the last call. */
  live(): void {
    if (this.#quiet && !this.#blocked && !this.#closed) this.#bookmark()
    this.#quiet = true
  }

  #bookmark(): void {
    const { source } = this.#fanout
    const seq = this.#reported = this.#seq
    const now = source.now === undefined ? {} : { now: stamp(source.now()) }
    this.#write([{ ...streamMessage({ type: 'stream.bookmark', epoch: source.history.epoch, seq, ...now, ...this.#loop }), seq }])
  }

  /** @internal */
  end(reason: string): void {
    if (this.#closed) return
    this.pump(Infinity)
    this.#closed = true
    this.#sink.end(reason)
  }

  /** The next events are gone: the subscriber was too slow, or the recording lost them. It receives a snapshot in their place. */
  #drop(): void {
    const { history } = this.#fanout.source
    const from = this.#seq + 1
    // The past is overwritten while it is sent. Half of what is kept is left out, so that this happens a few times at most.
    const next = Math.max(history.first, Math.floor((history.first + history.last) / 2))
    if (next <= this.#past) {
      this.#seq = this.#reported = next - 1
      this.#fanout.dropped += next - from
      this.#write([streamMessage({ type: 'stream.dropped', count: next - from, from, to: this.#seq, ...this.#loop })])
      return
    }
    const { matches } = this.#filter
    const replayed: Message[] = []
    for (const event of history.pushedSince(from, MOST_REPLAYED)) {
      if (REPLAYED_AFTER_GAP.has(event.type) && (matches === null || matches(event))) replayed.push(messageOf(history, event))
    }
    this.#seq = history.last
    this.#reported = this.#seq
    const count = this.#seq - from + 1 - replayed.length
    this.#fanout.dropped += count
    if (replayed.length > 0) this.#write(replayed)
    this.#lost(count, from)
  }

  /** @internal The loop has started again: nothing from before is valid. */
  restart(): void {
    if (this.#closed) return
    this.#seq = this.#fanout.source.history.last
    this.#reported = this.#seq
    this.#past = 0
    this.#hello()
    this.#lost(0, 0)
  }

  #changeFilter(filter: Filter): void {
    this.#nextFilter = null
    this.#filter = compile(filter)
    this.#reported = this.#seq
    this.#hello()
  }

  #hello(): void {
    this.#write([streamMessage({ type: 'stream.hello', epoch: this.#fanout.source.history.epoch, seq: this.#seq, ...this.#loop, ...this.#can() })])
  }

  #can(): { can?: Ability[] } {
    const ofLoop = this.#fanout.source.can?.()
    return ofLoop === undefined ? {} : { can: [...ofLoop, ...this.#offers] }
  }

  #lost(count: number, from: number): void {
    this.#write([streamMessage({ type: 'stream.dropped', count, from, to: this.#seq, snapshot: this.#fanout.source.snapshot(), ...this.#loop })])
  }

  #write(batch: readonly Message[]): void {
    this.#quiet = false
    if (!this.#sink.write(batch)) this.#blocked = true
  }
}

function streamMessage(message: EventOf<'stream.hello' | 'stream.dropped' | 'stream.bookmark' | 'stream.loop'>): Message {
  return { type: message.type, seq: null, json: JSON.stringify(message) }
}

function messageOf(history: History, event: LoopEvent): Message {
  return { type: event.type, seq: event.seq, json: history.encoded(event) }
}

/** A filter, and the key under which subscribers share it. */
interface CompiledFilter {
  readonly key: string
  readonly matches: ((event: LoopEvent) => boolean) | null
}

/** No snapshot contains these, so a subscriber that missed events still receives them. */
const REPLAYED_AFTER_GAP: ReadonlySet<string> = new Set<EventType>(['loop.blocked', 'loop.unblocked', 'warning', 'run.finished'])

function compile(filter: Filter): CompiledFilter {
  const { types, run, task, request } = filter
  const matches = matcher(filter)
  return { matches, key: matches === null ? '' : JSON.stringify([types === undefined ? null : [...types].sort(), run, task, request]) }
}

/** The messages between two positions in the history. */
interface Batch {
  readonly from: number
  readonly to: number
  readonly messages: readonly Message[]
}

export class Fanout {
  readonly source: Source
  /** The last batch of each filter: subscribers with the same filter and cursor share it. */
  readonly #batches = new Map<string, Batch>()
  /** How many events subscribers have missed in all. */
  dropped = 0
  readonly #subscriptions = new Set<Subscription>()
  #stopListening: (() => void) | null = null
  #timer: NodeJS.Timeout | null = null
  #dueIn = 0
  /** One for all subscribers. */
  #signs: NodeJS.Timeout | null = null

  constructor(source: Source) {
    this.source = source
  }

  get size(): number {
    return this.#subscriptions.size
  }

  /** @internal The most batches that each subscriber may send at once. */
  get share(): number {
    return Math.max(1, Math.floor(BATCHES_AT_ONCE / this.#subscriptions.size))
  }

  /** @internal A subscriber has more to send. */
  continueSoon(): void {
    this.#schedule(GO_ON_MS)
  }

  /** Sends events to `sink`, starting now or after a cursor. */
  subscribe(sink: Sink, options: SubscribeOptions = {}): Subscription {
    const subscription = new Subscription(this, sink, options)
    this.#subscriptions.add(subscription)
    this.#stopListening ??= this.source.listen(() => this.#schedule())
    this.#signs ??= setInterval(() => this.#live(), SIGN_OF_LIFE_MS).unref()
    subscription.pump()
    return subscription
  }

  /** @internal The messages after event `from` for this filter. Empty if the next event is lost. */
  batch({ key, matches }: CompiledFilter, from: number): Batch {
    const { history } = this.source
    const last = this.#batches.get(key)
    if (last !== undefined && last.from === from && (last.messages.length >= BATCH || last.to === history.last)) return last
    const messages: Message[] = []
    let to = from
    while (to < history.last && messages.length < BATCH) {
      const event = history.find(to + 1)
      if (event === null) break
      to++
      if (matches === null || matches(event)) messages.push(messageOf(history, event))
    }
    const batch = { from, to, messages }
    if (!this.#batches.has(key) && this.#batches.size >= MOST_FILTERS) this.#batches.clear()
    this.#batches.set(key, batch)
    return batch
  }

  /** The loop has started again with another history: all subscribers continue there and receive a message about it. */
  restart(): void {
    this.#batches.clear()
    for (const subscription of this.#subscriptions) subscription.restart()
  }

  /** The state of the loop has changed: sends it to subscribers that requested the loop by name. */
  announce(): void {
    this.flush()
    for (const subscription of this.#subscriptions) subscription.announce()
  }

  /** Ends all subscriptions. */
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
    if (this.#signs !== null) clearInterval(this.#signs)
    this.#signs = null
    this.#batches.clear()
  }

  #live(): void {
    for (const subscription of this.#subscriptions) subscription.live()
  }

  /** Sends what is there now, without waiting for more. */
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
