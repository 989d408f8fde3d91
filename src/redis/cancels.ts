// Carries a wish to cancel something to the process whose loop it is on, and back what came of it: a message on that one's
// channel, and one on ours. Nobody waits longer than he has said.
import type { CancelHere, CancelOutcome } from '../observe/other-loops.ts'
import { listen, type Client, type Connection } from './connection.ts'
import { answerOf, cancelOf } from './keys.ts'
import { granted, read, wish } from './wire.ts'

/** The other's loop has 5 s to take it up, and the way there and back takes its time, in ms. */
const ANSWER_MS = 6000
/** Wishes that are on their way at the same time. */
const MOST_WISHES = 256

export class Cancels {
  readonly #commands: Connection
  readonly #loop: () => string
  readonly #cancelHere: CancelHere
  readonly #open = new Map<number, (found: CancelOutcome) => void>()
  #ids = Math.floor(Math.random() * 1e9)
  #granting = 0
  /** Whose messages are heard. */
  #heard: Client | null = null

  constructor(commands: Connection, loop: () => string, cancelHere: CancelHere) {
    this.#commands = commands
    this.#loop = loop
    this.#cancelHere = cancelHere
  }

  /** Listen for wishes and answers, under the name that the loop has now. */
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

  /** `late`: nobody has answered in time, or nobody is there who could. */
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
      // Whoever has asked will see that nothing came.
    } finally {
      this.#granting--
    }
  }

  #answered(text: string): void {
    const answer = read(granted, text)
    if (answer !== null) this.#open.get(answer.id)?.(answer.found)
  }
}
