// A ring of records in shared memory, from one thread to another: the writer publishes, the reader frees. Where there is
// no room the writer's events are lost, and counted; it never waits.
import { LONGEST_JSON, RECORD_BYTES, RECORD_WORDS, recordsOf, TEXT_HEAD_BYTES, viewOf, WORD, type Records, type Shared } from './layout.ts'
import { KIND_MASK, TEXT_KIND, type HeadOf, type NumberKind, type Reference, type WordKind, type Written } from './record-schema.ts'
import { LONGEST_TEXT, writeText } from '../events/texts.ts'

/** A text that comes up again is sent once; the table of those begins anew when it is full, and the length of each is bounded. */
const MOST_KEPT = 16_384
export const LONGEST_KEPT = 200
/** So many looks at the header take ten microseconds. */
const LOOKS = 2000
/** In place of the number of a text: all that were sent before are forgotten. */
const FORGET = -1

const encoder = new TextEncoder()
const decoder = new TextDecoder()
const scratch = new Uint8Array(LONGEST_TEXT)

/** What a record says of a text: a number above zero is one that was sent before, 0 is none. */
export const NO_TEXT = 0 as Reference
/** The text stands in front of the record, and is not kept. */
const TEXT_IN_FRONT = -1 as Reference

/** How many records a text takes at most, which is cut at so many bytes. */
function recordsFor(length: number, most: number): number {
  const bytes = Math.min(length * 3, most)
  return bytes <= TEXT_HEAD_BYTES ? 1 : 1 + Math.ceil((bytes - TEXT_HEAD_BYTES) / RECORD_BYTES)
}

/** The texts that the reader has, by their numbers. */
export class Texts {
  readonly numbers = new Map<string, Reference>()
  /** The same by what they describe. */
  described = new WeakMap<object, Reference>()

  forget(): void {
    this.numbers.clear()
    this.described = new WeakMap()
  }
}

/** Writes records one after the other; a subclass says where, and what happens when there is no more room. */
export abstract class RecordWriter {
  words: Int32Array
  numbers: Float64Array
  protected bytes: Uint8Array
  mask: number
  /** How many records have been written, wrapping around; and how many may be. */
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

  /** Write a record. The caller has asked whether it fits. */
  put<K extends WordKind>(head: HeadOf<K>, task: number, t: number, ...fields: Written<K>): void
  put(head: number, task: number, t: number, a: number, b: number, c: number, d: number): void {
    const { words } = this
    const at = this.next()
    words[at] = head
    words[at + 1] = task
    this.numbers[(at >> 1) + 1] = t
    // A field that the kind does not have is undefined, and stands there as 0.
    words[at + 4] = a
    words[at + 5] = b
    words[at + 6] = c
    words[at + 7] = d
    this.commit()
  }

  /** The same, of a kind that has a number. */
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

  /** How many records a text needs at most, before the record that refers to it. */
  roomFor(text: string): number {
    return recordsFor(text.length, LONGEST_TEXT)
  }

  /** How many records JSON needs at most, before the record that refers to it. Throws a RangeError where it is too long. */
  roomForJson(json: string): number {
    if (json.length * 3 > LONGEST_JSON) {
      throw new RangeError(`an event may have ${Math.floor(LONGEST_JSON / 3)} characters as JSON, this one has ${json.length}: ${json.slice(0, 50)}…`)
    }
    return recordsFor(json.length, LONGEST_JSON)
  }

  /** Refer to a text that is likely to come again. */
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

  /** Refer to the text that describes an object. */
  describe(object: object, text: string): Reference {
    const id = this.keep(text)
    if (id > 0) this.#kept.described.set(object, id)
    return id
  }

  /** Refer to a text that is not. */
  putText(text: string): Reference {
    this.#write(0, text)
    return TEXT_IN_FRONT
  }

  /** Refer to JSON, of which nothing may be cut. */
  putJson(json: string): Reference {
    const encoded = encoder.encode(json)
    this.#writeBytes(this.#head(0), encoded, encoded.length)
    return TEXT_IN_FRONT
  }

  /** The offset, in words, of the next record. */
  protected next(): number {
    const at = (this.head & this.mask) << 3
    this.head = (this.head + 1) | 0
    return at
  }

  /** A record is whole, or a text with all its records. */
  protected commit(): void {}

  protected abstract makeRoom(count: number): boolean

  /** Begin the table anew, if there is room to say so before `text`. */
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

  /** The first record of a text. */
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
  /** Nothing is written any more: the reader is behind. */
  losing = false
  readonly #header: Int32Array
  readonly #capacity: number

  constructor(shared: Shared) {
    const view = viewOf(shared)
    const kept = new Texts()
    super(view.records, kept)
    this.kept = kept
    this.#header = view.words
    // The texts may be forgotten at any time, which has a record of its own.
    this.#capacity = this.limit -= 1
  }

  /** Begin again, for a reader that has seen nothing. Nothing may read meanwhile. */
  restart(): void {
    this.kept.forget()
    this.head = 0
    this.limit = this.#capacity
    this.losing = false
    for (const word of [WORD.head, WORD.draft, WORD.tail]) Atomics.store(this.#header, word, 0)
  }

  /** Show the reader all that has been written. */
  publish(): void {
    Atomics.store(this.#header, WORD.head, this.head)
  }

  /** Try to write again: there must be room for half of the ring. */
  recover(): boolean {
    this.limit = (Atomics.load(this.#header, WORD.tail) + this.#capacity) | 0
    if (((this.head + this.#capacity / 2 - this.limit) | 0) > 0) {
      this.limit = this.head
      return false
    }
    this.losing = false
    return true
  }

  /** Not before it is whole: this thread may lose its processor in between, and be taken for one that is held up. */
  protected override commit(): void {
    // An atomic store would cost 10 ns a record; see `#drafted`.
    this.#header[WORD.draft] = this.head
  }

  protected override makeRoom(count: number): boolean {
    if (this.losing) return false
    this.limit = (Atomics.load(this.#header, WORD.tail) + this.#capacity) | 0
    if (((this.head + count - this.limit) | 0) <= 0) return true
    // From now on nothing fits until there is much room: half a story would be no use.
    this.losing = true
    this.limit = this.head
    return false
  }
}

/** Records in memory that grows: a description of everything, however much it is, goes this way. */
export class ScrollWriter extends RecordWriter {
  constructor(kept: Texts) {
    super(recordsOf(new ArrayBuffer(1024 * RECORD_BYTES)), kept)
  }

  /** What has been written. */
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

/** Hears records in their order; `at` is the offset of the record in words. */
export type RecordListener = (records: Records, at: number) => void

/** Reads records, and keeps the texts that were sent. */
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

  /** Whether anything waits to be read. */
  get behind(): boolean {
    return Atomics.load(this.#header, WORD.head) !== this.#tail
  }

  /**
   * Hand records to `listener` until `most` are read, and the last of them whole; gives how many were: what goes on over
   * several records counts as so many. `all` takes also what has not been published.
   */
  read(listener: RecordListener, most: number, all = false): number {
    const head = all ? this.#drafted() : Atomics.load(this.#header, WORD.head)
    const available = (head - this.#tail) | 0
    if (available <= 0) return 0
    const begin = this.#tail
    const end = (begin + Math.min(available, most)) | 0
    // A text may reach beyond `end`; it was published whole.
    while (((end - this.#tail) | 0) > 0) this.#take(this.#records, this.#mask, listener)
    Atomics.store(this.#header, WORD.tail, this.#tail)
    return (this.#tail - begin) | 0
  }

  /** Hand all records of a scroll to `listener`. */
  readScroll(content: ArrayBuffer, listener: RecordListener): void {
    const records = recordsOf(content)
    const tail = this.#tail
    this.#tail = 0
    while (this.#tail < content.byteLength / RECORD_BYTES) this.#take(records, -1, listener)
    this.#tail = tail
  }

  /** The text that a record refers to. Those that stand in front must be asked for in their order. */
  text(reference: number): string {
    return reference === TEXT_IN_FRONT ? (this.#inFront.shift() ?? '') : (this.#texts[reference] ?? '')
  }

  /**
   * How many records are whole. Some processors may show this count a few nanoseconds before the records themselves: what was
   * counted a few microseconds ago is there.
   */
  #drafted(): number {
    const header = this.#header
    const draft = Atomics.load(header, WORD.draft)
    for (let times = 0; times < LOOKS; times++) Atomics.load(header, WORD.head)
    return draft
  }

  #take(records: Records, mask: number, listener: RecordListener): void {
    const at = (this.#tail & mask) << 3
    this.#tail = (this.#tail + 1) | 0
    if (((records.words[at] as number) & KIND_MASK) === TEXT_KIND) this.#takeText(records, mask, at)
    else {
      listener(records, at)
      if (this.#inFront.length > 0) this.#inFront = []
    }
  }

  #takeText({ words, bytes }: Records, mask: number, at: number): void {
    const id = words[at + 1] as number
    const length = words[at + 2] as number
    const content = new Uint8Array(length)
    const start = at * 4 + (RECORD_BYTES - TEXT_HEAD_BYTES)
    content.set(bytes.subarray(start, start + Math.min(length, TEXT_HEAD_BYTES)))
    for (let from = TEXT_HEAD_BYTES; from < length; from += RECORD_BYTES) {
      const next = ((this.#tail & mask) << 3) * 4
      this.#tail = (this.#tail + 1) | 0
      content.set(bytes.subarray(next, next + Math.min(RECORD_BYTES, length - from)), from)
    }
    const text = decoder.decode(content)
    if (id === FORGET) this.#texts.length = 1
    else if (id === 0) this.#inFront.push(text)
    else this.#texts[id] = text
  }
}
