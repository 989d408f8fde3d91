// Messages between the main thread and one worker thread. A small, simple message is text in shared memory, where both sides
// can wait for it without an event loop; others go through a port. Messages are numbered, so their order is kept over both
// ways.
import { Buffer } from 'node:buffer'
import { receiveMessageOnPort, type MessagePort } from 'node:worker_threads'
import { isSimple } from './json-safe.ts'

/** Bytes of text that fit into shared memory, in each direction. */
const SLOT_BYTES = 16 * 1024
/** The most bytes of UTF-8 for a character of a JavaScript string. */
const BYTES_A_CHARACTER = 3

// The shared words. For the worker: how often it was woken. For each side: the length of the text in its slot (0 for none),
// and how many messages for it went through the port.
const WAKE = 0
const WORKER_SIDE = { slot: 1, posted: 2 }
const MAIN_SIDE = { slot: 3, posted: 4 }
const HEADER_BYTES = 20

export type Message = readonly [kind: number, ...rest: unknown[]]
type Numbered = readonly [number: number, message: Message]

/** The memory that both sides of one thread share. */
export function channelMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(HEADER_BYTES + 2 * SLOT_BYTES)
}

export class Channel {
  readonly #words: Int32Array
  readonly #port: MessagePort
  readonly #in: Buffer
  readonly #out: Buffer
  readonly #here: typeof MAIN_SIDE
  readonly #there: typeof MAIN_SIDE
  /** The word that the other side waits on. */
  readonly #wake: Int32Array
  #sent = 0
  #received = 0
  /** Messages that arrived before an earlier one. */
  readonly #early = new Map<number, Message>()
  #taken = 0
  /** The last value of WAKE, for the worker to wait on. */
  #seen = 0

  /** `bell` wakes the main thread. */
  constructor(side: 'main' | 'worker', memory: SharedArrayBuffer, port: MessagePort, bell: Int32Array) {
    const main = side === 'main'
    this.#words = new Int32Array(memory, 0, HEADER_BYTES / 4)
    this.#port = port
    const slots = [Buffer.from(memory, HEADER_BYTES, SLOT_BYTES), Buffer.from(memory, HEADER_BYTES + SLOT_BYTES, SLOT_BYTES)] as const
    this.#in = slots[main ? 1 : 0]
    this.#out = slots[main ? 0 : 1]
    this.#here = main ? MAIN_SIDE : WORKER_SIDE
    this.#there = main ? WORKER_SIDE : MAIN_SIDE
    this.#wake = main ? this.#words : bell
  }

  /** Sends a message. Throws a DataCloneError if a value in it cannot be copied; nothing is sent then. */
  send(message: Message): void {
    const numbered: Numbered = [this.#sent + 1, trim(message)]
    if (!this.#sendAsText(numbered)) {
      this.#port.postMessage(numbered)
      Atomics.add(this.#words, this.#there.posted, 1)
    }
    this.#sent++
    this.wake()
  }

  /** Wakes the other side, even if there is nothing to receive. */
  wake(): void {
    Atomics.add(this.#wake, WAKE, 1)
    Atomics.notify(this.#wake, WAKE)
  }

  #sendAsText(numbered: Numbered): boolean {
    if (Atomics.load(this.#words, this.#there.slot) !== 0 || !isSimple(numbered)) return false
    const text = JSON.stringify(numbered)
    if (text.length * BYTES_A_CHARACTER > SLOT_BYTES) return false
    Atomics.store(this.#words, this.#there.slot, this.#out.write(text))
    return true
  }

  /** The next message, or `null` before it arrives. */
  receive(): Message | null {
    this.#seen = Atomics.load(this.#words, WAKE)
    const next = this.#received + 1
    for (;;) {
      let message = this.#early.get(next)
      if (message === undefined) {
        const numbered = this.#next()
        if (numbered === null) return null
        message = numbered[1]
        if (numbered[0] !== next) {
          this.#early.set(numbered[0], message)
          continue
        }
      } else {
        this.#early.delete(next)
      }
      this.#received = next
      return message
    }
  }

  #next(): Numbered | null {
    const length = Atomics.load(this.#words, this.#here.slot)
    if (length > 0) {
      const text = this.#in.toString('utf8', 0, length)
      Atomics.store(this.#words, this.#here.slot, 0)
      return JSON.parse(text) as Numbered
    }
    // To read an empty port costs more than all the rest of this.
    if (Atomics.load(this.#words, this.#here.posted) === this.#taken) return null
    this.#taken = (this.#taken + 1) | 0 // wraps around like the shared word
    return (receiveMessageOnPort(this.#port) as { message: Numbered }).message
  }

  /** In the worker: blocks this thread until it is woken, at most `ms`; returns whether it was. */
  wait(ms: number): boolean {
    return Atomics.wait(this.#words, WAKE, this.#seen, ms) !== 'timed-out'
  }

  /** In the worker: the same without blocking the thread. */
  waitAsync(): Promise<unknown> {
    const { async, value } = waitAsync(this.#words, WAKE, this.#seen)
    return async ? value : Promise.resolve()
  }

  close(): void {
    this.#port.close()
  }
}

/** A message without `undefined` at its end, which text cannot represent; it is read as the same message. */
function trim(message: Message): Message {
  let { length } = message
  while (message[length - 1] === undefined) length--
  return length === message.length ? message : (message.slice(0, length) as unknown as Message)
}

/** `Atomics.waitAsync`, which the library types of ES2023 do not have yet. */
export const waitAsync = (
  Atomics as unknown as {
    waitAsync(words: Int32Array, index: number, value: number): { async: true; value: Promise<string> } | { async: false; value: string }
  }
).waitAsync.bind(Atomics)
