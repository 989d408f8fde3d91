// The page's connection to the event stream: a WebSocket to its own origin. It begins with the first event that the server
// keeps; after a lost connection, it continues after the last event that it received.
import { signal } from '@preact/signals'
import { ability, type Ability, type EventOf, type Snapshot } from '../src/events/schema.ts'
import { paths } from '../src/http/paths.ts'
import { admitMessage } from './entry.ts'
import { Intake } from './intake.ts'
import type { Recording } from './recording.ts'

/** `silent`: connected, but nothing arrives, not even the stream's sign of life. */
export type ConnectionState = 'connecting' | 'live' | 'silent' | 'lost'

const FIRST_DELAY = 250
const LONGEST_DELAY = 5000
/** The stream sends something every second. After this many ms without anything it counts as silent. */
const SILENT = 3000
/** Up to here, in ms, the loop's clock is expected to have gone on since the last message. */
const EXPECTED = 1500
const LOOK = 500
/** How long, in ms, a silent server has for the answer to a question, and a new connection for its first message. */
const PROBE = 5000
const LONGEST_OPENING = 10_000
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
  /** Asks the server for anything. Rejects with a TimeoutError if the answer does not come in time, with another error if there is no server. */
  probe(signal: AbortSignal): Promise<unknown>
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
  /** The stream is a recording: when the loop's clock showed zero, in ms since 1970. `null` for a program that runs. */
  readonly recorded = signal<number | null>(null)
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
  /** While the history is loading: what was alive when it was requested. */
  #present: Snapshot | null = null
  #caughtUp = false
  /** The smallest difference seen between `performance.now()`, in seconds, and the loop's time. */
  #offset = Infinity
  /** When the last message arrived, when the socket was opened, and when it was last looked at, on `performance.now()`'s clock. */
  #heardAt = 0
  #openedAt = 0
  #lookedAt = 0
  #watch: ReturnType<typeof setInterval> | undefined
  #probing = false

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

  /** An estimate of the loop's clock now. While the stream is silent it stops at the last sign of life: what came after that is not known. */
  now(): number {
    const { recording } = this.#options
    if (this.#offset === Infinity || recording.loopClosed || this.recorded.value !== null) return recording.to
    const until = this.state.value === 'live' ? Math.min(performance.now(), this.#heardAt + EXPECTED) : this.#heardAt
    return Math.max(recording.to, until / 1000 - this.#offset)
  }

  /** Seconds since the last message, or since the server was called for the first time; 0 where that is not long. */
  get silence(): number {
    const { value } = this.state
    const ms = performance.now() - (value === 'silent' ? this.#heardAt : this.#openedAt)
    return value === 'silent' || (value === 'connecting' && ms > SILENT) ? ms / 1000 : 0
  }

  start(): void {
    this.#closed = false
    this.#open()
    this.#watch ??= setInterval(() => this.#look(), LOOK)
  }

  /** Reconnects at once. */
  retry(): void {
    clearTimeout(this.#timer)
    this.#attempt = 0
    if (this.#socket === null || this.state.value === 'silent') this.#again()
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
    clearInterval(this.#watch)
    this.#watch = undefined
    this.#socket?.close(1000)
  }

  #url(): URL {
    const { base, recording } = this.#options
    const url = new URL(paths.events.slice(1), base)
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:'
    const loop = this.#options.loop?.() ?? null
    if (loop !== null) url.searchParams.set('loop', loop)
    url.searchParams.set('since', recording.lastSeq > 0 && this.#epoch !== null ? `${this.#epoch}:${recording.lastSeq}` : 'first')
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
    this.#openedAt = performance.now()
    socket.onmessage = ({ data }) => {
      if (this.#socket !== socket || typeof data !== 'string') return
      this.#heardAt = performance.now()
      if (this.state.value === 'silent') this.state.value = 'live'
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

  /** Looks whether anything has arrived lately. */
  #look(): void {
    const now = performance.now()
    // This page was stopped itself, and messages may wait.
    const late = now - this.#lookedAt > 4 * LOOK
    this.#lookedAt = now
    if (late || this.#socket === null) return
    const silent = now - Math.max(this.#heardAt, this.#openedAt)
    if (this.state.value === 'live' && silent > SILENT) {
      this.state.value = 'silent'
      this.#options.onChange()
    }
    if (this.state.value === 'silent') void this.#ask(this.#socket)
    else if (this.state.value !== 'live' && silent > LONGEST_OPENING) {
      this.#drop()
      this.#lost('it accepts connections, and does not answer')
    }
  }

  /** Asks a silent server, because a broken connection, a server that has gone and one that does not answer are different. */
  async #ask(socket: WebSocket): Promise<void> {
    if (this.#probing) return
    this.#probing = true
    let reason: string | null = 'the server answers, but the stream had stopped'
    try {
      await this.#options.probe(AbortSignal.timeout(PROBE))
    } catch (error) {
      reason = (error as Error).name === 'TimeoutError' ? null : 'the server accepts no connections'
    }
    this.#probing = false
    if (reason === null || this.#socket !== socket || this.state.value !== 'silent') return
    this.#drop()
    this.#lost(reason)
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
        this.#missed(message.count, message.snapshot)
        return
      case 'stream.bookmark':
        if (message.now !== undefined) this.#setClock(message.now)
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
    this.#setClock(message.t)
    if (!this.#caughtUp && message.seq >= (this.#present?.seq ?? 0)) this.#catchUp()
  }

  #setClock(t: number): void {
    this.#offset = Math.min(this.#offset, performance.now() / 1000 - t)
  }

  /** A server that does not say what it can do has everything. */
  #hello({ epoch, seq, snapshot, can = ability.options, recorded = false, origin = 0 }: EventOf<'stream.hello'>): void {
    const { recording } = this.#options
    this.recorded.value = recorded ? origin : null
    this.can.value = new Set(can)
    recording.hasTasks = can.includes('tasks')
    this.#attempt = 0
    const known = this.#epoch
    if (epoch !== known) {
      this.#forget(epoch)
      recording.clear()
      // The loop has started again, and its server keeps what has happened since.
      if (known !== null && snapshot === undefined) {
        this.#again()
        return
      }
    }
    this.state.value = 'live'
    if (snapshot === undefined) return
    this.#present = snapshot
    recording.lanes.learnNames(snapshot)
    if (seq >= snapshot.seq) this.#catchUp()
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
  }

  #missed(count: number, snapshot: Snapshot | undefined): void {
    const { recording } = this.#options
    // Before the first event nothing is missed: the server kept only what follows.
    const missed = recording.events.length > 0
    if (missed) {
      this.dropped.value += count
      recording.lose(count, snapshot)
    }
    if (snapshot === undefined || this.#caughtUp) return
    this.#present = missed ? null : snapshot
    this.#catchUp()
  }

  /** The whole history is here. Tasks that are alive but appear in no event are taken from the snapshot. */
  #catchUp(): void {
    this.#caughtUp = true
    this.ready.value = true
    const present = this.#present
    this.#present = null
    if (present !== null && present.seq >= this.#options.recording.lastSeq) this.#options.recording.restore(present)
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
