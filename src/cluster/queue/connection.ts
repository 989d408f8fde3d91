// The way to Redis of one queue, which says when it is there. Whoever asks when it is not is told so at once, to ask again
// when it is.
import { ErrorReply } from '@redis/client'
import type { Script } from './scripts.ts'
import { Connection, type Client } from '../connection.ts'

/** How long Redis may leave a connection or a command unanswered, and how long the first connection may be tried for, in milliseconds. */
const PATIENCE_MS = 5000
/** Answers of a Redis that will do better later, or that is not the one to ask any more. */
const PASSING = /^(LOADING|BUSY|READONLY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|NOREPLICAS|UNBLOCKED|NOGROUP)\b/

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
  /** It gives up, until the next `open()`: there never was a Redis there, or it does not let us in. */
  onRefused(error: Error): void
}

export class QueueConnection {
  state: 'idle' | 'ready' | 'away' | 'closed' = 'idle'
  readonly #url: string
  readonly #channel: string
  readonly #listener: Listener
  #connection: Connection | null = null
  #everReady = false
  #openedAt = 0

  constructor(url: string, channel: string, listener: Listener) {
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
      prepare: (client) => client.subscribe(this.#channel, (text) => this.#listener.onMessage(text)),
      onUp: () => {
        this.state = 'ready'
        this.#everReady = true
        this.#listener.onReady()
      },
      onDown: (reason) => this.#onDown(reason),
    })
    this.#connection.open()
  }

  #onDown(reason: Error): void {
    this.state = 'away'
    const never = !this.#everReady && performance.now() - this.#openedAt >= PATIENCE_MS
    if (!isRefusal(reason) && !never) return
    this.#connection?.close()
    this.#connection = null
    this.state = 'idle'
    this.#listener.onRefused(new Error(`cannot use Redis at ${hostOf(this.#url)}: ${reasonOf(reason)}`, { cause: reason }))
  }

  /** Run a script. Rejects with Away where there is no Redis to answer; with Redis's own error where it refuses. */
  async call(script: Script, keys: string[], args: string[]): Promise<unknown> {
    const connection = this.#connection
    if (connection === null || this.state !== 'ready') throw new Away('Redis is away')
    try {
      return await connection.run((client) => run(client, script, { keys, arguments: args }))
    } catch (error) {
      if (isRefusal(error)) throw error
      // The group is gone, and its stream is not: as good as a new queue, which the next script makes.
      if (error instanceof ErrorReply && error.message.startsWith('NOGROUP')) await connection.run((client) => client.del(keys[1] as string)).catch(() => {})
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

/** Redis answers, and will go on to say no. */
function isRefusal(error: unknown): boolean {
  return error instanceof ErrorReply && !PASSING.test(error.message)
}

async function run(client: Client, { sha, source }: Script, options: { keys: string[]; arguments: string[] }): Promise<unknown> {
  try {
    return await client.evalSha(sha, options)
  } catch (error) {
    if (!(error instanceof ErrorReply && error.message.startsWith('NOSCRIPT'))) throw error
    return client.eval(source, options)
  }
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : url
}

/** Where several addresses were tried, the error that stands for them all says nothing. */
function reasonOf(error: Error): string {
  return error.message !== '' ? error.message : error instanceof AggregateError ? error.errors.map(String).join(', ') : error.name
}
