// One queue's connection to Redis, which reports when Redis is there. A call while it is not fails at once, and is made again
// later.
import { Connection, listen } from '../connection.ts'
import { codeOf, isRefusal, isUnwritable, reasonOf } from '../refusals.ts'
import { runScript, type Script } from '../script.ts'

/** In milliseconds: how long a connection or a command may go unanswered, and how long the first connection is tried. */
const PATIENCE_MS = 5000

/** Redis is away, or went away before it answered: ask again when it is back. */
export class RedisUnavailable extends Error {
  static {
    this.prototype.name = 'RedisUnavailable'
  }
}

export interface Listener {
  /** Connected and subscribed: open questions must be asked again. */
  onReady(): void
  /** A message on the channel. */
  onMessage(text: string): void
  /** Redis answers, but not the question, which waits until that is over. Called once until then. */
  onWaiting(reason: string): void
  /** It gives up until the next `open()`: there never was a Redis, or it does not accept us. */
  onRefused(error: Error): void
}

export class QueueConnection {
  state: 'idle' | 'ready' | 'away' | 'closed' = 'idle'
  readonly #owner: object
  readonly #url: string
  readonly #channel: string
  readonly #listener: Listener
  #connection: Connection | null = null
  /** A script was answered: this Redis works, and will work again if it goes away. */
  #served = false
  /** The listener knows that it waits. */
  #reported = false
  #openedAt = 0

  /** Errors name `owner`. */
  constructor(owner: object, url: string, channel: string, listener: Listener) {
    this.#owner = owner
    this.#url = url
    this.#channel = channel
    this.#listener = listener
  }

  /** Makes sure that there is a connection, or will be one. */
  open(): void {
    if (this.state !== 'idle') return
    this.state = 'away'
    this.#openedAt = performance.now()
    this.#connection = new Connection({
      url: this.#url, patience: PATIENCE_MS, background: true,
      prepare: (client) => listen(client, this.#channel, (text) => this.#listener.onMessage(text)),
      onUp: () => {
        this.state = 'ready'
        this.#listener.onReady()
      },
      onDown: (reason) => this.#onDown(reason),
    })
    this.#connection.open()
  }

  #onDown(reason: Error): void {
    this.state = 'away'
    const never = !this.#served && performance.now() - this.#openedAt >= PATIENCE_MS
    if (!isRefusal(reason) && !never) {
      if (codeOf(reason) === '' || this.#reported || !this.#served) return
      this.#reported = true
      this.#listener.onWaiting(`${reasonOf(reason)}: what is asked of the queue waits until that is over`)
      return
    }
    this.#connection?.close()
    this.#connection = null
    this.state = 'idle'
    this.#listener.onRefused(this.#refused(reason))
  }

  #refused(reason: Error): Error {
    return new Error(`${String(this.#owner)}: cannot use Redis at ${hostOf(this.#url)}: ${reasonOf(reason)}`, { cause: reason })
  }

  /** Runs a script. Rejects with RedisUnavailable if no Redis answers, or only one that may work later; with the reason if it refuses. */
  async call(script: Script, keys: string[], args: string[]): Promise<unknown> {
    const connection = this.#connection
    if (connection === null || this.state !== 'ready') throw new RedisUnavailable('Redis is away')
    try {
      const answer = await connection.run((client) => runScript(client, script, keys, args))
      this.#served = true
      this.#reported = false
      return answer
    } catch (error) {
      // Later, a replica is a former primary: we wait for its successor.
      if (isRefusal(error) || (!this.#served && isUnwritable(error))) throw this.#refused(error as Error)
      connection.fail(error as Error)
      throw new RedisUnavailable('Redis went away', { cause: error })
    }
  }

  /** Leaves, for good. */
  close(): void {
    this.state = 'closed'
    this.#connection?.close()
    this.#connection = null
  }
}

/** Without a password, and without the rest of an address that may contain one. */
function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : 'an address that is no URL'
}
