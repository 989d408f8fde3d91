// One queue's communication with Redis. Every answer contains the queue's figures, and a name that distinguishes a new queue
// from a lost one.
import { randomUUID } from 'node:crypto'
import { RedisUnavailable, QueueConnection, type Listener } from './connection.ts'
import type { Script } from '../script.ts'
import { KEYS } from './scripts.ts'

/** The figures of the queue, as of the last answer. */
export interface Figures {
  /** Put, and not done yet. */
  unfinished: number
  /** Those of them that no consumer has. */
  size: number
  /** Those of them that this consumer has. */
  mine: number
}

export interface LinkOptions {
  /** The object that errors name. */
  owner: object
  url: string
  name: string
  /** Seconds. */
  lease: number
}

export class Link {
  figures: Figures = { unfinished: 0, size: 0, mine: 0 }
  readonly consumer: string
  /** The key of the dead letters. */
  readonly dead: string
  readonly #connection: QueueConnection
  readonly #keys: string[]
  readonly #lease: string
  readonly #onLost: (before: Figures) => void
  #born = ''

  /** `onLost`: the queue is not the same as before. */
  constructor({ owner, url, name, lease }: LinkOptions, listener: Listener, onLost: (before: Figures) => void) {
    const key = `loopscope:queue:{${name}}`
    this.consumer = randomUUID()
    this.dead = `${key}:dead`
    this.#keys = [key, ...KEYS.map((part) => `${key}:${part}`), `${key}:put:${this.consumer}`]
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
   * Runs a script; returns its answer without the figures. Rejects with RedisUnavailable if Redis is away, and with the reason if it
   * refuses. `null` if Redis has lost the queue since the last answer; then nothing was done.
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

export { RedisUnavailable }
