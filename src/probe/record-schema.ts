// The records in shared memory: each kind and its fields once, in one table. The writer's and the reader's side are both
// made from it: a field that only one of them has is a type error.
//
//    word    0                          1      2   3    4     5     6     7
//          | kind | 0 | small | second | task | time   | first second third fourth |
//    bits    8      8   8       8        32     64       four words of 32 bits, or two and a number of 64:
//                                                       | first second   number    |
//
// A small field is one of the words of a list. A word is a count, an id, or refers to a text that went before its record.
// A time is in seconds on the loop's clock. Fields are passed as arguments, so that nothing is allocated.
import type { WaitKind } from '../runtime/waitable.ts'
import type { Records } from './layout.ts'

const WAIT_KINDS: readonly WaitKind[] = [
  'yield', 'sleep', 'future', 'task', 'gather', 'queue.get', 'queue.put', 'queue.join', 'lock', 'event', 'condition', 'semaphore',
  'barrier', 'thread', 'promise', 'receive', 'send',
]
/** What ends a wait at its deadline. */
const ENDED_BY = ['itself', 'timeout'] as const
const OUTCOMES = ['returned', 'raised', 'cancelled'] as const
const SERVED = [...OUTCOMES, 'disconnected'] as const
const SENDERS = ['client', 'page'] as const
/** What has sent a request: the live page, or anything else. */
export type Sender = (typeof SENDERS)[number]
const ENDINGS = [...OUTCOMES, 'orphaned'] as const
const MODES = ['inline', 'sensitive', 'pool'] as const
const DIRECTIONS = ['receive', 'send'] as const
/** Whether more of a body follows. */
const LENGTHS = ['last', 'more'] as const
const CLOCKS = ['real', 'virtual'] as const
const STATES = ['ready', 'running', 'suspended'] as const

interface Layout {
  readonly kind: number
  readonly small?: readonly string[]
  readonly second?: readonly string[]
  /** Four, or two with a number. One that refers to a text says so: `name: text`. The fourth cannot. */
  readonly words?: readonly string[]
  readonly number?: string
}

export const RECORDS = {
  /** Not an event: the run and the request of the task in the next record. */
  scope: { kind: 2, words: ['run', 'request'] },
  /** A task with a name of its own, or with a number after `Task-` or a name that it shares with others: `GET /ping #7`. */
  created: { kind: 3, words: ['parent', 'name: text', 'coroutine: text', 'number'] },
  ready: { kind: 4, words: ['by'] },
  /** A step begins; an eager one inside the running step. */
  running: { kind: 5, small: ['next', 'eager'] },
  /** At `deadline`, NaN without one, the wait ends by itself or by a `timeout()`; `other` is the task or the queue that is waited for, or the task that owns the lock. */
  suspended: { kind: 6, small: WAIT_KINDS, second: ENDED_BY, words: ['label: text', 'other'], number: 'deadline' },
  yielded: { kind: 7 },
  finished: { kind: 8, small: OUTCOMES, words: ['error: text'] },
  cancelling: { kind: 9, words: ['by', 'message: text'] },
  printed: { kind: 10, words: ['text: text'] },
  queue: { kind: 11, small: ['put', 'get', 'done'], words: ['queue', 'size', 'unfinished', 'maxsize'] },
  /** `waited`: for how many microseconds a stall may have delayed it. */
  requestStarted: { kind: 12, small: SENDERS, words: ['request', 'method: text', 'url: text', 'waited'] },
  requestFinished: { kind: 13, small: SERVED, words: ['request', 'status'], number: 'seconds' },
  runStarted: { kind: 14, words: ['run', 'example', 'parameters: text', 'request'] },
  runFinished: { kind: 15, small: OUTCOMES, words: ['run', 'error: text', 'request'] },
  threadStarted: { kind: 16, small: MODES, words: ['call', 'function: text'] },
  /** `seconds` is NaN if the call never began. */
  threadFinished: { kind: 17, small: MODES, second: ENDINGS, words: ['call', 'function: text'], number: 'seconds' },
  loopStarted: { kind: 18, small: CLOCKS, words: ['name: text', 'pid'] },
  loopClosed: { kind: 19, small: CLOCKS, words: ['name: text', 'pid'] },
  lost: { kind: 20, words: ['count'] },
  /** A snapshot arrives on another channel and belongs at this position. */
  snapshot: { kind: 21 },
  /** A task in a snapshot. */
  alive: { kind: 22, small: STATES, words: ['name: text', 'coroutine: text', 'number', 'cancelling'] },
  /** Something blocked the thread, from the record's time until `to`. */
  blocked: { kind: 23, words: ['name: text', 'request'], number: 'to' },
  settled: { kind: 24 },
  /** Not an event: where the task of the next record is suspended. */
  location: { kind: 25, words: ['function: text', 'file: text', 'line', 'column'] },
  reported: { kind: 26, small: ['never-awaited', 'never-retrieved'], words: ['message: text'] },
  /** A finished event, as JSON. */
  other: { kind: 27, words: ['event: text'] },
  /** Not an event: how many steps of a task were counted in the busy stretch that follows. */
  busyTask: { kind: 28, words: ['steps'] },
  /** In the `micros` microseconds before the record's time there were `steps` steps, which all ended in `sleep(0)`. */
  busy: { kind: 29, words: ['steps', 'micros'] },
  /** A message between an ASGI application and its server. `code`: a status or the code of a close frame, 0 without one. */
  message: { kind: 30, small: DIRECTIONS, second: LENGTHS, words: ['request', 'message: text', 'bytes', 'code'] },
  /** Not an event: tasks that own permits of the semaphore that the task of the next record waits for; 0 for none. */
  owners: { kind: 31, words: ['first', 'second', 'third', 'fourth'] },
} as const satisfies Record<string, Layout>

/** A text extends over the records that follow: see ring.ts. */
export const TEXT_KIND = 1
export const KIND_MASK = 0xff
const SMALL = 16
const SECOND = 24

type Table = typeof RECORDS
export type Kind = keyof Table
/** How a record refers to a text: see ring.ts. */
export type Reference = number & { readonly refersTo: 'text' }
/** The first word of a record of this kind. */
export type HeadOf<K extends Kind> = number & { readonly of: K }
type Words<K extends Kind> = Table[K] extends { words: infer W extends readonly string[] } ? W : []
type Small<K extends Kind> = Table[K] extends { small: readonly (infer S)[] } ? S : never
type Second<K extends Kind> = Table[K] extends { second: readonly (infer S)[] } ? S : never
type Listed<S> = [S] extends [never] ? [] : [S]
type Numbered<K extends Kind> = Table[K] extends { number: string } ? [number] : []

type WordValues<W extends readonly string[], Text> = { -readonly [I in keyof W]: W[I] extends `${string}: text` ? Text : number }

/** The arguments to write a record of this kind, besides its first word, task and time. */
export type Written<K extends Kind> = [...WordValues<Words<K>, Reference>, ...Numbered<K>]
/** The fields that are read. */
type Read<K extends Kind> = [...Listed<Small<K>>, ...Listed<Second<K>>, ...WordValues<Words<K>, string>, ...Numbered<K>]

/** Kinds with four words, and kinds with two words and a number. */
export type NumberKind = { [K in Kind]: Numbered<K> extends [] ? never : K }[Kind]
export type WordKind = Exclude<Kind, NumberKind>

type Heads<K extends Kind> = [Small<K>] extends [never] ? HeadOf<K>
  : { readonly [S in Small<K> & string]: [Second<K>] extends [never] ? HeadOf<K> : { readonly [T in Second<K> & string]: HeadOf<K> } }

/** The first words of all records: `HEAD.ready`, `HEAD.queue[op]`. */
export const HEAD = Object.fromEntries(Object.entries(RECORDS as Record<string, Layout>).map(([name, { kind, small, second }]) => [
  name, small === undefined ? kind : byWord(small, SMALL, kind, (head) => (second === undefined ? head : byWord(second, SECOND, head, (both) => both))),
])) as { readonly [K in Kind]: Heads<K> }

function byWord<T>(words: readonly string[], shift: number, head: number, make: (head: number) => T): Record<string, T> {
  return Object.fromEntries(words.map((word, at) => [word, make(head | (at << shift))]))
}

/** Called with a record's task, its time, and all its fields in the order of the table. */
export type Handlers = { readonly [K in Kind]: (task: number, t: number, ...fields: Read<K>) => void }
type Taking<H extends Handlers> = {
  readonly [K in Kind]: Read<K> extends [] ? unknown : Parameters<H[K]>['length'] extends [number, number, ...Read<K>]['length'] ? unknown : never
}
type Handler = (task: number, t: number, ...fields: unknown[]) => void

/** How to read the fields of a kind. */
interface Reading {
  readonly small: readonly string[] | undefined
  readonly second: readonly string[] | undefined
  /** A bit for each word that refers to a text. */
  readonly texts: number
  readonly number: boolean
  readonly handle: Handler
}

/** A function that passes each record to the handler of its kind. `text` returns the text for a reference. */
export function recordReader<H extends Handlers>(text: (reference: number) => string, handlers: H & Taking<H>): (records: Records, at: number) => void {
  const readings: Reading[] = []
  for (const [name, { kind, small, second, words = [], number }] of Object.entries(RECORDS as Record<string, Layout>)) {
    readings[kind] = {
      small, second, texts: words.reduce((bits, word, at) => bits | (word.endsWith(': text') ? 1 << at : 0), 0), number: number !== undefined,
      handle: handlers[name as Kind] as Handler,
    }
  }
  return ({ words, numbers }, at) => {
    const head = words[at] as number
    const reading = readings[head & KIND_MASK]
    if (reading === undefined) return
    const { texts, handle, small, number } = reading
    const task = (words[at + 1] as number) >>> 0
    const t = numbers[(at >> 1) + 1] as number
    const first = words[at + 4] as number
    const second = words[at + 5] as number
    const third = words[at + 6] as number
    const a = (texts & 1) === 0 ? first >>> 0 : text(first)
    const b = (texts & 2) === 0 ? second >>> 0 : text(second)
    const c = number ? numbers[(at >> 1) + 3] as number : (texts & 4) === 0 ? third >>> 0 : text(third)
    const d = number ? 0 : (words[at + 7] as number) >>> 0
    if (small === undefined) handle(task, t, a, b, c, d)
    else {
      const word = small[(head >>> SMALL) & 0xff]
      if (reading.second === undefined) handle(task, t, word, a, b, c, d)
      else handle(task, t, word, reading.second[head >>> SECOND], a, b, c, d)
    }
  }
}
