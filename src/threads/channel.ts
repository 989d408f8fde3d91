// Messages between the main thread and one worker thread. A small message goes through shared memory, where both sides
// can wait for it without an event loop; a large one, or one that shares memory itself, through a port. Each carries its
// number, so that both ways together keep the order in which messages were sent.
import { Deserializer, Serializer } from 'node:v8'
import { receiveMessageOnPort, type MessagePort } from 'node:worker_threads'

/** Bytes of a message that fits into shared memory: beyond, copying twice costs more than the port. */
const SLOT_BYTES = 16 * 1024

// The shared words: how many messages the worker was sent, and the length of what lies in each slot, 0 for nothing.
const TO_WORKER = 0
const WORKER_SLOT = 1
const MAIN_SLOT = 2
const HEADER_BYTES = 12

export type Message = readonly [kind: number, ...rest: unknown[]]

/** Both sides' view of the memory of one thread. */
export function channelMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(HEADER_BYTES + 2 * SLOT_BYTES)
}

export class Channel {
  readonly #words: Int32Array<SharedArrayBuffer>
  readonly #port: MessagePort
  readonly #in: Uint8Array<SharedArrayBuffer>
  readonly #out: Uint8Array<SharedArrayBuffer>
  readonly #inSlot: number
  readonly #outSlot: number
  readonly #ring: () => void
  #sent = 0
  #received = 0
  /** Messages that came before one that was sent earlier. */
  readonly #early = new Map<number, Message>()
  /** The count of messages at the last look, for the worker to wait on. */
  #seen = 0

  /** `bell` is what wakes the main thread. */
  constructor(side: 'main' | 'worker', memory: SharedArrayBuffer, port: MessagePort, bell: Int32Array) {
    this.#words = new Int32Array(memory, 0, 3)
    this.#port = port
    const first = new Uint8Array(memory, HEADER_BYTES, SLOT_BYTES)
    const second = new Uint8Array(memory, HEADER_BYTES + SLOT_BYTES, SLOT_BYTES)
    const main = side === 'main'
    this.#in = main ? second : first
    this.#out = main ? first : second
    this.#inSlot = main ? MAIN_SLOT : WORKER_SLOT
    this.#outSlot = main ? WORKER_SLOT : MAIN_SLOT
    const words = main ? this.#words : bell
    this.#ring = () => {
      Atomics.add(words, 0, 1)
      Atomics.notify(words, 0)
    }
  }

  /** Send a message. Throws a DataCloneError if a value in it cannot be copied; nothing is sent then. */
  send(message: Message): void {
    const number = this.#sent + 1
    const bytes = encode(number, message)
    if (bytes === null) this.#port.postMessage([number, message])
    else if (bytes.length <= SLOT_BYTES && Atomics.load(this.#words, this.#outSlot) === 0) {
      this.#out.set(bytes)
      Atomics.store(this.#words, this.#outSlot, bytes.length)
    } else {
      this.#port.postMessage(bytes)
    }
    this.#sent = number
    this.#ring()
  }

  /** The next message, or `null` if there is none yet. */
  receive(): Message | null {
    this.#seen = Atomics.load(this.#words, TO_WORKER)
    const next = this.#received + 1
    for (;;) {
      const early = this.#early.get(next)
      if (early !== undefined) {
        this.#early.delete(next)
        this.#received = next
        return early
      }
      const [number, message] = this.#take() ?? [0, null]
      if (message === null) return null
      if (number === next) {
        this.#received = next
        return message
      }
      this.#early.set(number, message)
    }
  }

  #take(): [number: number, message: Message] | null {
    const length = Atomics.load(this.#words, this.#inSlot)
    if (length > 0) {
      const bytes = this.#in.slice(0, length) // a copy in memory of its own
      Atomics.store(this.#words, this.#inSlot, 0)
      return decode(bytes)
    }
    const posted = receiveMessageOnPort(this.#port) as { message: Uint8Array | [number, Message] } | undefined
    if (posted === undefined) return null
    return Array.isArray(posted.message) ? posted.message : decode(posted.message)
  }

  /** In the worker: hold this thread until a message may have come, at most `ms`; tells whether one may have. */
  wait(ms: number): boolean {
    return Atomics.wait(this.#words, TO_WORKER, this.#seen, ms) !== 'timed-out'
  }

  /** In the worker: the same without holding the thread. */
  waitAsync(): Promise<unknown> {
    const { async, value } = waitAsync(this.#words, TO_WORKER, this.#seen)
    return async ? value : Promise.resolve()
  }

  close(): void {
    this.#port.close()
  }
}

/** `Atomics.waitAsync`, which the library types of ES2023 do not have yet. */
export const waitAsync = (
  Atomics as unknown as {
    waitAsync(words: Int32Array, index: number, value: number): { async: true; value: Promise<string> } | { async: false; value: string }
  }
).waitAsync.bind(Atomics)

/** The bytes of a message; `null` if it holds shared memory or ports, which only `postMessage` can hand over. */
function encode(number: number, message: Message): Uint8Array | null {
  // The bare serializer copies what the structured clone algorithm copies, and in the same way.
  const serializer = new Serializer()
  serializer.writeHeader()
  serializer.writeUint32(number)
  try {
    serializer.writeValue(message)
  } catch {
    return null // what nothing can copy, postMessage() refuses in its turn
  }
  return serializer.releaseBuffer()
}

function decode(bytes: Uint8Array): [number: number, message: Message] {
  const deserializer = new Deserializer(bytes)
  deserializer.readHeader()
  return [deserializer.readUint32(), deserializer.readValue() as Message]
}
