// The timers of a loop: a four-way heap ordered by time, then by insertion. The times are in a typed array beside the
// entries, so sifting reads no objects and a timer needs no boxed number.

/** An entry of the heap: fires through the ready queue unless it is cancelled before. */
export interface Timer {
  /** @internal Whether the timer is cancelled and may be dropped. */
  isDead(): boolean
  /** @internal The timer is due: it moves from the heap to the ready queue. */
  leaveHeap(): void
}

// asyncio's thresholds: rebuild when more than half of more than a hundred timers are cancelled.
const REBUILD_MIN = 100
const REBUILD_FRACTION = 0.5
const SMALLEST = 64
const LARGE = 2 ** 14
/** Insertion numbers take 32 bits. */
const MOST_INSERTED = 2 ** 32

export class TimerHeap {
  #when = new Float64Array(SMALLEST)
  #order = new Uint32Array(SMALLEST)
  #timers: Timer[] = []
  #inserted = 0
  /** The number of timers in the heap that are known to be cancelled. */
  #dead = 0

  get size(): number {
    return this.#timers.length
  }

  push(when: number, timer: Timer): void {
    if (this.#inserted === MOST_INSERTED) this.#renumber()
    // Not only when nothing is ready: a loop that is never idle would keep every cancelled timer.
    if (this.#dead > REBUILD_MIN * REBUILD_FRACTION) this.#tidy()
    const index = this.#timers.length
    if (index === this.#when.length) this.#grow()
    this.#timers.push(timer)
    this.#siftUp(index, when, this.#inserted++, timer)
  }

  /** Time of the earliest timer that is not cancelled, `Infinity` without one. */
  next(): number {
    this.#tidy()
    while (this.#timers.length > 0 && (this.#timers[0] as Timer).isDead()) {
      this.#dead--
      this.#removeFirst()
    }
    return this.#timers.length === 0 ? Infinity : (this.#when[0] as number)
  }

  /** Time of the earliest timer, cancelled or not: never later than `next()`, and cheaper. `Infinity` without one. */
  soonest(): number {
    return this.#timers.length === 0 ? Infinity : (this.#when[0] as number)
  }

  /** Remove the earliest timer and return it. Only if there is one. */
  pop(): Timer {
    const first = this.#timers[0] as Timer
    if (first.isDead()) this.#dead--
    this.#removeFirst()
    return first
  }

  /** Note that a timer in the heap was cancelled: it is dropped later. */
  noteCancelled(): void {
    this.#dead++
  }

  /** Time at which `timer` is due, `undefined` if it is not in the heap. Linear: for descriptions only. */
  whenOf(timer: Timer): number | undefined {
    // From the end: mostly it is the last timer added.
    const index = this.#timers.lastIndexOf(timer)
    return index === -1 ? undefined : this.#when[index]
  }

  /** The timers that are not cancelled, as `[when, timer]`, in the order in which they will fire. */
  entries(): [number, Timer][] {
    return Array.from(this.#timers, (timer, index) => ({ timer, when: this.#when[index] as number, order: this.#order[index] as number }))
      .filter(({ timer }) => !timer.isDead())
      .sort((a, b) => a.when - b.when || a.order - b.order)
      .map(({ timer, when }) => [when, timer])
  }

  clear(): void {
    this.#timers = []
    this.#when = new Float64Array(SMALLEST)
    this.#order = new Uint32Array(SMALLEST)
    this.#dead = 0
  }

  #siftUp(index: number, when: number, order: number, timer: Timer): void {
    const whens = this.#when
    const orders = this.#order
    const timers = this.#timers
    while (index > 0) {
      const parent = (index - 1) >> 2
      const parentWhen = whens[parent] as number
      if (parentWhen < when || (parentWhen === when && (orders[parent] as number) < order)) break
      whens[index] = parentWhen
      orders[index] = orders[parent] as number
      timers[index] = timers[parent] as Timer
      index = parent
    }
    whens[index] = when
    orders[index] = order
    timers[index] = timer
  }

  #siftDown(index: number, when: number, order: number, timer: Timer): void {
    const whens = this.#when
    const orders = this.#order
    const timers = this.#timers
    const length = timers.length
    for (;;) {
      const first = index * 4 + 1
      if (first >= length) break
      const end = Math.min(first + 4, length)
      let least = first
      let leastWhen = whens[first] as number
      for (let child = first + 1; child < end; child++) {
        const childWhen = whens[child] as number
        if (childWhen < leastWhen || (childWhen === leastWhen && (orders[child] as number) < (orders[least] as number))) {
          least = child
          leastWhen = childWhen
        }
      }
      if (when < leastWhen || (when === leastWhen && order < (orders[least] as number))) break
      whens[index] = leastWhen
      orders[index] = orders[least] as number
      timers[index] = timers[least] as Timer
      index = least
    }
    whens[index] = when
    orders[index] = order
    timers[index] = timer
  }

  #removeFirst(): void {
    const last = this.#timers.pop() as Timer
    const index = this.#timers.length
    if (index === 0 && this.#when.length >= LARGE) this.clear()
    if (index > 0) this.#siftDown(0, this.#when[index] as number, this.#order[index] as number, last)
  }

  #tidy(): void {
    if (this.#timers.length > REBUILD_MIN && this.#dead / this.#timers.length > REBUILD_FRACTION) this.#rebuild()
  }

  #rebuild(): void {
    const kept = this.#timers.map((timer, index) => ({ timer, index })).filter(({ timer }) => !timer.isDead())
    const when = kept.map(({ index }) => this.#when[index] as number)
    const order = kept.map(({ index }) => this.#order[index] as number)
    const capacity = Math.max(SMALLEST, kept.length)
    this.#timers = []
    this.#when = new Float64Array(capacity)
    this.#order = new Uint32Array(capacity)
    this.#dead = 0
    for (let index = 0; index < kept.length; index++) {
      const { timer } = kept[index] as { timer: Timer }
      this.#timers.push(timer)
      this.#siftUp(index, when[index] as number, order[index] as number, timer)
    }
  }

  /** Renumber the timers in their order, after 2 ** 32 insertions. */
  #renumber(): void {
    const byOrder = Array.from(this.#timers, (_, index) => index).sort((a, b) => (this.#order[a] as number) - (this.#order[b] as number))
    byOrder.forEach((index, order) => (this.#order[index] = order))
    this.#inserted = byOrder.length
  }

  #grow(): void {
    const capacity = this.#when.length * 2
    const when = new Float64Array(capacity)
    const order = new Uint32Array(capacity)
    when.set(this.#when)
    order.set(this.#order)
    this.#when = when
    this.#order = order
  }
}
