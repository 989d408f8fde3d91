// A ring of records in shared memory, from one thread to another: the writer publishes records, the reader frees them. If
// there is no room, the writer counts the event as lost; it never waits.
import { LONGEST_JSON, RECORD_BYTES, RECORD_WORDS, recordsOf, TEXT_HEAD_BYTES, viewOf, WORD, type Records, type Shared } from './layout.ts'
import { KIND_MASK, TEXT_KIND, type HeadOf, type NumberKind, type Reference, type WordKind, type Written } from './record-schema.ts'
import { LONGEST_TEXT, writeText } from '../events/texts.ts'

/** A text that is likely to come again is sent once and kept in a table. The table is emptied when it is full; longer texts are not kept. */
const MOST_KEPT = 16_384
export const LONGEST_KEPT = 200
/** This many reads of the header take about ten microseconds. */
const READS = 2000
/** Sent instead of a text's number: the reader forgets all texts. */
const FORGET = -1

const encoder = new TextEncoder()
const scratch = new Uint8Array(LONGEST_TEXT)

/** How a record refers to a text: a positive number is a text that was sent before, 0 is no text. */
export const NO_TEXT = 0 as Reference
/** The text is in front of the record and is not kept. */
const TEXT_IN_FRONT = -1 as Reference

/** The most records that a text needs, if it is cut at `most` bytes. */
function recordsFor(length: number, most: number): number {
  const bytes = Math.min(length * 3, most)
  return bytes <= TEXT_HEAD_BYTES ? 1 : 1 + Math.ceil((bytes - TEXT_HEAD_BYTES) / RECORD_BYTES)
}

/** The texts that the reader knows, by their numbers. */
export class Texts {
  readonly numbers = new Map<string, Reference>()
  /** The same, by the objects that they describe. */
  described = new WeakMap<object, Reference>()

  forget(): void {
    this.numbers.clear()
    this.described = new WeakMap()
  }
}

/** Writes records one after the other. A subclass decides where, and what happens if there is no room. */
export abstract class RecordWriter {
  words: Int32Array
  numbers: Float64Array
  protected bytes: Uint8Array
  mask: number
  /** How many records have been written, wrapping around, and the limit of this count. */
  head = 0
  limit: number
  readonly #kept: Texts

  protected constructor(records: Records, kept: Texts) {
    this.words = records.words
    this.numbers = records.numbers
    this.bytes = records.bytes
    const capacity = this.words.length / RECORD_WORDS
    this.mask = capacity - 1
    this.limit = capacity
    this.#kept = kept
  }

  /** Whether `count` records fit. */
  fits(count: number): boolean {
    return ((this.head + count - this.limit) | 0) <= 0 || this.makeRoom(count)
  }

  /** Writes a record. The caller has checked that it fits. */
  put<K extends WordKind>(head: HeadOf<K>, task: number, t: number, ...fields: Written<K>): void
  put(head: number, task: number, t: number, a: number, b: number, c: number, d: number): void {
    const { words } = this
    const at = this.next()
    words[at] = head
    words[at + 1] = task
    this.numbers[(at >> 1) + 1] = t
    // A field that the kind does not have is undefined, and is written as 0.
    words[at + 4] = a
    words[at + 5] = b
    words[at + 6] = c
    words[at + 7] = d
    this.commit()
  }

  /** The same, for a kind with a number. */
  putNumber<K extends NumberKind>(head: HeadOf<K>, task: number, t: number, ...fields: Written<K>): void
  putNumber(head: number, task: number, t: number, a: number, b: number, number: number): void {
    const { words, numbers } = this
    const at = this.next()
    words[at] = head
    words[at + 1] = task
    numbers[(at >> 1) + 1] = t
    words[at + 4] = a
    words[at + 5] = b
    numbers[(at >> 1) + 3] = number
    this.commit()
  }

  /** The most records that a text needs before the record that refers to it. */
  roomFor(text: string): number {
    return recordsFor(text.length, LONGEST_TEXT)
  }

  /** The most records that JSON needs before the record that refers to it. Throws a RangeError if it is too long. */
  roomForJson(json: string): number {
    if (json.length * 3 > LONGEST_JSON) {
      throw new RangeError(`an event may have ${Math.floor(LONGEST_JSON / 3)} characters as JSON, this one has ${json.length}: ${json.slice(0, 50)}…`)
    }
    return recordsFor(json.length, LONGEST_JSON)
  }

  /** A reference to a text that is likely to come again. */
  keep(text: string): Reference {
    const { numbers } = this.#kept
    const known = numbers.get(text)
    if (known !== undefined) return known
    if (text === '') return NO_TEXT
    if (text.length > LONGEST_KEPT || (numbers.size >= MOST_KEPT && !this.#forget(text))) return this.putText(text)
    const id = (numbers.size + 1) as Reference
    numbers.set(text, id)
    this.#write(id, text)
    return id
  }

  /** The number of the text that describes an object, if it was sent before. */
  known(object: object): Reference | undefined {
    return this.#kept.described.get(object)
  }

  /** A reference to the text that describes an object. */
  describe(object: object, text: string): Reference {
    const id = this.keep(text)
    if (id > 0) this.#kept.described.set(object, id)
    return id
  }

  /** A reference to a text that is not likely to come again. */
  putText(text: string): Reference {
    this.#write(0, text)
    return TEXT_IN_FRONT
  }

  /** A reference to JSON, which must not be cut. */
  putJson(json: string): Reference {
    const encoded = encoder.encode(json)
    this.#writeBytes(this.#head(0), encoded, encoded.length)
    return TEXT_IN_FRONT
  }

  /** The word offset of the next record. */
  protected next(): number {
    const at = (this.head & this.mask) << 3
    this.head = (this.head + 1) | 0
    return at
  }

  /** Called after a whole record, or a text with all its records. */
  protected commit(): void {}

  protected abstract makeRoom(count: number): boolean

  /** Empties the table, if there is room for the record that says so and for `text`. */
  #forget(text: string): boolean {
    if (!this.fits(2 + this.roomFor(text))) return false
    const at = this.#head(FORGET)
    this.words[at + 2] = 0
    this.commit()
    this.#kept.forget()
    return true
  }

  #write(id: number, text: string): void {
    const { words, bytes } = this
    const at = this.#head(id)
    if (text.length <= TEXT_HEAD_BYTES) {
      const start = at * 4 + (RECORD_BYTES - TEXT_HEAD_BYTES)
      let index = 0
      for (; index < text.length; index++) {
        const code = text.charCodeAt(index)
        if (code > 127) break
        bytes[start + index] = code
      }
      if (index === text.length) {
        words[at + 2] = index
        this.commit()
        return
      }
    }
    this.#writeBytes(at, scratch, writeText(text, scratch))
  }

  /** Writes the first record of a text. */
  #head(id: number): number {
    const at = this.next()
    this.words[at] = TEXT_KIND
    this.words[at + 1] = id
    return at
  }

  #writeBytes(at: number, encoded: Uint8Array, length: number): void {
    const { bytes } = this
    this.words[at + 2] = length
    bytes.set(encoded.subarray(0, Math.min(length, TEXT_HEAD_BYTES)), at * 4 + (RECORD_BYTES - TEXT_HEAD_BYTES))
    for (let from = TEXT_HEAD_BYTES; from < length; from += RECORD_BYTES) {
      bytes.set(encoded.subarray(from, Math.min(length, from + RECORD_BYTES)), this.next() * 4)
    }
    this.commit()
  }
}

export class RingWriter extends RecordWriter {
  readonly kept: Texts
  /** The ring is full: nothing is written until half of it is free. */
  losing = false
  readonly #header: Int32Array
  readonly #capacity: number

  constructor(shared: Shared) {
    const view = viewOf(shared)
    const kept = new Texts()
    super(view.records, kept)
    this.kept = kept
    this.#header = view.words
    // One record is kept free for the one that makes the reader forget all texts.
    this.#capacity = this.limit -= 1
  }

  /** Starts again for a new reader. No thread may read meanwhile. */
  restart(): void {
    this.kept.forget()
    this.head = 0
    this.limit = this.#capacity
    this.losing = false
    for (const word of [WORD.head, WORD.draft, WORD.tail]) Atomics.store(this.#header, word, 0)
  }

  /** Makes all written records visible to the reader. */
  publish(): void {
    Atomics.store(this.#header, WORD.head, this.head)
  }

  /** Continues to write if half of the ring is free. */
  recover(): boolean {
    this.limit = (Atomics.load(this.#header, WORD.tail) + this.#capacity) | 0
    if (((this.head + this.#capacity / 2 - this.limit) | 0) > 0) {
      this.limit = this.head
      return false
    }
    this.losing = false
    return true
  }

  /** Counted only when whole: this thread may lose its processor in between, and the reader may then read unpublished records. */
  protected override commit(): void {
    // An atomic store would cost 10 ns for each record; see `#drafted`.
    this.#header[WORD.draft] = this.head
  }

  protected override makeRoom(count: number): boolean {
    if (this.losing) return false
    this.limit = (Atomics.load(this.#header, WORD.tail) + this.#capacity) | 0
    if (((this.head + count - this.limit) | 0) <= 0) return true
    // Nothing is written until much of the ring is free: an incomplete record of a moment is of no use.
    this.losing = true
    this.limit = this.head
    return false
  }
}

/** Records in memory that grows, for a snapshot of any size. */
export class SnapshotWriter extends RecordWriter {
  constructor(kept: Texts) {
    super(recordsOf(new ArrayBuffer(1024 * RECORD_BYTES)), kept)
  }

  /** All records so far. */
  get content(): ArrayBuffer {
    return this.bytes.buffer.slice(0, this.head * RECORD_BYTES) as ArrayBuffer
  }

  protected override makeRoom(count: number): boolean {
    let capacity = this.limit
    while (capacity < this.head + count) capacity *= 2
    const grown = recordsOf(new ArrayBuffer(capacity * RECORD_BYTES))
    grown.bytes.set(this.bytes)
    this.words = grown.words
    this.numbers = grown.numbers
    this.bytes = grown.bytes
    this.mask = capacity - 1
    this.limit = capacity
    return true
  }
}

/** Receives records in order; `at` is the word offset of the record. */
export type RecordListener = (records: Records, at: number) => void

/** Reads records and keeps the texts that were sent. */
export class RingReader {
  readonly #header: Int32Array
  readonly #records: Records
  readonly #mask: number
  readonly #texts: string[] = ['']
  #inFront: string[] = []
  #tail = 0

  constructor(shared: Shared) {
    const view = viewOf(shared)
    this.#header = view.words
    this.#records = view.records
    this.#mask = this.#records.words.length / RECORD_WORDS - 1
  }

  /** Whether there are published records to read. */
  get behind(): boolean {
    return Atomics.load(this.#header, WORD.head) !== this.#tail
  }

  /**
   * Passes records to `listener` until `most` are read, and always whole: a text over several records counts each of them.
   * Returns the count. `all` includes records that are not published.
   */
  read(listener: RecordListener, most: number, all = false): number {
    const head = all ? this.#drafted() : Atomics.load(this.#header, WORD.head)
    const available = (head - this.#tail) | 0
    if (available <= 0) return 0
    const begin = this.#tail
    const end = (begin + Math.min(available, most)) | 0
    // A text may extend beyond `end`, but it was published whole.
    while (((end - this.#tail) | 0) > 0) this.#readRecord(this.#records, this.#mask, listener)
    Atomics.store(this.#header, WORD.tail, this.#tail)
    return (this.#tail - begin) | 0
  }

  /** Passes all records of a snapshot to `listener`. */
  readSnapshot(content: ArrayBuffer, listener: RecordListener): void {
    const records = recordsOf(content)
    const tail = this.#tail
    this.#tail = 0
    while (this.#tail < content.byteLength / RECORD_BYTES) this.#readRecord(records, -1, listener)
    this.#tail = tail
  }

  /** The text that a record refers to. Ask for texts in front of a record in their order. */
  text(reference: number): string {
    return reference === TEXT_IN_FRONT ? (this.#inFront.shift() ?? '') : (this.#texts[reference] ?? '')
  }

  /**
   * How many records are whole. On some processors this count is visible a few nanoseconds before the records; records that
   * were counted some microseconds ago are complete.
   */
  #drafted(): number {
    const header = this.#header
    const draft = Atomics.load(header, WORD.draft)
    for (let times = 0; times < READS; times++) Atomics.load(header, WORD.head)
    return draft
  }

  #readRecord(records: Records, mask: number, listener: RecordListener): void {
    const at = (this.#tail & mask) << 3
    this.#tail = (this.#tail + 1) | 0
    if (((records.words[at] as number) & KIND_MASK) === TEXT_KIND) this.#takeText(records, at)
    else {
      listener(records, at)
      if (this.#inFront.length > 0) this.#inFront = []
    }
  }

  #takeText({ words, bytes }: Records, at: number): void {
    const id = words[at + 1] as number
    const length = words[at + 2] as number
    const records = length <= TEXT_HEAD_BYTES ? 0 : Math.ceil((length - TEXT_HEAD_BYTES) / RECORD_BYTES)
    const start = at * 4 + (RECORD_BYTES - TEXT_HEAD_BYTES)
    // It goes on at the beginning where the ring ends.
    const first = Math.min(length, bytes.length - start)
    this.#tail = (this.#tail + records) | 0
    const text = first === length ? bytes.toString('utf8', start, start + length)
      : Buffer.concat([bytes.subarray(start), bytes.subarray(0, length - first)]).toString()
    if (id === FORGET) this.#texts.length = 1
    else if (id === 0) this.#inFront.push(text)
    else this.#texts[id] = text
  }
}
