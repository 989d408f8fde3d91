// One connection to Redis, which is made again for ever when it breaks. Nothing waits in it: a command that cannot be sent
// fails at once, and one that is not answered in time ends the connection.
import { createClient } from './client.ts'

/** Between two attempts, in ms: the first, and the longest; each is twice as long as the one before. */
const FIRST_DELAY = 50
const LONGEST_DELAY = 1000
/** A connection that held for so long, in ms, was a good one: the next attempt comes at once. */
const GOOD_MS = 2000
/** An answer that is late may have come while this thread was held: it has this long, in ms, to be read. */
const READ_MS = 100

/** The longest message on a channel that is looked at, in bytes. (Redis itself ends a subscriber's connection at 32 MB that wait for it.) */
const LONGEST_MESSAGE = 262_144

export type Client = ReturnType<typeof newClient>

export interface ConnectionOptions {
  url: string
  /** How long Redis may take to let us in, or to answer, in ms. */
  patience: number
  /** Whether a process may end while it is open. */
  background?: boolean
  /** What has to be done on each new connection before it is of use. */
  prepare?: (client: Client) => Promise<unknown>
  /** There is a connection, and nothing of an earlier one is still to come. */
  onUp(): void
  /** There is none any more, or there still is none. Another is tried for, unless this one is closed now. */
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
  /** Commands on their way. */
  inFlight = 0

  constructor(options: ConnectionOptions) {
    this.#options = options
  }

  get up(): boolean {
    return this.#up
  }

  /** Why it was not answered: for whoever is told. */
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
    // A Redis that stands still takes a connection, and says nothing.
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

  /** Send a command. Rejects where there is no connection, where Redis says no, and where it says nothing in time. */
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

  /** Give this connection up, and try anew after a while. */
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

/** Have `listener` called with each message on a channel; one that is too long was sent by another program, and is dropped. */
export function listen(client: Client, channel: string, listener: (text: string) => void): Promise<void> {
  return client.subscribe(channel, (message) => {
    if (message.length <= LONGEST_MESSAGE) listener(message.toString())
  }, true)
}

/** Whatever was under way fails. */
function end(client: Client): void {
  try {
    client.destroy()
  } catch { /* it never was connected */ }
}
