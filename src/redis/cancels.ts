// Sends a request to cancel something to the process with that loop, and receives the result: a message on that loop's
// channel, and one on ours. Each request has a time limit.
import type { CancelHere, CancelOutcome } from '../observe/other-loops.ts'
import { listen, type Client, type Connection } from './connection.ts'
import { answerOf, cancelOf } from './keys.ts'
import { granted, read, wish } from './wire.ts'

/** The time for an answer, in ms: the other loop has 5 s, and messages take some time. */
const ANSWER_MS = 6000
/** The most requests without an answer. */
const MOST_WISHES = 256

export class Cancels {
  readonly #commands: Connection
  readonly #loop: () => string
  readonly #cancelHere: CancelHere
  readonly #open = new Map<number, (found: CancelOutcome) => void>()
  #ids = Math.floor(Math.random() * 1e9)
  #granting = 0
  /** The client whose messages are received. */
  #heard: Client | null = null

  constructor(commands: Connection, loop: () => string, cancelHere: CancelHere) {
    this.#commands = commands
    this.#loop = loop
    this.#cancelHere = cancelHere
  }

  /** Listens for requests and answers, under the loop's present name. */
  async begin(): Promise<void> {
    const loop = this.#loop()
    await this.#commands.run(async (client) => {
      if (this.#heard === client) return
      await Promise.all([
        listen(client, cancelOf(loop), (text) => void this.#grant(text)),
        listen(client, answerOf(loop), (text) => this.#answered(text)),
      ])
      this.#heard = client
    })
  }

  /** `late`: there was no answer in time, or the process is not there. */
  async cancel(loop: string, what: 'task' | 'run', target: number): Promise<CancelOutcome> {
    if (this.#open.size >= MOST_WISHES) return 'late'
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

  async #grant(text: string): Promise<void> {
    const wanted = read(wish, text)
    if (wanted === null || this.#granting >= MOST_WISHES) return
    this.#granting++
    try {
      const found = await this.#cancelHere(wanted.what, wanted.target)
      await this.#commands.run((client) => client.publish(answerOf(wanted.from), JSON.stringify({ id: wanted.id, found })))
    } catch {
      // The process that asked will see that no answer came.
    } finally {
      this.#granting--
    }
  }

  #answered(text: string): void {
    const answer = read(granted, text)
    if (answer !== null) this.#open.get(answer.id)?.(answer.found)
  }
}
