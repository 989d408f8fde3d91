// The bytes that were fed to a stream and not read yet: one array, of which a part is in use.
//
//      0        #start            #end      #bytes.length
//      | read   | to be read      | free    |

const NONE: Uint8Array = new Uint8Array()
/** A plain array: what is read should not be a subclass in one case, and none in another. */
const plain = (bytes: Uint8Array): Uint8Array => new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)

export class ByteBuffer {
  #bytes: Uint8Array = NONE
  #start = 0
  #end = 0
  /** Whether `#bytes` was pushed and may not be written to. */
  #foreign = false

  get length(): number {
    return this.#end - this.#start
  }

  /** Add bytes at the end. An empty buffer keeps the array itself: it must not change afterwards. */
  push(bytes: Uint8Array): void {
    if (this.length === 0) {
      this.#bytes = plain(bytes)
      this.#foreign = true
      this.#start = 0
      this.#end = bytes.length
      return
    }
    this.#makeRoom(bytes.length)
    this.#bytes.set(bytes, this.#end)
    this.#end += bytes.length
  }

  /** Double the array where it is too small, so that many small pieces cost linear time. */
  #makeRoom(more: number): void {
    const needed = this.length + more
    if (!this.#foreign && this.#end + more <= this.#bytes.length) return
    const used = this.#bytes.subarray(this.#start, this.#end)
    if (this.#foreign || needed * 2 > this.#bytes.length) {
      this.#bytes = new Uint8Array(needed * 2)
      this.#foreign = false
      this.#bytes.set(used)
    } else this.#bytes.copyWithin(0, this.#start, this.#end)
    this.#end -= this.#start
    this.#start = 0
  }

  /** Remove and return the first `count` bytes, which must be there. */
  take(count: number): Uint8Array {
    const whole = count === this.#bytes.length
    const taken = whole ? this.#bytes : this.#bytes.slice(this.#start, this.#start + count)
    this.drop(count)
    return taken
  }

  /** Remove the first `count` bytes, which must be there. */
  drop(count: number): void {
    this.#start += count
    if (this.#start === this.#end) this.clear()
  }

  clear(): void {
    this.#bytes = NONE
    this.#start = this.#end = 0
  }

  /** The position of `separator` at or after position `from`, or -1. */
  indexOf(separator: Uint8Array, from: number): number {
    const bytes = this.#end === this.#bytes.length ? this.#bytes : this.#bytes.subarray(0, this.#end)
    const first = separator[0] as number
    const last = this.#end - separator.length
    for (let at = this.#start + from; at <= last; at++) {
      at = bytes.indexOf(first, at)
      if (at === -1 || at > last) return -1
      if (matches(bytes, separator, at)) return at - this.#start
    }
    return -1
  }

  /** Whether `separator` is at position `at`. */
  hasAt(separator: Uint8Array, at: number): boolean {
    return at + separator.length <= this.length && matches(this.#bytes, separator, this.#start + at)
  }
}

function matches(bytes: Uint8Array, separator: Uint8Array, at: number): boolean {
  for (let i = 0; i < separator.length; i++) if (bytes[at + i] !== separator[i]) return false
  return true
}
