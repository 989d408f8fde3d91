// What the driver and the application agree on: the steps of a script, and the record of what came of them. Bytes travel as
// {"$bytes": text of one character each}.

export type Encoded = null | boolean | number | string | Encoded[] | { [key: string]: Encoded }
export type Message = { [key: string]: Encoded }

export type Step =
  /** Receives and records; null if nothing arrives within this many seconds. */
  | ['receive', seconds?: number]
  /** Receives and records until a message without `more_body`. */
  | ['drain']
  /** Sends back each WebSocket message, until something else is received. */
  | ['echo']
  /** Sends, and records what it threw. {"$file": true} is an open file of the ten digits, {"$path": true} its path. */
  | ['send', Message]
  /** Sends; what it throws ends the application. */
  | ['send!', Message]
  /** Sends parts of the body of this size until one throws, or up to this many bytes, and records how many. */
  | ['flood', size: number, limit: number]
  | ['sleep', seconds: number]
  /** Changes its scope. */
  | ['set', key: string, value: Encoded]
  /** Puts a value into the state of its scope, and appends it to the list that all states have. */
  | ['state', key: string, value: Encoded]
  | ['raise', message: string]

export type Received = { received: Message | null }
/** `error` is what `send` threw: null for nothing, `pending` while it has not returned. */
export type Sent = { sent: string; error: null | 'pending' | { name: string; os: boolean } }
export type Flooded = { flooded: number; ended: boolean }
export type Entry = Received | Sent | Flooded

/** What happened in one call of the application. */
export interface RunRecord {
  /** How often it was called with this key. */
  calls: number
  scope: Record<string, Encoded>
  log: Entry[]
  /** `returned`, or the name of the error that ended it; null while it runs. */
  ended: string | null
}

export const bytes = (text: string): Encoded => ({ $bytes: text })

export const pairs = (headers: [name: string, value: string][]): Encoded => headers.map(([name, value]) => [bytes(name), bytes(value)])

/** The text of encoded bytes; null for anything else. */
export function textOf(value: Encoded | undefined): string | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && typeof value['$bytes'] === 'string' ? value['$bytes'] : null
}
