// The shared memory of a watched thread and its observer: a header of words, and a ring of records of 32 bytes. One side
// writes records and the header, the other reads them and moves the tail; neither ever waits for the other.
import type { WaitKind } from '../runtime/instruments.ts'

/** A record is eight words. Word 0 is its kind and flags, word 1 mostly a task, words 2 and 3 a time in seconds. */
export const RECORD_WORDS = 8
export const RECORD_BYTES = 32

/** Words of the header, as 32-bit integers. */
export const WORD = {
  /** How many records have been published; it wraps around. */
  head: 0,
  /** How many have been written: to be trusted only while it stands still, for then the writer is held up. */
  draft: 1,
  /** How many have been read. */
  tail: 2,
  /** Odd while a step, a callback or a handler holds the thread; it changes at every edge. */
  step: 3,
  /** What holds it: one of `HOLDER`. */
  holder: 4,
  /** The task that runs. */
  task: 5,
  /** The interned name of the callback, or the request whose handler runs. */
  subject: 6,
  /** The observer counts this up at every look, so that the writer knows that time has passed. */
  tick: 7,
  /** Calls on worker threads: waiting, running, and running on unheard. */
  sensitiveQueued: 8,
  sensitiveRunning: 9,
  sensitiveOrphaned: 10,
  poolQueued: 11,
  poolRunning: 12,
  poolOrphaned: 13,
} as const

/** Numbers of the header, as 64-bit floats behind the words. */
export const NUMBER = {
  /** When the step began, in seconds on the clock of the loop. */
  since: 0,
  /** When the thread last answered, likewise. */
  beat: 1,
  /** Milliseconds that the thread's host was idle and active. */
  idle: 2,
  active: 3,
  /** Seconds that recording has cost the thread, estimated. */
  cost: 4,
  /** Seconds in which something that is known held the thread for long. */
  held: 5,
} as const

const NUMBERS_AT = 128
const HEADER_BYTES = 256

export const HOLDER = { task: 1, callback: 2, request: 3 } as const

/** Kinds of records. */
export const KIND = {
  text: 1, scope: 2, created: 3, ready: 4, running: 5, suspended: 6, ran: 7, finished: 8, cancelling: 9, printed: 10, queue: 11,
  requestStarted: 12, requestFinished: 13, runStarted: 14, runFinished: 15, threadStarted: 16, threadFinished: 17,
  loopStarted: 18, loopClosed: 19, lost: 20, described: 21, alive: 22, held: 23, settled: 24, location: 25, reported: 26, other: 27, rounds: 28,
} as const

/** Flags of a record, in word 0 above its kind. */
export const FLAG = { numbered: 1 << 8, deadline: 1 << 9, located: 1 << 10, began: 1 << 11, cancelling: 1 << 12 } as const
/** A small number of a record stands in word 0 from this bit on. */
export const SMALL = 16

/** A record of rounds holds as many tasks, in words 1 and 4 to 7, and their number in word 0. */
export const ROUNDS = 5

/** Bytes of a text that fit into its first record. */
export const TEXT_HEAD_BYTES = 20
/** A longer text is cut. */
export const LONGEST_TEXT = 32_000

export const WAIT_KINDS: readonly WaitKind[] = [
  'yield', 'sleep', 'future', 'task', 'gather', 'queue.get', 'queue.put', 'queue.join', 'lock', 'event', 'condition', 'semaphore',
  'barrier', 'thread', 'promise',
]
export const OUTCOMES = ['returned', 'raised', 'cancelled', 'disconnected', 'orphaned'] as const
export const OPS = ['put', 'get', 'done'] as const
export const MODES = ['inline', 'sensitive', 'pool'] as const
export const STATES = ['ready', 'running', 'suspended'] as const
export const REPORTS = ['never-awaited', 'never-retrieved'] as const

/** The memory that both threads share. */
export interface Shared {
  readonly header: SharedArrayBuffer
  readonly records: SharedArrayBuffer
}

/** One side's view of it. */
export interface View {
  readonly words: Int32Array
  readonly numbers: Float64Array
  readonly records: Records
}

/** Records as words, as numbers (two words each) and as bytes. */
export interface Records {
  readonly words: Int32Array
  readonly numbers: Float64Array
  readonly bytes: Uint8Array
}

/** Make memory for this many records, a power of two. */
export function share(records: number): Shared {
  if (!Number.isInteger(records) || records < 4096 || records > 2 ** 24 || (records & (records - 1)) !== 0) {
    throw new RangeError(`ring: the number of records must be a power of two from 4096 to 16777216, got ${records}`)
  }
  return { header: new SharedArrayBuffer(HEADER_BYTES), records: new SharedArrayBuffer(records * RECORD_BYTES) }
}

export function viewOf({ header, records }: Shared): View {
  return {
    words: new Int32Array(header, 0, NUMBERS_AT / 4), numbers: new Float64Array(header, NUMBERS_AT), records: recordsOf(records),
  }
}

export function recordsOf(buffer: ArrayBufferLike): Records {
  return { words: new Int32Array(buffer), numbers: new Float64Array(buffer), bytes: new Uint8Array(buffer) }
}
