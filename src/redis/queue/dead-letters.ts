// The items of a shared queue that are not delivered again: their tries are used up, or they cannot be read.
import type { Coroutine } from '../../runtime/coroutine.ts'
import { describe } from '../../runtime/describe.ts'
import type { Script } from '../script.ts'
import { DEAD, REDRIVE } from './scripts.ts'

/** The most dead letters that are listed, put back or removed at once. */
const MOST_AT_ONCE = 256

export interface DeadLetter<T> {
  id: string
  /** When it became one, on the clock of Redis. */
  at: Date
  /** `undefined` if it is no JSON. */
  item: T | undefined
  /** Its text, and how many bytes that had: of a text of more than 1,000,000 bytes only the beginning is kept. */
  json: string
  bytes: number
  /** The reason that `taskFailed()` was given, or what is wrong with it. */
  why: string
  /** How many tries failed. */
  failures: number
}

export class DeadLetters<T> {
  readonly #ask: (script: Script, ...args: string[]) => Coroutine<unknown[]>

  /** @internal */
  constructor(ask: (script: Script, ...args: string[]) => Coroutine<unknown[]>) {
    this.#ask = ask
  }

  /**
   * Lists them, the oldest first: those after the one with the id `after`, and at most `limit` (1 to 256, by default 100), in
   * about 1 MB. Throws a RangeError for another limit.
   */
  *list({ after = '', limit = 100 }: { after?: string; limit?: number } = {}): Coroutine<DeadLetter<T>[]> {
    if (!Number.isInteger(limit) || limit < 1 || limit > MOST_AT_ONCE) throw new RangeError(`RedisQueue.deadLetters.list: limit must be an integer from 1 to ${MOST_AT_ONCE}, got ${describe(limit)}`)
    if (after !== '') checkId('list', after)
    const [letters] = (yield* this.#ask(DEAD, after, String(limit))) as [[id: string, fields: string[]][]]
    return letters.map(([id, fields]) => letterOf<T>(id, fields))
  }

  /**
   * Puts these back into the queue, as if for the first time; returns how many. Those that are no longer there, and those of
   * which only the beginning was kept, are left out.
   */
  redrive(...ids: string[]): Coroutine<number> {
    return this.#each('redrive', ids)
  }

  /** Removes these; returns how many there were. */
  remove(...ids: string[]): Coroutine<number> {
    return this.#each('remove', ids)
  }

  *#each(what: 'redrive' | 'remove', ids: string[]): Coroutine<number> {
    for (const id of ids) checkId(what, id)
    let count = 0
    for (let at = 0; at < ids.length; at += MOST_AT_ONCE) {
      count += (yield* this.#ask(REDRIVE, what, ...ids.slice(at, at + MOST_AT_ONCE)))[0] as number
    }
    return count
  }
}

function checkId(what: string, id: string): void {
  if (typeof id !== 'string' || !/^\d{1,20}-\d{1,20}$/.test(id)) throw new TypeError(`RedisQueue.deadLetters.${what}: takes the id of a dead letter, got ${describe(id)}`)
}

function letterOf<T>(id: string, pairs: string[]): DeadLetter<T> {
  const fields = new Map<string, string>()
  for (let at = 0; at + 1 < pairs.length; at += 2) fields.set(pairs[at] as string, pairs[at + 1] as string)
  const json = fields.get('item') ?? ''
  let item: T | undefined
  try {
    item = JSON.parse(json) as T
  } catch { /* It is no JSON. */ }
  return { id, at: new Date(Number.parseInt(id)), item, json, bytes: Number(fields.get('bytes')), why: fields.get('why') ?? '', failures: Number(fields.get('failures')) }
}
