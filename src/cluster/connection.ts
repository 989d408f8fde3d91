// One connection to Redis, which is made again for ever when it breaks. Nothing waits in it: a command that cannot be sent
// fails at once, and one that is not answered in time ends the connection.
import { createClient } from '@redis/client'

/** Between two attempts, in ms: the first, and the longest; each is twice as long as the one before. */
const FIRST_DELAY = 50
const LONGEST_DELAY = 1000
/** A connection that held for so long, in ms, was a good one: the next attempt comes at once. */
const GOOD_MS = 2000
/** How long Redis may take to let us in, or to answer, in ms. */
const CONNECT_MS = 2000
const ANSWER_MS = 3000

export type Client = ReturnType<typeof newClient>

export interface ConnectionHooks {
  /** There is a connection, and nothing of an earlier one is still to come. */
  onUp(): void
  /** There is none any more, or there still is none. */
  onDown(reason: Error): void
}

function newClient(url: string) {
  return createClient({
    url, disableOfflineQueue: true, maintNotifications: 'disabled', disableClientInfo: true, commandOptions: { timeout: 0 },
    // Commands that wait for a new connection would be a buffer.
    socket: { reconnectStrategy: false, connectTimeout: CONNECT_MS },
  })
}

export class Connection {
  readonly #url: string
  readonly #hooks: ConnectionHooks
  #client: Client | null = null
  #up = false
  #upAt = 0
  #closed = false
  #delay = FIRST_DELAY
  #timer: NodeJS.Timeout | null = null
  /** Commands on their way. */
  inFlight = 0

  constructor(url: string, hooks: ConnectionHooks) {
    this.#url = url
    this.#hooks = hooks
  }

  get up(): boolean {
    return this.#up
  }

  open(): void {
    this.#timer = null
    if (this.#closed) return
    const client = newClient(this.#url)
    this.#client = client
    client.on('error', (error: Error) => this.#broken(client, error))
    const late = setTimeout(() => this.#broken(client, new Error(`no answer in ${CONNECT_MS / 1000} s`)), CONNECT_MS)
    client.connect().then(() => {
      clearTimeout(late)
      if (this.#client !== client) return
      this.#up = true
      this.#upAt = performance.now()
      this.#hooks.onUp()
    }, (error: unknown) => {
      clearTimeout(late)
      this.#broken(client, error as Error)
    })
  }

  /** Send a command. Rejects where there is no connection, where Redis says no, and where it says nothing in time. */
  async run<T>(command: (client: Client) => Promise<T>): Promise<T> {
    const client = this.#client
    if (client === null || !this.#up) throw new Error('Redis is away')
    const late = setTimeout(() => this.#broken(client, new Error(`no answer in ${ANSWER_MS / 1000} s`)), ANSWER_MS)
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
    this.#hooks.onDown(reason)
    this.#timer = setTimeout(() => this.open(), this.#delay)
    this.#delay = Math.min(LONGEST_DELAY, this.#delay * 2)
  }
}

/** Whatever was under way fails. */
function end(client: Client): void {
  try {
    client.destroy()
  } catch { /* it never was connected */ }
}
