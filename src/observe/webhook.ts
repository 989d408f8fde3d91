// Sends each stall to an address, from the observer's thread: the program is not delayed, whatever the address does.

/** Those that wait to be sent. Beyond it, stalls are dropped and counted. */
const MOST_WAITING = 16
const TIMEOUT_MS = 5000

export class Webhook {
  /** How many were sent, and how many were not: the address refused them, did not answer, or there were too many. */
  sent = 0
  failed = 0
  readonly #url: string
  readonly #log: (message: string) => void
  readonly #waiting: string[] = []
  #sending = false
  /** The last one failed, which was logged. */
  #failing = false

  constructor(url: string, log: (message: string) => void) {
    this.#url = url
    this.#log = log
  }

  send(body: object): void {
    if (this.#waiting.length >= MOST_WAITING) {
      this.failed++
      return
    }
    this.#waiting.push(JSON.stringify(body))
    if (!this.#sending) void this.#sendAll()
  }

  async #sendAll(): Promise<void> {
    this.#sending = true
    for (let body = this.#waiting.shift(); body !== undefined; body = this.#waiting.shift()) await this.#post(body)
    this.#sending = false
  }

  async #post(body: string): Promise<void> {
    try {
      // A redirect could lead anywhere, and would be sent without the body.
      const answer = await fetch(this.#url, { method: 'POST', headers: { 'content-type': 'application/json' }, body, redirect: 'error', signal: AbortSignal.timeout(TIMEOUT_MS) })
      await answer.body?.cancel()
      if (!answer.ok) throw new Error(`it answered ${answer.status}`)
      this.sent++
      this.#failing = false
    } catch (error) {
      this.failed++
      if (this.#failing) return
      this.#failing = true
      // The path is often a secret.
      this.#log(`webhook: a stall could not be sent to ${new URL(this.#url).origin}: ${reasonOf(error as Error)}. Further failures are not logged until one is sent`)
    }
  }
}

function reasonOf({ name, message, cause }: Error): string {
  if (name === 'TimeoutError') return `no answer in ${TIMEOUT_MS / 1000} s`
  return cause instanceof Error ? cause.message || (cause as NodeJS.ErrnoException).code || message : message
}
