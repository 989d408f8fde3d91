// One connection to Redis, which is made again whenever it breaks. It queues nothing: a command that cannot be sent fails at
// once, and one that is not answered in time ends the connection.
import { createClient } from './client.ts'

/** The first and the longest wait between two attempts, in ms; each is twice the one before. */
const FIRST_DELAY = 50
const LONGEST_DELAY = 1000
/** After a connection that lasted this many ms, the next attempt follows at once. */
const GOOD_MS = 2000
/** A late answer may have arrived while this thread was blocked: it has this many ms to be read. */
const READ_MS = 100

/** The longest message on a channel that is read, in bytes. (Redis itself closes a subscriber's connection with 32 MB unsent.) */
const LONGEST_MESSAGE = 262_144

export type Client = ReturnType<typeof newClient>

export interface ConnectionOptions {
  url: string
  /** How long Redis may take to connect or to answer, in ms. */
  patience: number
  /** Whether a process may end while it is open. */
  background?: boolean
  /** What to do on each new connection before it is used. */
  prepare?: (client: Client) => Promise<unknown>
  /** There is a connection, and nothing of an earlier one will still arrive. */
  onUp(): void
  /** There is no connection. Another is tried, unless this one is closed now. */
  onDown(reason: Error): void
}

function newClient(url: string, patience: number) {
  return createClient({
    url, disableOfflineQueue: true, maintNotifications: 'disabled', disableClientInfo: true, commandOptions: { timeout: 0 },
    // Commands that wait for a new connection would be a buffer.
    socket: { reconnectStrategy: false, connectTimeout: patience },
  })
}

export class Connection {
  readonly #options: ConnectionOptions
  #client: Client | null = null
  #up = false
  #upAt = 0
  #closed = false
  #delay = FIRST_DELAY
  #timer: NodeJS.Timeout | null = null
  /** Commands without an answer yet. */
  inFlight = 0

  constructor(options: ConnectionOptions) {
    this.#options = options
  }

  get up(): boolean {
    return this.#up
  }

  /** The error for a missing answer. */
  get #silence(): Error {
    return new Error(`no answer in ${this.#options.patience / 1000} s`)
  }

  open(): void {
    this.#timer = null
    if (this.#closed) return
    const { url, patience, background = false, prepare } = this.#options
    const client = newClient(url, patience)
    this.#client = client
    client.on('error', (error: Error) => this.#broken(client, error))
    if (background) client.unref()
    // A Redis that is stopped accepts a connection, and says nothing.
    const late = this.#after(patience, () => this.#broken(client, this.#silence))
    client.connect().then(() => prepare?.(client)).then(() => {
      clearTimeout(late)
      if (this.#client !== client) return
      this.#up = true
      this.#upAt = performance.now()
      this.#options.onUp()
    }, (error: unknown) => {
      clearTimeout(late)
      this.#broken(client, error as Error)
    })
  }

  /** Sends a command. Rejects if there is no connection, if Redis refuses, and if it does not answer in time. */
  async run<T>(command: (client: Client) => Promise<T>): Promise<T> {
    const client = this.#client
    if (client === null || !this.#up) throw new Error('Redis is away')
    let late = this.#after(this.#options.patience, () => {
      late = this.#after(READ_MS, () => this.#broken(client, this.#silence))
    })
    this.inFlight++
    try {
      return await command(client)
    } finally {
      this.inFlight--
      clearTimeout(late)
    }
  }

  /** Gives this connection up, and tries again after a while. */
  fail(reason: Error): void {
    if (this.#client !== null) this.#broken(this.#client, reason)
  }

  close(): void {
    this.#closed = true
    this.#up = false
    if (this.#timer !== null) clearTimeout(this.#timer)
    const client = this.#client
    this.#client = null
    if (client !== null) end(client)
  }

  #broken(client: Client, reason: Error): void {
    if (this.#client !== client) return
    if (this.#up && performance.now() - this.#upAt > GOOD_MS) this.#delay = FIRST_DELAY
    this.#client = null
    this.#up = false
    end(client)
    if (this.#closed) return
    this.#timer = this.#after(this.#delay, () => this.open())
    this.#delay = Math.min(LONGEST_DELAY, this.#delay * 2)
    this.#options.onDown(reason)
  }

  #after(ms: number, then: () => void): NodeJS.Timeout {
    const timer = setTimeout(then, ms)
    return this.#options.background === true ? timer.unref() : timer
  }
}

/** Calls `listener` with each message on a channel. One that is too long was sent by another program, and is dropped. */
export function listen(client: Client, channel: string, listener: (text: string) => void): Promise<void> {
  return client.subscribe(channel, (message) => {
    if (message.length <= LONGEST_MESSAGE) listener(message.toString())
  }, true)
}

/** Everything under way fails. */
function end(client: Client): void {
  try {
    client.destroy()
  } catch { /* it never was connected */ }
}
