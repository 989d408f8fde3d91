// The shared memory of a watched thread and its observer: a header of words, and a ring of records of 32 bytes. One side
// writes records and the header, the other reads them and moves the tail; neither waits for the other.

/** A record is eight words; record-schema.ts defines them. */
export const RECORD_WORDS = 8
export const RECORD_BYTES = 32

/** The interval of the watched thread's heartbeat, in seconds. */
export const BEAT_SECONDS = 0.02

/** Words of the header, as 32-bit integers. */
export const WORD = {
  /** How many records have been published; wraps around. */
  head: 0,
  /** How many whole records have been written. The unpublished ones are read while the thread is blocked. */
  draft: 1,
  /** How many have been read. */
  tail: 2,
  /** Odd while a step, a callback or a handler runs; changes at every edge. */
  step: 3,
  /** What runs: one of `HOLDER`. */
  holder: 4,
  /** The task whose step runs. */
  task: 5,
  /** The interned name of the callback, or the request whose handler runs. */
  subject: 6,
  /** The observer increments this at every poll, so that the probe knows that time has passed. */
  tick: 7,
  /** Calls on worker threads: waiting, running, and running although their task was cancelled. */
  sensitiveQueued: 8,
  sensitiveRunning: 9,
  sensitiveOrphaned: 10,
  poolQueued: 11,
  poolRunning: 12,
  poolOrphaned: 13,
  /** How often unknown code has blocked the thread; the times of the last blocks are in `NUMBER.blocks`. */
  blocks: 14,
  /** How many heartbeats there were; wraps around. */
  beats: 15,
  /** The process ends, and waits for its recording; and whether that is whole. */
  ended: 16,
  saved: 17,
} as const

/** Numbers of the header, as 64-bit floats after the words. */
export const NUMBER = {
  /** When the step began, in seconds on the loop's clock. */
  since: 0,
  /** The last heartbeat, in seconds on the loop's clock. */
  beat: 1,
  /** Milliseconds that the thread's host was idle and active. */
  idle: 2,
  active: 3,
  /** Estimated seconds that recording has cost the thread. */
  cost: 4,
  /** Seconds in which known code blocked the thread. */
  blocked: 5,
  /** Seconds of garbage collection. Those of a stall are added right after it. */
  collected: 6,
  /** Begin and end of the last `MOST_BLOCKS` blocks of unknown code, as a ring. */
  blocks: 7,
} as const

/** More than fit between two polls of an observer that gets a processor. */
export const MOST_BLOCKS = 16

const NUMBERS_AT = 128
const HEADER_BYTES = NUMBERS_AT + (NUMBER.blocks + 2 * MOST_BLOCKS) * 8

export const HOLDER = { task: 1, callback: 2, request: 3 } as const

/** Bytes of a text that fit into its first record. */
export const TEXT_HEAD_BYTES = 20
/** The longest text that must arrive whole, because it is JSON. */
export const LONGEST_JSON = 32_000

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
  readonly bytes: Buffer
}

/** Makes memory for this many records, a power of two. */
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
  return { words: new Int32Array(buffer), numbers: new Float64Array(buffer), bytes: Buffer.from(buffer as ArrayBuffer) }
}

/** The task whose step runs, 0 if none does. */
export function taskOf({ words }: View): number {
  return words[WORD.holder] === HOLDER.task ? (words[WORD.task] as number) >>> 0 : 0
}
