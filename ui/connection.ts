// The page's connection to the event stream: a WebSocket to its own origin. It first requests the whole history; after a
// lost connection, it continues after the last event that it received.
import { signal } from '@preact/signals'
import { ability, type Ability, type EventOf, type Snapshot } from '../src/events/schema.ts'
import { paths } from '../src/http/paths.ts'
import { admitMessage } from './entry.ts'
import { Intake } from './intake.ts'
import type { Recording } from './recording.ts'

export type ConnectionState = 'connecting' | 'live' | 'lost'

/** Parts of the history to skip, tried in this order where the loop overwrites its history faster than the page can read it. */
const PARTS = [0, 0.1, 0.5, 0.9]
const FIRST_DELAY = 250
const LONGEST_DELAY = 5000
/** The most that may wait in the inbox, in messages and characters. Past that, the page disconnects and reconnects at its cursor. */
const MOST_WAITING = 300_000
const MOST_CHARACTERS = 200_000_000

export interface ConnectionOptions {
  /** Where the API is: the page's folder, or its parent if the page is at /view/. */
  base: URL
  recording: Recording
  /** The loop to request; null: the server's own. */
  loop?(): string | null
  /** Called when the state of the requested loop has changed. */
  onLoop?(): void
  /** Called after each batch of messages. */
  onChange(): void
}

/** The address of the API, from the page's own address. */
export function apiBase(page: string): URL {
  const url = new URL(page)
  url.hash = ''
  url.search = ''
  const folder = url.pathname.replace(/[^/]*$/, '')
  url.pathname = folder.endsWith('/view/') ? folder.slice(0, -'view/'.length) : folder
  return url
}

/**
 * Cursors to request the history from, where the loop is at `seq` and keeps the events since `first`. The first cursor asks
 * for everything. The next ones ask for less, because the loop overwrites old events meanwhile.
 */
export function beginnings(first: number, seq: number): number[] {
  const after = PARTS.map((part) => Math.floor(first - 1 + (seq - first + 1) * part))
  return [...new Set(after)].filter((one, at) => at === 0 || one < seq)
}

/** Milliseconds until the next attempt: doubled each time, with jitter. */
export function backoff(attempt: number, random = Math.random()): number {
  return Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** attempt) * (0.75 + random / 2)
}

export class Connection {
  readonly #options: ConnectionOptions
  readonly state = signal<ConnectionState>('connecting')
  /** When the next attempt is, on `performance.now()`'s clock. */
  readonly retryAt = signal<number | null>(null)
  /** The reason for the lost connection, from the server. */
  readonly reason = signal('')
  /** What there is to see and to do, as far as it is known; null before the first message. */
  readonly can = signal<ReadonlySet<Ability> | null>(null)
  /** Events that this page missed, according to the stream. */
  readonly dropped = signal(0)
  /** The history that the server keeps has arrived. */
  readonly ready = signal(false)
  #socket: WebSocket | null = null
  #epoch: string | null = null
  #loop: string | null = null
  #attempt = 0
  #timer: ReturnType<typeof setTimeout> | undefined
  #closed = false
  readonly #inbox: Intake<string>
  /** Characters in the inbox. */
  #waiting = 0
  /** Used while the history is loading: the cursor, further cursors to try, and the snapshot at the time of the request. */
  #since = 0
  #untried: number[] = []
  #present: { seq: number; snapshot: Snapshot } | null = null
  #caughtUp = false
  /** The smallest difference seen between `performance.now()`, in seconds, and the loop's time. */
  #offset = Infinity

  constructor(options: ConnectionOptions) {
    this.#options = options
    this.#inbox = new Intake((text) => this.#receive(text), () => options.onChange())
  }

  get epoch(): string | null {
    return this.#epoch
  }

  /** The loop that the events come from; null before the first event. */
  get loop(): string | null {
    return this.#loop
  }

  /** An estimate of the loop's clock now. */
  now(): number {
    const { recording } = this.#options
    if (this.#offset === Infinity || this.state.value !== 'live' || recording.loopClosed) return recording.to
    return Math.max(recording.to, performance.now() / 1000 - this.#offset)
  }

  start(): void {
    this.#closed = false
    this.#open()
  }

  /** Reconnects at once. */
  retry(): void {
    clearTimeout(this.#timer)
    this.#attempt = 0
    if (this.#socket === null) this.#open()
  }

  /** Switches to another loop and forgets this one. */
  turn(): void {
    this.#forget(null)
    this.#options.recording.clear()
    this.#loop = null
    this.dropped.value = 0
    this.state.value = 'connecting'
    clearTimeout(this.#timer)
    this.#attempt = 0
    this.#again()
    this.#options.onChange()
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
    this.#socket?.close(1000)
  }

  #url(): URL {
    const { base, recording } = this.#options
    const url = new URL(paths.events.slice(1), base)
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:'
    const loop = this.#options.loop?.() ?? null
    if (loop !== null) url.searchParams.set('loop', loop)
    if (this.#epoch !== null) {
      const seq = this.#caughtUp ? recording.lastSeq : this.#since
      url.searchParams.set('since', `${this.#epoch}:${seq}`)
    }
    return url
  }

  #open(): void {
    this.retryAt.value = null
    let socket: WebSocket
    try {
      socket = new WebSocket(this.#url())
    } catch (error) {
      this.#lost(String(error))
      return
    }
    this.#socket = socket
    socket.onmessage = ({ data }) => {
      if (this.#socket !== socket || typeof data !== 'string') return
      this.#inbox.push(data)
      this.#waiting += data.length
      if (this.#inbox.length <= MOST_WAITING && this.#waiting <= MOST_CHARACTERS) return
      this.#drop()
      this.#lost('the server sends more than this page can process')
    }
    socket.onclose = ({ reason }) => {
      if (this.#socket !== socket) return
      this.#socket = null
      if (!this.#closed) this.#lost(reason)
    }
  }

  #lost(reason: string): void {
    this.state.value = 'lost'
    this.reason.value = reason
    const delay = backoff(this.#attempt++)
    this.retryAt.value = performance.now() + delay
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#open(), delay)
    this.#options.onChange()
  }

  #receive(text: string): void {
    const { recording } = this.#options
    this.#waiting -= text.length
    const message = admitMessage(text)
    if (message === null) {
      recording.malformed++
      return
    }
    switch (message.type) {
      case 'stream.hello':
        this.#hello(message)
        return
      case 'stream.dropped':
        this.#missed(message.count, message.to, message.snapshot)
        return
      case 'stream.bookmark':
        return
      case 'stream.loop':
        this.#options.onLoop?.()
        return
      default:
    }
    if (message.type === 'loop.started') this.#found('tasks')
    if (message.type === 'request.started') this.#found('requests')
    this.#loop ??= message.loop
    recording.apply(message, text.length)
    this.#offset = Math.min(this.#offset, performance.now() / 1000 - message.t)
    if (!this.#caughtUp && message.seq >= (this.#present?.seq ?? 0)) this.#catchUp()
  }

  /** A server that does not say what it can do has everything. */
  #hello({ epoch, seq, first = 1, snapshot, can = ability.options }: EventOf<'stream.hello'>): void {
    const { recording } = this.#options
    this.can.value = new Set(can)
    recording.hasTasks = can.includes('tasks')
    this.#attempt = 0
    if (epoch !== this.#epoch) {
      // The first connection, or a different loop: request its history as well.
      this.#forget(epoch)
      recording.clear()
    }
    if (snapshot !== undefined && !this.#caughtUp) {
      this.#present = { seq, snapshot }
      ;[this.#since = 0, ...this.#untried] = beginnings(first, seq)
      this.#again()
      return
    }
    this.state.value = 'live'
    if (!this.#caughtUp && this.#present !== null) {
      recording.lanes.learnNames(this.#present.snapshot)
      if (this.#present.seq === 0) this.#catchUp()
    }
  }

  /** The program began to have this after the first message. */
  #found(what: Ability): void {
    if (what === 'tasks') this.#options.recording.hasTasks = true
    if (this.can.value?.has(what) === false) this.can.value = new Set(this.can.value).add(what)
  }

  #forget(epoch: string | null): void {
    this.#epoch = epoch
    this.#offset = Infinity
    this.#caughtUp = false
    this.ready.value = false
    this.#present = null
    this.#since = 0
    this.#untried = []
  }

  #missed(count: number, to: number, snapshot: Snapshot | undefined): void {
    const { recording } = this.#options
    const next = this.#caughtUp || recording.events.length > 0 ? undefined : this.#untried.shift()
    if (next !== undefined) {
      this.#since = next
      this.#again()
      return
    }
    if (!this.#caughtUp && snapshot !== undefined && recording.events.length === 0) {
      this.#present = { seq: to, snapshot }
      this.#catchUp()
      this.state.value = 'live'
      return
    }
    this.dropped.value += count
    recording.lose(count, snapshot)
  }

  /** The whole history is here. Tasks that are alive but appear in no event are taken from the snapshot. */
  #catchUp(): void {
    this.#caughtUp = true
    this.ready.value = true
    const present = this.#present
    this.#present = null
    if (present !== null && present.seq >= this.#options.recording.lastSeq) this.#options.recording.restore(present.snapshot)
  }

  /** Reconnects with another cursor. */
  #again(): void {
    this.#drop()
    this.#open()
  }

  /** Disconnects and drops the messages that have arrived. */
  #drop(): void {
    const socket = this.#socket
    this.#socket = null
    this.#inbox.clear()
    this.#waiting = 0
    socket?.close(1000)
  }
}
