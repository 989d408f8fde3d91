// Sends a request to cancel something to the process with that loop, and receives the result: a message on that loop's
// channel, and one on ours. Each request has a time limit.
import type { CancelHere, CancelOutcome } from '../observe/other-loops.ts'
import { listen, type Client, type Connection } from './connection.ts'
import { answerOf, cancelOf } from './keys.ts'
import { granted, read, cancelRequest } from '../observe/wire.ts'

/** The time for an answer, in ms: the other loop has 5 s, and messages take some time. */
const ANSWER_MS = 6000
/** The most requests without an answer. */
const MOST_REQUESTS = 256

export class Cancels {
  readonly #commands: Connection
  readonly #loop: () => string
  readonly #cancelHere: CancelHere
  readonly #open = new Map<number, (found: CancelOutcome) => void>()
  #ids = Math.floor(Math.random() * 1e9)
  #answering = 0
  /** The client whose messages are received. */
  #listening: Client | null = null

  constructor(commands: Connection, loop: () => string, cancelHere: CancelHere) {
    this.#commands = commands
    this.#loop = loop
    this.#cancelHere = cancelHere
  }

  /** Listens for requests and answers, under the loop's present name. */
  async begin(): Promise<void> {
    const loop = this.#loop()
    await this.#commands.run(async (client) => {
      if (this.#listening === client) return
      await Promise.all([
        listen(client, cancelOf(loop), (text) => void this.#onRequest(text)),
        listen(client, answerOf(loop), (text) => this.#onAnswer(text)),
      ])
      this.#listening = client
    })
  }

  /** `late`: there was no answer in time, or the process is not there. */
  async cancel(loop: string, what: 'task' | 'run', target: number): Promise<CancelOutcome> {
    if (this.#open.size >= MOST_REQUESTS) return 'late'
    const id = ++this.#ids
    const answer = new Promise<CancelOutcome>((resolve) => {
      const timer = setTimeout(() => resolve('late'), ANSWER_MS)
      this.#open.set(id, (found) => {
        clearTimeout(timer)
        resolve(found)
      })
    })
    try {
      const text = JSON.stringify({ id, from: this.#loop(), what, target })
      const hearers = await this.#commands.run((client) => client.publish(cancelOf(loop), text))
      return hearers === 0 ? 'late' : await answer
    } catch {
      return 'late'
    } finally {
      this.#open.delete(id)
    }
  }

  async #onRequest(text: string): Promise<void> {
    const wanted = read(cancelRequest, text)
    if (wanted === null || this.#answering >= MOST_REQUESTS) return
    this.#answering++
    try {
      const found = await this.#cancelHere(wanted.what, wanted.target)
      await this.#commands.run((client) => client.publish(answerOf(wanted.from), JSON.stringify({ id: wanted.id, found })))
    } catch {
      // The process that asked will see that no answer came.
    } finally {
      this.#answering--
    }
  }

  #onAnswer(text: string): void {
    const answer = read(granted, text)
    if (answer !== null) this.#open.get(answer.id)?.(answer.found)
  }
}
