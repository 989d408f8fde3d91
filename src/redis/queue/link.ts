// One queue's conversation with Redis: every answer brings the queue's figures along, and the name by which a queue that
// was lost and made anew is told from the one before.
import { randomUUID } from 'node:crypto'
import { Away, QueueConnection, type Listener } from './connection.ts'
import type { Script } from '../script.ts'

/** How many there are, as Redis last said. */
export interface Figures {
  /** Put, and not done yet. */
  unfinished: number
  /** Of those, the ones that nobody has. */
  size: number
  /** Of those, the ones that this consumer has. */
  mine: number
}

export interface LinkOptions {
  /** Whom errors name. */
  owner: object
  url: string
  name: string
  /** Seconds. */
  lease: number
}

export class Link {
  figures: Figures = { unfinished: 0, size: 0, mine: 0 }
  readonly consumer: string
  /** The key of the items that were set aside. */
  readonly aside: string
  readonly #connection: QueueConnection
  readonly #keys: string[]
  readonly #lease: string
  readonly #onLost: (before: Figures) => void
  #born = ''

  /** `onLost`: the queue is not the one that it was. */
  constructor({ owner, url, name, lease }: LinkOptions, listener: Listener, onLost: (before: Figures) => void) {
    const key = `loopscope:queue:{${name}}`
    this.consumer = randomUUID()
    this.aside = `${key}:aside`
    this.#keys = [key, `${key}:born`, `${key}:leases`, `${key}:waiting`, `${key}:put:${this.consumer}`, this.aside]
    this.#lease = String(Math.round(lease * 1000))
    this.#onLost = onLost
    this.#connection = new QueueConnection(owner, url, key, listener)
  }

  get ready(): boolean {
    return this.#connection.state === 'ready'
  }

  get away(): boolean {
    return this.#connection.state === 'away'
  }

  open(): void {
    this.#connection.open()
  }

  close(): void {
    this.#connection.close()
  }

  /**
   * Run a script; gives what it answers beside the figures. Rejects with Away where Redis is, and with why where it
   * refuses. On a queue that Redis lost since it was asked last, nothing happened: `null`.
   */
  async ask(script: Script, ...args: string[]): Promise<unknown[] | null> {
    const asked = this.#born
    const answer = await this.#connection.call(script, this.#keys, [asked, randomUUID(), this.consumer, this.#lease, ...args])
    const [born, unfinished, size, mine, ...rest] = answer as [string, number, number, number, ...unknown[]]
    const before = this.figures
    this.figures = { unfinished, size, mine }
    const known = this.#born
    this.#born = born
    if (known !== '' && born !== known) this.#onLost(before)
    return asked === '' || born === asked ? rest : null
  }
}

export { Away }
