// The way to Redis of one queue: a connection that is made again whenever it breaks, and says when it is there. It keeps
// no process alive, and nothing waits in it: what cannot be sent now fails at once, for whoever asked to ask again.
import { createClient, ErrorReply } from '@redis/client'
import type { Script } from './scripts.ts'

/** How long Redis may leave a connection or a command unanswered, and how long the first connection may be tried for, in milliseconds. */
const PATIENCE_MS = 5000
const BACKOFF_MS = [50, 100, 200, 400, 1000] as const
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
  onAway(): void
  /** Somebody said something on the channel. */
  onMessage(text: string): void
  /** It gives up, until the next `open()`: there never was a Redis there, or it does not let us in. */
  onRefused(error: Error): void
}

type Client = ReturnType<typeof newClient>

function newClient(url: string) {
  return createClient({
    url, disableOfflineQueue: true, maintNotifications: 'disabled', disableClientInfo: true,
    // Connecting again is done here: the library's way would keep a process alive that has ended.
    socket: { reconnectStrategy: false, connectTimeout: PATIENCE_MS },
  })
}

export class QueueConnection {
  state: 'idle' | 'connecting' | 'ready' | 'away' | 'closed' = 'idle'
  readonly #url: string
  readonly #channel: string
  readonly #listener: Listener
  #client: Client | null = null
  #everReady = false
  #openedAt = 0
  #attempts = 0
  #retry: NodeJS.Timeout | null = null
  /** When each command that is not answered was sent. */
  readonly #sent = new Set<{ at: number; overdue: boolean }>()
  #watchdog: NodeJS.Timeout | null = null

  constructor(url: string, channel: string, listener: Listener) {
    this.#url = url
    this.#channel = channel
    this.#listener = listener
  }

  /** See to it that there is a connection, or will be. */
  open(): void {
    if (this.state !== 'idle') return
    this.#openedAt = performance.now()
    this.#attempts = 0
    void this.#connect()
  }

  async #connect(): Promise<void> {
    this.state = 'connecting'
    const client = newClient(this.#url)
    this.#client = client
    client.on('error', (error: Error) => this.#lose(client, error))
    client.unref()
    // A Redis that stands still takes a connection, and says nothing.
    const deadline = setTimeout(() => this.#lose(client, new Error(`no answer within ${PATIENCE_MS / 1000} s`)), PATIENCE_MS).unref()
    try {
      await client.connect()
      await client.subscribe(this.#channel, (text) => this.#listener.onMessage(text))
    } catch (error) {
      this.#lose(client, error as Error)
      return
    } finally {
      clearTimeout(deadline)
    }
    if (this.#client !== client) return
    this.state = 'ready'
    this.#everReady = true
    this.#attempts = 0
    this.#watchdog = setInterval(() => this.#watch(client), PATIENCE_MS / 5).unref()
    this.#listener.onReady()
  }

  #drop(): void {
    const client = this.#client
    this.#client = null
    if (this.#watchdog !== null) clearInterval(this.#watchdog)
    this.#watchdog = null
    this.#sent.clear()
    if (client === null) return
    client.destroy()
  }

  #lose(client: Client, error: Error): void {
    if (this.#client !== client) return
    const wasReady = this.state === 'ready'
    this.#drop()
    const refused = error instanceof ErrorReply && !PASSING.test(error.message)
    const never = !this.#everReady && performance.now() - this.#openedAt >= PATIENCE_MS
    if (refused || never) {
      this.state = 'idle'
      this.#listener.onRefused(new Error(`cannot use Redis at ${hostOf(this.#url)}: ${reasonOf(error)}`, { cause: error }))
      return
    }
    this.state = 'away'
    const delay = BACKOFF_MS[Math.min(this.#attempts++, BACKOFF_MS.length - 1)]
    this.#retry = setTimeout(() => void this.#connect(), delay).unref()
    if (wasReady) this.#listener.onAway()
  }

  /** Whoever answers nothing is gone. Looked at twice: a thread that was held finds old answers that it has not read. */
  #watch(client: Client): void {
    for (const command of this.#sent) {
      if (performance.now() - command.at < PATIENCE_MS) continue
      if (command.overdue) {
        this.#lose(client, new Error(`no answer within ${PATIENCE_MS / 1000} s`))
        return
      }
      command.overdue = true
    }
  }

  /** Run a script. Rejects with Away where there is no Redis to answer; with Redis's own error where it refuses. */
  async call(script: Script, keys: string[], args: string[]): Promise<unknown> {
    const client = this.#client
    if (client === null || this.state !== 'ready') throw new Away('Redis is away')
    const command = { at: performance.now(), overdue: false }
    this.#sent.add(command)
    try {
      return await run(client, script, { keys, arguments: args })
    } catch (error) {
      if (error instanceof ErrorReply && !PASSING.test(error.message)) throw error
      // The group is gone, and its stream is not: as good as a new queue, which the next script makes.
      if (error instanceof ErrorReply && error.message.startsWith('NOGROUP')) await client.del(keys[1] as string).catch(() => {})
      this.#lose(client, error as Error)
      throw new Away('Redis went away', { cause: error })
    } finally {
      this.#sent.delete(command)
    }
  }

  /** Part, for good. */
  close(): void {
    this.state = 'closed'
    if (this.#retry !== null) clearTimeout(this.#retry)
    this.#drop()
  }
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
