// The page's wire to the event stream: a WebSocket to its own origin, which asks first for all of the history, goes on
// after the last event that it has when it was cut off, and says at any time how it stands.
import { signal } from '@preact/signals'
import type { EventOf, Snapshot } from '../src/events/schema.ts'
import { paths } from '../src/http/paths.ts'
import { admitMessage } from './entry.ts'
import { Intake } from './intake.ts'
import type { Recording } from './recording.ts'

export type ConnectionState = 'connecting' | 'live' | 'lost'

/** Parts of the history that are done without, one after the other, where it moves on too fast for all of it to be had. */
const PARTS = [0, 0.1, 0.5, 0.9]
const FIRST_DELAY = 250
const LONGEST_DELAY = 5000
/** What may wait to be taken in, in messages and characters. Past that the wire is cut, and joined again where the page is. */
const MOST_WAITING = 300_000
const MOST_CHARACTERS = 200_000_000

export interface ConnectionOptions {
  /** Where the API is: the page's folder, or the one above it where the page stands at /view/. */
  base: URL
  recording: Recording
  /** The loop to ask for; null: the server's own. */
  loop?(): string | null
  /** Called when the loop that was asked for stands otherwise than before. */
  onLoop?(): void
  /** Called after each batch of messages. */
  onChange(): void
}

/** Where the API of this page is, from the page's own address. */
export function apiBase(page: string): URL {
  const url = new URL(page)
  url.hash = ''
  url.search = ''
  const folder = url.pathname.replace(/[^/]*$/, '')
  url.pathname = folder.endsWith('/view/') ? folder.slice(0, -'view/'.length) : folder
  return url
}

/**
 * After which events to ask for the past of a loop that has come to `seq`, and of which all since `first` is held: first for
 * all of it; then, as it goes on and forgets meanwhile, for less and less.
 */
export function beginnings(first: number, seq: number): number[] {
  const after = PARTS.map((part) => Math.floor(first - 1 + (seq - first + 1) * part))
  return [...new Set(after)].filter((one, at) => at === 0 || one < seq)
}

/** Milliseconds until the next attempt: doubled each time, with some chance in it. */
export function backoff(attempt: number, random = Math.random()): number {
  return Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** attempt) * (0.75 + random / 2)
}

export class Connection {
  readonly #options: ConnectionOptions
  readonly state = signal<ConnectionState>('connecting')
  /** When the next attempt is, on `performance.now()`'s clock. */
  readonly retryAt = signal<number | null>(null)
  /** Why it was lost, in the server's words. */
  readonly reason = signal('')
  /** Events that the stream said this page missed. */
  readonly dropped = signal(0)
  /** The past is here, as far as it is held. */
  readonly ready = signal(false)
  #socket: WebSocket | null = null
  #epoch: string | null = null
  #loop: string | null = null
  #attempt = 0
  #timer: ReturnType<typeof setTimeout> | undefined
  #closed = false
  readonly #inbox: Intake<string>
  /** Characters in it. */
  #waiting = 0
  /** While the history is being asked for: after which event, what to try next, and the picture at the moment of asking. */
  #since = 0
  #untried: number[] = []
  #present: { seq: number; snapshot: Snapshot } | null = null
  #caughtUp = false
  /** `performance.now()` in seconds, minus the loop's time: the least that was seen. */
  #offset = Infinity

  constructor(options: ConnectionOptions) {
    this.#options = options
    this.#inbox = new Intake((text) => this.#hear(text), () => options.onChange())
  }

  get epoch(): string | null {
    return this.#epoch
  }

  /** The loop that the events are of; null before the first has come. */
  get loop(): string | null {
    return this.#loop
  }

  /** The loop's clock now, as far as it can be told from here. */
  now(): number {
    const { recording } = this.#options
    if (this.#offset === Infinity || this.state.value !== 'live' || recording.loopClosed) return recording.to
    return Math.max(recording.to, performance.now() / 1000 - this.#offset)
  }

  start(): void {
    this.#closed = false
    this.#open()
  }

  /** Try again at once. */
  retry(): void {
    clearTimeout(this.#timer)
    this.#attempt = 0
    if (this.#socket === null) this.#open()
  }

  /** Another loop is meant: forget this one. */
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

  #hear(text: string): void {
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
    this.#loop ??= message.loop
    recording.apply(message, text.length)
    this.#offset = Math.min(this.#offset, performance.now() / 1000 - message.t)
    if (!this.#caughtUp && message.seq >= (this.#present?.seq ?? 0)) this.#catchUp()
  }

  #hello({ epoch, seq, first = 1, snapshot }: EventOf<'stream.hello'>): void {
    const { recording } = this.#options
    this.#attempt = 0
    if (epoch !== this.#epoch) {
      // The first time, or another loop than before: ask again, for its past as well.
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

  /** The whole past is here: what lives without having said a word in it is known from the picture. */
  #catchUp(): void {
    this.#caughtUp = true
    this.ready.value = true
    const present = this.#present
    this.#present = null
    if (present !== null && present.seq >= this.#options.recording.lastSeq) this.#options.recording.restore(present.snapshot)
  }

  /** Begin the conversation anew, with another cursor. */
  #again(): void {
    this.#drop()
    this.#open()
  }

  /** Leave the wire, and what has come over it. */
  #drop(): void {
    const socket = this.#socket
    this.#socket = null
    this.#inbox.clear()
    this.#waiting = 0
    socket?.close(1000)
  }
}
