// Two bounded queues on promises. `Queue` follows asyncio.Queue's rules (a woken waiter checks again, waiters are first come,
// first served). `DirectQueue` is faster and breaks them: it gives an item directly to a waiter, and makes no promise when
// nothing waits.

/** First in, first out, in a ring that doubles when full: shift() costs the same at any length. */
class Fifo {
  #ring = new Array(16)
  #head = 0
  length = 0

  push(item) {
    if (this.length === this.#ring.length) this.#grow()
    this.#ring[(this.#head + this.length++) & (this.#ring.length - 1)] = item
  }

  shift() {
    const item = this.#ring[this.#head]
    this.#ring[this.#head] = undefined
    this.#head = (this.#head + 1) & (this.#ring.length - 1)
    this.length--
    return item
  }

  #grow() {
    const old = this.#ring
    this.#ring = new Array(old.length * 2)
    for (let i = 0; i < old.length; i++) this.#ring[i] = old[(this.#head + i) & (old.length - 1)]
    this.#head = 0
  }
}

export class Queue {
  #items = new Fifo()
  #getters = new Fifo()
  #putters = new Fifo()
  #maxsize

  constructor(maxsize) {
    this.#maxsize = maxsize
  }

  async put(item) {
    while (this.#items.length >= this.#maxsize) await new Promise((resolve) => this.#putters.push(resolve))
    this.#items.push(item)
    if (this.#getters.length > 0) this.#getters.shift()()
  }

  async get() {
    while (this.#items.length === 0) await new Promise((resolve) => this.#getters.push(resolve))
    const item = this.#items.shift()
    if (this.#putters.length > 0) this.#putters.shift()()
    return item
  }
}

export class DirectQueue {
  #items = new Fifo()
  #getters = new Fifo()
  #putters = new Fifo()
  #maxsize

  constructor(maxsize) {
    this.#maxsize = maxsize
  }

  put(item) {
    if (this.#getters.length > 0) this.#getters.shift()(item)
    else if (this.#items.length < this.#maxsize) this.#items.push(item)
    else return new Promise((resolve) => this.#putters.push({ item, resolve }))
  }

  get() {
    if (this.#items.length === 0) return new Promise((resolve) => this.#getters.push(resolve))
    const item = this.#items.shift()
    if (this.#putters.length > 0) {
      const putter = this.#putters.shift()
      this.#items.push(putter.item)
      putter.resolve()
    }
    return item
  }
}
