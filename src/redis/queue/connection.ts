// The way to Redis of one queue, which says when it is there. Whoever asks when it is not is told so at once, to ask again
// when it is.
import { Connection, listen } from '../connection.ts'
import { codeOf, isRefusal, isUnwritable, reasonOf } from '../refusals.ts'
import { runScript, type Script } from '../script.ts'

/** How long Redis may leave a connection or a command unanswered, and how long the first connection may be tried for, in milliseconds. */
const PATIENCE_MS = 5000

/** Redis is not there, or went away before it answered: ask again when it is back. */
export class Away extends Error {
  static {
    this.prototype.name = 'Away'
  }
}

export interface Listener {
  /** Connected and subscribed: what was asked before is to be asked again. */
  onReady(): void
  /** Somebody said something on the channel. */
  onMessage(text: string): void
  /** It answers, but not what it is asked: what was asked waits until that is over. Said once until then. */
  onWaiting(reason: string): void
  /** It gives up, until the next `open()`: there never was a Redis there, or it does not let us in. */
  onRefused(error: Error): void
}

export class QueueConnection {
  state: 'idle' | 'ready' | 'away' | 'closed' = 'idle'
  readonly #owner: object
  readonly #url: string
  readonly #channel: string
  readonly #listener: Listener
  #connection: Connection | null = null
  /** A script was answered: this is a Redis of use, which will be one again. */
  #served = false
  /** The listener knows that it waits. */
  #told = false
  #openedAt = 0

  /** `owner` is whom errors name. */
  constructor(owner: object, url: string, channel: string, listener: Listener) {
    this.#owner = owner
    this.#url = url
    this.#channel = channel
    this.#listener = listener
  }

  /** See to it that there is a connection, or will be. */
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
      if (codeOf(reason) === '' || this.#told || !this.#served) return
      this.#told = true
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

  /** Run a script. Rejects with Away where there is no Redis to answer, or none that will not do better later; with why where it refuses. */
  async call(script: Script, keys: string[], args: string[]): Promise<unknown> {
    const connection = this.#connection
    if (connection === null || this.state !== 'ready') throw new Away('Redis is away')
    try {
      const answer = await connection.run((client) => runScript(client, script, keys, args))
      this.#served = true
      this.#told = false
      return answer
    } catch (error) {
      // Later, a replica is what a primary became: its successor is waited for.
      if (isRefusal(error) || (!this.#served && isUnwritable(error))) throw this.#refused(error as Error)
      // The group is gone, and its stream is not: as good as a new queue, which the next script makes.
      if (codeOf(error) === 'NOGROUP') await connection.run((client) => client.del(keys[1] as string)).catch(() => {})
      connection.fail(error as Error)
      throw new Away('Redis went away', { cause: error })
    }
  }

  /** Part, for good. */
  close(): void {
    this.state = 'closed'
    this.#connection?.close()
    this.#connection = null
  }
}

/** Without a password, and without the rest of what may be none. */
function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : 'an address that is no URL'
}
